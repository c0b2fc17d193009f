"""Hotspots: the score is what it says, no model knows the future, and a harder one must earn its place."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil import numbers
from counterfoil.engines.errors import BadInput
from counterfoil.engines.hotspots import MODELS, Events, earlier, forecast, gain, rates


def town(
    seed: int = 1, places: int = 120, days: int = 720, per_day: float = 4.0, kinds: bool = False
) -> Events:
    """Return events of an invented town whose places differ lastingly in rate, neighbours alike."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(places)))
    xy = np.array([(i % side, i // side) for i in range(places)], dtype=float) * 300
    rate = np.exp(rng.normal(0, 1.2, places) + np.sin(xy[:, 0] / 900))
    n = rng.poisson(per_day * days)
    where = rng.choice(places, n, p=rate / rate.sum())
    at = np.sort(rng.uniform(0, days, n))
    kind = rng.integers(0, 3, n) if kinds else None
    return Events(at, where, xy, np.ones(n, bool) if kind is None else kind == 0, kind)


@pytest.mark.parametrize("model", MODELS)
def test_no_model_knows_what_comes_after_the_day_it_is_asked_on(model: str) -> None:
    whole = town(kinds=True)
    before = whole.days < 600
    cut = Events(whole.days[before], whole.place[before], whole.xy, whole.target[before], whole.kinds[before])  # type: ignore[index]
    assert np.array_equal(MODELS[model](whole, 600, 30), MODELS[model](cut, 600, 30))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.02, 1.0), st.sampled_from(list(MODELS)))
def test_the_score_is_what_it_says(seed: int, share: float, model: str) -> None:
    events = town(seed, places=40, days=300, per_day=1.0)
    found = forecast(events, train_until=240, test_until=300, share=share, model=model)
    test = events.counts(240, 300)
    assert found.areas == len(found.chosen) == max(1, int(share * found.seen + 0.5))
    assert found.hits == test[found.chosen].sum() <= found.best_possible
    assert found.best_possible == sorted(test, reverse=True)[: found.areas] @ np.ones(found.areas)
    assert found.n == test.sum()
    assert found.pai == pytest.approx((found.hits / found.n) / (found.areas / found.seen))
    assert found.pei == pytest.approx(found.hits / found.best_possible)


def test_where_nothing_but_chance_differs_the_simple_count_is_used() -> None:
    rng = np.random.default_rng(5)
    n, places = 3000, 100
    xy = rng.uniform(0, 3000, (places, 2))
    flat = Events(np.sort(rng.uniform(0, 700, n)), rng.integers(0, places, n), xy, np.ones(n, bool))
    assert forecast(flat, train_until=660, test_until=700, share=0.1).model == "baseline"


def telling(seed: int = 6) -> Events:
    """Return a town where few robberies follow the same lasting rates as many calls of another kind."""
    rng = np.random.default_rng(seed)
    places = 2500
    rate = np.exp(rng.normal(0, 1.2, places))
    n = 100_000
    kind = (rng.random(n) > 0.02).astype(np.int64)
    where = rng.choice(places, n, p=rate / rate.sum())
    xy = np.array([(i % 50, i // 50) for i in range(places)], dtype=float) * 300
    return Events(np.sort(rng.uniform(0, 720, n)), where, xy, kind == 0, kind)


def test_a_model_is_taken_only_with_a_gain_whose_interval_leaves_nothing_out() -> None:
    town = telling()
    found = gain(town, earlier(town, 690, 30), 30, 0.05, "regression")
    assert 0 < found.low <= found.mean <= found.high
    assert found.sure
    chosen = forecast(town, train_until=690, test_until=720, share=0.05)
    assert chosen.model == "regression"
    assert "more than the simple count" in chosen.why
    nobody = gain(town, earlier(town, 690, 30), 30, 0.05, "baseline")
    assert (nobody.mean, nobody.low, nobody.high, nobody.sure) == (0, 0, 0, False)


def test_models_are_compared_only_on_spans_with_half_of_the_history_before_them() -> None:
    """Early on, every model beats a count of a few weeks: that says nothing about the day asked for."""
    assert min(earlier(town(days=720), 720, 30)) >= 360
    assert earlier(town(days=60), 60, 30) == []


def test_bounds_hold_nine_counts_in_ten_of_the_places_pointed_to() -> None:
    held, many = 0, 0
    for seed in range(4):
        place = telling(seed)
        for until in (600.0, 660.0):
            found = forecast(place, train_until=until, test_until=until + 60, share=0.2, model="regression")
            happened = place.counts(until, until + 60)[found.chosen]
            held += int(((happened >= found.low) & (happened <= found.high)).sum())
            many += found.areas
            assert (found.low <= found.high).all()
    assert 0.86 <= held / many <= 0.95


def test_a_place_not_published_for_some_months_is_not_thought_quiet() -> None:
    rng = np.random.default_rng(9)
    months = np.array([np.datetime64("2025-01") + m for m in range(12)]).astype("datetime64[D]").astype(int)
    places, rate = 60, 4.0
    xy = np.column_stack((np.arange(places) * 400.0, np.where(np.arange(places) < 30, 0.0, 90_000.0)))
    day, place = [], []
    for at in months:
        for i in range(places):
            # The second half of the places belongs to a force that sent nothing from April to August.
            if i >= 30 and months[3] <= at <= months[7]:
                continue
            n = rng.poisson(rate)
            day += [float(at)] * n
            place += [i] * n
    made = Events(np.array(day), np.array(place), xy, np.ones(len(day), bool), step=30.4)
    until = float(np.datetime64("2026-01-01").astype(int))
    watched = made.exposure(until, 36_525.0)
    assert watched[40] == pytest.approx(watched[5] * 7 / 12, rel=0.01)
    mean = rates(made, until).mean(30.4)
    assert mean[30:].mean() == pytest.approx(mean[:30].mean(), rel=0.1)


def calls(folder: Path) -> Path:
    """Write a file of invented calls, as somebody would bring it."""
    rng = np.random.default_rng(7)
    lines = ["when,ward,kind,east,north"]
    for _ in range(3000):
        ward = int(rng.geometric(0.15))
        day = np.datetime64("2025-01-01") + rng.integers(0, 500)
        kind = "robbery" if rng.random() < 0.5 else "other"
        lines.append(
            f"{day},W{ward:02},{kind},{430000 + 300 * ward + rng.integers(0, 300)},{510000 + rng.integers(0, 300)}"
        )
    file = folder / "calls.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """Run a command and return the JSON it printed."""
    assert numbers.main(list(words)) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_command_prints_one_answer_by_area_and_by_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = calls(tmp_path)
    common = ["--train-until", "2026-03-01", "--test-until", "2026-05-01", "--share", "0.1", "--json", "-"]
    area = asked(capsys, "hotspots", str(file), "--time", "when", "--area", "ward", "--where", "kind = 'robbery'",
                 "--model", "baseline", *common)  # fmt: skip
    assert set(area) == {"model", "areas", "hits", "n", "best_possible", "pai", "pei"}
    assert area["model"] == "baseline"
    cell = asked(capsys, "hotspots", str(file), "--time", "when", "--x", "east", "--y", "north", "--crs", "27700",
                 "--cell", "300", *common)  # fmt: skip
    assert int(cell["n"]) > int(area["n"])  # type: ignore[call-overload]


def test_the_table_of_near_repeats_comes_as_a_list_by_distance_then_days(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, "knox", str(calls(tmp_path)), "--time", "when", "--x", "east", "--y", "north", "--crs",
                  "27700", "--metres", "100,200", "--days", "7,14", "--permutations", "19", "--json", "-")  # fmt: skip
    assert [(c["metres"], c["days"]) for c in found] == [  # type: ignore[index]
        ([0, 100], [0, 7]), ([0, 100], [7, 14]), ([100, 200], [0, 7]), ([100, 200], [7, 14]),
    ]  # fmt: skip
    assert set(found[0]) == {"metres", "days", "observed", "expected", "ratio", "p"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["knox", "{months}", "--time", "Month", "--x", "x", "--y", "y"], "need the day"),
        (["knox", "{calls}", "--time", "nope", "--x", "east", "--y", "north"], "Its columns are"),
        (["knox", "{calls}", "--time", "when", "--x", "east", "--y", "north"], "no degrees"),
        (["knox", "{calls}", "--time", "when", "--x", "east", "--y", "north", "--crs", "what"], "EPSG number"),
        (["knox", "{calls}", "--time", "when", "--x", "east", "--y", "north", "--where", "drop"], "asked that"),
        (["knox", "/no/such/file.csv", "--time", "t", "--x", "x", "--y", "y"], "There is no file"),
        (["hotspots", "{calls}", "--time", "when", "--train-until", "2026-03", "--test-until", "2026-04", "--share",
          "1"], "--area COL"),
        (["hotspots", "{calls}", "--time", "when", "--area", "ward", "--train-until", "soon", "--test-until", "2026-04",
          "--share", "0.1"], "no day"),
        (["hotspots", "{calls}", "--time", "when", "--area", "ward", "--train-until", "2026-03", "--test-until",
          "2026-04", "--share", "7"], "between 0 and 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_said_in_a_sentence(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    months = tmp_path / "months.csv"
    months.write_text("Month,x,y\n" + "".join(f"2021-{m:02},{m},{m}\n" for m in range(1, 13)))
    named = {"months": str(months), "calls": str(calls(tmp_path))}
    with pytest.raises(BadInput, match=sentence):
        numbers.main([w.format(**named) for w in words])
