"""The store socket: where the vault's bytes are kept, a folder of its own or a bucket of S3.

Settings: `PLUGS = {"store": {"BACKEND": "counterfoil.adapters.store_files.Files", "OPTIONS": {…}}}`, made from
`COUNTERFOIL_VAULT`: a folder (without it, `vault/` in the home), or `s3://bucket/prefix`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from django.conf import settings

from counterfoil.engines.vault import Stored, Vault
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


def vault() -> Store:
    """Return the store where exhibits and bundles are kept for good."""
    return erasing()


def erasing() -> ErasingStore:
    """Return the vault with the verb that removes, for destruction and erasure alone."""
    found: ErasingStore = load("store", home=str(settings.COUNTERFOIL_HOME))
    return found
