"""A caseload forecast is drift until a fancier model has earned its place, and its interval is honest."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast import caseload
from counterfoil.engines.forecast.caseload import Origin

DATA = Path(os.environ.get("COUNTERFOIL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FILE = DATA / "crown_court" / "gold_backlog_trajectory.csv"


def flows(flow: list[float], start: float = 40_000) -> tuple[list[float], list[float], list[float]]:
    return (
        [start + float(s) for s in np.cumsum(flow)],
        [25_000 + f for f in flow],
        [25_000.0] * len(flow),
    )


def test_steady_growth_is_left_to_drift() -> None:
    found = caseload.forecast(*flows([500.0] * 16))
    assert found.model == "drift"
    assert [a.middle for a in found.ahead] == [48_000 + 500 * h for h in range(1, 9)]


def test_a_flow_that_turns_again_and_again_earns_the_fading_model() -> None:
    flow = [1500 * float(np.sin(i * 0.7)) for i in range(32)]
    found = caseload.forecast(*flows(flow))
    assert found.model == "fading"
    errors = {t.model: t.mape for t in found.tried}
    assert errors["fading"] < errors["drift"]


def test_the_choice_looks_at_nothing_after_its_origin() -> None:
    calm, wild = [500.0] * 16, [500.0] * 16 + [-9_000.0] * 8
    then = caseload.origins(*flows(wild), 16, 16)[0]
    assert then.model == caseload.forecast(*flows(calm)).model


def test_the_interval_opens_and_never_falls_below_no_cases() -> None:
    rng = np.random.default_rng(4)
    found = caseload.forecast(*flows(list(rng.normal(0, 3_000, 20)), 20_000))
    widths = [a.high - a.middle for a in found.ahead]
    assert widths == sorted(widths)
    assert all(0 <= a.low <= a.middle <= a.high for a in found.ahead)


def test_ninety_percent_intervals_hold_on_invented_courts_with_shocks() -> None:
    """Net flow wanders with heavy tails and comes back slowly; one court in three stands still for a quarter."""
    inside: list[bool] = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        shocks, flow = rng.standard_t(4, 28) * 400, [0.0]
        for shock in shocks[1:]:
            flow.append(0.85 * flow[-1] + float(shock))
        seen = np.array(flow) + rng.normal(0, 400, 28)
        if seed % 3 == 0:
            seen[rng.integers(8, 28)] += 8_000
        for origin in caseload.origins(*flows(list(seen), 400_000), 12, 26):
            inside += origin.inside_drift
    assert 0.87 <= np.mean(inside) <= 0.98


@pytest.mark.parametrize(
    "bad",
    [([1.0] * 7, [1.0] * 7, [1.0] * 7), ([1.0] * 9, [1.0] * 8, [1.0] * 9), ([0.0] * 9, [1.0] * 9, [1.0] * 9)],
)
def test_too_little_or_broken_is_refused(bad: tuple[list[float], list[float], list[float]]) -> None:
    with pytest.raises(BadInput):
        caseload.forecast(*bad)


def _crown() -> list[list[float]]:
    if not FILE.is_file():
        pytest.skip(f"NO COURT TABLES at {FILE}: set COUNTERFOIL_DATA")
    with FILE.open(newline="") as f:
        rows = list(csv.DictReader(f))
    return [[float(r[c]) for r in rows] for c in ("open", "receipts", "disposals")]


def _at_eight(origins: tuple[Origin, ...], model: str) -> float:
    return float(np.mean([o.errors[model][7] for o in origins if len(o.errors[model]) == 8]))


def test_on_the_crown_court_it_does_better_than_drift_and_its_intervals_hold_through_covid() -> None:
    found = caseload.origins(*_crown(), 13, 24)  # ends of 2019 Q1 to 2021 Q4
    assert _at_eight(found, "offered") < 0.8 * _at_eight(found, "drift")
    assert np.mean([i for o in found for i in o.inside]) >= 0.85
