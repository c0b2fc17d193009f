"""Write to a disk that may be full or failing: durable, or a sentence; what could not be synced is never synced again.

After a failed `fsync` the kernel may drop what was not written and call the next one a success, so whatever was
being written is given up and the store that held it says no until its process is started again.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> store = Path(folder.name)
>>> with told(), (store / "note").open("xb") as file:
...     _ = file.write(b"half past nine")
...     file.flush()
...     sync(file.fileno(), store)
>>> sync_folder(store, store)
>>> folder.cleanup()
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counterfoil.engines.errors import NotAllowed

NO_ROOM = "There is no room left to store files here. Nothing was saved."
FAILING = "The disk here did not take this, so nothing was saved. Try again later."
_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK = _ROOM | {errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EUCLEAN}
_failed: set[Path] = set()


class DiskFault(NotAllowed, OSError):
    """Say that the disk is full or failing; what was being stored was not, and nobody may say yes to it."""


def sync(handle: int, store: Path) -> None:
    """Make an open file or folder of a store durable; after one failure that store is closed to this process."""
    ready(store)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _ROOM:
            _failed.add(store)
        raise


def sync_folder(folder: Path, store: Path) -> None:
    """Make the names in a folder of a store durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(handle, store)
    finally:
        os.close(handle)


def ready(store: Path) -> None:
    """Refuse when this process has seen a sync of this store fail."""
    if store in _failed:
        raise DiskFault(FAILING)


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of the disk into its sentence; whatever else goes wrong inside (a lost sender) passes through."""
    try:
        yield
    except DiskFault:
        raise
    except OSError as error:
        if error.errno in _ROOM:
            raise DiskFault(NO_ROOM) from error
        if error.errno in _DISK:
            raise DiskFault(FAILING) from error
        raise


def place(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a new file once: whole and durable before it has its name, and never in the place of another.

    FileExistsError when there is one of this name; of two who write at once, the first wins.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def replace(path: Path, data: bytes) -> None:
    """Put a small file in place durably, readable by its owner only: whoever reads it finds the old or the new bytes.

    Its folder is the store; two writers of one path must hold a lock of their own.
    """
    draft = path.with_name(f".{path.name}.part")
    with told():
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            sync(file.fileno(), path.parent)
        draft.replace(path)
        sync_folder(path.parent, path.parent)
