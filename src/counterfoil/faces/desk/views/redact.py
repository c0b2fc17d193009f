"""Redaction on the desk: begin it, look at every frame, decide about every proposal, and have the result made."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from counterfoil.accounts.rules import Viewer
from counterfoil.cases.queries import CaseCard
from counterfoil.engines.errors import BadInput
from counterfoil.engines.redaction.plan import place_at
from counterfoil.evidence import queries as evidence
from counterfoil.evidence import redacting, redactions
from counterfoil.evidence.redactions import RedactionCard
from counterfoil.faces.desk import forms
from counterfoil.faces.desk.views.acting import attempt, both, getting, officers, on_case, shown, start
from counterfoil.faces.desk.views.case import asked
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import gone
from counterfoil.faces.kit.served import as_part

LANE = 9
_TIME = re.compile(r"(?:(\d{1,3}):)?(?:(\d{1,3}):)?(\d{1,6})(?:[.,](\d{1,3}))?", re.ASCII)
# What each step needs as whole numbers; everything else of a step is a word.
NUMBERS = {
    "box": ("frame", "until", "x", "y", "w", "h"),
    "place": ("frame", "x", "y", "w", "h"),
    "blank": ("first", "last"),
    "cut": ("start", "end"),
    "unblank": ("index",),
    "unmute": ("index",),
    "uncut": ("index",),
}
WORDS = {"frame": "The frame", "until": "The last frame", "x": "The left edge", "y": "The top edge", "w": "The width",
         "h": "The height", "first": "The first frame", "last": "The last frame", "start": "The first letter",
         "end": "The last letter", "index": "The number"}  # fmt: skip


@officers
@both
@on_case
def begin(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Begin a redaction of an exhibit, and list those that were begun before."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    form = start(request, forms.Nothing)

    def act(data: dict[str, Any]) -> str:
        return str(redactions.begin(card.id, exhibit, by=viewer))

    if request.method == "POST":
        made = attempt(form, act)
        if made:
            return _go(card, UUID(made))
    earlier = redactions.redactions_of(viewer, card.id, exhibit)
    facts = {"exhibit": found, "earlier": earlier, "kind": redactions.kind_of(found.media_type)}
    return asked(request, viewer, card, "redact", form, **facts)


@officers
@both
@on_case
def review(request: HttpRequest, viewer: Viewer, card: CaseCard, redaction: UUID) -> HttpResponseBase:
    """Show a redaction under review at one frame, and do one step of the review."""
    found = redactions.redaction_for(viewer, card.id, redaction)
    if found is None:
        return gone(request)
    exhibit = evidence.exhibit_for(viewer, card.id, found.exhibit)
    frame = _frame(request, found)
    form = start(request, forms.Redact, {"frame": frame, "first": frame, "until": frame, "last": frame})
    said = ""
    if request.method == "POST":
        under_review = found
        said = attempt(form, lambda data: _step(viewer, card, under_review, data))
        if said:
            return _go(card, redaction, frame, said, request.POST.get("view", ""))
        found = redactions.redaction_for(viewer, card.id, redaction) or found
    elif request.method == "GET" and found.found:
        redactions.sit_down(card.id, redaction, by=viewer)
    facts = {
        "case": card,
        "kinds": kind_names(),
        "here": "cases",
        "exhibit": exhibit,
        "r": found,
        "form": form,
        "said": _said(request),
        "what": redacting.WHAT,
        "refresh": 3 if found.state in ("preparing", "making") else 0,
    }
    if found.state == "reviewing":
        facts |= _reviewing(request, viewer, card, found, frame)
    return shown(request, viewer, "desk/redaction.html", facts)


@officers
@getting
@on_case
def frame(
    request: HttpRequest, viewer: Viewer, card: CaseCard, redaction: UUID, number: int
) -> HttpResponseBase:
    """Hand out the picture of one frame, to those whose look is an entry already."""
    data = redactions.frame(card.id, redaction, number, by=viewer)
    return gone(request) if data is None else as_part(request, _Bytes(data), "image/jpeg", len(data))


class _Bytes:
    """Bytes to be read once, as an open file."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def seek(self, place: int) -> None:
        self.place = place

    def read(self, count: int) -> bytes:
        part = self.data[self.place : self.place + count]
        self.place += len(part)
        return part

    def close(self) -> None:
        self.data = b""


def _go(card: CaseCard, redaction: UUID, frame: int = 0, said: str = "", view: str = "") -> HttpResponse:
    """Go to the review's page at a frame (303, so that reloading does not send again)."""
    parts = [f"frame={frame}"] if frame else []
    parts += [said] if said not in ("", "done") else []
    parts += ["view=preview"] if view == "preview" else []
    response = HttpResponse(status=303)
    query = f"?{'&'.join(parts)}" if parts else ""
    response.headers["Location"] = f"{reverse('desk-redaction', args=[card.id, redaction])}{query}#stage"
    return response


def _said(request: HttpRequest) -> str:
    """Return what a search gave, in words, from the numbers in the address."""
    found, silent = request.GET.get("found", ""), request.GET.get("silent", "")
    if not re.fullmatch(r"\d{1,6}", found, re.ASCII):
        return ""
    count = int(found)
    say = "1 place was found and marked." if count == 1 else f"{count} places were found and marked."
    say = say if count else "These words were not found."
    if re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,19}", silent, re.ASCII):
        say += f" Pages without words to search: {silent.replace('.', ', ')}. Look at them by eye."
    return say


def _frame(request: HttpRequest, found: RedactionCard) -> int:
    """Return the frame the page is about: as asked, within the recording."""
    last: int = max(0, int(found.found.get("frames", 1)) - 1)
    asked_for = request.GET.get("frame") or request.POST.get("here") or "0"
    return (
        min(last, int(asked_for)) if asked_for.isascii() and asked_for.isdigit() and len(asked_for) < 9 else 0
    )


def _whole(data: Mapping[str, Any], field: str) -> int:
    text = str(data.get(field) or "").strip().replace("−", "-")
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise BadInput(field, f"{WORDS.get(field, 'This')} is a whole number.")
    return int(text)


def _moment(data: Mapping[str, Any], field: str) -> int:
    """Return a time like 12.5 or 1:02.250 in milliseconds."""
    found = _TIME.fullmatch(str(data.get(field) or "").strip())
    if not found:
        raise BadInput(field, "Give a time like 12.5 (seconds) or 1:02.250 (minutes and seconds).")
    whole = [int(p) for p in (found[1], found[2], found[3]) if p is not None]
    seconds: int = sum(n * 60**i for i, n in enumerate(reversed(whole)))
    return seconds * 1000 + int((found[4] or "0").ljust(3, "0"))


def _step(viewer: Viewer, card: CaseCard, found: RedactionCard, data: dict[str, Any]) -> str:
    """Do what one form of the page asks; return `done`, or what a search found as a query."""
    do = data["do"]
    if do == "finish":
        redactions.finish(card.id, found.id, data["title"], reviewed=bool(data["reviewed"]), by=viewer)
        return "done"
    if do == "words":
        count, silent = redactions.search(card.id, found.id, data["words"], by=viewer)
        return f"found={count}&silent={'.'.join(str(p + 1) for p in silent[:20])}"
    step: dict[str, Any] = {"do": do, "track": data["track"], "reason": data["reason"], "what": data["what"]}
    if do == "box" and data["box"]:
        step |= {"do": "place", "box": data["box"]}
    step |= {"box": data["box"]} if do == "remove" else {}
    wanted = NUMBERS.get(step["do"], ())
    if do == "box" and found.kind != "film":
        wanted = tuple(w for w in wanted if w != "until")
    step |= {name: _whole(data, name) for name in wanted}
    if do == "mute":
        step |= {"from_ms": _moment(data, "from_ms"), "to_ms": _moment(data, "to_ms")}
    redactions.step(card.id, found.id, step, by=viewer)
    return "done"


def _reviewing(
    request: HttpRequest, viewer: Viewer, card: CaseCard, found: RedactionCard, frame: int
) -> dict[str, Any]:
    """Return what the page of a review shows at this frame."""
    times: list[int] = found.found.get("times") or [0]
    size = (
        found.found["sizes"][frame]
        if found.found.get("sizes")
        else [found.found["width"], found.found["height"]]
    )
    boxes = [
        *(
            {"id": t["id"], "state": t["state"] or "open", "keys": t["keys"], "name": f"Face {t['id'][1:]}"}
            for t in found.tracks
        ),
        *(
            {
                "id": b["id"],
                "state": "accept",
                "keys": b["keys"],
                "name": f"{redacting.WHAT[b['what']]} {b['id'][1:]}",
            }
            for b in found.work["boxes"]
        ),
    ]
    here = []
    for box in boxes:
        place = place_at(box["keys"], frame)
        if place is not None:
            here.append(
                {**box, "x": place[0], "y": place[1], "w": place[2] - place[0], "h": place[3] - place[1]}
            )
    frames = max(1, int(found.found.get("frames", 1)))
    long: int = max(1, times[-1] - times[0], int(found.found.get("length_ms", 0)))

    def across(ms: int) -> float:
        return round(1000 * min(long, max(0, ms)) / long, 1)

    def at(number: int) -> float:
        return (
            across(times[min(number, len(times) - 1)])
            if found.kind == "film"
            else round(1000 * number / frames, 1)
        )

    lanes = [_lane(b, i, at) for i, b in enumerate(boxes)]
    bars = found.found.get("bars", [])
    text = redactions.text_of(card.id, found.id, by=viewer) if found.kind == "text" else None
    return {
        "frame": frame,
        "view": "preview" if request.GET.get("view", request.POST.get("view")) == "preview" else "",
        "frames": frames,
        "ms": times[min(frame, len(times) - 1)],
        "size": size,
        "letter": max(9, round(size[0] / 60)),
        "boxes": boxes,
        "boxes_here": here,
        "blanked": any(a <= frame <= b for a, b in found.work["blank"]),
        "lanes": lanes,
        "lanes_high": max(1, len(lanes)) * LANE,
        "blanks": [{**_span(at, a, b), "first": a, "last": b} for a, b in found.work["blank"]],
        "mutes": [{**_span(across, a, b), "from": a, "to": b} for a, b in found.work["mute"]],
        "bars": [{"x": round(i * 1000 / len(bars), 1), "h": max(1, v * 36 // 100)} for i, v in enumerate(bars)],
        "bar_width": round(1000 / len(bars), 2) if bars else 1,
        "head": at(frame),
        "open_count": sum(1 for t in found.tracks if not t["state"]),
        "pieces": _pieces(text, found.work["cuts"]) if text is not None else [],
        "data": {
            "frames": frames, "times": times, "kind": found.kind, "long": long,
            "sizes": found.found.get("sizes") or [], "size": size, "blank": found.work["blank"],
            "boxes": boxes, "view": "preview" if request.GET.get("view") == "preview" else "",
            "address": reverse("desk-redaction-frame", args=[card.id, found.id, 0])[:-1],
        },
    }  # fmt: skip


def _span(across: Callable[[int], float], first: int, last: int) -> dict[str, float]:
    """Return where a span lies on a strip 1,000 wide, and how wide it is there: never too thin to be seen."""
    return {"x": across(first), "w": max(3.0, round(across(last) - across(first), 1))}


def _lane(box: Mapping[str, Any], number: int, at: Callable[[int], float]) -> dict[str, Any]:
    """Return a box's line on the strip."""
    first, last = box["keys"][0][0], box["keys"][-1][0]
    return {
        "name": box["name"],
        "state": box["state"],
        "first": first,
        "last": last,
        "y": number * LANE,
        **_span(at, first, last),
    }


def _pieces(text: str, cuts: list[list[int]]) -> list[dict[str, Any]]:
    """Return the text in pieces, each kept or cut, in their order."""
    pieces: list[dict[str, Any]] = []
    place = 0
    for number, (a, b) in enumerate(cuts):
        pieces += [
            {"text": text[place:a], "cut": None},
            {"text": text[a:b], "cut": number, "from": a, "to": b},
        ]
        place = b
    return [p for p in [*pieces, {"text": text[place:], "cut": None}] if p["text"]]
