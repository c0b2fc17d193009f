"""Faces followed through a film, so that one is covered from its first frame to its last and on every frame between.

Detectors miss: a head turns, a blur, a shadow. A track is a detection that is sure, followed forwards and backwards
with weaker ones, bridged over gaps and led in and out by a margin. Pure; no libraries.

>>> seen = [[(10.0, 10.0, 20.0, 20.0, 0.9)], [], [(14.0, 10.0, 20.0, 20.0, 0.9)]]
>>> [track] = follow(seen, rate=1)
>>> [key[0] for key in track["keys"]], track["sure"]
([0, 2], 900)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Box = tuple[float, float, float, float, float]
SURE = 0.45  # a track begins only with a detection at least this sure
NEAR = 0.1  # overlap (or else nearness) that continues it
BRIDGED = 1.5  # seconds without a detection that one track may span
MARGIN = 0.5  # seconds covered before the first detection and after the last
GROWN = 0.3  # how much larger than the detection the box is, in each direction
SINGLE = 0.6  # one lonely detection becomes a track only when this sure


@dataclass
class _Track:
    seen: list[tuple[int, Box]] = field(default_factory=list)

    def guess(self, frame: int) -> Box:
        """Return where the face should be at a frame, at the speed of its last few detections."""
        last_at, last = self.seen[-1]
        recent = self.seen[-5:]
        first_at, first = recent[0]
        steps = abs(last_at - first_at)
        if steps == 0:
            return last
        ahead = min(abs(frame - last_at), 12)
        dx, dy = ((last[i] + last[i + 2] / 2 - first[i] - first[i + 2] / 2) / steps for i in (0, 1))
        return (last[0] + dx * ahead, last[1] + dy * ahead, last[2], last[3], last[4])


def _overlap(a: Box, b: Box) -> float:
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (a[2] * a[3] + b[2] * b[3] - wide * high)


def _likeness(track: _Track, frame: int, box: Box) -> float:
    """Return how well a detection continues a track: overlap with where it should be, or nearness of alike sizes."""
    guess = track.guess(frame)
    shared = max(_overlap(guess, box), _overlap(track.seen[-1][1], box))
    if shared >= NEAR:
        return 1 + shared
    away = math.hypot(
        guess[0] + guess[2] / 2 - box[0] - box[2] / 2, guess[1] + guess[3] / 2 - box[1] - box[3] / 2
    )
    size = max(guess[2], guess[3], box[2], box[3])
    alike = 0.5 < (guess[2] * guess[3]) / max(1e-9, box[2] * box[3]) < 2
    return 1 - away / size if alike and away < size else 0.0


def _walk(frames: Sequence[Sequence[Box]], order: Sequence[int], gap: int) -> list[_Track]:
    """Return tracks found while going through the frames in this order."""
    live: list[_Track] = []
    done: list[_Track] = []
    for frame in order:
        done += [t for t in live if abs(frame - t.seen[-1][0]) > gap]
        live = [t for t in live if abs(frame - t.seen[-1][0]) <= gap]
        free = list(frames[frame])
        pairs = sorted(
            ((_likeness(t, frame, b), i, j) for i, t in enumerate(live) for j, b in enumerate(free)),
            key=lambda p: (-p[0], p[1], p[2]),
        )
        taken_tracks: set[int] = set()
        taken_boxes: set[int] = set()
        for likeness, i, j in pairs:
            if likeness > 0 and i not in taken_tracks and j not in taken_boxes:
                live[i].seen.append((frame, free[j]))
                taken_tracks.add(i)
                taken_boxes.add(j)
        live += [_Track([(frame, b)]) for j, b in enumerate(free) if j not in taken_boxes and b[4] >= SURE]
    return done + live


def _joined(forward: list[_Track], backward: list[_Track]) -> list[dict[int, Box]]:
    """Return the tracks of both directions as one set: those that share a detection are the same face."""
    groups: list[dict[int, Box]] = []
    for track in forward + backward:
        mine = dict(track.seen)
        same = [g for g in groups if any(g.get(at) == box for at, box in mine.items())]
        for group in same:
            for at, box in group.items():
                if at not in mine or box[4] > mine[at][4]:
                    mine[at] = box
        groups = [g for g in groups if not any(g is s for s in same)] + [mine]
    return groups


def follow(
    frames: Sequence[Sequence[Box]], *, rate: float, width: int = 0, height: int = 0
) -> list[dict[str, Any]]:
    """Return tracks as {id, keys: [[frame, x, y, w, h]…], first, last, sure, seen}, earliest first.

    `frames` are the detections of each frame; `rate` is frames a second. `sure` is the best score in thousandths,
    `first` and `last` the frames of the first and last detection, `seen` on how many frames there was one. The keys
    begin a margin before `first` and end a margin after `last`, and each box is larger than what was detected.
    """
    count = len(frames)
    gap, margin = max(2, round(rate * BRIDGED)), max(2, round(rate * MARGIN))
    forward = _walk(frames, range(count), gap)
    backward = _walk(frames, range(count - 1, -1, -1), gap)
    found = []
    for group in _joined(forward, backward):
        best = max(b[4] for b in group.values())
        if len(group) == 1 and best < SINGLE and count > 1:
            continue
        found.append((min(group), max(group), best, group))
    tracks = []
    for number, (first, last, best, group) in enumerate(sorted(found, key=lambda f: (f[0], -f[2])), 1):
        keys = _covering(sorted(group.items()), count, margin, width, height)
        tracks.append(
            {
                "id": f"t{number}",
                "keys": keys,
                "first": first,
                "last": last,
                "sure": round(best * 1000),
                "seen": len(group),
            }
        )
    return tracks


def _covering(
    seen: list[tuple[int, Box]], count: int, margin: int, width: int, height: int
) -> list[list[int]]:
    """Return keys that cover the face on every frame: led in and out at its speed, and held whole over gaps."""
    keys: list[list[int]] = []
    for at, box in seen:
        here = _grown(at, box, width, height)
        if keys and at - keys[-1][0] > 2:
            both = _union(keys[-1], here)
            keys += [[keys[-1][0] + 1, *both], [at - 1, *both]]
        keys.append(here)
    for end, edge in ((0, max(0, seen[0][0] - margin)), (-1, min(count - 1, seen[-1][0] + margin))):
        at, box = seen[end]
        if edge == at:
            continue
        line = _Track([*reversed(seen[:5])] if end == 0 else seen[-5:])
        moved = _grown(edge, line.guess(edge), 0, 0)
        key = [edge, *_union(keys[end], moved)]
        keys = [key, *keys] if end == 0 else [*keys, key]
    return [_within(k, width, height) for k in keys]


def _union(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Return x, y, w, h of the smallest box around two keys."""
    left, top = min(a[1], b[1]), min(a[2], b[2])
    return [left, top, max(a[1] + a[3], b[1] + b[3]) - left, max(a[2] + a[4], b[2] + b[4]) - top]


def _within(key: list[int], width: int, height: int) -> list[int]:
    """Return a key cut to the picture, where its size is known."""
    frame, x, y, w, h = key
    if not (width and height):
        return key
    left, top = min(max(0, x), width - 1), min(max(0, y), height - 1)
    return [frame, left, top, max(1, min(width, x + w) - left), max(1, min(height, y + h) - top)]


def _grown(frame: int, box: Box, width: int, height: int) -> list[int]:
    x, y, w, h, _ = box
    left, top = math.floor(x - w * GROWN), math.floor(y - h * GROWN)
    right, bottom = math.ceil(x + w * (1 + GROWN)), math.ceil(y + h * (1 + GROWN))
    return _within([frame, left, top, max(1, right - left), max(1, bottom - top)], width, height)
