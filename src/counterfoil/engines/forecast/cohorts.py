"""Say what share of young crimes will have been charged when they are older, or that this is not known.

A cohort is the crimes that a force recorded in a month; its age is counted in months of published outcomes, so at age 3
the outcomes of the month itself and of the two after it are known.

>>> rows = [(f, "burglary", f"2024-{m:02d}", age, n)
...         for f in "abc" for m in range(1, 13) for age, n in ((None, 900), (0, 40), (1, 20), (2, 20), (5, 20))
...         if age is None or m + age <= 12]
>>> held = Triangle.of(rows, supplied={(f, f"2024-{m:02d}") for f in "abc" for m in range(1, 13)})
>>> found = nowcast(held, "a", ["2024-10"], age=9)
>>> round(found.so_far, 1), round(found.rate, 1), found.low < 10 < found.high
(8.2, 10.2, True)
>>> nowcast(held, "a", ["2024-10"], age=13).why
'history'
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.errors import BadInput

Array = NDArray[Any]

KNOWN = 3
FORCE = 10.0  # charges that a force must add before its own pace counts as much as everybody's
AGE = 20.0  # charges at one age before that age's own pace counts as much as the force's over all ages
HISTORY = 2_000  # crimes that must have been seen to an age before anything is said of it
OTHERS = 0.35  # how far, as a share, forces' paces differ at one age: for an age the force itself was never seen at
DRIFT = (
    0.1  # how far, as a share, everybody's pace together may have moved since the months it was learnt from
)
ODD = 3.0  # early charges further off than this factor: the files tell of something else than the cohort
LITTLE = 0.5  # of a force's usual month: fewer outcome rows are a month half supplied
T = 1.83  # for 90 %, tails of Student's t with some nine degrees of freedom


@dataclass(frozen=True)
class Triangle:
    """Crimes by force, type and month, and first charges among them by age; NaN where outcomes were not supplied.

    crimes: [force, kind, month]; NaN where the month's crimes are not held. charged: [force, kind, month, age].
    """

    forces: tuple[str, ...]
    kinds: tuple[str, ...]
    months: tuple[str, ...]
    crimes: Array
    charged: Array

    @classmethod
    def of(
        cls, rows: Iterable[tuple[str, str, str, int | None, int]], supplied: Iterable[tuple[str, str]]
    ) -> "Triangle":
        """Build from (force, type, month recorded, months until the first charge or None, crimes).

        supplied: (force, month) whose outcome files were supplied whole, see `whole`. A force and month without rows
        was not published, which is not the same as no crimes.
        """
        kept = list(rows)
        good = set(supplied)
        seen = {r[2] for r in kept} | {m for _, m in good}
        if not seen:
            raise BadInput("rows", "There are no crimes to follow.")
        first, last = _index(min(seen)), _index(max(seen))
        months = tuple(_month(i) for i in range(first, last + 1))
        forces = tuple(sorted({r[0] for r in kept}))
        kinds = tuple(sorted({r[1] for r in kept}))
        f_at, k_at = ({name: i for i, name in enumerate(names)} for names in (forces, kinds))
        size = len(months)
        crimes = np.full((len(forces), len(kinds), size), np.nan)
        charged = np.full((len(forces), len(kinds), size, size), np.nan)
        for force, _, month, _, _ in kept:
            crimes[f_at[force], :, _index(month) - first] = 0
        for f, force in enumerate(forces):
            for m, month in enumerate(months):
                if (force, month) in good:
                    for cohort in range(m + 1):
                        charged[f, :, cohort, m - cohort] = np.where(
                            np.isnan(crimes[f, :, cohort]), np.nan, 0
                        )
        for force, kind, month, age, count in kept:
            at = (f_at[force], k_at[kind], _index(month) - first)
            crimes[at] += count
            if age is not None and age < size:
                charged[(*at, age)] += count
        return cls(forces, kinds, months, crimes, charged)


@dataclass(frozen=True)
class Nowcast:
    """The share charged so far and at an age, in percent with its 90 % interval; None is not known, and `why` says why.

    why: `missing` (crimes or early outcomes were not published), `odd` (early outcomes are so far from the force's
    others that something else happened: a feed stopped, identifiers began anew), `history` (nobody has been seen to
    that age, or too few crimes).
    """

    force: str
    months: tuple[str, ...]
    age: int
    crimes: int
    so_far: float | None
    rate: float | None
    low: float | None
    high: float | None
    why: str


def whole(rows: Mapping[str, Mapping[str, int]]) -> set[tuple[str, str]]:
    """Return the (force, month) whose outcome files look whole: at least half of the force's usual number of rows.

    rows: outcome rows by force and month, as published.
    """
    found = set()
    for force, months in rows.items():
        usual = median(months.values()) if months else 0
        found |= {(force, month) for month, n in months.items() if n > 0 and n >= LITTLE * usual}
    return found


def nowcast(
    held: Triangle, force: str, months: Sequence[str], *, until: str = "", known: int = KNOWN, age: int = 12
) -> Nowcast:
    """Return the charge rate that a force's crimes of these months will have at an age.

    Of the cohort's own outcomes those of its first `known` months are used, or all until the month `until`; what comes
    later is learnt from the force's other months and from all forces, and what is held of it is not looked at. Type by
    type, the chance of a first charge at each age is everybody's, times the force's own pace, shrunk to its mean over
    ages and to 1 where it rests on few charges (gamma-Poisson, Efron and Morris 1973); it is added to what is known
    (Bornhuetter and Ferguson 1972: a chain ladder, which scales by the cohort's own first months, did worse). The
    interval holds counting error, how far force and month stray from what is said of them, how little is known of the
    pace, and that everybody's may have moved. Raises BadInput for names that are not in the table.
    """
    if force not in held.forces or not months or any(m not in held.months for m in months):
        raise BadInput("force", "This force or month is not in the table held.")
    f = held.forces.index(force)
    own = np.array([held.months.index(m) for m in months])
    size = held.charged.shape[3]
    ages = [min(age, known if not until else held.months.index(until) - int(m) + 1) for m in own]
    crimes = held.crimes[f][:, own]
    total = crimes.sum()
    none = Nowcast(
        force, tuple(months), age, 0 if math.isnan(total) else int(total), None, None, None, None, ""
    )
    if min(ages) < 1 or age > size:
        return replace(none, why="history")
    early = np.array([held.charged[f, :, m, :n].sum() for m, n in zip(own, ages, strict=True)])
    if math.isnan(total) or total == 0 or np.isnan(early).any():
        return replace(none, why="missing")
    pace = _Pace.learn(held, f, own, min(ages), age)
    if pace is None:
        return replace(none, why="history")
    chances = [(crimes[:, i] @ pace.chance, n) for i, n in enumerate(ages)]  # expected charges by age
    so_far, said = float(early.sum()), sum(float(c[:n].sum()) for c, n in chances)
    if not 1 / ODD <= (so_far + 1) / (said + 1) <= ODD:
        return replace(none, why="odd")
    later = sum(float(c[n:].sum()) for c, n in chances)
    spread = math.sqrt(max(later, 1.0) + later**2 * (pace.strays**2 + pace.unsure**2 + DRIFT**2))
    rate, half, now = (100 * x / float(total) for x in (so_far + later, T * spread, so_far))
    return Nowcast(force, tuple(months), age, int(total), now, rate, max(now, rate - half), rate + half, "")


@dataclass(frozen=True)
class _Pace:
    """Chances of a first charge in one force [kind, age]; how far forces and months stray from them, and how unsure."""

    chance: Array
    strays: float
    unsure: float

    @classmethod
    def learn(cls, held: Triangle, f: int, own: Array, known: int, age: int) -> "_Pace | None":
        """Learn from every cohort but the force's own of these months; None when an age has hardly been seen."""
        charged = held.charged[..., :age].copy()
        charged[f][:, own] = np.nan
        seen = ~np.isnan(charged)
        crimes = np.where(np.isnan(held.crimes), 0, held.crimes)[..., None] * seen
        charges = np.where(seen, charged, 0)
        exposed, came = crimes.sum(axis=2), charges.sum(axis=2)  # [force, kind, age]
        if (exposed.sum(axis=(0, 1)) < HISTORY).any():
            return None
        chance = (came.sum(axis=0) + 0.5) / (exposed.sum(axis=0) + 50)
        said, did = (exposed * chance).sum(axis=1), came.sum(axis=1)  # [force, age]
        over_all = (did[:, known:].sum(axis=1) + FORCE) / (said[:, known:].sum(axis=1) + FORCE)
        paces = (did + AGE * over_all[:, None]) / (said + AGE)
        paces[:, :known] = (did[:, :known] + FORCE) / (said[:, :known] + FORCE)
        strays = cls._strays(charges, crimes, chance, paces, known)
        weight = (chance * held.crimes[f][:, own].sum(axis=1)[:, None]).sum(axis=0)[known:] * paces[f, known:]
        alone = np.where(said[f, known:] > 0, 1 / (did[f, known:] + AGE), OTHERS**2)
        unsure = float((weight**2 * alone).sum() / max(float(weight.sum()), 1e-9) ** 2)
        return cls(chance * paces[f], strays, math.sqrt(unsure + 1 / (did[f, known:].sum() + FORCE)))

    @staticmethod
    def _strays(charges: Array, crimes: Array, chance: Array, paces: Array, known: int) -> float:
        """Return how far a month's later charges stray from what is said of them, beyond counting, as a share."""
        said = ((crimes * chance[None, :, None, :]).sum(axis=1) * paces[:, None, :])[..., known:].sum(axis=-1)
        came = charges.sum(axis=1)[..., known:].sum(axis=-1)
        enough = said > 10
        if enough.sum() < 10:
            return OTHERS
        rest = (came[enough] - said[enough]) ** 2 - said[enough]
        return math.sqrt(max(0.0, float(rest.sum() / (said[enough] ** 2).sum())))


def _index(month: str) -> int:
    year, _, number = month.partition("-")
    return 12 * int(year) + int(number) - 1


def _month(index: int) -> str:
    return f"{index // 12}-{index % 12 + 1:02d}"
