"""Read a table and bring every value into the form in which it is compared."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from counterfoil.engines.errors import BadInput
from counterfoil.engines.linkage.compare import plain
from counterfoil.engines.linkage.maps import CODES, DATES, NUMBERS, WORDS, Map
from counterfoil.engines.rows import database, quoted, table

Row = dict[str, Any]
YES = frozenset(("1", "y", "yes", "true", "t"))
MONTHS = {
    m: i + 1
    for i, m in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    )
}


def source(path: Path) -> str:
    """Return the SQL that reads a table, a CSV as text: an identifier's or a telephone's leading noughts are kept."""
    return table(path).replace("sample_size=100000", "sample_size=100000, all_varchar=true")


def whole(ids: Any) -> Any:
    """Return ids that are all whole numbers as such, others as they are: 007 stays text.

    >>> whole(pa.array(["1", "20"])).type, whole(pa.array(["007", "20"])).type
    (DataType(int64), DataType(string))
    """
    if not pa.types.is_string(ids.type) or not all(
        re.fullmatch(r"0|-?[1-9]\d{0,17}", v) for v in ids.to_pylist() if v
    ):
        return ids
    return ids.cast(pa.int64())


def columns(path: Path) -> list[str]:
    """Return the names of a table's columns."""
    try:
        found = database().execute(f"DESCRIBE SELECT * FROM {source(path)}").fetchall()  # noqa: S608
        return [str(r[0]) for r in found]
    except duckdb.Error as e:
        raise BadInput("IN", f"{path} cannot be read as a table: {str(e).splitlines()[0]}") from None


def digits(text: str) -> str:
    """Return a date as eight digits, year first, or nothing when it is none.

    >>> digits("1846-05-09"), digits("9/5/1846"), digits("19560409"), digits("9 May 1846"), digits("May 1846")
    ('18460509', '18460509', '19560409', '18460509', '')
    """
    t = text.strip().lower()
    m = re.match(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)", t)
    if m:
        return "".join(m.groups())
    m = re.match(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})(?!\d)", t)
    if m:
        return f"{m[3]}{int(m[2]):02}{int(m[1]):02}"
    m = re.match(r"(\d{1,2})\w{0,2} ([a-z]{3})[a-z]* (\d{4})", t)
    if m and m[2] in MONTHS:
        return f"{m[3]}{MONTHS[m[2]]:02}{int(m[1]):02}"
    return ""


def code(role: str, text: str) -> str:
    """Return a code as it is compared: letters and digits; a telephone number by its last ten digits.

    >>> code("phone", "+44 7700 900123") == code("phone", "07700 900123"), code("postcode", "ST7 2SP")
    (True, 'st72sp')
    """
    if role == "email":
        return text.strip().lower()
    if role == "phone":
        return re.sub(r"\D", "", text)[-10:]
    return re.sub(r"[^a-z0-9]", "", text.lower())


def words(role: str, text: str) -> list[str]:
    """Return the words of a text: places and occupations keep theirs together, names and addresses are taken apart."""
    if role in {"name", "address", "text"}:
        return plain(text).split()
    return [p for p in (plain(part) for part in re.split(r"[|;,]", text)) if p]


def read(path: Path, ident: str, m: Map) -> tuple[Any, list[Row]]:
    """Return the ids (an Arrow column, as in the file) and the rows made comparable; BadInput when ids are unfit."""
    there = columns(path)
    if ident not in there:
        raise BadInput("--id", f"The file has no column {ident!r}. It has {', '.join(there)}.")
    wanted = [(role, c) for role, cs in m.roles.items() for c in cs if c in there]
    if not wanted:
        raise BadInput(
            "IN", f"None of the columns that are compared is in the file. It has {', '.join(there)}."
        )
    select = ", ".join(
        [
            f"{quoted(ident)} AS id",
            *(f"CAST({quoted(c)} AS VARCHAR) AS c{i}" for i, (_, c) in enumerate(wanted)),
        ]
    )
    try:
        got = database().sql(f"SELECT {select} FROM {source(path)}").to_arrow_table()  # noqa: S608
    except duckdb.Error as e:
        raise BadInput("IN", f"{path} cannot be read as a table: {str(e).splitlines()[0]}") from None
    ids = got.column("id").combine_chunks()
    ids = ids if source(path).startswith("read_parquet") else whole(ids)
    if ids.null_count:
        raise BadInput(
            "--id", f"{ids.null_count:,} rows have no {ident}. Every row needs an identifier of its own."
        )
    if len(ids.unique()) != len(ids):
        twice = len(ids) - len(ids.unique())
        raise BadInput(
            "--id",
            f"{ident} is not unique: {twice:,} rows repeat one. Every row needs an identifier of its own.",
        )
    if not len(ids):
        raise BadInput("IN", f"{path} has no rows.")
    values = [got.column(f"c{i}").to_pylist() for i in range(len(wanted))]
    return ids, shape([role for role, _ in wanted], values, len(ids))


def shape(roles: Sequence[str], values: Sequence[Sequence[str | None]], n: int) -> list[Row]:
    """Return rows by role from columns of text."""
    rows: list[Row] = [{} for _ in range(n)]
    for role, column in zip(roles, values, strict=True):
        cache: dict[str, Any] = {}  # equal texts share one value, which nobody changes
        for row, value in zip(rows, column, strict=True):
            if not value:
                continue
            made = cache.get(value)
            if made is None:
                made = cache[value] = _made(role, value)
            if not made:
                continue
            if role in WORDS:
                row[role] = sorted({*row[role], *made}) if role in row else made
            elif role in {"given", "family"}:
                row[role] = [*row[role], *made] if role in row else made
                row["name"] = sorted({*row.get("name", ()), *made})
            else:
                row.setdefault(role, made)
    for row in rows:
        if row.pop("refuge", ""):
            # A refuge is an address of many who are not one household: it is no evidence about anybody.
            for role in ("address", "postcode", "place", "region", "phone"):
                row.pop(role, None)
    return rows


def _made(role: str, value: str) -> Any:
    if role in WORDS:
        return sorted(set(words(role, value)))
    if role in {"given", "family"}:
        return plain(value).split()
    if role in DATES:
        return digits(value)
    if role in CODES:
        return code(role, value)
    if role in NUMBERS:
        return value.strip()
    if role == "refuge":
        return "1" if value.strip().lower() in YES else ""
    return plain(value)
