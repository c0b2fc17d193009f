"""Definitions of the measures, as versioned data: one file of `measures/*.toml` a family; who publishes the tables.

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

HERE = Path(__file__).parent
FOLDER = HERE / "measures"
PARTS = ("name", "counts", "numerator", "denominator", "excluded", "note")


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
class Break:
    """A month from which a measure's values cannot be compared with the earlier ones, and why.

    kind: `definition` (it is counted in another way), `vintage` (another release) or `boundary` (another area).
    `places` names those that it holds for; none means every place.
    """

    at: str
    why: str
    why_cy: str
    kind: str = "definition"
    places: tuple[str, ...] = ()

    def said(self, language: str) -> str:
        """Say why in `language`."""
        return self.why_cy if language.startswith("cy") else self.why

    @staticmethod
    def of_vintage(at: str, before: str, after: str) -> "Break":
        """Return the break between points of two releases of a table."""
        return Break(
            at,
            f"From here the figures are from the release of {after or 'a day not stated'}, before from that of "
            f"{before or 'a day not stated'}.",
            f"O fan hyn daw'r ffigurau o gyhoeddiad {after or 'diwrnod nas nodwyd'}, cyn hynny o gyhoeddiad "
            f"{before or 'diwrnod nas nodwyd'}.",
            "vintage",
        )


@dataclass(frozen=True)
class Definition:
    """What a measure counts, what it is divided by, on which basis, what is left out, and how it is worked out.

    method: `crimes`, `charged`, `outcomes`, … (rows of data.police.uk), `count`, `share` or `published` (a published
    table) or `own` (our own cases). `counted`, `of`, `by` and `of_by` are SQL over a table's facts (see
    docs/how-to/add-a-measure.md). With `absent` = `zero` the table leaves out rows of nought. All kinds together exist
    only with every kind in `whole_of`; `default` is the kind shown for all. Measures of one `apart` group are never put
    together into one number.
    """

    id: str
    version: int
    family: str
    method: str
    unit: str
    direction: str
    basis: str
    interval: str
    offence_set: str
    source: str
    table: str
    period: str
    counted: str
    of: str
    by: str
    of_by: str
    absent: str
    decimals: int
    whole_of: tuple[str, ...]
    default: str
    apart: str
    breaks: tuple[Break, ...]
    uncertain: str
    texts: dict[str, dict[str, str]]

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    def text(self, part: str, language: str = "en") -> str:
        """Return one part of the definition (name, numerator, …) in `language`, English where none is."""
        cy = self.texts.get("cy", {})
        if language.startswith("cy") and part in cy:
            return cy[part]
        return self.texts["en"].get(part, "")


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return tomllib.load(stream)


def load(folder: Path = FOLDER) -> dict[str, Definition]:
    """Read every measure of a folder, family by family; refuses a doubled id and a definition with a part missing."""
    found: dict[str, Definition] = {}
    for path in sorted(folder.glob("*.toml")):
        data = _read(path)
        for row in data["measure"]:
            row = {**{k: data.get(k, "") for k in ("family", "source", "table", "period", "apart")}, **row}
            if row["id"] in found:
                raise ValueError(f"{path.name} defines the measure {row['id']} again")
            lacks = [f"{lang}.{p}" for lang in ("en", "cy") for p in PARTS if not row[lang].get(p)]
            if lacks:
                raise ValueError(f"{path.name}: {row['id']} lacks {', '.join(lacks)}")
            found[row["id"]] = Definition(
                id=row["id"],
                version=row["version"],
                family=row["family"],
                method=row["method"],
                unit=row["unit"],
                direction=row["direction"],
                basis=row["basis"],
                interval=row.get("interval", ""),
                offence_set=row.get("offence_set", ""),
                source=row["source"],
                table=row["table"],
                period=row["period"],
                counted=row.get("counted", ""),
                of=row.get("of", ""),
                by=row.get("by", "kind"),
                of_by=row.get("of_by", row.get("by", "kind")),
                absent=row.get("absent", ""),
                decimals=row.get("decimals", 1),
                whole_of=tuple(row.get("whole_of", ())),
                default=row.get("default", ""),
                apart=row.get("apart", ""),
                breaks=tuple(
                    Break(b["at"], b["en"], b["cy"], b.get("kind", "definition"), tuple(b.get("places", ())))
                    for b in row.get("break", ())
                ),
                uncertain=row.get("uncertain", ""),
                texts={"en": row["en"], "cy": row["cy"]},
            )
    return found


@cache
def _measures() -> dict[str, Definition]:
    return load()


def measure(name: str) -> Definition:
    """Return a measure by its id; KeyError when there is none."""
    return _measures()[name]


def measures() -> tuple[Definition, ...]:
    """Return every measure, family by family."""
    return tuple(_measures().values())


@cache
def crime_types() -> tuple[CrimeType, ...]:
    """Return the crime types that data.police.uk publishes, in alphabetical order of their names."""
    return tuple(
        CrimeType(row["slug"], row["name"], row["cy"], bool(row.get("crime", True)))
        for row in _read(HERE / "crime_types.toml")["crime_type"]
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
    return found if found is not None else CrimeType(slug_of(name), name, "", True)


def slug_of(name: str) -> str:
    """Return a published name as a word for addresses."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "unnamed"


@cache
def _sources() -> dict[str, Any]:
    return _read(HERE / "sources.toml")


def source(name: str) -> dict[str, str]:
    """Return name, address, licence and attribution of a publisher of tables."""
    return {key: str(value) for key, value in _sources()[name].items()}
