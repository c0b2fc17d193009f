"""Every way to read places. Forces and whether a queue is staffed are public; who is posted is for staff."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.engines.refs import parse_reference
from counterfoil.places import rules
from counterfoil.places.models import Area, Camera, Force, Posting


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


@dataclass(frozen=True)
class CameraCard:
    """A registered camera as plain values; `lat` and `lon` are None where its owner gave no position."""

    id: UUID
    owner: str
    contact: Mapping[str, str]
    place: str
    lat: float | None
    lon: float | None
    direction: int | None
    all_round: bool
    reach_m: int
    keeps_days: int
    clock_offset: int | None
    clock_by: str
    clock_at: datetime | None
    registered_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Candidate:
    """A camera that may have recorded something: what it could see, and when its recording begins to be lost."""

    camera: CameraCard
    sight: rules.Sight | None
    gone_at: datetime
    lost: bool


def _camera(c: Camera) -> CameraCard:
    return CameraCard(
        id=c.pk,
        owner=c.owner,
        contact=c.contact,
        place=c.place,
        lat=None if c.lat_e6 is None else c.lat_e6 / 1e6,
        lon=None if c.lon_e6 is None else c.lon_e6 / 1e6,
        direction=c.direction,
        all_round=c.all_round,
        reach_m=c.reach_m,
        keeps_days=c.keeps_days,
        clock_offset=c.clock_offset,
        clock_by=c.clock_by,
        clock_at=c.clock_at,
        registered_at=c.registered_at,
        withdrawn_at=c.withdrawn_at,
    )


def camera_by_code(code: str) -> CameraCard | None:
    """Return the camera whose code its owner typed, unless it was withdrawn; None otherwise."""
    try:
        digest = hashlib.sha256(parse_reference(code).encode()).hexdigest()
    except BadInput:
        return None
    found = Camera.objects.filter(code_hash=digest, withdrawn_at=None).first()
    return _camera(found) if found else None


def cameras(ids: Iterable[UUID | str]) -> dict[str, CameraCard]:
    """Return cameras by id, withdrawn ones too, for staff who ask for their recordings."""
    return {str(c.pk): _camera(c) for c in Camera.objects.filter(pk__in=list(ids))}


def cameras_near(
    viewer: Viewer, force_code: str, lat: float, lon: float, starts_at: datetime, now: datetime
) -> list[Candidate]:
    """Return the force's cameras that could have seen a place or stand near it, soonest lost first.

    Those without a position come too, with no sight; those farther than `rules.NEAR_M` do not. What is lost already
    comes last.
    """
    if not viewer.signed_in:
        return []
    reach = rules.NEAR_M / 111_000
    found = Camera.objects.filter(force__code=force_code, withdrawn_at=None).filter(
        Q(lat_e6=None)
        | Q(lat_e6__range=(int((lat - reach) * 1e6), int((lat + reach) * 1e6)))
        & Q(lon_e6__range=(int((lon - 2.2 * reach) * 1e6), int((lon + 2.2 * reach) * 1e6)))
    )
    listed = []
    for card in map(_camera, found):
        seen = None
        if card.lat is not None and card.lon is not None:
            view = rules.View(card.lat, card.lon, card.direction, card.all_round, card.reach_m)
            seen = rules.sight(view, lat, lon)
            if seen.metres > max(rules.NEAR_M, card.reach_m):
                continue
        gone_at = rules.overwritten_from(starts_at, card.keeps_days)
        listed.append(Candidate(card, seen, gone_at, gone_at <= now))
    return sorted(listed, key=lambda c: (c.lost, c.gone_at, c.sight.metres if c.sight else rules.NEAR_M))


def neighbourhoods(force_code: str, at: datetime) -> tuple[int, int]:
    """Return how many neighbourhoods of a force have an officer posted to them at a moment, and how many there are."""
    here = Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))
    areas = set(
        Area.objects.filter(here, force__code=force_code, kind="neighbourhood").values_list("pk", flat=True)
    )
    named = set(
        Posting.objects.filter(open_now(at), area_id__in=areas, role="member").values_list(
            "area_id", flat=True
        )
    )
    return len(named), len(areas)
