"""Add up the facts of published tables with a measure's own words of SQL, and lead a sum back to its rows.

>>> sums((), "true", "", "kind", "kind")
()
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from counterfoil.engines.measure.figures import _all, _remembered, parts


@dataclass(frozen=True)
class Sum:
    """What one measure adds up to for a place, period and kind.

    part and whole are None when no such row is published; `unknown` counts rows published as not known.
    """

    place: str
    place_name: str
    first: str
    last: str
    kind: str
    part: Decimal | None
    rows: int
    unknown: int
    whole: Decimal | None
    whole_rows: int
    whole_unknown: int
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class Spot:
    """Where one published number is: file, sheet and cell or row, first byte and how many, and the number as said."""

    file: str
    sheet: str
    cell: str
    row: int
    offset: int
    length: int
    said: str


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _plain(value: Decimal | None) -> Decimal | None:
    """Write a sum with no more digits than it needs."""
    if value is None:
        return None
    value = value.normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


_SUMS = """
    WITH counted AS (
        SELECT place, min(place_name) AS name, "first", "last", coalesce(({by}), '') AS k,
               CAST(sum(value) AS VARCHAR) AS part, count(*) AS n, count(*) - count(value) AS unknown,
               CAST(min(low) AS VARCHAR) AS low, CAST(max(high) AS VARCHAR) AS high
        FROM read_parquet(?) WHERE {counted} GROUP BY ALL),
    base AS (
        SELECT place, "first", "last", coalesce(({of_by}), '') AS k,
               CAST(sum(value) AS VARCHAR) AS whole, count(*) AS n, count(*) - count(value) AS unknown
        FROM read_parquet(?) WHERE {of} GROUP BY ALL)
    SELECT coalesce(c.place, b.place), c.name, coalesce(c."first", b."first"), coalesce(c."last", b."last"),
           coalesce(c.k, b.k), c.part, coalesce(c.n, 0), coalesce(c.unknown, 0),
           b.whole, coalesce(b.n, 0), coalesce(b.unknown, 0), c.low, c.high
    FROM counted c {join} JOIN base b
      ON b.place = c.place AND b."first" = c."first" AND b."last" = c."last" AND (b.k = c.k OR b.k = '*')
    ORDER BY 1, 3, 4, 5
"""


@lru_cache(maxsize=256)
def sums(paths: tuple[str, ...], counted: str, of: str, by: str, of_by: str) -> tuple[Sum, ...]:
    """Add up facts by place, period and kind: rows for which `counted` holds, and rows for which `of` holds.

    by and of_by are SQL for the kind of a row; `of_by` of `'*'` divides every kind by the same whole.
    """
    if not paths:
        return ()
    sql = _SUMS.format(
        by=by,
        counted=counted,
        of=of or "false",
        of_by=of_by,
        join="FULL" if of and of_by == by else "LEFT",
    )
    found = _remembered("sums", parts(*paths), [sql], lambda: _all(sql, [list(paths), list(paths)]))
    return tuple(
        Sum(
            str(place),
            str(name or ""),
            str(first),
            str(last),
            str(kind),
            _plain(_decimal(part)),
            int(n),
            int(unknown),
            _plain(_decimal(whole)),
            int(whole_n),
            int(whole_unknown),
            _decimal(low),
            _decimal(high),
        )
        for place, name, first, last, kind, part, n, unknown, whole, whole_n, whole_unknown, low, high in found
    )


@lru_cache(maxsize=4096)
def holds(path: str) -> frozenset[tuple[str, ...]]:
    """Return what a table says anything about: (what, place, first, last, kind, grp)."""
    sql = 'SELECT DISTINCT what, place, "first", "last", kind, grp FROM read_parquet(?) ORDER BY ALL'
    return frozenset(tuple(r) for r in _remembered("holds", parts(path), [], lambda: _all(sql, [[path]])))


def spots(
    paths: tuple[str, ...],
    condition: str,
    by: str,
    kind: str | None,
    place: str,
    periods: tuple[tuple[str, str], ...],
    *,
    skip: int,
    take: int,
) -> list[Spot]:
    """Return a page of the facts that sums rest on, by period, file, sheet and row; any kind for None."""
    if not paths or not periods:
        return []
    only = f"AND coalesce(({by}), '') = ?" if kind is not None else ""
    found = _all(
        f"""SELECT file, sheet, cell, row, "offset", length, said FROM read_parquet(?)
            WHERE ({condition}) AND place = ? AND list_contains(?, "first" || '_' || "last") {only}
            ORDER BY "first", file, sheet, row, cell LIMIT ? OFFSET ?""",  # noqa: S608  (a definition's own SQL)
        [
            list(paths),
            place,
            [f"{f}_{t}" for f, t in periods],
            *([kind] if kind is not None else []),
            take,
            skip,
        ],
    )
    return [Spot(str(f), str(s), str(c), int(r), int(o), int(n), str(t)) for f, s, c, r, o, n, t in found]
