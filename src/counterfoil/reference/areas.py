"""Places that published tables are about and that are no police force: nations, regions, court regions.

>>> area("wales").called("cy")
'Cymru'
>>> by_name("ENGLAND AND WALES").slug
'england-and-wales'
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("areas.toml")


@dataclass(frozen=True)
class Area:
    """A nation or region by its short name; `national` as for forces: no map of it is drawn."""

    slug: str
    name: str
    name_cy: str
    sort: str
    aliases: tuple[str, ...] = ()
    national: bool = True

    def called(self, language: str) -> str:
        """Return the name to show in `language` ("en" or "cy")."""
        return self.name_cy if language.startswith("cy") else self.name


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("&", " and ").replace("-", " ").replace(",", " ").split())


@cache
def _all() -> dict[str, Area]:
    with FILE.open("rb") as stream:
        rows = tomllib.load(stream)["area"]
    return {
        row["slug"]: Area(
            row["slug"], row["name"]["en"], row["name"]["cy"], row["sort"], tuple(row.get("aliases", ()))
        )
        for row in rows
    }


@cache
def _by_name() -> dict[str, Area]:
    return {_plain(n): a for a in _all().values() for n in (a.name, a.name_cy, a.slug, *a.aliases)}


def areas() -> tuple[Area, ...]:
    """Return every nation and region."""
    return tuple(_all().values())


def area(slug: str) -> Area:
    """Return a nation or region by its short name; KeyError when there is none."""
    return _all()[slug]


def by_name(name: str) -> Area:
    """Find a nation or region by any of its names; KeyError when there is none."""
    return _by_name()[_plain(name)]
