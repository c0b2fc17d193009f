"""Every way to change places: load the forces, open a queue, post somebody to it, register a camera."""

import hashlib
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.refs import new_reference
from counterfoil.engines.tlog import jcs
from counterfoil.ledger.actions import once, record
from counterfoil.places import rules
from counterfoil.places.models import Area, Camera, Force, Posting


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


def register_camera(answers: Mapping[str, object], *, key: str) -> str:
    """Put a camera on the register from the answers of the kind `camera`; return the code that withdraws it.

    The code is shown once and only its digest is kept. Sending the same form (`key`) again returns the same code while
    its reply is kept (an hour), then an empty text.
    """
    said = {name: str(value) for name, value in answers.items() if isinstance(value, str) and value}

    def act() -> dict[str, str]:
        force = Force.objects.filter(code=said.get("force", "")).first()
        if force is None:
            raise BadInput("force", "Choose the police force for the place where the camera is.")
        lat, lon = said["position"].split(",") if "position" in said else (None, None)
        look, code, now = said.get("direction", "unknown"), new_reference(), timezone.now()
        sign = {"right": 0, "fast": 1, "slow": -1}.get(said.get("clock", ""))
        camera = Camera.objects.create(
            force=force,
            code_hash=hashlib.sha256(code.encode()).hexdigest(),
            owner=said["owner"],
            contact={k: said[f"contact_{k}"] for k in ("email", "phone") if f"contact_{k}" in said},
            place=said["where"],
            lat_e6=None if lat is None else round(float(lat) * 1e6),
            lon_e6=None if lon is None else round(float(lon) * 1e6),
            direction=int(look) if look.isdigit() else None,
            all_round=look == "round",
            reach_m=int(said.get("reach", rules.DEFAULT_REACH_M)),
            keeps_days=int(said["keeps"]),
            clock_offset=None if sign is None else sign * int(said.get("clock_by_how_much", "0")),
            clock_by=said.get("clock_who", ""),
            clock_at=None if sign is None else now,
            registered_at=now,
        )
        record("camera.registered", by=Viewer.public(), on=("camera", camera.pk), force=force.code)
        return {"camera": str(camera.pk), "code": code}

    digest = hashlib.sha256(jcs(said)).hexdigest()
    return str(once("camera.register", key, digest, act)["code"])


@transaction.atomic
def withdraw_camera(camera_id: UUID) -> None:
    """Take a camera off the register for whoever holds its code; its owner's name and contacts are forgotten."""
    found = Camera.objects.select_for_update().filter(pk=camera_id, withdrawn_at=None).first()
    if found is None:
        raise NotAllowed("This camera is no longer on the register.")
    found.withdrawn_at, found.contact, found.owner = timezone.now(), {}, "withdrawn"
    found.save(update_fields=["withdrawn_at", "contact", "owner"])
    record("camera.withdrawn", by=Viewer.public(), on=("camera", camera_id))
