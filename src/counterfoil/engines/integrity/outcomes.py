"""Outcomes: repeated, in conflict, before their crime, never used, and missing for the crimes of some months."""

from collections.abc import Sequence

import duckdb
import numpy as np

from counterfoil.engines.integrity.cube import ask, common, cube, median, runs
from counterfoil.engines.integrity.finding import Book, Finding


def _usual(shares: Sequence[float]) -> float:
    return float(np.median(shares)) if len(shares) >= 4 else 0.0


def repeated(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find forces whose outcomes come twice, alike in every way, far more often than elsewhere."""
    rows = ask(
        db,
        """
        WITH r AS (SELECT any_value(force) AS force, any_value(month) AS month, count(*) AS n FROM outcomes
                   WHERE id IS NOT NULL AND month > 0 AND force IS NOT NULL GROUP BY hash(fid, type, month))
        SELECT force, min(month) FILTER (n > 1), max(month) FILTER (n > 1), sum(n - 1), sum(n) FROM r
        GROUP BY force ORDER BY force
        """,
    )
    shares = [n / total for *_, n, total in rows]
    found = []
    for (force, first, last, n, total), share in zip(rows, shares, strict=True):
        if n >= 20 and share > (max(0.005, 3 * _usual(shares)) if len(shares) >= 4 else 0.05):
            text = (
                f"{n:,} of {total:,} rows ({share:.1%}) give one crime the same outcome in one month again; "
                f"elsewhere {_usual(shares):.1%}."
            )
            found.append(book.finding("repeated-outcomes", force, first, last, n, text))
    return found


def conflicts(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find crimes that got two different outcomes in one month: both cannot be how it ended."""
    rows = ask(
        db,
        """
        WITH ended AS (SELECT any_value(force) AS force, month, CASE WHEN min(type) < max(type) THEN 2 ELSE 1 END
                              AS kinds FROM outcomes
                       WHERE id IS NOT NULL AND month > 0 AND force IS NOT NULL GROUP BY fid, month)
        SELECT force, min(month) FILTER (kinds > 1), max(month) FILTER (kinds > 1), count(*) FILTER (kinds > 1),
               count(*) FROM ended GROUP BY force ORDER BY force
        """,
    )
    shares = [n / total for *_, n, total in rows]
    found = []
    for (force, first, last, n, _), share in zip(rows, shares, strict=True):
        if n >= 10 and share > 0.002 and share > 3 * _usual(shares):
            text = (
                f"{n:,} crimes ({share:.2%}) have two outcomes in one month; elsewhere {_usual(shares):.2%}."
            )
            found.append(book.finding("conflicting-outcomes", force, first, last, n, text))
    return found


def never_used(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find outcomes that other forces use and this one never does, or stops using from some month on.

    Never used is said where even a force that uses it rarely (the tenth in a hundred) would have had five or more, so
    that a policy shared by several forces is no finding.
    """
    c = cube(ask(db, "SELECT force, month, type, sum(n) FROM outcomes WHERE type IS NOT NULL AND month > 0 "
                     "AND force IS NOT NULL GROUP BY ALL"))  # fmt: skip
    if not c.forces:
        return []
    total, used = c.counts.sum(axis=2), c.counts.sum(axis=1)
    share = used / np.maximum(total.sum(axis=1), 1)[:, None]
    found = []
    for k, kind in enumerate(c.kinds):
        users = share[used[:, k] > 0, k]
        for i, force in enumerate(c.forces):
            held = np.flatnonzero(total[i] > 0)
            all_ = float(total[i].sum())
            if used[i, k] == 0:
                few = len(c.forces) < 4  # then all the others must use it, and often
                if len(users) < (max(1, len(c.forces) - 1) if few else 0.75 * len(c.forces)):
                    continue
                usual, least = float(np.median(users)) * all_, float(np.quantile(users, 0.1)) * all_
                if least >= (25 if few else 5) and usual >= 20:
                    text = (
                        f"Never used; at the rate of other forces there would be about {usual:,.0f}. "
                        "It may not be used, or not be supplied, or lie under another outcome."
                    )
                    found.append(book.finding("never-used-outcome", force, c.months[held[0]], c.months[held[-1]], usual,
                                              text, within=kind))  # fmt: skip
                continue
            last = int(np.flatnonzero(c.counts[i, :, k] > 0)[-1])
            after, before = held[held > last], held[held <= last]
            if len(after) >= 2 and len(before) >= 3:
                rate = float(c.counts[i, before, k].sum() / total[i, before].sum())
                want = rate * float(total[i, after].sum())
                if want >= 25:
                    text = f"Not used any more; at its old rate there would be {want:,.0f}."
                    found.append(book.finding("never-used-outcome", force, c.months[after[0]], c.months[after[-1]],
                                              want, text, within=kind))  # fmt: skip
    return found


def before(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find outcomes dated before the crime they belong to."""
    found = []
    for force, first, last, n, all_ in ask(
        db,
        """
        WITH born AS (SELECT fid, min(month) AS month FROM street
                      WHERE id IS NOT NULL AND month > 0 GROUP BY fid)
        SELECT o.force, min(o.month) FILTER (o.month < b.month), max(o.month) FILTER (o.month < b.month),
               count(*) FILTER (o.month < b.month), count(*)
        FROM outcomes o JOIN born b ON b.fid = o.fid
        WHERE o.id IS NOT NULL AND o.month > 0 GROUP BY o.force ORDER BY 1
        """,
    ):
        if n >= 20 and n > 0.0005 * all_:
            text = f"{n:,} outcomes are dated before their crime: its identifier was used before."
            found.append(book.finding("outcome-before-crime", force, first, last, n, text))
    return found


def cohorts(db: duckdb.DuckDBPyConnection, book: Book, but: set[str]) -> list[Finding]:
    """Find crimes that have no outcome at all where those of other forces and months have one.

    Crimes of each month are followed to the last outcomes. Recent ones have fewer everywhere; that is taken out by what
    the other forces show for the same month (so this needs four forces). `but` are forces whose identifiers restart.
    """
    rows = ask(
        db,
        """
        WITH ended AS (SELECT DISTINCT fid FROM outcomes WHERE id IS NOT NULL),
             named AS (SELECT type FROM street WHERE type IS NOT NULL GROUP BY type HAVING count(id) > 0.5 * count(*))
        SELECT s.force, s.month, count(*), count(e.fid) FROM street s
        LEFT JOIN ended e ON e.fid = s.fid
        WHERE s.id IS NOT NULL AND s.month > 0 AND s.type IN (FROM named)
              AND s.force IN (SELECT DISTINCT force FROM outcomes)
        GROUP BY ALL
        """,
    )
    c = cube([r[:3] for r in rows]) if rows else None
    if c is None or len(c.forces) < 4 or len(c.months) < 4:
        return []
    ended = cube([(*r[:2], r[3]) for r in rows], c.months).counts
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(c.counts >= 20, ended / c.counts, np.nan)
        logit = np.log((ended + 0.5) / (c.counts - ended + 0.5))
    logit = np.where(np.isfinite(share), logit, np.nan)
    found: list[Finding] = []
    old = max(3, len(c.months) - 4)
    mature = median(share[:, :old], 1)
    usual = float(np.median(mature[mature > 0])) if (mature > 0).any() else 0.0
    wide = 1.4826 * float(np.median(np.abs(mature - usual)))
    column = common(logit)
    own = logit - column
    level = median(own, 1)
    spread = np.maximum(1.4826 * median(np.abs(own - level[:, None]), 1), 0.08)
    spread = np.minimum(spread, max(3 * float(np.median(spread)), 0.25))
    for i, force in enumerate(c.forces):
        if force in but or not np.isfinite(share[i]).any():
            continue
        if mature[i] < usual - max(0.10, 4 * wide):
            lost = float(np.nansum((usual - share[i, :old]) * c.counts[i, :old]))
            text = (
                f"{mature[i]:.0%} of its older crimes have an outcome, elsewhere {usual:.0%}: its share charged "
                "is too low by what was never supplied."
            )
            found.append(
                book.finding("outcomes-never-published", force, c.months[0], c.months[-1], lost, text)
            )
        want = 1 / (1 + np.exp(-(level[i] + column[0])))
        noise = np.sqrt(spread[i] ** 2 + 1 / np.maximum(c.counts[i] * want * (1 - want), 1))
        low = (own[i] - level[i] < -4.5 * noise) & (share[i] < want - 0.08) & np.isfinite(share[i])
        low[-2:] = False  # too young: their outcomes may still come
        for start, stop in runs(low):
            lost = float(((want - share[i]) * c.counts[i])[start:stop].sum())
            got = float(ended[i, start:stop].sum() / c.counts[i, start:stop].sum())
            usually = float((want * c.counts[i])[start:stop].sum() / c.counts[i, start:stop].sum())
            text = (
                f"{got:.0%} of the crimes of these months have an outcome; {usually:.0%} would be expected."
            )
            found.append(
                book.finding("outcomes-lost", force, c.months[start], c.months[stop - 1], lost, text)
            )
    return found
