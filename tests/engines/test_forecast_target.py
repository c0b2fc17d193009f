"""A verdict on a target is a probability, survives a break in the series, and says when it is not known."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from bench.decades import END, decade, tally

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast import Point, Verdict, on_path


def year(ending: int, value: float | None, low: float | None = None, high: float | None = None) -> Point:
    return Point(date(ending - 1, 4, 1), date(ending, 3, 31), value, low, high)


def fall(rate: float, count: int = 9, start: float = 50_000) -> list[Point]:
    return [year(2016 + i, round(start * rate**i)) for i in range(count)]


def halved(points: list[Point], **more: object) -> Verdict:
    return on_path(points, points[0], float(points[0].value or 0) / 2, date(2026, 3, 31), **more)  # type: ignore[arg-type]


def test_a_steady_fall_is_likely_and_a_flat_series_unlikely() -> None:
    assert halved(fall(0.91)).state == "likely"
    assert halved(fall(1.0)).state == "unlikely"


def test_a_series_near_the_edge_is_left_open() -> None:
    found = halved(fall(0.934, 6))
    assert found.state == "open"
    assert found.low is not None
    assert found.high is not None
    assert found.probability is not None
    assert found.low <= found.probability <= found.high


def test_a_drop_made_by_counting_differently_does_not_halve_anything() -> None:
    flat = fall(1.0)
    counted = [p if i < 5 else replace(p, value=15_000) for i, p in enumerate(flat)]
    assert halved(counted).state == "likely", "without being told it must look like a fall"
    told = halved(counted, breaks=(date(2020, 4, 1),))
    assert told.state != "likely"
    assert told.probability is None or told.probability < 0.2


def test_a_break_makes_the_verdict_less_sure() -> None:
    whole, cut = halved(fall(0.92)), halved(fall(0.92), breaks=(date(2020, 4, 1),))
    assert whole.probability is not None
    assert cut.probability is not None
    assert 0.5 < cut.probability < whole.probability


@pytest.mark.parametrize(
    ("points", "breaks", "why"),
    [
        (fall(0.93, 3), (), "short"),
        (fall(0.93), (date(2023, 4, 1),), "break"),
        (fall(0.93), (date(2025, 4, 1),), "break"),
        ([year(2016 + i, 40, 10, 80) for i in range(6)], (), "vague"),
    ],
)
def test_it_says_not_known_and_why(points: list[Point], breaks: tuple[date, ...], why: str) -> None:
    found = halved(points, breaks=breaks, unit="share" if why == "vague" else "count")
    assert (found.probability, found.low, found.high, found.state, found.why) == (
        None,
        None,
        None,
        "not known",
        why,
    )
    assert found.sentence.startswith("Not known: ")
    assert not found.fan


def test_a_missing_year_is_no_zero() -> None:
    gap = [replace(p, value=None) if i == 4 else p for i, p in enumerate(fall(1.0))]
    assert halved(gap).state == "unlikely"
    assert halved(gap).used == 8


def test_quarters_make_years_and_a_year_with_a_missing_quarter_is_left_out() -> None:
    starts = [(y, m) for y in range(2016, 2024) for m in (1, 4, 7, 10)]
    ends = {1: 31, 4: 30, 7: 30, 10: 31}
    quarters = [
        Point(date(y, m, 1), date(y, m + 2, ends[m]), Decimal(10_000 - 100 * (y - 2016))) for y, m in starts
    ]
    asked = {
        "baseline": Point(date(2016, 1, 1), date(2016, 12, 31), 40_000),
        "level": 20_000,
        "by": date(2026, 12, 31),
    }
    assert on_path(quarters, **asked).used == 8
    quarters[10] = replace(quarters[10], value=None)
    assert on_path(quarters, **asked).used == 7


def test_rolling_years_are_not_counted_twice() -> None:
    rolling = [
        Point(date(y - 1, m, 1), date(y, m, 1), 1000) for y in range(2017, 2023) for m in (1, 4, 7, 10)
    ]
    assert on_path(rolling, rolling[0], 500, date(2027, 1, 1)).used <= 7


def test_a_survey_s_interval_widens_the_verdict_and_up_is_the_other_way() -> None:
    sure = [year(2016 + i, 49 + 1.5 * i, 48.5 + 1.5 * i, 49.5 + 1.5 * i) for i in range(8)]
    vague = [year(2016 + i, 49 + 1.5 * i, 43 + 1.5 * i, 55 + 1.5 * i) for i in range(8)]
    asked = {"level": 62, "by": date(2026, 3, 31), "unit": "share", "direction": "up"}
    one, two = on_path(sure, sure[0], **asked), on_path(vague, vague[0], **asked)  # type: ignore[arg-type]
    assert one.probability is not None
    assert two.probability is not None
    assert two.probability < one.probability


def test_the_fan_opens_with_time_and_the_path_ends_at_the_target() -> None:
    found = halved(fall(0.93, 6))
    widths = [f.high - f.low for f in found.fan]
    assert widths == sorted(widths)
    assert found.fan[-1].at == date(2026, 3, 31)
    assert found.path[0] == (date(2016, 3, 31), 50_000)
    assert found.path[-1] == (date(2026, 3, 31), 25_000)


def test_the_same_question_has_the_same_answer() -> None:
    assert halved(fall(0.93)) == halved(fall(0.93))


@pytest.mark.parametrize(("level", "unit"), [(0, "count"), (120, "share"), (10, "people")])
def test_an_impossible_target_is_refused(level: float, unit: str) -> None:
    with pytest.raises(BadInput):
        on_path(fall(0.9), year(2016, 50), level, date(2026, 3, 31), unit=unit)


def test_few_verdicts_on_invented_decades_with_breaks_are_wrong() -> None:
    found = tally(400)
    assert found.decided >= 150, "it may not hide behind `open`"
    assert found.wrong <= 0.05 * found.decades
    assert found.wrong < 0.25 * found.line_wrong
    assert decade(1).points[-1].last <= END
