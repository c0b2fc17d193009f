"""The timestamper socket: fix bytes in time with an RFC 3161 authority.

Settings: `PLUGS = {"timestamper": {"BACKEND": "counterfoil.adapters.timestamper_rfc3161.Rfc3161", "OPTIONS": {…}}}`.
"""

from collections.abc import Sequence
from typing import Protocol

from counterfoil.plugs.load import load


class Timestamper(Protocol):
    """Give and check timestamps over SHA-256 digests."""

    @property
    def chain(self) -> Sequence[str]:
        """The authority's certificates as PEM, leaf first, root last, to be shipped beside a timestamp."""
        ...

    @property
    def crls(self) -> Sequence[str]:
        """The authority's revocation lists as PEM."""
        ...

    @property
    def root_sha256(self) -> str:
        """SHA-256 of the root certificate's DER (64 hex digits), as a policy's `tsa-root` line names it."""
        ...

    @property
    def development(self) -> bool:
        """Say whether this is a development authority, which no verdict counts."""
        ...

    def stamp(self, digest: bytes) -> bytes:
        """Return a whole, checked DER `TimeStampResp` over a 32-byte SHA-256 digest, or raise a Refusal."""
        ...

    def holds(self, digest: bytes, stamp: bytes) -> bool:
        """Say whether `stamp` is a whole valid reply over `digest` by this authority."""
        ...


def timestamper() -> Timestamper:
    """Return the timestamper that the settings name."""
    found: Timestamper = load("timestamper")
    return found
