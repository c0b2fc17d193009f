"""Published long-term claims, to be held against the tables that are held.

>>> claim("knife-crime").values[1].said
Decimal('55008')
"""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("claims.toml")


@dataclass(frozen=True)
class Claimed:
    """One value of a claim, as written; its months ("2013-04") are empty where the claim does not say them."""

    said: Decimal
    first: str
    last: str


@dataclass(frozen=True)
class Claim:
    """A published claim: its values, the measure they are of, who said it, and what would settle it."""

    id: str
    six: bool
    measure: str
    place: str
    kinds: tuple[str, ...]
    unit: str
    values: tuple[Claimed, ...]
    source: str
    needs: str
    texts: dict[str, dict[str, str]]

    def text(self, part: str, language: str = "en") -> str:
        """Return what it says or is about, in `language`."""
        cy = self.texts.get("cy", {})
        return cy[part] if language.startswith("cy") and part in cy else self.texts["en"][part]


@cache
def claims() -> tuple[Claim, ...]:
    """Return every claim, in the order of the file."""
    with FILE.open("rb") as stream:
        rows = tomllib.load(stream)["claim"]
    return tuple(
        Claim(
            id=row["id"],
            six=row["six"],
            measure=row["measure"],
            place=row["place"],
            kinds=tuple(row.get("kinds", ("all",))),
            unit=row["unit"],
            values=tuple(Claimed(Decimal(v["is"]), v["first"], v["last"]) for v in row["value"]),
            source=row["source"],
            needs=row["needs"],
            texts={"en": row["en"], "cy": row["cy"]},
        )
        for row in rows
    )


def claim(id: str) -> Claim:
    """Return a claim by its id; KeyError when there is none."""
    return {c.id: c for c in claims()}[id]
