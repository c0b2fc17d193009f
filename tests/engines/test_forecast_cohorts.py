"""A nowcast says what young crimes will have come to, how sure that is, and nothing where the files say nothing."""

from dataclasses import replace

import numpy as np
import pytest

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast.cohorts import Triangle, nowcast, whole

MONTHS = [f"2023-{m:02d}" for m in range(1, 13)] + [f"2024-{m:02d}" for m in range(1, 13)]
KINDS = ("burglary", "drugs", "violence")
FORCES = tuple("abcdefghijkl")
SPEED = np.array([0.45, 0.2, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02, 0.015, 0.01, 0.01, 0.005])
Row = tuple[str, str, str, int | None, int]


def invented(seed: int, crimes: int = 1500) -> tuple[list[Row], dict[tuple[str, str], float]]:
    """Return rows as they become, and the true share charged at twelve months; forces differ in level and in pace."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    truth = {}
    for force in FORCES:
        level, slow = rng.gamma(20, 1 / 20), rng.normal(0, 0.15)
        pace = SPEED * np.exp(slow * np.arange(12) / 6)
        for month in MONTHS:
            total = charged = 0
            for kind, rate in zip(KINDS, (0.05, 0.25, 0.08), strict=True):
                found = rng.multinomial(crimes, [*(level * rate * pace), 1 - level * rate * pace.sum()])
                rows += [(force, kind, month, age, int(n)) for age, n in enumerate(found[:12])]
                rows.append((force, kind, month, None, int(found[12])))
                total, charged = total + crimes, charged + int(found[:12].sum())
            truth[force, month] = 100 * charged / total
    return rows, truth


def held(rows: list[Row], until: int, *, without: frozenset[tuple[str, str]] = frozenset()) -> Triangle:
    """Return what is known at the end of a month."""
    known = [
        (f, k, m, a if a is not None and MONTHS.index(m) + a <= until else None, n)
        for f, k, m, a, n in rows
        if MONTHS.index(m) <= until
    ]
    return Triangle.of(known, {(f, m) for f in FORCES for m in MONTHS[: until + 1]} - without)


ROWS, TRUTH = invented(5)
NOW = held(ROWS, 17)


def test_twelve_month_rates_are_foretold_from_three_months_and_nine_in_ten_intervals_hold() -> None:
    inside, errors = [], []
    for seed in (5, 6, 7):
        rows, truth = invented(seed)
        now = held(rows, 17)
        for force in FORCES:
            found = nowcast(now, force, [MONTHS[15]])
            assert found.rate is not None and found.low is not None and found.high is not None  # noqa: PT018
            errors.append(abs(found.rate - truth[force, MONTHS[15]]))
            inside.append(found.low <= truth[force, MONTHS[15]] <= found.high)
    assert np.mean(errors) < 0.5
    assert np.mean(inside) >= 0.85


def test_it_never_looks_at_what_came_later() -> None:
    later = held(ROWS, 23)
    blind = replace(later, charged=later.charged.copy())
    blind.charged[0, :, 15, 3:] = np.nan
    assert nowcast(later, "a", [MONTHS[15]]) == nowcast(blind, "a", [MONTHS[15]])


def test_a_quarter_uses_all_that_is_known_of_each_of_its_months() -> None:
    three = nowcast(NOW, "b", MONTHS[13:16])
    more = nowcast(NOW, "b", MONTHS[13:16], until=MONTHS[17])
    assert three.so_far is not None and more.so_far is not None  # noqa: PT018
    assert three.so_far < more.so_far
    assert (more.high or 0) - (more.low or 0) < (three.high or 0) - (three.low or 0)


def test_a_force_whose_outcomes_were_not_supplied_is_not_known_and_never_nought() -> None:
    found = nowcast(held(ROWS, 17, without=frozenset({("a", MONTHS[16])})), "a", [MONTHS[15]])
    assert (found.rate, found.so_far, found.low, found.why) == (None, None, None, "missing")


def test_a_missing_month_does_not_teach_that_nobody_was_charged() -> None:
    gone = frozenset({("a", m) for m in MONTHS[6:12]})
    whole_, holed = nowcast(NOW, "a", [MONTHS[15]]), nowcast(held(ROWS, 17, without=gone), "a", [MONTHS[15]])
    assert holed.rate == pytest.approx(whole_.rate, abs=0.6)


def test_outcomes_that_stop_and_identifiers_that_begin_anew_are_not_known() -> None:
    cut = [(f, k, m, None if f == "c" and MONTHS.index(m) >= 14 else a, n) for f, k, m, a, n in ROWS]
    found = nowcast(held(cut, 17), "c", [MONTHS[15]])
    assert (found.rate, found.why) == (None, "odd")


def test_an_age_that_nobody_has_reached_is_not_known() -> None:
    assert nowcast(held(ROWS, 8), "a", [MONTHS[6]], age=12).why == "history"
    assert nowcast(held(ROWS, 8), "a", [MONTHS[6]], age=6).rate is not None


def test_months_not_held_are_not_known() -> None:
    rows = [r for r in ROWS if not (r[0] == "d" and r[2] == MONTHS[15])]
    assert nowcast(held(rows, 17), "d", [MONTHS[15]]).why == "missing"


def test_a_month_half_supplied_is_not_whole() -> None:
    rows = {"a": {"2024-01": 1000, "2024-02": 300, "2024-03": 900}, "b": {"2024-01": 0}}
    assert whole(rows) == {("a", "2024-01"), ("a", "2024-03")}


def test_a_force_that_is_not_held_is_refused() -> None:
    with pytest.raises(BadInput):
        nowcast(NOW, "nowhere", [MONTHS[3]])
    with pytest.raises(BadInput):
        Triangle.of([], set())
