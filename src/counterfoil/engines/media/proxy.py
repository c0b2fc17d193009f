"""Make a copy that browsers play: the very same packets when they can be played, else a transcode frame for frame.

A *remux* keeps every packet: its stream hashes equal the master's. A *rewrap* keeps every packet's content in the form
MP4 wants (length marks for start codes): the decoded frames are equal. A *transcode* has as many frames as the master,
each at its exact time; its pictures are new. Which it was is decided by comparing afterwards, never by intention.
"""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media.answer import made, say
from counterfoil.engines.media.recording import Recording, Timeline, Unplayable, stream_hashes

# What every current browser plays from an MP4. HEVC and 4:2:2 are left out: many play neither.
PLAYED_VIDEO = {"h264": ("yuv420p", "yuvj420p"), "vp9": ("yuv420p",), "av1": ("yuv420p",)}
PLAYED_AUDIO = ("aac", "mp3", "opus", "flac")
# VP9 by libvpx: played by browsers, fast at this setting, and under no GPL (docs/adr/0017 has the figures).
VIDEO = {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0", "lag-in-frames": "0", "auto-alt-ref": "0",
         "threads": "1", "row-mt": "0", "flags": "+bitexact"}  # fmt: skip
EXACT = {**VIDEO, "deadline": "good", "cpu-used": "4", "crf": "18"}
AUDIO = {"flags": "+bitexact"}
MP4 = {"movflags": "+faststart", "fflags": "+bitexact"}
WIDEST = 1920
FAR = 10  # seconds


def proxy(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write `proxy.mp4`: a copy of the recording that browsers play; `options["transcode"]` forces a transcode."""
    path = inputs["file"]
    target = out / "proxy.mp4"
    with Recording(path) as r:
        if r.video is None and r.audio is None:
            raise Unplayable("There is neither picture nor sound in this recording that can be decoded.")
        if not options.get("transcode") and playable(r):
            result = _copied(r, target)
            if result is not None:
                return result
        return transcode(r, target, str(options.get("transcode") or ""))


def playable(r: Recording) -> bool:
    """Say whether a browser plays these streams as they are."""
    if r.video is not None:
        context = r.video.codec_context
        if context.pix_fmt not in PLAYED_VIDEO.get(context.name, ()):
            return False
    return r.audio is None or r.audio.codec_context.name in PLAYED_AUDIO


def copy_packets(
    r: Recording, target: Path, *, start: int | None = None, stop: int | None = None, zero: int = 0
) -> dict[str, Any]:
    """Copy packets into an MP4 as they are, all of them or those of the video from pts `start` to `stop`.

    With a start, the sound is cut to the same times. Everything is moved so that the video's pts `zero` is at zero.
    Returns the SHA-256 of the packets read, by stream.
    """
    streams = [s for s in (r.video, r.audio) if s is not None]
    hashes = {s.index: hashlib.sha256() for s in streams}
    with av.open(str(target), "w", format="mp4", options=MP4) as sink:
        outs = {s.index: sink.add_stream_from_template(s) for s in streams}
        for stream in outs.values():
            stream.metadata.clear()
        sink.metadata.clear()
        if start is not None:
            r.container.seek(start, stream=r.video, backward=True)
        for packet in r.packets(*streams):
            source = packet.stream
            if start is not None and not _inside(packet, r, start, stop):
                continue
            hashes[source.index].update(bytes(packet))
            if zero:
                base = Fraction(r.video.time_base if r.video is not None else source.time_base)
                shift = round(zero * base / Fraction(source.time_base))
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = outs[source.index]
            sink.mux(packet)
    return {f"{i},{r.container.streams[i].type[:1]}": h.hexdigest() for i, h in sorted(hashes.items())}


def _inside(packet: Any, r: Recording, start: int, stop: int | None) -> bool:
    if packet.pts is None:
        return False
    if r.video is None or packet.stream.index == r.video.index:
        return bool(packet.pts >= start and (stop is None or packet.pts <= stop))
    when = packet.pts * Fraction(packet.stream.time_base)
    base = Fraction(r.video.time_base)
    return bool(start * base <= when and (stop is None or when <= stop * base))


def far_start(times: Timeline | None) -> int:
    """Return the pts to count from when a recording begins far from zero (its times are a clock's), else 0."""
    return times.pts[0] if times is not None and times.seconds(times.pts[0]) >= FAR else 0


def _copied(r: Recording, target: Path) -> dict[str, Any] | None:
    """Return the answer when the packets could be kept and the result shows the same frames; None when not."""
    before = r.timeline() if r.video is not None else None
    try:
        with r.again() as source:
            read = copy_packets(source, target, zero=far_start(before))
            left_out = [s.index for s in source.container.streams if f"{s.index},{s.type[:1]}" not in read]
        kept = stream_hashes(target)
        after = _timeline_of(target) if before is not None else None
    except (av.error.FFmpegError, BadInput, ValueError):
        target.unlink(missing_ok=True)
        return None
    same_times = before is None or (after is not None and _same_times(before, after))
    if not same_times:
        target.unlink()
        return None
    mode = "remux" if list(kept.values()) == list(read.values()) else "rewrap"
    facts: dict[str, Any] = {"left_out_streams": left_out, "damage": r.broken, **_starts(after)}
    if mode == "rewrap":
        ours, theirs = content_hash(r.path), content_hash(target)
        if ours != theirs:
            target.unlink()
            return None
        facts["decoded_sha256"] = ours
    streams = {"master": read, "copy": kept, **_times(before, after)}
    return made("proxy.mp4", _type(r), "mp4", mode=mode, streams=streams, facts=facts)


def _times(before: Timeline | None, after: Timeline | None) -> dict[str, Any]:
    if before is None or after is None:
        return {}
    return {
        "frames": {"master": len(before), "copy": len(after)},
        "times_sha256": {"master": relative(before), "copy": relative(after)},
    }


def _starts(after: Timeline | None) -> dict[str, str]:
    """Return where in the copy its first frame is, in seconds: a player counts from there."""
    return {} if after is None else {"starts_at": str(after.seconds(after.pts[0]))}


def relative(times: Timeline) -> str:
    """Return the digest of the times counted from the first frame."""
    return Timeline(times.time_base, tuple(p - times.pts[0] for p in times.pts), frozenset()).digest()


def _same_times(before: Timeline, after: Timeline) -> bool:
    return len(before) == len(after) and relative(before) == relative(after)


def _timeline_of(path: Path) -> Timeline:
    with Recording(path) as r:
        return r.timeline()


def content_hash(path: Path) -> str:
    """Return one SHA-256 over the samples of every decoded frame, as FFmpeg's `-f hash` of the video."""
    from counterfoil.engines.media.recording import frame_bytes

    whole = hashlib.sha256()
    with Recording(path) as r:
        if r.video is not None:
            for frame in r.frames(r.video):
                whole.update(frame_bytes(frame))
    return whole.hexdigest()


def _type(r: Recording) -> str:
    return "video/mp4" if r.video is not None else "audio/mp4"


def transcode(r: Recording, target: Path, only: str = "") -> dict[str, Any]:
    """Write a VP9 and AAC copy frame for frame and return its answer; `only` is "exact" for the better picture."""
    before = r.timeline() if r.video is not None else None
    settings = EXACT if only == "exact" else VIDEO
    facts = encode(r, target, before, settings, None, None)
    after = _timeline_of(target) if before is not None else None
    streams = {"copy": stream_hashes(target), **_times(before, after)}
    facts |= {
        "damage": r.broken,
        **_starts(after),
        "same_times": before is None or (after is not None and _same_times(before, after)),
    }
    return made("proxy.mp4", _type(r), "mp4", mode="transcode", streams=streams, facts=facts)


def encode(
    r: Recording,
    target: Path,
    times: Timeline | None,
    settings: dict[str, str],
    first: int | None,
    last: int | None,
    *,
    encoder: "type[Pictures] | None" = None,
) -> dict[str, Any]:
    """Decode and encode the frames from pts `first` to `last` (all without them); return what was done to them.

    Each frame keeps its exact time. One that does not come later than the one before is moved by the smallest step
    and counted in `moved`.
    """
    facts: dict[str, Any] = {"moved": 0, "rotated": 0}
    with av.open(str(target), "w", format="mp4", options=MP4) as sink:
        zero = far_start(times) if first is None else first
        maker = encoder or Pictures
        pictures = maker(sink, r, settings, zero, facts) if r.video is not None and times else None
        sound = _Sound(sink, r.audio) if r.audio is not None else None
        if pictures is not None and times is not None:
            with r.again() as source:
                wanted = range(
                    first if first is not None else times.pts[0],
                    (last if last is not None else times.pts[-1]) + 1,
                )
                for n, frame in enumerate(source.frames(source.video, start=first)):
                    if frame.pts is None or frame.pts < wanted.start:
                        continue
                    if frame.pts >= wanted.stop and last is not None:
                        break
                    pictures.take(frame)
                    if n % 50 == 0:
                        say((frame.pts - wanted.start) / max(1, len(wanted)), "pictures")
                facts["undecodable"] = source.undecodable
            pictures.finish()
        if sound is not None:
            base = Fraction(r.video.time_base) if r.video is not None else Fraction(1)
            with r.again() as source:
                sound.take_all(
                    source,
                    None if first is None else first * base,
                    None if last is None else last * base,
                    zero * base,
                )
    return facts


class Pictures:
    """The encoder of the pictures, made when the first frame says how large it is."""

    def __init__(self, sink: Any, r: Recording, settings: dict[str, str], zero: int, facts: dict[str, Any]):
        video = r.video
        assert video is not None  # noqa: S101  (the caller asked)
        rate = video.average_rate or video.guessed_rate or Fraction(25)
        self.sink, self.facts, self.shift = sink, facts, zero
        self.base = Fraction(video.time_base)
        self.stream = sink.add_stream("libvpx-vp9", rate=rate, options=settings)
        self.stream.pix_fmt = "yuv420p"
        self.stream.codec_context.thread_count = 1
        self.size: tuple[int, int] | None = None
        self.last: int | None = None

    def take(self, frame: Any) -> None:
        turned = upright(frame)
        self.facts["rotated"] = frame.rotation
        if self.size is None:
            self.size = fitted(turned.width, turned.height)
            self.facts["size"] = list(self.size)
            self.stream.width, self.stream.height = self.size
            self.stream.codec_context.time_base = self.base
            self.stream.time_base = self.base
        picture = turned.reformat(*self.size, format="yuv420p")
        pts = frame.pts - self.shift
        if self.last is not None and pts <= self.last:
            pts = self.last + 1
            self.facts["moved"] += 1
        self.last = pts
        picture.pts, picture.time_base, picture.pict_type = pts, self.base, 0
        for packet in self.stream.encode(picture):
            self.sink.mux(packet)

    def finish(self) -> None:
        if self.size is None:
            raise Unplayable("There is no frame in this recording that can be decoded.")
        for packet in self.stream.encode():
            self.sink.mux(packet)


class _Sound:
    """The encoder of the sound."""

    def __init__(self, sink: Any, audio: Any):
        rate = audio.codec_context.sample_rate or 48000
        self.rate = rate if rate in (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000) else 48000
        self.layout = "mono" if (audio.codec_context.channels or 1) == 1 else "stereo"
        self.sink = sink
        self.stream = sink.add_stream("aac", rate=self.rate, layout=self.layout, options=AUDIO)
        self.stream.bit_rate = 64_000 if self.layout == "mono" else 128_000
        self.resampler = av.AudioResampler(format="fltp", layout=self.layout, rate=self.rate)

    def take_all(
        self, source: Recording, first: Fraction | None, last: Fraction | None, zero: Fraction
    ) -> None:
        audio = source.audio
        assert audio is not None  # noqa: S101  (the caller asked)
        base = Fraction(audio.time_base)
        start = None if first is None else int(first / base)
        for frame in source.frames(audio, start=start):
            when = (frame.pts or 0) * Fraction(frame.time_base or base)
            if first is not None and when < first:
                continue
            if last is not None and when > last:
                break
            frame.pts = round((when - zero) / Fraction(frame.time_base or base))
            self._encode(self.resampler.resample(frame))
        self._encode(self.resampler.resample(None))
        for packet in self.stream.encode():
            self.sink.mux(packet)

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            for packet in self.stream.encode(frame):
                self.sink.mux(packet)


def fitted(width: int, height: int, widest: int = WIDEST) -> tuple[int, int]:
    """Return an even size no wider or higher than `widest`, with the same shape."""
    scale = min(1.0, widest / max(width, height))
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def upright(frame: Any) -> Any:
    """Return a frame turned the way a player shows it, when the container says the camera was turned."""
    turn = int(frame.rotation or 0) % 360
    if turn == 0:
        return frame
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format.name, time_base=Fraction(1, 1000)
    )
    steps = {
        90: [("transpose", "cclock")],
        180: [("hflip", ""), ("vflip", "")],
        270: [("transpose", "clock")],
    }
    last = source
    for name, argument in steps.get(turn, []):
        step = graph.add(name, argument)
        last.link_to(step)
        last = step
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    source.push(frame)
    return sink.pull()
