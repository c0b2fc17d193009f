"""Count published rows with DuckDB: by month, type and area, and follow crimes to their outcomes.

Every function takes the Parquet files to count over, so a figure rests on exactly the files it names, and gives
whole numbers only; nothing is divided here. Results are remembered by the names of the files, which are their
content's digests, so a remembered figure cannot be stale.

>>> counts(())
()
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import duckdb

ALL = "all"


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:",
        config={
            "threads": 2,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def _cursor() -> duckdb.DuckDBPyConnection:
    """Return a cursor of this process's in-memory database: one for each caller, never shared."""
    return _database().cursor()


def _all(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    cursor = _cursor()
    try:
        return cursor.execute(sql, list(values)).fetchall()
    finally:
        cursor.close()


@dataclass(frozen=True)
class Followed:
    """What became of the crimes that one force recorded in one month, of one type."""

    month: str
    crime_type: str
    crimes: int
    charged: int
    other_case: int
    any_outcome: int
    without_id: int


@dataclass(frozen=True)
class AreaCount:
    """Rows in one small area and the middle of their published map points, in millionths of a degree."""

    code: str
    name: str
    rows: int
    lon_e6: int | None
    lat_e6: int | None


@dataclass(frozen=True)
class Place:
    """Where one published row is: its file, its number there, the byte it begins at and how many it takes."""

    file: str
    row: int
    offset: int
    length: int


@dataclass(frozen=True)
class Slice:
    """Which rows a figure counts: months from and to (both counted), a published type or all, an area or any."""

    first: str
    last: str
    crime_type: str = ALL
    area: str = ""


@lru_cache(maxsize=512)
def counts(street: tuple[str, ...]) -> tuple[tuple[str, str, int], ...]:
    """Return (month, published crime type, rows) over street files."""
    if not street:
        return ()
    found = _all(
        "SELECT month, crime_type, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL", [list(street)]
    )
    return tuple((str(m), str(t), int(n)) for m, t, n in found)


@lru_cache(maxsize=512)
def outcome_counts(outcomes: tuple[str, ...]) -> tuple[tuple[str, str, int], ...]:
    """Return (month, published outcome wording, rows) over outcome files."""
    if not outcomes:
        return ()
    found = _all(
        "SELECT month, outcome_type, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL",
        [list(outcomes)],
    )
    return tuple((str(m), str(t), int(n)) for m, t, n in found)


_OUTCOMES_OF_A_CRIME = """
    SELECT crime_id,
           max(CASE WHEN list_contains(?, outcome_type) THEN month END) AS charged_until,
           max(CASE WHEN list_contains(?, outcome_type) THEN month END) AS other_until,
           max(month) AS any_until
    FROM read_parquet(?) WHERE crime_id IS NOT NULL GROUP BY crime_id
"""


@lru_cache(maxsize=512)
def followed(
    street: tuple[str, ...],
    outcomes: tuple[str, ...],
    charged: tuple[str, ...],
    other_case: tuple[str, ...],
) -> tuple[Followed, ...]:
    """Follow each published crime to the outcomes of its force, by month recorded and type.

    A crime is a street row with an identifier. It counts as charged when an outcome row of the same identifier
    has one of the `charged` wordings and is dated the same month or later; `other_case` likewise, unless charged.
    """
    if not street or not outcomes:
        return ()
    found = _all(
        f"""
        WITH ended AS ({_OUTCOMES_OF_A_CRIME})
        SELECT s.month, s.crime_type,
               count(s.crime_id),
               count(*) FILTER (ended.charged_until >= s.month),
               count(*) FILTER (ended.other_until >= s.month
                                AND coalesce(ended.charged_until, '') < s.month),
               count(*) FILTER (ended.any_until >= s.month),
               count(*) - count(s.crime_id)
        FROM read_parquet(?) s LEFT JOIN ended ON ended.crime_id = s.crime_id
        GROUP BY ALL ORDER BY ALL
        """,  # noqa: S608  (the only thing put in is the constant above)
        [list(charged), list(other_case), list(outcomes), list(street)],
    )
    return tuple(Followed(str(r[0]), str(r[1]), *(int(n) for n in r[2:])) for r in found)


def _where(part: Slice, prefix: str = "") -> tuple[str, list[str]]:
    sql, values = f"{prefix}month BETWEEN ? AND ?", [part.first, part.last]
    if part.crime_type != ALL:
        sql += f" AND {prefix}crime_type = ?"
        values.append(part.crime_type)
    if part.area == "none":
        sql += f" AND {prefix}lsoa_code IS NULL"
    elif part.area:
        sql += f" AND {prefix}lsoa_code = ?"
        values.append(part.area)
    return sql, values


@lru_cache(maxsize=512)
def areas(street: tuple[str, ...], part: Slice) -> tuple[AreaCount, ...]:
    """Return rows by small area, most first; rows without an area come as the code `none`."""
    if not street:
        return ()
    where, values = _where(part)
    found = _all(
        f"""
        SELECT coalesce(lsoa_code, 'none'), coalesce(min(lsoa_name), ''), count(*) AS n,
               sum(lon_e6) // count(lon_e6), sum(lat_e6) // count(lat_e6)
        FROM read_parquet(?) WHERE {where} GROUP BY lsoa_code ORDER BY n DESC, 1
        """,  # noqa: S608
        [list(street), *values],
    )
    return tuple(
        AreaCount(
            str(code),
            str(name),
            int(n),
            None if lon is None else int(lon),
            None if lat is None else int(lat),
        )
        for code, name, n, lon, lat in found
    )


@lru_cache(maxsize=512)
def repeated(street: tuple[str, ...], part: Slice) -> int:
    """Return how many rows carry a crime identifier that another counted row carries too."""
    if not street:
        return 0
    where, values = _where(part)
    found = _all(
        f"""SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM read_parquet(?)
            WHERE {where} AND crime_id IS NOT NULL GROUP BY crime_id HAVING count(*) > 1)""",  # noqa: S608
        [list(street), *values],
    )
    return int(found[0][0])


def rows(street: tuple[str, ...], part: Slice, *, skip: int, take: int) -> list[Place]:
    """Return a page of the street rows that a count rests on, in the order of month, file and row."""
    if not street:
        return []
    where, values = _where(part)
    found = _all(
        f"""SELECT file, row, "offset", length FROM read_parquet(?) WHERE {where}
            ORDER BY month, file, row LIMIT ? OFFSET ?""",  # noqa: S608
        [list(street), *values, take, skip],
    )
    return [Place(str(f), int(r), int(o), int(n)) for f, r, o, n in found]


def crimes_with_ids(
    street: tuple[str, ...], part: Slice, without: tuple[str, ...], *, skip: int, take: int
) -> list[Place]:
    """Return a page of the crimes a share is divided by: rows with an identifier, `without` types left out."""
    if not street:
        return []
    where, values = _where(part)
    found = _all(
        f"""SELECT file, row, "offset", length FROM read_parquet(?)
            WHERE {where} AND crime_id IS NOT NULL AND NOT list_contains(?, crime_type)
            ORDER BY month, file, row LIMIT ? OFFSET ?""",  # noqa: S608
        [list(street), *values, list(without), take, skip],
    )
    return [Place(str(f), int(r), int(o), int(n)) for f, r, o, n in found]


def charged_rows(
    street: tuple[str, ...],
    outcomes: tuple[str, ...],
    charged: tuple[str, ...],
    part: Slice,
    without: tuple[str, ...],
    *,
    skip: int,
    take: int,
) -> list[tuple[Place, Place]]:
    """Return a page of the crimes counted as charged, each with the first outcome row that says so."""
    if not street or not outcomes:
        return []
    where, values = _where(part, "s.")
    found = _all(
        f"""
        SELECT s.file, s.row, s."offset", s.length, min((o.month, o.file, o.row, o."offset", o.length))
        FROM read_parquet(?) s JOIN read_parquet(?) o
          ON o.crime_id = s.crime_id AND o.month >= s.month AND list_contains(?, o.outcome_type)
        WHERE {where} AND NOT list_contains(?, s.crime_type)
        GROUP BY s.month, s.file, s.row, s."offset", s.length
        ORDER BY s.month, s.file, s.row LIMIT ? OFFSET ?
        """,  # noqa: S608
        [list(street), list(outcomes), list(charged), *values, list(without), take, skip],
    )
    pairs = []
    for file, row, offset, length, first in found:
        _, ofile, orow, ooffset, olength = first.values() if isinstance(first, dict) else first
        pairs.append((Place(file, row, offset, length), Place(ofile, orow, ooffset, olength)))
    return pairs


def outcome_rows(
    outcomes: tuple[str, ...], wordings: tuple[str, ...], first: str, last: str, *, skip: int, take: int
) -> list[Place]:
    """Return a page of outcome rows dated between two months; with `wordings`, only those so worded."""
    if not outcomes:
        return []
    only = "AND list_contains(?, outcome_type)" if wordings else ""
    found = _all(
        f"""SELECT file, row, "offset", length FROM read_parquet(?) WHERE month BETWEEN ? AND ? {only}
            ORDER BY month, file, row LIMIT ? OFFSET ?""",  # noqa: S608
        [list(outcomes), first, last, *([list(wordings)] if wordings else []), take, skip],
    )
    return [Place(str(f), int(r), int(o), int(n)) for f, r, o, n in found]
