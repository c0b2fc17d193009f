"""Apache Spark as a second engine: the same SQL, written once for DuckDB, run where a table outgrows one machine.

`run` takes what `duckdb.execute` takes and gives the same rows: sqlglot writes the query in Spark's words, values are
put in as literals, and `read_parquet` becomes Spark's own reading. Needs `pip install counterfoil[spark]` and Java 17.

>>> translated("SELECT count(*) FILTER (list_contains(?, a)) FROM t", [["x", "it's"]])
"SELECT COUNT(*) FILTER(WHERE ARRAY_CONTAINS(ARRAY('x', 'it\\\\'s'), a)) FROM t"
"""

import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sqlglot
from pyarrow import csv
from pyarrow import parquet as pq
from sqlglot import expressions as exp

from counterfoil.engines.errors import BadInput
from counterfoil.engines.rows import table


def lacking() -> str:
    """Return what is missing for Spark to run here, or nothing."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "PySpark is not installed: pip install counterfoil[spark]."
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        return "There is no Java: install a Java 17 runtime, or set JAVA_HOME."
    return ""


@cache
def session() -> Any:
    """Return this process's Spark session; BadInput when Spark cannot run here.

    Where it runs is COUNTERFOIL_SPARK (a master's address), what `spark-submit` says, or this machine's cores.
    """
    if lacks := lacking():
        raise BadInput("--engine", lacks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.appName("counterfoil")
        master = os.environ.get("COUNTERFOIL_SPARK", "")
        if master or "MASTER" not in os.environ:
            builder = builder.master(master or "local[*]")
        if not master:
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            builder = (
                builder.config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.sql.shuffle.partitions", "8")
                .config("spark.driver.memory", "3g")
            )
        made = (
            builder.config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.ansi.enabled", "true")
            .getOrCreate()
        )
        made.sparkContext.setLogLevel("ERROR")
        return made


def stop() -> None:
    """End this process's Spark session, if there is one."""
    if session.cache_info().currsize:
        session().stop()
        session.cache_clear()


@contextmanager
def quietly() -> Iterator[None]:
    """Keep PySpark's remarks about versions of pandas, which is not used, from whoever asked for an answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def translated(sql: str, values: Sequence[Any] = ()) -> str:
    """Return a query of DuckDB's, with its values, in the words of Spark."""
    waiting = iter(values)

    def put(found: re.Match[str]) -> str:
        # `force` is a column of ours that sqlglot takes for a word of its own.
        return _literal(next(waiting)) if found[0] == "?" else '"force"' if found[0] == "force" else found[0]

    text = re.sub(r"'[^']*'|\?|(?<![\w\".])force(?![\w\"])", put, sql)
    if next(waiting, None) is not None:
        raise ValueError("there are more values than question marks")
    tree = sqlglot.parse_one(text, read="duckdb")
    for read in list(tree.find_all(exp.ReadParquet)):
        read.replace(_files(read))
    return tree.sql(dialect="spark")


def _files(read: exp.Expression) -> exp.Expression:
    """Return the files that `read_parquet` names as what Spark reads."""
    first = read.expressions[0]
    names = [e.name for e in first.expressions] if isinstance(first, exp.Array) else [first.name]
    parts = [exp.select("*").from_(exp.table_(n, db="parquet", quoted=True)) for n in names]
    whole: exp.Expression = parts[0]
    for part in parts[1:]:
        whole = exp.union(whole, part, distinct=False)
    return exp.Subquery(this=whole)


def run(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a query of DuckDB's, worked out by Spark."""
    with quietly():
        return [tuple(row) for row in session().sql(translated(sql, values)).collect()]


def counted(path: Path, wanted: Sequence[str], folder: Path) -> Path:
    """Return a file, of the kind of `path`, that has the same rows in the columns wanted, which Spark has counted.

    Spark reads the table, however wide and long, and counts its rows by these columns; what comes back has a line for
    each, in order, as often as it was counted. So whatever counts events by place and time may go on from there.
    """
    with quietly():
        s = session()
        parquet = table(path).startswith("read_parquet")
        rows = s.read.parquet(str(path)) if parquet else s.read.option("header", True).csv(str(path))
        chosen = [f"`{c}`" for c in rows.columns if c in set(wanted)]
        found = rows.select(*chosen).groupBy(*chosen).count().toArrow()
    found = found.sort_by([(c, "ascending") for c in found.column_names[:-1]])
    often = np.repeat(np.arange(len(found)), found.column("count").to_numpy())
    whole = found.drop_columns(["count"]).take(pa.array(often))
    made = folder / ("counted.parquet" if parquet else "counted.csv")
    if parquet:
        pq.write_table(whole, made)
    else:
        csv.write_csv(whole, made)
    return made
