import pytest
from tests import scenes
pytestmark = pytest.mark.django_db

def test_a(cast):
    s = scenes.reported(cast)
    from counterfoil.duties.models import Duty
    print(s.case, [(d.kind) for d in Duty.objects.all()])

def test_b(cast):
    s = scenes.suspected(cast)
    from counterfoil.ledger.actions import sequence
    from counterfoil.ledger.queries import faults
    cp = sequence()
    print(cp)
    assert faults() == []

def test_c(cast):
    scenes.closed(cast)
