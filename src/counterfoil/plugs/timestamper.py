"""The timestamper socket: fix bytes in time with an RFC 3161 authority.

Settings: `PLUGS = {"timestamper": {NAME: {"BACKEND": "counterfoil.adapters.timestamper_rfc3161.Rfc3161", "OPTIONS":
{…}}}}`. Two or more authorities must agree about the time; the first of them also seals reports.
"""

from collections.abc import Sequence
from typing import Protocol

from counterfoil.engines.errors import NotAllowed
from counterfoil.plugs.load import load, named


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


def timestampers() -> dict[str, Timestamper]:
    """Return the timestampers that the settings name, by their names, in order."""
    return {name: load("timestamper", name) for name in named("timestamper")}


def timestamper() -> Timestamper:
    """Return the first timestamper, which seals reports."""
    for found in timestampers().values():
        return found
    raise NotAllowed("No timestamper is configured: set PLUGS['timestamper'].")
