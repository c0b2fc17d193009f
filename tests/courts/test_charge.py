"""Recording a charging decision: who decided, when, in which words, about a named suspect."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import JONAH, Cast

from counterfoil.courts import actions, queries
from counterfoil.courts.models import Charge
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.reports.queries import progress_of

pytestmark = pytest.mark.django_db


def decision(**changed: Any) -> dict[str, Any]:
    whole = {
        "decision": "charge",
        "decided_by": "prosecutor",
        "decider": "Petra Quill",
        "decided_at": timezone.now() - timedelta(hours=1),
        "offence_code": "th68010",
        "wording": scenes.WORDING,
        "reason": "There is enough evidence for a realistic prospect of conviction.",
    }
    return {**whole, **changed}


def test_a_decision_to_charge_is_kept_told_and_logged_without_names(cast: Cast) -> None:
    scene = scenes.charged(cast)
    (card,) = queries.charges_of(cast.alice, scene.case)
    assert (card.suspect, card.offence_code, card.decided_by) == (JONAH.name, "TH68010", "prosecutor")
    assert progress_of(scene.report)[-1].what == "charged"
    body = str(Entry.objects.get(act="charge.decided").body)
    assert "Vellacott" not in body
    assert "Quill" not in body
    assert "Exampleton" not in body


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"decision": "maybe"}, "decision"),
        ({"decided_by": "me"}, "decided_by"),
        ({"decider": ""}, "decider"),
        ({"decided_at": timezone.now() + timedelta(days=2)}, "decided_at"),
        ({"offence_code": "THEFT"}, "offence_code"),
        ({"wording": "Theft."}, "wording"),
        ({"reason": "because"}, "reason"),
    ],
)
def test_it_refuses_a_decision_that_is_not_whole(cast: Cast, changed: dict[str, Any], field: str) -> None:
    scene = scenes.suspected(cast)
    assert scene.suspect
    with pytest.raises(BadInput) as refused:
        actions.record_charging_decision(scene.case, scene.suspect, **decision(**changed), by=cast.alice)
    assert refused.value.field == field
    assert not Charge.objects.exists()


def test_the_police_cannot_charge_hate_crime_by_themselves(cast: Cast) -> None:
    scene = scenes.suspected(cast, kind_id="online-harassment-or-hate")
    assert scene.suspect
    with pytest.raises(BadInput, match="Only a prosecutor"):
        actions.record_charging_decision(
            scene.case, scene.suspect, **decision(decided_by="police"), by=cast.alice
        )


def test_a_decision_not_to_charge_keeps_no_wording(cast: Cast) -> None:
    scene = scenes.suspected(cast)
    assert scene.suspect
    actions.record_charging_decision(
        scene.case, scene.suspect, **decision(decision="no_charge"), by=cast.alice
    )
    (card,) = queries.charges_of(cast.alice, scene.case)
    assert (card.offence_code, card.wording) == ("", "")
    assert progress_of(scene.report)[-1].what == "not_charged"


def test_only_a_named_suspect_of_this_case_is_charged(cast: Cast) -> None:
    scene, other = scenes.suspected(cast, session="1"), scenes.suspected(cast, session="2")
    assert other.suspect
    from counterfoil.cases.queries import parties

    witness = next(p.id for p in parties(scene.case) if p.role == "witness")
    for party in (other.suspect, witness, uuid4()):
        with pytest.raises(BadInput, match="Choose the suspect"):
            actions.record_charging_decision(scene.case, party, **decision(), by=cast.alice)


@pytest.mark.parametrize("who", ["bruno", "dilys", "charlie", "petra", "ada", "sam"])
def test_nobody_outside_the_case_records_a_decision_or_asks_for_a_bundle(cast: Cast, who: str) -> None:
    scene = scenes.suspected(cast)
    assert scene.suspect
    with pytest.raises(NotAllowed):
        actions.record_charging_decision(scene.case, scene.suspect, **decision(), by=cast.viewer(who))
    with pytest.raises(NotAllowed):
        actions.ask_bundle(scene.case, by=cast.viewer(who))
