"""An identity as somebody gave it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.cast import JONAH, Cast

from counterfoil.engines.errors import BadInput
from counterfoil.ledger.models import Entry
from counterfoil.people import actions, queries

pytestmark = pytest.mark.django_db


def test_a_person_is_noted_and_never_merged_with_a_namesake(cast: Cast) -> None:
    one = actions.note_person(f"  {JONAH.name} ", by=cast.alice)
    two = actions.note_person(JONAH.name, by=cast.alice)
    assert one != two
    assert queries.names_of([one, two]) == {one: JONAH.name, two: JONAH.name}
    assert JONAH.name not in str([e.body for e in Entry.objects.all()])


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_is_needed_and_fits_a_form(cast: Cast, name: str) -> None:
    with pytest.raises(BadInput, match="name"):
        actions.note_person(name, by=cast.alice)


def test_nobody_is_born_tomorrow(cast: Cast) -> None:
    with pytest.raises(BadInput, match="future"):
        actions.note_person(JONAH.name, by=cast.alice, born_on=timezone.localdate() + timedelta(days=1))
