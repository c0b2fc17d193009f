"""Every way to read duties."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard, HolderQuery
from counterfoil.duties.models import Climb, Duty
from counterfoil.places import queries as places
from counterfoil.reference.duties import duty_kinds


class Holders(HolderQuery):
    """Tells `cases.queries.why` who holds a live duty on a case, or heard of a missed one."""

    def holders(self, case_id: UUID) -> Iterable[str]:
        """Return the actors with a task on the case."""
        held = Duty.objects.filter(case_id=case_id, state="live", holder__isnull=False)
        heard = Climb.objects.filter(duty__case_id=case_id, duty__state="live", actor__isnull=False)
        both = held.order_by().values_list("holder_id").union(heard.order_by().values_list("actor_id"))
        return {str(i) for (i,) in both}

    def cases_of(self, actor_id: str) -> Iterable[UUID]:
        """Return the cases on which the actor has a task."""
        actor = Viewer(id=actor_id).uuid
        if actor is None:
            return set()
        held = Duty.objects.filter(state="live", holder_id=actor).values_list("case_id", flat=True)
        heard = Climb.objects.filter(duty__state="live", actor_id=actor).values_list(
            "duty__case_id", flat=True
        )
        return {*held, *heard}


@dataclass(frozen=True)
class DutyCard:
    """A duty as plain values, for the component that draws it."""

    id: UUID
    kind: str
    about: str
    title: str
    case: CaseCard
    holder: str
    state: str
    given_at: datetime
    due_at: datetime
    missed_at: datetime | None
    ended_at: datetime | None
    rung: int

    def is_overdue(self, now: datetime) -> bool:
        """Say whether it is still live after its time."""
        return self.state == "live" and now >= self.due_at


def _cards(found: Iterable[Duty], case: CaseCard | None = None) -> list[DutyCard]:
    rows = list(found)
    files = {case.id: case} if case else cases.cards([d.case_id for d in rows])
    kinds = duty_kinds()
    asked = {d.about.partition(":")[2] for d in rows if d.about.startswith("camera:")}
    owners = {f"camera:{i}": c.owner for i, c in places.cameras(asked).items()} if asked else {}
    return [
        DutyCard(
            id=d.pk,
            kind=d.kind,
            about=d.about,
            title=(kinds[d.kind].title if d.kind in kinds else d.kind)
            + (f": {owners[d.about]}" if d.about in owners else ""),
            case=files[d.case_id],
            holder=d.holder.name if d.holder else (d.queue.name if d.queue else ""),
            state=d.state,
            given_at=d.given_at,
            due_at=d.due_at,
            missed_at=d.missed_at,
            ended_at=d.ended_at,
            rung=d.rung,
        )
        for d in rows
    ]


def my_duties(viewer: Viewer, *, limit: int = 200) -> list[DutyCard]:
    """Return the live duties the viewer holds, holds through a queue, or heard of by a ladder; soonest first."""
    if not viewer.signed_in:
        return []
    climbed = Climb.objects.filter(actor_id=viewer.id, duty__state="live").values_list("duty_id", flat=True)
    found = Duty.objects.filter(
        Q(holder_id=viewer.id) | Q(queue_id__in=places.queues_of(viewer)) | Q(pk__in=list(climbed)),
        state="live",
        case__force__code__in=viewer.forces("officer", "inspector"),
    )
    return _cards(found.select_related("holder", "queue").order_by("due_at")[:limit])


def duties_of(viewer: Viewer, case_id: UUID, case: CaseCard | None = None) -> list[DutyCard]:
    """Return every duty of a case; the caller has decided that the viewer may see the case, and may have its card."""
    found = Duty.objects.filter(case_id=case_id).select_related("holder", "queue")
    return _cards(found.order_by("ended_at", "due_at"), case)


def climbs_of(case_id: UUID) -> list[tuple[str, int, str, str, datetime]]:
    """Return the climbs of a case's duties as (duty kind, rung, to, who, when)."""
    found = Climb.objects.filter(duty__case_id=case_id).select_related("duty", "actor").order_by("at")
    return [(c.duty.kind, c.rung, c.to, c.actor.name if c.actor else "", c.at) for c in found]
