"""Every way to change places: load the forces, open a queue, post somebody to it."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.engines.errors import BadInput
from counterfoil.ledger.actions import record
from counterfoil.places.models import Area, Force, Posting


def _may(by: Viewer, what: str) -> None:
    if by.id != "clock":
        needs(by, "administrator", what, second_factor=True)


@transaction.atomic
def load_force(
    code: str,
    slug: str,
    name: str,
    *,
    by: Viewer,
    name_cy: str = "",
    valid_from: date = date(1974, 4, 1),
    valid_to: date | None = None,
) -> None:
    """Create or update a force from the dated reference list."""
    _may(by, "change the list of forces")
    values = {"slug": slug, "name": name, "name_cy": name_cy, "valid_from": valid_from, "valid_to": valid_to}
    row, made = Force.objects.get_or_create(code=code, defaults=values)
    if made or any(getattr(row, k) != v for k, v in values.items()):
        for k, v in values.items():
            setattr(row, k, v)
        row.save()
        record("force.loaded", by=by, on=("force", code))


@transaction.atomic
def open_queue(force_code: str, slug: str, name: str, *, by: Viewer, takes: list[str] | None = None) -> int:
    """Open a queue in a force and return its id; opening it again returns the same one."""
    _may(by, "open a queue")
    force = Force.objects.filter(code=force_code).first()
    if force is None:
        raise BadInput("force", f"There is no force with the code {force_code}.")
    area, made = Area.objects.get_or_create(
        force=force,
        slug=slug,
        defaults={"kind": "queue", "name": name, "takes": takes or [], "valid_from": timezone.now()},
    )
    if made:
        record("queue.opened", by=by, on=("area", str(area.pk)))
    return area.pk


@transaction.atomic
def post(actor_id: str, area_id: int, *, by: Viewer, role: str = "member") -> None:
    """Post an actor to an area from now on; posting twice changes nothing."""
    _may(by, "post somebody")
    _, made = Posting.objects.get_or_create(
        area_id=area_id, actor_id=actor_id, role=role, ends_at=None, defaults={"starts_at": timezone.now()}
    )
    if made:
        record("posting.started", by=by, on=("actor", actor_id), area=str(area_id), role=role)


@transaction.atomic
def end_posting(actor_id: str, area_id: int, *, by: Viewer) -> None:
    """End an actor's postings to an area."""
    _may(by, "end a posting")
    ended = Posting.objects.filter(actor_id=actor_id, area_id=area_id, ends_at__isnull=True).update(
        ends_at=timezone.now()
    )
    if ended:
        record("posting.ended", by=by, on=("actor", actor_id), area=str(area_id))
