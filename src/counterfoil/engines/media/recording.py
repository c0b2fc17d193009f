"""Open a recording by what its bytes are, read its packets and frames, and know every frame's exact time.

FFmpeg is told which demuxer to use and may open nothing but the one file: no playlists, no references to other files,
no network protocols. Decoding uses one thread, so that damaged recordings decode the same way every time.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error

from counterfoil.engines.errors import BadInput

# Demuxers by the first bytes of a file. Whatever is not here is tried with CAUTIOUS, and with nothing else.
_HEADS: tuple[tuple[bytes, int, str], ...] = (
    (b"\x1a\x45\xdf\xa3", 0, "matroska"),
    (b"AVI ", 8, "avi"),
    (b"WAVE", 8, "wav"),
    (b"DHAV", 0, "dhav"),
    (b"DAHUA", 0, "dhav"),
    (b"\x00\x00\x01\xba", 0, "mpeg"),
    (b"\x00\x00\x01\xb3", 0, "mpegvideo"),
    (b"fLaC", 0, "flac"),
    (b"OggS", 0, "ogg"),
    (b"ID3", 0, "mp3"),
    (b"FLV\x01", 0, "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0, "asf"),
    (b"HXVS", 0, "hxvs"),
    (b"HXVF", 0, "hxvs"),
    (b"ftyp", 4, "mov"),
    (b"moov", 4, "mov"),
    (b"mdat", 4, "mov"),
    (b"wide", 4, "mov"),
    (b"free", 4, "mov"),
    (b"skip", 4, "mov"),
)
CAUTIOUS = "dhav,hxvs,ifv,h264,hevc,mjpeg,mpegts,mpegvideo,m4v,mpeg,mp3,aac,asf,flv,nut"
LONGEST = 4_000_000  # packets of one stream: four days at 12 frames a second

ASK = (
    "It cannot be played with what we have. Ask whoever keeps the recorder for three things: the recording in its "
    "native format as it is, the maker's player, and the same minutes exported as AVI or MP4. Keep the native one as "
    "the exhibit."
)


class Unplayable(BadInput):
    """Refuse a recording that no demuxer or decoder here reads; the sentence says what to ask its owner for."""

    def __init__(self, why: str) -> None:
        super().__init__("file", f"{why} {ASK}")


def demuxer_of(head: bytes) -> str:
    """Return FFmpeg's name of the demuxer for these first bytes, or "" when they name none."""
    for mark, at, name in _HEADS:
        if head[at : at + len(mark)] == mark:
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:
        return "mp3"
    if len(head) > 188 and head[0] == 0x47 and head[188] == 0x47:
        return "mpegts"
    return ""


@dataclass(frozen=True)
class Timeline:
    """Every frame's exact time in presentation order, in units of `time_base` seconds; `keys` are the key frames."""

    time_base: Fraction
    pts: tuple[int, ...]
    keys: frozenset[int]

    def __len__(self) -> int:
        return len(self.pts)

    def seconds(self, pts: int) -> Fraction:
        """Return a time in seconds, exactly."""
        return pts * self.time_base

    def at(self, seconds: Fraction) -> int:
        """Return the number (from 0) of the frame on screen at a time counted from the first frame."""
        wanted = self.pts[0] + seconds / self.time_base
        low, high = 0, len(self.pts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.pts[middle] <= wanted else (low, middle - 1)
        return low

    @property
    def steps(self) -> dict[Fraction, int]:
        """Return how often each distance between neighbouring frames occurs, in seconds."""
        found: dict[Fraction, int] = {}
        for a, b in zip(self.pts, self.pts[1:], strict=False):
            step = (b - a) * self.time_base
            found[step] = found.get(step, 0) + 1
        return found

    def digest(self) -> str:
        """Return one SHA-256 over every frame's time in seconds, written as a fraction: equal lists, equal digest."""
        whole = hashlib.sha256()
        for p in self.pts:
            whole.update(f"{p * self.time_base}\n".encode())
        return whole.hexdigest()


class Recording:
    """A recording opened for reading. Use as `with Recording(path) as r:`; each pass over it opens it afresh."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as f:
            self.demuxer = demuxer_of(f.read(512))
        self.undecodable = 0
        self.broken = ""
        self.container = self._open()

    def _open(self) -> Any:
        options = {"protocol_whitelist": "file", "enable_drefs": "0", "use_absolute_path": "0"}
        if not self.demuxer:
            options["format_whitelist"] = CAUTIOUS
        try:
            container = av.open(
                str(self.path), format=self.demuxer or None, options=options, metadata_errors="replace"
            )
        except (av.error.FFmpegError, ValueError, UnicodeError) as e:
            if self.demuxer == "mov":
                raise Unplayable(
                    "The recording has no index that can be read: it was probably cut off while it was exported."
                ) from e
            raise Unplayable("This recording is in a format that cannot be read here.") from e
        for stream in (*container.streams.video, *container.streams.audio):
            if stream.codec_context is not None:
                stream.codec_context.thread_count = 1
        return container

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.close()

    @property
    def video(self) -> Any | None:
        """Return the first stream of moving pictures (not a cover picture), or None."""
        for stream in self.container.streams.video:
            if (
                not stream.disposition & av.stream.Disposition.attached_pic
                and stream.codec_context is not None
            ):
                return stream
        return None

    @property
    def audio(self) -> Any | None:
        """Return the first stream of sound that can be decoded, or None."""
        return next((s for s in self.container.streams.audio if s.codec_context is not None), None)

    def again(self) -> "Recording":
        """Return the same recording opened anew, from its beginning."""
        return Recording(self.path)

    def packets(self, *streams: Any) -> Iterator[Any]:
        """Yield packets in the order they are stored; a damaged end ends the walk and is kept in `broken`."""
        walk = self.container.demux(*streams)
        while True:
            try:
                packet = next(walk)
            except StopIteration:
                return
            except av.error.FFmpegError as e:
                self.broken = (
                    f"The file is damaged and could be read only in part ({e.strerror or 'no more'})."
                )
                return
            if packet.size == 0:
                continue
            if packet.is_corrupt:
                self.broken = "The file is damaged: a packet in it is not whole."
            yield packet

    def frames(self, stream: Any, *, start: int | None = None) -> Iterator[Any]:
        """Yield decoded frames in presentation order, from the key frame at or before `start` (in `time_base`)."""
        if start is not None:
            with contextlib.suppress(av.error.FFmpegError):
                self.container.seek(start, stream=stream, backward=True)
        for packet in self.packets(stream):
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                self.undecodable += 1
        try:
            yield from stream.codec_context.decode(None)
        except av.error.FFmpegError:
            self.undecodable += 1

    def timeline(self, stream: Any | None = None) -> Timeline:
        """Return every frame's time, read from the packets, or by decoding when the container gives none."""
        stream = stream or self.video
        if stream is None:
            raise Unplayable("There are no moving pictures in this recording.")
        pts: list[int] = []
        keys: set[int] = set()
        missing = False
        with self.again() as r:
            for packet in r.packets(r.container.streams[stream.index]):
                if packet.is_discard:
                    continue
                if packet.pts is None:
                    missing = True
                    break
                pts.append(packet.pts)
                if packet.is_keyframe:
                    keys.add(packet.pts)
                if len(pts) > LONGEST:
                    raise BadInput("file", "This recording has more frames than can be counted here.")
            self.broken = self.broken or r.broken
        if missing or len(set(pts)) != len(pts):
            return self._decoded_timeline(stream)
        if not pts:
            raise Unplayable("There is no frame in this recording that can be read.")
        return Timeline(Fraction(stream.time_base), tuple(sorted(pts)), frozenset(keys))

    def _decoded_timeline(self, stream: Any) -> Timeline:
        """Return the times that the decoder gives, each later than the one before."""
        found: list[int] = []
        keys: set[int] = set()
        with self.again() as r:
            for frame in r.frames(r.container.streams[stream.index]):
                if frame.pts is None:
                    raise Unplayable("The frames of this recording have no times.")
                if found and frame.pts <= found[-1]:
                    continue
                found.append(frame.pts)
                if frame.key_frame:
                    keys.add(frame.pts)
            self.broken = self.broken or r.broken
        if not found:
            raise Unplayable("There is no frame in this recording that can be decoded.")
        return Timeline(Fraction(stream.time_base), tuple(found), frozenset(keys))


def stream_hashes(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each stream's packets, in order, as FFmpeg's `streamhash` writes it: {"0,v": hex}."""
    hashes: dict[int, Any] = {}
    with Recording(path) as r:
        kinds = {s.index: s.type[:1] for s in r.container.streams}
        for packet in r.packets():
            hashes.setdefault(packet.stream_index, hashlib.sha256()).update(bytes(packet))
    return {f"{i},{kinds.get(i, '?')}": h.hexdigest() for i, h in sorted(hashes.items())}


def frame_bytes(frame: Any) -> bytes:
    """Return a decoded picture's samples without padding, plane after plane, as FFmpeg's `framehash` counts them."""
    encoder = av.CodecContext.create("rawvideo", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    encoder.time_base = Fraction(1, 1000)
    return b"".join(bytes(p) for p in encoder.encode(frame))


def frame_hashes(path: Path) -> list[tuple[Fraction, str]]:
    """Return each decoded frame's time in seconds and the SHA-256 of its samples."""
    with Recording(path) as r:
        if r.video is None:
            return []
        base = Fraction(r.video.time_base)
        return [((f.pts or 0) * base, hashlib.sha256(frame_bytes(f)).hexdigest()) for f in r.frames(r.video)]
