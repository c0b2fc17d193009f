"""Say what a file is: what its container, streams and metadata claim, and what can be counted in it.

Everything here is *read from the file*. A time, a place or a maker's name in a file is what the file claims; nothing
of it is taken as true. No floats: exact fractions are given as text.
"""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, UnidentifiedImageError

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media.answer import TOOL, versions
from counterfoil.engines.media.moments import clock
from counterfoil.engines.media.recording import Recording, Unplayable

_C2PA = ("image/jpeg", "image/png", "image/webp", "image/heic", "video/mp4", "video/quicktime", "video/x-msvideo",
         "audio/wav", "audio/mpeg", "audio/mp4", "application/pdf")  # fmt: skip
_LONGEST = 200
A_CLOCK = 20 * 365 * 86400  # no recording begins twenty years in: such a time is a clock


def probe(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return the technical record of a file; `options["media_type"]` is what its content was found to be."""
    path, media_type = inputs["file"], str(options.get("media_type") or "")
    kind = media_type.partition("/")[0]
    record: dict[str, Any] = {"tool": TOOL, "version": versions(), "size": path.stat().st_size}
    if kind == "image":
        record |= {"is": "picture", **_picture(path)}
    elif media_type == "application/pdf":
        record |= {"is": "document", **_document(path)}
    elif kind in ("video", "audio") or not media_type or media_type == "application/octet-stream":
        record |= _recording(path)
    else:
        record |= {"is": "other"}
    record["c2pa"] = _c2pa(path, media_type)
    return record


def _recording(path: Path) -> dict[str, Any]:
    with Recording(path) as r:
        if r.video is None and r.audio is None:
            raise Unplayable("There is neither picture nor sound in this recording that can be decoded.")
        found: dict[str, Any] = {
            "is": "video" if r.video is not None else "sound",
            "container": r.container.format.name,
            "container_name": r.container.format.long_name,
            "streams": [_stream(s) for s in r.container.streams],
            "claims": _texts(r.container.metadata),
        }
        if r.video is not None:
            found |= _times(r)
            found["turned"] = _turned(r)
        elif r.container.duration is not None:
            found["duration"] = clock(Fraction(r.container.duration, 1_000_000))
            found["duration_ms"] = r.container.duration // 1000
        found["damage"] = r.broken or _cut_short(r, found.get("duration_ms"))
        return found


def _cut_short(r: Recording, held_ms: int | None) -> str:
    """Return a sentence when the container claims clearly more than is in it: its end is probably missing."""
    claimed_ms = (r.container.duration or 0) // 1000
    if held_ms is None or claimed_ms - held_ms < max(1000, held_ms // 100):
        return ""
    claimed, held = clock(Fraction(claimed_ms, 1000)), clock(Fraction(held_ms, 1000))
    return f"The file claims {claimed} and holds {held}: its end is probably missing."


def _stream(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    found: dict[str, Any] = {
        "index": stream.index,
        "type": stream.type,
        "codec": context.name if context is not None else "unknown",
        "time_base": str(stream.time_base),
        "claims": _texts(stream.metadata),
    }
    if stream.duration is not None and stream.time_base:
        found["duration"] = clock(stream.duration * Fraction(stream.time_base))
    if context is not None and stream.type == "video":
        found |= {
            "profile": str(stream.profile or ""),
            "width": context.width,
            "height": context.height,
            "pixels": str(context.pix_fmt or ""),
            "sample_aspect": str(stream.sample_aspect_ratio or "1"),
            "claimed_rate": str(stream.average_rate or ""),
            "bit_rate": int(context.bit_rate or 0),
        }
    if context is not None and stream.type == "audio":
        found |= {
            "rate": context.sample_rate,
            "channels": context.channels,
            "layout": context.layout.name if context.layout else "",
            "bit_rate": int(context.bit_rate or 0),
        }
    return found


def _times(r: Recording) -> dict[str, Any]:
    """Return what the frames' own times say: how many, from when to when, and whether evenly spaced."""
    times = r.timeline()
    steps = times.steps
    span = times.seconds(times.pts[-1] - times.pts[0])
    usual = max(steps, key=lambda s: steps[s]) if steps else Fraction(0)
    # A container that counts in whole milliseconds cannot space 30 frames a second evenly: one tick is no change.
    tick = times.time_base
    variable = any(abs(s - usual) > tick for s in steps)
    start = times.seconds(times.pts[0])
    # Some recorders (DHAV) write the time on their own clock, in seconds since 1970, as the time of each frame.
    shown = {"device_clock": device_clock(start)} if start >= A_CLOCK else {}
    return {
        **shown,
        "frames": len(times),
        "key_frames": len(times.keys),
        "first_pts": times.pts[0],
        "last_pts": times.pts[-1],
        "time_base": str(times.time_base),
        "start": clock(start),
        "duration": clock(span + usual),
        "duration_ms": int((span + usual) * 1000),
        "rate": str(Fraction(len(times) - 1) / span) if span else "",
        "variable_rate": variable,
        "shortest_step": str(min(steps)) if steps else "",
        "longest_step": str(max(steps)) if steps else "",
        "times_sha256": times.digest(),
    }


def device_clock(seconds: Fraction) -> str:
    """Return what a recorder's clock showed, from seconds since 1970 on it; it has no zone that we know of."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%S")


def _turned(r: Recording) -> int:
    with r.again() as anew:
        for frame in anew.frames(anew.video):
            return int(frame.rotation or 0) % 360
    return 0


def _texts(found: Any) -> dict[str, str]:
    """Return metadata as short plain text, so that a page and a ledger can hold it."""
    return {_short(k, 60): _short(v, _LONGEST) for k, v in list(dict(found).items())[:60]}


def _short(value: Any, limit: int = _LONGEST) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "".join(c if c.isprintable() else "\ufffd" for c in text)[:limit]


def _picture(path: Path) -> dict[str, Any]:
    try:
        with Image.open(path) as found:
            answer: dict[str, Any] = {
                "container": str(found.format),
                "width": found.width,
                "height": found.height,
                "pixels": found.mode,
                "frames": int(getattr(found, "n_frames", 1)),
            }
            exif = found.getexif()
            tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
            answer["exif"] = {
                ExifTags.TAGS.get(k, f"tag {k}"): _short(v)
                for k, v in sorted(tags.items())
                if k not in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.MakerNote)
            }
            gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
            if gps:
                answer["gps"] = {
                    ExifTags.GPSTAGS.get(k, f"tag {k}"): _short(v) for k, v in sorted(gps.items())
                }
                answer["gps"].update(_place(gps))
            return answer
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError):
        try:
            with Recording(path) as r:
                context = r.container.streams.video[0].codec_context
                return {
                    "container": r.container.format.name,
                    "width": context.width,
                    "height": context.height,
                }
        except (BadInput, IndexError) as e:
            raise BadInput(
                "file", "This picture cannot be read here. Ask for it again as JPEG or PNG."
            ) from e


def _place(gps: Any) -> dict[str, str]:
    """Return the position that the picture claims in decimal degrees, to 6 places."""
    try:
        north = sum(Fraction(str(float(v))) / 60**i for i, v in enumerate(gps[2]))
        east = sum(Fraction(str(float(v))) / 60**i for i, v in enumerate(gps[4]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return {}
    north = -north if str(gps.get(1)) == "S" else north
    east = -east if str(gps.get(3)) == "W" else east
    return {"latitude": f"{float(north):.6f}", "longitude": f"{float(east):.6f}"}


def _document(path: Path) -> dict[str, Any]:
    from counterfoil.engines.media.pages import page_count

    return {"container": "PDF", "pages": page_count(path)}


def _c2pa(path: Path, media_type: str) -> dict[str, Any]:
    """Return the verdict on the file's C2PA manifest. Having none is an outcome of its own and says nothing else."""
    if media_type not in _C2PA:
        return {
            "outcome": "not looked for",
            "why": "This type of file cannot hold a C2PA manifest that we read.",
        }
    import json

    import c2pa

    try:
        with path.open("rb") as file:
            reader = c2pa.Reader.try_create(media_type, file)
            if reader is None:
                return {"outcome": "no manifest"}
            with reader:
                told = json.loads(reader.json())
    except Exception as e:
        # The library raises errors of several families for what it cannot parse: each is an outcome, not a failure.
        return {"outcome": "unreadable", "why": _short(e)}
    active = told.get("manifests", {}).get(told.get("active_manifest"), {})
    problems = [_short(s.get("code")) for s in told.get("validation_status") or []]
    return {
        "outcome": "manifest",
        "state": _short(told.get("validation_state") or "unknown"),
        "problems": sorted(set(problems))[:20],
        "claimed_by": _short(active.get("claim_generator") or _generator(active)),
        "signed_by": _short((active.get("signature_info") or {}).get("issuer") or ""),
        "signed_at": _short((active.get("signature_info") or {}).get("time") or ""),
    }


def _generator(manifest: dict[str, Any]) -> str:
    return ", ".join(str(g.get("name", "")) for g in manifest.get("claim_generator_info") or [])
