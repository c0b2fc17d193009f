"""Films and sound: read into plain planes and samples, painted and muted, and made anew without loss.

Everything that leaves comes from `Shot` and from samples: sizes, pixels, when each is shown, and how pixels are to be
shown (range, matrix, shape of a pixel). Streams other than the picture and one sound, names, places, chapters,
pictures attached, subtitles, data and whatever stands between or behind them are never read, so they cannot leave.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from counterfoil.engines.errors import Refusal
from counterfoil.engines.media.recording import Recording
from counterfoil.engines.redaction.plan import Rect, muted, rects_at

TICKS = 90_000  # the clock of what leaves
BLOCK = 4096  # samples in one block of sound
MATRICES = (1, 5, 6, 9)  # BT.709, BT.601 twice, BT.2020; another is left unsaid
PLAIN = {"yuv420p": "yuv420p", "yuvj420p": "yuv420p", "yuv444p": "yuv444p", "yuvj444p": "yuv444p"}
Plane = NDArray[np.uint8]
Sound = NDArray[np.int16]


class Unfit(Refusal):
    """This recording cannot be redacted as it is; the sentence says what to do."""


@dataclass(frozen=True)
class Look:
    """How decoded numbers are to be shown: a few numbers of the coding, no text.

    `grain` is how many pixels share a colour sample in the recording, across and down (the larger, at least 2).
    """

    format: str
    width: int
    height: int
    full_range: bool
    matrix: int
    shape: tuple[int, int]
    grain: int = 2


@dataclass
class Shot:
    """One decoded frame, upright: luma and two chroma planes, and when it is shown in ticks since the first."""

    index: int
    at: int
    planes: list[Plane]
    look: Look

    def rgb(self) -> NDArray[np.uint8]:
        """Return the picture for eyes and detectors."""
        return np.asarray(frame_of(self).to_ndarray(format="rgb24"), np.uint8)


def shots(path: Path) -> Iterator[Shot]:
    """Yield every frame that can be decoded, in the order shown; broken ones are passed over.

    Frames of a format other than plain 4:2:0 or 4:4:4 of 8 bits become 4:4:4 by repeating samples, never by blending
    neighbours, so that nothing of a box is carried outside it.
    """
    with Recording(path) as source:
        stream = source.video
        if stream is None:
            return
        last, first_pts, look, index = -1, None, None, 0
        step = round(TICKS / float(stream.average_rate or stream.guessed_rate or 25))
        for frame in _decoded(source, stream):
            if frame.pts is None or frame.time_base is None:
                at = last + step if last >= 0 else 0
            else:
                first_pts = frame.pts if first_pts is None else first_pts
                at = round((frame.pts - first_pts) * frame.time_base * TICKS)
            at = max(at, last + 1)
            planes, kind = _upright(frame)
            mine = Look(
                kind,
                planes[0].shape[1],
                planes[0].shape[0],
                int(frame.color_range) == 2 or frame.format.name.startswith("yuvj"),
                int(frame.colorspace),
                _shape(stream),
                _grain(frame),
            )
            if look is not None and (mine.width, mine.height, mine.format) != (
                look.width,
                look.height,
                look.format,
            ):
                raise Unfit(
                    f"The picture changes its size at frame {index}. Cut it into clips there, and redact each."
                )
            look = look or mine
            yield Shot(index, at, planes, look)
            last, index = at, index + 1


def _shape(stream: Any) -> tuple[int, int]:
    ratio = stream.sample_aspect_ratio
    good = ratio is not None and 0 < ratio.numerator < 10_000 and 0 < ratio.denominator < 10_000
    return (int(ratio.numerator), int(ratio.denominator)) if good else (1, 1)


def _grain(frame: Any) -> int:
    """Return how many pixels share one colour sample, across or down: 2, or 4 for a few old formats."""
    colours = [c for c in frame.format.components if c.is_chroma]
    return 4 if any(c.width * 2 < frame.width - 1 or c.height * 2 < frame.height - 1 for c in colours) else 2


def _decoded(source: Recording, stream: Any) -> Iterator[Any]:
    """Yield decoded frames, those still held at the end too; broken packets are passed over, a broken file ends."""
    packets = source.container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except FFmpegError:
            return
        try:
            yield from packet.decode()
        except FFmpegError:
            continue


def _plane(plane: Any) -> Plane:
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width].copy()


def _upright(frame: Any) -> tuple[list[Plane], str]:
    name = PLAIN.get(frame.format.name)
    turn = round(frame.rotation / 90) % 4
    if name is None:
        frame = frame.reformat(format="yuv444p", interpolation=Interpolation.POINT)
        name = "yuv444p"
    planes = [_plane(p) for p in frame.planes[:3]]
    return [np.ascontiguousarray(np.rot90(p, turn)) for p in planes], name


def paint(shot: Shot, rects: Iterable[Rect]) -> None:
    """Make every pixel of the boxes black, and every colour sample that a pixel of them shares.

    A box is widened to whole colour samples of the recording, in brightness too, so that no sample that leaves was
    made from a pixel inside.
    """
    black = 0 if shot.look.full_range else 16
    half = 2 if shot.look.format == "yuv420p" else 1
    for left, top, right, bottom in outward(rects, shot.look):
        shot.planes[0][top:bottom, left:right] = black
        for chroma in shot.planes[1:]:
            chroma[top // half : -(-bottom // half), left // half : -(-right // half)] = 128


def outward(rects: Iterable[Rect], look: Look) -> Iterator[Rect]:
    """Yield boxes widened to whole colour samples, within the picture."""
    grain = look.grain
    for left, top, right, bottom in rects:
        yield (
            left // grain * grain,
            top // grain * grain,
            min(look.width, -(-right // grain) * grain),
            min(look.height, -(-bottom // grain) * grain),
        )


def frame_of(shot: Shot) -> Any:
    """Return a new frame holding a shot's planes and nothing else; its padding is zero."""
    look = shot.look
    frame = av.VideoFrame(look.width, look.height, look.format)
    for plane, values in zip(frame.planes, shot.planes, strict=True):
        rows = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        rows[: values.shape[0], : values.shape[1]] = values
        plane.update(rows.tobytes())
    frame.color_range = 2 if look.full_range else 1
    if look.matrix in MATRICES:
        frame.colorspace = look.matrix
    return frame


def samples(path: Path) -> Iterator[tuple[int, Sound]]:
    """Yield the sound as (rate, block of [samples, channels]): one unbroken line that begins with the picture.

    What was recorded before the first frame is left out, gaps are silence. 16 bits a sample.
    """
    with Recording(path) as source:
        stream = source.audio
        if stream is None:
            return
        begins = _first_time(path)
        place, rate = 0, 0
        for frame in _decoded(source, stream):
            block = _whole_numbers(frame.to_ndarray(), frame)
            if rate == 0:
                rate, channels = frame.sample_rate, block.shape[1]
            if (frame.sample_rate, block.shape[1]) != (rate, channels):
                raise Unfit(
                    "The sound changes its form half way. Cut the recording into clips, and redact each."
                )
            if frame.pts is not None and frame.time_base is not None:
                now = frame.pts * frame.time_base
                begins = now if begins is None else begins
                should = round((now - begins) * rate)
                if should > place + rate // 20:
                    for gap in range(place, should, BLOCK):
                        yield rate, np.zeros((min(BLOCK, should - gap), channels), np.int16)
                    place = should
                elif should < place:
                    block = block[place - should :] if place - should > rate // 20 or place == 0 else block
            if len(block):
                yield rate, block
                place += len(block)


def _first_time(path: Path) -> Fraction | None:
    """Return when the first frame is shown, in seconds of the recording's own clock; None without a picture."""
    with Recording(path) as source:
        if source.video is not None:
            for frame in _decoded(source, source.video):
                return None if frame.pts is None else Fraction(frame.pts * frame.time_base)
    return None


def _whole_numbers(values: NDArray[Any], frame: Any) -> Sound:
    """Return samples as [samples, channels] of 16 bits, each made from one sample alone."""
    channels = frame.layout.nb_channels
    lines = values.T if frame.format.is_planar else values.reshape(-1, channels)
    if lines.dtype == np.uint8:
        return ((lines.astype(np.int16) - 128) << 8).astype(np.int16)
    if lines.dtype == np.int32:
        return (lines >> 16).astype(np.int16)
    if lines.dtype in (np.float32, np.float64):
        return np.asarray(np.clip(np.rint(np.nan_to_num(lines) * 32767.0), -32768, 32767), np.int16)
    return np.asarray(lines, np.int16)


def hush(block: Sound, start: int, rate: int, spans: Iterable[tuple[int, int]]) -> Sound:
    """Return a block with zeros where a span (milliseconds) lies on it; `start` is its first sample's number."""
    quiet = block.copy()
    for begin, end in spans:
        first, last = begin * rate // 1000 - start, -(-end * rate // 1000) - start
        if last > 0 and first < len(block):
            quiet[max(0, first) : max(0, last)] = 0
    return quiet


def _blocks(path: Path, spans: list[tuple[int, int]]) -> Iterator[tuple[int, Sound]]:
    """Yield the muted sound in blocks of one size, whatever sizes it was coded in."""
    kept: list[Sound] = []
    held, start, rate = 0, 0, 0
    for rate, block in samples(path):
        kept.append(block)
        held += len(block)
        while held >= BLOCK:
            whole = np.concatenate(kept)
            yield rate, hush(whole[:BLOCK], start, rate, spans)
            kept, held, start = [whole[BLOCK:]], held - BLOCK, start + BLOCK
    if held:
        yield rate, hush(np.concatenate(kept), start, rate, spans)


class Writer:
    """A new file: VP9 without loss and FLAC in MP4, or FLAC alone; one thread and fixed settings."""

    def __init__(self, path: Path, look: Look | None, sound: tuple[int, int] | None) -> None:
        self.film = look is not None
        self.out = av.open(
            str(path), "w", format="mp4" if self.film else "flac", options={"fflags": "+bitexact"}
        )
        self.picture: Any = None
        self.sound: Any = None
        if look is not None:
            options = {
                "lossless": "1",
                "deadline": "realtime",
                "cpu-used": "8",
                "row-mt": "0",
                "lag-in-frames": "0",
            }
            self.picture = self.out.add_stream("libvpx-vp9", rate=25, options=options)
            self.picture.width, self.picture.height, self.picture.pix_fmt = (
                look.width,
                look.height,
                look.format,
            )
            self.picture.time_base = Fraction(1, TICKS)
            coder = self.picture.codec_context
            coder.time_base = Fraction(1, TICKS)
            coder.thread_count = 1
            coder.gop_size = 50
            coder.bit_rate = 0
            coder.color_range = 2 if look.full_range else 1
            if look.matrix in MATRICES:
                coder.colorspace = look.matrix
            coder.sample_aspect_ratio = Fraction(*look.shape)
            coder.flags |= int(av.codec.context.Flags.bitexact)
        if sound is not None:
            rate, channels = sound
            self.sound = self.out.add_stream("flac", rate=rate, options={"frame_size": str(BLOCK)})
            self.sound.codec_context.layout = LAYOUTS[channels]
            self.sound.codec_context.format = "s16"
            self.sound.codec_context.thread_count = 1
            self.sound.codec_context.flags |= int(av.codec.context.Flags.bitexact)
        self.heard = 0

    def show(self, shot: Shot) -> None:
        """Encode one painted frame."""
        frame = frame_of(shot)
        frame.pts, frame.time_base = shot.at, Fraction(1, TICKS)
        self.out.mux(self.picture.encode(frame))

    def hear(self, rate: int, block: Sound) -> None:
        """Encode one muted block."""
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block).reshape(1, -1), format="s16", layout=LAYOUTS[block.shape[1]]
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, self.heard, Fraction(1, rate)
        self.heard += len(block)
        self.out.mux(self.sound.encode(frame))

    def close(self) -> None:
        """Write what is still held and end the file."""
        for stream in (self.picture, self.sound):
            if stream is not None:
                self.out.mux(stream.encode(None))
        self.out.close()


LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def _digest_shot(digest: Any, shot: Shot) -> None:
    for plane in shot.planes:
        digest.update(plane.tobytes())


def render(path: Path, out: Path, plan: Mapping[str, Any], progress: Callable[[int], None]) -> dict[str, Any]:
    """Write the redacted recording to `out` and return what it holds, after reading it back and comparing everything.

    Returns {frames, width, height, pictures_sha256, samples, sound_sha256, left_out: [words]}. Refuses when the
    recording does not have the frames that were reviewed.
    """
    spans = muted(plan)
    sound = _blocks(path, spans)
    first = next(sound, None)
    form = None
    if first is not None:
        if first[1].shape[1] not in LAYOUTS:
            raise Unfit("The sound has more than eight channels. Take it out or reduce it first.")
        form = (first[0], first[1].shape[1])
    pictures, heard = hashlib.sha256(), hashlib.sha256()
    writer: Writer | None = None
    count, look, played = 0, None, 0

    def listen(until: float | None) -> None:
        nonlocal first, played
        while writer is not None and first is not None and (until is None or played / first[0] <= until):
            rate, block = first
            heard.update(block.tobytes())
            writer.hear(rate, block)
            played += len(block)
            first = next(sound, None)

    for shot in shots(path):
        if writer is None:
            look = shot.look
            if (look.width, look.height) != (plan["width"], plan["height"]):
                raise Unfit("The recording is not the one that was reviewed: its picture has another size.")
            writer = Writer(out, look, form)
        paint(shot, rects_at(plan, shot.index))
        _digest_shot(pictures, shot)
        listen(shot.at / TICKS)
        writer.show(shot)
        count += 1
        if count % 25 == 0:
            progress(count)
    if count != plan["frames"]:
        raise Unfit(f"The recording has {count} frames, but {plan['frames']} were reviewed.")
    if writer is None:
        if form is None:
            raise Unfit("There is neither a picture nor a sound in this file that can be read.")
        writer = Writer(out, None, form)
    listen(None)
    writer.close()
    facts: dict[str, Any] = {
        "frames": count,
        "width": look.width if look else 0,
        "height": look.height if look else 0,
        "pictures_sha256": pictures.hexdigest() if count else "",
        "samples": played,
        "sound_sha256": heard.hexdigest() if played else "",
        "left_out": _left_out(path),
    }
    _read_back(out, facts)
    return facts


def _left_out(path: Path) -> list[str]:
    """Return in words what the recording held beside its picture and first sound: it is not in the new file."""
    with Recording(path) as source:
        kept = {s.index for s in (source.video, source.audio) if s is not None}
        names = sorted(str(s.type or "data") for s in source.container.streams if s.index not in kept)
    return [
        f"{names.count(n)} other {n} stream{'s' if names.count(n) > 1 else ''}" for n in sorted(set(names))
    ]


def _read_back(path: Path, facts: Mapping[str, Any]) -> None:
    """Refuse the new file unless every pixel and sample read back from it is what was painted and muted."""
    digest, count = hashlib.sha256(), 0
    for shot in shots(path):
        _digest_shot(digest, shot)
        count += 1
    heard, played = hashlib.sha256(), 0
    for _, block in samples(path):
        heard.update(block.tobytes())
        played += len(block)
    found = (count, digest.hexdigest() if count else "", played, heard.hexdigest() if played else "")
    if found != (facts["frames"], facts["pictures_sha256"], facts["samples"], facts["sound_sha256"]):
        raise Unfit("The new file does not read back as it was painted, so it was thrown away. Tell support.")
    with Recording(path) as again:
        made = again.container
        allowed = {"major_brand", "minor_version", "compatible_brands"}
        if set(made.metadata) - allowed or len(made.streams) != bool(count) + bool(played):
            raise Unfit(
                "The new file holds more than picture and sound, so it was thrown away. Tell support."
            )
