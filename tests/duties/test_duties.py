"""Duties: given with a case, done by work, swept by the clock up their ladders when they are missed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests import scenes
from tests.cast import Cast

from counterfoil.duties import actions, queries
from counterfoil.duties.models import Climb, Duty
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.reference.duties import duty_kinds
from counterfoil.reports.queries import progress_of

pytestmark = pytest.mark.django_db


def live(case: Any) -> dict[str, Duty]:
    return {d.kind: d for d in Duty.objects.filter(case_id=case, state="live")}


def test_every_kind_of_duty_has_a_ladder_that_ends_with_the_inspectors() -> None:
    for kind in duty_kinds().values():
        assert kind.ladder[-1].to == "inspectors"
        assert kind.source


def test_triage_keeps_the_reason_takes_the_case_and_ends_the_duty(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    assert set(live(scene.case)) == {"record", "update"}
    done = Duty.objects.get(kind="triage")
    assert (done.state, done.holder_id) == ("done", cast.alice.uuid)
    assert Entry.objects.get(act="duty.done").body["late"] is False


def test_recording_the_crime_or_saying_why_it_is_none_ends_the_duty_to_record(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    assert set(live(scene.case)) == {"update"}
    other = scenes.triaged(cast, session="2")
    with pytest.raises(BadInput):
        actions.not_a_crime(other.case, "too short", by=cast.alice)
    actions.not_a_crime(other.case, "The bicycle was found in the garage by its owner.", by=cast.alice)
    assert set(live(other.case)) == {"update"}
    assert any(s.what == "not_crimed" for s in progress_of(other.report))


def test_an_update_reaches_the_sender_and_starts_the_next_one(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    before = live(scene.case)["update"]
    actions.update_sender(scene.case, "We have watched the doorbell recording.", by=cast.alice)
    after = live(scene.case)["update"]
    assert after.pk != before.pk
    assert after.due_at >= before.due_at
    step = progress_of(scene.report)[-1]
    assert (step.what, step.params["text"]) == ("update", "We have watched the doorbell recording.")
    assert step.due_at == after.due_at
    from counterfoil.notices.models import Notice

    assert Notice.objects.get().state == "waiting"


def test_the_database_refuses_a_second_live_duty_of_a_kind(cast: Cast) -> None:
    scene = scenes.reported(cast)
    duty = live(scene.case)["triage"]
    duty.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        duty.save(force_insert=True)


def test_my_duties_are_those_of_my_queue_and_mine_soonest_first(cast: Cast) -> None:
    scene = scenes.reported(cast)
    assert [d.kind for d in queries.my_duties(cast.bruno)] == ["triage", "record", "update"]
    actions.take_case(scene.case, by=cast.alice)
    assert queries.my_duties(cast.bruno) == []
    assert [d.kind for d in queries.my_duties(cast.alice)] == ["triage", "record", "update"]
    assert queries.my_duties(cast.charlie) == []


def test_with_followers_off_one_sweep_opens_the_case_and_gives_its_duties(cast: Cast, settings: Any) -> None:
    settings.FOLLOWERS = False
    scene = scenes.reported(cast)
    assert actions.sweep()["cases_opened"] == 1
    assert set(live(scene.case)) == {"triage", "record", "update"}
    assert [s.what for s in progress_of(scene.report)] == ["received", "queued", "queued", "queued"]
    assert actions.sweep() == {**actions.sweep(), "cases_opened": 0, "duties_given": 0}


def missed(cast: Cast, after: timedelta) -> tuple[scenes.Scene, Duty, datetime]:
    scene = scenes.reported(cast)
    duty = live(scene.case)["triage"]
    now = duty.due_at + after
    actions.sweep(now)
    duty.refresh_from_db()
    return scene, duty, now


def test_a_duty_in_time_is_left_alone(cast: Cast) -> None:
    scene, duty, _ = missed(cast, timedelta(minutes=-1))
    assert (duty.missed_at, duty.rung) == (None, 0)
    assert not Entry.objects.filter(act="duty.missed").exists()
    assert all(s.what != "missed" for s in progress_of(scene.report))


def test_a_missed_duty_is_said_on_the_senders_page_and_told_to_the_queue(cast: Cast) -> None:
    scene, duty, now = missed(cast, timedelta(minutes=1))
    assert (duty.missed_at, duty.rung) == (now, 1)
    step = progress_of(scene.report)[-1]
    assert (step.what, step.params["duty"]) == ("missed", "triage")
    heard = {str(i) for i in Climb.objects.values_list("actor_id", flat=True)}
    assert heard == {cast.id("alice"), cast.id("bruno"), cast.id("ines")}


def test_it_climbs_as_far_as_the_time_says_and_says_missed_only_once(cast: Cast) -> None:
    scene, duty, now = missed(cast, timedelta(minutes=1))
    for hours, rung in ((0.5, 1), (1.5, 2), (3.9, 2), (4.5, 3), (400, 3)):
        actions.sweep(duty.due_at + timedelta(hours=hours))
        duty.refresh_from_db()
        assert duty.rung == rung, hours
    assert sum(s.what == "missed" and s.params["duty"] == "triage" for s in progress_of(scene.report)) == 1
    assert duty.missed_at == now
    climbs = [c for c in queries.climbs_of(scene.case) if c[0] == "triage"]
    assert [(rung, to) for _, rung, to, who, _ in climbs if who == "Ines Farrow"] == [
        (1, "queue"),
        (2, "duty_inspector"),
        (3, "inspectors"),
    ]


def test_one_late_sweep_climbs_every_rung_on_the_way(cast: Cast) -> None:
    _, duty, _ = missed(cast, timedelta(hours=5))
    assert duty.rung == 3
    steps = Entry.objects.filter(act="duty.climbed", subject_id=str(duty.pk)).order_by("at")
    assert [e.body["rung"] for e in steps] == [1, 2, 3]


def test_whoever_hears_of_a_missed_duty_may_see_its_case(cast: Cast) -> None:
    from counterfoil.cases.queries import case_for

    scene, _, _ = missed(cast, timedelta(hours=5))
    actions.take_case(scene.case, by=cast.alice)
    assert case_for(cast.bruno, scene.case) is not None
    actions.triage(scene.case, "scheduled", scenes.REASON, by=cast.alice)
    assert case_for(cast.bruno, scene.case) is None


def test_when_nobody_can_be_found_the_climb_says_so(cast: Cast) -> None:
    scene = scenes.reported(cast, staffed=False)
    duty = live(scene.case)["triage"]
    actions.sweep(duty.due_at + timedelta(hours=5))
    assert list(Climb.objects.filter(duty=duty).order_by("rung").values_list("rung", "actor_id")) == [
        (1, None),
        (2, None),
        (3, None),
    ]
    assert Entry.objects.filter(act="duty.climbed").first().body["hearers"] == []  # type: ignore[union-attr]


def test_a_closed_case_has_no_live_duty_and_nothing_climbs(cast: Cast) -> None:
    from counterfoil.cases.actions import close

    scene = scenes.recorded(cast)
    actions.end_all(scene.case, by=scene.by)
    close(scene.case, by=scene.by, why_act="outcome.recorded")
    assert actions.sweep(timezone.now() + timedelta(days=60)) == {
        **dict.fromkeys(actions.sweep(timezone.now()), 0),
    }
    assert live(scene.case) == {}


def test_a_case_whose_owner_is_suspended_goes_back_to_its_queue(cast: Cast) -> None:
    from counterfoil.accounts.actions import suspend
    from counterfoil.cases.queries import case_for

    scene = scenes.triaged(cast)
    suspend(cast.id("alice"), reason_digest="0" * 64, by=cast.ada)
    actions.sweep()
    card = case_for(cast.ines, scene.case)
    assert card is not None
    assert (card.owner_actor, card.owner) == (None, "Triage desk")
    assert all(d.holder_id is None and d.queue_id for d in live(scene.case).values())
    assert case_for(cast.bruno, scene.case) is not None


def test_work_on_a_case_needs_a_part_in_it(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    for who in ("bruno", "dilys", "charlie"):
        with pytest.raises(NotAllowed):
            actions.update_sender(scene.case, "Nothing that I should be able to send.", by=cast.viewer(who))
