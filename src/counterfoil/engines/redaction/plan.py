"""The plan of a redaction: what is painted, blanked, muted and cut, as plain whole numbers. Pure; no libraries."""

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.engines.errors import BadInput

KINDS = ("film", "sound", "picture", "pages", "text")
MOST_BOXES = 2000
MOST_KEYS = 100_000
Rect = tuple[int, int, int, int]


def _whole(value: Any, field: str, low: int = 0, high: int = 2**40) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(field, f"Give whole numbers from {low} to {high}.")
    return value


def _spans(raw: Any, field: str, high: int, *, inclusive: bool) -> list[list[int]]:
    """Return spans sorted and merged. Frames are inclusive at both ends; times and letters end before their end."""
    found: list[list[int]] = []
    for span in raw or []:
        if not isinstance(span, Sequence) or isinstance(span, str) or len(span) != 2:
            raise BadInput(field, "Give where each span begins and where it ends.")
        start, end = (_whole(v, field, 0, high) for v in span)
        if end < start or (end == start and not inclusive):
            raise BadInput(field, "A span must end after it begins.")
        found.append([start, end])
    merged: list[list[int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1] + (1 if inclusive else 0):
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def clean(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan in its one canonical shape, or refuse.

    {kind, frames, width, height, boxes: [{id, why, keys: [[frame, x, y, w, h], …]}], blank: [[first, last]…] in
    frames, mute: [[from, to]…] in milliseconds, cuts: [[from, to]…] in letters}. A box lives from its first key to
    its last and moves in straight lines between; for pages and pictures `frame` is the page from 0.
    """
    kind = raw.get("kind")
    if kind not in KINDS:
        raise BadInput("kind", "This kind of file cannot be redacted here.")
    frames = _whole(raw.get("frames", 0), "frames", 0, 10_000_000)
    width = _whole(raw.get("width", 0), "width", 0, 65_535)
    height = _whole(raw.get("height", 0), "height", 0, 65_535)
    boxes, keys_seen = [], 0
    for box in raw.get("boxes") or []:
        keys = []
        for key in box.get("keys") or []:
            if not isinstance(key, Sequence) or isinstance(key, str) or len(key) != 5:
                raise BadInput("box", "A box needs a frame, a place, a width and a height.")
            frame = _whole(key[0], "frame", 0, max(0, frames - 1))
            x, y = (_whole(v, "box", -65_535, 65_535) for v in key[1:3])
            w, h = (_whole(v, "box", 1, 65_535) for v in key[3:5])
            keys.append([frame, x, y, w, h])
        keys.sort()
        if not keys:
            raise BadInput("box", "A box needs at least one place.")
        if len({k[0] for k in keys}) != len(keys):
            raise BadInput("frame", "A box can have only one place on one frame.")
        keys_seen += len(keys)
        boxes.append({"id": str(box.get("id", ""))[:40], "why": str(box.get("why", ""))[:200], "keys": keys})
    if len(boxes) > MOST_BOXES or keys_seen > MOST_KEYS:
        raise BadInput("box", "That is more boxes than one redaction can hold. Cut the recording into clips.")
    boxes.sort(key=lambda b: (b["keys"][0], b["id"]))
    return {
        "kind": kind,
        "frames": frames,
        "width": width,
        "height": height,
        "boxes": boxes,
        "blank": _spans(raw.get("blank"), "blank", max(0, frames - 1), inclusive=True),
        "mute": _spans(raw.get("mute"), "mute", 2**40, inclusive=False),
        "cuts": _spans(raw.get("cuts"), "cuts", 2**40, inclusive=False),
    }


def place_at(keys: Sequence[Sequence[int]], frame: int) -> tuple[int, int, int, int] | None:
    """Return (left, top, right, bottom) of a box at a frame, rounded outwards; None outside its life.

    Each edge moves in a straight line between neighbouring keys, computed in whole numbers.
    """
    if not keys or frame < keys[0][0] or frame > keys[-1][0]:
        return None
    before = max((k for k in keys if k[0] <= frame), key=lambda k: k[0])
    after = min((k for k in keys if k[0] >= frame), key=lambda k: k[0])
    span, done = after[0] - before[0], frame - before[0]

    def edges(k: Sequence[int]) -> tuple[int, int, int, int]:
        return k[1], k[2], k[1] + k[3], k[2] + k[4]

    if span == 0:
        return edges(before)
    a, b = edges(before), edges(after)
    moved = [p * span + (q - p) * done for p, q in zip(a, b, strict=True)]
    return moved[0] // span, moved[1] // span, -(-moved[2] // span), -(-moved[3] // span)


def rects_at(plan: Mapping[str, Any], frame: int, width: int = 0, height: int = 0) -> list[Rect]:
    """Return what is painted on a frame as (left, top, right, bottom), cut to the picture; all of a blanked frame.

    `width` and `height` of the picture default to the plan's; pages bring their own.
    """
    wide, high = width or int(plan["width"]), height or int(plan["height"])
    if any(first <= frame <= last for first, last in plan["blank"]):
        return [(0, 0, wide, high)]
    found = []
    for box in plan["boxes"]:
        place = place_at(box["keys"], frame)
        if place is None:
            continue
        left, top = max(0, place[0]), max(0, place[1])
        right, bottom = min(wide, place[2]), min(high, place[3])
        if left < right and top < bottom:
            found.append((left, top, right, bottom))
    return found


def muted(plan: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the spans of silence in milliseconds, each with its margin, merged.

    A lossy coding spreads a sound over the samples beside it (two AAC blocks at 48 kHz are 43 ms), so silence begins
    and ends `MUTE_MARGIN` milliseconds outside what was marked.
    """
    wider = [[max(0, a - MUTE_MARGIN), b + MUTE_MARGIN] for a, b in plan["mute"]]
    return [(a, b) for a, b in _spans(wider, "mute", 2**41, inclusive=False)]


MUTE_MARGIN = 50


def turning_points(plan: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return the frames where something begins or ends, with what it is: the places a reviewer must look at most."""
    points = []
    for box in plan["boxes"]:
        points.append((box["keys"][0][0], f"begins: {box['why'] or box['id']}"))
        points.append((box["keys"][-1][0], f"ends: {box['why'] or box['id']}"))
    for first, last in plan["blank"]:
        points += [(first, "begins: whole picture removed"), (last, "ends: whole picture removed")]
    return sorted(points)
