"""Confidence by force is told with an interval that holds, or not at all."""

import pytest
from bench.confidence import count, public

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast.smallarea import Asked, small_area

ALIKE = [Asked(f"force-{i:02d}", 2025, 48.0 + i % 9, 800) for i in range(20)]


def test_nine_in_ten_printed_intervals_hold_the_truth_and_none_is_wide() -> None:
    found = count(30)
    assert found.held >= 0.88 * found.printed
    assert found.printed >= 0.85 * found.forces
    assert found.worst >= 0.75, "forces far from the rest must not be pulled in for the sake of the others"


def test_fewer_answers_mean_fewer_forces_told_and_not_wrong_ones() -> None:
    few, many = count(10, 8_000), count(10, 34_000)
    assert few.printed < 0.3 * many.printed
    assert all(e.value is None or e.width <= 6 for e in public(1, 8_000).estimates())


def test_few_answers_pull_an_estimate_to_the_rest_and_many_do_not() -> None:
    few, many = (
        {e.force: e for e in small_area([*ALIKE, Asked("x", 2025, 60.0, n)], 2025)}["x"]
        for n in (150, 20_000)
    )
    assert few.value is not None
    assert many.value is not None
    assert few.value < many.value - 1
    assert many.value == pytest.approx(60, abs=1)


def test_a_force_hardly_asked_or_not_asked_now_is_not_known_and_never_nought() -> None:
    asked = [
        *ALIKE,
        Asked("hardly", 2025, 0.0, 40),
        Asked("once", 2024, 55.0, 900),
        Asked("never", 2025, 0.0, 0),
    ]
    found = {e.force: e for e in small_area(asked, 2025)}
    assert [(found[f].value, found[f].low, found[f].why) for f in ("hardly", "once", "never")] == [
        (None, None, "people")
    ] * 3
    assert found["never"].share is None


def test_years_before_help_and_years_to_come_are_not_looked_at() -> None:
    before = [Asked(a.force, 2024, a.share, 800) for a in ALIKE]
    after = [Asked(a.force, 2026, 90.0, 8000) for a in ALIKE]
    alone, helped = small_area(ALIKE, 2025), small_area([*ALIKE, *before], 2025)
    assert helped[0].width < alone[0].width
    assert small_area([*ALIKE, *after], 2025) == alone


def test_with_few_forces_nothing_is_said() -> None:
    assert {e.why for e in small_area(ALIKE[:6], 2025)} == {"few"}


@pytest.mark.parametrize("bad", [Asked("x", 2025, 120.0, 10), Asked("x", 2025, 20.0, -1), ALIKE[0]])
def test_what_cannot_be_is_refused(bad: Asked) -> None:
    with pytest.raises(BadInput):
        small_area([*ALIKE, bad], 2025)
