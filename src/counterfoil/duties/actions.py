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
from counterfoil.engines.errors import NotAllowed
from counterfoil.ledger.actions import record
from counterfoil.notices.actions import queue_notice
from counterfoil.places import queries as places
from counterfoil.reference.duties import DutyKind, duty_kinds
from counterfoil.reference.kinds import kind_on

log = logging.getLogger(__name__)


def _give(case: CaseRow, kind: DutyKind, start: datetime) -> Duty | None:
    """Give one duty to whoever owns the case, unless one of its kind is live."""
    if Duty.objects.filter(case=case, kind=kind.id, state="live").exists():
        return None
    duty = Duty.objects.create(
        case=case,
        kind=kind.id,
        holder_id=case.owner_actor_id,
        queue_id=case.owner_queue_id,
        given_at=timezone.now(),
        due_at=due(start, kind.within),
    )
    record("duty.given", by=Viewer.clock(), on=("duty", duty.pk), thread=case.pk, kind=kind.id)
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


def _finish(case_id: UUID, kind: str, *, by: Viewer) -> bool:
    """Mark the live duty of a kind done and write its entry; say whether there was one."""
    duty = Duty.objects.select_for_update().filter(case_id=case_id, kind=kind, state="live").first()
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
    for report_id in case_queries.reports_of(case_id):
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
            cases.tell_reporters(
                duty.case_id, "missed", next="missed_do", duty=duty.kind, due=duty.due_at.isoformat()
            )
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
