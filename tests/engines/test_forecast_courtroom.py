"""Invented cases flow through a court: nothing is lost, more sitting means fewer open cases, and the seed decides."""

import math
from dataclasses import replace

import numpy as np
import pytest

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast.courtroom import (
    BANDS,
    CALIBRATED,
    GROUPS,
    HOURS,
    Setting,
    simulate,
    variation,
)

START = {
    "custody": (1958, 1937, 1695, 1602, 1308, 1658, 2673, 1293, 676),
    "bail": (2422, 2825, 2401, 2168, 1908, 2705, 8517, 7469, 4246),
    "other": (2751, 2260, 1513, 1145, 913, 1039, 2213, 1436, 1006),
}
BEGIN = sum(map(sum, START.values()))
YEAR = [26_000.0] * 4


def hours(share: float = 1.0) -> list[float]:
    return [26_000.0 * HOURS * share] * 4


def test_no_case_is_lost_or_made_up_on_the_way() -> None:
    found = simulate(YEAR, hours(), START, scale=40)
    came = sum(YEAR)
    left = BEGIN + came - sum(found.ended)
    assert found.open[-1] == pytest.approx(left, rel=0.03)
    assert all(
        sum(map(sum, bands.values())) == total for bands, total in zip(found.bands, found.open, strict=True)
    )


def test_more_sitting_leaves_fewer_cases_and_older_ones_first_go_down() -> None:
    less, same, more = (simulate(YEAR, hours(s), START, scale=40) for s in (0.8, 1.0, 1.2))
    assert less.open[-1] > same.open[-1] > more.open[-1]
    old = [sum(sum(one.bands[-1][g][7:]) for g in GROUPS) for one in (less, more)]
    assert old[0] > old[1]


def test_cases_in_custody_wait_less_than_cases_on_bail() -> None:
    found = simulate([26_000.0] * 6, [26_000.0 * HOURS] * 6, START, scale=40)
    assert np.mean([w["custody"] for w in found.waits[2:]]) < np.mean([w["bail"] for w in found.waits[2:]])


def test_without_sitting_nothing_is_heard_and_the_open_cases_grow_by_the_receipts() -> None:
    found = simulate(YEAR, [0.0] * 4, START, scale=40)
    assert found.open[-1] == pytest.approx(BEGIN + sum(YEAR), rel=0.03)
    assert math.isnan(found.waits[-1]["bail"])


def test_hours_not_used_are_lost_and_said() -> None:
    found = simulate([500.0] * 4, [26_000.0] * 4, {g: [0] * 9 for g in GROUPS}, scale=1)
    assert max(found.used[1:]) < 0.5


def test_the_same_seed_gives_the_same_answer_and_another_a_near_one() -> None:
    one, again, other = (simulate(YEAR, hours(), START, scale=40, seed=s) for s in (3, 3, 4))
    assert one == again or str(one) == str(again)
    assert other.open != one.open
    assert other.open[-1] == pytest.approx(one.open[-1], rel=0.1)


def test_how_pleas_are_heard_matters() -> None:
    groups = {n: replace(g, pleas=g.pleas / 2) for n, g in CALIBRATED.groups.items()}
    fewer = simulate(YEAR, hours(), START, Setting(groups), scale=40)
    assert fewer.open[-1] > simulate(YEAR, hours(), START, scale=40).open[-1]


def test_variation_is_nought_for_the_same_shares_and_one_for_none_in_common() -> None:
    assert variation([1, 3], [2, 6]) == 0
    assert variation([1, 0], [0, 5]) == 1


@pytest.mark.parametrize(
    ("receipts", "sat", "start"),
    [
        ([1.0], [1.0, 2.0], START),
        ([], [], START),
        ([1.0], [1.0], {"bail": [0] * 9}),
        ([1.0], [1.0], {g: [1] for g in GROUPS}),
    ],
)
def test_what_does_not_fit_is_refused(
    receipts: list[float], sat: list[float], start: dict[str, list[int]]
) -> None:
    with pytest.raises(BadInput):
        simulate(receipts, sat, start)
    assert len(BANDS) == 9
