"""Pure rules of a redaction under review: one step of a person's work, what is still undecided, and the plan it makes.

The reasons a person types never enter the plan, because the plan travels with the result: it names a box by one of the
fixed words of `WHAT`, and a reason by its digest.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.redaction import plan as engine

WHAT = {
    "face": "Face",
    "person": "Whole person",
    "plate": "Number plate",
    "screen": "Screen",
    "paper": "Words on paper",
    "words": "Words found by search",
    "home": "Home or address",
    "other": "Something else",
}
EMPTY: dict[str, Any] = {
    "decisions": {},
    "moved": {},
    "boxes": [],
    "blank": [],
    "mute": [],
    "cuts": [],
    "next": 1,
}
Work = dict[str, Any]


def fresh(work: Mapping[str, Any]) -> Work:
    """Return a copy of the work so far, with every part in place."""
    return {k: _copy(work.get(k, v)) for k, v in EMPTY.items()}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    return [_copy(v) for v in value] if isinstance(value, list) else value


def _number(step: Mapping[str, Any], field: str, low: int, high: int, what: str) -> int:
    value = step.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(field, f"{what} is a whole number from {low} to {high}.")
    return value


def _box(step: Mapping[str, Any], found: Mapping[str, Any], frame: int) -> list[int]:
    """Return [x, y, w, h] of a drawn box, cut to the picture; refuses one that lies outside it."""
    wide, high = found["sizes"][frame] if found.get("sizes") else (found["width"], found["height"])
    x = _number(step, "x", -65_535, wide - 1, "The left edge")
    y = _number(step, "y", -65_535, high - 1, "The top edge")
    w = _number(step, "w", 2, 65_535, "The width")
    h = _number(step, "h", 2, 65_535, "The height")
    left, top, right, bottom = max(0, x), max(0, y), min(wide, x + w), min(high, y + h)
    if right - left < 1 or bottom - top < 1:
        raise BadInput("x", "The box lies outside the picture.")
    return [left, top, right - left, bottom - top]


def tracks_of(found: Mapping[str, Any], work: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the proposed tracks with what was decided about each: state is "", accept or reject."""
    moved = work.get("moved", {})
    return [
        {
            **t,
            "keys": _with(t["keys"], moved.get(t["id"], [])),
            "state": work.get("decisions", {}).get(t["id"], {}).get("decision", ""),
            "edited": t["id"] in moved,
        }
        for t in found.get("tracks", [])
    ]


def _with(keys: Sequence[Sequence[int]], edits: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return keys with those of the edits put in their place or added."""
    whole = {k[0]: list(k) for k in keys} | {k[0]: list(k) for k in edits}
    return [whole[frame] for frame in sorted(whole)]


def apply(work: Mapping[str, Any], step: Mapping[str, Any], found: Mapping[str, Any]) -> Work:
    """Return the work after one step of the person's, or refuse it with a sentence.

    `step["do"]`: accept, reject (with reason_sha256), undecide a track; accept_rest; box (frame, until, x, y, w, h,
    what); place (box, frame, x, y, w, h) sets where a box or track is on a frame; remove (box); blank (first, last);
    mute (from_ms, to_ms); cut (start, end); words (found boxes or cuts); unblank, unmute, uncut (index).
    """
    new = fresh(work)
    last = max(0, int(found.get("frames", 0)) - 1)
    kind = found["kind"]
    known = {t["id"] for t in found.get("tracks", [])}
    match step.get("do"):
        case "accept" | "reject" | "undecide":
            if step.get("track") not in known:
                raise BadInput("track", "There is no such face in this recording.")
            if step["do"] == "undecide":
                new["decisions"].pop(step["track"], None)
            else:
                new["decisions"][step["track"]] = {
                    "decision": step["do"],
                    "by": step["by"],
                    "at": step["at"],
                    "reason_sha256": step.get("reason_sha256", ""),
                }
                if step["do"] == "reject" and not step.get("reason_sha256"):
                    raise BadInput("reason", "Say why this face stays visible. The reason is kept.")
        case "accept_rest":
            for name in sorted(known - set(new["decisions"])):
                new["decisions"][name] = {
                    "decision": "accept", "by": step["by"], "at": step["at"], "reason_sha256": "",
                }  # fmt: skip
        case "box" if kind in ("film", "picture", "pages"):
            first = _number(step, "frame", 0, last, "The first frame")
            until = _number(step, "until", first, last, "The last frame") if kind == "film" else first
            if step.get("what") not in WHAT:
                raise BadInput("what", "Choose what is in the box.")
            place = _box(step, found, first)
            keys = [[first, *place]] + ([[until, *place]] if until > first else [])
            new["boxes"].append(
                {
                    "id": f"b{new['next']}",
                    "what": step["what"],
                    "keys": keys,
                    "by": step["by"],
                    "at": step["at"],
                }
            )
            new["next"] += 1
        case "place" if kind in ("film", "picture", "pages"):
            frame = _number(step, "frame", 0, last, "The frame")
            key = [frame, *_box(step, found, frame)]
            box = next((b for b in new["boxes"] if b["id"] == step.get("box")), None)
            if box is not None:
                if kind != "film" and frame != box["keys"][0][0]:
                    raise BadInput("frame", "A box on a page stays on its page. Draw another.")
                box["keys"] = _with(box["keys"], [key])
            elif step.get("box") in known:
                new["moved"][step["box"]] = _with(new["moved"].get(step["box"], []), [key])
            else:
                raise BadInput("box", "There is no such box. It may have been removed meanwhile.")
        case "remove":
            kept = [b for b in new["boxes"] if b["id"] != step.get("box")]
            if len(kept) == len(new["boxes"]):
                raise BadInput("box", "There is no such box. It may have been removed meanwhile.")
            new["boxes"] = kept
        case "blank" if kind in ("film", "picture", "pages"):
            first = _number(step, "first", 0, last, "The first frame")
            new["blank"].append([first, _number(step, "last", first, last, "The last frame")])
        case "mute" if kind in ("film", "sound"):
            long = int(found.get("length_ms", 0))
            if not long:
                raise BadInput("from_ms", "This recording has no sound.")
            start = _number(step, "from_ms", 0, long, "Where the silence begins")
            new["mute"].append(
                [start, _number(step, "to_ms", start + 1, long + 1000, "Where the silence ends")]
            )
        case "cut" if kind == "text":
            start = _number(step, "start", 0, int(found["letters"]), "The first letter")
            new["cuts"].append(
                [start, _number(step, "end", start + 1, int(found["letters"]), "The last letter")]
            )
        case "words" if kind == "pages":
            for hit in step["boxes"]:
                place = _box(hit, found, hit["page"])
                new["boxes"].append(
                    {
                        "id": f"b{new['next']}",
                        "what": "words",
                        "keys": [[hit["page"], *place]],
                        "by": step["by"],
                        "at": step["at"],
                    }
                )
                new["next"] += 1
        case "words" if kind == "text":
            new["cuts"] += [list(c) for c in step["cuts"]]
        case "unblank" | "unmute" | "uncut":
            spans = new[{"unblank": "blank", "unmute": "mute", "uncut": "cuts"}[step["do"]]]
            index = _number(step, "index", 0, max(0, len(spans) - 1), "The number of the span")
            if not spans:
                raise BadInput("index", "There is no such span. It may have been removed meanwhile.")
            spans.pop(index)
        case _:
            raise BadInput("do", "That cannot be done with this kind of exhibit.")
    shaped = engine.clean(_drawn(found, new))
    new["blank"], new["mute"], new["cuts"] = shaped["blank"], shaped["mute"], shaped["cuts"]
    return new


def _drawn(found: Mapping[str, Any], work: Mapping[str, Any]) -> dict[str, Any]:
    accepted = [t for t in tracks_of(found, work) if t["state"] == "accept"]
    return {
        "kind": found["kind"],
        "frames": found["frames"],
        "width": found["width"],
        "height": found["height"],
        "boxes": [{"id": t["id"], "why": "face", "keys": t["keys"]} for t in accepted]
        + [{"id": b["id"], "why": b["what"], "keys": b["keys"]} for b in work.get("boxes", [])],
        "blank": work.get("blank", []),
        "mute": work.get("mute", []),
        "cuts": work.get("cuts", []),
    }


def plan_of(found: Mapping[str, Any], work: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan as the work stands, for drawing it; undecided faces are not in it."""
    return engine.clean(_drawn(found, work))


def undecided(found: Mapping[str, Any], work: Mapping[str, Any]) -> list[str]:
    """Return the ids of tracks about which nobody has decided."""
    return [t["id"] for t in tracks_of(found, work) if not t["state"]]


def final_plan(found: Mapping[str, Any], work: Mapping[str, Any], *, reviewed: bool) -> dict[str, Any]:
    """Return the plan to make, or refuse: every face decided, something removed, and a person says they looked."""
    waiting = undecided(found, work)
    if waiting:
        many = "1 face" if len(waiting) == 1 else f"{len(waiting)} faces"
        raise NotAllowed(f"Decide first about {many}: accept or reject each, with your reason.")
    plan = plan_of(found, work)
    if not (plan["boxes"] or plan["blank"] or plan["mute"] or plan["cuts"]):
        raise NotAllowed("Nothing is marked yet, so the redaction would remove nothing.")
    if found["frames"] and len(found.get("places", [])) != found["frames"]:
        raise NotAllowed("Not every frame could be shown for review, so this redaction cannot be made.")
    if not reviewed:
        what = {"film": "every frame", "pages": "every page", "text": "the whole text", "sound": "all of it"}
        raise BadInput("reviewed", f"Say that you have reviewed {what.get(found['kind'], 'it')}.")
    return plan
