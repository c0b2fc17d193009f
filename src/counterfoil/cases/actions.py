"""Every way to change cases."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import queries, rules
from counterfoil.cases.models import Case, CaseAppeal, CaseReport, ExternalReference, Note, Party
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.refs import crime_number
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.actions import record
from counterfoil.people.actions import note_person
from counterfoil.places import queries as places
from counterfoil.places.actions import open_queue
from counterfoil.reports.actions import make_appeal, stop_appeal, tell
from counterfoil.reports.queries import ReportCard, lock_report
from counterfoil.reports.rules import clean_appeal

NUMBER_LOCK = 0x0C0FFEE2


def _next_number(force_id: int, year: int) -> int:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NUMBER_LOCK & 0x7FFFFFFF, force_id])
    last = Case.objects.filter(force_id=force_id, year=year).aggregate(n=Max("number"))["n"]
    return (last or 0) + 1


def _queue_for(force: str, kind: str) -> int:
    """Return the queue that takes a kind of report; what protects a person may not wait for configuration."""
    queue = places.queue_for(force, kind)
    return open_queue(force, "triage", "Triage desk", by=Viewer.clock()) if queue is None else queue


@transaction.atomic
def open_case(report_id: str) -> UUID:
    """Open the case of an accepted report, owned by the queue that takes its kind; return the case's id.

    A report that answers an appeal joins the appeal's case instead while that is open.

    Idempotent: a report that has a case keeps it. Runs inside the report's own transaction when the follower is on,
    else in the clock's sweep.
    """
    report = lock_report(report_id)
    known = CaseReport.objects.filter(report_id=report_id).first()
    if known:
        return known.case_id
    joined = _join(report)
    if joined is not None:
        return joined
    now = timezone.now()
    queue = _queue_for(report.force, report.kind)
    year = timezone.localtime(now).year
    case = Case.objects.create(
        id=uuid4(),
        number=_next_number(report.force_id, year),
        year=year,
        force_id=report.force_id,
        kind=report.kind,
        owner_queue_id=queue,
        reported_at=report.reported_at,
        opened_at=now,
    )
    CaseReport.objects.create(case=case, report_id=report.id, joined_at=now)
    record(
        "case.opened",
        by=Viewer.clock(),
        on=("case", case.pk),
        thread=case.pk,
        report=str(report.id),
        queue=str(queue),
    )
    return case.pk


def _join(report: ReportCard) -> UUID | None:
    """Let an answer to an appeal join the appeal's case and return its id; None when it has to open its own."""
    made = CaseAppeal.objects.filter(appeal_id=report.appeal).first() if report.appeal else None
    if made is None:
        return None
    case = Case.objects.select_for_update(of=("self",)).get(pk=made.case_id)
    if case.state != "open":
        return None
    CaseReport.objects.create(case=case, report_id=report.id, answers=True, joined_at=timezone.now())
    record(
        "case.joined",
        by=Viewer.clock(),
        on=("report", report.id),
        thread=case.pk,
        appeal=str(made.appeal_id),
    )
    return case.pk


@transaction.atomic
def open_appeal(case_id: UUID, raw: Mapping[str, str], *, by: Viewer) -> UUID:
    """Ask the public for recordings or memories of one place and time; return the appeal's id.

    `raw` as `reports.rules.clean_appeal` takes it. The page that the public sees says nothing of the case.
    """
    needs(by, "officer", "open an appeal")
    case = _open(case_id, "open an appeal", by)
    now = timezone.now()
    appeal = make_appeal(case.force_id, clean_appeal(raw, now), at=now)
    CaseAppeal.objects.create(case=case, appeal_id=appeal, opened_by_id=by.id)
    record("appeal.opened", by=by, on=("appeal", appeal), thread=case.pk)
    return appeal


@transaction.atomic
def end_appeal(case_id: UUID, appeal_id: UUID, *, by: Viewer) -> None:
    """Close an appeal's page to the public before its day. What was sent already stays."""
    if not queries.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    if not CaseAppeal.objects.filter(case_id=case_id, appeal_id=appeal_id).exists():
        raise NotAllowed("There is no such appeal on this case.")
    if stop_appeal(appeal_id):
        record("appeal.ended", by=by, on=("appeal", appeal_id), thread=case_id)


def _open(case_id: UUID, what: str, by: Viewer) -> Case:
    """Return an open case, locked, for somebody who has a part in it."""
    if not queries.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    case = Case.objects.select_for_update(of=("self",)).select_related("force").get(pk=case_id)
    if case.state != "open":
        raise NotAllowed(f"This case is closed. Reopen it before you {what}.")
    return case


def keep_reason(case_id: UUID, act: str, text: str, *, by: Viewer, at: datetime | None = None) -> str:
    """Keep the reason of a decision on the case and return its SHA-256 for the entry."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    Note.objects.create(case_id=case_id, act=act, text=text, sha256=digest, by=by.id, at=at or timezone.now())
    return digest


def forget_reasons(case_id: UUID, digests: Iterable[str]) -> None:
    """Remove the reasons with these digests that no entry of the case names any more; what they said was erased."""
    wanted = {d for d in digests if d}
    named = {str(e.body.get("reason_sha256", "")) for e in ledger.entries_of_thread(Viewer.clock(), case_id)}
    Note.objects.filter(case_id=case_id, sha256__in=wanted - named).delete()


@transaction.atomic
def take(case_id: UUID, *, by: Viewer) -> None:
    """Take ownership of a case out of its queue, or from a colleague."""
    needs(by, "officer", "take a case")
    case = _open(case_id, "take it", by)
    if not by.has("officer", case.force.code):
        raise NotAllowed("Only an officer of the force that holds the case can take it.")
    if str(case.owner_actor_id) == by.id:
        return
    case.owner_actor_id, case.owner_queue_id = UUID(by.id), None
    case.save(update_fields=["owner_actor", "owner_queue"])
    record("case.taken", by=by, on=("case", case.pk), thread=case.pk)


@transaction.atomic
def assign(case_id: UUID, actor_id: str, *, by: Viewer) -> None:
    """Give a case to an officer of the same force. Only an inspector may."""
    case = _open(case_id, "assign it", by)
    if not by.has("inspector", case.force.code):
        raise NotAllowed("Only an inspector of this force can assign a case.")
    if not viewer_for(actor_id).has("officer", case.force.code):
        raise BadInput("actor", "Choose an officer of this force.")
    case.owner_actor_id, case.owner_queue_id = UUID(actor_id), None
    case.save(update_fields=["owner_actor", "owner_queue"])
    record("case.assigned", by=by, on=("case", case.pk), thread=case.pk, to=str(case.owner_actor_id))


@transaction.atomic
def return_to_queue(case_id: UUID) -> None:
    """Give an open case back to its queue when its owner no longer works in the force (called by the sweep)."""
    case = Case.objects.select_for_update(of=("self",)).select_related("force").get(pk=case_id)
    if case.state != "open" or case.owner_actor_id is None:
        return
    owner = viewer_for(str(case.owner_actor_id))
    if owner.has("officer", case.force.code) or owner.has("inspector", case.force.code):
        return
    queue = _queue_for(case.force.code, case.kind)
    case.owner_actor_id, case.owner_queue_id = None, queue
    case.save(update_fields=["owner_actor", "owner_queue"])
    record("case.returned", by=Viewer.clock(), on=("case", case.pk), thread=case.pk, queue=str(queue))


@transaction.atomic
def grade(case_id: UUID, value: str, reason: str, *, by: Viewer) -> None:
    """Grade the response to a case, with the reason kept."""
    if value not in rules.GRADES:
        raise BadInput("grade", "Choose a grade.")
    case = _open(case_id, "grade it", by)
    text = rules.clean_reason(reason)
    digest = keep_reason(case.pk, "case.graded", text, by=by)
    case.grade = value
    case.save(update_fields=["grade"])
    record("case.graded", by=by, on=("case", case.pk), thread=case.pk, grade=value, reason_sha256=digest)
    tell_reporters(case.pk, "triaged")


@transaction.atomic
def record_crime(case_id: UUID, *, by: Viewer, rms_number: str = "") -> str:
    """Record a case as a crime and return its crime number: the records system's number if given, else our own."""
    case = _open(case_id, "record it", by)
    if case.recorded_at:
        return case.crime_number
    now = timezone.now()
    if rms_number.strip():
        number = rules.clean_reference("rms", rms_number)
        if len(number) > rules.CRIME_NUMBER_LENGTH:
            raise BadInput(
                "rms_number", f"A records system number has {rules.CRIME_NUMBER_LENGTH} letters or fewer."
            )
        case.system_of_record = "rms"
        ExternalReference.objects.create(case=case, kind="rms", value=number, noted_at=now)
    else:
        number = crime_number(case.force.code, *rules.unit_and_number(case.number), case.year % 100)
    if Case.objects.filter(crime_number=number).exists():
        raise BadInput("rms_number", "Another case already has this number. Check it and type it again.")
    case.recorded_at, case.crime_number = now, number
    case.save(update_fields=["recorded_at", "crime_number", "system_of_record"])
    record("case.recorded", by=by, on=("case", case.pk), thread=case.pk, number=number.replace(" ", "_"))
    tell_reporters(case.pk, "recorded", crime_number=number)
    return number


@transaction.atomic
def add_party(case_id: UUID, name: str, role: str, *, by: Viewer) -> UUID:
    """Put a person on a case in a role and return the party's id."""
    if role not in rules.ROLES:
        raise BadInput("role", "Choose the person's role.")
    case = _open(case_id, "add somebody", by)
    person = note_person(name, by=by)
    party = Party.objects.create(case=case, person_id=person, role=role, since=timezone.now())
    record("party.added", by=by, on=("party", party.pk), thread=case.pk, role=role, person=str(person))
    return party.pk


@transaction.atomic
def name_suspect(case_id: UUID, name: str, reference_kind: str, reference: str, *, by: Viewer) -> UUID:
    """Name a suspect with the records system's custody or interview reference; return the party's id."""
    if reference_kind not in ("custody", "interview"):
        raise BadInput("reference_kind", "Say whether it is a custody record or a voluntary interview.")
    value = rules.clean_reference(reference_kind, reference)
    party = add_party(case_id, name, "suspect", by=by)
    ExternalReference.objects.create(
        case_id=case_id, party_id=party, kind=reference_kind, value=value, noted_at=timezone.now()
    )
    record(
        "suspect.named",
        by=by,
        on=("party", party),
        thread=case_id,
        reference_kind=reference_kind,
        reference=value.replace(" ", "_"),
    )
    tell_reporters(case_id, "suspect_named")
    return party


@transaction.atomic
def tell_reporters(
    case_id: UUID, what: str, *, next: str = "", due_at: datetime | None = None, **params: Any
) -> None:
    """Write one line of progress on every report of a case; who only answered an appeal is not told about the case."""
    for report_id in queries.reporters_of(case_id):
        tell(report_id, what, next=next, due_at=due_at, **params)


@transaction.atomic
def close(case_id: UUID, *, by: Viewer, why_act: str) -> None:
    """Close a case, called by the downstream verb that ends it (an outcome)."""
    case = _open(case_id, "close it again", by)
    case.state, case.closed_at = rules.STATES.after(case.state, "close"), timezone.now()
    case.save(update_fields=["state", "closed_at"])
    record("case.closed", by=by, on=("case", case.pk), thread=case.pk, because=why_act)


@transaction.atomic
def reopen(case_id: UUID, reason: str, *, by: Viewer) -> None:
    """Reopen a closed case with a reason. Its owner gets a new duty from the duties app."""
    case = Case.objects.select_for_update(of=("self",)).select_related("force").get(pk=case_id)
    if not by.has("inspector", case.force.code):
        raise NotAllowed("Only an inspector of this force can reopen a case.")
    case.state, case.closed_at = rules.STATES.after(case.state, "reopen"), None
    digest = keep_reason(case.pk, "case.reopened", rules.clean_reason(reason), by=by)
    case.save(update_fields=["state", "closed_at"])
    # Whoever owned it may have left while it was closed; its new duty must go to somebody who is there.
    return_to_queue(case.pk)
    record("case.reopened", by=by, on=("case", case.pk), thread=case.pk, reason_sha256=digest)
