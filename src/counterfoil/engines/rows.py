"""Read columns of somebody's CSV or Parquet file as arrays, with times understood and a plain sentence when not.

>>> import tempfile, pathlib
>>> file = pathlib.Path(tempfile.mkdtemp()) / "calls.csv"
>>> _ = file.write_text("when,x,y\\n2026-01-05 21:10,1,2\\n2026-01-06 08:00,3,4\\n")
>>> events = read(file, time="when", numbers=("x", "y"))
>>> events.minutes.tolist(), events.numbers["x"].tolist(), events.finest
([29460910, 29461560], [1.0, 3.0], 'minute')
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.errors import BadInput

Floats = NDArray[np.float64]
MOST_KINDS = 40
MONTH = re.compile(r"(\d{4})-?(\d{2})")
# Tried in this order on text that DuckDB does not take for a time by itself; day before month, as Britain writes it.
FORMATS = (
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p",
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """A column of texts as numbers: each row's `code`, and the `labels` that the codes stand for, in order."""

    code: NDArray[np.int64]
    labels: list[str]


@dataclass(frozen=True)
class Rows:
    """Rows whose wanted columns are all there, in the file's order.

    `minutes` are whole minutes since 1970-01-01 00:00 as written (no zone is assumed); `finest` says how fine the times
    are: `minute`, `day` or `month`. `left_out` counts the rows of the file that lacked a wanted value. `meets` says
    which fulfil the condition: all of them, unless those beside it were asked for, which then have `kinds`.
    """

    minutes: NDArray[np.int64]
    finest: str
    numbers: dict[str, Floats] = field(default_factory=dict)
    left_out: int = 0
    names: dict[str, Names] = field(default_factory=dict)
    meets: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    kinds: Names | None = None


def database(**config: Any) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB in memory; left alone it would draw a bar of progress into the answer on standard output."""
    db = duckdb.connect(config=config)
    quiet(db)
    return db


def quiet(db: duckdb.DuckDBPyConnection) -> None:
    """Keep a connection, or a cursor of one, from drawing progress."""
    db.execute("SET enable_progress_bar = false")


def quoted(name: str) -> str:
    """Return a column's name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def table(path: Path) -> str:
    """Return the SQL that reads a CSV (also gzipped), TSV or Parquet file; BadInput when it is none."""
    if not path.is_file():
        raise BadInput("IN", f"There is no file {path}. Check its name.")
    name = "'" + str(path).replace("'", "''") + "'"
    with path.open("rb") as f:
        if f.read(4) == b"PAR1":
            return f"read_parquet({name})"
    return f"read_csv({name}, sample_size=100000)"


def columns(db: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Return the columns of a table and their types; BadInput with DuckDB's own words when it cannot be read."""
    try:
        described = db.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608
    except duckdb.Error as e:
        raise BadInput(
            "IN", f"This file cannot be read as CSV or Parquet: {str(e).splitlines()[0][:300]}"
        ) from None
    return {str(row[0]): str(row[1]) for row in described}


def pick(known: dict[str, str], name: str, option: str) -> str:
    """Return a column's name as the file spells it; BadInput listing the columns when there is none."""
    found = {c.casefold(): c for c in known}.get(name.casefold())
    if found is None:
        raise BadInput(option, f"The file has no column {name!r}. Its columns are: {', '.join(known)}.")
    return found


def read(
    path: Path,
    *,
    time: str,
    numbers: Sequence[str] = (),
    names: Sequence[str] = (),
    maybe: Sequence[str] = (),
    where: str = "",
    beside: bool = False,
    memory: str = "1500MB",
) -> Rows:
    """Return the rows of a file that have a time and every number and name asked for; the file is read once.

    `where` is a condition in SQL on the file's columns; with `beside` rows that do not fulfil it come too, as kinds of
    report by a column of few values that the condition names, if it names one. Numbers in `maybe` may be missing (NaN).
    Raises BadInput when a column is missing, the condition is wrong or no row is left.
    """
    with database(memory_limit=memory, preserve_insertion_order=True) as db:
        source = table(path)
        known = columns(db, source)
        when = pick(known, time, "--time")
        at, fine = moment(known[when], quoted(when))
        kinds = _may_be_kinds(known, where, {time, *numbers, *names}) if beside else []
        parts = [f"epoch_us({at}) // 60000000 AS t", f"{fine} AS f"]
        parts.append(f"coalesce(({where}), false) AS m" if where else "true AS m")
        wanted = [pick(known, n, "--x or --y") for n in (*numbers, *maybe)]
        parts += [f"TRY_CAST({quoted(c)} AS DOUBLE) AS n{i}" for i, c in enumerate(wanted)]
        texts = [pick(known, n, "--area") for n in names] + kinds
        parts += [f"nullif(trim(CAST({quoted(c)} AS VARCHAR)), '') AS c{i}" for i, c in enumerate(texts)]
        left = "" if kinds else " WHERE m"
        try:
            asked_for = f"SELECT * FROM (SELECT {', '.join(parts)} FROM {source}){left}"  # noqa: S608
            db.execute(f"CREATE TEMP TABLE r AS {asked_for}")
        except duckdb.Error as e:
            raise BadInput(
                "--where", f"The file could not be asked that: {str(e).splitlines()[0][:300]}"
            ) from None
        chosen = next((i for i in range(len(names), len(texts)) if _distinct(db, i) <= MOST_KINDS), None)
        coded = [*range(len(names)), *([] if chosen is None else [chosen])]
        labels = {i: _labels(db, i) for i in coded}
        need = ["t IS NOT NULL", *(f"isfinite(n{i})" for i in range(len(numbers)))]
        need += [f"c{i} IS NOT NULL" for i in range(len(names))] + ([] if chosen is not None else ["m"])
        asked = ["t", "f", "m", *(f"n{i}" for i in range(len(wanted)))]
        asked += [f"CAST(coalesce(enum_code(TRY_CAST(c{i} AS e{i})), 0) AS BIGINT) AS c{i}" for i in coded]
        total = int((db.execute("SELECT count(*) FROM r WHERE m").fetchone() or (0,))[0])
        found = db.execute(f"SELECT {', '.join(asked)} FROM r WHERE {' AND '.join(need)}").fetchnumpy()  # noqa: S608
    got: dict[str, Any] = {
        name: np.ma.filled(values, np.nan) if name.startswith("n") else np.ma.getdata(values)
        for name, values in found.items()
    }
    if not len(got["t"]):
        raise BadInput("--time", f"No row has all of what is asked for (a time in {when!r} among it).")
    meets = got["m"].astype(bool)
    if not meets.any():
        raise BadInput("--where", "No row fulfils the condition.")
    named = {i: Names(got[f"c{i}"].astype(np.int64), labels[i]) for i in coded}
    return Rows(
        minutes=got["t"].astype(np.int64),
        finest={0: "month", 1: "day", 2: "minute"}[int(got["f"].max())],
        numbers={n: got[f"n{i}"].astype(np.float64) for i, n in enumerate((*numbers, *maybe))},
        left_out=total - int(meets.sum()),
        names={n: named[i] for i, n in enumerate(names)},
        meets=meets,
        kinds=None if chosen is None else named[chosen],
    )


def _may_be_kinds(known: dict[str, str], where: str, used: set[str]) -> list[str]:
    """Return the columns that a condition names and that could say of what kind a row is."""
    return [
        column
        for column, type_ in known.items()
        if column not in used
        and type_ in ("VARCHAR", "BIGINT", "INTEGER", "TINYINT", "SMALLINT")
        and re.search(rf"(?<!\w){re.escape(column)}(?!\w)", where, re.IGNORECASE)
    ]


def _distinct(db: duckdb.DuckDBPyConnection, i: int) -> int:
    return int((db.execute(f"SELECT count(DISTINCT c{i}) FROM r").fetchone() or (0,))[0])  # noqa: S608


def _labels(db: duckdb.DuckDBPyConnection, i: int) -> list[str]:
    """Return a column's distinct texts in order, and give the database a type for their numbers."""
    # Names become numbers in the database: a million texts are slow to carry over, a million numbers are not.
    db.execute(
        f"CREATE TYPE e{i} AS ENUM (SELECT DISTINCT c{i} FROM r WHERE c{i} IS NOT NULL ORDER BY 1)"  # noqa: S608
    )
    return [str(row[0]) for row in db.execute(f"SELECT unnest(enum_range(NULL::e{i}))").fetchall()]


def moment(kind: str, column: str) -> tuple[str, str]:
    """Return SQL for a column's moment, and for how fine it is: 0 a month, 1 a day, 2 a time of day."""
    if kind.startswith("TIMESTAMP"):
        at = f"CAST({column} AS TIMESTAMP)"
        return at, f"CASE WHEN {at} = date_trunc('day', {at}) THEN 1 ELSE 2 END"
    if kind == "DATE":
        return f"CAST({column} AS TIMESTAMP)", "1"
    text = f"trim(CAST({column} AS VARCHAR))"
    month = f"try_strptime(regexp_replace({text}, '^(\\d{{4}})-?(\\d{{2}})$', '\\1-\\2-01'), '%Y-%m-%d')"
    is_month = f"regexp_full_match({text}, '\\d{{4}}-?(0[1-9]|1[0-2])')"
    tried = ", ".join([f"TRY_CAST({text} AS TIMESTAMP)", *(f"try_strptime({text}, '{f}')" for f in FORMATS)])
    at = f"CASE WHEN {is_month} THEN {month} ELSE coalesce({tried}) END"
    fine = f"CASE WHEN {is_month} THEN 0 WHEN {at} = date_trunc('day', {at}) THEN 1 ELSE 2 END"
    return at, fine


def minute_of(text: str, option: str) -> int:
    """Return a moment given on the command line ("2017-03-01", "2022-03", "202203", "2017-03-01 06:00") in minutes."""
    month = MONTH.fullmatch(text.strip())
    plain = f"{month[1]}-{month[2]}-01" if month else text.strip()
    try:
        at = datetime.fromisoformat(plain)
    except ValueError:
        raise BadInput(
            option, f"{text!r} is no day. Write it as 2026-11-21, or 2026-11 for its first."
        ) from None
    return int(at.replace(tzinfo=UTC).timestamp() // 60)


__all__ = [
    "Names",
    "Rows",
    "columns",
    "database",
    "minute_of",
    "moment",
    "pick",
    "quiet",
    "quoted",
    "read",
    "table",
]
