"""Spark beside DuckDB: equal figures of data.police.uk, equal pairs of linkage, equal hotspots, and where to switch.

    python -m bench.numbers_spark

Needs `pip install counterfoil[spark]` and Java 17. Times are on the wall with Spark's session already up, on this
machine's cores; a straight line through three sizes says at how many rows the two would take equally long.
"""

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from bench.contacts import make, write
from bench.numbers import DATA
from bench.numbers_linkage import MAPS
from bench.numbers_linkage import line as print_line
from counterfoil.engines import spark
from counterfoil.engines.linkage import Store, columns, read_map
from counterfoil.engines.measure import figures
from counterfoil.numbers import main as run_command

POLICE = DATA / "police_uk"
MONTHS = (3, 6, 12)
PEOPLE = (200, 400, 800)


def line(what: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    """Print one line of the report."""
    print_line(what, figure, goal, met, topic="spark")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds a piece of work took, and what it gave."""
    began = time.monotonic()
    found = work()
    return time.monotonic() - began, found


def tables(folder: Path, months: int) -> tuple[str, str, int]:
    """Write the first months of the street and outcome tables as importers keep them; return both and the rows."""
    until = "202106" if months == 3 else "202109" if months == 6 else "202203"
    con, made, rows = duckdb.connect(), [], 0
    (folder / "tables").mkdir(exist_ok=True)
    more = {
        "street": "crime_type, lsoa_code, '' AS lsoa_name, lon_e6, lat_e6",
        "outcomes": "outcome_type, lsoa_code",
    }
    for name, wanted in more.items():
        made.append(str(folder / "tables" / f"{name}-{months}.parquet"))
        con.execute(
            f"""COPY (SELECT force_slug AS force, printf('%d-%02d', month // 100, month % 100) AS month,
                CAST(crime_key AS VARCHAR) AS crime_id, {wanted}
                FROM '{POLICE}/{name}_2021-03_2022-02.parquet' WHERE month < {until}) TO '{made[-1]}'"""
        )
        rows += pq.ParquetFile(made[-1]).metadata.num_rows
    return made[0], made[1], rows


def asked(street: str, outcomes: str) -> list[Any]:
    """Return rows by month and type, by month and outcome, and what became of every crime."""
    s, o = figures.parts(street), figures.parts(outcomes)
    charged = ("Suspect charged", "Suspect charged as part of another case")
    return [figures.counts(s), figures.outcome_counts(o), figures.followed(s, o, charged[:1], charged[1:])]


def crossing(n: list[int], here: list[float], there: list[float]) -> str:
    """Return where straight lines through both engines' times meet, in words."""
    (slope, level), (other_slope, other_level) = np.polyfit(n, here, 1), np.polyfit(n, there, 1)
    each = f"DuckDB {level:.1f} s + {slope * 1e6:.2f} s a million, "
    each += f"Spark {other_level:.1f} s + {other_slope * 1e6:.2f} s a million"
    if other_slope >= slope:
        return f"{each}: no crossing seen; on one machine Spark does not catch up, switch when a table does not fit it"
    at = (other_level - level) / (slope - other_slope)
    return f"{each}: they would meet at {at / 1e6:,.0f} million"


def measures(folder: Path) -> None:
    """Compare counts and rates of data.police.uk, and time both."""
    n, here, there, differ, compared = [], [], [], 0, 0
    for months in MONTHS:
        street, outcomes, rows = tables(folder, months)

        def work(street: str = street, outcomes: str = outcomes) -> list[Any]:
            with figures.elsewhere(figures.on_duckdb):
                return asked(street, outcomes)

        def work_there(street: str = street, outcomes: str = outcomes) -> list[Any]:
            with figures.elsewhere(spark.run):
                return asked(street, outcomes)

        seconds, one = timed(work)
        other_seconds, other = timed(work_there)
        n.append(rows)
        here.append(seconds)
        there.append(other_seconds)
        for a, b in zip(one, other, strict=True):
            compared += len(a)
            differ += len(set(a) ^ set(b))
        line(
            f"figures over {rows:,} rows", f"DuckDB {seconds:.1f} s, Spark {other_seconds:.1f} s on the wall"
        )
    line(
        "counts and rates of data.police.uk",
        f"{differ} of {compared:,} rows of figures differ",
        "0",
        differ == 0,
    )
    line("figures: where to switch", crossing(n, here, there))


def linkage(folder: Path) -> None:
    """Compare weighed pairs and clusters, and time both."""
    n, here, there, differ, pairs, clusters = [], [], [], 0, 0, True
    for people in PEOPLE:
        rows, _ = make(people, seed=people)
        write(rows, folder / f"{people}.csv")
        m = read_map(MAPS / "contacts.toml", columns(folder / f"{people}.csv"))
        found, seconds = [], []
        for engine in ("duckdb", "spark"):
            store = Store(folder / f"{engine}-{people}.parquet")
            began = time.monotonic()
            store.link(folder / f"{people}.csv", "id", m, on_spark=engine == "spark")
            took = time.monotonic() - began
            seconds.append(took)
            t = pq.read_table(store.state / "pairs-00001.parquet")
            found.append(set(zip(*(t.column(c).to_pylist() for c in ("a", "b", "w")), strict=True)))
            found.append(store.out.read_bytes())
        differ += len(found[0] ^ found[2])
        pairs += len(found[0])
        clusters &= found[1] == found[3]
        n.append(len(rows))
        here.append(seconds[0])
        there.append(seconds[1])
        line(
            f"linkage of {len(rows):,} records",
            f"DuckDB {seconds[0]:.1f} s, Spark {seconds[1]:.1f} s on the wall",
        )
    line("weighed pairs of linkage", f"{differ} of {pairs:,} differ", "1e-6", differ <= 1e-6 * pairs)
    line("answers of linkage", f"the same file: {clusters}", "True", clusters)
    line("linkage: where to switch", crossing(n, here, there))


def surfaces(folder: Path) -> None:
    """Compare the places chosen from counts of robbery, where Spark or DuckDB counted."""
    street = folder / "tables" / "street-12.parquet"
    words = [
        "hotspots",
        str(street),
        "--time",
        "month",
        "--area",
        "lsoa_code",
        "--where",
        "crime_type = 'Robbery'",
    ]
    words += ["--train-until", "2022-02", "--test-until", "2022-03", "--share", "0.01", "--model", "baseline"]
    said = []
    for engine in ("duckdb", "spark"):
        out = io.StringIO()
        chosen = folder / f"{engine}.csv"
        with contextlib.redirect_stdout(out):
            run_command([*words, "--engine", engine, "--out", str(chosen)])
        said.append((json.loads(out.getvalue()), sorted(chosen.read_text().splitlines())))
    same = said[0] == said[1]
    line(
        "places chosen and how they did",
        f"the same {len(said[0][1]) - 1:,} places, bounds and scores: {same}",
        "True",
        same,
    )


def main() -> int:
    """Compare and time, or say what is missing."""
    if not POLICE.is_dir():
        print(f"There are no tables at {POLICE}: nothing measured. Set COUNTERFOIL_DATA.")
        return 1
    if lacks := spark.lacking():
        print(f"Spark is not compared: {lacks}")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        took, _ = timed(spark.session)
        line("Spark's session", f"{took:.0f} s to start")
        measures(folder)
        surfaces(folder)
        linkage(folder)
        spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
