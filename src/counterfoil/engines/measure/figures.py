"""Count published rows with DuckDB: by month, type and area, and follow crimes to their outcomes.

Every function takes the Parquet files to count over, so a figure rests on exactly the files it names, and gives
whole numbers only; nothing is divided here. What many pages need is remembered (see `memory`) by the names of the
files, which are their content's digests, so a remembered figure cannot be stale.

>>> counts(())
()
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from counterfoil.engines.measure import memory
from counterfoil.engines.rows import quiet

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
    cursor = _database().cursor()
    quiet(cursor)
    return cursor


Run = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
_RUN: ContextVar[Run | None] = ContextVar("run", default=None)


@contextmanager
def elsewhere(run: Run) -> Iterator[None]:
    """Let another engine work out every figure asked for meanwhile, from the rows: nothing remembered is used."""
    token = _RUN.set(run)
    forget()
    try:
        yield
    finally:
        _RUN.reset(token)
        forget()


def forget() -> None:
    """Forget what this process remembers of figures."""
    for remembered in (_kept, followed, areas, _repeats):
        remembered.cache_clear()


def on_duckdb(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a query, worked out by this process's DuckDB."""
    cursor = _cursor()
    try:
        return cursor.execute(sql, list(values)).fetchall()
    finally:
        cursor.close()


def _all(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    run = _RUN.get()
    # What is written into the folder of figures is DuckDB's own.
    return on_duckdb(sql, values) if run is None or sql.lstrip().startswith("COPY") else run(sql, values)


@dataclass(frozen=True)
class Part:
    """The rows of one force and some months in a table of many; all of its rows when no force is named."""

    path: str
    force: str = ""
    months: tuple[str, ...] = ()


Parts = tuple[Part, ...]


def parts(*paths: str) -> Parts:
    """Return whole tables as parts."""
    return tuple(Part(path) for path in paths)


def _key(found: Parts) -> list[Any]:
    """Return what names these parts wherever the folder lies: their files are named by content."""
    return [[Path(p.path).name, p.force, list(p.months)] for p in found]


def _remembered(name: str, found: Parts, args: list[Any], work_out: Callable[[], list[Any]]) -> list[Any]:
    if _RUN.get() is not None:
        return work_out()
    folder = Path(found[0].path).parent.parent / "figures"
    return memory.remember(folder, [name, _key(found), args], work_out)


def _from(parts: Parts, columns: str) -> tuple[str, list[Any]]:
    """Return SQL that gives these columns of exactly these parts, in brackets, and the values it takes."""
    whole = [p.path for p in parts if not p.force]
    sql: list[str] = []
    values: list[Any] = []
    if whole:
        sql.append(f"SELECT {columns} FROM read_parquet(?)")  # noqa: S608  (columns are our own words)
        values.append(whole)
    for p in parts:
        if p.force:
            sql.append(f"SELECT {columns} FROM read_parquet(?) WHERE force = ? AND list_contains(?, month)")  # noqa: S608
            values += [p.path, p.force, list(p.months)]
    return "(" + " UNION ALL ".join(sql) + ")", values


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
    """Where a published row is: its file, its number there, its first byte and how many it takes; or its cell."""

    file: str
    row: int
    offset: int
    length: int
    sheet: str = ""
    cell: str = ""


@dataclass(frozen=True)
class Slice:
    """Which rows a figure counts: months from and to (both counted), a published type or all, an area or any."""

    first: str
    last: str
    crime_type: str = ALL
    area: str = ""


@lru_cache(maxsize=4096)
def _kept(path: str, column: str) -> dict[str, tuple[tuple[str, str, int], ...]]:
    """Return (month, type, rows) of one table by force, remembered; the force is blank in a table of one force."""
    found = _remembered(
        column,
        (Part(path),),
        [],
        lambda: _all(
            f"""SELECT {"force" if _many(path) else "''"}, month, {column}, count(*)
                FROM read_parquet(?) GROUP BY ALL ORDER BY ALL""",  # noqa: S608
            [path],
        ),
    )
    return {f: tuple((str(m), str(t), int(n)) for m, t, n in rows) for f, rows in _by_force(found).items()}


@lru_cache(maxsize=4096)
def _many(path: str) -> bool:
    """Say whether a table holds many forces."""
    return "force" in pq.read_schema(path).names


@lru_cache(maxsize=1024)
def _counts(found: Parts, column: str) -> tuple[tuple[str, str, int], ...]:
    sums: dict[tuple[str, str], int] = {}
    for p in found:
        for month, kind, n in _kept(p.path, column).get(p.force, ()):
            if not p.force or month in p.months:
                sums[month, kind] = sums.get((month, kind), 0) + n
    return tuple((month, kind, n) for (month, kind), n in sorted(sums.items()))


def counts(street: Parts) -> tuple[tuple[str, str, int], ...]:
    """Return (month, published crime type, rows) over street files."""
    return _counts(street, "crime_type")


def outcome_counts(outcomes: Parts) -> tuple[tuple[str, str, int], ...]:
    """Return (month, published outcome wording, rows) over outcome files."""
    return _counts(outcomes, "outcome_type")


_FOLLOWED = """
    WITH ended AS (
        SELECT {force}, crime_id,
               max(CASE WHEN list_contains(?, outcome_type) THEN month END) AS charged_until,
               max(CASE WHEN list_contains(?, outcome_type) THEN month END) AS other_until,
               max(month) AS any_until
        FROM {outcomes} WHERE crime_id IS NOT NULL GROUP BY ALL)
    SELECT {group}s.month, s.crime_type,
           count(s.crime_id),
           count(*) FILTER (ended.charged_until >= s.month),
           count(*) FILTER (ended.other_until >= s.month AND coalesce(ended.charged_until, '') < s.month),
           count(*) FILTER (ended.any_until >= s.month),
           count(*) - count(s.crime_id)
    FROM {street} s LEFT JOIN ended ON ended.crime_id = s.crime_id {also}
    GROUP BY ALL ORDER BY ALL
"""


@lru_cache(maxsize=512)
def followed(
    street: Parts,
    outcomes: Parts,
    charged: tuple[str, ...],
    other_case: tuple[str, ...],
) -> tuple[Followed, ...]:
    """Follow each published crime to the outcomes of its force, by month recorded and type.

    A crime is a street row with an identifier. It counts as charged when an outcome row of the same identifier
    has one of the `charged` wordings and is dated the same month or later; `other_case` likewise, unless charged.
    """
    if not street or not outcomes:
        return ()

    def work_out() -> list[Any]:
        rows, values = _from(street, "month, crime_type, crime_id")
        ended, more = _from(outcomes, "month, outcome_type, crime_id")
        sql = _FOLLOWED.format(force="1", outcomes=ended, group="", street=rows, also="")
        return _all(sql, [list(charged), list(other_case), *more, *values])

    what = _followed_key(outcomes, charged, other_case)
    found = _remembered("followed", street, what, work_out)
    return tuple(Followed(str(r[0]), str(r[1]), *(int(n) for n in r[2:])) for r in found)


def _followed_key(outcomes: Parts, charged: tuple[str, ...], other_case: tuple[str, ...]) -> list[Any]:
    return [_key(outcomes), list(charged), list(other_case)]


def prime(
    pairs: Sequence[tuple[Parts, Parts]], charged: tuple[str, ...], other_case: tuple[str, ...]
) -> None:
    """Remember what pages need of many forces of the same tables at once: one pass instead of one a force.

    Each pair is one force's street and outcome parts; all are of one street table and one outcome table of many forces.
    """
    if not pairs:
        return
    street, outcomes = pairs[0][0][0].path, pairs[0][1][0].path
    sql = _FOLLOWED.format(
        force="force",
        outcomes="read_parquet(?)",
        group="s.force, ",
        street="read_parquet(?)",
        also="AND ended.force = s.force",
    )
    followed = _by_force(_all(sql, [list(charged), list(other_case), outcomes, street]))
    repeats = _by_force(_all(_REPEATS.format(rows="read_parquet(?)"), [street, street]))
    folder = Path(street).parent.parent / "figures"
    for s, o in pairs:
        key = _followed_key(o, charged, other_case)
        memory.store(folder, ["followed", _key(s), key], followed.get(s[0].force, []))
        memory.store(folder, ["repeats", _key(s), []], repeats.get(s[0].force, []))


def _by_force(rows: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for force, *row in rows:
        found.setdefault(str(force), []).append(row)
    return found


def prepare(path: str, kind: str) -> None:
    """Remember the sums of one table that pages need, so that the first page need not wait for them."""
    if kind == "street":
        _kept(path, "crime_type")
        _areas_of(path)
    elif kind == "outcomes":
        _kept(path, "outcome_type")


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


def _areas_of(path: str) -> str:
    """Return a Parquet file of one table's rows by force, month, type and small area; written when not there."""
    target = Path(path).parent.parent / "figures" / f"{memory.name_of(['areas', Path(path).name])}.parquet"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = target.with_name(f".{os.getpid()}.{os.urandom(4).hex()}")
        try:
            _all(
                f"""COPY (SELECT {"force" if _many(path) else "''"} AS force, month, crime_type, lsoa_code,
                              min(lsoa_name) AS lsoa_name, count(*) AS n, count(lon_e6) AS placed,
                              sum(lon_e6)::BIGINT AS lon, sum(lat_e6)::BIGINT AS lat
                       FROM read_parquet(?) GROUP BY ALL ORDER BY 1, 2, 3, 4)
                    TO '{str(temporary).replace("'", "''")}' (FORMAT parquet, COMPRESSION zstd)""",  # noqa: S608
                [path],
            )
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    return str(target)


@lru_cache(maxsize=512)
def areas(street: Parts, part: Slice) -> tuple[AreaCount, ...]:
    """Return rows by small area, most first; rows without an area come as the code `none`."""
    if not street:
        return ()
    where, values = _where(part)
    kept = tuple(Part(_areas_of(p.path), p.force, p.months) for p in street)
    rows, more = _from(kept, "month, crime_type, lsoa_code, lsoa_name, n, placed, lon, lat")
    found = _all(
        f"""
        SELECT coalesce(lsoa_code, 'none'), coalesce(min(lsoa_name), ''), sum(n) AS n,
               sum(lon) // nullif(sum(placed), 0), sum(lat) // nullif(sum(placed), 0)
        FROM {rows} WHERE {where} GROUP BY lsoa_code ORDER BY n DESC, 1
        """,  # noqa: S608
        [*more, *values],
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


_REPEATS = """
    WITH twice AS (SELECT force, crime_id, row_number() OVER (ORDER BY force, crime_id) AS id FROM {rows}
                   WHERE crime_id IS NOT NULL GROUP BY force, crime_id HAVING count(*) > 1)
    SELECT force, id, month, crime_type, lsoa_code FROM {rows} JOIN twice USING (force, crime_id) ORDER BY ALL
"""


@lru_cache(maxsize=512)
def _repeats(street: Parts) -> tuple[tuple[int, str, str, str | None], ...]:
    """Return (number of the identifier, month, type, area) of each row whose identifier other rows carry too."""

    def work_out() -> list[Any]:
        rows, values = _from(street, "'' AS force, month, crime_type, lsoa_code, crime_id")
        return [row[1:] for row in _all(_REPEATS.format(rows=rows), [*values, *values])]

    return tuple((i, m, t, a) for i, m, t, a in _remembered("repeats", street, [], work_out))


def repeated(street: Parts, part: Slice) -> int:
    """Return how many rows carry a crime identifier that another counted row carries too."""
    if not street:
        return 0
    found: dict[int, int] = {}
    for id, month, kind, area in _repeats(street):
        if (
            part.first <= month <= part.last
            and part.crime_type in (ALL, kind)
            and (not part.area or part.area == (area or "none"))
        ):
            found[id] = found.get(id, 0) + 1
    return sum(n for n in found.values() if n > 1)


def _places(sql: str, values: list[Any]) -> list[Place]:
    return [Place(str(f), int(r), int(o), int(n)) for f, r, o, n in _all(sql, values)]


_AT = 'file, row, "offset", length'


def rows(street: Parts, part: Slice, *, skip: int, take: int) -> list[Place]:
    """Return a page of the street rows that a count rests on, in the order of month, file and row."""
    if not street:
        return []
    where, values = _where(part)
    source, more = _from(street, f"{_AT}, month, crime_type, lsoa_code")
    return _places(
        f"SELECT {_AT} FROM {source} WHERE {where} ORDER BY month, file, row LIMIT ? OFFSET ?",  # noqa: S608
        [*more, *values, take, skip],
    )


def crimes_with_ids(
    street: Parts, part: Slice, without: tuple[str, ...], *, skip: int, take: int
) -> list[Place]:
    """Return a page of the crimes a share is divided by: rows with an identifier, `without` types left out."""
    if not street:
        return []
    where, values = _where(part)
    source, more = _from(street, f"{_AT}, month, crime_type, lsoa_code, crime_id")
    return _places(
        f"""SELECT {_AT} FROM {source}
            WHERE {where} AND crime_id IS NOT NULL AND NOT list_contains(?, crime_type)
            ORDER BY month, file, row LIMIT ? OFFSET ?""",  # noqa: S608
        [*more, *values, list(without), take, skip],
    )


def charged_rows(
    street: Parts,
    outcomes: Parts,
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
    source, more = _from(street, f"{_AT}, month, crime_type, lsoa_code, crime_id")
    ended, last = _from(outcomes, f"{_AT}, month, outcome_type, crime_id")
    found = _all(
        f"""
        SELECT s.file, s.row, s."offset", s.length, min((o.month, o.file, o.row, o."offset", o.length))
        FROM {source} s JOIN {ended} o
          ON o.crime_id = s.crime_id AND o.month >= s.month AND list_contains(?, o.outcome_type)
        WHERE {where} AND NOT list_contains(?, s.crime_type)
        GROUP BY s.month, s.file, s.row, s."offset", s.length
        ORDER BY s.month, s.file, s.row LIMIT ? OFFSET ?
        """,  # noqa: S608
        [*more, *last, list(charged), *values, list(without), take, skip],
    )
    pairs = []
    for file, row, offset, length, first in found:
        _, ofile, orow, ooffset, olength = first.values() if isinstance(first, dict) else first
        pairs.append((Place(file, row, offset, length), Place(ofile, orow, ooffset, olength)))
    return pairs


def outcome_rows(
    outcomes: Parts, wordings: tuple[str, ...], first: str, last: str, *, skip: int, take: int
) -> list[Place]:
    """Return a page of outcome rows dated between two months; with `wordings`, only those so worded."""
    if not outcomes:
        return []
    only = "AND list_contains(?, outcome_type)" if wordings else ""
    source, more = _from(outcomes, f"{_AT}, month, outcome_type")
    return _places(
        f"""SELECT {_AT} FROM {source} WHERE month BETWEEN ? AND ? {only}
            ORDER BY month, file, row LIMIT ? OFFSET ?""",  # noqa: S608
        [*more, first, last, *([list(wordings)] if wordings else []), take, skip],
    )
