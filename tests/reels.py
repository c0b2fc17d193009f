"""Recordings made for tests: each frame carries its own number in black and white squares that can be read back."""

import os
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

WIDE, HIGH, BITS, SQUARE = 320, 180, 16, 20
DATA = Path(os.environ.get("COUNTERFOIL_DATA") or Path(__file__).parents[2] / "shared" / "data")


def real(name: str) -> Path:
    """Return a real recording, or skip loudly where there is none."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"REAL RECORDING MISSING: {path} (set COUNTERFOIL_DATA): this gate did not run")
    return path


def numbered(number: int, wide: int = WIDE, high: int = HIGH) -> Any:
    """Return a picture that carries a number: sixteen squares on top, a moving bar below."""
    picture = np.full((high, wide, 3), 96, dtype=np.uint8)
    for bit in range(BITS):
        picture[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 235 if number >> bit & 1 else 16
    x = number * 7 % (wide - 24)
    picture[high // 2 : high // 2 + 40, x : x + 24] = (200, 60, 40)
    return picture


def read_number(picture: Any) -> int:
    """Return the number that a picture carries."""
    grey = np.asarray(picture.convert("L"))
    half = SQUARE // 2
    return sum((int(grey[half, bit * SQUARE + half]) > 128) << bit for bit in range(BITS))


def reel(
    path: Path,
    frames: int = 50,
    *,
    rate: int = 10,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libvpx-vp9",
    form: str = "mp4",
    gop: int = 12,
    bframes: int = 0,
    sound: bool = False,
    rotation: int = 0,
    wide: int = WIDE,
    high: int = HIGH,
) -> Path:
    """Write a recording of numbered frames and return its path."""
    options = {"libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"}}.get(codec, {})
    if codec == "libx264":
        options = {"preset": "ultrafast", "bf": str(bframes)}
    base = time_base or Fraction(1, rate)
    with av.open(str(path), "w", format=form) as sink:
        video = sink.add_stream(codec, rate=rate, options=options)
        video.width, video.height = wide, high
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.gop_size = gop
        video.codec_context.time_base = base
        if rotation:
            video.set_display_rotation(rotation)
        audio = sink.add_stream("aac", rate=16000, layout="mono") if sound else None
        for n in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(n, wide, high), format="rgb24")
            frame.pts, frame.time_base = (pts[n] if pts else n), base
            for packet in video.encode(frame):
                sink.mux(packet)
        for packet in video.encode():
            sink.mux(packet)
        if audio is not None:
            for n in range(frames * 16000 // rate // 1024):
                wave = (np.sin(np.arange(1024) * 0.1 * (1 + n % 3)) * 9000).astype(np.int16)
                part = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
                part.rate, part.pts, part.time_base = 16000, n * 1024, Fraction(1, 16000)
                for packet in audio.encode(part):
                    sink.mux(packet)
            for packet in audio.encode():
                sink.mux(packet)
    return path


def dav(path: Path, frames: int = 30, rate: int = 10) -> Path:
    """Write a recording in the `DHAV` framing of many cameras: H.264 between headers and trailers, no index.

    Framing as FFmpeg's reader describes it: "DHAV", type (0xFD key, 0xFC other), channel, frame number, whole length,
    packed date (from 20 November 2026, 21:10:00), milliseconds, extensions (size, codec), payload, "dhav", length.
    """
    whole = path.with_suffix(".h264")
    reel(whole, frames, rate=rate, codec="libx264", form="h264", gop=10)
    out = bytearray()
    with av.open(str(whole)) as source:
        for n, packet in enumerate(p for p in source.demux(video=0) if p.size):
            at = n * 1000 // rate
            date = (26 << 26) | (11 << 22) | (20 << 17) | (21 << 12) | (10 << 6) | (at // 1000 % 60)
            extension = bytes([0x82, 0, 0, 0]) + struct.pack("<HH", WIDE, HIGH) + bytes([0x81, 0, 0x02, rate])
            payload = bytes(packet)
            length = 24 + len(extension) + len(payload) + 8
            kind = 0xFD if packet.is_keyframe else 0xFC
            out += struct.pack("<4sBBBBIIIHBB", b"DHAV", kind, 0, 0, 0, n, length, date, at % 65536, 12, 0)
            out += extension + payload + b"dhav" + struct.pack("<I", length)
    path.write_bytes(bytes(out))
    return path
