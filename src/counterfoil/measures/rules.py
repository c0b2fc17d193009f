"""Pure rules of a number: its address, what was submitted or is missing, the period a share may cover, classes.

>>> NumberId.parse("charged.cleveland.2021-03_2022-02.burglary").type
'burglary'
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import Held

MEASURES = ("crimes", "charged", "charged-of-outcomes", "outcomes")
_ID = re.compile(
    r"(?P<measure>[a-z][a-z-]*)\.(?P<force>[a-z][a-z-]*)\.(?P<first>\d{4}-\d{2})_(?P<last>\d{4}-\d{2})"
    r"\.(?P<type>[a-z0-9][a-z0-9-]*)(?:\.(?P<area>none|[EW]\d{8}))?\Z"
)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])\Z")


@dataclass(frozen=True)
class NumberId:
    """The address of a number: enough to compute it again from the files held."""

    measure: str
    force: str
    first: str
    last: str
    type: str = "all"
    area: str = ""

    def __str__(self) -> str:
        tail = f".{self.area}" if self.area else ""
        return f"{self.measure}.{self.force}.{self.first}_{self.last}.{self.type}{tail}"

    @staticmethod
    def parse(text: str) -> "NumberId":
        """Read an address; raises BadInput with a sentence when it is not one."""
        found = _ID.match(text)
        if not found or found["measure"] not in MEASURES:
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
        if one.measure == "charged-of-outcomes" and one.type != "all":
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


def current(held: Iterable[Held]) -> tuple[dict[tuple[str, str, str], Held], tuple[tuple[Held, Held], ...]]:
    """Choose the newest file for each (kind, force, month); return them and the pairs (older, newer used).

    `held` comes oldest first, as `Tables.held()` gives it.
    """
    used: dict[tuple[str, str, str], Held] = {}
    everything: dict[tuple[str, str, str], list[Held]] = {}
    for one in held:
        key = (one.kind, one.force, one.month)
        used[key] = one
        everything.setdefault(key, []).append(one)
    older = tuple((one, used[key]) for key, ones in everything.items() for one in ones[:-1])
    return used, older


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
