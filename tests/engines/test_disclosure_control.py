"""Small numbers stay unknown, whatever is asked and however the answers are put together."""

import random

import numpy as np
import pytest
from bench.numbers_privacy import KEY, attacks, town

from counterfoil.engines.disclosure_control import Protected, rounded


def test_a_count_below_ten_is_not_shown_and_any_other_is_rounded_to_five() -> None:
    for n in range(200):
        shown = Protected({"here": n}, key=KEY).total(["here"])
        assert shown.value == (None if n < 10 else rounded(n))
        assert shown.value is None or (shown.low or 0) <= n <= (shown.high or 0)
    assert [rounded(n) for n in (10, 12, 13, 17, 18)] == [10, 10, 15, 15, 20]


def test_parts_add_up_and_the_same_question_has_the_same_answer() -> None:
    table, _ = town(1)
    guarded = Protected(table, key=KEY)
    cells = list(table)
    for seed in range(50):
        some = random.Random(seed).sample(cells, 60)
        one, other = guarded.total(some[:30]), guarded.total(some[30:])
        whole = guarded.total(some)
        if one.value is not None and other.value is not None:
            assert one.value + other.value == whole.value
        assert guarded.total(reversed(some)) == whole == Protected(table, key=KEY).total(some * 2)


def test_nothing_given_out_changes_when_a_hidden_count_is_another() -> None:
    """The proof, tried: under some key every hidden cell could as well hold any other count below 10."""
    for counted, keys in ((0, {0}), (10, {10})):
        possible = set()
        for n in range(10):
            for seed in range(400):
                given = Protected({("a", "1"): n, ("a", "2"): 30}, key=seed.to_bytes(32)).total(
                    [("a", "1"), ("a", "2")]
                )
                if given.value is not None and given.value - 30 in keys:
                    possible.add(n)
        assert possible == (set(range(10)) if counted == 0 else set(range(1, 10)))


def test_what_is_shown_is_ten_or_more_for_certain() -> None:
    for seed in range(40):
        table, _ = town(seed)
        guarded = Protected(table, key=KEY)
        picks = random.Random(seed)
        for _ in range(60):
            some = picks.sample(list(table), picks.randint(1, 40))
            shown = guarded.total(some)
            if shown.value is not None:
                assert sum(table[c] for c in some) >= 10


def test_totals_are_right_on_average_and_their_bounds_hold_the_truth() -> None:
    table, _ = town(3)
    true = sum(table.values())
    given = [Protected(table, key=seed.to_bytes(32)).total(table) for seed in range(400)]
    values = [g.value or 0 for g in given]
    spread = float(np.std(values))
    rounding = sum(rounded(n) - n for n in table.values() if n >= 10)
    assert abs(np.mean(values) - true - rounding) < 4 * spread / 20
    assert sum((g.low or 0) <= true <= (g.high or 0) for g in given) >= 360


def test_a_share_is_given_only_when_the_part_and_the_rest_are_large() -> None:
    def share(part: int, rest: int) -> object:
        return Protected({"part": part, "rest": rest}, key=KEY).share(["part"], ["part", "rest"]).value

    assert share(9, 400) is None
    assert share(400, 9) is None
    assert str(share(31, 169)) == "15.0"
    one = Protected({"part": 31, "rest": 169}, key=KEY).share(["part"], ["part", "rest"])
    assert one.low is not None
    assert one.high is not None
    assert float(one.low) < 15.5 < float(one.high)


def test_a_short_key_and_a_negative_count_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Protected({"a": 1}, key=b"short")
    with pytest.raises(ValueError, match="below 0"):
        Protected({"a": -1}, key=KEY)


def test_no_attack_recovers_a_count_below_ten_and_without_protection_they_do() -> None:
    """A sample of the ten thousand attacks of bench/numbers_privacy.py."""
    ours, exact, alone, literally = attacks(150, every=3)
    assert ours.tried == exact.tried == 150
    assert ours.recovered == literally.recovered == 0
    assert exact.recovered > 60
    assert alone.narrowest < 9 <= ours.narrowest
