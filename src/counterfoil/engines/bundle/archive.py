"""One archive in one way only: a zip whose bytes follow from its members' names and contents.

Stored, sorted, dated 1980-01-01, no comment, no extra field but zip64 where a number needs it. A verifier rebuilds
these bytes from the members and compares, so that no byte of the container can say anything of its own.
"""

import hashlib
import io
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from counterfoil.engines.bundle.facts import Member
from counterfoil.engines.errors import BadInput, Corrupt

CHUNK = 1 << 20
MAX_MEMBERS = 20_000
MAX_PATH = 240
SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/")
BIG32, BIG16 = 0xFFFFFFFF, 0xFFFF
DATE = (1980 - 1980) << 9 | 1 << 5 | 1


def safe_path(path: str) -> bool:
    """Say whether a member may be called this: plain ASCII, relative, no empty, dot or dot-dot part."""
    return (
        0 < len(path) <= MAX_PATH
        and set(path) <= SAFE
        and all(part not in ("", ".", "..") and not part.startswith(".") for part in path.split("/"))
    )


def local_header(name: bytes, crc: int, size: int) -> bytes:
    """Return the bytes before a member's content."""
    big = size >= BIG32
    extra = struct.pack("<HHQQ", 1, 16, size, size) if big else b""
    shown = BIG32 if big else size
    version = 45 if big else 20
    return (
        struct.pack("<4s5H3I2H", b"PK\3\4", version, 0, 0, 0, DATE, crc, shown, shown, len(name), len(extra))
        + name
        + extra
    )


def central_entry(name: bytes, crc: int, size: int, offset: int) -> bytes:
    """Return a member's line in the archive's directory."""
    wide = ([size, size] if size >= BIG32 else []) + ([offset] if offset >= BIG32 else [])
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    shown, place = min(size, BIG32), min(offset, BIG32)
    version = 45 if wide else 20
    return (
        struct.pack(
            "<4s6H3I5H2I",
            b"PK\1\2",
            3 << 8 | version,
            version,
            0,
            0,
            0,
            DATE,
            crc,
            shown,
            shown,
            len(name),
            len(extra),
            0,
            0,
            0,
            (stat.S_IFREG | 0o644) << 16,
            place,
        )
        + name
        + extra
    )


def end_record(count: int, size: int, offset: int) -> bytes:
    """Return the bytes after the directory."""
    tail = b""
    if count >= BIG16 or size >= BIG32 or offset >= BIG32:
        tail = struct.pack(
            "<4sQ2H2I4Q", b"PK\6\6", 44, 3 << 8 | 45, 45, 0, 0, count, count, size, offset
        ) + struct.pack("<4sIQI", b"PK\6\7", 0, offset + size, 1)
    few = min(count, BIG16)
    return tail + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, few, few, min(size, BIG32), min(offset, BIG32), 0)


def write_archive(out: Path, top: str, members: Iterable[Member]) -> None:
    """Write the one archive these members give, durably; members are read once and re-hashed while written.

    Raises Corrupt, leaving no file, if a member's bytes are not those its digest names. Never replaces a file.
    """
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("xb") as f:
            _write(f, top, members)
            f.flush()
            os.fsync(f.fileno())
        os.link(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(f: BinaryIO, top: str, members: Iterable[Member]) -> None:
    directory: list[bytes] = []
    for member in sorted(members, key=lambda m: m.path.encode()):
        if not safe_path(member.path):
            raise BadInput("path", f"A bundle cannot hold a file called {ascii(member.path)[:80]}.")
        name = f"{top}/{member.path}".encode()
        start = f.tell()
        f.write(local_header(name, 0, member.size))
        crc, size, digest = 0, 0, hashlib.sha256()
        with member.open() as content:
            while chunk := content.read(CHUNK):
                crc = zlib.crc32(chunk, crc)
                size += len(chunk)
                digest.update(chunk)
                f.write(chunk)
        if size != member.size or digest.hexdigest() != member.sha256:
            raise Corrupt(f"The bytes of {member.path} are not those that were recorded. No bundle was made.")
        end = f.tell()
        f.seek(start)
        f.write(local_header(name, crc, size))
        f.seek(end)
        directory.append(central_entry(name, crc, size, start))
    offset = f.tell()
    f.write(b"".join(directory))
    f.write(end_record(len(directory), sum(map(len, directory)), offset))


@dataclass(frozen=True)
class Found:
    """A file found in a bundle: where its content lies, how long it is and what it hashes to."""

    path: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO]

    def read(self, limit: int) -> bytes:
        """Return the content, or raise Corrupt if it is longer than `limit` bytes."""
        if self.size > limit:
            raise Corrupt(f"{self.path} is longer than such a file may be.")
        with self.open() as f:
            return f.read(limit + 1)


class _Window(io.RawIOBase):
    """A readable slice of a file."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        self._file = path.open("rb")
        self._file.seek(start)
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def read_archive(path: Path) -> tuple[str, dict[str, Found]]:
    """Read a canonical archive and return (top folder, files by path under it); raise Corrupt for anything else.

    Every content is hashed once, streaming; every other byte is compared with what the members give.
    """
    files: dict[str, Found] = {}
    directory: list[bytes] = []
    top = ""
    last = b""
    twins: set[str] = set()
    with path.open("rb") as f:
        total = os.fstat(f.fileno()).st_size
        while True:
            start = f.tell()
            fixed = f.read(30)
            if fixed[:4] == b"PK\1\2" or fixed[:4] == b"PK\5\6" or fixed[:4] == b"PK\6\6":
                f.seek(start)
                break
            if len(fixed) != 30 or fixed[:4] != b"PK\3\4":
                raise Corrupt("The archive does not begin, or go on, as one of ours.")
            crc, shown, _, name_length, extra_length = struct.unpack("<3I2H", fixed[14:30])
            name = f.read(name_length)
            extra = f.read(extra_length)
            size = struct.unpack("<Q", extra[4:12])[0] if shown == BIG32 and len(extra) == 20 else shown
            if fixed + name + extra != local_header(name, crc, size):
                raise Corrupt(f"The archive's header of file number {len(files) + 1} is not as we write it.")
            if name <= last:
                raise Corrupt("The archive's files are not in order, or one is there twice.")
            last = name
            text = name.decode("ascii", "replace")
            folder, slash, inner = text.partition("/")
            if not slash or not safe_path(text) or (top and folder != top):
                raise Corrupt("The archive holds a file whose name or place is not safe.")
            if inner.lower() in twins:
                raise Corrupt(f"Two files differ only in capital letters: {inner}.")
            twins.add(inner.lower())
            top = folder
            if len(files) >= MAX_MEMBERS:
                raise Corrupt(f"The archive holds more than {MAX_MEMBERS} files.")
            where = f.tell()
            if size > total - where:
                raise Corrupt(f"{inner} is cut short.")
            check, left, digest = 0, size, hashlib.sha256()
            while left:
                chunk = f.read(min(CHUNK, left))
                if not chunk:
                    raise Corrupt(f"{inner} is cut short.")
                left -= len(chunk)
                check = zlib.crc32(chunk, check)
                digest.update(chunk)
            if check != crc:
                raise Corrupt(f"The content of {inner} does not fit its checksum.")
            files[inner] = Found(inner, size, digest.hexdigest(), _opener(path, where, size))
            directory.append(central_entry(name, crc, size, start))
        rest = b"".join(directory)
        rest += end_record(len(directory), len(rest), start)
        if total - start != len(rest) or f.read(len(rest) + 1) != rest:
            raise Corrupt("The archive's directory is not the one its files give, or bytes follow it.")
    return top, files


def _opener(path: Path, start: int, size: int) -> Callable[[], BinaryIO]:
    return lambda: io.BufferedReader(_Window(path, start, size))


def read_folder(path: Path) -> tuple[str, dict[str, Found]]:
    """Read an unpacked bundle like `read_archive`: regular files only, safe names, no links, no empty folders."""
    files: dict[str, Found] = {}
    twins: set[str] = set()
    for inner, full in _walk(path):
        if not safe_path(inner):
            raise Corrupt("The folder holds a file whose name is not safe.")
        if inner.lower() in twins:
            raise Corrupt(f"Two files differ only in capital letters: {inner}.")
        twins.add(inner.lower())
        if len(files) >= MAX_MEMBERS:
            raise Corrupt(f"The folder holds more than {MAX_MEMBERS} files.")
        with full.open("rb") as f:
            size = os.fstat(f.fileno()).st_size
            digest = hashlib.file_digest(f, "sha256").hexdigest()
        files[inner] = Found(inner, size, digest, _opener(full, 0, size))
    return "", files


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
        if not entries and folder != root:
            raise Corrupt("The folder holds an empty folder, which a bundle never has.")
        for entry in entries:
            if entry.is_symlink():
                raise Corrupt("The folder holds a link, which a bundle never has.")
            full = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(full)
            elif entry.is_file(follow_symlinks=False):
                yield full.relative_to(root).as_posix(), full
            else:
                raise Corrupt("The folder holds something that is not a file.")
