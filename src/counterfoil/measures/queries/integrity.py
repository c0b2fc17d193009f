"""What looks wrong with the published tables held: worked out once for exactly these files, kept by their digest."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.engines.integrity import Book, Finding, inspect
from counterfoil.measures import rules
from counterfoil.measures.queries.stock import MONTHLY, Stock, stock
from counterfoil.reference import forces
from counterfoil.reference import measures as definitions

VERSION = "1"  # of the detectors: another version is another report
EVERYWHERE = "all forces"
WIDE = frozenset({"all-forces", "england-and-wales"})  # places that a gap in any force touches
LARGE = 0.01  # of the rows in a finding's months: from there on it could move a published number
ASKED_AGAIN = 3600  # seconds after which the files are asked to be looked through once more


@dataclass(frozen=True)
class Cell:
    """One force and month: `missing` (no file), `zero`, `asked` (a finding of one row in a hundred or more), `noted`
    (smaller ones only) or `clear`, with the kinds of finding.
    """

    month: str
    state: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class ForceFindings:
    """The findings of one force, and its months."""

    slug: str
    force: forces.Force | None
    findings: tuple[Finding, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Report:
    """Every finding in the files held. `ready` is false while they are still being looked through."""

    ready: bool
    digest: str
    files: int
    months: tuple[str, ...]
    findings: tuple[Finding, ...]
    lines: tuple[ForceFindings, ...]
    everywhere: tuple[Finding, ...]

    @property
    def kinds(self) -> dict[str, tuple[Finding, ...]]:
        """The findings by kind."""
        found: dict[str, list[Finding]] = defaultdict(list)
        for one in self.findings:
            found[one.kind].append(one)
        return {k: tuple(v) for k, v in found.items()}


def book(*, rename: bool = False) -> Book:
    """Return what numbers' addresses call forces and types of crime, and which forces there are."""
    known = forces.forces()
    return Book(
        forces={n.casefold(): f.slug for f in known for n in (f.slug, f.name, *f.aliases)},
        types={n.casefold(): t.slug for t in definitions.crime_types() for n in (t.slug, t.name)},
        expected=tuple(f.slug for f in known if f.valid_to is None),
        rename=rename,
    )


def _digest(now: Stock) -> str:
    files = sorted({h.sha256 for h in now.used.values() if h.kind in MONTHLY})
    return hashlib.sha256("\n".join(["counterfoil/integrity", VERSION, *files]).encode()).hexdigest()


def _file(now: Stock) -> Path:
    return now.tables.root / "integrity" / f"{_digest(now)}.json"


def looked_through() -> bool:
    """Say whether the files held now have been looked through (or there are none)."""
    now = stock()
    return not any(h.kind in MONTHLY for h in now.used.values()) or _file(now).exists()


def wants_looking(now: float) -> bool:
    """Say whether somebody should be asked to look through the files held, and remember that they were (`now`: s)."""
    if looked_through():
        return False
    asked = _file(stock()).with_suffix(".asked")
    if asked.exists() and now - asked.stat().st_mtime < ASKED_AGAIN:
        return False
    asked.parent.mkdir(parents=True, exist_ok=True)
    asked.touch()
    return True


def look_through() -> int:
    """Look through the files held now for what is wrong, keep what was found, and return how many findings there are.

    Does nothing when it was done before for exactly these files.
    """
    now = stock()
    if looked_through():
        return len(_kept(str(_file(now)))) if _file(now).exists() else 0
    paths = sorted({now.tables.path(h) for h in now.used.values() if h.kind in MONTHLY and h.rows})
    found = inspect(paths, book(rename=True)) if paths else []
    file = _file(now)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(
        json.dumps([asdict(f) for f in found], ensure_ascii=False, indent=1), encoding="utf-8"
    )
    temporary.replace(file)
    return len(found)


@lru_cache(maxsize=4)
def _kept(file: str) -> tuple[Finding, ...]:
    rows = json.loads(Path(file).read_text(encoding="utf-8"))
    return tuple(Finding(**{**row, "affects": tuple(row["affects"])}) for row in rows)


def report(viewer: Viewer) -> Report:
    """Return the report on the files held: read from where it was kept, never worked out while somebody waits."""
    now = stock()
    return _report(now, _file(now).exists())


@lru_cache(maxsize=4)
def _report(now: Stock, ready: bool) -> Report:
    file = _file(now)
    findings = _kept(str(file)) if ready else ()
    months = now.months()
    by: dict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        by[one.force].append(one)
    # A force that has since become part of another still has its files and findings.
    known = {s: forces.force(s) for s in {*now.forces(), *by} if forces.known(s)}
    named = sorted({*now.forces(), *(f for f in by if f in known)}, key=lambda s: known[s].name)
    lines = tuple(
        ForceFindings(slug, known[slug], tuple(by[slug]), _cells(now, slug, by[slug], months))
        for slug in named
    )
    rest = tuple(f for f in findings if f.force not in known)
    files = len({h.sha256 for h in now.used.values() if h.kind in MONTHLY})
    return Report(ready, _digest(now), files, months, findings, lines, rest)


def _cells(now: Stock, slug: str, found: Iterable[Finding], months: tuple[str, ...]) -> tuple[Cell, ...]:
    rows, ended = now.rows("street", slug), now.rows("outcomes", slug)
    large = {
        f
        for f in found
        if f.size >= LARGE * _rows_between(rows, f) or f.size >= LARGE * _rows_between(ended, f) > 0
    }
    cells = []
    for month in months:
        here = [f for f in found if f.since <= month <= f.until]
        state = rules.state(rows.get(month))
        if state == "submitted":
            state = "clear" if not here else "asked" if large.intersection(here) else "noted"
        cells.append(Cell(month, state, tuple(dict.fromkeys(f.kind for f in here))))
    return tuple(cells)


def _rows_between(rows: Mapping[str, int], one: Finding) -> int:
    return sum(n for month, n in rows.items() if one.since <= month <= one.until)


def findings(viewer: Viewer, address: str) -> tuple[Finding, ...]:
    """Return the findings that touch the number at an address: of its measure, force, months and type of crime.

    Empty while the files are still being looked through, and for an address that is none.
    """
    try:
        what = rules.NumberId.parse(address)
    except BadInput:
        return ()
    return tuple(f for f in report(viewer).findings if touches(f, what))


def touches(one: Finding, what: rules.NumberId) -> bool:
    """Say whether a finding touches a number: by the addresses it names, or everywhere when it names none.

    A finding of all types touches each; one that names types touches those, and the sum when it names that too.
    """
    named = [a.split(".") for a in one.affects if a.split(".")[0] == what.measure]
    if any(len(parts) == 1 for parts in named):
        return one.force.casefold() in (EVERYWHERE, "all") and _within(one.since, one.until, what)
    types = {parts[3] for parts in named}
    if not types or not (what.type in types or types == {"all"}):
        return False
    places = {parts[1] for parts in named}
    first, last = named[0][2].split("_")
    return (what.force in places or what.force in WIDE) and _within(first, last, what)


def _within(first: str, last: str, what: rules.NumberId) -> bool:
    return (not first or first <= what.last) and (not last or last >= what.first)
