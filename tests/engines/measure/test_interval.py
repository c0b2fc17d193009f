"""Intervals: Wilson's formula in exact decimals, divided once."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import share, wilson


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_wilsons_interval(pair: tuple[int, int]) -> None:
    k, n = pair
    z, p = 1.959963984540054, k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low, high = wilson(k, n)
    assert float(low) == pytest.approx(middle - half, abs=1e-9)
    assert float(high) == pytest.approx(middle + half, abs=1e-9)
    assert 0 <= low <= Decimal(k) / Decimal(n) <= high <= 1


def test_none_of_ten_and_all_of_ten_stay_within_nought_and_a_hundred() -> None:
    assert (share(0, 10).percent, share(0, 10).low, share(0, 10).high) == (
        Decimal("0.0"),
        Decimal("0.0"),
        Decimal("27.8"),
    )
    assert (share(10, 10).low, share(10, 10).high) == (Decimal("72.2"), Decimal("100.0"))


def test_a_half_in_the_next_place_goes_to_the_even_digit() -> None:
    assert share(1, 2000).percent == Decimal("0.0")
    assert share(3, 2000).percent == Decimal("0.2")


@pytest.mark.parametrize(("part", "whole"), [(1, 0), (0, 0), (-1, 3), (4, 3)])
def test_it_refuses_a_share_that_cannot_be(part: int, whole: int) -> None:
    with pytest.raises(BadInput, match="A share needs"):
        share(part, whole)
