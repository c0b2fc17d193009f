"""Keep bytes under their own SHA-256: durable before yes, never overwritten, checked again on every read.

>>> import io, tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> vault = Vault(Path(folder.name) / "vault")
>>> stored = vault.add(io.BytesIO(b"the doorbell clip"))
>>> stored.size, stored.sha256[:8]
(17, 'f5b4b948')
>>> with vault.open(stored.sha256) as file:
...     file.read()
b'the doorbell clip'
>>> vault.fsck([stored])
[]
>>> folder.cleanup()
"""

import contextlib
import hashlib
import itertools
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

from counterfoil.engines import disk
from counterfoil.engines.errors import BadInput, Corrupt

BLOCK = 1 << 20
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_STAGING = "staging"


class Stored(NamedTuple):
    """What the vault holds: SHA-256 in 64 lower-case hex digits, and the size in bytes."""

    sha256: str
    size: int


class Vault:
    """A folder of write-once objects, `blobs/sha256/ab/cd/<hex>`; it has no verb that removes one."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._blobs = self.root / "blobs" / "sha256"
        self._ready: set[Path] = set()

    def path(self, sha256: str) -> Path:
        """Return where an object lies; BadInput unless the name is 64 lower-case hex digits."""
        if not _NAME.fullmatch(sha256):
            raise BadInput(
                "sha256", "An object is named by the 64 lower-case hexadecimal digits of its SHA-256."
            )
        return self._blobs / sha256[:2] / sha256[2:4] / sha256

    def has(self, sha256: str) -> bool:
        """Say whether an object of this name is here; its bytes are not read."""
        return self.path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Return an object's size in bytes; Corrupt if it is missing."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            raise Corrupt(f"The object {sha256} is missing from the vault.") from None

    def add(
        self, stream: BinaryIO, *, expected_sha256: str | None = None, limit: int | None = None
    ) -> Stored:
        """Take in a stream and return once its bytes are durable and were read back equal.

        Hashed while streaming to a file in the vault's own staging folder; then the file is synced, linked
        under its hash without ever overwriting, its folders are synced, it is read back and hashed again.
        BadInput if the hash is not `expected_sha256` or the stream is longer than `limit` bytes; Corrupt if
        what is on disk is not what came in; DiskFault if the disk is full or failing, and nothing is retried:
        the caller must not say yes.
        """
        if expected_sha256 is not None:
            self.path(expected_sha256)
        with disk.told():
            staging = self._folder(self.root / _STAGING) / secrets.token_hex(16)
            try:
                with staging.open("xb", buffering=0) as file:
                    stored = self._take(stream, file, limit)
                    if expected_sha256 is not None and stored.sha256 != expected_sha256:
                        raise BadInput(
                            "file",
                            "The bytes that arrived are not the ones that were sent. Send the file again.",
                        )
                    disk.sync(file.fileno(), self.root)
                final = self.path(stored.sha256)
                folder = self._folder(final.parent)
                # The same bytes may have come before: they are checked below like any other.
                with contextlib.suppress(FileExistsError):
                    os.link(staging, final)
                disk.sync_folder(folder, self.root)
            finally:
                staging.unlink(missing_ok=True)
            self._reread(stored)
        return stored

    def _take(self, stream: BinaryIO, file: BinaryIO, limit: int | None) -> Stored:
        """Copy the stream to the file in large blocks, hashing each (from the second on) while it is written."""
        digest, size = hashlib.sha256(), 0
        hashing: Future[None] | None = None
        with ThreadPoolExecutor(1) as helper:
            for block in _blocks(stream, buffers=2):
                size += len(block)
                if limit is not None and size > limit:
                    raise BadInput(
                        "file", f"This file is larger than {limit:,} bytes, the most that can be taken here."
                    )
                if hashing is not None:
                    hashing.result()
                if size > BLOCK:
                    hashing = helper.submit(digest.update, block)
                else:
                    digest.update(block)
                _write_all(file.fileno(), block)
            if hashing is not None:
                hashing.result()
        return Stored(digest.hexdigest(), size)

    def _reread(self, stored: Stored) -> None:
        """Read an object back and hash it again; Corrupt if it is not what was stored."""
        if self._hashed(stored.sha256) != stored:
            raise Corrupt(f"The object {stored.sha256} in the vault does not have the bytes of its name.")

    def _hashed(self, sha256: str) -> Stored:
        """Return what an object's bytes are now, asking the disk rather than memory where possible."""
        try:
            with self.path(sha256).open("rb", buffering=0) as file:
                if hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                return _hash_file(file)
        except FileNotFoundError:
            raise Corrupt(f"The object {sha256} is missing from the vault.") from None

    def open(self, sha256: str, *, verify: bool = True) -> BinaryIO:
        """Open an object for reading; the whole file is hashed before the first byte is handed out.

        Corrupt if it is missing or its bytes are not those of its name. `verify=False` leaves the check to
        the caller.
        """
        try:
            file = self.path(sha256).open("rb")
        except FileNotFoundError:
            raise Corrupt(f"The object {sha256} is missing from the vault.") from None
        if verify:
            try:
                if _hash_file(file).sha256 != sha256:
                    raise Corrupt(f"The object {sha256} in the vault does not have the bytes of its name.")
                file.seek(0)
            except BaseException:
                file.close()
                raise
        return file

    def copy_from(self, other: "Vault", sha256: str) -> Stored:
        """Take an object over from another vault, checked on the way; the other keeps its own."""
        with other.open(sha256, verify=False) as file:
            try:
                return self.add(file, expected_sha256=sha256)
            except BadInput:
                raise Corrupt(
                    f"The object {sha256} in the other vault does not have the bytes of its name."
                ) from None

    def all(self) -> Iterator[str]:
        """Yield the name of every object, in order."""
        for path in sorted(self._blobs.glob("*/*/*")):
            if _NAME.fullmatch(path.name) and path == self.path(path.name):
                yield path.name

    def fsck(self, known: Iterable[tuple[str, int]], *, unknown_is_fault: bool = True) -> list[str]:
        """Re-read everything and list every fault as a sentence; [] means none.

        `known` is every (sha256, size) that must be here. Found: an object missing, of wrong bytes or wrong
        size, not known to anybody, a file that is no object, and what a stopped writer left in staging. A
        writer that stopped between storing an object and recording it leaves an unknown one, which nobody was
        told of and a repeat takes up again; `unknown_is_fault=False` passes those over if their bytes are
        right.
        """
        faults = []
        wanted = dict(known)
        for sha256, size in wanted.items():
            try:
                found = self._hashed(sha256)
            except (BadInput, Corrupt) as refusal:
                faults.append(str(refusal))
                continue
            if found.sha256 != sha256:
                faults.append(f"The object {sha256} in the vault does not have the bytes of its name.")
            elif found.size != size:
                faults.append(f"The object {sha256} has {found.size} bytes where {size} are on record.")
        for path in sorted(self._blobs.rglob("*")):
            if path.is_symlink() or not path.is_dir():
                name = path.name
                if not _NAME.fullmatch(name) or path != self.path(name) or path.is_symlink():
                    faults.append(f"The vault holds {path.relative_to(self.root)}, which is not an object.")
                elif name not in wanted:
                    if unknown_is_fault:
                        faults.append(f"The vault holds the object {name}, which nothing on record names.")
                    if self._hashed(name).sha256 != name:
                        faults.append(f"The object {name} in the vault does not have the bytes of its name.")
        if (self.root / _STAGING).is_dir():
            faults += [
                f"The vault's staging folder holds {path.name}, left behind by a writer that stopped."
                for path in sorted((self.root / _STAGING).iterdir())
            ]
        return faults

    def sweep(self, *, older_than: Callable[[float], bool]) -> int:
        """Remove leftovers of stopped writers from staging and return how many; none was ever acknowledged.

        `older_than` is asked with each file's time of last change, in seconds since 1970, so that a writer still
        at work is left alone.
        """
        folder, removed = self.root / _STAGING, 0
        if folder.is_dir():
            for path in folder.iterdir():
                if older_than(path.stat().st_mtime):
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _folder(self, folder: Path) -> Path:
        """Return a folder that exists durably, making what is missing and syncing above each new name.

        A folder that this process has not seen is synced from above even when it exists: another process may
        have made it and stopped before its own sync.
        """
        if folder not in self._ready or not folder.is_dir():
            if folder != self.root:
                self._folder(folder.parent)
            folder.mkdir(parents=folder == self.root, exist_ok=True)
            disk.sync_folder(folder.parent, self.root)
            self._ready.add(folder)
        return folder


class Quarantine(Vault):
    """A vault for bytes from the public that nobody has taken over yet; the only kind that can remove one."""

    def remove(self, sha256: str) -> None:
        """Remove an object durably; Corrupt if it is missing."""
        path = self.path(sha256)
        try:
            path.unlink()
        except FileNotFoundError:
            raise Corrupt(f"The object {sha256} is missing from the quarantine.") from None
        disk.sync_folder(path.parent, self.root)

    def adopt(self, path: Path, stored: Stored) -> Stored:
        """Take a file of the same disk in by a second name, without copying it; doing it again changes nothing.

        The caller has just read `stored` back from the file on the disk and holds every writer of it off; the first
        name is the caller's to remove, and never to write to again. Corrupt if other bytes have this name already.
        """
        with disk.told():
            final = self.path(stored.sha256)
            folder = self._folder(final.parent)
            with path.open("rb", buffering=0) as file:
                disk.sync(file.fileno(), self.root)
            with contextlib.suppress(FileExistsError):
                os.link(path, final)
            disk.sync_folder(folder, self.root)
        if not final.samefile(path):
            self._reread(stored)
        return stored


def _blocks(stream: BinaryIO, *, buffers: int = 1) -> Iterator[memoryview]:
    """Yield a stream in blocks of up to 1 MiB; each stays as it is while `buffers` - 1 more are asked for."""
    readinto = getattr(stream, "readinto", None)
    if readinto is None:
        while data := stream.read(BLOCK):
            yield memoryview(data)
        return
    views: list[memoryview] = []
    for turn in itertools.count():
        if len(views) < buffers:
            views.append(memoryview(bytearray(BLOCK)))
        view = views[turn % buffers]
        count = readinto(view)
        if count is None:
            raise BlockingIOError("The stream had no bytes yet; a vault takes in streams that wait.")
        if not count:
            return
        yield view[:count]


def _hash_file(file: BinaryIO) -> Stored:
    digest, size = hashlib.sha256(), 0
    for block in _blocks(file):
        size += len(block)
        digest.update(block)
    return Stored(digest.hexdigest(), size)


def _write_all(handle: int, block: memoryview | bytes) -> None:
    """Write every byte of a block, however the disk divides it."""
    view = memoryview(block)
    while view:
        view = view[os.write(handle, view) :]
