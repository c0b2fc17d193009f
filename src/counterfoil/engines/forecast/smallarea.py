"""Say what share of each force's public is confident, from a survey that asked few people in each, or say "not known".

>>> asked = [Asked(f"force-{i}", 2025, share=50 + i % 5, people=900) for i in range(20)]
>>> found = {e.force: e for e in small_area([*asked, Asked("tiny", 2025, share=80, people=12)], 2025)}
>>> found["force-3"].low < 53 < found["force-3"].high
True
>>> found["tiny"].value, found["tiny"].why
(None, 'people')
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from counterfoil.engines.errors import BadInput

Array = NDArray[Any]

WIDEST = 6.0  # points: a wider 90 % interval helps nobody to tell forces apart
DESIGN = 1.3  # how much less a clustered survey tells than as many people drawn at random
FEWEST_FORCES = 10
FEWEST_PEOPLE = 100  # asked in the force itself: less would only repeat what other forces said
BETWEEN = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 7.5, 10.0)  # how far forces lie from the mean of all, in points
MOVES = (0.0, 0.5, 1.0, 2.0, 3.5)  # how far a force moves against the mean of all in a year


@dataclass(frozen=True)
class Asked:
    """What a survey found in one force and year: the share in percent and how many people answered."""

    force: str
    year: int
    share: float
    people: int


@dataclass(frozen=True)
class Estimate:
    """A force's share in percent with its 90 % interval; None is not known, and `why` says why.

    why: `wide` (the interval would be wider than six points), `people` (too few were asked in the force), `few` (too
    few forces were asked to learn from). `share`
    and `people` are what the survey found in that force in that year, None and 0 where nobody was asked.
    """

    force: str
    value: float | None
    low: float | None
    high: float | None
    width: float
    why: str
    share: float | None
    people: int


def small_area(
    asked: Sequence[Asked], year: int, *, design: float = DESIGN, widest: float = WIDEST
) -> tuple[Estimate, ...]:
    """Return every force's share in a year, by name.

    A force's share is the mean of all forces plus its own distance, which moves a little from year to year; few answers
    pull the estimate to the mean and to the force's years before (Fay and Herriot 1979; over years Rao and Yu 1994).
    How far forces lie apart and move is not fixed but averaged over, weighed by likelihood, so that the interval also
    holds that. The error of an answer is taken at the mean share, for a force's own share is what is in doubt. design:
    the survey's design effect on variance. Raises BadInput for shares or people that cannot be, or a force asked twice.
    """
    kept: dict[tuple[str, int], Asked] = {}
    for one in asked:
        if not (0 <= one.share <= 100 and one.people >= 0) or (one.force, one.year) in kept:
            raise BadInput(
                "asked", f"{one.force} in {one.year}: a share of 0 to 100 of some people, once a year."
            )
        if one.people and one.year <= year:
            kept[one.force, one.year] = one
    forces = sorted({one.force for one in asked})
    years = sorted({y for _, y in kept})
    now = {f for f, y in kept if y == year}
    if len(now) < FEWEST_FORCES:
        return tuple(_none(f, "few", math.inf, kept.get((f, year))) for f in forces)
    means = _means(kept, years)
    mean, var, weights = _filtered(kept, forces, years, means, design)
    found = []
    for i, force in enumerate(forces):
        low, middle, high = (means[year] + q for q in _quantiles(mean[:, i], var[:, i], weights))
        own = kept.get((force, year))
        if own is None or own.people < FEWEST_PEOPLE:
            found.append(_none(force, "people", high - low, own))
        elif high - low > widest:
            found.append(_none(force, "wide", high - low, own))
        else:
            ends = max(0.0, low), min(100.0, high)
            found.append(Estimate(force, middle, *ends, high - low, "", own.share, own.people))
    return tuple(found)


def _none(force: str, why: str, width: float, one: Asked | None) -> Estimate:
    share, people = (one.share, one.people) if one else (None, 0)
    return Estimate(force, None, None, None, width, why, share, people)


def _means(kept: dict[tuple[str, int], Asked], years: Sequence[int]) -> dict[int, float]:
    """Return each year's mean over forces, each counting by its people up to the middle force's number."""
    found = {}
    for year in years:
        ones = [one for (_, y), one in kept.items() if y == year]
        middle = float(np.median([one.people for one in ones]))
        weights = [min(one.people, middle) for one in ones]
        found[year] = float(np.average([one.share for one in ones], weights=weights))
    return found


def _filtered(
    kept: dict[tuple[str, int], Asked],
    forces: Sequence[str],
    years: Sequence[int],
    means: dict[int, float],
    design: float,
) -> tuple[Array, Array, Array]:
    """Return mean and variance of each force's distance in the last year [model, force], and the models' weights."""
    between, moves = (a.ravel() for a in np.meshgrid(BETWEEN, MOVES, indexing="ij"))
    mean = np.zeros((len(between), len(forces)))
    var = np.repeat(between[:, None] ** 2, len(forces), axis=1)
    logs = np.zeros(len(between))
    at = defaultdict(list)
    for i, force in enumerate(forces):
        for year in years:
            if (force, year) in kept:
                at[year].append((i, kept[force, year]))
    for before, year in zip([None, *years], years, strict=False):
        if before is not None:
            var = var + moves[:, None] ** 2 * (year - before)
        share = min(max(means[year], 1.0), 99.0)
        ours = np.array([i for i, _ in at[year]])
        error = np.array([share * (100 - share) * design / one.people for _, one in at[year]])
        error += error.mean() / len(ours)  # the mean of all is itself known from these answers
        seen = np.array([one.share for _, one in at[year]]) - means[year]
        total = var[:, ours] + error
        miss = seen - mean[:, ours]
        logs -= 0.5 * (np.log(total) + miss**2 / total).sum(axis=1)
        gain = var[:, ours] / total
        mean[:, ours] += gain * miss
        var[:, ours] *= 1 - gain
    weights = np.exp(logs - logs.max())
    # The mean that a force is pulled to has an error of its own (the second term of Prasad and Rao 1990).
    errors = np.full(len(forces), np.inf)
    errors[ours] = error
    pulled = (1 - np.minimum(1.0, var / errors)) ** 2
    var = var + pulled * (between[:, None] ** 2 + error.mean()) / len(ours)
    return mean, var, weights / weights.sum()


def _quantiles(mean: Array, var: Array, weights: Array) -> tuple[float, float, float]:
    """Return the 5 %, 50 % and 95 % points of a mixture of normals."""
    sd, wanted = np.sqrt(var), np.array([0.05, 0.5, 0.95])
    low, high = np.full(3, float((mean - 8 * sd).min())), np.full(3, float((mean + 8 * sd).max()))
    for _ in range(50):
        half = (low + high) / 2
        below = ndtr((half[:, None] - mean) / sd) @ weights < wanted
        low, high = np.where(below, half, low), np.where(below, high, half)
    return float(half[0]), float(half[1]), float(half[2])
