"""The two doors of redaction, called in the sandbox: look at a file for review, and make the redacted file."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from counterfoil.engines.errors import Refusal
from counterfoil.engines.media.answer import versions
from counterfoil.engines.redaction import faces, film, pages, pictures, plan, texts, tracks
from counterfoil.engines.sandbox import child

WIDEST = 1920
PACK, SHEET = "frames.pack", "review.json"
# Raised whenever the same plan would give other bytes.
REVISION = 1
MADE = {"film": "mp4", "sound": "flac", "picture": "png", "pages": "pdf", "text": "txt"}
TYPES = {
    "film": "video/mp4",
    "sound": "audio/flac",
    "picture": "image/png",
    "pages": "application/pdf",
    "text": "text/plain",
}
MOST_SHEETS = 60_000
BARS = 1200
Picture = NDArray[np.uint8]


class Unready(Refusal):
    """This file cannot be reviewed for redaction; the sentence says why."""


def progress(frame: int) -> None:
    """Tell whoever waits how far this is. Outside the sandbox's child nobody listens."""
    if sys.flags.isolated:
        child.progress({"frame": frame})


def prepare(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write every frame or page as a picture to `frames.pack`, and what was found to `review.json`; return its size.

    options: {kind, faces: bool}. `review.json` is {kind, frames, width, height, places: [[offset, size]…], times
    (milliseconds of each frame), tracks, sizes (of pages), detector, letters, bars (loudness 0-100), length_ms}.
    """
    path, kind = inputs["file"], options["kind"]
    found: dict[str, Any] = {
        "kind": kind, "frames": 0, "width": 0, "height": 0, "places": [], "times": [], "sizes": [], "tracks": [],
        "detector": "", "letters": 0, "bars": [], "length_ms": 0,
    }  # fmt: skip
    if kind == "text":
        text = texts.read(path)
        (out / "text.txt").write_text(text, encoding="utf-8", newline="\n")
        found["letters"] = len(text)
    else:
        with (out / PACK).open("wb") as pack:
            _sheets(path, kind, pack, found, look=bool(options.get("faces", True)))
        if kind in ("film", "sound"):
            _loudness(path, found)
    if kind == "film" and not found["frames"]:
        found["kind"] = "sound"
    if found["kind"] == "sound" and not found["length_ms"]:
        raise Unready("There is neither a picture nor a sound in this file that can be read.")
    (out / SHEET).write_text(json.dumps(found, sort_keys=True), encoding="utf-8")
    return {"kind": found["kind"], "frames": found["frames"], "tracks": len(found["tracks"])}


def _each(path: Path, kind: str) -> Iterator[tuple[Picture, int]]:
    """Yield (picture, milliseconds) of every frame, page or picture."""
    if kind == "film":
        for shot in film.shots(path):
            yield shot.rgb(), shot.at * 1000 // film.TICKS
    elif kind == "pages":
        for picture, _ in pages.pictures(path):
            yield picture, 0
    elif kind == "picture":
        yield pictures.read(path), 0


def _sheets(path: Path, kind: str, pack: BinaryIO, found: dict[str, Any], *, look: bool) -> None:
    seen: list[list[faces.Face]] = []
    place = 0
    for number, (picture, at) in enumerate(_each(path, kind)):
        if number >= MOST_SHEETS:
            raise Unready(
                f"This recording has more than {MOST_SHEETS} frames. Cut a clip from it, and redact that."
            )
        high, wide = picture.shape[:2]
        if number == 0:
            found["width"], found["height"] = wide, high
        data = _jpeg(picture)
        pack.write(data)
        found["places"].append([place, len(data)])
        found["times"].append(at)
        found["sizes"].append([wide, high])
        place += len(data)
        if look:
            try:
                seen.append(faces.find(picture))
            except faces.NoModel as e:
                found["detector"], look = str(e), False
        if number % 10 == 0:
            progress(number)
    found["frames"] = len(found["places"])
    if kind == "film":
        found["sizes"] = []
        span = found["times"][-1] - found["times"][0] if len(found["times"]) > 1 else 0
        rate = 1000 * (len(seen) - 1) / span if span else 25.0
        found["tracks"] = tracks.follow(seen, rate=rate, width=found["width"], height=found["height"])
    else:
        for number, one in enumerate(seen):
            wide, high = found["sizes"][number]
            for track in tracks.follow([one], rate=1, width=wide, height=high):
                mine = {"id": f"t{len(found['tracks']) + 1}", "first": number, "last": number}
                keys = [[number, *key[1:]] for key in track["keys"]]
                found["tracks"].append({**track, **mine, "keys": keys})


def _jpeg(picture: Picture) -> bytes:
    image = Image.fromarray(picture)
    if image.width > WIDEST:
        image = image.resize((WIDEST, max(1, round(image.height * WIDEST / image.width))))
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=88)
    return kept.getvalue()


def _loudness(path: Path, found: dict[str, Any]) -> None:
    """Fill in the length of the sound and how loud it is along it, for a drawing."""
    peaks: list[int] = []
    length, rate = 0, 0
    for rate, block in film.samples(path):
        step = max(1, rate // 100)
        for start in range(0, len(block), step):
            peaks.append(int(np.abs(block[start : start + step].astype(np.int32)).max()))
        length += len(block)
    if rate:
        found["length_ms"] = length * 1000 // rate
        size = max(1, -(-len(peaks) // BARS))
        found["bars"] = [max(peaks[i : i + size]) * 100 // 32768 for i in range(0, len(peaks), size)]


def search(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return where words stand: {boxes, silent} of a PDF or {cuts} of a text. options: {kind, words}."""
    if options["kind"] == "pages":
        boxes, silent = pages.search(inputs["file"], options["words"])
        return {"boxes": boxes[: plan.MOST_BOXES], "silent": silent}
    return {"cuts": texts.search(texts.read(inputs["file"]), options["words"])[: plan.MOST_BOXES]}


def render(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Make the redacted file from the options, which are a plan (with `reviewed`, which changes no byte).

    Returns {file, media_type, extension, mode, streams: hashes of what was painted and muted, facts, tool, version}.
    """
    wanted = plan.clean(options)
    kind = wanted["kind"]
    made = out / f"redacted.{MADE[kind]}"
    path = inputs["file"]
    streams: dict[str, Any] = {}
    if kind in ("film", "sound"):
        facts = film.render(path, made, wanted, progress)
        streams = {k: facts.pop(k) for k in ("pictures_sha256", "sound_sha256")}
    else:
        facts = {"pages": pages.render, "picture": pictures.render, "text": texts.render}[kind](
            path, made, wanted
        )
    return {
        "file": made.name,
        "media_type": TYPES[kind],
        "extension": MADE[kind],
        "mode": "redacted",
        "streams": {name: value for name, value in streams.items() if value},
        "facts": facts,
        "tool": "counterfoil.engines.redaction",
        "version": {**versions(), "redaction": str(REVISION)},
    }
