"""Hotspots of a force: who lives where they point, the switch, the map and list, patrol plans, visits and a trial."""

from dataclasses import dataclass
from datetime import date
from math import cos, radians
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.engines.hotspots.held import Spot
from counterfoil.engines.knox import MONTHS_ONLY
from counterfoil.faces.desk import forms
from counterfoil.faces.desk.views.acting import attempt, both, officers, only_once, shown, start, to
from counterfoil.faces.kit.page import gone
from counterfoil.measures import hotspots

WIDE = 640
MARGIN = 24
Rings = tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Dot:
    """A circle of the map in its own units: as wide as the whole area is, never a pin on a home."""

    x: float
    y: float
    r: float
    number: int


@dataclass(frozen=True)
class Map:
    """What the map draws: its size, the force's outline as paths, and a numbered circle for each area."""

    wide: int
    high: int
    paths: tuple[str, ...]
    dots: tuple[Dot, ...]


def drawn(spots: tuple[Spot, ...], rings: Rings) -> Map:
    """Lay areas and outline out on a plane, north up."""
    points = [(s.lon, s.lat) for s in spots] + [p for ring in rings for p in ring]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    turn = cos(radians((south + north) / 2))
    across, up = max((east - west) * turn, 1e-6), max(north - south, 1e-6)
    scale = min((WIDE - 2 * MARGIN) / across, (WIDE - 2 * MARGIN) / up)
    high = int(up * scale) + 2 * MARGIN

    def at(lon: float, lat: float) -> tuple[float, float]:
        return round(MARGIN + (lon - west) * turn * scale, 1), round(MARGIN + (north - lat) * scale, 1)

    most = max(s.expected for s in spots)
    dots = tuple(
        Dot(*at(s.lon, s.lat), round(6 + 9 * (s.expected / most) ** 0.5, 1), n)
        for n, s in enumerate(spots, start=1)
    )
    paths = tuple("M" + "L".join(f"{x} {y}" for x, y in (at(*p) for p in ring)) + "Z" for ring in rings)
    return Map(int(across * scale) + 2 * MARGIN, high, paths, dots)


def _whole(data: dict[str, Any], name: str) -> int:
    if not data[name].strip().isdigit():
        raise BadInput(name, "Give a whole number.")
    return int(data[name])


@officers
@both
def look(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """Show hotspots of one type of report; an inspector switches them on, having looked, or off."""
    asked = request.GET.get("kind", "") or request.POST.get("kind", "")
    found = hotspots.look(viewer, asked)
    if found is None:
        return gone(request)
    digest = found.equality.digest if found.equality else ""
    form = start(request, forms.SwitchHotspots, {"kind": found.kind, "seen": digest})

    def act(data: dict[str, Any]) -> str:
        if "off" in request.POST:
            hotspots.switch_off(found.kind, reason=data["reason"], by=viewer)
        else:
            hotspots.switch_on(
                found.kind, seen=data["seen"], looked=bool(data["looked"]), reason=data["reason"], by=viewer
            )
        return "done"

    if request.method == "POST" and attempt(form, act):
        response = to("desk-hotspots")
        response["Location"] += f"?kind={found.kind.replace(' ', '+')}"
        return response
    surface = found.surface
    facts = {
        "form": form,
        "found": found,
        "digest": digest,
        "map": drawn(surface.spots, hotspots.rings(viewer, found.slug)) if surface else None,
        "plans": hotspots.plans_of(viewer),
        "months_only": MONTHS_ONLY,
        "inspects": viewer.has("inspector", found.force),
        "here": "hotspots",
    }
    return shown(request, viewer, "desk/hotspots.html", facts)


@officers
@both
def new(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """Make a patrol plan of the first places of a surface that is switched on."""
    asked = request.GET.get("kind", "") or request.POST.get("kind", "")
    found = hotspots.look(viewer, asked)
    if found is None:
        return gone(request)
    form = start(
        request, forms.NewPatrols, {"kind": found.kind, "spots": "6", "units": "2", "minutes": "240"}
    )

    def act(data: dict[str, Any]) -> str:
        spots, units, minutes = (_whole(data, name) for name in ("spots", "units", "minutes"))
        return only_once(
            viewer,
            form,
            lambda: str(hotspots.make_plan(found.kind, spots=spots, units=units, minutes=minutes, by=viewer)),
        )

    if request.method == "POST":
        made = attempt(form, act)
        if made:
            return to("desk-patrols", made)
    return shown(request, viewer, "desk/new_patrols.html", {"form": form, "found": found, "here": "hotspots"})


@officers
@both
def patrols(request: HttpRequest, viewer: Viewer, patrols: UUID) -> HttpResponseBase:
    """Show a plan, what was done of it, and its trial; log a visit."""
    card = hotspots.plan_for(viewer, patrols)
    if card is None:
        return gone(request)
    form = start(request, forms.LogVisit)

    def act(data: dict[str, Any]) -> str:
        try:
            day = date.fromisoformat(data["day"].strip())
        except ValueError:
            raise BadInput("day", "Write the day like 2026-11-22.") from None
        minutes = _whole(data, "minutes")

        def log() -> str:
            hotspots.log_visit(patrols, data["area"], minutes, day, by=viewer)
            return "done"

        return only_once(viewer, form, log)

    if request.method == "POST" and attempt(form, act):
        return to("desk-patrols", patrols)
    units = list(dict.fromkeys(v.unit for v in card.visits))
    facts = {
        "form": form,
        "plan": card,
        "units": [(unit, [v for v in card.visits if v.unit == unit]) for unit in units],
        "places": list(card.names.items()),
        "here": "hotspots",
    }
    return shown(request, viewer, "desk/patrols.html", facts)
