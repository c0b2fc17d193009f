"""Every way to read places. Forces and whether a queue is staffed are public; who is posted is for staff."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.places.models import Area, Force, Posting


@dataclass(frozen=True)
class ForceCard:
    """A force as plain values."""

    code: str
    slug: str
    name: str
    name_cy: str


def forces(on: datetime | None = None) -> list[ForceCard]:
    """Return the forces that exist on a day (today by default), by name."""
    day = timezone.localdate(on or timezone.now())
    found = Force.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day)
    return [ForceCard(f.code, f.slug, f.name, f.name_cy or f.name) for f in found.order_by("name")]


def force(code: str) -> ForceCard | None:
    """Return one force by its code, or None."""
    f = Force.objects.filter(code=code).first()
    return ForceCard(f.code, f.slug, f.name, f.name_cy or f.name) if f else None


def force_pk(code: str) -> int | None:
    """Return the row id of a force that exists today, for a foreign key; None when there is none."""
    day = timezone.localdate()
    found = Force.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=day), code=code, valid_from__lte=day
    )
    return found.values_list("pk", flat=True).first()


def open_now(now: datetime) -> Q:
    """Return the condition that a dated row holds at `now` (fields `starts_at` and `ends_at`)."""
    return Q(starts_at__lte=now) & (Q(ends_at__isnull=True) | Q(ends_at__gt=now))


def queue_for(force_code: str, kind: str) -> int | None:
    """Return the id of the queue that takes reports of `kind` in a force: a special one first, else the general one."""
    now = timezone.now()
    found = Area.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=now),
        force__code=force_code,
        kind="queue",
        valid_from__lte=now,
    ).order_by("pk")
    general = None
    for area in found:
        if kind in area.takes:
            return area.pk
        if not area.takes and general is None:
            general = area.pk
    return general


def members(area_id: int, role: str | None = None) -> list[str]:
    """Return the ids of the active actors posted to an area now (with `role`, when given)."""
    now = timezone.now()
    found = Posting.objects.filter(open_now(now), area_id=area_id, actor__is_active=True)
    if role:
        found = found.filter(role=role)
    return [str(pk) for pk in found.order_by("pk").values_list("actor_id", flat=True)]


def queue_is_staffed(force_code: str, kind: str) -> bool:
    """Say whether somebody is posted to the queue that takes this kind of report."""
    area = queue_for(force_code, kind)
    return area is not None and bool(members(area))


def queue_name(area_id: int | None) -> str:
    """Return the name of a queue, or an empty text."""
    area = Area.objects.filter(pk=area_id).first() if area_id else None
    return area.name if area else ""


def queues_of(viewer: Viewer) -> list[int]:
    """Return the ids of the queues the viewer is posted to now."""
    if not viewer.signed_in:
        return []
    found = Posting.objects.filter(open_now(timezone.now()), actor_id=viewer.id, area__kind="queue")
    return list(found.values_list("area_id", flat=True).distinct())
