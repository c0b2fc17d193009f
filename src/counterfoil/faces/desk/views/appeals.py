"""Appeals to the public, the cameras that may have seen it, and what came of asking for their recordings."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST
from markupsafe import Markup

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard
from counterfoil.duties import actions as duties
from counterfoil.duties import queries as duty_queries
from counterfoil.engines.clock import London
from counterfoil.faces.desk import forms, words
from counterfoil.faces.desk.views.acting import (
    attempt,
    both,
    officers,
    on_case,
    only_once,
    reading,
    shown,
    start,
    to,
)
from counterfoil.faces.desk.views.case import asked, reach, told
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import gone
from counterfoil.places import queries as places
from counterfoil.places.queries import Candidate
from counterfoil.places.rules import HALF_ANGLE, NEAR_M, offset
from counterfoil.reports import queries as reports
from counterfoil.reports.queries import AppealCard


@officers
@both
@on_case
def new_appeal(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Open an appeal: place, time, what is wanted."""
    closes = timezone.localdate() + timedelta(days=28)
    form = start(request, forms.Appeal, {"closes": closes.isoformat()})

    def act(data: dict[str, Any]) -> str:
        def once() -> str:
            return str(case_actions.open_appeal(card.id, data, by=viewer))

        return only_once(viewer, form, once)

    made = attempt(form, act) if request.method == "POST" else ""
    return to("desk-appeal", card.id, made) if made else asked(request, viewer, card, "new_appeal", form)


def _appeal(card: CaseCard, appeal: UUID) -> AppealCard | None:
    return reports.appeals([appeal])[0] if appeal in cases.appeals_of(card.id) else None


@officers
@both
@on_case
def appeal(request: HttpRequest, viewer: Viewer, card: CaseCard, appeal: UUID) -> HttpResponseBase:
    """Show an appeal: its link, the cameras that may have recorded it, what was asked and what came in."""
    found = _appeal(card, appeal)
    if found is None:
        return gone(request)
    form = start(request, forms.Footage)

    def act(data: dict[str, Any]) -> str:
        if data["then"] == "end":
            case_actions.end_appeal(card.id, appeal, by=viewer)
        else:
            duties.ask_for_footage(card.id, appeal, request.POST.getlist("camera"), by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-appeal", card.id, appeal)
    now = timezone.now()
    near = places.cameras_near(viewer, found.force, found.lat, found.lon, found.starts_at, now)
    every = duty_queries.duties_of(viewer, card.id)
    live = {d.about: d for d in every if d.kind == "footage" and d.state == "live"}
    looks = {d.about for d in every if d.kind == "look" and d.state == "live"}
    answers = [reports.report_card(i) for i in cases.answers_of(card.id)]
    facts = {
        "case": card,
        "kinds": kind_names(),
        "form": form,
        "appeal": found,
        "open": found.is_open(now),
        "link": link_of(found),
        "qr": qr(link_of(found)),
        "near": near,
        "drawn": draw(found, near),
        "asked": {a.partition(":")[2]: d for a, d in live.items()},
        "chosen": request.POST.getlist("camera"),
        "officer": viewer.has("officer", card.force),
        "answers": [
            (r, told(r), reach(r.contact), f"report:{r.id}" in looks) for r in answers if r.appeal == appeal
        ],
        "clock": clock_words,
        "look": look_words,
        "near_m": NEAR_M,
    }
    return shown(request, viewer, "desk/appeal.html", facts)


@officers
@reading
@on_case
def poster(request: HttpRequest, viewer: Viewer, card: CaseCard, appeal: UUID) -> HttpResponse:
    """Show the appeal as a sheet to print and put up: what is asked, the link and its QR code, in both languages."""
    found = _appeal(card, appeal)
    if found is None:
        return gone(request)
    first, last = found.starts_at.astimezone(London), found.ends_at.astimezone(London)
    facts = {
        "appeal": found,
        "link": link_of(found),
        "qr": qr(link_of(found), 8),
        "first": first,
        "last": last,
    }
    return shown(request, viewer, "desk/poster.html", facts)


@officers
@both
@on_case
def settle(request: HttpRequest, viewer: Viewer, card: CaseCard, camera: UUID) -> HttpResponseBase:
    """Say how asking for a camera's recording ended."""
    found = places.cameras([camera]).get(str(camera))
    about = f"camera:{camera}"
    if found is None or not any(d.about == about for d in duty_queries.duties_of(viewer, card.id)):
        return gone(request)
    form = start(request, forms.Settle)

    def act(data: dict[str, Any]) -> str:
        duties.settle_footage(card.id, str(camera), data["how"], data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    return asked(
        request, viewer, card, "settle", form, camera=found, ways=duties.FOOTAGE.items(), clock=clock_words
    )


@officers
@require_POST
@on_case
def looked(request: HttpRequest, viewer: Viewer, card: CaseCard, report: UUID) -> HttpResponseBase:
    """Say that what somebody sent for an appeal was looked at."""
    if report not in cases.answers_of(card.id):
        return gone(request)
    duties.looked_at_answer(card.id, report, by=viewer)
    found = reports.report_card(report).appeal
    return to("desk-appeal", card.id, found) if found else to("desk-case", card.id)


def link_of(appeal: AppealCard) -> str:
    """Return the public address of an appeal."""
    return f"{settings.ORIGIN}/a/{appeal.code}"


def qr(link: str, scale: int = 4) -> Markup:
    """Return a link as a QR code, drawn as SVG with a title; medium error correction, dark on light in both themes."""
    code = segno.make(link, error="m", micro=False)
    drawn = code.svg_inline(
        scale=scale, border=4, dark="#000", light="#fff", title="QR code of the link", omitsize=False
    )
    return Markup(drawn)  # noqa: S704 - drawn here from our own link


def clock_words(seconds: int | None) -> str:
    """Return a clock's measured offset in words."""
    if seconds is None:
        return "not measured"
    if seconds == 0:
        return "right"
    minutes, rest = divmod(abs(seconds), 60)
    size = " ".join(f"{n} {unit}" for n, unit in ((minutes, "min"), (rest, "s")) if n)
    return f"{size} {'ahead' if seconds > 0 else 'behind'}"


COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def look_words(direction: int | None, all_round: bool) -> str:
    """Return which way a camera looks, in words."""
    if all_round:
        return "all round"
    return "not known" if direction is None else COMPASS[round(direction / 45) % 8]


@dataclass(frozen=True)
class Mark:
    """One camera on the drawing: its number in the list, place in pixels, the cone it sees, whether it could see."""

    number: int
    x: float
    y: float
    cone: str
    seen: str


@dataclass(frozen=True)
class Drawing:
    """A plan around the place: `half` is half its width in pixels, `rings` pairs of radius and metres."""

    half: int
    rings: tuple[tuple[float, int], ...]
    marks: tuple[Mark, ...]


def draw(appeal: AppealCard, near: list[Candidate], half: int = 190) -> Drawing:
    """Lay the cameras with a position out around the place, north up; far ones set the scale."""
    placed = [(n, c) for n, c in enumerate(near, 1) if c.sight is not None]
    widest = max((c.sight.metres for _, c in placed if c.sight), default=0)
    span = next(s for s in (60, 120, 240, 480, 960, 5000) if s >= widest * 1.15 or s == 5000)
    scale = half / span
    marks = []
    for n, c in placed:
        camera = c.camera
        if camera.lat is None or camera.lon is None or c.sight is None:
            continue
        east, north = offset(appeal.lat, appeal.lon, camera.lat, camera.lon)
        x, y = half + east * scale, half - north * scale
        marks.append(Mark(n, round(x, 1), round(y, 1), _cone(x, y, c, scale), c.sight.seen))
    rings = tuple((round(m * scale, 1), m) for m in (25, 50, 100, 200, 400, 800) if span / 5 <= m <= span)
    return Drawing(half, rings, tuple(marks))


def _cone(x: float, y: float, c: Candidate, scale: float) -> str:
    """Return what a camera sees as an SVG path; "" where its direction is not known."""
    reach, camera = c.camera.reach_m * scale, c.camera
    if camera.all_round:
        half = f"a{reach:.1f} {reach:.1f} 0 1 0"
        return f"M{x - reach:.1f} {y:.1f}{half} {2 * reach:.1f} 0{half} {-2 * reach:.1f} 0Z"
    if camera.direction is None:
        return ""
    ends = []
    for turn in (-HALF_ANGLE, HALF_ANGLE):
        angle = math.radians(camera.direction + turn)
        ends.append((x + math.sin(angle) * reach, y - math.cos(angle) * reach))
    (ax, ay), (bx, by) = ends
    return f"M{x:.1f} {y:.1f}L{ax:.1f} {ay:.1f}A{reach:.1f} {reach:.1f} 0 0 1 {bx:.1f} {by:.1f}Z"


__all__ = ["appeal", "looked", "new_appeal", "poster", "settle", "words"]
