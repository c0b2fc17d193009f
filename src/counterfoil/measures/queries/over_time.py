"""A measure over time and over places, each point a number with an address of its own."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import rules
from counterfoil.measures.queries import mergers
from counterfoil.measures.queries.numbers import Number, compute, periods_of, places_of
from counterfoil.measures.rules import NumberId
from counterfoil.reference import measures as definitions
from counterfoil.reference.measures import Break, Definition


@dataclass(frozen=True)
class Point:
    """One number of a series; `value` is None when it is not known, never 0 for that."""

    first: str
    last: str
    value: int | Decimal | None
    low: Decimal | None
    high: Decimal | None
    state: str
    address: str
    part: int | Decimal | None = None
    whole: int | Decimal | None = None
    vintage: str = ""


@dataclass(frozen=True)
class Series:
    """The points of a measure for one place and kind, oldest first, and where they cannot be compared across."""

    measure: str
    place: str
    kind: str
    points: tuple[Point, ...]
    breaks: tuple[Break, ...]
    vintage: str
    source: dict[str, str]
    definition: Definition
    state: str
    needs: str = ""


def point(one: Number) -> Point:
    """Return a number as a point of a series."""
    return Point(
        one.id.first,
        one.id.last,
        one.value,
        one.low,
        one.high,
        one.state,
        str(one.id),
        one.part,
        one.whole,
        one.vintage,
    )


def series(viewer: Viewer, measure: str, place: str, kind: str = "all") -> Series:
    """Return a measure for one place over every period of which anything is held.

    A point rests on one vintage; where the next rests on another, that is a break. Without a table the series has no
    points and says which to import. Raises BadInput for an unknown measure, place or kind.
    """
    definition = rules.definition(measure)
    found = [
        compute(NumberId(measure, place, first, last, kind), viewer=viewer)
        for first, last in periods_of(measure, place, viewer)
    ]
    points = tuple(point(n) for n in found)
    known = [p for p in points if p.value is not None]
    breaks = [
        b
        for b in definition.breaks
        if points and points[0].first < b.at <= points[-1].last and (not b.places or place in b.places)
    ]
    merger = mergers.break_of(place)
    if merger is not None and points and points[0].first < merger.at:
        breaks.append(merger)
    for before, after in pairwise(known):
        if before.vintage != after.vintage:
            breaks.append(Break.of_vintage(after.first, before.vintage, after.vintage))
    return Series(
        measure=measure,
        place=place,
        kind=kind,
        points=points,
        breaks=tuple(sorted(breaks, key=lambda b: b.at)),
        vintage=known[-1].vintage if known else "",
        source=definitions.source(definition.source),
        definition=definition,
        state="published" if known else "missing" if points else "no-table",
        needs="" if points else rules.import_kind(definition),
    )


def compare(viewer: Viewer, measure: str, period: tuple[str, str], kind: str = "all") -> tuple[Number, ...]:
    """Return a measure for every place of which anything is held, in one period, by the name of the place.

    All rest on one vintage, the one that most of them have; a place that only another vintage holds comes without a
    value, and says so in its state (`other-vintage`).
    """
    rules.definition(measure)
    found = [
        compute(NumberId(measure, place, period[0], period[1], kind), viewer=viewer)
        for place in places_of(measure, viewer)
    ]
    known = [n.vintage for n in found if n.value is not None]
    most = max(sorted(set(known), reverse=True), key=known.count, default="")
    return tuple(
        n if n.value is None or n.vintage == most else n.without("other-vintage")
        for n in sorted(found, key=lambda n: n.force.name)
    )
