"""Time limits are counted as the rules say: London time, working days of England and Wales, ladders without gaps."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.clock import (
    Ladder,
    London,
    add_working_days,
    due,
    is_working_day,
    overdue,
    rung,
    say_by,
    say_date,
    say_when,
)
from counterfoil.engines.errors import BadInput

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))
WORKING = st.integers(0, 40).map(lambda n: f"{n}wd")
PASSING = st.one_of(
    st.integers(0, 5000).map(lambda n: f"{n}m"),
    st.integers(0, 900).map(lambda n: f"{n}h"),
    st.integers(0, 60).map(lambda n: f"{n}d"),
)


def london(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=London)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        (london(2026, 11, 21, 18, 0), "24h", london(2026, 11, 22, 18, 0)),
        (london(2026, 11, 21, 18, 0), "30m", london(2026, 11, 21, 18, 30)),
        (london(2026, 11, 20, 9, 0), "1wd", london(2026, 11, 23, 17, 0)),
        (london(2026, 11, 21, 9, 0), "1wd", london(2026, 11, 23, 17, 0)),
        (london(2026, 11, 20, 23, 59), "5wd", london(2026, 11, 27, 17, 0)),
        (london(2026, 12, 24, 17, 0), "1wd", london(2026, 12, 29, 17, 0)),
        (london(2026, 4, 2, 17, 0), "1wd", london(2026, 4, 7, 17, 0)),
        (london(2026, 11, 20, 9, 0), "1wd@23:59", london(2026, 11, 23, 23, 59)),
        (london(2026, 11, 20, 9, 0), "0wd", london(2026, 11, 20, 17, 0)),
        (london(2026, 11, 20, 18, 0), "0wd", london(2026, 11, 20, 18, 0)),
        (london(2026, 11, 21, 9, 0), "0wd", london(2026, 11, 23, 17, 0)),
        (london(2026, 11, 20, 9, 0), "28d", london(2026, 12, 18, 9, 0)),
    ],
)
def test_limits_fall_due_when_the_calendar_says(start: datetime, rule: str, expected: datetime) -> None:
    assert due(start, rule) == expected
    assert due(start, rule).tzinfo is UTC


def test_a_suspect_bailed_on_friday_at_five_before_a_bank_holiday_is_told_of_on_tuesday() -> None:
    bailed = london(2026, 8, 28, 17, 0)
    assert not is_working_day(date(2026, 8, 31))
    assert say_by(due(bailed, "1wd"), bailed) == "by 5pm on Tuesday 1 September"


def test_the_day_of_the_event_is_the_one_in_london_not_in_utc() -> None:
    past_midnight_in_london = datetime(2026, 6, 14, 23, 30, tzinfo=UTC)  # Monday 00:30 in London
    assert due(past_midnight_in_london, "1wd") == london(2026, 6, 16, 17, 0)


def test_when_the_clocks_change_hours_pass_but_days_keep_their_clock_time() -> None:
    before = london(2026, 10, 24, 18, 0)  # the clocks go back that night
    assert due(before, "24h") == london(2026, 10, 25, 17, 0)
    assert due(before, "1d") == london(2026, 10, 25, 18, 0)
    spring = london(2026, 3, 28, 1, 30)  # 01:30 does not exist on 29 March
    assert due(spring, "1d") == london(2026, 3, 29, 2, 30)


def test_england_and_wales_have_the_same_bank_holidays_and_scotland_has_not() -> None:
    years = range(2000, 2050)
    england = holidays.country_holidays("GB", subdiv="ENG", years=years)
    assert england.keys() == holidays.country_holidays("GB", subdiv="WLS", years=years).keys()
    assert england.keys() != holidays.country_holidays("GB", subdiv="SCT", years=years).keys()


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2022, 9, 19), False),  # the state funeral
        (date(2023, 5, 8), False),  # the coronation
        (date(2026, 12, 28), False),  # in place of Boxing Day, a Saturday
        (date(2026, 12, 29), True),
        (date(2026, 1, 2), True),  # a holiday in Scotland only
        (date(2026, 11, 30), True),  # a holiday in Scotland only
        (date(2026, 11, 22), False),
    ],
)
def test_known_days_are_working_days_or_not(day: date, working: bool) -> None:
    assert is_working_day(day) is working


@given(MOMENTS, st.integers(0, 30))
def test_working_days_are_counted_one_by_one(start: datetime, n: int) -> None:
    first, last = start.astimezone(London).date(), add_working_days(start, n).astimezone(London).date()
    between = [first + timedelta(days=k) for k in range(1, (last - first).days + 1)]
    assert is_working_day(last) or n == 0
    if n:
        assert sum(map(is_working_day, between)) == n


@given(MOMENTS, st.one_of(WORKING, PASSING))
def test_nothing_falls_due_before_it_began(start: datetime, rule: str) -> None:
    assert due(start, rule) >= start


@given(MOMENTS, st.integers(0, 40), st.integers(0, 40), st.sampled_from(["m", "h", "d", "wd"]))
def test_a_longer_rule_never_falls_due_earlier(start: datetime, one: int, two: int, unit: str) -> None:
    short, long = sorted((one, two))
    assert due(start, f"{short}{unit}") <= due(start, f"{long}{unit}")


@given(MOMENTS, MOMENTS, st.one_of(WORKING, PASSING))
def test_what_began_later_never_falls_due_earlier(one: datetime, two: datetime, rule: str) -> None:
    first, second = sorted((one, two))
    skipped = timedelta(hours=1) if rule.endswith("d") and not rule.endswith("wd") else timedelta(0)
    assert due(first, rule) <= due(second, rule) + skipped


@pytest.mark.parametrize(
    "rule",
    ["", "5", "wd", "-1h", "1.5h", "05h", "1 h", "1w", "24H", "1h@12:00", "1wd@24:00", "1wd@12:60", "٣h"],
)
def test_a_rule_that_is_none_is_refused_with_an_example(rule: str) -> None:
    with pytest.raises(BadInput, match="not written like 30m"):
        due(london(2026, 1, 1), rule)


@given(st.text(max_size=12))
def test_any_text_as_a_rule_is_read_or_refused(rule: str) -> None:
    with contextlib.suppress(BadInput):
        due(london(2026, 1, 1), rule)


def test_a_limit_beyond_what_is_known_is_refused_not_guessed() -> None:
    with pytest.raises(BadInput, match="further away"):
        due(london(9000, 1, 1), "999999d")
    with pytest.raises(BadInput, match="bank holidays of 2101"):
        due(london(2026, 1, 1), "999999wd")
    with pytest.raises(BadInput, match="2101"):
        is_working_day(date(2101, 1, 3))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="time zone"):
        due(datetime(2026, 1, 1), "1wd")


LADDERS = st.lists(st.tuples(st.one_of(WORKING, PASSING), st.sampled_from("abc")), max_size=6).map(Ladder)


@given(LADDERS, MOMENTS, st.lists(st.integers(0, 2_000_000), max_size=12))
def test_a_duty_climbs_its_ladder_without_ever_going_down(
    ladder: Ladder, due_at: datetime, seconds: list[int]
) -> None:
    seen = [rung(ladder, due_at, due_at + timedelta(seconds=s)) for s in sorted(seconds)]
    assert all(before <= after for before, after in pairwise(seen))
    assert all(0 <= number <= len(ladder.rungs) for number in seen)


@given(LADDERS, MOMENTS)
def test_no_rung_of_a_ladder_is_skipped(ladder: Ladder, due_at: datetime) -> None:
    """Sweeping at the moment each rung comes due meets every rung in turn, unless two come due together."""
    moments = [ladder.due_on(n, due_at) for n in range(1, len(ladder.rungs) + 1)]
    assert moments == sorted(moments)
    for number, moment in enumerate(moments, 1):
        assert rung(ladder, due_at, moment) < number
        assert rung(ladder, due_at, moment + timedelta(microseconds=1)) >= number


def test_at_the_very_moment_a_duty_is_still_in_time() -> None:
    at = london(2026, 11, 24, 16, 0)
    ladder = Ladder([("0m", "sergeant"), ("4h", "inspector")])
    assert not overdue(at, at)
    assert rung(ladder, at, at) == 0
    assert rung(ladder, at, at + timedelta(seconds=1)) == 1
    assert rung(ladder, at, at + timedelta(hours=5)) == 2
    assert (ladder.who(1), ladder.who(2)) == ("sergeant", "inspector")
    with pytest.raises(BadInput, match="no rung 3"):
        ladder.who(3)


def test_a_ladder_with_a_rule_that_is_none_is_refused_when_it_is_made() -> None:
    with pytest.raises(BadInput):
        Ladder([("soon", "sergeant")])


@pytest.mark.parametrize(
    ("at", "english", "welsh"),
    [
        (london(2026, 11, 24, 16, 0), "by 4pm on Tuesday 24 November", "erbyn 4pm ddydd Mawrth 24 Tachwedd"),
        (
            london(2026, 11, 24, 9, 5),
            "by 9:05am on Tuesday 24 November",
            "erbyn 9:05am ddydd Mawrth 24 Tachwedd",
        ),
        (
            london(2026, 11, 25, 12, 0),
            "by midday on Wednesday 25 November",
            "erbyn hanner dydd ddydd Mercher 25 Tachwedd",
        ),
        (
            london(2026, 11, 25, 0, 0),
            "by 11:59pm on Tuesday 24 November",
            "erbyn 11:59pm ddydd Mawrth 24 Tachwedd",
        ),
        (
            london(2027, 1, 1, 0, 30),
            "by 12:30am on Friday 1 January 2027",
            "erbyn 12:30am ddydd Gwener 1 Ionawr 2027",
        ),
        (
            datetime(2026, 7, 6, 16, 30, 59, tzinfo=UTC),
            "by 5:30pm on Monday 6 July",
            "erbyn 5:30pm ddydd Llun 6 Gorffennaf",
        ),
    ],
)
def test_it_says_until_when_in_english_and_welsh(at: datetime, english: str, welsh: str) -> None:
    now = london(2026, 11, 21, 18, 0)
    assert say_by(at, now, "en-gb") == english
    assert say_by(at, now, "cy") == welsh


def test_it_says_when_and_on_which_day() -> None:
    at = london(2026, 11, 24, 16, 5)
    assert say_when(at) == "4:05pm on Tuesday 24 November 2026"
    assert say_when(at, "cy") == "4:05pm ddydd Mawrth 24 Tachwedd 2026"
    assert say_date(at) == "Tuesday 24 November 2026"
    assert say_date(at.date(), "cy") == "dydd Mawrth 24 Tachwedd 2026"
