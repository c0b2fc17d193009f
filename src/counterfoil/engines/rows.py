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
MONTH = re.compile(r"(\d{4})-?(\d{2})")
# Tried in this order on text that DuckDB does not take for a time by itself; day before month, as Britain writes it.
FORMATS = (
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p",
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """Rows whose wanted columns are all there.

    `minutes` are whole minutes since 1970-01-01 00:00 as written (no zone is assumed); `finest` says how fine the times
    are: `minute`, `day` or `month`. `left_out` counts the rows of the file that lacked a wanted value.
    """

    minutes: NDArray[np.int64]
    finest: str
    numbers: dict[str, Floats] = field(default_factory=dict)
    left_out: int = 0


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
    where: str = "",
    memory: str = "1GB",
) -> Rows:
    """Return the rows of a file that have a time and every number asked for.

    `where` is a condition in SQL on the file's columns. Raises BadInput when a column is missing, the condition is
    wrong or no row is left.
    """
    with duckdb.connect(config={"memory_limit": memory, "preserve_insertion_order": True}) as db:
        source = table(path)
        known = columns(db, source)
        when = pick(known, time, "--time")
        wanted_numbers = {n: pick(known, n, "--x or --y") for n in numbers}
        at, finest_of = moment(known[when], quoted(when))
        parts = [f"epoch_us({at}) // 60000000 AS t", f"{finest_of} AS f"]
        parts += [f"TRY_CAST({quoted(c)} AS DOUBLE) AS n{i}" for i, c in enumerate(wanted_numbers.values())]
        condition = f" WHERE ({where})" if where else ""
        try:
            got = db.execute(f"SELECT {', '.join(parts)} FROM {source}{condition}").fetchnumpy()  # noqa: S608
        except duckdb.Error as e:
            raise BadInput(
                "--where", f"The file could not be asked that: {str(e).splitlines()[0][:300]}"
            ) from None
    total = len(got["t"])
    good = ~_missing(got["t"])
    for i in range(len(wanted_numbers)):
        good &= ~_missing(got[f"n{i}"])
    if not good.any():
        raise BadInput("--time", f"No row has all of what is asked for (a time in {when!r} among it).")
    grain = np.ma.getdata(got["f"])[good].max()
    return Rows(
        minutes=np.ma.getdata(got["t"])[good].astype(np.int64),
        finest={0: "month", 1: "day", 2: "minute"}[int(grain)],
        numbers={
            n: np.ma.getdata(got[f"n{i}"])[good].astype(np.float64) for i, n in enumerate(wanted_numbers)
        },
        left_out=int(total - good.sum()),
    )


def _missing(values: Any) -> NDArray[np.bool_]:
    found = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    if data.dtype.kind == "f":
        return np.asarray(found | ~np.isfinite(data))
    if data.dtype == object:
        return np.asarray(found | np.array([v is None for v in data], dtype=bool))
    return np.asarray(found)


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


__all__ = ["Rows", "columns", "minute_of", "moment", "pick", "quoted", "read", "table"]
