"""Nowcasts held against what came, verdicts on invented decades, and a split of a change that adds up.

data.police.uk is held for twelve months, so twelve-month rates from three months of outcomes can be tried in one way
only without looking ahead: on other forces and months, as if they were older (`apart`). The strict way, with nothing of
later months at all (`strict`), reaches six and seven months. Both are printed.
"""

import sys
import time
from collections.abc import Sequence
from functools import cache

import duckdb
import numpy as np

from bench.confidence import count
from bench.decades import tally
from bench.numbers import DATA
from counterfoil.engines.forecast.cohorts import Triangle, nowcast, whole
from counterfoil.engines.forecast.split import PARTS, Counted, decompose

STREET = DATA / "police_uk" / "street_2021-03_2022-02.parquet"
OUTCOMES = DATA / "police_uk" / "outcomes_2021-03_2022-02.parquet"
WITHIN = 0.3
Row = tuple[str, str, str, int | None, int]


def line(what: str, figure: str, goal: str = "", met: bool | None = None, topic: str = "nowcast") -> None:
    """Print one line of the report; without a goal it is only said."""
    said = "said" if met is None else "met" if met else "not met"
    print(f"{topic} | {what} | {figure} | {goal} | {said}", flush=True)


@cache
def rows() -> tuple[tuple[Row, ...], dict[str, dict[str, int]]]:
    """Return crimes by force, type, month and age at the first charge, and outcome rows by force and month."""
    database = duckdb.connect()
    found = database.execute(
        f"""WITH c AS (SELECT force_slug f, crime_type t, month m, crime_key k FROM '{STREET}'
                       WHERE crime_key IS NOT NULL AND crime_type <> 'Anti-social behaviour'),
                 e AS (SELECT force_slug f, crime_key k, min(month) AS charged FROM '{OUTCOMES}'
                       WHERE outcome_type = 'Suspect charged' GROUP BY ALL)
            SELECT f, t, (m // 100) || '-' || right('0' || m % 100, 2),
                   CASE WHEN charged >= m THEN 12 * (charged // 100 - m // 100) + charged % 100 - m % 100 END, count(*)
            FROM c LEFT JOIN e USING (f, k) GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    supplied: dict[str, dict[str, int]] = {}
    for force, month, n in database.execute(
        f"""SELECT force_slug, (month // 100) || '-' || right('0' || month % 100, 2), count(*)
            FROM '{OUTCOMES}' GROUP BY ALL"""
    ).fetchall():
        supplied.setdefault(force, {})[month] = n
    return tuple(found), supplied


def held(until: str) -> Triangle:
    """Return what was published by the end of a month."""
    every, supplied = rows()
    kept = [
        (f, t, m, a if a is None or _later(m, a) <= until else None, n)
        for f, t, m, a, n in every
        if m <= until
    ]
    return Triangle.of(
        kept, whole({f: {m: n for m, n in ms.items() if m <= until} for f, ms in supplied.items()})
    )


def _later(month: str, age: int) -> str:
    at = 12 * int(month[:4]) + int(month[5:]) - 1 + age
    return f"{at // 12}-{at % 12 + 1:02d}"


def try_all(
    now: Triangle, then: Triangle, months: Sequence[str], age: int, until: str = ""
) -> tuple[list[float], ...]:
    """Return over all forces the errors, which intervals held, their widths, and what counting alone would miss."""
    errors, inside, widths, chance = [], [], [], []
    unknown = 0
    for force in now.forces:
        said = nowcast(now, force, months, until=until, age=age)
        f = then.forces.index(force)
        at = [then.months.index(m) for m in months]
        came = then.charged[f][:, at, :age].sum()
        total = then.crimes[f][:, at].sum()
        if said.rate is None or said.low is None or said.high is None or np.isnan(came):
            unknown += 1
            continue
        real = 100 * came / total
        errors.append(said.rate - real)
        inside.append(float(said.low <= real <= said.high))
        widths.append(said.high - said.low)
        chance.append(100 * np.sqrt(max(came - (said.so_far or 0) * total / 100, 1)) / total)
    return errors, inside, widths, chance, [float(unknown)]


def report(what: str, found: tuple[list[float], ...], goal: bool = False) -> None:
    """Print how near a set of nowcasts came and how many intervals held."""
    errors, inside, widths, chance, unknown = (np.asarray(x) for x in found)
    near = int((abs(errors) <= WITHIN).sum())
    rng = np.random.default_rng(1)
    best = (abs(rng.normal(0, 1, (4000, len(chance))) * chance) <= WITHIN).sum(axis=1).mean()
    share = near / len(errors)
    line(
        f"{what}: within 0.3 points",
        f"{near} of {len(errors)} forces (mean error {abs(errors).mean():.2f}; counting alone would allow {best:.0f}); "
        f"{int(unknown[0])} not known",
        "36 of 39" if goal else "",
        share >= 36 / 39 if goal else None,
    )
    line(
        f"{what}: 90 % intervals that held",
        f"{inside.mean():.1%}, {widths.mean():.2f} points wide on the mean",
        "85 %",
        bool(inside.mean() >= 0.85),
    )


def cohorts() -> None:
    """Hold nowcasts against what came."""
    last = max(m for _, _, m, *_ in rows()[0])
    everything = held(last)
    months = everything.months
    apart = "apart: 3 months known, the rest learnt from other months and forces"
    report(f"{apart}, March at 12 months", try_all(everything, everything, months[:1], 12), goal=True)
    report(f"{apart}, March to May at 9", try_all(everything, everything, months[:3], 9))
    report(f"{apart}, June to August at 7", try_all(everything, everything, months[3:6], 7))
    strict: list[list[float]] = [[], [], [], [], [0.0]]
    quarter: list[list[float]] = [[], [], [], [], [0.0]]
    for at, age in ((5, 6), (6, 6), (7, 6), (8, 6), (6, 7), (7, 7)):
        now = held(months[at])
        for kept, found in (
            (strict, try_all(now, everything, [months[at - 2]], age)),
            (quarter, try_all(now, everything, months[at - 4 : at - 1], age, months[at])),
        ):
            for i in range(4):
                kept[i] += found[i]
            kept[4][0] += found[4][0]
    report("strict: a month at 6 and 7 months from 3, six origins", tuple(strict))
    report("strict: a quarter at 6 and 7 months, youngest month with 3, six origins", tuple(quarter))
    odd = [f for f in everything.forces if nowcast(everything, f, months[7:10], until=last).rate == 0]
    line("forces whose outcomes stop or were never supplied shown as 0", f"{len(odd)}", "0", not odd)


def decades(count: int = 10_000) -> None:
    """Count wrong verdicts on invented decades."""
    began = time.process_time()
    told = tally(count)
    line(
        f"verdicts on {count:,} invented decades with 0 to 3 breaks: wrong",
        f"{told.wrong / count:.1%} of all, {told.wrong / told.decided:.1%} of the {told.decided / count:.0%} decided; "
        f"a straight line through the numbers {told.line_wrong / count:.1%}; "
        f"{time.process_time() - began:.0f} s of processor",
        "5 % of the decided",
        told.wrong <= 0.05 * told.decided,
    )
    untold = tally(count // 5, told=False, first=count)
    line(
        "the same where nobody says that the counting changed",
        f"{untold.wrong / untold.decades:.1%} of all wrong",
    )


def splits(count: int = 2_000) -> None:
    """Split invented changes and count those whose parts do not add up exactly."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(count):
        sides = []
        for _ in range(2):
            crimes = rng.integers(1, 9_000, 6)
            charged = rng.integers(0, crimes + 1)
            early = rng.integers(0, charged + 1)
            each = zip(crimes, charged, early, strict=True)
            sides.append({str(i): Counted(int(n), int(c), int(e)) for i, (n, c, e) in enumerate(each)})
        parts = decompose(*sides)
        shown = parts.shown()
        wrong += sum(getattr(parts, n) for n in PARTS) != parts.change
        wrong += sum(shown[n] for n in PARTS) != shown["change"]
    line(f"{count:,} splits whose parts do not add up, exactly or as shown", f"{wrong}", "0", wrong == 0)


def confidence(publics: int = 100) -> None:
    """Survey invented publics and count how many forces are told and how many intervals hold."""
    for people in (17_000, 34_000, 60_000):
        found = count(publics, people)
        share = found.held / found.printed
        line(
            f"confidence in 43 forces, {people:,} asked in a year, {publics} invented surveys",
            f"{found.printed / found.forces:.0%} of forces told, within 6 points; {share:.1%} of these hold the truth, "
            f"{found.worst:.1%} where a force is far from the rest; the others are not known",
            "88 %",
            share >= 0.88,
        )


def main() -> None:
    """Measure, or say that there is nothing to measure on."""
    if not STREET.is_file():
        print(f"There is no {STREET}: nothing measured. Set COUNTERFOIL_DATA.")
        sys.exit(1)
    cohorts()
    decades()
    splits()
    confidence()


if __name__ == "__main__":
    main()
