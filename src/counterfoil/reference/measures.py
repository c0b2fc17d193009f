"""Definitions of the measures on the board and the crime types of data.police.uk, as versioned data.

>>> measure("charged").basis
'crimes recorded in the period'
>>> crime_type("burglary").name
'Burglary'
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("measures.toml")


@dataclass(frozen=True)
class CrimeType:
    """A crime type as data.police.uk words it; `crime` is false for anti-social behaviour, which is a call."""

    slug: str
    name: str
    cy: str
    crime: bool

    def called(self, language: str) -> str:
        """Return the name to show in `language`."""
        return self.cy if language.startswith("cy") and self.cy else self.name


@dataclass(frozen=True)
class Definition:
    """What a measure counts, what it is divided by, on which basis and what is left out."""

    id: str
    version: int
    unit: str
    direction: str
    basis: str
    interval: str
    texts: dict[str, dict[str, str]]

    def text(self, part: str, language: str = "en") -> str:
        """Return one part of the definition (name, numerator, …) in `language`, English where none is."""
        cy = self.texts.get("cy", {})
        if language.startswith("cy") and part in cy:
            return cy[part]
        return self.texts["en"][part]


@cache
def _data() -> dict[str, Any]:
    with FILE.open("rb") as stream:
        return tomllib.load(stream)


@cache
def _measures() -> dict[str, Definition]:
    return {
        row["id"]: Definition(
            id=row["id"],
            version=row["version"],
            unit=row["unit"],
            direction=row["direction"],
            basis=row["basis"],
            interval=row.get("interval", ""),
            texts={"en": row["en"], "cy": row["cy"]},
        )
        for row in _data()["measure"]
    }


def measure(name: str) -> Definition:
    """Return a measure by its id; KeyError when there is none."""
    return _measures()[name]


def measures() -> tuple[Definition, ...]:
    """Return every measure, in the order of the file."""
    return tuple(_measures().values())


@cache
def crime_types() -> tuple[CrimeType, ...]:
    """Return the crime types that data.police.uk publishes, in alphabetical order of their names."""
    return tuple(
        CrimeType(row["slug"], row["name"], row["cy"], bool(row.get("crime", True)))
        for row in _data()["crime_type"]
    )


@cache
def _types() -> tuple[dict[str, CrimeType], dict[str, CrimeType]]:
    return {t.slug: t for t in crime_types()}, {t.name.casefold(): t for t in crime_types()}


def crime_type(slug: str) -> CrimeType:
    """Return a crime type by slug; KeyError when there is none."""
    return _types()[0][slug]


def crime_type_named(name: str) -> CrimeType:
    """Return the crime type of a published name; a name never seen before gets a slug of its own."""
    found = _types()[1].get(name.casefold())
    if found is not None:
        return found
    return CrimeType(re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "unnamed", name, "", True)


def source(name: str) -> dict[str, str]:
    """Return name, address, licence and attribution of a publisher of tables."""
    found = _data()["source"][name]
    return {key: str(value) for key, value in found.items()}
