"""Every way to change duties: give them with a case, do them, sweep what was missed up its ladder."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.cases import rules as case_rules
from counterfoil.cases.queries import CaseRow, lock_case, open_cases_besides
from counterfoil.duties.models import Climb, Duty
from counterfoil.engines.clock import Ladder, due, rung
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.actions import record
from counterfoil.notices.actions import queue_notice
from counterfoil.places import queries as places
from counterfoil.places.rules import get_by
from counterfoil.reference.duties import DutyKind, duty_kinds
from counterfoil.reference.kinds import kind_on
from counterfoil.reports import queries as reports
from counterfoil.reports.actions import tell

log = logging.getLogger(__name__)
FOOTAGE = {
    "had": "We have it",
    "none": "There is none",
    "refused": "The owner refused",
    "lost": "It was overwritten",
}


def _give(
    case: CaseRow, kind: DutyKind, start: datetime, *, about: str = "", due_at: datetime | None = None
) -> Duty | None:
    """Give one duty to whoever owns the case, unless one of its kind (about the same thing) is live."""
    if Duty.objects.filter(case=case, kind=kind.id, about=about, state="live").exists():
        return None
    duty = Duty.objects.create(
        case=case,
        kind=kind.id,
        about=about,
        holder_id=case.owner_actor_id,
        queue_id=case.owner_queue_id,
        given_at=timezone.now(),
        due_at=due_at or due(start, kind.within),
    )
    aims = {"about": about} if about else {}
    record("duty.given", by=Viewer.clock(), on=("duty", duty.pk), thread=case.pk, kind=kind.id, **aims)
    return duty


@transaction.atomic
def give_opening_duties(case_id: str) -> None:
    """Give a newly opened case its duties and tell the sender what is next. Idempotent."""
    case = lock_case(case_id)
    if case.state != "open":
        return
    past = set(Duty.objects.filter(case=case).values_list("kind", flat=True))
    given: list[tuple[DutyKind, Duty]] = []
    report_kind = kind_on(case.kind, timezone.localdate(case.opened_at))
    for kind in duty_kinds().values():
        if report_kind is not None and kind.id not in report_kind.duties:
            continue
        if kind.on != "case.opened" or (kind.id in past and not kind.repeats):
            continue
        duty = _give(case, kind, case.opened_at if kind.id not in past else timezone.now())
        if duty:
            given.append((kind, duty))
    if not past and given:
        staffed = places.queue_is_staffed(case.force.code, case.kind)
        for kind, duty in given:
            # A time is promised only when somebody is there to keep it.
            cases.tell_reporters(
                case.pk,
                "queued" if staffed else "queued_unstaffed",
                next=kind.next_words,
                due_at=duty.due_at if staffed else None,
            )


@transaction.atomic
def look_at_answer(report_id: str) -> None:
    """Give the owner of a case the duty to look at what somebody sent for its appeal, and tell them by when."""
    case_id = case_queries.case_of_report(report_id)
    if case_id is None:
        return
    case, kind = lock_case(case_id), duty_kinds()["look"]
    duty = _give(case, kind, timezone.now(), about=f"report:{report_id}") if case.state == "open" else None
    if duty:
        staffed = places.queue_is_staffed(case.force.code, case.kind)
        tell(report_id, "answered", next="look", due_at=duty.due_at if staffed else None)


@transaction.atomic
def looked_at_answer(case_id: UUID, report_id: UUID, *, by: Viewer) -> None:
    """Say that what somebody sent for an appeal was looked at, and tell them."""
    _may_work(case_id, by)
    if report_id not in case_queries.answers_of(case_id):
        raise NotAllowed("There is no such answer on this case.")
    if _finish(case_id, "look", by=by, about=f"report:{report_id}"):
        tell(report_id, "looked")


@transaction.atomic
def ask_for_footage(case_id: UUID, appeal_id: UUID, cameras: Iterable[str], *, by: Viewer) -> int:
    """Make each camera's recording a duty, due before it is overwritten; return how many duties were given.

    Asking again for the same camera changes nothing while its duty lives. A recording that is lost already is refused.
    """
    needs(by, "officer", "ask for a recording")
    case = _may_work(case_id, by)
    if case.state != "open":
        raise NotAllowed("This case is closed. Reopen it before you ask for recordings.")
    if appeal_id not in case_queries.appeals_of(case_id):
        raise NotAllowed("There is no such appeal on this case.")
    appeal, now = reports.appeals([appeal_id])[0], timezone.now()
    near = places.cameras_near(by, appeal.force, appeal.lat, appeal.lon, appeal.starts_at, now)
    by_id = {str(c.camera.id): c for c in near}
    chosen = list(dict.fromkeys(cameras))
    if not chosen:
        raise BadInput("camera", "Choose at least one camera.")
    given = 0
    for camera in chosen:
        found = by_id.get(camera)
        if found is None:
            raise BadInput("camera", "One of these cameras is no longer on the register. Choose again.")
        if found.lost:
            raise BadInput("camera", f"The recording of {found.camera.owner} is overwritten already.")
        due_at = get_by(found.gone_at, now)
        if _give(case, duty_kinds()["footage"], now, about=f"camera:{camera}", due_at=due_at):
            record("footage.asked", by=by, on=("camera", camera), thread=case_id, appeal=str(appeal_id))
            given += 1
    return given


@transaction.atomic
def settle_footage(case_id: UUID, camera: str, how: str, reason: str, *, by: Viewer) -> None:
    """End the duty to get a camera's recording: it was had, there was none, or it was refused, with the reason kept."""
    _may_work(case_id, by)
    if how not in FOOTAGE:
        raise BadInput("how", "Say whether you have the recording.")
    text = case_rules.clean_reason(reason)
    if not _finish(case_id, "footage", by=by, about=f"camera:{camera}"):
        raise NotAllowed("Nobody is asked for this camera's recording any more.")
    digest = cases.keep_reason(case_id, "footage.settled", text, by=by)
    record("footage.settled", by=by, on=("camera", camera), thread=case_id, how=how, reason_sha256=digest)


def _finish(case_id: UUID, kind: str, *, by: Viewer, about: str = "") -> bool:
    """Mark the live duty of a kind (about the same thing) done and write its entry; say whether there was one."""
    live = Duty.objects.select_for_update().filter(case_id=case_id, kind=kind, about=about, state="live")
    duty = live.first()
    if duty is None:
        return False
    duty.state, duty.ended_at = "done", timezone.now()
    duty.save(update_fields=["state", "ended_at"])
    record(
        "duty.done", by=by, on=("duty", duty.pk), thread=case_id, kind=kind, late=duty.ended_at > duty.due_at
    )
    return True


def _may_work(case_id: UUID, by: Viewer) -> CaseRow:
    """Return the case, for somebody who has a part in it. It is locked before its duties, always in this order."""
    if not case_queries.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    return lock_case(case_id)


@transaction.atomic
def hand_over(case_id: UUID, *, by: Viewer) -> None:
    """Give the live duties of a case to its present owner."""
    case = lock_case(case_id)
    for duty in Duty.objects.select_for_update().filter(case=case, state="live"):
        if (duty.holder_id, duty.queue_id) != (case.owner_actor_id, case.owner_queue_id):
            duty.holder_id, duty.queue_id = case.owner_actor_id, case.owner_queue_id
            duty.save(update_fields=["holder", "queue"])
            record("duty.handed_over", by=by, on=("duty", duty.pk), thread=case_id, kind=duty.kind)


@transaction.atomic
def take_case(case_id: UUID, *, by: Viewer) -> None:
    """Take a case and its live duties."""
    _may_work(case_id, by)
    cases.take(case_id, by=by)
    hand_over(case_id, by=by)


@transaction.atomic
def assign_case(case_id: UUID, actor_id: str, *, by: Viewer) -> None:
    """Give a case and its live duties to an officer of the force."""
    _may_work(case_id, by)
    cases.assign(case_id, actor_id, by=by)
    hand_over(case_id, by=by)


@transaction.atomic
def triage(case_id: UUID, grade: str, reason: str, *, by: Viewer) -> None:
    """Grade a case with the reason kept, take it when it waits in a queue, and finish the triage duty."""
    needs(by, "officer", "triage a case")
    _may_work(case_id, by)
    cases.grade(case_id, grade, reason, by=by)
    card = case_queries.case_for(by, case_id)
    if card and card.owner_actor is None:
        cases.take(case_id, by=by)
        hand_over(case_id, by=by)
    _finish(case_id, "triage", by=by)


@transaction.atomic
def record_crime(case_id: UUID, *, by: Viewer, rms_number: str = "") -> str:
    """Record the crime, finish the duty to record within 24 hours, and return the crime number."""
    _may_work(case_id, by)
    number = cases.record_crime(case_id, by=by, rms_number=rms_number)
    _finish(case_id, "record", by=by)
    return number


@transaction.atomic
def not_a_crime(case_id: UUID, reason: str, *, by: Viewer) -> None:
    """Keep the reason why a report is not recorded as a crime and finish the duty to record."""
    case = _may_work(case_id, by)
    if case.state != "open":
        raise NotAllowed("This case is closed. Reopen it before you say that it is no crime.")
    if case.recorded_at:
        raise NotAllowed(
            "This case is recorded as a crime already, so it cannot be said here that it is none."
        )
    text = case_rules.clean_reason(reason, least=20)
    digest = cases.keep_reason(case_id, "case.not_crimed", text, by=by)
    record("case.not_crimed", by=by, on=("case", case_id), thread=case_id, reason_sha256=digest)
    cases.tell_reporters(case_id, "not_crimed")
    _finish(case_id, "record", by=by)


@transaction.atomic
def update_sender(case_id: UUID, text: str, *, by: Viewer) -> None:
    """Write an update for the senders of a case, notify those with a safe channel, and start the next update duty."""
    case = _may_work(case_id, by)
    words = case_rules.clean_reason(text, field="text")
    digest = cases.keep_reason(case_id, "sender.updated", words, by=by)
    record("sender.updated", by=by, on=("case", case_id), thread=case_id, text_sha256=digest)
    _finish(case_id, "update", by=by)
    kind = duty_kinds()["update"]
    following = _give(case, kind, timezone.now()) if case.state == "open" else None
    cases.tell_reporters(
        case_id,
        "update",
        next=kind.next_words if following else "",
        due_at=following.due_at if following else None,
        text=words,
    )
    for report_id in case_queries.reporters_of(case_id):
        queue_notice(case_id, report_id, "update", by=by)


@transaction.atomic
def end_all(case_id: UUID, *, by: Viewer) -> None:
    """End the live duties of a case that is being closed."""
    for duty in Duty.objects.select_for_update().filter(case_id=case_id, state="live"):
        duty.state, duty.ended_at = "ended", timezone.now()
        duty.save(update_fields=["state", "ended_at"])
        record("duty.ended", by=by, on=("duty", duty.pk), thread=case_id, kind=duty.kind)


def _hearers(duty: Duty, to: str) -> list[str]:
    """Return the ids of the actors who hear of a missed duty at a rung."""
    case = lock_case(duty.case_id)
    queue = duty.queue_id or case.owner_queue_id or places.queue_for(case.force.code, case.kind)
    if to == "owner" and duty.holder_id:
        return [str(duty.holder_id)]
    if to in ("owner", "queue"):
        return places.members(queue) if queue else []
    if to == "duty_inspector" and queue:
        found = places.members(queue, "duty_inspector")
        if found:
            return found
    return [c["id"] for c in accounts.colleagues(_SYSTEM, "inspector", case.force.code)]


_SYSTEM = Viewer(id="00000000-0000-0000-0000-000000000000", name="the clock")


def _climb(duty_id: UUID, case_id: UUID, now: datetime) -> int:
    """Take one overdue duty as far up its ladder as the time says; return how many rungs it climbed."""
    with transaction.atomic():
        lock_case(case_id)
        found = Duty.objects.select_for_update().filter(pk=duty_id, state="live", due_at__lte=now)
        duty = found.first()
        if duty is None:
            return 0
        kind = duty_kinds().get(duty.kind)
        rungs = kind.ladder if kind else ()
        reached = rung(Ladder([(r.after, r.to) for r in rungs]), duty.due_at, now)
        if duty.missed_at is None:
            duty.missed_at = now
            duty.save(update_fields=["missed_at"])
            record(
                "duty.missed", by=Viewer.clock(), on=("duty", duty.pk), thread=duty.case_id, kind=duty.kind
            )
            due_at = duty.due_at.isoformat()
            if duty.about.startswith("report:"):
                tell(duty.about.partition(":")[2], "missed", next="missed_do", duty=duty.kind, due=due_at)
            elif kind is None or kind.told:
                cases.tell_reporters(duty.case_id, "missed", next="missed_do", duty=duty.kind, due=due_at)
        climbed = 0
        for step in range(duty.rung + 1, reached + 1):
            to = rungs[step - 1].to
            hearers = _hearers(duty, to)
            for actor in hearers:
                Climb.objects.get_or_create(
                    duty=duty, rung=step, actor_id=actor, defaults={"to": to, "at": now}
                )
            if not hearers:
                Climb.objects.get_or_create(duty=duty, rung=step, actor=None, defaults={"to": to, "at": now})
            record(
                "duty.climbed",
                by=Viewer.clock(),
                on=("duty", duty.pk),
                thread=duty.case_id,
                rung=step,
                to=to,
                hearers=hearers,
            )
            climbed += 1
        if climbed:
            duty.rung = reached
            duty.save(update_fields=["rung"])
        return climbed


def sweep(now: datetime | None = None) -> dict[str, int]:
    """Do what protects people by the clock: open missing cases, give missing duties, and move missed duties up.

    A case whose owner was suspended or left the force goes back to its queue.

    Returns how many of each were done. Safe to run at any time, and by two processes at once. A case that cannot be
    helped is noted and does not keep the others waiting.
    """
    at = now or timezone.now()

    def give_back(case_id: UUID) -> int:
        with transaction.atomic():
            cases.return_to_queue(case_id)
            hand_over(case_id, by=Viewer.clock())
        return 1

    def opened(report_id: UUID) -> int:
        cases.open_case(str(report_id))
        return 1

    def given(case_id: UUID) -> int:
        give_opening_duties(str(case_id))
        return 1

    done = {"cases_opened": _each(case_queries.reports_without_case(), opened)}
    done["cases_returned"] = _each(case_queries.cases_without_active_owner(), give_back)
    live = Duty.objects.filter(state="live").values("case_id")
    done["duties_given"] = _each(open_cases_besides(live), given)
    overdue = Duty.objects.filter(Q(missed_at__isnull=True) | Q(rung__lt=10), state="live", due_at__lte=at)
    case_of = dict(overdue.order_by("due_at").values_list("pk", "case_id"))
    done["rungs_climbed"] = _each(case_of, lambda duty: _climb(duty, case_of[duty], at))
    return done


def _each(ids: Iterable[UUID], act: Callable[[UUID], int]) -> int:
    """Do `act` for each and return how much was done in all; what fails is noted, and the others go on."""
    done = 0
    for one in ids:
        try:
            done += act(one)
        except Exception:
            log.exception("the sweep could not help %s; it goes on with the others", one)
    return done
