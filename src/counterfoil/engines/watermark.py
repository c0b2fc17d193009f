"""Put a recipient's name and the time into a viewing copy: one that gets about tells whose it was.

Runs in the sandbox. What comes out is made anew from points and sound: no metadata, script or link of the original
survives. The mark is drawn as a pale text across the whole picture, in rows, light with a dark edge, so that it can be
read on any ground and cropped out of none. Sound alone gets an audible mark: six signs of a code in quiet Morse, at the
beginning and every half minute. The code stands beside the share, and follows from the name and the time.

>>> code_of("Lena Marshgate, Marsh and Hythe", "20 Nov 2026 21:10")
'8B037A'
"""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media import pages, pictures
from counterfoil.engines.media.answer import made, say

TOOL = "counterfoil.engines.watermark"
RATE, PITCH, DOT, QUIET = 24000, 1500, 0.05, np.float32(0.06)
FIRST, EVERY = RATE // 2, 30 * RATE  # where the mark is first heard, and how often, in samples
MORSE = {
    "0": "-----", "1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-....", "7": "--...",
    "8": "---..", "9": "----.", "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.",
}  # fmt: skip
WIDE = 1240
MOST_PAGES = 200


def mark(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write the marked copy of a picture, PDF or recording; `options` has name, time and media_type."""
    words = f"{options['name']}  {options['time']}"
    kind = str(options.get("media_type", ""))
    if kind.startswith("image/"):
        answer = _picture(inputs["file"], out, words)
    elif kind == "application/pdf":
        answer = _document(inputs["file"], out, words)
    elif kind.startswith("video/"):
        answer = _recording(inputs["file"], out, words)
    elif kind.startswith("audio/"):
        answer = _sound(inputs["file"], out, code_of(options["name"], options["time"]))
    else:
        raise BadInput("file", "Only pictures, recordings and PDFs can be marked.")
    return {**answer, "tool": TOOL}


def code_of(name: str, time: str) -> str:
    """Return the six signs that are heard in a marked sound: hexadecimal, from the name and the time."""
    return hashlib.sha256(f"{name}\x00{time}".encode()).hexdigest()[:6].upper()


def tone(code: str, rate: int) -> NDArray[np.float32]:
    """Return the mark as samples: Morse at a pitch of 1,500 Hz, quiet, each sign led in and out without a click."""
    dot = int(rate * DOT)
    ramp = np.minimum(1.0, np.arange(dot * 3) / (rate * 0.005)).astype(np.float32)
    parts: list[NDArray[np.float32]] = []
    for sign in code:
        for mark in MORSE[sign]:
            long = dot * (3 if mark == "-" else 1)
            edge = ramp[:long]
            wave = np.sin(2 * np.pi * PITCH * np.arange(long) / rate).astype(np.float32)
            parts += [QUIET * wave * edge * edge[::-1], np.zeros(dot, np.float32)]
        parts.append(np.zeros(2 * dot, np.float32))
    return np.concatenate(parts)


def _sound(path: Path, out: Path, code: str) -> dict[str, Any]:
    """Write the sound anew with the mark mixed in; nothing else of the file goes with it."""
    import av

    from counterfoil.engines.media.proxy import AUDIO, MP4
    from counterfoil.engines.media.recording import Recording, Unplayable

    target = out / "marked.m4a"
    with Recording(path) as r, av.open(str(target), "w", format="mp4", options=MP4) as sink:
        if r.audio is None:
            raise Unplayable("There is no sound in this recording.")
        layout = "mono" if (r.audio.codec_context.channels or 1) == 1 else "stereo"
        stream = sink.add_stream("aac", rate=RATE, layout=layout, options=AUDIO)
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=RATE)
        heard = tone(code, RATE)
        place = 0

        def put(samples: NDArray[np.float32]) -> None:
            nonlocal place
            samples = np.clip(samples + _mixed(heard, place, samples.shape[1]), -1, 1).astype(np.float32)
            new: Any = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
            new.rate, new.pts, new.time_base = RATE, place, Fraction(1, RATE)
            place += samples.shape[1]
            for packet in stream.encode(new):
                sink.mux(packet)

        for frame in r.frames(r.audio):
            for part in resampler.resample(frame):
                put(part.to_ndarray().astype(np.float32))
        if not place:
            raise Unplayable("The sound of this recording cannot be decoded.")
        for part in resampler.resample(None):
            put(part.to_ndarray().astype(np.float32))
        # However short the sound is, the whole mark is heard once.
        if (short := FIRST + len(heard) - place) > 0:
            put(np.zeros((1 if layout == "mono" else 2, short), np.float32))
        for packet in stream.encode():
            sink.mux(packet)
    facts = {"mark": code, "every_seconds": EVERY // RATE}
    return made("marked.m4a", "audio/mp4", "m4a", mode="marked", facts=facts)


def _mixed(heard: NDArray[np.float32], place: int, count: int) -> NDArray[np.float32]:
    """Return what of the repeated mark falls on `count` samples from `place` on."""
    at = (np.arange(place, place + count) - FIRST) % EVERY
    inside = (at < len(heard)) & (np.arange(place, place + count) >= FIRST)
    return np.where(inside, heard[np.minimum(at, len(heard) - 1)], 0).astype(np.float32)


def veil(size: tuple[int, int], words: str) -> Image.Image:
    """Return a transparent picture of this size with the words across it in rows."""
    width, height = size
    letters = max(14, min(width, height) // 22)
    font = ImageFont.load_default(letters)
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    step_x = int(pen.textlength(words, font=font)) + 3 * letters
    for row, y in enumerate(range(letters // 2, height, letters * 4)):
        for x in range(-(row * step_x // 3) % step_x - step_x, width, step_x):
            pen.text(
                (x, y),
                words,
                font=font,
                fill=(255, 255, 255, 120),
                stroke_width=max(1, letters // 14),
                stroke_fill=(0, 0, 0, 110),
            )
    return layer


def _veiled(picture: Image.Image, words: str) -> Image.Image:
    whole = picture.convert("RGBA")
    return Image.alpha_composite(whole, veil(whole.size, words)).convert("RGB")


def _picture(path: Path, out: Path, words: str) -> dict[str, Any]:
    picture = pictures.opened(path)
    picture.thumbnail((2560, 2560), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    ground.alpha_composite(picture.convert("RGBA"))
    _veiled(ground, words).save(out / "marked.jpg", "JPEG", quality=90)
    return made("marked.jpg", "image/jpeg", "jpg", mode="marked", facts={"size": list(picture.size)})


def _document(path: Path, out: Path, words: str) -> dict[str, Any]:
    count = pages.page_count(path)
    if count > MOST_PAGES:
        raise BadInput("file", f"This document has {count} pages; up to {MOST_PAGES} can be shared.")
    sheets = []
    for number in range(count):
        sheets.append(_veiled(pages.page_picture(path, number, WIDE), words))
        say(number / count, "pages")
    sheets[0].save(out / "marked.pdf", "PDF", save_all=True, append_images=sheets[1:], resolution=150)
    return made("marked.pdf", "application/pdf", "pdf", mode="marked", facts={"pages": count})


def _recording(path: Path, out: Path, words: str) -> dict[str, Any]:
    from counterfoil.engines.media import proxy
    from counterfoil.engines.media.recording import Recording, stream_hashes

    class Marked(proxy.Pictures):
        """The proxy's own encoder, with the veil laid over each frame."""

        layer: Image.Image | None = None

        def take(self, frame: Any) -> None:
            import av

            turned = proxy.upright(frame)
            picture = turned.reformat(*proxy.fitted(turned.width, turned.height)).to_image()
            if self.layer is None or self.layer.size != picture.size:
                self.layer = veil(picture.size, words)
            new: Any = av.VideoFrame.from_image(  # type: ignore[no-untyped-call]
                Image.alpha_composite(picture.convert("RGBA"), self.layer).convert("RGB")
            )
            new.pts, new.time_base = frame.pts, frame.time_base
            super().take(new)

    target = out / "marked.mp4"
    with Recording(path) as r:
        if r.video is None:
            raise BadInput("file", "There is no picture in this recording that could be marked.")
        times = r.timeline()
        facts = proxy.encode(r, target, times, proxy.VIDEO, None, None, encoder=Marked)
    return made(
        "marked.mp4", "video/mp4", "mp4", mode="marked", streams={"copy": stream_hashes(target)}, facts=facts
    )
