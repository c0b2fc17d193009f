"""Say how probable it is that a published series reaches a target, or that this is not known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast.years import YEAR, Period, Value, Year, years

Floats = NDArray[np.float64]

# Ways to read a series, all tried at once and weighed by how well they foretold its own values: how fast a trend
# forgets itself (a year), how large trends are (a year), how far the level jumps (a year), how far a value misses it.
FORGETS = (0.0, 0.35)
TRENDS = (0.03, 0.09)
JUMPS = (0.01, 0.04, 0.12)
MISSES = (0.005, 0.02, 0.06)
LIKELY = 0.92
LEAST = 4  # comparable years
SINCE_BREAK = 2
VAGUE = math.log(1.5)
SHIFT = 1.0  # what a break may have done to the level, in logs: anything from a third to three times


class Dated(Protocol):
    """Something that happened to a series on a day."""

    @property
    def at(self) -> date: ...


@dataclass(frozen=True)
class Fan:
    """The 90 % interval and the middle of what to expect on a day."""

    at: date
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """Whether a target will be reached; `probability` None says that it cannot be known, and `why` says why not.

    state: `likely` (at least .92), `unlikely` (at most .08), `open`, `not known`. `low` and `high` are the probability
    under the ways of reading the series that are left when the least plausible tenth is put aside. `expected` and
    `fan` are on the footing of the baseline; `path` is the steady way from the baseline to the target.
    """

    probability: float | None
    low: float | None
    high: float | None
    state: str
    why: str
    sentence: str
    expected: Fan | None
    fan: tuple[Fan, ...]
    path: tuple[tuple[date, float], ...]
    used: int


def on_path(
    points: Sequence[Period],
    baseline: Period,
    level: Value,
    by: date,
    breaks: Sequence[date | Dated] = (),
    *,
    unit: str = "count",
    direction: str = "down",
) -> Verdict:
    """Return the probability that what a series measures will have moved from its baseline to a target by a day.

    points: values of months, quarters or years; None is missing. A period that equals the baseline's is read as the
    baseline, and the target as the same change from it, so a restated series stays whole. unit: `count` (in logs, each
    with its counting error) or `share` (percent, in log-odds, with the interval published). A break is a first day
    from which values are not comparable; what it did to the level is not known, and the trend bridges it.

    Method: the level follows a trend that may fade, both wander, values miss the level; Kalman filters over a grid of
    such models, weighed by marginal likelihood (Harvey 1989, sections 3.2 and 3.4; Hoeting and others 1999). Nothing
    is drawn at random. Raises BadInput when target, baseline or unit are not possible.
    """
    if unit not in ("count", "share") or direction not in ("down", "up"):
        raise BadInput("unit", "A target is in `count` or `share` and goes `down` or `up`.")
    start = None if baseline.value is None else float(baseline.value)
    top = math.inf if unit == "count" else 100.0
    if start is None or not (0 < start < top and 0 < float(level) < top):
        raise BadInput(
            "baseline", "A target needs a baseline and a level above 0, and below 100 if they are shares."
        )
    cuts = sorted(b if isinstance(b, date) else b.at for b in breaks)
    seen = [y for y in years(points, cuts, unit) if y.last <= by]
    place = next((i for i, y in enumerate(seen) if abs((y.last - baseline.last).days) <= 15), None)
    if place is None:
        own = Year(baseline.first, baseline.last, start, *_interval(baseline))
        seen = sorted(
            [y for y in seen if y.last < own.first or y.first > own.last] + [own], key=lambda y: y.last
        )
        place = seen.index(own)
    aim = _scale(float(level), unit) - _scale(start, unit)
    steady = _steady(baseline.last, by, start, float(level))
    used, since = len(seen), sum(1 for y in seen if not cuts or y.first >= cuts[-1])
    passed = [c for c in cuts if c <= seen[-1].last]
    if used < LEAST or place == used - 1:
        return _unknown("short", used, steady)
    if any(c > seen[-1].last and c <= by for c in cuts) or (passed and since < SINCE_BREAK):
        return _unknown("break", used, steady)
    grid = _filter(seen, place, passed, unit)
    now_mean, now_var = grid.moved(0.0)
    middle = float(grid.weights @ now_mean)
    spread = math.sqrt(float(grid.weights @ (now_var + (now_mean - middle) ** 2)))
    if 1.645 * spread > VAGUE:
        return _unknown("vague", used, steady)
    ahead = max(0.0, (by - seen[-1].last).days / YEAR)
    mean, var = grid.moved(ahead)
    sign = 1.0 if direction == "down" else -1.0
    each = ndtr(sign * (aim - mean) / np.sqrt(var))
    probability = float(min(1.0, max(0.0, grid.weights @ each)))
    low, high = _range(each, grid.weights)
    base = _scale(start, unit)
    fan = tuple(
        Fan(day, *(_unscale(base + q, unit) for q in grid.quantiles((day - seen[-1].last).days / YEAR)))
        for day in _days(seen[-1].last, by)
    )
    state = "likely" if probability >= LIKELY else "unlikely" if probability <= 1 - LIKELY else "open"
    return Verdict(
        probability, low, high, state, "", _sentence(state, probability, by), fan[-1], fan, steady, used
    )


@dataclass(frozen=True)
class _Grid:
    """The filtered state of each model (level, trend, shift, level at the baseline) and the models' weights."""

    mean: Floats
    cov: Floats
    weights: Floats
    forgets: Floats
    trends: Floats
    jumps: Floats

    def moved(self, ahead: float) -> tuple[Floats, Floats]:
        """Return mean and variance of the change since the baseline, so many years after the last value."""
        step, noise = _step(self.forgets, self.trends, self.jumps, ahead)
        mean = np.einsum("gij,gj->gi", step, self.mean)
        cov = np.einsum("gij,gjk,glk->gil", step, self.cov, step) + noise
        return mean[:, 0] - mean[:, 3], np.maximum(cov[:, 0, 0] + cov[:, 3, 3] - 2 * cov[:, 0, 3], 1e-12)

    def quantiles(self, ahead: float) -> tuple[float, float, float]:
        """Return the 5 %, 50 % and 95 % points of the change since the baseline over all models."""
        mean, var = self.moved(ahead)
        sd = np.sqrt(var)
        wanted = np.array([0.05, 0.5, 0.95])
        low = np.full(3, float((mean - 8 * sd).min()))
        high = np.full(3, float((mean + 8 * sd).max()))
        for _ in range(60):
            half = (low + high) / 2
            below = ndtr((half[:, None] - mean) / sd) @ self.weights < wanted
            low, high = np.where(below, half, low), np.where(below, high, half)
        return float(half[0]), float(half[1]), float(half[2])


def _step(forgets: Floats, trends: Floats, jumps: Floats, years_on: float) -> tuple[Floats, Floats]:
    """Return transition and noise over a number of years for each model."""
    size = len(forgets)
    keep = np.exp(-forgets * years_on)
    carry = np.where(forgets > 0, (1 - keep) / np.where(forgets > 0, forgets, 1), years_on)
    step = np.tile(np.eye(4), (size, 1, 1))
    step[:, 0, 1], step[:, 1, 1] = carry, keep
    noise = np.zeros((size, 4, 4))
    noise[:, 0, 0] = jumps**2 * years_on
    noise[:, 1, 1] = trends**2 * (1 - keep**2) + (0.1 * trends) ** 2 * years_on
    return step, noise


def _filter(seen: Sequence[Year], place: int, cuts: Sequence[date], unit: str) -> _Grid:
    """Run every model over the years and weigh it by the likelihood of what it had to foretell."""
    forgets, trends, jumps, misses = (
        axis.ravel() for axis in np.meshgrid(FORGETS, TRENDS, JUMPS, MISSES, indexing="ij")
    )
    size = len(forgets)
    mean, cov = np.zeros((size, 4)), np.zeros((size, 4, 4))
    mean[:, 0] = _scale(seen[0].value, unit)
    cov[:, 0, 0], cov[:, 1, 1] = 25.0, trends**2
    logs = np.zeros(size)
    view = np.array([1.0, 0.0, 1.0, 0.0])
    last = seen[0].last
    for i, year in enumerate(seen):
        if i:
            step, noise = _step(forgets, trends, jumps, (year.last - last).days / YEAR)
            mean = np.einsum("gij,gj->gi", step, mean)
            cov = np.einsum("gij,gjk,glk->gil", step, cov, step) + noise
            cov[:, 2, 2] += SHIFT**2 * sum(last < c <= year.last for c in cuts)
        error = _scale(year.value, unit) - mean @ view
        total = np.einsum("i,gij,j->g", view, cov, view) + misses**2 + _sampling(year, unit)
        gain = np.einsum("gij,j->gi", cov, view) / total[:, None]
        mean = mean + gain * error[:, None]
        cov = cov - np.einsum("gi,gj,g->gij", gain, gain, total)
        if i:
            logs -= 0.5 * (np.log(total) + error**2 / total)
        if i == place:
            mean[:, 3] = mean[:, 0]
            cov[:, 3, :], cov[:, :, 3] = cov[:, 0, :], cov[:, :, 0]
            cov[:, 3, 3] = cov[:, 0, 0]
        last = year.last
    weights = np.exp(logs - logs.max())
    return _Grid(mean, cov, weights / weights.sum(), forgets, trends, jumps)


def _scale(value: float, unit: str) -> float:
    if unit == "count":
        return math.log(max(value, 0.5))
    inside = min(max(value, 0.05), 99.95) / 100
    return math.log(inside / (1 - inside))


def _unscale(value: float, unit: str) -> float:
    return math.exp(value) if unit == "count" else 100 / (1 + math.exp(-value))


def _interval(point: Period) -> tuple[float | None, float | None]:
    low, high = (getattr(point, side, None) for side in ("low", "high"))
    return (None, None) if low is None or high is None else (float(low), float(high))


def _sampling(year: Year, unit: str) -> float:
    """Return the variance a value brings with it: from its 95 % interval, else that of a count."""
    if year.low is not None and year.high is not None and year.high > year.low:
        return ((_scale(year.high, unit) - _scale(year.low, unit)) / 3.92) ** 2
    return 1 / max(year.value, 0.5) if unit == "count" else 0.0


def _range(each: Floats, weights: Floats) -> tuple[float, float]:
    """Return the probabilities between which nine tenths of the models' weight lies."""
    order = np.argsort(each, kind="stable")
    share = np.cumsum(weights[order])
    at = [min(int(np.searchsorted(share, q)), len(order) - 1) for q in (0.05, 0.95)]
    return float(each[order[at[0]]]), float(each[order[at[1]]])


def _days(last: date, by: date) -> list[date]:
    """Return the days for the fan: the last value's, each year after it, and the target's."""
    days = [last]
    while (after := _year_on(days[-1])) < by:
        days.append(after)
    return days if by <= last else [*days, by]


def _year_on(day: date) -> date:
    return date(day.year + 1, day.month, min(day.day, 28) if day.month == 2 else day.day)


def _steady(begin: date, by: date, start: float, level: float) -> tuple[tuple[date, float], ...]:
    whole = max(1, (by - begin).days)
    days = [begin, *[d for d in _days(begin, by) if d > begin]]
    return tuple((d, start * (level / start) ** min(1.0, (d - begin).days / whole)) for d in days)


def _unknown(why: str, used: int, steady: tuple[tuple[date, float], ...]) -> Verdict:
    because = {
        "short": f"only {used} comparable years are published, and {LEAST} are needed",
        "break": "the way of counting changed and too little is published since to see a trend",
        "vague": "where the series stands now cannot be told within a factor of one and a half",
    }[why]
    return Verdict(None, None, None, "not known", why, f"Not known: {because}.", None, (), steady, used)


def _sentence(state: str, probability: float, by: date) -> str:
    word = {"likely": "Likely", "unlikely": "Unlikely", "open": "Open"}[state]
    chance = round(100 * probability)
    said = (
        "less than 1 in 100" if chance < 1 else "more than 99 in 100" if chance > 99 else f"{chance} in 100"
    )
    return f"{word}: the chance of reaching it by {by.day} {by:%B %Y}, read from the series alone, is {said}."
