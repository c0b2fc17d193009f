"""Whether patrols worked: the weighted displacement difference, and crossover trials with the days they need.

`wdd` (Wheeler & Ratcliffe 2018, Crime Science 7:11): the change where patrols were less the change where they were not,
with what moved next door counted in; counts are Poisson, so the variance of the difference is the sum of the counts.

`crossover`: places are patrolled on one day of each pair of days and not on the other, half of the places on each; the
ratio of rates between patrolled and other days is tested with the pair of days as the unit, so that neither bad days of
the whole town nor lasting differences between places count as an effect.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from counterfoil.engines.errors import BadInput

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Displacement:
    """The change in crimes (less than 0: fewer), its 95 % interval, its z, and a sentence."""

    change: float
    low: float
    high: float
    z: float
    sentence: str


@dataclass(frozen=True)
class Crossover:
    """The change in the rate on patrolled days (-0.1: a tenth less), its 95 % interval, p, and a sentence."""

    change: float
    low: float
    high: float
    p: float
    patrol_days: int
    sentence: str


def wdd(
    *,
    before: float,
    after: float,
    control_before: float,
    control_after: float,
    near_before: float = 0,
    near_after: float = 0,
    control_near_before: float = 0,
    control_near_after: float = 0,
) -> Displacement:
    """Return the weighted displacement difference of counts over spans as long before as after.

    `near` are the areas around, where crime may have moved; leave them out where there are none.
    """
    counts = (before, after, control_before, control_after, near_before, near_after, control_near_before,
              control_near_after)  # fmt: skip
    if min(counts) < 0:
        raise BadInput("counts", "A count cannot be less than 0.")
    change = (after - before) - (control_after - control_before)
    change += (near_after - near_before) - (control_near_after - control_near_before)
    spread = math.sqrt(sum(counts))
    if not spread:
        raise BadInput("counts", "Nothing happened anywhere: there is nothing to compare.")
    z = float(norm.ppf(0.975))
    low, high = change - z * spread, change + z * spread
    return Displacement(float(change), low, high, change / spread, _told(change, low, high))


def _told(change: float, low: float, high: float) -> str:
    between = f"{change:+.0f} crimes against the comparison (95 % interval {low:+.0f} to {high:+.0f})"
    if high < 0:
        return f"It worked: {between}."
    if low > 0:
        return f"There were more crimes where patrols were: {between}."
    return f"It cannot be told whether it worked: {between}; the interval holds no change."


def assign(places: int, pairs: int, *, seed: int) -> NDArray[np.bool_]:
    """Draw a crossover: places x 2·pairs days, each place patrolled on one day of each pair, half of them on each."""
    rng = np.random.default_rng(seed)
    plan = np.zeros((places, 2 * pairs), dtype=bool)
    for k in range(pairs):
        first = rng.permutation(places) < (places + (k % 2)) // 2
        plan[:, 2 * k], plan[:, 2 * k + 1] = first, ~first
    return plan


def crossover(counts: NDArray[np.int64], patrolled: NDArray[np.bool_]) -> Crossover:
    """Return the change in the rate on patrolled days from counts by place and day (in pairs of days)."""
    counts, patrolled = np.asarray(counts), np.asarray(patrolled, dtype=bool)
    if counts.shape != patrolled.shape or counts.ndim != 2 or counts.shape[1] % 2 or counts.shape[1] < 8:
        raise BadInput(
            "days", "Give counts of the same places and days as the draw: pairs of days, four or more."
        )
    if (patrolled[:, ::2] == patrolled[:, 1::2]).any():
        raise BadInput("days", "A place is patrolled on one day of each pair: this is no such trial.")
    change, low, high, p = (float(v[0]) for v in ratios(counts[None], patrolled))
    days = int(patrolled.sum())
    within = f"95 % interval {low:+.1%} to {high:+.1%}, p {p:.3f}, {days:,} patrol-days"
    between = f"{change:+.1%} on patrolled days ({within})"
    if high < 0:
        told = f"It worked: {between}."
    elif low > 0:
        told = f"There was more on patrolled days: {between}."
    else:
        told = f"It cannot be told whether it worked: {between}."
    return Crossover(change, low, high, p, days, told)


def ratios(counts: NDArray[np.int64], patrolled: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return change, bounds and p for many trials at once: counts are trials x places x days."""
    trials, places, days = counts.shape
    on = np.where(patrolled, counts, 0).reshape(trials, places, days // 2, 2).sum(axis=(1, 3)).astype(float)
    off = np.where(patrolled, 0, counts).reshape(trials, places, days // 2, 2).sum(axis=(1, 3)).astype(float)
    on_all, off_all = on.sum(axis=1), off.sum(axis=1)
    if not (on_all.min() and off_all.min()):
        raise BadInput(
            "counts", "Too little happened to compare: no crime on patrolled days, or none on the others."
        )
    pairs = on.shape[1]
    effect = np.log(on_all / off_all)
    # Each pair's part in the logarithm of the ratio (the delta method), so that the pair is what varies.
    part = on / on_all[:, None] - off / off_all[:, None]
    spread = np.sqrt((part**2).sum(axis=1) * pairs / (pairs - 1))
    at = effect / np.maximum(spread, 1e-12)
    edge = t.ppf(0.975, pairs - 1)
    return (
        np.exp(effect) - 1,
        np.exp(effect - edge * spread) - 1,
        np.exp(effect + edge * spread) - 1,
        2 * t.sf(np.abs(at), pairs - 1),
    )


def days_needed(a_day: float, *, fall: float = 0.1, power: float = 0.8, spread: float = 1.05) -> int:
    """Return how many patrol-days a crossover needs to see a fall with a power, at 5 % two-sided.

    `a_day` are the crimes of one place on one day without patrol; `spread` how many times larger than Poisson's the
    variance is, because days differ and the two halves of the places are not alike. From
    the variance of the logarithm of a ratio of two counts, 1/a + 1/b.
    """
    if not (a_day > 0 and 0 < fall < 1 and 0 < power < 1 and spread > 0):
        raise BadInput("power", "Give crimes a day above 0, and a fall and a power between 0 and 1.")
    asked = (norm.ppf(0.975) + norm.ppf(power)) / -math.log1p(-fall)
    return int(np.ceil(spread * asked**2 * (1 / (1 - fall) + 1) / a_day))
