"""Patrols: every plan keeps its budget and starves nobody, the same each time; a trial says what it can and no more."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput
from counterfoil.engines.patrols import Plan, Spot, Unit, assign, crossover, days_needed, plan, wdd
from counterfoil.engines.patrols.trial import ratios


def town(seed: int, places: int) -> list[Spot]:
    """Return places of an invented town, two kilometres wide."""
    rng = np.random.default_rng(seed)
    return [Spot(f"p{i}", rng.uniform(0, 2000), rng.uniform(0, 2000), rng.gamma(2, 2)) for i in range(places)]


def kept(made: Plan, spots: list[Spot], units: list[Unit], home: tuple[float, float], speed: float) -> None:
    """Check a plan the slow way: walk it."""
    where = {s.name: (s.east, s.north) for s in spots}
    for unit in units:
        clock, at = 0.0, home
        for v in [v for v in made.visits if v.unit == unit.name]:
            assert v.starts >= clock + math.dist(at, where[v.spot]) / speed - 1e-9
            clock, at = v.starts + v.minutes, where[v.spot]
        assert clock + math.dist(at, home) / speed <= unit.minutes
        assert len({v.spot for v in made.visits if v.unit == unit.name}) == sum(
            v.unit == unit.name for v in made.visits
        )


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 9), st.integers(2, 4))
def test_a_plan_can_be_walked_within_its_minutes_and_visits_every_place(
    seed: int, places: int, many: int
) -> None:
    spots, units = town(seed, places), [Unit(f"u{k}", 240) for k in range(many)]
    made = plan(spots, units, visit=15, station=(1000, 1000), seconds=0.5)
    kept(made, spots, units, (1000, 1000), 80.0)
    assert set(made.dosage()) == {s.name for s in spots}
    assert min(made.dosage().values()) >= 15
    assert 0 <= made.gap < 1


def test_the_same_question_has_the_same_answer() -> None:
    spots, units = town(5, 10), [Unit("early", 180), Unit("late", 240)]
    assert plan(spots, units, seconds=1) == plan(spots, units, seconds=1)


def test_the_best_plan_of_a_small_town_is_found_and_said_to_be_the_best() -> None:
    spots = [Spot("busy", 0, 0, 10), Spot("quiet", 100, 0, 1)]
    made = plan(spots, [Unit("one", 40), Unit("two", 20)], visit=15, station=(0, 0))
    assert made.dosage() == {"busy": 30, "quiet": 15}
    assert made.gap == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("units", "visit", "word"),
    [
        ([Unit("one", 60)], 15, "Give more minutes"), ([Unit("one", 76)], 15, "With travel"),
        ([Unit("one", 600)], 5, "15 to 20"), ([Unit("a", 60), Unit("a", 60)], 15, "same name"),
    ],
)  # fmt: skip
def test_what_the_minutes_do_not_allow_is_said(units: list[Unit], visit: int, word: str) -> None:
    spots = [Spot(f"p{i}", 900.0 * i, 0, 1) for i in range(5)]
    with pytest.raises(BadInput, match=word):
        plan(spots, units, visit=visit, seconds=1)


def test_the_displacement_difference_is_the_published_one() -> None:
    """Worked by hand from Wheeler & Ratcliffe (2018): the variance of the difference is the sum of the counts."""
    found = wdd(before=50, after=30, control_before=60, control_after=55, near_before=40, near_after=44,
                control_near_before=20, control_near_after=21)  # fmt: skip
    assert found.change == -20 + 5 + 4 - 1
    assert found.z == pytest.approx(-12 / math.sqrt(50 + 30 + 60 + 55 + 40 + 44 + 20 + 21))
    assert "cannot be told" in found.sentence
    assert "It worked" in wdd(before=400, after=200, control_before=300, control_after=300).sentence
    with pytest.raises(BadInput, match="Nothing happened"):
        wdd(before=0, after=0, control_before=0, control_after=0)


def test_a_draw_patrols_each_place_once_in_each_pair_of_days_and_half_of_them_a_day() -> None:
    drawn = assign(21, 50, seed=3)
    assert (drawn[:, ::2] ^ drawn[:, 1::2]).all()
    assert set(drawn.sum(axis=0)) <= {10, 11}
    assert np.array_equal(drawn, assign(21, 50, seed=3))


def trials(fall: float, many: int = 2000, places: int = 12, pairs: int = 40) -> np.ndarray:
    """Simulate trials in a town whose days and places differ; return the share that finds a difference."""
    rng = np.random.default_rng(11)
    drawn = assign(places, pairs, seed=1)
    rate = rng.gamma(16, 1 / 16, (many, 1, 2 * pairs)) * rng.gamma(4, 1 / 4, (many, places, 1))
    counts = rng.poisson(1.5 * rate * np.where(drawn, 1 - fall, 1.0))
    return np.array((ratios(counts, drawn)[3] < 0.05).mean())


def test_a_trial_without_effect_finds_one_in_twenty_and_one_with_effect_finds_it() -> None:
    assert 0.035 <= float(trials(0.0)) <= 0.065
    assert float(trials(0.3)) > 0.95


def test_the_days_a_trial_needs_give_the_power_they_promise() -> None:
    places, a_day = 20, 1.0
    pairs = -(-days_needed(a_day) // places)
    rng = np.random.default_rng(4)
    drawn = assign(places, pairs, seed=9)
    rate = rng.gamma(16, 1 / 16, (1000, 1, 2 * pairs)) * rng.gamma(4, 1 / 4, (1000, places, 1))
    counts = rng.poisson(a_day * rate * np.where(drawn, 0.9, 1.0))
    assert (ratios(counts, drawn)[3] < 0.05).mean() > 0.76
    assert days_needed(0.1) > days_needed(1.0) > days_needed(1.0, fall=0.2)


def test_one_trial_says_in_a_sentence_whether_it_worked() -> None:
    rng = np.random.default_rng(8)
    drawn = assign(20, 60, seed=2)
    worked = crossover(rng.poisson(np.where(drawn, 0.5, 1.0)), drawn)
    assert worked.sentence.startswith("It worked")
    assert worked.low < worked.change < worked.high < 0
    assert worked.patrol_days == 1200
    alone = crossover(rng.poisson(np.full(drawn.shape, 0.2)), drawn)
    assert "cannot be told" in alone.sentence
    with pytest.raises(BadInput, match="no such trial"):
        crossover(rng.poisson(np.ones(drawn.shape)), np.ones(drawn.shape, bool))
