"""Count crimes by how many months later they were first charged: what a nowcast and a split of a change begin from.

>>> charged_at(())
()
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from counterfoil.engines.measure import memory
from counterfoil.engines.measure.figures import Part, Parts, _all, _key, _many

Row = tuple[str, str, str, int | None, bool, int]

_SQL = """
    WITH ended AS (
        SELECT force, crime_id, min(month) AS at FROM ({outcomes})
        WHERE crime_id IS NOT NULL AND list_contains(?, outcome_type) GROUP BY ALL),
    crimes AS (SELECT * FROM ({street}))
    SELECT c.force, c.crime_type, c.month,
           CASE WHEN e.at >= c.month THEN
               12 * (left(e.at, 4)::INT - left(c.month, 4)::INT)
               + right(e.at, 2)::INT - right(c.month, 2)::INT END AS age,
           c.crime_id IS NOT NULL AS followed, count(*)
    FROM crimes c LEFT JOIN ended e ON e.force = c.force AND e.crime_id = c.crime_id
    GROUP BY ALL ORDER BY ALL
"""


def charged_at(pairs: Sequence[tuple[str, Parts, Parts]], charged: tuple[str, ...] = ()) -> tuple[Row, ...]:
    """Return (force, type, month, months until first charged or None, can be followed, crimes) over many forces.

    pairs: a force with its street and its outcome parts. charged: the outcome wordings that count. A crime is a row;
    one without an identifier cannot be followed and has no age. Remembered by the names of the files.
    """
    kept = [(f, s, o) for f, s, o in pairs if s and o]
    if not kept:
        return ()
    what = ["charged_at", [[f, _key(s), _key(o)] for f, s, o in kept], list(charged)]
    folder = Path(kept[0][1][0].path).parent.parent / "figures"

    def work_out() -> list[Any]:
        street, values = _union([(f, p) for f, s, _ in kept for p in s], "crime_type, month, crime_id")
        ended, more = _union([(f, p) for f, _, o in kept for p in o], "outcome_type, month, crime_id")
        return _all(_SQL.format(street=street, outcomes=ended), [*more, list(charged), *values])

    found = memory.remember(folder, what, work_out)
    return tuple(
        (str(f), str(t), str(m), None if a is None else int(a), bool(w), int(n)) for f, t, m, a, w, n in found
    )


def _union(named: Sequence[tuple[str, Part]], columns: str) -> tuple[str, list[Any]]:
    """Return SQL over these parts with the force of each row, reading each table once, and the values it takes."""
    tables: dict[str, list[tuple[str, Part]]] = {}
    for force, part in named:
        tables.setdefault(part.path, []).append((force, part))
    sql, values = [], []
    for path, parts in tables.items():
        if _many(path):
            wanted = [f"{p.force}|{m}" for _, p in parts for m in p.months]
            sql.append(
                f"SELECT force, {columns} FROM read_parquet(?) WHERE list_contains(?, force || '|' || month)"  # noqa: S608
            )
            values += [path, wanted]
        else:
            sql.append(f"SELECT ?::VARCHAR AS force, {columns} FROM read_parquet(?)")  # noqa: S608  (our own words)
            values += [parts[0][0], path]
    return " UNION ALL ".join(sql), values
