"""Cut a recording from one frame to another: the same packets with stated handles, or an exact re-encode.

*lossless* keeps the packets as they are. A picture can only be decoded from its key frame on, so such a clip begins
at the key frame at or before the first frame asked for, and ends where every frame asked for can be decoded; what is
more than was asked for is stated as handles. *exact* holds exactly the frames asked for, encoded anew.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media.answer import made
from counterfoil.engines.media.moments import moment
from counterfoil.engines.media.proxy import EXACT, copy_packets, encode, playable
from counterfoil.engines.media.recording import Recording, Timeline, Unplayable, stream_hashes


def clip(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write `clip.mp4` from `options["from"]` to `options["to"]` (both included), `options["how"]` lossless or exact.

    A moment is a frame number ("120", counted from 0) or a time after the first frame ("0:01:02.5").
    """
    target = out / "clip.mp4"
    how = str(options.get("how") or "lossless")
    if how not in ("lossless", "exact"):
        raise BadInput("how", "Choose the same packets with handles, or exactly these frames encoded anew.")
    with Recording(inputs["file"]) as r:
        if r.video is None:
            raise Unplayable("There are no moving pictures in this recording to cut.")
        times = r.timeline()
        first = moment("from", str(options.get("from", "")), times)
        last = moment("to", str(options.get("to", "")), times)
        if last < first:
            raise BadInput("to", "The clip ends before it begins. Give a later frame or time.")
        return (
            _lossless(r, target, times, first, last)
            if how == "lossless"
            else _exact(r, target, times, first, last)
        )


def _lossless(r: Recording, target: Path, times: Timeline, first: int, last: int) -> dict[str, Any]:
    if not playable(r):
        raise BadInput(
            "how",
            "These packets cannot be put into a file that others can play. Choose exactly these frames, encoded anew.",
        )
    keys = sorted(times.keys)
    begin = max((k for k in keys if k <= times.pts[first]), default=None)
    if begin is None:
        raise BadInput(
            "from", "There is no key frame before this frame. Choose exactly these frames, encoded anew."
        )
    following = next((k for k in keys if k > times.pts[last]), None)
    stop = _decodable_until(r, times.pts[last], following)
    with r.again() as source:
        read = copy_packets(source, target, start=begin, stop=stop, zero=begin)
    kept = stream_hashes(target)
    mode = "lossless" if list(read.values()) == list(kept.values()) else "rewrapped"
    held = [p for p in times.pts if begin <= p <= stop]
    facts = {
        **_which(times, first, last),
        "begins_at_frame": times.pts.index(begin),
        "ends_at_frame": times.pts.index(held[-1]),
        "handle_before_frames": first - times.pts.index(begin),
        "handle_after_frames": times.pts.index(held[-1]) - last,
        "handle_before": _text(times.seconds(times.pts[first] - begin)),
        "handle_after": _text(times.seconds(held[-1] - times.pts[last])),
        "damage": r.broken,
    }
    return made(
        "clip.mp4", "video/mp4", "mp4", mode=mode, streams={"master_part": read, "copy": kept}, facts=facts
    )


def _decodable_until(r: Recording, wanted: int, following: int | None) -> int:
    """Return the last presentation time to keep, so that no frame up to `wanted` lacks one that it is built from.

    Packets are stored in the order they are decoded: everything stored up to the last packet shown at or before
    `wanted` is kept.
    """
    with r.again() as source:
        seen: list[int] = []
        for packet in source.packets(source.video):
            if packet.pts is None:
                continue
            seen.append(packet.pts)
            if packet.pts == wanted:
                return max(p for p in seen if following is None or p < following)
            if len(seen) > 4096:
                seen = seen[-2048:]
    return wanted


def _exact(r: Recording, target: Path, times: Timeline, first: int, last: int) -> dict[str, Any]:
    done = encode(r, target, times, EXACT, times.pts[first], times.pts[last])
    with Recording(target) as result:
        made_times = result.timeline()
    asked = tuple(p - times.pts[first] for p in times.pts[first : last + 1])
    same = [times.seconds(p) for p in asked] == [
        made_times.seconds(p - made_times.pts[0]) for p in made_times.pts
    ]
    streams = {"copy": stream_hashes(target), "frames": len(made_times)}
    facts = {**_which(times, first, last), **done, "same_times": same, "damage": r.broken}
    return made("clip.mp4", "video/mp4", "mp4", mode="exact", streams=streams, facts=facts)


def _which(times: Timeline, first: int, last: int) -> dict[str, Any]:
    return {
        "first_frame": first,
        "first_time": _text(times.seconds(times.pts[first] - times.pts[0])),
        "first_pts": times.pts[first],
        "last_frame": last,
        "last_time": _text(times.seconds(times.pts[last] - times.pts[0])),
        "last_pts": times.pts[last],
        "time_base": str(times.time_base),
    }


def _text(seconds: Fraction) -> str:
    from counterfoil.engines.media.moments import clock

    return clock(seconds)
