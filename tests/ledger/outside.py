"""Witnesses and authorities that a test can break, behind the real sockets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction

from counterfoil.accounts.rules import Viewer
from counterfoil.adapters.timestamper_local import LocalAuthority
from counterfoil.adapters.witness_local import LocalWitness
from counterfoil.engines.errors import NotAllowed
from counterfoil.ledger.actions import record, sequence
from counterfoil.ledger.models import Checkpoint, Entry

DOWN: set[str] = set()
"""Names of folders whose witness or authority does not answer."""
REPLIES: dict[str, Callable[[bytes], bytes]] = {}
"""What an authority answers instead, by the name of its folder."""


class Witness(LocalWitness):
    """A local witness that can be down."""

    def __init__(self, folder: str, logs: Sequence[str] = (), name: str = "") -> None:
        super().__init__(folder, logs, name)
        self.where = Path(folder).name

    def up(self) -> None:
        if self.where in DOWN:
            raise NotAllowed("The witness could not be reached.")

    def cosign(self, checkpoint: str, consistency: Any) -> str:
        self.up()
        return super().cosign(checkpoint, consistency)

    def latest(self, origin: str) -> str | None:
        self.up()
        return super().latest(origin)


class Authority(LocalAuthority):
    """A local authority that can be down, or answer with whatever a test likes, unchecked."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.where = Path(folder).name

    def stamp(self, digest: bytes) -> bytes:
        if self.where in DOWN:
            raise NotAllowed("The timestamp authority could not be reached.")
        if self.where in REPLIES:
            return REPLIES[self.where](digest)
        return super().stamp(digest)


def plugs(
    home: Path, operators: Sequence[str], authorities: Sequence[str] = ("tsa1", "tsa2")
) -> dict[str, Any]:
    """Return settings with a witness for each operator named (twice named: two witnesses), and these authorities."""
    DOWN.clear()
    REPLIES.clear()
    return {
        "witness": {
            f"w{n}": {
                "BACKEND": "tests.ledger.outside.Witness",
                "OPERATOR": operator,
                "OPTIONS": {
                    "folder": str(home / f"w{n}"),
                    "name": f"counterfoil.example/DEVELOPMENT-w{n}",
                },
            }
            for n, operator in enumerate(operators, 1)
        },
        "timestamper": {
            name: {"BACKEND": "tests.ledger.outside.Authority", "OPTIONS": {"folder": str(home / name)}}
            for name in authorities
        },
    }


def write(n: int = 1, by: Viewer | None = None) -> list[Entry]:
    """Write so many entries."""
    with transaction.atomic():
        return [record("thing.done", by=by or Viewer.clock(), on=("thing", str(i))) for i in range(n)]


def grown(n: int = 1) -> Checkpoint:
    """Write so many entries and sign a checkpoint over them."""
    write(n)
    point = sequence()
    assert point is not None
    return point
