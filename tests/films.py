"""Films, sounds and pictures made for tests: a real face that moves, noise in a box, words and canaries everywhere."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
WIDE, HIGH, RATE = 320, 240, 10


def portrait() -> Image.Image:
    """Return a real face: Grace Hopper, official portrait of the US Navy (public domain), as matplotlib carries it."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return Image.open(path).convert("RGB").crop((150, 40, 400, 370))


def place_of(number: int) -> tuple[int, int]:
    """Return where the face's picture stands on a frame of `moving_face`."""
    return 10 + 4 * number, 40 + number


def scene(number: int, *, face: bool = True, seed: int = 5) -> Picture:
    """Return a frame: a street of grey stripes, and a face that walks to the right."""
    rows, columns = np.mgrid[0:HIGH, 0:WIDE]
    ground = (90 + 50 * np.sin(columns / 17) + 30 * np.cos(rows / 11)).astype(np.uint8)
    picture = np.stack([ground, ground // 2 + 40, 200 - ground // 2], axis=2).astype(np.uint8)
    if face:
        small = np.asarray(portrait().resize((76, 100), Image.Resampling.LANCZOS))
        left, top = place_of(number)
        picture[top : top + 100, left : left + 76] = small[:, : max(0, WIDE - left)]
    return picture


def tone(seconds: float, rate: int = 48_000, pitch: float = 440.0) -> NDArray[np.int16]:
    """Return a tone as [samples, 2]."""
    line = (12_000 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype(np.int16)
    return np.stack([line, line // 2], axis=1)


def write(
    path: Path,
    frames: Sequence[Picture],
    *,
    sound: NDArray[np.int16] | None = None,
    rate: int = RATE,
    codec: str = "ffv1",
    pix: str = "yuv420p",
    metadata: dict[str, str] | None = None,
    more: Callable[[Any], None] | None = None,
    times: Sequence[int] | None = None,
) -> Path:
    """Write frames (RGB) and sound without loss as the path's ending says; `times` are milliseconds of each frame."""
    out = av.open(str(path), "w")
    out.metadata.update(metadata or {})
    video = out.add_stream(codec, rate=rate)
    video.width, video.height, video.pix_fmt = frames[0].shape[1], frames[0].shape[0], pix
    if codec == "libvpx-vp9":
        video.options = {"lossless": "1", "deadline": "realtime", "cpu-used": "8"}
    video.time_base = video.codec_context.time_base = Fraction(1, 1000)
    audio = None
    if sound is not None:
        audio = out.add_stream("flac", rate=48_000)
        audio.codec_context.layout, audio.codec_context.format = "stereo", "s16"
    if more:
        more(out)
    for number, picture in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = frame.reformat(format=pix, interpolation=Interpolation.POINT)
        frame.pts, frame.time_base = times[number] if times else number * 1000 // rate, Fraction(1, 1000)
        out.mux(video.encode(frame))
    out.mux(video.encode(None))
    if audio is not None and sound is not None:
        for start in range(0, len(sound), 1024):
            block = np.ascontiguousarray(sound[start : start + 1024])
            heard = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="stereo")
            heard.sample_rate, heard.pts, heard.time_base = 48_000, start, Fraction(1, 48_000)
            out.mux(audio.encode(heard))
        out.mux(audio.encode(None))
    out.close()
    return path


def moving_face(path: Path, count: int = 30, *, sound: bool = True, **how: Any) -> Path:
    """Write a film in which a face walks from left to right."""
    heard = tone(count / RATE) if sound else None
    return write(path, [scene(n) for n in range(count)], sound=heard, **how)


def decoded(path: Path) -> list[Picture]:
    """Return every frame's luma, as another program would see it."""
    with av.open(str(path)) as source:
        return [f.to_ndarray(format="gray").copy() for f in source.decode(video=0)]
