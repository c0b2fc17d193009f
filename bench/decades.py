"""Invented decades with breaks in series, of which the truth is known: to count the verdicts that are wrong."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from counterfoil.engines.forecast import Point, Verdict, on_path

END = date(2034, 3, 31)


@dataclass(frozen=True)
class Decade:
    """Yearly values as published until the question is asked, where breaks fell, and whether it truly halved."""

    points: tuple[Point, ...]
    breaks: tuple[date, ...]
    asked: int
    halved: bool

    def verdict(self) -> Verdict:
        """Return what the engine says."""
        start = self.points[0]
        return on_path(self.points, start, float(start.value or 0) / 2, END, self.breaks)

    def line(self) -> bool:
        """Return what a straight line through first and last published value says."""
        first, last = float(self.points[0].value or 1), float(self.points[-1].value or 1)
        return (last / first) ** (10 / max(1, self.asked)) <= 0.5


def decade(seed: int, *, told: bool = True) -> Decade:
    """Return one decade; the underlying change ends near a half, to make the question hard.

    Trends are steady, bent once, wandering, or fall at a step. 0 to 3 breaks shift what is published by some 25 %;
    with `told` False the engine is not told of them. Values miss the level by 0.5, 3 or 6 %. Asked after 6 to 10 years.
    """
    rng = np.random.default_rng(seed)
    change = np.zeros(10)
    shape = rng.integers(4)
    if shape == 1:
        change[rng.integers(2, 9) :] += rng.normal(0, 0.08)
    elif shape == 2:
        change += np.cumsum(rng.normal(0, 0.025, 10))
    elif shape == 3:
        change[rng.integers(10)] += rng.normal(0, 0.2)
    change += rng.normal(0, rng.choice([0.005, 0.02, 0.05]), 10)
    change += (rng.normal(np.log(0.5), 0.35) - change.sum()) / 10
    level = np.concatenate([[0.0], np.cumsum(change)])
    cuts = sorted({int(c) for c in rng.integers(1, 11, rng.integers(0, 4))})
    published = level + rng.normal(0, rng.choice([0.005, 0.03, 0.06]), 11)
    for cut in cuts:
        published[cut:] += rng.normal(0, 0.25)
    asked = int(rng.integers(6, 11))
    size = float(rng.choice([300, 5_000, 50_000]))
    points = tuple(
        Point(date(2023 + i, 4, 1), date(2024 + i, 3, 31), int(rng.poisson(size * np.exp(published[i]))))
        for i in range(asked + 1)
    )
    breaks = tuple(date(2023 + c, 4, 1) for c in cuts if c <= asked) if told else ()
    return Decade(points, breaks, asked, bool(level[10] <= np.log(0.5)))


@dataclass(frozen=True)
class Tally:
    """How many of so many decades got which verdict, and how many verdicts were wrong."""

    decades: int
    decided: int
    unknown: int
    wrong: int
    line_wrong: int
    brier: float


def tally(decades: int, *, told: bool = True, first: int = 0) -> Tally:
    """Ask about so many decades and count."""
    decided = unknown = wrong = line_wrong = 0
    square = 0.0
    for seed in range(first, first + decades):
        one = decade(seed, told=told)
        said = one.verdict()
        decided += said.state in ("likely", "unlikely")
        unknown += said.probability is None
        wrong += said.state == ("unlikely" if one.halved else "likely")
        line_wrong += one.line() != one.halved
        square += ((0.5 if said.probability is None else said.probability) - one.halved) ** 2
    return Tally(decades, decided, unknown, wrong, line_wrong, square / decades)
