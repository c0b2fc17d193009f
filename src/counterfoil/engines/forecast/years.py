"""Put a published series into comparable years: no overlaps, no guesses for what is missing, no year across a break."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from counterfoil.engines.errors import BadInput

Value = int | float | Decimal
YEAR = 365.2425


class Period(Protocol):
    """A value of one period: first and last day, both included; None when it is not known."""

    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...
    @property
    def value(self) -> Value | None: ...


@dataclass(frozen=True)
class Point:
    """A published value of one period, with its 95 % interval where it comes from a survey."""

    first: date
    last: date
    value: Value | None
    low: Value | None = None
    high: Value | None = None


@dataclass(frozen=True)
class Year:
    """One comparable year: when it ended, its value, and the interval it was published with."""

    first: date
    last: date
    value: float
    low: float | None
    high: float | None


def years(points: Sequence[Period], breaks: Sequence[date], unit: str) -> tuple[Year, ...]:
    """Return comparable years, oldest first.

    Yearly values that overlap (rolling years) are thinned back from the newest. Shorter periods are put together into
    years back from the newest value: counts are added, shares averaged; a year with a period missing is left out, as
    is one with a break inside. BadInput when periods run backwards or are longer than a year and a month.
    """
    ordered = sorted(points, key=lambda p: p.last)
    for p in ordered:
        if p.last < p.first or (p.last - p.first).days > 400:
            raise BadInput(
                "points", f"The period {p.first} to {p.last} is none. Give periods of at most one year."
            )
    known = [p for p in ordered if p.value is not None]
    if not known:
        return ()
    lengths = sorted((p.last - p.first).days + 1 for p in known)
    whole = lengths[len(lengths) // 2] >= 350
    found = _thinned(known) if whole else _joined(ordered, unit)
    return tuple(y for y in found if not any(y.first < b <= y.last for b in breaks))


def _number(value: Value | None) -> float | None:
    return None if value is None else float(value)


def _thinned(known: Sequence[Period]) -> list[Year]:
    kept: list[Year] = []
    for p in reversed(known):
        if (p.last - p.first).days < 350 or (kept and p.last >= kept[-1].first):
            continue
        low, high = (_number(getattr(p, side, None)) for side in ("low", "high"))
        kept.append(Year(p.first, p.last, float(p.value or 0), low, high))
    return kept[::-1]


def _joined(ordered: Sequence[Period], unit: str) -> list[Year]:
    """Join months or quarters into years, back from the newest that has a value."""
    newest = max(i for i, p in enumerate(ordered) if p.value is not None)
    kept: list[Year] = []
    group: list[Period] = []
    for p in reversed(ordered[: newest + 1]):
        if group and p.last != group[-1].first - timedelta(days=1):
            group = []
        group.append(p)
        days = (group[0].last - p.first).days + 1
        if days < 360:
            continue
        values = [float(g.value) for g in group if g.value is not None]
        if days <= 372 and len(values) == len(group):
            total = sum(values)
            kept.append(
                Year(p.first, group[0].last, total if unit == "count" else total / len(values), None, None)
            )
        group = []
    return kept[::-1]
