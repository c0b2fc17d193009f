"""The two places where bytes are kept: the quarantine for what arrives, the vault for exhibits.

Public code may open only the quarantine, a folder. The vault is a socket: `PLUGS["store"]` names a folder of its own
(the default; `COUNTERFOIL_VAULT` when set) or a bucket of S3 (`COUNTERFOIL_VAULT=s3://bucket/prefix`).
"""

import fcntl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from counterfoil.engines.vault import Quarantine, Stored, Vault
from counterfoil.plugs.load import load


class Store(Protocol):
    """Keep bytes under their own SHA-256 for good: durable and read back equal before it returns, never overwritten.

    Names are 64 lower-case hex digits (BadInput otherwise). What is missing or has other bytes is Corrupt; a store that
    is full, failing or does not answer is a DiskFault, after which nobody may say yes.
    """

    def add(
        self, stream: BinaryIO, *, expected_sha256: str | None = None, limit: int | None = None
    ) -> Stored:
        """Take in a stream; BadInput if its hash is not the expected one or it is longer than `limit` bytes."""
        ...

    def copy_from(self, other: Vault, sha256: str) -> Stored:
        """Take an object over from a folder, checked on the way."""
        ...

    def has(self, sha256: str) -> bool:
        """Say whether an object of this name is here; its bytes are not read."""
        ...

    def size(self, sha256: str) -> int:
        """Return an object's size in bytes."""
        ...

    def open(self, sha256: str, *, verify: bool = True) -> BinaryIO:
        """Open an object, seekable; all of it is hashed before the first byte is handed out unless `verify` is off."""
        ...

    def all(self) -> Iterator[str]:
        """Yield the name of every object, in order."""
        ...

    def fsck(self, known: Iterable[tuple[str, int]], *, unknown_is_fault: bool = True) -> list[str]:
        """Read everything again and return a sentence for every fault; `known` is every (sha256, size) on record."""
        ...

    def sweep(self, *, older_than: Callable[[float], bool]) -> int:
        """Remove what stopped writers left half-written and return how many."""
        ...


class ErasingStore(Store, Protocol):
    """A store for those who carry out an order to destroy."""

    def remove(self, sha256: str) -> None:
        """Remove an object durably; Corrupt if it is missing."""
        ...


def quarantine() -> Quarantine:
    """Return the store where uploads wait."""
    return Quarantine(Path(settings.COUNTERFOIL_HOME) / "quarantine")


def vault() -> Store:
    """Return the store where exhibits and bundles are kept for good."""
    return erasing()


def erasing() -> ErasingStore:
    """Return the vault with the verb that removes, for destruction and erasure alone."""
    found: ErasingStore = load("store", home=str(settings.COUNTERFOIL_HOME))
    return found


@contextmanager
def taking_in() -> Iterator[Quarantine]:
    """Hold the quarantine open for adding a file and its row; nothing is removed meanwhile."""
    with _lock(fcntl.LOCK_SH):
        yield quarantine()


@contextmanager
def clearing_out() -> Iterator[Quarantine | None]:
    """Hold the quarantine for removing what no row names; None when somebody is adding a file just now."""
    try:
        with _lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield quarantine()
    except BlockingIOError:
        yield None


@contextmanager
def _lock(how: int) -> Iterator[None]:
    with (Path(settings.COUNTERFOIL_HOME) / "quarantine.lock").open("a") as f:
        fcntl.flock(f, how)
        yield
