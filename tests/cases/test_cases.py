"""Cases: opened by reports, owned by one at a time, changed only by those who work on them."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests import scenes
from tests.cast import JONAH, PARTS, Cast

from counterfoil.accounts.models import Grant
from counterfoil.cases import actions, queries, rules
from counterfoil.cases.models import Case, ExternalReference, Note
from counterfoil.cases.rules import clean_reference
from counterfoil.duties import actions as duties
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db
OUT_OF_IT = ["dilys", "charlie", "gwen", "petra", "piers", "ada", "sam"]


def test_opening_again_keeps_the_case_there_is(cast: Cast) -> None:
    scene = scenes.reported(cast)
    assert actions.open_case(str(scene.report)) == scene.case
    assert Case.objects.count() == 1


def test_cases_are_numbered_within_a_force_and_year(cast: Cast) -> None:
    scenes.reported(cast, session="1")
    scenes.reported(cast, session="2")
    cast.queue("98")
    scenes.reported(cast, session="3", force="98")
    assert sorted((c.force.code, c.number) for c in Case.objects.all()) == [("98", 1), ("99", 1), ("99", 2)]


@pytest.mark.parametrize("who", sorted(PARTS))
def test_who_sees_a_case_in_the_queue_and_after_alice_took_it(cast: Cast, who: str) -> None:
    scene = scenes.reported(cast)
    assert (queries.case_for(cast.viewer(who), scene.case) is not None) == (who in ("alice", "bruno", "ines"))
    duties.take_case(scene.case, by=cast.alice)
    seen = queries.case_for(cast.viewer(who), scene.case) is not None
    assert seen == (who in ("alice", "ines"))
    assert queries.why(cast.viewer(who), scene.case).allowed == seen
    assert (scene.case in {c.id for c in queries.my_cases(cast.viewer(who))}) == seen


@pytest.mark.parametrize("who", OUT_OF_IT)
def test_a_refused_case_reads_exactly_like_an_absent_one(cast: Cast, who: str) -> None:
    scene = scenes.triaged(cast)
    viewer = cast.viewer(who)
    assert queries.case_for(viewer, scene.case) is queries.case_for(viewer, uuid4()) is None
    if viewer.signed_in:
        assert queries.why(viewer, scene.case) == queries.why(viewer, uuid4())


@pytest.mark.parametrize("who", OUT_OF_IT)
def test_nobody_without_a_part_in_a_case_changes_it_by_any_verb(cast: Cast, who: str) -> None:
    scene = scenes.recorded(cast)
    viewer, entries = cast.viewer(who), Entry.objects.count
    viewer_before = entries()
    attempts: dict[str, Any] = {
        "take": lambda: actions.take(scene.case, by=viewer),
        "take_case": lambda: duties.take_case(scene.case, by=viewer),
        "assign": lambda: actions.assign(scene.case, cast.id("alice"), by=viewer),
        "grade": lambda: actions.grade(scene.case, "priority", scenes.REASON, by=viewer),
        "triage": lambda: duties.triage(scene.case, "priority", scenes.REASON, by=viewer),
        "record": lambda: actions.record_crime(scene.case, by=viewer),
        "record_crime": lambda: duties.record_crime(scene.case, by=viewer),
        "not_a_crime": lambda: duties.not_a_crime(scene.case, scenes.REASON, by=viewer),
        "update": lambda: duties.update_sender(scene.case, scenes.REASON, by=viewer),
        "party": lambda: actions.add_party(scene.case, "Somebody New", "witness", by=viewer),
        "suspect": lambda: actions.name_suspect(
            scene.case, "Somebody New", "custody", "99/CT/1/26", by=viewer
        ),
        "reopen": lambda: actions.reopen(scene.case, scenes.REASON, by=viewer),
    }
    let_through = []
    for name, attempt in attempts.items():
        try:
            with transaction.atomic():
                attempt()
        except (NotAllowed, BadInput):
            continue
        let_through.append(name)
    assert let_through == []
    assert entries() == viewer_before


def test_taking_a_case_moves_its_live_duties_too(cast: Cast) -> None:
    from counterfoil.duties.queries import duties_of

    scene = scenes.reported(cast)
    duties.take_case(scene.case, by=cast.bruno)
    assert {d.holder for d in duties_of(cast.bruno, scene.case)} == {"Bruno Castell"}
    assert Entry.objects.filter(act="case.taken").count() == 1
    duties.take_case(scene.case, by=cast.bruno)
    assert Entry.objects.filter(act="case.taken").count() == 1


def test_only_an_inspector_assigns_and_only_to_an_officer_of_the_force(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    with pytest.raises(NotAllowed, match="Only an inspector"):
        duties.assign_case(scene.case, cast.id("bruno"), by=cast.alice)
    with pytest.raises(BadInput, match="officer of this force"):
        duties.assign_case(scene.case, cast.id("charlie"), by=cast.ines)
    with pytest.raises(BadInput, match="officer of this force"):
        duties.assign_case(scene.case, cast.id("sam"), by=cast.ines)
    duties.assign_case(scene.case, cast.id("dilys"), by=cast.ines)
    assert queries.case_for(cast.dilys, scene.case)
    assert queries.case_for(cast.alice, scene.case) is None


def test_the_database_itself_refuses_two_owners_and_none(cast: Cast) -> None:
    scene = scenes.reported(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=scene.case).update(owner_actor_id=cast.id("alice"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=scene.case).update(owner_queue=None)


def test_a_grade_keeps_its_reason_and_the_entry_only_its_digest(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    (note,) = Note.objects.filter(case_id=scene.case, act="case.graded")
    entry = Entry.objects.get(act="case.graded")
    assert note.text == scenes.REASON
    assert entry.body["reason_sha256"] == note.sha256
    assert "gate" not in json.dumps(entry.body)


@pytest.mark.parametrize("reason", ["", "short", "x" * 4001, "has a nul \x00 in it"])
def test_a_reason_must_mean_something(cast: Cast, reason: str) -> None:
    scene = scenes.reported(cast)
    with pytest.raises(BadInput):
        duties.triage(scene.case, "scheduled", reason, by=cast.alice)
    with pytest.raises(BadInput, match="Choose a grade"):
        duties.triage(scene.case, "whenever", scenes.REASON, by=cast.alice)


def test_a_crime_is_recorded_once_with_our_number(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    number = duties.record_crime(scene.case, by=cast.alice)
    assert number == f"99/CF/00001/{Case.objects.get().year % 100:02d}"
    assert duties.record_crime(scene.case, by=cast.alice) == number
    assert Entry.objects.filter(act="case.recorded").count() == 1


def test_the_records_systems_number_is_kept_when_it_holds_the_record(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    assert duties.record_crime(scene.case, by=cast.alice, rms_number=" 99/abc/123 ") == "99/ABC/123"
    case = Case.objects.get()
    assert (case.system_of_record, case.crime_number) == ("rms", "99/ABC/123")
    other = scenes.triaged(cast, session="2")
    with pytest.raises(BadInput, match="Another case already has this number"):
        duties.record_crime(other.case, by=cast.alice, rms_number="99/ABC/123")


def test_a_suspect_comes_with_the_custody_or_interview_reference(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    party = actions.name_suspect(scene.case, JONAH.name, "custody", "99/ct/01234/26", by=scene.by)
    (card,) = [p for p in queries.parties(scene.case) if p.id == party]
    assert (card.name, card.role, card.references) == (
        JONAH.name,
        "suspect",
        (("custody", "99/CT/01234/26"),),
    )
    assert JONAH.name not in json.dumps([e.body for e in Entry.objects.all()])
    with pytest.raises(BadInput, match="custody record or a voluntary interview"):
        actions.name_suspect(scene.case, JONAH.name, "rms", "99/CT/01234/26", by=scene.by)


@pytest.mark.parametrize(
    "typed", ["", "x", "JONAH VELLACOTT", "99/CT/01234/26\x00", "a" * 61, "99_CT_1", "<b>1</b>"]
)
def test_a_reference_that_could_be_a_name_or_a_trick_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        clean_reference("custody", typed)


def test_a_closed_case_takes_nothing_more_until_an_inspector_reopens_it(cast: Cast) -> None:
    from counterfoil.duties.queries import duties_of

    scene = scenes.recorded(cast)
    duties.end_all(scene.case, by=scene.by)
    actions.close(scene.case, by=scene.by, why_act="outcome.recorded")
    for attempt in (
        lambda: actions.add_party(scene.case, "Late Witness", "witness", by=scene.by),
        lambda: duties.take_case(scene.case, by=cast.ines),
        lambda: duties.triage(scene.case, "priority", scenes.REASON, by=scene.by),
        lambda: actions.close(scene.case, by=scene.by, why_act="outcome.recorded"),
    ):
        with pytest.raises(NotAllowed), transaction.atomic():
            attempt()
    with pytest.raises(NotAllowed, match="Only an inspector"):
        actions.reopen(scene.case, scenes.REASON, by=cast.alice)
    actions.reopen(scene.case, scenes.REASON, by=cast.ines)
    live = [d.kind for d in duties_of(cast.ines, scene.case) if d.state == "live"]
    assert live == ["update"]
    with pytest.raises(NotAllowed):
        actions.reopen(scene.case, scenes.REASON, by=cast.ines)


def test_external_references_of_a_case_are_listed(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    duties.record_crime(scene.case, by=cast.alice, rms_number="99/ABC/124")
    assert queries.references(scene.case) == [("rms", "99/ABC/124")]
    assert ExternalReference.objects.count() == 1


@pytest.mark.parametrize(
    ("n", "found"),
    [(1, ("CF", 1)), (99_999, ("CF", 99_999)), (100_000, ("CG", 1)), (199_999, ("CH", 1))],
)
def test_a_large_force_goes_on_to_the_next_unit_after_99_999_cases(n: int, found: tuple[str, int]) -> None:
    assert rules.unit_and_number(n) == found


def test_two_cases_never_share_a_unit_and_a_number() -> None:
    seen = {rules.unit_and_number(n) for n in range(1, 400_000)}
    assert len(seen) == 399_999


def test_a_case_reopened_after_its_owner_left_goes_to_the_queue_at_once(cast: Cast) -> None:
    """Found by the state machine: between reopening and the next sweep nobody at work owned it."""
    scene = scenes.closed(cast)
    Grant.objects.filter(actor_id=cast.alice.id).update(ends_at=timezone.now())
    actions.reopen(scene.case, "The victim's sister has found a second recording.", by=cast.ines)
    assert scene.case not in queries.cases_without_active_owner()
    card = queries.case_for(cast.ines, scene.case)
    assert card is not None
    assert card.owner_actor is None
    assert card.owner_queue is not None
