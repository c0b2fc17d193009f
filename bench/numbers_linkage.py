"""Linkage on tables whose truth is known: precision, recall, F1, blocking, calibration, seconds and memory.

    python -m bench.numbers_linkage [historical febrl3 febrl4 fake contacts]

The command is run as anybody would, in a process of its own; the truth is read only to score.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from bench import contacts
from bench.numbers import DATA as TABLES
from counterfoil.engines.linkage import Map, block, columns, guards, read, read_map
from counterfoil.engines.linkage.engine import Learnt

MAPS = Path(__file__).resolve().parent / "maps"
DATA = TABLES / "splink_datasets"


def line(what: str, figure: str, goal: str = "", met: bool | None = None, topic: str = "linkage") -> None:
    """Print one line of the report; without a goal it is only said."""
    verdict = "said" if met is None else "met" if met else "not met"
    print(f"{topic} | {what} | {figure} | {goal} | {verdict}", flush=True)


def pairs_in(labels: Any) -> int:
    """Return how many pairs share a label."""
    n = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((n * (n - 1) // 2).sum())


def scores(cluster: Sequence[Any], truth: Sequence[Any]) -> tuple[float, float, float]:
    """Return pairwise precision, recall and F1 of clusters against the truth.

    >>> scores(["a", "a", "b"], [1, 1, 1])
    (1.0, 0.3333333333333333, 0.5)
    """
    c = np.unique(np.asarray(cluster, dtype=str), return_inverse=True)[1].astype(np.int64)
    t = np.unique(np.asarray(truth, dtype=str), return_inverse=True)[1].astype(np.int64)
    both, mine, true = pairs_in(c * len(t) + t), pairs_in(c), pairs_in(t)
    p, r = both / max(mine, 1), both / max(true, 1)
    return p, r, 2 * p * r / max(p + r, 1e-9)


def febrl(ids: Sequence[str]) -> list[str]:
    """Return the number of the person in FEBRL's record names."""
    return [m[1] if (m := re.match(r"\s*rec-(\d+)", i)) else i for i in ids]


def column(table: Path, ident: str, truth: str) -> dict[Any, Any]:
    """Return the truth by id."""
    return dict(duckdb.connect().execute(f'SELECT "{ident}", "{truth}" FROM \'{table}\'').fetchall())


def answer(out: Path) -> dict[Any, str]:
    """Return the clusters by id."""
    return dict(duckdb.connect().execute(f"SELECT id, cluster FROM '{out}'").fetchall())


def command(*words: str) -> tuple[float, float, float, str]:
    """Run `counterfoil link` with these words; return seconds, seconds of processor, most MB, and what it said."""
    code = """import resource, sys
from counterfoil.cli import main
try:
    main(sys.argv[1:])
finally:
    u = resource.getrusage(resource.RUSAGE_SELF)
    print("USED", u.ru_utime + u.ru_stime, u.ru_maxrss, file=sys.stderr)
"""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, "link", *words], check=True, capture_output=True, text=True
    )
    wall = time.monotonic() - began
    *said, used = done.stderr.strip().splitlines()
    _, busy, kilobytes = used.split()
    return wall, float(busy), int(kilobytes) / 1024, "\n".join(said)


def calibration(out: Path, truth: Sequence[Any]) -> float:
    """Return the expected calibration error of kept pairs' probabilities: ten bins, weighed by how many fall in each.

    A pair that a guard keeps apart has no probability but never; at most 200,000 pairs are looked at.
    """
    state = out.with_suffix(".state")
    con = duckdb.connect()
    got = con.execute(
        f"SELECT a, b, w FROM '{state}/pairs-*.parquet' WHERE w > -8 ORDER BY a, b"
    ).fetchnumpy()
    step = max(1, len(got["a"]) // 200_000)
    a, b, bits = (got[c][::step] for c in "abw")
    rows = [
        json.loads(r)
        for (r,) in con.execute(f"SELECT row FROM '{state}/rows-*.parquet' ORDER BY spot").fetchall()
    ]
    kept = json.loads((state / "learnt.json").read_text())
    m, learnt = Map.from_json(kept["map"]), Learnt.from_json(kept)
    common = guards.commons(learnt.names, learnt.records)
    never = [
        bool(guards.forbids(rows[i], rows[j], m, common)) for i, j in zip(a.tolist(), b.tolist(), strict=True)
    ]
    chance = np.where(never, 0.0, learnt.model.chance(bits))
    t = np.unique(np.asarray(truth, dtype=str), return_inverse=True)[1]
    same = t[a] == t[b]
    bins = np.minimum((chance * 10).astype(int), 9)
    return float(
        sum(
            abs(chance[bins == k].mean() - same[bins == k].mean()) * (bins == k).mean()
            for k in np.unique(bins)
        )
    )


def blocking(table: Path, ident: str, map_name: str, truth: Sequence[Any]) -> tuple[float, float]:
    """Return the share of true pairs that are compared at all, and how many pairs are for each record."""
    _, rows = read.read(table, ident, read_map(MAPS / map_name, columns(table)))
    left, right = block.pairs(block.keyed(rows), len(rows))
    t = np.unique(np.asarray(truth, dtype=str), return_inverse=True)[1]
    return int((t[left] == t[right]).sum()) / max(pairs_in(t), 1), len(left) / len(rows)


def run(
    name: str, table: Path, ident: str, map_name: str, truth: dict[Any, Any] | None, goal: tuple[float, float]
) -> dict[Any, str]:
    """Link a table with the command and print how it did; `goal` is the F1 and precision asked (0: none)."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.parquet"
        wall, busy, mb, _ = command(
            str(table), "--id", ident, "--map", str(MAPS / map_name), "--out", str(out)
        )
        found = answer(out)
        true = [truth[i] for i in found] if truth else febrl(list(found))
        p, r, f = scores(list(found.values()), true)
        f1, precision = goal
        asked = f"F1 {f1}" + (f" at precision {precision}" if precision else "") if f1 else ""
        line(f"{name}: F1", f"{f:.4f}, precision {p:.4f}, recall {r:.4f}", asked,
             (f >= f1 and p >= precision) if f1 else None)  # fmt: skip
        line(f"{name}: time", f"{busy:.0f} s of processor, {wall:.0f} s on the wall", "60 s", busy <= 60)
        line(f"{name}: memory", f"{mb / 1000:.2f} GB", "1.5 GB", mb <= 1500)
        met, each = blocking(table, ident, map_name, true)
        line(f"{name}: true pairs compared", f"{met:.4f} at {each:.1f} pairs a record", ".95 at 60 pairs",
             met >= 0.95 and each <= 60)  # fmt: skip
        error = calibration(out, true)
        line(f"{name}: calibration error", f"{error:.4f}", "0.01", error <= 0.01)
        return found


def main(wanted: Sequence[str]) -> int:
    """Measure what was asked for, or everything."""
    if not DATA.is_dir():
        print(f"There are no tables at {DATA}: nothing measured. Set COUNTERFOIL_DATA.")
        return 1
    every = not wanted
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if every or "historical" in wanted:
            table = DATA / "historical_50k_half.parquet"
            truth = column(table, "unique_id", "cluster")
            run("historical_50k, half", table, "unique_id", "historical_50k.toml", truth, (0.90, 0.97))
        if every or "febrl3" in wanted:
            run("FEBRL 3", DATA / "dataset3.csv", "rec_id", "febrl.toml", None, (0.997, 0))
        if every or "febrl4" in wanted:
            both = folder / "dataset4.csv"
            files = f"['{DATA / 'dataset4a.csv'}', '{DATA / 'dataset4b.csv'}']"
            duckdb.connect().execute(f"COPY (FROM read_csv({files}, all_varchar = true)) TO '{both}'")
            run("FEBRL 4", both, "rec_id", "febrl.toml", None, (0.997, 0))
        if every or "fake" in wanted:
            table = DATA / "fake_1000.csv"
            run("fake_1000", table, "unique_id", "fake.toml", column(table, "unique_id", "cluster"), (0, 0))
        if every or "contacts" in wanted:
            rows, guarded = contacts.make(14_000, seed=11)
            contacts.write(rows, folder / "contacts.csv")
            people = {r["id"]: r["truth"] for r in rows}
            found = run(
                "contacts with police", folder / "contacts.csv", "id", "contacts.toml", people, (0, 0)
            )
            false = sum(found[a] == found[b] for a, b in guarded)
            line("contacts with police: guarded pairs joined falsely", f"{false} of {len(guarded):,}", "0 in 100,000",
                 false == 0)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
