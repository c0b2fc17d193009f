"""The Home Office outcome types 1 to 22 as dated data, and what data.police.uk's wordings may stand for.

>>> from datetime import date
>>> outcome_type(15, on=date(2021, 6, 1)).group
'victim_supports'
>>> published("Suspect charged").counts_as
'charged'
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("outcome_types.toml")


@dataclass(frozen=True)
class OutcomeType:
    """One outcome type as it stood between two days."""

    number: int
    version: int
    wording: str
    plain_en: str
    plain_cy: str
    plain_cy_status: str
    group: str
    also_recorded_as: tuple[str, ...]
    valid_from: date
    valid_from_mark: str
    valid_to: date | None
    mark: str

    def plain(self, language: str) -> str:
        """Return the sentence for the public in `language` ("en" or "cy")."""
        return self.plain_cy if language.startswith("cy") else self.plain_en


@dataclass(frozen=True)
class Wording:
    """A wording printed by data.police.uk and the outcome types that may stand behind it."""

    wording: str
    cy: str
    types: tuple[int, ...]
    counts_as: str
    mark: str

    @property
    def slug(self) -> str:
        """Return the wording as a word for addresses."""
        return re.sub(r"[^a-z0-9]+", "-", self.wording.casefold()).strip("-") or "unnamed"

    def shown(self, language: str) -> str:
        """Return the wording in `language`; the published English is what the files hold."""
        return self.cy if language.startswith("cy") and self.cy else self.wording


def load(path: Path = FILE) -> dict[str, Any]:
    """Read the file and refuse a type 0, a doubled (number, version) or an unknown group."""
    with path.open("rb") as stream:
        data = tomllib.load(stream)
    seen = set()
    for row in data["type"]:
        key = (row["number"], row["version"])
        if row["number"] == 0:
            raise ValueError("Type 0 is the absence of an outcome and may not be listed as one.")
        if key in seen:
            raise ValueError(f"outcome_types.toml lists type {key[0]} version {key[1]} twice")
        if row["group"] not in data["groups"]:
            raise ValueError(f"outcome_types.toml: type {key[0]} names the unknown group {row['group']}")
        seen.add(key)
    return data


@cache
def _data() -> dict[str, Any]:
    return load()


def _types(data: dict[str, Any]) -> tuple[OutcomeType, ...]:
    return tuple(
        OutcomeType(
            number=row["number"],
            version=row["version"],
            wording=row["wording"],
            plain_en=row["plain"]["en"],
            plain_cy=row["plain"]["cy"],
            plain_cy_status=row["plain"]["cy_status"],
            group=row["group"],
            also_recorded_as=tuple(row.get("also_recorded_as", ())),
            valid_from=row["valid_from"],
            valid_from_mark=row["valid_from_mark"],
            valid_to=row.get("valid_to"),
            mark=row["mark"],
        )
        for row in data["type"]
    )


@cache
def _all() -> tuple[OutcomeType, ...]:
    return _types(_data())


def pick(types: tuple[OutcomeType, ...], number: int, on: date) -> OutcomeType:
    """Return the version of a type in force on a day; KeyError with a sentence when there was none."""
    for one in types:
        if one.number == number and one.valid_from <= on and (one.valid_to is None or on <= one.valid_to):
            return one
    raise KeyError(f"There was no outcome type {number} on {on.isoformat()}.")


def outcome_types(on: date) -> tuple[OutcomeType, ...]:
    """Return every outcome type in force on a day, by number."""
    return tuple(
        sorted(
            (t for t in _all() if t.valid_from <= on and (t.valid_to is None or on <= t.valid_to)),
            key=lambda t: t.number,
        )
    )


def outcome_type(number: int, *, on: date) -> OutcomeType:
    """Return an outcome type as it stood on a day; KeyError when it did not exist then."""
    return pick(_all(), number, on)


def group_name(group: str, language: str = "en") -> str:
    """Return the name of an outcome group in `language`."""
    return str(_data()["groups"][group]["cy" if language.startswith("cy") else "en"])


def version() -> str:
    """Return the version of the outcome reference data."""
    return str(_data()["version"])


@cache
def wordings() -> tuple[Wording, ...]:
    """Return every published wording with the types it may stand for, in the order of the file."""
    return tuple(
        Wording(
            wording=row["wording"],
            cy=row.get("cy", ""),
            types=tuple(row["types"]),
            counts_as=row["counts_as"],
            mark=row["mark"],
        )
        for row in _data()["published_wording"]
    )


@cache
def _by_wording() -> dict[str, Wording]:
    return {w.wording: w for w in wordings()}


def published(wording: str) -> Wording:
    """Return what a published wording stands for; one never seen before counts as nothing and says so."""
    return _by_wording().get(wording, Wording(wording, "", (), "unknown", "uncertain"))
