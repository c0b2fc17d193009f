"""What published tables say about what is not published yet: young crimes, changes taken apart, courts to come."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast import cohorts, split
from counterfoil.engines.forecast.cohorts import KNOWN, Nowcast, Triangle
from counterfoil.engines.forecast.split import Counted, Parts
from counterfoil.engines.measure.ages import Row, charged_at
from counterfoil.measures import rules
from counterfoil.measures.queries.stock import CHARGED, Stock, stock
from counterfoil.reference import forces
from counterfoil.reference import measures as definitions

YEAR = 12


@dataclass(frozen=True)
class Followed:
    """Every force's crimes by type, month and the month of a first charge, and what of it may be relied on."""

    rows: tuple[Row, ...]
    triangle: Triangle | None
    months: tuple[str, ...]
    supplied: frozenset[tuple[str, str]]


@lru_cache(maxsize=2)
def _followed(now: Stock) -> Followed:
    """Follow the crimes of one edition, the one that holds most months; vintages are never mixed."""
    editions = rules.editions(h for h in now.held if h.kind in ("street", "outcomes"))
    if editions:
        now = max(
            (now.at(e) for e in editions), key=lambda s: sum(len(s.of("outcomes", f)) for f in s.forces())
        )
    not_crimes = {t.name for t in definitions.crime_types() if not t.crime}
    found = charged_at([(f, now.parts("street", f), now.parts("outcomes", f)) for f in now.forces()], CHARGED)
    rows = tuple(r for r in found if r[1] not in not_crimes)
    supplied = cohorts.whole({f: now.rows("outcomes", f) for f in now.forces()})
    alike = [(f, t, m, a, n) for f, t, m, a, can, n in rows if can]
    triangle = Triangle.of(alike, supplied) if alike else None
    return Followed(rows, triangle, now.months(), frozenset(supplied))


@dataclass(frozen=True)
class Young:
    """A force's quarters of crimes and what they will have come to after a year."""

    force: forces.Force
    until: str
    quarters: tuple[Nowcast, ...]


def young(viewer: Viewer, force: str) -> Young:
    """Return, for each three months of crimes held, the share charged so far and the share to expect after a year.

    Quarters are counted back from the newest one whose last month has three months of outcomes. Raises BadInput for an
    unknown force or when none of its crimes are held.
    """
    held = _held(force)
    triangle, months = held.triangle, held.months
    if triangle is None or force not in triangle.forces:
        raise BadInput("force", "No crimes of this force that can be followed to an outcome are held.")
    found = []
    end = len(months) - KNOWN + 1
    while end - 3 >= 0:
        found.append(cohorts.nowcast(triangle, force, months[end - 3 : end], until=months[-1], age=YEAR))
        end -= 3
    return Young(forces.force(force), months[-1], tuple(reversed(found)))


@dataclass(frozen=True)
class Change:
    """A force's charge rate in two quarters and why it changed; `parts` None is not known, and `why` says why.

    why: `missing` (a month of crimes or outcomes of either quarter was not published or came half), `short` (there are
    no two quarters with three months of outcomes).
    """

    force: forces.Force
    before: tuple[str, ...]
    after: tuple[str, ...]
    parts: Parts | None
    counts: tuple[tuple[str, Counted, Counted], ...]
    why: str


def change(viewer: Viewer, force: str, apart: int = 0) -> Change:
    """Return the change of a force's charge rate between two quarters, split into parts that add up exactly.

    The later is the newest quarter whose last month has three months of outcomes; the earlier one lies `apart` months
    before it, or as early as is held for 0. Both are followed for three months after each month recorded; what was
    charged later is the timing part. Raises BadInput for an unknown force or span.
    """
    held = _held(force)
    if apart and (apart < 3 or apart % 3):
        raise BadInput("apart", "Choose quarters 3, 6, 9 or 12 months apart.")
    months = held.months
    end = len(months) - KNOWN + 1
    begin = end - 3 - apart if apart else 0
    one = forces.force(force)
    if begin < 0 or end - 3 < 3 or begin + 3 > end - 3:
        return Change(one, (), (), None, (), "short")
    before, after = months[begin : begin + 3], months[end - 3 : end]
    needed = {(force, m) for m in months[begin:]}
    recorded = {m for f, _, m, *_ in held.rows if f == force}
    if needed - held.supplied or not recorded.issuperset((*before, *after)):
        return Change(one, before, after, None, (), "missing")
    old, new = _counted(held.rows, force, before), _counted(held.rows, force, after)
    try:
        parts = split.decompose(old, new)
    except BadInput:
        return Change(one, before, after, None, (), "missing")
    nothing = Counted(0, 0)
    counts = tuple((t, old.get(t, nothing), new.get(t, nothing)) for t in sorted({*old, *new}))
    return Change(one, before, after, parts, counts, "")


def _held(force: str) -> Followed:
    if not forces.known(force):
        raise BadInput("force", "There is no police force of this name.")
    return _followed(stock())


def _counted(rows: Sequence[Row], force: str, months: Sequence[str]) -> dict[str, Counted]:
    """Return a quarter's crimes by type; those without an identifier are there only for how they were recorded."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for f, kind, month, age, can, n in rows:
        if f == force and month in months:
            one = sums[kind]
            one[0] += n
            one[1] += n if age is not None else 0
            one[2] += n if age is not None and age < KNOWN else 0
            one[3] += 0 if can else n
    return {
        kind: Counted(crimes, charged, in_time, only_recorded)
        for kind, (crimes, charged, in_time, only_recorded) in sums.items()
    }
