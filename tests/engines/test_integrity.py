"""Integrity of crime data: every kind of injected fault is found where it is, and clean forces raise no alarm."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from counterfoil import numbers
from counterfoil.engines.errors import BadInput
from counterfoil.engines.integrity import Finding, inspect

MONTHS = [f"{2024 + m // 12}-{m % 12 + 1:02}" for m in range(12)]
FORCES = ["Amberdale", "Birchmoor", "Calderby", "Dunholm", "Elmshire"]
TYPES = {
    "Violence": 0.36,
    "Anti-social behaviour": 0.2,
    "Burglary": 0.1,
    "Robbery": 0.05,
    "Other theft": 0.19,
    "Drugs": 0.1,
}
OUTCOMES = {
    "No suspect": 0.45,
    "Unable to prosecute": 0.35,
    "Charged": 0.12,
    "Caution": 0.05,
    "Other body": 0.03,
}
Row = dict[str, Any]
World = dict[str, list[Row]]


def world(seed: int = 1, size: int = 500) -> World:
    """Return a clean year of five invented forces: seasons, growth and chance, and nothing wrong."""
    rng = np.random.default_rng(seed)
    street: list[Row] = []
    outcomes: list[Row] = []
    delays: list[Row] = []
    serial = 0
    for f, force in enumerate(FORCES):
        mix = rng.dirichlet(np.array(list(TYPES.values())) * 300)
        ends = rng.dirichlet(np.array(list(OUTCOMES.values())) * 300)
        for m, month in enumerate(MONTHS):
            n = rng.poisson(size * (1 + 0.3 * f) * (1 + 0.12 * np.sin(m / 2)) * np.exp(rng.normal(0, 0.03)))
            kinds = rng.choice(list(TYPES), n, p=mix)
            areas = (rng.beta(1.2, 3, n) * 80).astype(int)
            for kind, area in zip(kinds, areas, strict=True):
                serial += 1
                street.append({"Crime ID": f"{serial:08x}", "Month": month, "Falls within": force,
                               "LSOA code": f"E{f}{area:04}", "Crime type": str(kind)})  # fmt: skip
                if rng.random() < 0.9:
                    later = MONTHS[min(11, m + int(rng.integers(0, 3)))]
                    end = str(rng.choice(list(OUTCOMES), p=ends))
                    outcomes.append({"Crime ID": f"{serial:08x}", "Month": later, "Falls within": force,
                                     "Outcome type": end})  # fmt: skip
        for _ in range(600):
            at = np.datetime64("2024-01-01T00:00:00") + rng.integers(0, 300 * 86_400)
            later = at + int(rng.exponential(20 * 3600))
            delays.append({"force": force, "reported_at": str(at), "recorded_at": str(later)})
    return {"street": street, "outcomes": outcomes, "delays": delays}


def written(folder: Path, facts: World) -> Path:
    """Write a world as files."""
    for name, rows in facts.items():
        with (folder / f"{name}.csv").open("w", newline="") as f:
            out = csv.DictWriter(f, list(rows[0]))
            out.writeheader()
            out.writerows(rows)
    return folder


def missing(w: World) -> None:
    w["street"] = [r for r in w["street"] if (r["Falls within"], r["Month"]) != ("Calderby", "2024-07")]


def partial(w: World) -> None:
    w["street"] = [
        r
        for i, r in enumerate(w["street"])
        if (r["Falls within"], r["Month"]) != ("Calderby", "2024-07") or i % 2
    ]


def blank(w: World) -> None:
    for i, r in enumerate(w["street"]):
        if r["Falls within"] == "Calderby" and r["Month"] == "2024-07" and i % 4 == 0:
            r["LSOA code"] = ""


def repeated(w: World) -> None:
    w["street"] += [
        dict(r) for r in w["street"] if r["Falls within"] == "Calderby" and r["Month"] == "2024-07"
    ][:80]


def reused(w: World) -> None:
    mine = [r for r in w["street"] if r["Falls within"] == "Calderby"]
    for r, old in zip(mine[5000:5120], mine[:120], strict=True):
        r["Crime ID"] = old["Crime ID"]


def restarted(w: World) -> None:
    for r in w["outcomes"]:
        if r["Falls within"] == "Calderby" and r["Month"] >= "2024-07":
            r["Crime ID"] = "n" + r["Crime ID"]


def conflicting(w: World) -> None:
    mine = [r for r in w["outcomes"] if r["Falls within"] == "Calderby"][:120]
    w["outcomes"] += [
        {**r, "Outcome type": "Charged" if r["Outcome type"] != "Charged" else "Caution"} for r in mine
    ]


def never(w: World) -> None:
    for r in w["outcomes"]:
        if r["Falls within"] == "Calderby" and r["Outcome type"] == "Caution":
            r["Outcome type"] = "Charged"


def recoded(w: World) -> None:
    for r in w["street"]:
        if r["Falls within"] == "Calderby" and r["Month"] >= "2024-07" and r["LSOA code"] < "E20030":
            r["LSOA code"] = "X" + r["LSOA code"]


def reclassified(w: World) -> None:
    for i, r in enumerate(w["street"]):
        if (
            r["Falls within"] == "Calderby"
            and r["Month"] >= "2024-07"
            and r["Crime type"] == "Robbery"
            and i % 5
        ):
            r["Crime type"] = "Other theft"


def closed_otherwise(w: World) -> None:
    for i, r in enumerate(w["outcomes"]):
        if (
            r["Falls within"] == "Calderby"
            and r["Month"] >= "2024-07"
            and r["Outcome type"] == "No suspect"
            and i % 4 == 0
        ):
            r["Outcome type"] = "Unable to prosecute"


def heaped(w: World) -> None:
    for i, r in enumerate(w["delays"]):
        if r["force"] == "Calderby" and i % 6 == 0:
            r["recorded_at"] = str(np.datetime64(r["reported_at"]) + (24 * 3600 - 60 * (i % 40) - 1))


FAULTS: dict[str, tuple[Callable[[World], None], str]] = {
    "missing-month": (missing, "2024-07"), "partial-month": (partial, "2024-07"), "blank-areas": (blank, "2024-07"),
    "repeated-rows": (repeated, "2024-07"), "reused-identifier": (reused, ""),
    "identifiers-restart": (restarted, "2024-07"),
    "conflicting-outcomes": (conflicting, ""), "never-used-outcome": (never, ""), "code-change": (recoded, "2024-07"),
    "reclassification": (reclassified, "2024-07"), "closure-shift": (closed_otherwise, "2024-07"),
    "heaping": (heaped, ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_each_of_twelve_injected_faults_is_found_where_it_is(kind: str, tmp_path: Path) -> None:
    facts = world()
    inject, since = FAULTS[kind]
    inject(facts)
    found = inspect([written(tmp_path, facts)])
    mine = [f for f in found if f.kind == kind and f.where.startswith("Calderby")]
    assert mine, [f"{f.kind} {f.where} {f.since}" for f in found]
    assert all(f.size > 0 and f.affects for f in mine)
    if since:
        assert mine[0].since == since
    elsewhere = [f for f in found if not f.where.startswith("Calderby")]
    assert not elsewhere, elsewhere


@pytest.mark.parametrize("seed", range(2, 6))
def test_clean_forces_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    """The promise is at most one a force and year; these five-force years raise none."""
    assert inspect([written(tmp_path, world(seed, size=250))]) == []


def test_the_command_prints_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = world(size=200)
    missing(facts)
    assert numbers.main(["integrity", str(written(tmp_path, facts)), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"kind", "where", "since", "size", "affects"} == set(found[0])
    assert ("missing-month", "Calderby", "2024-07") in {(f["kind"], f["where"], f["since"]) for f in found}


@pytest.mark.parametrize(
    ("text", "sentence"), [("a,b\n1,2\n", "None of these"), ("", "None of these|cannot be read")]
)
def test_a_file_that_is_no_table_of_crimes_is_said_to_be_none(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(BadInput, match=sentence):
        inspect([tmp_path])
    with pytest.raises(BadInput, match="no file or folder"):
        inspect([tmp_path / "nothing"])
    assert Finding("k", "w", "s", 1, ()).says == ""
