"""Sudden lasting shifts in a force's mix: something is recorded, or closed, as something else from one month on."""

# ruff: noqa: S608 - the SQL is put together from our own words

import warnings
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.integrity.cube import Floats, ask, cube, expected
from counterfoil.engines.integrity.finding import Book, Finding

CLEAR = 5.0  # how many times its noise a swap must be; chosen on clean simulated years (bench/numbers_integrity.py)
LEAST = 0.008  # of the force's rows: less is said only where it is many rows
FEW, MANY = 30, 150
REACH, EDGE = 6, 2  # months on either side of a step: at most, and at least
PRIOR = 6  # months' worth of weight that the other forces' noise has in a force's own


@dataclass(frozen=True)
class Shift:
    """From month `at` on, `moved` of the rows that were `down` are `up`; `strength` in units of noise."""

    force: int
    at: int
    down: int
    up: int
    rise: float
    fall: float
    strength: float


def shifts(db: duckdb.DuckDBPyConnection, table: str, kind: str, book: Book) -> list[Finding]:
    """Find lasting steps in a force's mix that the other forces did not make: one type up, another down, at one month.

    For each month the mix before is compared with the mix from then on, two months or more on both sides, after what
    the other forces did in each month is taken out. Noise is the force's own and that of others, and never less than
    chance. What moved is the swap times the rows since.
    """
    rows = ask(
        db,
        f"SELECT force, month, type, sum(n) FROM {table} WHERE type IS NOT NULL AND month > 0 AND force IS NOT NULL "
        "GROUP BY ALL",
    )
    if not rows:
        return []
    c = cube(rows)
    found = []
    for s in swaps(c.counts):
        from_, to = c.kinds[s.down], c.kinds[s.up]
        n = min(s.rise, s.fall) * float(c.counts[s.force, s.at :].sum())
        text = (
            f"{to} rose by {s.rise:.1%} of the rows and {from_} fell by {s.fall:.1%}, together and at once; "
            f"{s.strength:.0f} times the usual ups and downs. "
            "It may be what happened, or how it was recorded."
        )
        found.append(
            book.finding(
                kind,
                c.forces[s.force],
                c.months[s.at],
                c.months[-1],
                n,
                text,
                within=f"{from_} to {to}",
                types=[from_, to],
            )
        )
    return found


def swaps(counts: Floats, clear: float = CLEAR) -> list[Shift]:
    """Return the clearest swap of each force in counts by force, month and type, where one is clear enough.

    The change of a share is the mean of up to `REACH` months from a month on less that of as many before it. Its noise
    is the larger of chance and of how much such changes usually are in this force and, robustly, in all forces.
    """
    forces, months, types = counts.shape
    if months < 5 or types < 2:
        return []
    total = counts.sum(axis=2)
    whole = (total > 0) & (total > 0.5 * expected(total)[0])
    share = np.where(whole[:, :, None], counts / np.maximum(total, 1)[:, :, None], np.nan)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # a month or force without rows has no median: it stays out
        level = np.nan_to_num(np.nanmedian(share, axis=1))
        if forces >= 4:
            moves = np.nan_to_num(
                np.nanmedian(share / np.where(level > 0, level, np.nan)[:, None], axis=0), nan=1.0
            )
            share = share / np.maximum(moves, 0.05)[None]
        size = np.nanmedian(np.where(whole, total, np.nan), axis=1)
        # Month to month, so that one step moves it little; the median of squares of normal differences is .4549.
        jumps = np.nanmedian(np.diff(share, axis=1) ** 2, axis=1) / (2 * 0.4549)
        chance = level * (1 - level) / np.maximum(np.nan_to_num(size), 1)[:, None]
        beyond = np.maximum(jumps - chance, 0) / np.maximum(level, 1e-4) ** 2
        pooled = np.nan_to_num(np.nanmedian(np.where(level > 0, beyond, np.nan), axis=0))
    own = np.maximum(np.nan_to_num(jumps), chance)
    month = (PRIOR * (chance + pooled[None] * level**2) + (months - 1) * own) / (PRIOR + months - 1)
    change, weight = _changes(share)
    noise = np.sqrt(np.maximum(month, 1e-8)[:, None] * weight[:, :, None])
    if forces >= 8:  # what changes of this length are like, with all that drifts
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            like = np.nanmedian(np.abs(change / noise).reshape(-1, types), axis=0)
        noise = noise * np.maximum(1.4826 * np.nan_to_num(like), 1.0)[None, None]
    z = change / noise
    return [one for i in range(forces) if (one := _clearest(i, change[i], z[i], total[i], clear)) is not None]


def _changes(share: Floats) -> tuple[Floats, Floats]:
    """Return for each force and month the change of each share from then on, and its variance in those of a month."""
    forces, months, _ = share.shape
    change, weight = np.full(share.shape, np.nan), np.ones((forces, months))
    good: NDArray[np.bool_] = np.asarray(np.isfinite(share).all(axis=2))
    for i in range(forces):
        for at in range(EDGE, months - EDGE + 1):
            before = np.flatnonzero(good[i, :at])[-REACH:]
            after = at + np.flatnonzero(good[i, at:])[:REACH]
            if len(before) >= EDGE and len(after) >= EDGE:
                change[i, at] = share[i, after].mean(axis=0) - share[i, before].mean(axis=0)
                weight[i, at] = 1 / len(before) + 1 / len(after)
    return change, weight


def _clearest(force: int, change: Floats, z: Floats, total: Floats, clear: float) -> Shift | None:
    """Return the swap of two types with the greatest strength over all months, or None when none is clear."""
    best: Shift | None = None
    for at in np.flatnonzero(np.isfinite(change).all(axis=1)):
        rise, fall, up, down = change[at][:, None], -change[at][None, :], z[at][:, None], -z[at][None, :]
        strength = (up + down) / np.sqrt(2)
        less, more = np.minimum(rise, fall), np.maximum(rise, fall)
        moved = less * total[at:].sum()
        fair = (less > 0.45 * more) & (np.minimum(up, down) > 1.5)
        fair &= (moved >= MANY) | ((less > LEAST) & (moved >= FEW))
        strength = np.where(fair, strength, 0.0)
        # What one type lost another gained: of clear pairs the one that matches best names the two.
        matched = np.where(
            strength > clear, strength * np.sqrt(np.maximum(less, 0) / np.maximum(more, 1e-9)), 0.0
        )
        u, d = np.unravel_index(int(np.argmax(matched)), strength.shape)
        if strength[u, d] > clear and (best is None or strength[u, d] > best.strength):
            best = Shift(
                force,
                int(at),
                int(d),
                int(u),
                float(change[at, u]),
                float(-change[at, d]),
                float(strength[u, d]),
            )
    return best
