"""The Crown Court: cases open, how many to expect, how old they are, and what more or fewer sitting days would do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast import caseload, courtroom
from counterfoil.engines.forecast.caseload import Caseload
from counterfoil.engines.forecast.courtroom import BANDS, GROUPS, Simulated
from counterfoil.measures import rules
from counterfoil.measures.queries.over_time import Point, Series, series

PLACE = "england-and-wales"
AHEAD = 8
SCALE = 30  # one invented case stands for so many: a page has a second
SITTING = (90, 95, 100, 105, 110, 120)  # percent of the days sat in the last year
OVER_A_YEAR = BANDS.index("1 to 2 years")


@dataclass(frozen=True)
class Quarter:
    """One published quarter: cases open at its end, received and ended in it."""

    open: Point
    receipts: Point
    disposals: Point


@dataclass(frozen=True)
class Courts:
    """The caseload and its forecast.

    quarters: the newest run without a gap; `series` the whole series of open cases with its breaks. forecast None: too
    few quarters. ages: the newest open cases by group and band, None where they are not published; `aged` the end of
    that quarter. needs: which table to import where nothing is held.
    """

    series: Series
    quarters: tuple[Quarter, ...]
    forecast: Caseload | None
    ages: dict[str, tuple[Point | None, ...]]
    waits: Series
    needs: str


def courts(viewer: Viewer) -> Courts:
    """Return the Crown Court's caseload, its forecast for eight quarters, and the ages of open cases."""
    open_, receipts, disposals = (
        series(viewer, f"crown-{w}", PLACE) for w in ("open", "receipts", "disposals")
    )
    by = [
        {(p.first, p.last): p for p in s.points if p.value is not None} for s in (open_, receipts, disposals)
    ]
    run: list[Quarter] = []
    for p in open_.points:
        at = (p.first, p.last)
        broken = any(b.at == p.first for b in open_.breaks)
        if (
            not all(at in one for one in by)
            or broken
            or (run and rules.months(run[-1].open.last, p.first)[1:] != (p.first,))
        ):
            run = []
        if all(at in one for one in by):
            run.append(Quarter(*(one[at] for one in by)))
    cases, received, ended = (
        [_number(getattr(q, name)) for q in run] for name in ("open", "receipts", "disposals")
    )
    try:
        ahead = caseload.forecast(cases, received, ended, AHEAD)
    except BadInput:
        ahead = None
    last = run[-1].open.last if run else ""
    return Courts(
        open_,
        tuple(run),
        ahead,
        _ages(viewer, last),
        series(viewer, "crown-waiting-weeks", PLACE),
        open_.needs,
    )


def _number(point: Point) -> float:
    return float(point.value or 0)


def _ages(viewer: Viewer, last: str) -> dict[str, tuple[Point | None, ...]]:
    """Return the points of the nine bands at the end of a quarter: of all cases, in custody and on bail."""
    found: dict[str, tuple[Point | None, ...]] = {}
    for group, measure, prefix in (
        ("all", "crown-age", ""),
        ("custody", "crown-remand", "custody-"),
        ("bail", "crown-remand", "bail-"),
    ):
        points: list[Point | None] = []
        for band in BANDS:
            try:
                points_of = series(viewer, measure, PLACE, prefix + slug(band)).points
            except BadInput:
                points_of = ()
            points.append(next((p for p in points_of if p.last == last and p.value is not None), None))
        found[group] = tuple(points)
    return found


def slug(band: str) -> str:
    """Return a band's name as an address has it."""
    return re.sub(r"[^a-z0-9]+", "-", band.casefold()).strip("-")


@dataclass(frozen=True)
class WhatIf:
    """What would become of the open cases if courts sat as in the last year, and `sitting` percent of that."""

    sitting: int
    receipts: int
    as_now: Simulated
    changed: Simulated


def what_if(found: Courts, sitting: int) -> WhatIf | None:
    """Simulate eight quarters with the last year's receipts; None where ages or a year's flow are not published.

    Raises BadInput for sitting days that are not offered.
    """
    if sitting not in SITTING:
        raise BadInput("sitting", "Choose one of the shares of sitting days offered.")
    if len(found.quarters) < 4 or any(p is None for points in found.ages.values() for p in points):
        return None
    start = {g: tuple(_number(p) for p in points if p) for g, points in found.ages.items()}
    other = tuple(
        max(0.0, a - c - b) for a, c, b in zip(start["all"], start["custody"], start["bail"], strict=True)
    )
    aged = sum(start["all"]) / _number(found.quarters[-1].open)
    year = found.quarters[-4:]
    receipts = sum(_number(q.receipts) for q in year) / 4
    disposals = sum(_number(q.disposals) for q in year) / 4
    bands = (start["custody"], start["bail"], other)
    as_now, changed = (
        _run(bands, aged * receipts, aged * disposals * courtroom.HOURS * share / 100)
        for share in (100, sitting)
    )
    return WhatIf(sitting, round(receipts), as_now, changed)


@lru_cache(maxsize=32)
def _run(bands: Sequence[tuple[float, ...]], receipts: float, hours: float) -> Simulated:
    start = dict(zip(GROUPS, bands, strict=True))
    return courtroom.simulate([receipts] * AHEAD, [hours] * AHEAD, start, scale=SCALE)


def over_a_year(found: Simulated, quarter: int) -> float:
    """Return how many invented cases are a year old or more at the end of a quarter, scaled up to real size."""
    return sum(sum(bands[OVER_A_YEAR:]) for bands in found.bands[quarter].values())
