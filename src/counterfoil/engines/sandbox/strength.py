"""Which walls this machine gives, found out by building them and not by asking."""

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from counterfoil.engines.sandbox.errors import Unreadable
from counterfoil.engines.sandbox.parent import Limits, execute


@dataclass(frozen=True)
class Strength:
    """The walls that stand around a child on this machine, and the one sentence that sums them up."""

    network: bool
    files: bool
    processes: bool
    calls: bool
    landlock: int
    namespaces: tuple[str, ...]
    sentence: str

    @property
    def enough(self) -> bool:
        """Say whether files may be opened here: the network's and the files' walls both stand."""
        return self.network and self.files


def strength() -> Strength:
    """Build the walls around an empty task and return which of them stand; what was found is kept.

    A trial that could not be made, because the machine is too busy, is made again the next time.
    """
    try:
        return _found()
    except Unreadable as refusal:
        return Strength(False, False, False, False, 0, (), str(refusal))


@cache
def _found() -> Strength:
    with tempfile.TemporaryDirectory() as folder:
        _, walls = execute("", {}, Path(folder), limits=Limits(wall_s=60))
    ours = tuple(str(n) for n in walls.get("namespaces", ()))
    network = "net" in ours or bool(walls.get("filter"))
    found = Strength(
        network=network,
        files=bool(walls.get("files")),
        processes="pid" in ours or bool(walls.get("filter")),
        calls=bool(walls.get("filter")),
        landlock=int(walls.get("files") or 0),
        namespaces=ours,
        sentence="",
    )
    return Strength(**{**found.__dict__, "sentence": _sentence(found)})


def _sentence(found: Strength) -> str:
    words = {
        "network": found.network,
        f"files (Landlock {found.landlock})": found.files,
        "processes": found.processes,
        "system calls": found.calls,
    }
    standing = ", ".join(k for k, v in words.items() if v) or "none"
    gone = ", ".join(k.partition(" (")[0] for k, v in words.items() if not v)
    return f"Walls that stand around an opened file: {standing}." + (f" Missing: {gone}." if gone else "")
