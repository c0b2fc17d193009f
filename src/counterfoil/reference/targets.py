"""What government has said it will reach, as dated data with its source and nobody's name.

>>> one = target("knife-crime")
>>> one.level, one.baseline.value, one.by.year
(Decimal('27504'), Decimal('55008'), 2034)
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("targets.toml")
STATUSES = ("checked", "to be checked")


@dataclass(frozen=True)
class Baseline:
    """The published value a target is counted from: its months ("2023-10", empty where not stated) and its source."""

    value: Decimal
    first: str
    last: str
    source: str
    status: str


@dataclass(frozen=True)
class Target:
    """One aim: the measure and place it is about, its baseline, level and day, and who said so.

    `level` is None where no number was set, or where it rests on a baseline that is not known. `more` is what the
    level lies above the baseline, where that is how it was said.
    """

    id: str
    measure: str
    unit: str
    place: str
    direction: str
    baseline: Baseline | None
    level: Decimal | None
    more: Decimal | None
    starts: date
    by: date | None
    source: str
    status: str
    texts: dict[str, dict[str, str]]

    @property
    def certain(self) -> bool:
        """Say whether everything about it was read in the publication itself."""
        return self.status == "checked" and (self.baseline is None or self.baseline.status == "checked")

    def text(self, part: str, language: str = "en") -> str:
        """Return its name or what it says, in `language`."""
        cy = self.texts.get("cy", {})
        return cy[part] if language.startswith("cy") and part in cy else self.texts["en"][part]


def load(path: Path = FILE) -> tuple[Target, ...]:
    """Read every target; refuses doubled ids, unknown words, and a level that cannot be worked out as said."""
    with path.open("rb") as stream:
        rows = tomllib.load(stream)["target"]
    found = tuple(_target(row) for row in rows)
    if len({t.id for t in found}) != len(found):
        raise ValueError("targets.toml: two targets have one id")
    return found


def _target(row: dict[str, Any]) -> Target:
    given = row.get("baseline")
    baseline = (
        Baseline(Decimal(given["value"]), *(given[k] for k in ("first", "last", "source", "status")))
        if given
        else None
    )
    change, level, more = row["change"], None, None
    if change == "half":
        if baseline is None:
            raise ValueError(f"targets.toml: {row['id']} halves nothing: it has no baseline")
        level = baseline.value / 2
    elif change == "more":
        more = Decimal(row["more"])
        level = baseline.value + more if baseline else None
    elif change:
        level = Decimal(change)
    said = [row["status"], *([baseline.status] if baseline else [])]
    if (
        any(s not in STATUSES for s in said)
        or row["direction"] not in ("up", "down", "none")
        or row["unit"] not in ("count", "share")
    ):
        raise ValueError(f"targets.toml: {row['id']} has a status, direction or unit that is none")
    return Target(
        id=row["id"],
        measure=row["measure"],
        unit=row["unit"],
        place=row["place"],
        direction=row["direction"],
        baseline=baseline,
        level=level,
        more=more,
        starts=row["starts"],
        by=row["by"] or None,
        source=row["source"],
        status=row["status"],
        texts={"en": row["en"], "cy": row["cy"]},
    )


@cache
def targets() -> tuple[Target, ...]:
    """Return every target, in the order of the file."""
    return load()


def target(id: str) -> Target:
    """Return a target by its id; KeyError when there is none."""
    return {t.id: t for t in targets()}[id]
