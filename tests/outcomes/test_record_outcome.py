"""Outcomes: given only to what bears them out; they close the case, end its duties and tell the sender why."""

from collections.abc import Callable

import pytest
from tests import scenes
from tests.cast import Cast

from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.duties import actions as duties
from counterfoil.duties.models import Duty
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.notices.models import Notice
from counterfoil.outcomes import actions, queries
from counterfoil.outcomes.models import Outcome
from counterfoil.reports.queries import progress_of

pytestmark = pytest.mark.django_db
WHY = "No line of enquiry is left after the recording was watched twice."


def test_a_charge_closes_the_case_ends_its_duties_and_tells_the_sender(cast: Cast) -> None:
    scene = scenes.closed(cast)
    card = case_queries.case_for(cast.alice, scene.case)
    assert card is not None
    assert card.state == "closed"
    assert not Duty.objects.filter(case_id=scene.case, state="live").exists()
    assert progress_of(scene.report)[-1].what == "outcome"
    assert Notice.objects.filter(wording="outcome").count() == 1
    entry = Entry.objects.get(act="outcome.recorded")
    assert (entry.body["type"], entry.body["charge"]) == ("1", str(scene.charge))
    assert "recording" not in str(entry.body)


@pytest.mark.parametrize(
    ("so_far", "type_", "sentence"),
    [
        (scenes.triaged, "18", "Record the crime first"),
        (scenes.suspected, "1", "Record the decision to charge first"),
        (scenes.recorded, "16", "Name the suspect first"),
        (scenes.suspected, "18", "none was identified"),
    ],
)
def test_it_refuses_an_outcome_that_the_case_does_not_bear_out(
    cast: Cast, so_far: Callable[[Cast], scenes.Scene], type_: str, sentence: str
) -> None:
    scene = so_far(cast)
    with pytest.raises(NotAllowed, match=sentence):
        actions.record_outcome(scene.case, type_, WHY, by=cast.alice)
    assert not Outcome.objects.exists()
    assert Duty.objects.filter(case_id=scene.case, state="live").exists()


@pytest.mark.parametrize("type_", ["0", "-1", "23", "1000", "", "x", "A"])
def test_type_0_and_unknown_types_are_never_rows(cast: Cast, type_: str) -> None:
    scene = scenes.recorded(cast)
    with pytest.raises(BadInput, match="Choose an outcome"):
        actions.record_outcome(scene.case, type_, WHY, by=cast.alice)


def test_it_needs_a_reason_and_an_open_case(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    with pytest.raises(BadInput):
        actions.record_outcome(scene.case, 18, "because", by=cast.alice)
    actions.record_outcome(scene.case, "18", WHY, by=cast.alice)
    with pytest.raises(NotAllowed, match="closed"):
        actions.record_outcome(scene.case, "18", WHY, by=cast.alice)
    assert Outcome.objects.count() == 1


def test_a_reopened_case_gets_a_new_outcome_and_the_old_one_stays(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    actions.record_outcome(scene.case, "18", WHY, by=cast.alice)
    cases.reopen(scene.case, "A neighbour has come forward with a name.", by=cast.ines)
    assert Duty.objects.filter(case_id=scene.case, state="live").exists()
    cases.name_suspect(scene.case, "Jonah Vellacott", "interview", "99/VI/00007/26", by=cast.alice)
    actions.record_outcome(scene.case, "16", WHY, by=cast.alice)
    cards = queries.outcomes_of(cast.alice, scene.case)
    assert [(c.type, c.superseded) for c in cards] == [("18", True), ("16", False)]


@pytest.mark.parametrize("who", ["bruno", "dilys", "charlie", "ines", "petra", "ada", "sam"])
def test_only_an_officer_on_the_case_ends_it(cast: Cast, who: str) -> None:
    scene = scenes.recorded(cast)
    with pytest.raises(NotAllowed):
        actions.record_outcome(scene.case, "18", WHY, by=cast.viewer(who))
    assert not Outcome.objects.exists()


@pytest.mark.parametrize(
    "kind", ["burglary", "criminal-damage", "shop-theft", "online-harassment-or-hate", "fraud"]
)
def test_every_kind_of_crime_may_end_with_a_charge_or_without_a_suspect(kind: str) -> None:
    from django.utils import timezone

    found = queries.allowed_types(kind, timezone.localdate())
    assert {"1", "18"} <= set(found)
    assert all(words for words in found.values())


def test_a_case_that_is_no_crime_closes_with_a_reason_and_has_no_outcome(cast: Cast) -> None:
    """Else its update duty would come back for ever; and nobody closes it so before the decision is made."""
    scene = scenes.triaged(cast)
    why = "The gate was blown open by the wind; the neighbour's camera shows it."
    with pytest.raises(NotAllowed, match="Decide first"):
        actions.close_no_crime(scene.case, why, by=cast.alice)
    duties.not_a_crime(scene.case, why, by=cast.alice)
    actions.close_no_crime(scene.case, why, by=cast.alice)
    card = case_queries.case_for(cast.alice, scene.case)
    assert card is not None
    assert card.state == "closed"
    assert not Outcome.objects.exists()
    assert not Duty.objects.filter(case_id=scene.case, state="live").exists()
    assert progress_of(scene.report)[-1].what == "closed_no_crime"


def test_a_recorded_crime_cannot_be_closed_as_no_crime(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    with pytest.raises(NotAllowed, match="ends with an outcome"):
        actions.close_no_crime(scene.case, "It was not a crime after all, we now think.", by=cast.alice)
