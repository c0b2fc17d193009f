"""Counts by force and month as arrays, what each should hold, and where runs start and stop."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FLOOR = 0.05  # a force's month is never held to be surer than to 5 %


@dataclass(frozen=True)
class Cube:
    """Rows by force and month, and by a third thing where there is one."""

    forces: list[str]
    months: list[int]
    kinds: list[str]
    counts: Floats


def ask(db: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """Return every row of a query."""
    return list(db.execute(sql).fetchall())


def cube(rows: list[tuple[Any, ...]], months: list[int] | None = None) -> Cube:
    """Return rows of (force, month, count) or (force, month, kind, count) as a cube over every month of the span."""
    deep = bool(rows) and len(rows[0]) == 4
    forces = {f: i for i, f in enumerate(sorted({r[0] for r in rows}))}
    span = months or spanned(r[1] for r in rows)
    at = {m: i for i, m in enumerate(span)}
    kinds = {k: i for i, k in enumerate(sorted({r[2] for r in rows}))} if deep else {"": 0}
    counts = np.zeros((len(forces), len(span), len(kinds)))
    for row in rows:
        if row[1] in at:
            counts[forces[row[0]], at[row[1]], kinds[row[2]] if deep else 0] += row[-1]
    return Cube(list(forces), span, list(kinds), counts if deep else counts[:, :, 0])


def spanned(months: Iterable[int]) -> list[int]:
    """Return every month (or quarter, or year) from the first to the last, with those that nobody supplied."""
    known = sorted({m // 100 * 12 + m % 100 - 1 for m in months if m and 1 <= m % 100 <= 12})
    if not known:
        return []
    # Quarters and years have their own step; four of them are needed to tell a step from a gap.
    step = math.gcd(*np.diff(known).tolist()) if len(known) >= 4 else 1
    return [m // 12 * 100 + m % 12 + 1 for m in range(known[0], known[-1] + 1, step)]


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Return where each run of true values starts and stops."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def median(values: Floats, axis: int) -> Floats:
    """Return medians along an axis that pass over what is not finite; 0 where nothing is."""
    moved = np.moveaxis(values, axis, -1)
    found = np.zeros(moved.shape[:-1])
    for place in np.ndindex(*found.shape):
        good = moved[place][np.isfinite(moved[place])]
        found[place] = np.median(good) if len(good) else 0.0
    return found


def common(values: Floats) -> Floats:
    """Return what moved every force alike in each month, or nothing where there are fewer than four forces.

    Medians taken in turn over rows and columns (J. W. Tukey, Exploratory Data Analysis, 1977: median polish), so that
    a few bad cells move nothing.
    """
    row, column = np.zeros((values.shape[0], 1)), np.zeros((1, values.shape[1]))
    if values.shape[0] < 4:
        return column
    for _ in range(4):
        row += median(values - row - column, 1)[:, None]
        column += median(values - row - column, 0)[None, :]
    return column


def expected(counts: Floats, reach: int = 12) -> tuple[Floats, Floats, Floats]:
    """Return what each force and month should hold, how far it is from that (log ratio), and each force's spread.

    A month is judged by the force's own level in the months around it (`reach` on either side, itself left out) times
    what the month did elsewhere. The spread is the force's usual distance, half its own and half that of others.
    """
    with np.errstate(divide="ignore"):
        logs = np.where(counts > 0, np.log(np.maximum(counts, 1e-9)), np.nan)
    column = common(logs)
    own = logs - column
    level = np.zeros_like(own)
    for j in range(own.shape[1]):
        lo, hi = max(0, j - reach), min(own.shape[1], j + reach + 1)
        level[:, j] = median(np.delete(own[:, lo:hi], j - lo, axis=1), 1)
    away = own - level
    spread = 1.4826 * median(np.abs(away), 1)
    if len(spread) >= 4:  # a dozen months say little of a force's own noise; others' say the rest
        usual = max(float(np.median(spread)), FLOOR)
        spread = np.sqrt((np.minimum(spread, 3 * usual) ** 2 + usual**2) / 2)
    return np.exp(level + column), away, np.maximum(spread, FLOOR)
