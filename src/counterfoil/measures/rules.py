"""Pure rules of a number: its address, what was submitted or is missing, the period a share may cover, classes.

>>> NumberId.parse("charged.cleveland.2021-03_2022-02.burglary").type
'burglary'
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import ALL, Held
from counterfoil.engines.measure.facts import Layout
from counterfoil.reference import areas, forces
from counterfoil.reference import measures as definitions
from counterfoil.reference import tables as table_layouts

_ID = re.compile(
    r"(?P<measure>[a-z][a-z0-9-]*)\.(?P<force>[a-z][a-z0-9-]*)\.(?P<first>\d{4}-\d{2})_(?P<last>\d{4}-\d{2})"
    r"\.(?P<type>[a-z0-9][a-z0-9-]*)(?:\.(?P<area>none|[EW]\d{8}))?\Z"
)
# Addresses end in a kind of crime or outcome, an age band, a region: whatever the measure is given by.
IDS = frozenset(m.id for m in definitions.measures())
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])\Z")


def definition(name: str) -> definitions.Definition:
    """Return a measure's definition by its id; raises BadInput with a sentence when there is none."""
    try:
        return definitions.measure(name)
    except KeyError:
        raise BadInput(
            "measure", f"There is no measure “{name}”. `counterfoil measure --list` names them."
        ) from None


def import_kind(one: definitions.Definition) -> str:
    """Return the KIND of `counterfoil import KIND PATH` that brings in a measure's table."""
    return table_layouts.kind_of(one.table) or one.table


def may_add(names: Sequence[str]) -> None:
    """Refuse, with a sentence, to put measures together into one number: each stands for itself.

    Counts of one measure over periods or places may be added (`combine`); two measures never, least of all those that
    look alike: what a survey finds, what is repeated and what is recorded of violence against women and girls.
    """
    found = [definition(name) for name in names]
    if len({d.id for d in found}) < 2:
        return
    shown = " and ".join(f"“{d.text('name')}”" for d in found)
    if len({d.apart for d in found}) == 1 and found[0].apart:
        raise BadInput(
            "measure",
            f"{shown} are kept apart: they count different things, and a blend would be no measure of anything. "
            "Ask for each by itself.",
        )
    raise BadInput(
        "measure", f"{shown} are different measures and are never added up. Ask for each by itself."
    )


@dataclass(frozen=True)
class NumberId:
    """The address of a number: enough to compute it again from the files held."""

    measure: str
    force: str
    first: str
    last: str
    type: str = ALL
    area: str = ""

    def __str__(self) -> str:
        tail = f".{self.area}" if self.area else ""
        return f"{self.measure}.{self.force}.{self.first}_{self.last}.{self.type}{tail}"

    @staticmethod
    def parse(text: str) -> "NumberId":
        """Read an address; raises BadInput with a sentence when it is not one."""
        found = _ID.match(text)
        if not found or found["measure"] not in IDS:
            raise BadInput("number", "This is not the address of a number.")
        one = NumberId(
            found["measure"],
            found["force"],
            found["first"],
            found["last"],
            found["type"],
            found["area"] or "",
        )
        if not (_MONTH.match(one.first) and _MONTH.match(one.last)) or one.first > one.last:
            raise BadInput("number", "The months of this number are not a period.")
        if one.area and one.measure != "crimes":
            raise BadInput("number", "Small areas are given for counts only.")
        if one.measure in ("charged-of-outcomes", "no-suspect-of-outcomes") and one.type != ALL:
            raise BadInput("number", "Outcome files do not say the type of crime.")
        return one


def next_month(month: str) -> str:
    """Return the month after `month` ("2021-12" gives "2022-01")."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"


def previous_month(month: str) -> str:
    """Return the month before `month`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1:04d}-12" if number == 1 else f"{year:04d}-{number - 1:02d}"


def months(first: str, last: str) -> tuple[str, ...]:
    """Return every month from `first` to `last`, both counted; empty when `first` is later."""
    found = []
    month = first
    while month <= last:
        found.append(month)
        month = next_month(month)
    return tuple(found)


def state(rows: int | None) -> str:
    """Name what is known of a force and month: `missing` (no file), `zero` (a file without rows), `submitted`."""
    if rows is None:
        return "missing"
    return "submitted" if rows else "zero"


@dataclass(frozen=True)
class Gaps:
    """The months of a period without a file, and those whose file has no row."""

    missing: tuple[str, ...]
    empty: tuple[str, ...]
    held: tuple[str, ...]


def gaps(wanted: Iterable[str], rows_by_month: dict[str, int]) -> Gaps:
    """Sort the months of a period into missing, empty and held (with rows)."""
    found: dict[str, list[str]] = {"missing": [], "zero": [], "submitted": []}
    for month in wanted:
        found[state(rows_by_month.get(month))].append(month)
    return Gaps(tuple(found["missing"]), tuple(found["zero"]), tuple(found["submitted"]))


def state_of(found: Gaps) -> str:
    """Name what is known of a whole period: `published`, `partly` (a month is missing) or `missing` (none is held)."""
    if not (found.held or found.empty):
        return "missing"
    return "partly" if found.missing else "published"


def charge_period(street: Collection[str], outcomes: Collection[str]) -> tuple[str, str] | None:
    """Return the longest period whose crimes can be followed to the last month of outcomes held.

    Outcomes must be held for every month from the first of the period to the last held, or a charge in a missing
    month would be counted as none. None when no such period has a street file.
    """
    if not outcomes:
        return None
    last = max(outcomes)
    first = last
    while previous_month(first) in outcomes:
        first = previous_month(first)
    covered = sorted(m for m in street if first <= m <= last)
    return (covered[0], covered[-1]) if covered else None


Key = tuple[str, str, str]
BY_PLACE_AND_MONTH = ("street", "outcomes", "stop-and-search", "boundaries")


def current(held: Iterable[Held]) -> tuple[dict[Key, Held], tuple[tuple[Held, Held], ...]]:
    """Choose the newest file for each (kind, force, month); return them and the pairs (older, newer used).

    `held` comes oldest first, as `Tables.held()` gives it.
    """
    used: dict[Key, Held] = {}
    everything: dict[Key, list[Held]] = {}
    for one in held:
        for force, month, _ in one.pieces if one.kind in BY_PLACE_AND_MONTH else ():
            key = (one.kind, force, month)
            used[key] = one
            everything.setdefault(key, []).append(one)
    older = {(one, used[key]): None for key, ones in everything.items() for one in ones[:-1]}
    return used, tuple(older)


def editions(held: Iterable[Held]) -> tuple[str, ...]:
    """Return the editions among files, newest first; `held` comes oldest first."""
    return tuple(dict.fromkeys(one.edition for one in reversed(list(held))))


def best(choices: Sequence[tuple[str, int]]) -> str:
    """Return the edition that covers most of what is asked for; of equals the first, which is the newest.

    A number rests on files of one edition only: a month that only another edition holds is missing from it, and said.
    """
    most = max((n for _, n in choices), default=0)
    return next((edition for edition, n in choices if n == most), "")


def one_vintage(files: Iterable[Held]) -> str:
    """Return the day of release shared by files that go into one number; raises BadInput when they differ."""
    found = sorted({one.edition for one in files})
    if len(found) > 1:
        named = " and ".join(f"“{v or 'day of release not stated'}”" for v in found)
        raise BadInput(
            "vintage",
            f"These files are of different vintages ({named}). Published tables are restated, so a number may "
            "rest on one vintage only. Import the same release for all of the period.",
        )
    return found[0].partition("|")[0] if found else ""


def basis(used: Iterable[Held]) -> str:
    """Return the digest of exactly the files a number rests on: SHA-256 over their sorted names and digests."""
    lines = sorted(f"{one.name} {one.sha256}\n" for one in used)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Class:
    """One class of a map: counts from `low` to `high`, and how many areas are in it."""

    low: int
    high: int
    areas: int


def classes(values: Sequence[int], wanted: int = 5) -> tuple[Class, ...]:
    """Sort counts into few classes, lowest first: each begins above the average of the counts not yet placed.

    Counts by area have a long tail, and these "head/tail breaks" (B. Jiang, The Professional Geographer 65, 2013)
    keep the few highest apart from the many low ones. Whole numbers only; equal counts are never parted.
    """
    head = sorted(v for v in values if v > 0)
    found: list[Class] = []
    while head:
        low, count, total = head[0], len(head), sum(head)
        above = [v for v in head if v * count > total]
        if len(found) == wanted - 1 or not above:
            found.append(Class(low, head[-1], count))
            break
        found.append(Class(low, head[count - len(above) - 1], count - len(above)))
        head = above
    return tuple(found)


def class_of(value: int, found: Sequence[Class]) -> int:
    """Return the index of the class a count belongs to."""
    for at, one in enumerate(found):
        if value <= one.high:
            return at
    return len(found) - 1


def layouts(kind: str) -> tuple[Layout, ...]:
    """Return the layouts of one kind of import, in the order in which they are tried."""
    return tuple(
        Layout(
            **{
                **row,
                "columns": {role: tuple(names) for role, names in row["columns"].items()},
                "values": {what: tuple(names) for what, names in row.get("values", {}).items()},
            }
        )
        for row in table_layouts.layouts(kind)
    )


def layouts_of(id: str) -> tuple[Layout, ...]:
    """Return the one layout with this id, and none when there is none."""
    return tuple(one for kind in table_layouts.kinds() for one in layouts(kind) if one.id == id)


def place_of(name: str) -> str:
    """Return the short name of a place as published: a force, a nation or region, or the name itself made short."""
    for find in (forces.by_name, areas.by_name):
        try:
            return find(name).slug
        except KeyError:
            continue
    stripped = re.sub(r"\s+(?:police|constabulary)(?: service)?$", "", name.strip(), flags=re.IGNORECASE)
    return place_of(stripped) if stripped and stripped != name.strip() else definitions.slug_of(name)
