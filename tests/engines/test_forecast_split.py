"""A change of the charge rate is split into parts that add up exactly, whatever the counts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast.split import PARTS, Counted, decompose

KINDS = ("burglary", "drugs", "robbery", "shoplifting", "violence")


@st.composite
def counted(draw: st.DrawFn) -> Counted:
    plain = draw(st.integers(0, 5_000))
    odd = draw(st.integers(0, 500))
    early_plain, early_odd = draw(st.integers(0, plain)), draw(st.integers(0, odd))
    late = draw(st.integers(0, plain + odd - early_plain - early_odd))
    early = early_plain + early_odd
    return Counted(plain + odd, early + late, early, odd, early_odd)


periods = st.dictionaries(st.sampled_from(KINDS), counted(), min_size=1).filter(
    lambda p: sum(c.crimes - c.only_recorded for c in p.values()) > 0
)


@given(periods, periods, st.integers(0, 4))
@settings(max_examples=200, deadline=None)
def test_the_parts_add_up_exactly_and_so_do_the_rounded_ones(
    before: dict[str, Counted], after: dict[str, Counted], places: int
) -> None:
    parts = decompose(before, after)
    assert sum((getattr(parts, name) for name in PARTS), Fraction(0)) == parts.change
    assert sum(t.mix for t in parts.by_type) == parts.mix
    assert sum(t.real for t in parts.by_type) == parts.real
    shown = parts.shown(places)
    assert sum((shown[name] for name in PARTS), Decimal(0)) == shown["change"]
    assert (
        Fraction(shown["change"])
        == round(parts.after, places + 2) * 100 - round(parts.before, places + 2) * 100
    )
    step = Fraction(1, 10**places)
    assert all(abs(Fraction(shown[name]) - 100 * getattr(parts, name)) < 2.5 * step for name in PARTS)


@given(periods, periods)
@settings(max_examples=60, deadline=None)
def test_backwards_every_part_has_the_other_sign(
    before: dict[str, Counted], after: dict[str, Counted]
) -> None:
    there, back = decompose(before, after), decompose(after, before)
    assert [getattr(there, n) for n in PARTS] == [-getattr(back, n) for n in PARTS]


@given(periods)
@settings(max_examples=50, deadline=None)
def test_nothing_changed_means_nothing_in_any_part(period: dict[str, Counted]) -> None:
    assert [getattr(decompose(period, period), n) for n in PARTS] == [0, 0, 0, 0]


def test_only_other_types_is_all_mix() -> None:
    parts = decompose(
        {"drugs": Counted(100, 30), "theft": Counted(100, 2)},
        {"drugs": Counted(50, 15), "theft": Counted(150, 3)},
    )
    assert (parts.real, parts.timing, parts.recording) == (0, 0, 0)
    assert parts.mix == parts.change == Fraction(18, 200) - Fraction(32, 200)


def test_only_less_follow_up_is_all_timing() -> None:
    parts = decompose({"theft": Counted(1000, 80, 50)}, {"theft": Counted(1000, 50, 50)})
    assert (parts.mix, parts.recording, parts.real) == (0, 0, 0)
    assert parts.timing == Fraction(-30, 1000)


def test_only_crimes_newly_let_into_the_count_is_all_recording() -> None:
    parts = decompose({"violence": Counted(1000, 100)}, {"violence": Counted(1500, 100, None, 500, 0)})
    assert (parts.mix, parts.timing, parts.real) == (0, 0, 0)
    assert parts.recording == Fraction(100, 1500) - Fraction(1, 10)


def test_only_better_work_is_all_real_and_its_interval_tells_chance() -> None:
    few = decompose({"theft": Counted(100, 5)}, {"theft": Counted(100, 8)})
    many = decompose({"theft": Counted(100_000, 5_000)}, {"theft": Counted(100_000, 8_000)})
    assert few.real == many.real == few.change
    assert few.real_low < 0 < few.real_high
    assert 0 < many.real_low < many.real_high


def test_a_type_that_was_not_there_before_is_mix() -> None:
    parts = decompose({"theft": Counted(100, 5)}, {"theft": Counted(100, 5), "drugs": Counted(100, 40)})
    assert parts.real == 0
    assert parts.mix == parts.change


@pytest.mark.parametrize(
    "period",
    [
        {},
        {"theft": Counted(0, 0)},
        {"theft": Counted(10, 11)},
        {"theft": Counted(10, 5, 6)},
        {"theft": Counted(10, 5, 5, 8, 1)},
        {"theft": Counted(10, 0, 0, 10, 0)},
    ],
)
def test_counts_that_cannot_be_are_refused(period: dict[str, Counted]) -> None:
    with pytest.raises(BadInput):
        decompose(period, {"theft": Counted(10, 1)})
