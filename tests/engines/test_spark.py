"""Spark beside DuckDB: the same sums, the same pairs to the bit, the same places; one query's words for both."""

import os
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench.contacts import make, write
from bench.numbers_linkage import MAPS

from counterfoil.engines import spark
from counterfoil.engines.errors import BadInput
from counterfoil.engines.linkage import Store, block, columns, read, read_map
from counterfoil.engines.measure import figures

LACKS = spark.lacking()
needs_spark = pytest.mark.skipif(
    bool(LACKS) or os.environ.get("COUNTERFOIL_DEPTH") != "full",
    reason=f"Spark is NOT compared with DuckDB here: {LACKS or 'a minute of work: COUNTERFOIL_DEPTH=full'}",
)


@pytest.mark.parametrize(
    ("sql", "values", "words"),
    [
        ("SELECT a FROM t WHERE b = ?", ["it's ?"], "SELECT a FROM t WHERE b = 'it\\'s ?'"),
        ("SELECT sum(n) // count(n) FROM t", [], "SELECT SUM(n) DIV COUNT(n) FROM t"),
        ("SELECT force FROM t ORDER BY 1", [], "SELECT `force` FROM t ORDER BY 1 NULLS LAST"),
        ("FROM read_parquet(?) LIMIT ?", ["/a", 3], "SELECT * FROM (SELECT * FROM `parquet`.`/a`) LIMIT 3"),
    ],
)  # fmt: skip
def test_a_query_is_written_once_and_said_in_sparks_words(sql: str, values: list[Any], words: str) -> None:
    assert spark.translated(sql, values) == words


def test_values_that_no_question_mark_takes_are_an_error() -> None:
    with pytest.raises(ValueError, match="more values"):
        spark.translated("SELECT 1", ["x"])


def test_where_spark_is_missing_the_option_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "lacking", lambda: "There is no Java: install it.")
    spark.session.cache_clear()
    with pytest.raises(BadInput, match="There is no Java"):
        spark.run("SELECT 1")


def test_the_query_for_pairs_ranks_exactly_as_the_table_in_memory_does(tmp_path: Path) -> None:
    import duckdb
    import numpy as np

    rows, _ = make(150, seed=2)
    write(rows, tmp_path / "in.csv")
    _, shaped = read.read(
        tmp_path / "in.csv", "id", read_map(MAPS / "contacts.toml", columns(tmp_path / "in.csv"))
    )
    who, key = block.keyed(shaped)
    left, right = block.pairs((who, key), len(shaped))
    con = duckdb.connect()
    con.register("keys", pa.table({"key": key, "spot": who}))
    asked = con.sql(f"FROM ({block.rivals('keys', 'keys', len(shaped))}) ORDER BY a, b").fetchnumpy()
    assert np.array_equal(asked["a"], left)
    assert np.array_equal(asked["b"], right)


@pytest.fixture(scope="module")
def session() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spark.session()
        yield
        spark.stop()


def crimes(folder: Path, rows: int = 4000) -> tuple[str, str]:
    """Write invented crimes and outcomes of two forces as importers keep them; return both files."""
    rng = random.Random(7)
    months = [f"2021-{m:02}" for m in range(1, 13)]
    street = [
        {
            "force": rng.choice(("avon", "kent")), "month": rng.choice(months),
            "crime_id": f"c{i}" if rng.random() < 0.9 else None,
            "crime_type": rng.choice(("Burglary", "Robbery", "Drugs")), "lsoa_code": rng.choice(("E1", "E2", None)),
            "lsoa_name": "x", "lon_e6": rng.randrange(10**6), "lat_e6": rng.randrange(10**6),
        }
        for i in range(rows)
    ]  # fmt: skip
    ended = [
        {"force": s["force"], "month": rng.choice(months), "crime_id": s["crime_id"],
         "outcome_type": rng.choice(("Charged", "No suspect"))}
        for s in street if s["crime_id"] and rng.random() < 0.7
    ]  # fmt: skip
    for name, table in (("street", street), ("outcomes", ended)):
        (folder / "tables").mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(table), folder / "tables" / f"{name}.parquet")
    return str(folder / "tables" / "street.parquet"), str(folder / "tables" / "outcomes.parquet")


def figures_of(street: str, outcomes: str) -> list[Any]:
    """Return counts, outcomes, areas and what became of crimes: of the whole table and of one force."""
    months = tuple(f"2021-{m:02}" for m in range(3, 9))
    found: list[Any] = []
    for s, o in (
        (figures.parts(street), figures.parts(outcomes)),
        ((figures.Part(street, "kent", months),), (figures.Part(outcomes, "kent", months),)),
    ):
        found += [
            figures.counts(s),
            figures.outcome_counts(o),
            figures.followed(s, o, ("Charged",), ("No suspect",)),
        ]
        found += [
            figures.areas(s, figures.Slice("2021-03", "2021-08")),
            figures.repeated(s, figures.Slice("2021-01", "2021-12")),
        ]
    return found


@needs_spark
@pytest.mark.usefixtures("session")
def test_counts_and_rates_of_published_crime_are_the_same_numbers(tmp_path: Path) -> None:
    street, outcomes = crimes(tmp_path)
    here = figures_of(street, outcomes)
    asked: list[str] = []

    def run(sql: str, values: Any) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return spark.run(sql, values)

    with figures.elsewhere(run):
        there = figures_of(street, outcomes)
    assert there == here
    assert len(asked) >= 6


@needs_spark
@pytest.mark.usefixtures("session")
def test_linkage_weighs_the_same_pairs_to_the_bit_and_can_be_added_to(tmp_path: Path) -> None:
    rows, _ = make(150, seed=4)
    write(rows[:-20], tmp_path / "in.csv")
    write(rows[-20:], tmp_path / "new.csv")
    m = read_map(MAPS / "contacts.toml", columns(tmp_path / "in.csv"))
    stores = [Store(tmp_path / f"{name}.parquet") for name in ("duckdb", "spark")]
    for store, on_spark in zip(stores, (False, True), strict=True):
        store.link(tmp_path / "in.csv", "id", m, on_spark=on_spark)
    one, other = (s.state / "pairs-00001.parquet" for s in stores)
    assert pq.read_table(one).equals(pq.read_table(other))
    for store in stores:
        store.add(tmp_path / "new.csv", "id")
    assert stores[0].out.read_bytes() == stores[1].out.read_bytes()


@needs_spark
@pytest.mark.usefixtures("session")
def test_hotspots_are_the_same_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from counterfoil.numbers import main

    street, _ = crimes(tmp_path)
    said = []
    words = [
        "hotspots",
        street,
        "--time",
        "month",
        "--area",
        "lsoa_code",
        "--where",
        "crime_type = 'Robbery'",
    ]
    words += ["--train-until", "2021-10", "--test-until", "2022-01", "--share", "0.5", "--model", "baseline"]
    for engine in ("duckdb", "spark"):
        assert main([*words, "--engine", engine]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
