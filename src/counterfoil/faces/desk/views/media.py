"""A recording on the desk: its player, its times and technical record, and what is made from it."""

import re
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.cases.queries import CaseCard
from counterfoil.engines.clock import London
from counterfoil.engines.errors import BadInput
from counterfoil.engines.media.moments import seconds_of
from counterfoil.evidence import copies as working
from counterfoil.evidence import extracts, times
from counterfoil.evidence import queries as evidence
from counterfoil.faces.desk import forms
from counterfoil.faces.desk.views.acting import (
    attempt,
    both,
    getting,
    officers,
    on_case,
    reading,
    shown,
    start,
    to,
)
from counterfoil.faces.desk.views.case import asked
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import gone
from counterfoil.faces.kit.served import as_part

REFRESH_SECONDS = 3
_OFFSET = re.compile(
    r"\s*([+\-−]?)\s*(?:(\d{1,6}):)?(?:(\d{1,6}):)?(\d{1,9})(?:\.(\d{1,3}))?\s*s?\s*", re.ASCII
)


@officers
@getting
@on_case
def media(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponse:
    """Show an exhibit's copies, times and record; that they are looked at is an entry, committed first."""
    found = working.look_at(card.id, exhibit, by=viewer)
    if found is None:
        return gone(request)
    about, copies = found
    made = {c.kind: c for c in copies if c.state == "made"}
    notes = times.times_of(exhibit)
    everything = evidence.exhibits_of(viewer, card.id)
    facts = {
        "case": card,
        "kinds": kind_names(),
        "exhibit": about,
        "here": "cases",
        "copies": copies,
        "made": made,
        "pages": [c for c in copies if c.kind == "page" and c.state == "made"],
        "waiting": [c for c in copies if c.state in ("waiting", "making")],
        "starts_at": float(Fraction(made["proxy"].recipe["facts"].get("starts_at", "0")))
        if "proxy" in made
        else 0,
        "sheet": _sheet(made.get("thumbs")),
        "extracts": extracts.unfinished(exhibit),
        "derived": [x for x in everything if x.parent == about.label],
        "notes": notes,
        "note": notes[0] if notes else None,
        "taken": _taken(about, everything),
        "noted_by": accounts.names_of({n.noted_by for n in notes}),
        "still": forms.Still(initial={"token": ""}),
        "clip": forms.Clip(initial={"how": "lossless"}),
        "offset_words": offset_words,
    }
    return shown(request, viewer, "desk/media.html", facts)


def _taken(about: evidence.ExhibitCard, everything: list[evidence.ExhibitCard]) -> dict[str, Any] | None:
    """Return when the frame or the first frame of a derived exhibit was recorded, from what is noted of its parent."""
    facts = (about.recipe or {}).get("facts", {})
    after = seconds_of(str(facts.get("time") or facts.get("first_time") or ""))
    parent = next((x for x in everything if x.label == about.parent), None)
    if after is None or parent is None:
        return None
    notes = times.times_of(parent.id)
    shown_time, corrected = times.moment_of(notes[0], after) if notes else ("", None)
    return {"parent": parent, "after": after, "shown": shown_time, "corrected": corrected}


def _sheet(thumbs: working.CopyCard | None) -> dict[str, Any] | None:
    """Return where each small picture of the sheet lies and the moment it shows."""
    if thumbs is None:
        return None
    facts = thumbs.recipe.get("facts", {})
    wide, high = facts["tile"]
    columns = max(1, int(facts["columns"]))
    tiles = [
        {"x": n % columns * wide, "y": n // columns * high, "time": t["time"], "ms": t["ms"]}
        for n, t in enumerate(facts["tiles"])
    ]
    return {"size": facts["size"], "tile": [wide, high], "tiles": tiles}


@officers
@getting
@on_case
def copy(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID, copy: int) -> HttpResponseBase:
    """Hand out a working copy, whole or in part; that it is looked at is an entry, committed first."""
    opened = working.open_copy(card.id, exhibit, copy, by=viewer)
    if opened is None:
        return gone(request)
    found, stream = opened
    return as_part(request, stream, found.media_type, found.size)


@officers
@both
@on_case
def still(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Ask that one frame becomes an exhibit of its own."""
    return _ask(request, viewer, card, exhibit, "still", forms.Still)


@officers
@both
@on_case
def clip(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Ask that a part of a recording becomes an exhibit of its own."""
    return _ask(request, viewer, card, exhibit, "clip", forms.Clip)


def _ask(
    request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID, name: str, kind: type[forms.Typed]
) -> HttpResponseBase:
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    form = start(request, kind, {"how": "lossless"})

    def act(data: dict[str, Any]) -> str:
        settings = {setting: data[field] for setting, field in extracts.ASKED[name].items()}
        made = extracts.ask(card.id, exhibit, kind=name, settings=settings, title=data["title"], by=viewer)
        return str(made)

    if request.method == "POST":
        made = attempt(form, act)
        if made:
            return to("desk-extract", card.id, made)
    return asked(request, viewer, card, name, form, exhibit=found)


@officers
@reading
@on_case
def extract(request: HttpRequest, viewer: Viewer, card: CaseCard, extract: UUID) -> HttpResponse:
    """Show how far a still or clip is, what it became, or why it was refused with what was typed."""
    found = extracts.extract_for(viewer, card.id, extract)
    about = evidence.exhibit_for(viewer, card.id, found.exhibit) if found else None
    if found is None or about is None:
        return gone(request)
    typed = {field: found.settings[setting] for setting, field in extracts.ASKED[found.kind].items()}
    kind = forms.Clip if found.kind == "clip" else forms.Still
    facts = {
        "case": card,
        "kinds": kind_names(),
        "exhibit": about,
        "e": found,
        "again": kind(initial={"token": "", "title": found.title, **typed}),
        "refresh": REFRESH_SECONDS if found.state in ("waiting", "making") else 0,
        "here": "cases",
    }
    return shown(request, viewer, "desk/extract.html", facts)


@officers
@both
@on_case
def clock(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Note what a recorder's clock shows and how far it was off."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    shown_time = str(found.technical.get("device_clock") or "").replace("T", " ")
    form = start(request, forms.RecorderClock, {"device_time": shown_time})

    def act(data: dict[str, Any]) -> str:
        offset = offset_of(data["offset"], data["direction"])
        times.measure_clock(
            card.id,
            exhibit,
            device_time=data["device_time"],
            offset_ms=offset,
            measured_by=data["measured_by"],
            measured_at=_moment(data["measured_at"]) if offset is not None else None,
            against=data["against"],
            by=viewer,
        )
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-media", card.id, exhibit)
    return asked(request, viewer, card, "clock", form, exhibit=found)


def offset_of(text: str, direction: str) -> int | None:
    """Return how far a clock is ahead in milliseconds, from seconds or 1:02:03 and a direction; None for nothing."""
    if not text.strip():
        return None
    found = _OFFSET.fullmatch(text)
    if not found:
        raise BadInput("offset", "Give the offset in seconds, or as minutes and seconds like 3:05.")
    if direction not in ("ahead", "behind"):
        raise BadInput("direction", "Say whether the recorder's clock was ahead or behind.")
    parts = [int(p) for p in (found[2], found[3], found[4]) if p]
    seconds = 0
    for p in parts:
        seconds = seconds * 60 + p
    whole = seconds * 1000 + int((found[5] or "0").ljust(3, "0"))
    return -whole if direction == "behind" else whole


def offset_words(offset_ms: int) -> str:
    """Return an offset in words: "2 min 5 s ahead"."""
    if offset_ms == 0:
        return "right to the second"
    seconds, ms = divmod(abs(offset_ms), 1000)
    days, rest = divmod(seconds, 86400)
    parts = [(days, "d"), (rest // 3600, "h"), (rest // 60 % 60, "min")]
    said = [f"{n} {unit}" for n, unit in parts if n]
    last = f"{rest % 60}.{ms:03}".rstrip("0").rstrip(".")
    if last != "0" or not said:
        said.append(f"{last} s")
    return f"{' '.join(said)} {'ahead' if offset_ms > 0 else 'behind'}"


def _moment(text: str) -> datetime:
    """Return a typed date and time in London."""
    for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            found = datetime.strptime(text.strip(), form).replace(tzinfo=London)
        except ValueError:
            continue
        if found > timezone.now() + timedelta(days=1):
            break
        return found
    raise BadInput("measured_at", "Say when it was measured, like 2026-11-21 09:30.")
