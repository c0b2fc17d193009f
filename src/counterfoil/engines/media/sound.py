"""Draw the sound of a recording: one column a slice of time, as high as the loudest sample in it."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

from counterfoil.engines.media.answer import made
from counterfoil.engines.media.recording import Recording, Unplayable

WIDE, HIGH, RATE = 1200, 96, 8000
COLOUR = (72, 118, 168, 255)


def waveform(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write `waveform.png`, 1200 wide on nothing, of the first sound stream."""
    with Recording(inputs["file"]) as r:
        if r.audio is None:
            raise Unplayable("There is no sound in this recording.")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        loud: list[int] = []
        held = np.zeros(0, dtype=np.int16)
        slice_of = RATE // 50
        for frame in r.frames(r.audio):
            for part in resampler.resample(frame):
                held = np.concatenate([held, part.to_ndarray().reshape(-1)])
            whole = len(held) // slice_of * slice_of
            if whole:
                loud += np.abs(held[:whole].astype(np.int32)).reshape(-1, slice_of).max(axis=1).tolist()
                held = held[whole:]
    if not loud:
        raise Unplayable("The sound of this recording cannot be decoded.")
    Image.Image.save(_drawn(loud), out / "waveform.png", "PNG")
    facts = {"seconds": str(Fraction(len(loud), 50)), "size": [WIDE, HIGH], "silent": max(loud) < 33}
    return made("waveform.png", "image/png", "png", mode="picture", facts=facts)


def _drawn(loud: list[int]) -> Image.Image:
    picture = Image.new("RGBA", (WIDE, HIGH), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    for x in range(WIDE):
        part = loud[x * len(loud) // WIDE : max(x * len(loud) // WIDE + 1, (x + 1) * len(loud) // WIDE)]
        high = max(part) * (HIGH // 2 - 1) // 32768
        draw.line([(x, HIGH // 2 - high), (x, HIGH // 2 + high)], fill=COLOUR)
    return picture
