"""Count the cases of one gate, tell what went wrong in them, and write the line that the table is made of."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

DEEP = os.environ.get("COUNTERFOIL_DEPTH") == "full"
SEED = int(os.environ.get("COUNTERFOIL_SEED", "20261121"))
ENOUGH = 5  # so many faults are shown, and then a gate stops looking


class TooManyError(AssertionError):
    """A gate that has failed often enough stops."""


class Gate:
    """The cases of one gate; leaving it fails when anything was lost or inconsistent, or when nothing was tried."""

    def __init__(self, name: str, *, least: int = 1) -> None:
        self.name, self.least = name, least
        self.cases, self.extra = 0, ""
        self.lost: list[str] = []
        self.wrong: list[str] = []

    def __enter__(self) -> "Gate":
        self.started = time.monotonic()
        return self

    def case(self, what: object, lost: Sequence[str] = (), wrong: Sequence[str] = ()) -> None:
        """Count one case: `lost` is what was acknowledged and is not there, `wrong` is whatever else is not right."""
        self.cases += 1
        self.lost += [f"{what}: {sentence}" for sentence in lost]
        self.wrong += [f"{what}: {sentence}" for sentence in wrong]
        if len(self.lost) + len(self.wrong) >= ENOUGH:
            raise TooManyError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind is not None and kind is not TooManyError:
            return
        seconds = time.monotonic() - self.started
        line = {
            "gate": self.name,
            "cases": self.cases,
            "lost": len(self.lost),
            "inconsistent": len(self.wrong),
            "seconds": round(seconds, 1),
            "seed": SEED,
            "extra": self.extra,
            "depth": "full" if DEEP else "suite",
            "test": os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" (", 1)[0],
            "database": "PostgreSQL" if os.environ.get("COUNTERFOIL_DATABASE_URL") else "SQLite",
        }
        if into := os.environ.get("COUNTERFOIL_FAULTS_TALLY"):
            with Path(into).open("a") as file:
                file.write(json.dumps(line) + "\n")
        print(
            f"\n{self.name}: {self.cases} cases, {len(self.lost)} lost, {len(self.wrong)} inconsistent, "
            f"{seconds:.0f} s, seed {SEED} {self.extra}"
        )
        found = self.lost + self.wrong
        assert not found, f"seed {SEED}:\n" + "\n".join(found[:ENOUGH])
        assert self.cases >= self.least, (
            f"only {self.cases} cases were tried where {self.least} were meant to be"
        )
