"""Every way to read cases. `why` gathers the facts; what a viewer may not see is as if it were not there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import CaseFacts, Verdict, Viewer
from counterfoil.accounts.rules import why as decide
from counterfoil.cases.models import Case, CaseAppeal, CaseReport, ExternalReference, Note, Party
from counterfoil.places import queries as places
from counterfoil.reports import queries as reports

_duty_holders: list["HolderQuery"] = []


class HolderQuery:
    """How an app downstream tells `why` who holds something on a case, without cases knowing that app."""

    def holders(self, case_id: UUID) -> Iterable[str]:
        """Return the ids of actors with a task on the case."""
        raise NotImplementedError

    def cases_of(self, actor_id: str) -> Iterable[UUID]:
        """Return the cases on which the actor has a task."""
        raise NotImplementedError


def learn_holders(query: HolderQuery) -> None:
    """Register a downstream query of task holders (duties do this when the app is ready)."""
    if not any(type(q) is type(query) for q in _duty_holders):
        _duty_holders.append(query)


@dataclass(frozen=True)
class CaseCard:
    """A case as plain values."""

    id: UUID
    number: str
    crime_number: str
    force: str
    force_name: str
    kind: str
    state: str
    grade: str
    owner: str
    owner_actor: str | None
    owner_queue: int | None
    system_of_record: str
    reported_at: datetime
    opened_at: datetime
    recorded_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True)
class PartyCard:
    """A party as plain values, with the references other systems gave them."""

    id: UUID
    person: UUID
    name: str
    role: str
    references: tuple[tuple[str, str], ...]


def case_number(case: Case) -> str:
    """Return the file's own number for staff, for example `C-2026-000012`."""
    return f"C-{case.year}-{case.number:06d}"


def _card(case: Case) -> CaseCard:
    owner = case.owner_actor.name if case.owner_actor else (case.owner_queue.name if case.owner_queue else "")
    return CaseCard(
        id=case.pk,
        number=case_number(case),
        crime_number=case.crime_number,
        force=case.force.code,
        force_name=case.force.name,
        kind=case.kind,
        state=case.state,
        grade=case.grade,
        owner=owner,
        owner_actor=str(case.owner_actor_id) if case.owner_actor_id else None,
        owner_queue=case.owner_queue_id,
        system_of_record=case.system_of_record,
        reported_at=case.reported_at,
        opened_at=case.opened_at,
        recorded_at=case.recorded_at,
        closed_at=case.closed_at,
    )


def facts_of(case: Case) -> CaseFacts:
    """Gather what `accounts.rules.why` needs to decide on one case."""
    holders: set[str] = set()
    for query in _duty_holders:
        holders.update(query.holders(case.pk))
    return CaseFacts(
        force=case.force.code,
        owner_actor=str(case.owner_actor_id) if case.owner_actor_id else None,
        owner_queue_members=frozenset(places.members(case.owner_queue_id))
        if case.owner_queue_id
        else frozenset(),
        duty_holders=frozenset(holders),
        kind=case.kind,
    )


def why(viewer: Viewer, case_id: UUID) -> Verdict:
    """Decide and explain whether the viewer may see a case. An absent case reads exactly like a refused one."""
    case = Case.objects.select_related("force").filter(pk=case_id).first()
    if case is None:
        return Verdict(False, ("You have no part in this case: no ownership, posting, duty or supervision.",))
    return decide(viewer, facts_of(case))


def case_for(viewer: Viewer, case_id: UUID) -> CaseCard | None:
    """Return a case that the viewer may see; None when refused and None when absent."""
    case = Case.objects.select_related("force", "owner_actor", "owner_queue").filter(pk=case_id).first()
    if case is None or not decide(viewer, facts_of(case)).allowed:
        return None
    return _card(case)


def _visible(viewer: Viewer) -> QuerySet[Case]:
    forces = viewer.forces("officer", "inspector")
    tasks: set[UUID] = set()
    for query in _duty_holders:
        tasks.update(query.cases_of(viewer.id))
    return Case.objects.filter(
        Q(force__code__in=viewer.forces("inspector"))
        | Q(force__code__in=forces)
        & (Q(owner_actor_id=viewer.id) | Q(owner_queue_id__in=places.queues_of(viewer)) | Q(pk__in=tasks))
    )


def my_cases(viewer: Viewer, *, state: str = "open", limit: int = 200) -> list[CaseCard]:
    """Return the cases the viewer may see, newest first."""
    if not viewer.signed_in:
        return []
    found = _visible(viewer).filter(state=state).select_related("force", "owner_actor", "owner_queue")
    return [_card(c) for c in found.order_by("-opened_at")[:limit]]


def queue(viewer: Viewer, *, limit: int = 200) -> list[CaseCard]:
    """Return the cases waiting in the viewer's queues, oldest first."""
    if not viewer.signed_in:
        return []
    found = Case.objects.filter(
        owner_queue_id__in=places.queues_of(viewer),
        force__code__in=viewer.forces("officer", "inspector"),
        state="open",
    )
    found = found.select_related("force", "owner_actor", "owner_queue").order_by("opened_at")
    return [_card(c) for c in found[:limit]]


def cards(ids: Sequence[UUID]) -> dict[UUID, CaseCard]:
    """Return several cases by id for a caller that has decided that its viewer may see them."""
    found = Case.objects.filter(pk__in=ids).select_related("force", "owner_actor", "owner_queue")
    return {c.pk: _card(c) for c in found}


def parties(case_id: UUID) -> list[PartyCard]:
    """Return the parties of a case; the caller has decided that its viewer may see the case."""
    return people_and_references(case_id)[0]


def people_and_references(case_id: UUID) -> tuple[list[PartyCard], list[tuple[str, str]]]:
    """Return the parties of a case, and the references of the case itself as (kind, value)."""
    found = Party.objects.filter(case_id=case_id).select_related("person").order_by("since", "pk")
    own: list[tuple[str, str]] = []
    refs: dict[UUID, list[tuple[str, str]]] = {}
    for r in ExternalReference.objects.filter(case_id=case_id).order_by("pk"):
        (refs.setdefault(r.party_id, []) if r.party_id else own).append((r.kind, r.value))
    cards = [PartyCard(p.pk, p.person_id, p.person.name, p.role, tuple(refs.get(p.pk, ()))) for p in found]
    return cards, own


def references(case_id: UUID) -> list[tuple[str, str]]:
    """Return the references of a case itself as (kind, value)."""
    return people_and_references(case_id)[1]


def notes(case_id: UUID) -> list[tuple[str, str, str, datetime]]:
    """Return the reasons kept on a case as (act, text, by, at), oldest first."""
    return list(
        Note.objects.filter(case_id=case_id).order_by("at", "pk").values_list("act", "text", "by", "at")
    )


def decided_no_crime(case_id: UUID) -> bool:
    """Say whether somebody decided, with a reason kept, that a case is no crime."""
    return Note.objects.filter(case_id=case_id, act="case.not_crimed").exists()


def notes_by_digest(case_id: UUID) -> dict[str, str]:
    """Return the reasons kept on a case by their digest, as ledger entries name them."""
    return dict(Note.objects.filter(case_id=case_id).values_list("sha256", "text"))


def reports_of(case_id: UUID) -> list[UUID]:
    """Return the ids of the reports on a case, oldest first."""
    return list(
        CaseReport.objects.filter(case_id=case_id).order_by("joined_at").values_list("report_id", flat=True)
    )


def reports_in(case_id: UUID, *, answers: bool = True) -> QuerySet[Any, Any]:
    """Return the ids of the reports on a case as a query, to be asked together with what they hold."""
    found = CaseReport.objects.filter(case_id=case_id)
    return (found if answers else found.filter(answers=False)).values("report_id")


def reporters_of(case_id: UUID) -> list[UUID]:
    """Return the ids of the reports whose senders are told about the case: all but answers to its appeals."""
    found = CaseReport.objects.filter(case_id=case_id, answers=False).order_by("joined_at")
    return list(found.values_list("report_id", flat=True))


def appeals_of(case_id: UUID) -> list[UUID]:
    """Return the ids of the appeals made for a case, oldest first."""
    found = CaseAppeal.objects.filter(case_id=case_id).order_by("appeal__opened_at")
    return list(found.values_list("appeal_id", flat=True))


def answers_of(case_id: UUID) -> list[UUID]:
    """Return the ids of the reports that answered a case's appeals, oldest first."""
    found = CaseReport.objects.filter(case_id=case_id, answers=True).order_by("joined_at")
    return list(found.values_list("report_id", flat=True))


def case_of_report(report_id: UUID | str) -> UUID | None:
    """Return the case a report opened or joined."""
    return CaseReport.objects.filter(report_id=report_id).values_list("case_id", flat=True).first()


def reports_without_case() -> list[UUID]:
    """Return the reports that have no case yet: what the sweep mends."""
    return reports.reports_besides(CaseReport.objects.values("report_id"))


CaseRow = Case


def lock_case(case_id: UUID | str) -> CaseRow:
    """Return a case row, locked until the transaction ends, for a downstream action."""
    return Case.objects.select_for_update(of=("self",)).select_related("force").get(pk=case_id)


def open_cases_besides(listed: QuerySet[Any, Any]) -> list[UUID]:
    """Return the ids of the open cases that a query of case ids does not list (for the sweep)."""
    return list(Case.objects.filter(state="open").exclude(pk__in=listed).values_list("pk", flat=True))


def cases_without_active_owner() -> list[UUID]:
    """Return the open cases whose owner is suspended or no longer works in the force: what the sweep gives back."""
    owned = Case.objects.filter(state="open", owner_actor__isnull=False)
    gone = {
        (actor, force)
        for actor, force in owned.values_list("owner_actor_id", "force__code").distinct()
        if not {"officer", "inspector"} & {r for r, f in viewer_for(str(actor)).roles if f == force}
    }
    return [
        pk for pk, *owner in owned.values_list("pk", "owner_actor_id", "force__code") if tuple(owner) in gone
    ]


@dataclass(frozen=True)
class Recording:
    """A report that opened or joined a case, and whether and when that case was recorded as a crime."""

    report: UUID
    case: UUID
    kind: str
    reported_at: datetime
    recorded_at: datetime | None
    no_crime: bool


def recordings(force: str, since: datetime, until: datetime) -> list[Recording]:
    """Return every report that a force received from `since` to before `until`, but answers to appeals.

    For a caller that decides who may know of them: measures and audit samples ask for all, without a viewer.
    """
    found = CaseReport.objects.filter(
        answers=False,
        case__force__code=force,
        report__received_at__gte=since,
        report__received_at__lt=until,
    ).order_by("report__received_at", "report_id")
    none = set(Note.objects.filter(act="case.not_crimed").values_list("case_id", flat=True))
    return [
        Recording(report, case, kind, reported_at, recorded_at, case in none)
        for report, case, kind, reported_at, recorded_at in found.values_list(
            "report_id", "case_id", "report__kind", "report__reported_at", "case__recorded_at"
        )
    ]
