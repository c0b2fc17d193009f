"""Near repeats: every cell counted right, bands as promised, and the same as PySAL's within chance."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput
from counterfoil.engines.knox import DAY, knox


def counted(x: np.ndarray, y: np.ndarray, t: np.ndarray, metres: list[float], days: list[float]) -> list[int]:
    """Count pairs the slow way."""
    table = [[0] * len(days) for _ in metres]
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            far, late = float(np.hypot(x[i] - x[j], y[i] - y[j])), abs(int(t[i]) - int(t[j])) / DAY
            band = next((k for k, m in enumerate(metres) if far <= m), None)
            when = next((k for k, d in enumerate(days) if late <= d), None)
            if band is not None and when is not None:
                table[band][when] += 1
    return [n for row in table for n in row]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_every_cell_holds_what_the_slow_way_counts(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    # On a grid of 50 metres and half days, so that pairs lie exactly on the bands' ends.
    x, y = rng.integers(0, 12, n) * 50.0, rng.integers(0, 12, n) * 50.0
    t = rng.integers(0, 60, n) * 720
    metres, days = [0.0, 100.0, 200.0, 400.0], [0.0, 7.0, 14.0, 28.0]
    found = knox(x, y, t, metres=metres, days=days, permutations=1)
    assert [c.observed for c in found] == counted(x, y, t, metres, days)


def test_it_is_the_same_whatever_the_machine_and_differs_with_the_seed() -> None:
    rng = np.random.default_rng(1)
    x, y, t = rng.uniform(0, 2000, 400), rng.uniform(0, 2000, 400), rng.integers(0, 200 * DAY, 400)
    how = {"metres": [100.0, 200.0], "days": [7.0, 14.0], "permutations": 99}
    first = knox(x, y, t, **how, seed=7)  # type: ignore[arg-type]
    assert first == knox(x, y, t, **how, seed=7)  # type: ignore[arg-type]
    assert [c.expected for c in first] != [c.expected for c in knox(x, y, t, **how, seed=8)]  # type: ignore[arg-type]


def test_repeats_that_were_put_there_are_found_and_chance_alone_is_not() -> None:
    rng = np.random.default_rng(2)
    x, y, t = rng.uniform(0, 5000, 600), rng.uniform(0, 5000, 600), rng.integers(0, 730 * DAY, 600)
    alone = knox(x, y, t, metres=[100.0], days=[7.0], permutations=199)[0]
    assert alone.p > 0.01
    again = rng.choice(600, 60, replace=False)
    near = [np.concatenate((c, c[again] + rng.normal(0, 20, 60))) for c in (x, y)]
    later = np.concatenate((t, t[again] + rng.integers(0, 5 * DAY, 60)))
    found = knox(*near, later, metres=[100.0], days=[7.0], permutations=199)[0]
    assert found.p == 1 / 200
    assert found.ratio is not None
    assert found.ratio > 3


def test_degrees_are_measured_on_the_ellipsoid() -> None:
    pyproj = pytest.importorskip("pyproj")
    lon, lat = np.array([-1.2349, -1.2349, -1.2335]), np.array([54.5742, 54.5751, 54.5742])
    ellipsoid = pyproj.Geod(ellps="WGS84")
    north = ellipsoid.inv(lon[0], lat[0], lon[1], lat[1])[2]
    east = ellipsoid.inv(lon[0], lat[0], lon[2], lat[2])[2]
    for far, pairs in (
        (min(north, east) * 0.9999, 0),
        (min(north, east) * 1.0001, 1),
        (max(north, east) * 1.0001, 2),
    ):
        cell = knox(
            lon, lat, np.zeros(3, dtype=np.int64), metres=[far], days=[1.0], permutations=1, degrees=True
        )[0]
        assert cell.observed == pairs


def test_pysal_finds_the_same_on_a_small_cell() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spacetime = pytest.importorskip("pointpats.spacetime")
    rng = np.random.default_rng(3)
    x, y, t = rng.uniform(0, 1500, 300), rng.uniform(0, 1500, 300), rng.integers(0, 100, 300)
    ours = knox(x, y, t * DAY, metres=[150.0], days=[5.0], permutations=499)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = spacetime.Knox(
            np.column_stack((x, y)), t[:, None], delta=150, tau=5, permutations=199, keep=True
        )
    assert ours.observed == theirs.statistic_
    mean, spread = float(np.mean(theirs.sim)), float(np.std(theirs.sim))
    assert abs(ours.expected - mean) < 4 * spread * np.sqrt(1 / 499 + 1 / 199)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"metres": [200.0, 100.0]}, "rising"), ({"days": []}, "rising"), ({"permutations": 0}, "permutations"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(how: dict[str, object], word: str) -> None:
    ask = {"metres": [100.0], "days": [7.0], "permutations": 9, **how}
    with pytest.raises(BadInput, match=word):
        knox(np.zeros(3), np.zeros(3), np.arange(3), **ask)  # type: ignore[arg-type]
