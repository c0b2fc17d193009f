"""Score `counterfoil link` on tables whose truth is known: precision, recall, F1, blocking, calibration, seconds, MB.

    python -m bench.linkage [historical febrl3 febrl4 fake | add [people] [once]]

The truth is read only to score. Tables not in the data folder (COUNTERFOIL_DATA) are said and passed over.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from counterfoil.engines.linkage import block, columns, read, read_map

MAPS = Path(__file__).resolve().parent / "maps"
DATA = (
    Path(os.environ.get("COUNTERFOIL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    / "splink_datasets"
)


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


def run(name: str, table: Path, ident: str, map_name: str, truth: dict[Any, Any] | None) -> None:
    """Link a table with the command, in a process of its own, and print how it did."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.parquet"
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "counterfoil.cli", "link", str(table), "--id", ident, "--map", str(MAPS / map_name),
             "--out", str(out)], check=True, capture_output=True, text=True,
        )  # fmt: skip
        took = time.perf_counter() - began
        mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        rows = duckdb.connect().execute(f"SELECT id, cluster FROM '{out}'").fetchall()
        ids, cluster = [r[0] for r in rows], [r[1] for r in rows]
        true = [truth[i] for i in ids] if truth else febrl(ids)
        p, r, f = scores(cluster, true)
        got = (
            duckdb.connect()
            .execute(f"SELECT a, b, w FROM '{out.with_suffix('')}.state/pairs-*.parquet'")
            .fetchnumpy()
        )
        t = np.unique(np.asarray(true, dtype=str), return_inverse=True)[1]
        same = t[got["a"]] == t[got["b"]]
        curve = json.loads((out.with_suffix(".state") / "learnt.json").read_text())["curve"]
        chance = np.interp(got["w"], [b for b, _ in curve], [c for _, c in curve])
        bins = np.minimum((chance * 10).astype(int), 9)
        ece = sum(
            abs(chance[bins == b].mean() - same[bins == b].mean()) * (bins == b).mean()
            for b in np.unique(bins)
        )
        print(
            f"{name}: precision {p:.4f} recall {r:.4f} F1 {f:.4f}; {took:.1f} s, {mb:.0f} MB at most so far"
        )
        met, for_each = blocking(table, ident, map_name, true)
        print(f"  blocking recall {met:.4f} at {for_each:.1f} pairs a record; calibration error {ece:.4f}")


def blocking(table: Path, ident: str, map_name: str, truth: Sequence[Any]) -> tuple[float, float]:
    """Return the share of true pairs that are compared at all, and how many pairs are for each record."""
    m = read_map(MAPS / map_name, columns(table))
    _, rows = read.read(table, ident, m)
    left, right = block.pairs(block.table(*block.keyed(rows), len(rows)), block.each(len(rows)))
    t = np.unique(np.asarray(truth, dtype=str), return_inverse=True)[1]
    return int((t[left] == t[right]).sum()) / max(pairs_in(t), 1), len(left) / len(rows)


def column(table: Path, ident: str, truth: str) -> dict[Any, Any]:
    """Return the truth by id."""
    return dict(duckdb.connect().execute(f'SELECT "{ident}", "{truth}" FROM \'{table}\'').fetchall())


def main(wanted: Sequence[str]) -> None:
    """Run what was asked for, or everything."""
    if wanted and wanted[0] == "add":
        top_up(int(wanted[1]) if len(wanted) > 1 else 20_000, again="once" not in wanted)
        return
    if not DATA.is_dir():
        print(f"There are no tables at {DATA}: nothing measured. Set COUNTERFOIL_DATA.")
        return
    every = not wanted
    if every or "historical" in wanted:
        table = DATA / "historical_50k_half.parquet"
        run(
            "historical_50k, half",
            table,
            "unique_id",
            "historical_50k.toml",
            column(table, "unique_id", "cluster"),
        )
    if every or "febrl3" in wanted:
        run("FEBRL 3", DATA / "dataset3.csv", "rec_id", "febrl.toml", None)
    if every or "febrl4" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            both = Path(folder) / "dataset4.csv"
            files = f"['{DATA / 'dataset4a.csv'}', '{DATA / 'dataset4b.csv'}']"
            duckdb.connect().execute(f"COPY (FROM read_csv({files}, all_varchar = true)) TO '{both}'")
            run("FEBRL 4", both, "rec_id", "febrl.toml", None)
    if every or "fake" in wanted:
        table = DATA / "fake_1000.csv"
        run("fake_1000", table, "unique_id", "fake.toml", column(table, "unique_id", "cluster"))


def command(*words: str) -> tuple[float, str]:
    """Run `counterfoil link` with these words; return seconds and what it said."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "counterfoil.cli", "link", *words], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began, done.stderr.strip()


def answer(out: Path) -> dict[Any, str]:
    """Return the clusters by id."""
    return dict(duckdb.connect().execute(f"SELECT id, cluster FROM '{out}'").fetchall())


def top_up(people: int, new: int = 10_000, again: bool = True) -> None:
    """Link invented contacts, add new ones, compare with a full run of all, take the addition back."""
    from bench.contacts import make, write

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, guarded = make(people, seed=11)
        truth = {r["id"]: r["truth"] for r in rows}
        for file, part in (("most", rows[:-new]), ("new", rows[-new:]), ("all", rows)):
            write(part, folder / f"{file}.csv")
        del rows
        out, full, how = (
            folder / "out.parquet",
            folder / "full.parquet",
            ("--id", "id", "--map", str(MAPS / "contacts.toml")),
        )
        took, said = command(str(folder / "most.csv"), *how, "--out", str(out))
        mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"full run of {len(truth) - new:,} contacts: {took:.1f} s, {mb:.0f} MB\n  {said.splitlines()[-1]}",
            flush=True,
        )
        before = answer(out)
        took, said = command(str(folder / "new.csv"), *how, "--out", str(out), "--add")
        print(f"{new:,} added: {took:.1f} s\n  {said.splitlines()[-1]}", flush=True)
        after = answer(out)
        p, r, f = scores(list(after.values()), [truth[i] for i in after])
        print(f"  precision {p:.4f} recall {r:.4f} F1 {f:.4f}")
        false = sum(after[a] == after[b] for a, b in guarded)
        print(f"  guarded pairs {len(guarded):,}, joined falsely {false}", flush=True)
        events = [json.loads(line) for line in out.with_suffix(".events.jsonl").read_text().splitlines()]
        moves = {(v, e["from"], e["to"]) for e in events if "to" in e for v in e["records"]}
        changed = {(v, before.get(v), c) for v, c in after.items() if before.get(v) != c}
        print(f"  identifiers changed without an event: {len(changed - moves)}", flush=True)
        if again:
            took, _ = command(str(folder / "all.csv"), *how, "--out", str(full))
            other = answer(full)
            p, r, _ = scores([after[i] for i in after], [other[i] for i in after])
            print(
                f"  full run of all: {took:.1f} s; pair agreement {1 / (1 / p + 1 / r - 1):.5f}", flush=True
            )
        took, _ = command("--out", str(out), "--undo", "last")
        print(f"taken back: {took:.1f} s; every identifier as before: {answer(out) == before}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
