"""Where the bytes of unfinished uploads wait: what is acknowledged is durable, and what is not does not exist.

One folder an upload, `<root>/<name>/`, with

    data      the bytes
    journal   records of one size, each with its own checksum: `L` a declared length, `S` bytes a to b, their SHA-256
    lock      held (flock) by the one process that writes; goes with its process

The journal is the only truth. Bytes are written, synced (`fdatasync`), then named by a journal record that is synced
too; only then may anybody be told. Bytes beyond the last record were never acknowledged and are cut off by the next
writer, so a process that was killed, or a disk that grew a file without its bytes, leaves nothing false behind. Each
record has the digest of what came over the wire: `finishing` reads the file again and compares, whatever processes
took part. A body without a checksum is recorded at least every `EVERY` seconds, so a kill costs the sender no more.

A disk that fails to sync is not asked again (`engines.disk`): the store is closed to this process.

A writer whose client went silent may still wait for bytes. Another one may take the lock from it after `SILENCE`
seconds: the lock file is replaced, and every write first checks, inside a short second lock (flock on the journal),
that its own lock is still the one in place. So two writers never interleave.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from counterfoil.engines import disk
from counterfoil.engines.errors import Corrupt, Refusal
from counterfoil.engines.tus.rules import Checksum, Stop
from counterfoil.engines.vault import Quarantine, Stored

SMALL, BIG = 1 << 16, 1 << 20
EVERY = 10.0
SILENCE = 10.0
AHEAD = 1 << 25
_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_RECORD = 116


class Body(Protocol):
    """What a request's bytes are read from: up to `size` bytes, b"" at the end."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        ...


@dataclass(frozen=True)
class State:
    """How far an upload is: bytes acknowledged, bytes expected (None: not told yet), its last change (Unix time)."""

    offset: int
    length: int | None
    touched: float

    @property
    def complete(self) -> bool:
        """Say whether every byte is here."""
        return self.offset == self.length


@dataclass(frozen=True)
class Whole:
    """A complete upload that was read back: its digest and size, its first bytes, and where it lies."""

    stored: Stored
    head: bytes
    path: Path

    def into(self, store: Quarantine) -> Stored:
        """Give the file to a store on the same disk without copying it."""
        return store.adopt(self.path, self.stored)


@dataclass(frozen=True)
class _Segment:
    start: int
    end: int
    sha256: str


@dataclass(frozen=True)
class _Journal:
    """What the records say: acknowledged segments without a gap, the declared length, and how many records hold."""

    segments: tuple[_Segment, ...]
    length: int | None
    records: int

    @property
    def offset(self) -> int:
        return self.segments[-1].end if self.segments else 0


class Partials:
    """The folder of unfinished uploads. `clock` returns the Unix time; `head` first bytes are given out at the end."""

    def __init__(self, root: str | Path, *, clock: Callable[[], float], head: int = 4096) -> None:
        self.root, self.clock, self.head = Path(root), clock, head

    def create(self, name: str, *, length: int | None) -> None:
        """Make an upload, durably; FileExistsError if there is one of this name (32 lower-case hex digits)."""
        final = self._folder(name)
        with disk.told(), self._making(final) as folder:
            self._file(folder / "data", b"")
            self._file(folder / "journal", b"" if length is None else _record("L", length, 0))

    def join(self, name: str, parts: Sequence[str]) -> State:
        """Make an upload of complete ones, in order, durably; they stay. `Stop` when one is missing or incomplete."""
        final = self._folder(name)
        with disk.told(), contextlib.ExitStack() as held:
            writers = [held.enter_context(self._writing(part)) for part in dict.fromkeys(parts)]
            by_name = dict(zip(dict.fromkeys(parts), writers, strict=True))
            if not all(w.journal.length == w.journal.offset for w in writers):
                raise Stop("parts")
            with self._making(final) as folder, (folder / "data").open("xb", buffering=0) as data:
                total, records = 0, []
                for part in parts:
                    one = by_name[part]
                    _copy(one.data, data.fileno(), one.journal.offset)
                    for s in one.journal.segments:
                        records.append(_record("S", s.start + total, s.end + total, s.sha256))
                    total += one.journal.offset
                disk.sync(data.fileno(), self.root)
                self._file(folder / "journal", _record("L", total, 0) + b"".join(records))
        found = self.state(name)
        assert found is not None  # noqa: S101  (made just now)
        return found

    def state(self, name: str) -> State | None:
        """Return how far an upload is; None if there is none of this name."""
        folder = self._folder(name)
        try:
            journal = _read_journal((folder / "journal").read_bytes())
            touched = (folder / "data").stat().st_mtime
        except (FileNotFoundError, NotADirectoryError):
            return None
        return State(journal.offset, journal.length, touched)

    def append(
        self,
        name: str,
        offset: int,
        body: Body,
        *,
        sent: int | None = None,
        checksum: Checksum | None = None,
        length: int | None = None,
        at_most: int | None = None,
    ) -> State:
        """Append a body at `offset` and return how far the upload is, once that is durable.

        `sent` is the body's declared size; a body that ends earlier is kept as far as it came, unless it has a
        `checksum`, which covers all of it or nothing. `length` declares the upload's length if it was not declared;
        `at_most` bounds one whose length is still unknown. `Stop`: absent, offset, checksum, too-long, busy. DiskFault
        if the disk is full or failing. What was not acknowledged by a returned state was not kept.
        """
        disk.ready(self.root)
        with self._writing(name) as writer:
            return self._append(writer, offset, body, sent, checksum, length, at_most)

    def _append(
        self,
        writer: "_Writer",
        offset: int,
        body: Body,
        sent: int | None,
        checksum: Checksum | None,
        length: int | None,
        at_most: int | None,
    ) -> State:
        if offset != writer.journal.offset:
            raise Stop("offset")
        declared = writer.journal.length
        if length is not None and declared is not None and length != declared:
            raise Stop("header", name="Upload-Length", must="was already told and cannot change")
        if length is not None and length < offset:
            raise Stop("header", name="Upload-Length", must="is less than what is already here")
        room = length if length is not None else declared
        room = at_most if room is None else room
        if room is not None and offset + (sent or 0) > room:
            raise Stop("too-long")
        if length is not None and declared is None:
            writer.declare(length)
        writer.cut()
        try:
            with disk.told(), _Hashing() as hashing:
                self._stream(writer, hashing, body, sent, checksum, room)
        except Refusal:
            # Room is given back at once; if even this fails, the next writer does it.
            with contextlib.suppress(Refusal, OSError):
                writer.cut()
            raise
        return State(writer.journal.offset, writer.journal.length, self.clock())

    def _stream(
        self,
        writer: "_Writer",
        hashing: "_Hashing",
        body: Body,
        sent: int | None,
        checksum: Checksum | None,
        room: int | None,
    ) -> None:
        """Write, hash and record a body."""
        at, left, size, recorded = writer.journal.offset, sent, SMALL, self.clock()
        broken_off: Exception | None = None
        while left is None or left:
            before = self.clock()
            try:
                block = body.read(size if left is None else min(size, left))
            except Exception as error:  # the line broke: what came before is kept, and the caller is told
                broken_off = error
                break
            if not block:
                break
            if room is not None and at + len(block) > room:
                raise Stop("too-long")
            hashing.update(block)
            writer.write(at, block)
            at += len(block)
            left = None if left is None else left - len(block)
            now = self.clock()
            # Long reads on a fast line; short ones on a slow line, so that what came is soon on the disk.
            size = min(size * 4, BIG) if now - before < 0.05 else max(size // 4, SMALL)
            if checksum is None and now - recorded >= EVERY:
                writer.acknowledge(at, hashing.restart())
                recorded = now
        if checksum is not None and hashing.digest() != checksum.sha256:
            raise Stop("checksum")
        if at > writer.journal.offset:
            writer.acknowledge(at, hashing.digest())
        if broken_off is not None:
            raise broken_off

    @contextlib.contextmanager
    def finishing(self, name: str) -> Iterator[Whole]:
        """Hold a complete upload, read back from the disk and equal to what came in; nobody writes to it meanwhile.

        Corrupt if the disk holds other bytes than those that were acknowledged. `Stop("offset")` if bytes are missing.
        """
        with self._writing(name) as writer:
            if writer.journal.offset != writer.journal.length:
                raise Stop("offset")
            writer.cut()
            with disk.told():
                disk.sync(writer.data, self.root)
            stored = _read_back(writer.data, writer.journal.segments)
            head = os.pread(writer.data, self.head, 0)
            yield Whole(stored, head, writer.folder / "data")

    def drop(self, name: str) -> bool:
        """Remove an upload and say whether there was one. A writer still at work meets `Stop("absent")`."""
        folder = self._folder(name)
        if not folder.is_dir():
            return False
        gone = folder.with_name(f"{name}.gone-{secrets.token_hex(4)}")
        try:
            with self._gate(folder):
                folder.rename(gone)
        except FileNotFoundError:
            return False
        disk.sync_folder(self.root, self.root)
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def names(self) -> list[str]:
        """Return the name of every upload."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if _NAME.fullmatch(p.name))

    def clear(self, *, older_than: Callable[[float], bool]) -> int:
        """Remove folders that a stopped process was making or removing; return how many."""
        removed = 0
        for path in self.root.iterdir() if self.root.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):
                if not _NAME.fullmatch(path.name) and older_than(path.stat().st_mtime):
                    shutil.rmtree(path, ignore_errors=True)
                    removed += 1
        return removed

    def fsck(self) -> list[str]:
        """Read every acknowledged byte again and return a sentence for each that is not what was sent."""
        faults = []
        for name in self.names():
            folder = self.root / name
            try:
                journal = _read_journal((folder / "journal").read_bytes())
                with (folder / "data").open("rb", buffering=0) as data:
                    _read_back(data.fileno(), journal.segments)
            except FileNotFoundError:
                if folder.is_dir():
                    faults.append(f"The upload {name} lacks its data or its journal.")
            except Corrupt as wrong:
                faults.append(f"The upload {name}: {wrong}")
        return faults

    def _folder(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise Stop("absent")
        return self.root / name

    @contextlib.contextmanager
    def _making(self, final: Path) -> Iterator[Path]:
        """Give a folder to fill, and put it durably in its place at the end."""
        disk.ready(self.root)
        if not self.root.is_dir():
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            disk.sync_folder(self.root.parent, self.root)
        folder = self.root / f"{final.name}.new-{secrets.token_hex(4)}"
        try:
            folder.mkdir(mode=0o700)
            yield folder
            self._file(folder / "lock", b"")
            disk.sync_folder(folder, self.root)
            if final.exists():
                raise FileExistsError(errno.EEXIST, "there is an upload of this name", str(final))
            folder.rename(final)
            disk.sync_folder(self.root, self.root)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _file(self, path: Path, content: bytes) -> None:
        with path.open("xb", buffering=0) as file:
            file.write(content)
            if content:
                disk.sync(file.fileno(), self.root)

    @contextlib.contextmanager
    def _gate(self, folder: Path) -> Iterator[None]:
        with (folder / "journal").open("rb") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator["_Writer"]:
        """Be the one writer of an upload."""
        folder = self._folder(name)
        with contextlib.ExitStack() as held:
            try:
                lock = self._lock(folder, held)
                data = os.open(folder / "data", os.O_RDWR | os.O_CLOEXEC)
                held.callback(os.close, data)
                journal = os.open(folder / "journal", os.O_RDWR | os.O_CLOEXEC)
                held.callback(os.close, journal)
            except (FileNotFoundError, NotADirectoryError):
                raise Stop("absent") from None
            yield _Writer(folder, lock, data, journal)

    def _lock(self, folder: Path, held: contextlib.ExitStack) -> int:
        path = folder / "lock"
        for _ in range(5):
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                if self.clock() - (folder / "data").stat().st_mtime < SILENCE:
                    raise Stop("busy") from None
                return self._take_over(folder, held)
            if _same(handle, path):
                held.callback(os.close, handle)
                # Said at once, so that nobody takes a writer that waits for its first bytes for a silent one.
                os.utime(folder / "data")
                return handle
            os.close(handle)
        raise Stop("busy")

    def _take_over(self, folder: Path, held: contextlib.ExitStack) -> int:
        """Put a new lock, held by us, in the place of one whose holder has been silent."""
        fresh = folder / f"lock-{secrets.token_hex(8)}"
        handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        held.callback(os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with self._gate(folder):
            os.utime(folder / "data")
            fresh.rename(folder / "lock")
        return handle


class _Writer:
    """The one writer of an upload: every change is made while its lock is in place."""

    def __init__(self, folder: Path, lock: int, data: int, journal: int) -> None:
        self.folder, self.lock, self.data, self._log = folder, lock, data, journal
        self.journal = _read_journal(_all(journal))
        self._pushed = self.journal.offset

    @contextlib.contextmanager
    def _mine(self) -> Iterator[None]:
        fcntl.flock(self._log, fcntl.LOCK_EX)
        try:
            if not _same(self.lock, self.folder / "lock"):
                raise Stop("busy" if self.folder.is_dir() else "absent")
            yield
        finally:
            fcntl.flock(self._log, fcntl.LOCK_UN)

    def cut(self) -> None:
        """Remove bytes that were never acknowledged.

        The journal is read again: a record that was written but not synced may stand all the same, and the bytes that
        it tells of were synced before it.
        """
        with self._mine():
            self.journal = _read_journal(_all(self._log))
            if os.fstat(self.data).st_size > self.journal.offset:
                os.ftruncate(self.data, self.journal.offset)
            if os.fstat(self.data).st_size < self.journal.offset:
                raise Corrupt(f"The upload {self.folder.name} is shorter than what was acknowledged.")

    def write(self, at: int, block: bytes) -> None:
        """Write a block; not durable yet."""
        with self._mine():
            view = memoryview(block)
            while view:
                count = os.pwrite(self.data, view, at)
                view, at = view[count:], at + count
        if at - self._pushed >= AHEAD:
            # Starts writing to the disk now, so that the sync at the end finds little left to do.
            os.posix_fadvise(self.data, self._pushed, at - self._pushed, os.POSIX_FADV_DONTNEED)
            self._pushed = at

    def declare(self, length: int) -> None:
        """Record the upload's length."""
        self._record(_record("L", length, 0))

    def acknowledge(self, end: int, sha256: str) -> None:
        """Make the bytes up to `end` durable and record them; after this they may be acknowledged."""
        disk.sync(self.data, self.folder.parent)
        self._record(_record("S", self.journal.offset, end, sha256))

    def _record(self, record: bytes) -> None:
        with self._mine():
            os.pwrite(self._log, record, self.journal.records * _RECORD)
            disk.sync(self._log, self.folder.parent)
        self.journal = _read_journal(_all(self._log))


class _Hashing:
    """SHA-256 of blocks, computed beside the caller; one block at a time."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._helper: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None

    def __enter__(self) -> "_Hashing":
        return self

    def __exit__(self, *_: object) -> None:
        if self._helper is not None:
            self._helper.shutdown()

    def update(self, block: bytes) -> None:
        self._wait()
        if len(block) < SMALL:
            self._digest.update(block)
            return
        if self._helper is None:
            self._helper = ThreadPoolExecutor(1)
        self._running = self._helper.submit(self._digest.update, block)

    def digest(self) -> str:
        self._wait()
        return self._digest.hexdigest()

    def restart(self) -> str:
        """Return the digest so far and begin again."""
        found = self.digest()
        self._digest = hashlib.sha256()
        return found

    def _wait(self) -> None:
        if self._running is not None:
            self._running.result()
            self._running = None


def _record(kind: str, a: int, b: int, sha256: str = "0" * 64) -> bytes:
    text = f"{kind} {a:019d} {b:019d} {sha256} ".encode()
    return text + f"{zlib.crc32(text):08x}\n".encode()


def _read_journal(raw: bytes) -> _Journal:
    """Return what a journal says, up to its first record that does not hold (a stopped writer's last one)."""
    segments: list[_Segment] = []
    length: int | None = None
    records = at = 0
    for start in range(0, len(raw) - _RECORD + 1, _RECORD):
        record = raw[start : start + _RECORD]
        if record[-9:] != f"{zlib.crc32(record[:-9]):08x}\n".encode():
            break
        kind, a, b, sha256 = record[:-10].decode().split(" ")
        if kind == "S":
            if int(a) != at:
                break
            at = int(b)
            segments.append(_Segment(int(a), at, sha256))
        else:
            length = int(a)
        records += 1
    return _Journal(tuple(segments), length, records)


def _read_back(data: int, segments: Sequence[_Segment]) -> Stored:
    """Read acknowledged bytes back and return their digest; Corrupt unless each segment is as it came.

    As the system holds them, synced; sealing reads them from the disk itself once more (`Vault.copy_from`).
    """
    at, buffers = 0, [memoryview(bytearray(BIG)), memoryview(bytearray(BIG))]
    turn = 0
    with _Hashing() as whole:
        for segment in segments:
            one = hashlib.sha256()
            while at < segment.end:
                turn += 1
                view = buffers[turn % 2][: min(BIG, segment.end - at)]
                count = os.preadv(data, [view], at)
                if not count:
                    raise Corrupt("It is shorter than what was acknowledged.")
                at += count
                whole.update(view[:count])  # type: ignore[arg-type]
                if len(segments) > 1:
                    one.update(view[:count])
            if (one.hexdigest() if len(segments) > 1 else whole.digest()) != segment.sha256:
                raise Corrupt(f"Its bytes {segment.start} to {segment.end} are not those that came in.")
        return Stored(whole.digest(), at)


def _all(handle: int) -> bytes:
    return os.pread(handle, os.fstat(handle).st_size, 0)


def _same(handle: int, path: Path) -> bool:
    """Say whether an open file is still the one of this name."""
    try:
        there = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    here = os.fstat(handle)
    return (here.st_ino, here.st_dev) == (there.st_ino, there.st_dev)


def _copy(source: int, target: int, size: int) -> None:
    """Copy the first bytes of a file to the end of another, in the kernel."""
    at = 0
    while at < size:
        count = os.sendfile(target, source, at, min(size - at, 1 << 26))
        if not count:
            raise Corrupt("It is shorter than what was acknowledged.")
        at += count
