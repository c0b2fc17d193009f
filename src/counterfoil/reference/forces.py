"""The police forces as time-bounded data: find one by slug, code or any of its names, on a day.

>>> force("cleveland").name
'Cleveland Police'
>>> by_name("London, City of").slug
'city-of-london'
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("forces.toml")


@dataclass(frozen=True)
class Force:
    """One police force, with the days between which it existed."""

    code: str
    slug: str
    name: str
    name_cy: str
    ons_code: str
    aliases: tuple[str, ...]
    other_codes: tuple[str, ...]
    valid_from: date
    valid_from_mark: str
    valid_to: date | None
    successor: str
    wales: bool
    national: bool

    def on(self, day: date | None) -> bool:
        """Say whether the force existed on `day`; without a day, whether it still exists."""
        if day is None:
            return self.valid_to is None
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def called(self, language: str) -> str:
        """Return the name to show in `language` ("en" or "cy")."""
        return self.name_cy if language.startswith("cy") else self.name


def load(path: Path = FILE) -> tuple[Force, ...]:
    """Read every force from a TOML file, in the order of their codes; refuses doubled slugs or codes."""
    with path.open("rb") as stream:
        rows = tomllib.load(stream)["force"]
    found = tuple(
        Force(
            code=row["code"],
            slug=row["slug"],
            name=row["name"],
            name_cy=row.get("name_cy", row["name"]),
            ons_code=row.get("ons_code", ""),
            aliases=tuple(row.get("aliases", ())),
            other_codes=tuple(row.get("other_codes", ())),
            valid_from=row["valid_from"],
            valid_from_mark=row.get("valid_from_mark", ""),
            valid_to=row.get("valid_to"),
            successor=row.get("successor", ""),
            wales=bool(row.get("wales", False)),
            national=bool(row.get("national", False)),
        )
        for row in rows
    )
    slugs = [f.slug for f in found]
    if len(set(slugs)) != len(slugs):
        raise ValueError("forces.toml names one slug twice")
    for one in found:
        if one.successor and one.successor not in slugs:
            raise ValueError(f"forces.toml: {one.slug} is succeeded by {one.successor}, which is not there")
    return found


@cache
def _all() -> tuple[Force, ...]:
    return load()


@cache
def _by_slug() -> dict[str, Force]:
    return {f.slug: f for f in _all()}


@cache
def _by_name() -> dict[str, Force]:
    names: dict[str, Force] = {}
    for one in _all():
        for name in (one.name, one.name_cy, one.slug, one.ons_code, *one.aliases):
            if name:
                names[_plain(name)] = one
    return names


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("&", " and ").replace("-", " ").replace(",", " ").split())


def forces(on: date | None = None) -> tuple[Force, ...]:
    """Return the forces that existed on a day; without a day, those that exist now."""
    return tuple(f for f in _all() if f.on(on))


def force(slug: str) -> Force:
    """Return the force with this data.police.uk slug; KeyError when there is none."""
    return _by_slug()[slug]


def predecessors(slug: str) -> tuple[Force, ...]:
    """Return the forces that this one took over, by name; none for most."""
    return tuple(sorted((f for f in _all() if f.successor == slug), key=lambda f: f.name))


def known(slug: str) -> bool:
    """Say whether a force of this slug exists or existed."""
    return slug in _by_slug()


def by_name(name: str) -> Force:
    """Find a force by any of its names, its slug or its statistics code; KeyError when there is none."""
    return _by_name()[_plain(name)]


def by_code(code: str, on: date | None = None) -> Force:
    """Find a force by its two-digit code, on a day when given; KeyError when there is none."""
    for one in _all():
        if code in (one.code, *one.other_codes) and (on is None or one.on(on)):
            return one
    raise KeyError(code)
