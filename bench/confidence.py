"""Invented publics of forty-three forces whose confidence is known, and surveys of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from counterfoil.engines.forecast.smallarea import Asked, Estimate, small_area

FORCES = 43
NOW = 2025


@dataclass(frozen=True)
class Public:
    """What a survey found over some years, and what was true in the last."""

    asked: tuple[Asked, ...]
    truth: dict[str, float]

    def estimates(self) -> tuple[Estimate, ...]:
        """Return what the engine says."""
        return small_area(self.asked, NOW)


def public(seed: int, people: int = 34_000, years: int = 4) -> Public:
    """Return one public: forces 3 to 6 points apart, moving by 1 a year while all of them fall; one force far off.

    people: answers in a year over all forces; a force gets from a third of the mean up. Answers are clustered, so that
    a survey tells as little as its design effect of 1.3 says.
    """
    rng = np.random.default_rng(seed)
    apart = rng.uniform(3, 6)
    own = rng.normal(0, apart, FORCES)
    own[rng.integers(FORCES)] += rng.choice([-3, 3]) * apart
    sizes = rng.gamma(2.5, 1, FORCES) + 0.8
    sizes = np.maximum(sizes / sizes.sum() * people, people / FORCES / 3).astype(int)
    level, asked, truth = 55.0, [], {}
    for year in range(NOW - years + 1, NOW + 1):
        level += rng.normal(-1, 1)
        own = own + rng.normal(0, 1, FORCES)
        for i in range(FORCES):
            share = float(np.clip(level + own[i], 5, 95))
            clusters = max(2, sizes[i] // 11)
            each = rng.beta(*(np.array([share, 100 - share]) / 100 * (1 / 0.03 - 1)), clusters)
            found = 100 * rng.binomial(11, each).sum() / (11 * clusters)
            asked.append(Asked(f"force-{i:02d}", year, float(found), int(11 * clusters)))
            truth[f"force-{i:02d}"] = share
    return Public(tuple(asked), truth)


@dataclass(frozen=True)
class Count:
    """Over many publics: forces told, how many of them hold the truth, and the share of it far from the mean."""

    forces: int
    printed: int
    held: int
    width: float
    worst: float


def count(publics: int, people: int = 34_000, first: int = 0) -> Count:
    """Survey so many publics and count."""
    printed = held = 0
    widths: list[float] = []
    far: list[bool] = []
    for one, said in _all(publics, people, first):
        mean = float(np.mean(list(one.truth.values())))
        spread = float(np.std(list(one.truth.values())))
        for e in said:
            widths.append(e.width)
            if e.low is not None and e.high is not None:
                good = e.low <= one.truth[e.force] <= e.high
                printed, held = printed + 1, held + good
                if abs(one.truth[e.force] - mean) > 1.5 * spread:
                    far.append(good)
    return Count(publics * FORCES, printed, held, float(np.mean(widths)), float(np.mean(far or [np.nan])))


def _all(publics: int, people: int, first: int) -> Iterator[tuple[Public, tuple[Estimate, ...]]]:
    for seed in range(first, first + publics):
        one = public(seed, people)
        yield one, one.estimates()
