"""Areas: rows without one, trends that hang on them, rows that another force left in them, and codes that change."""

import duckdb
import numpy as np

from counterfoil.engines.integrity.cube import ask, cube, runs
from counterfoil.engines.integrity.finding import Book, Finding

INCIDENTS = ("anti-social behaviour", "antisocial behaviour", "anti-social-behaviour", "asb")


def blank(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find rows without an area: a force where they are many all along, and months in which they jump."""
    rows = ask(
        db,
        "SELECT force, month, sum(n), coalesce(sum(n) FILTER (area IS NULL), 0) FROM street "
        "WHERE month > 0 AND force IS NOT NULL GROUP BY ALL ORDER BY ALL",
    )
    if not any(r[2] > r[3] for r in rows):
        return []  # a table without areas at all
    found = []
    for force in sorted({r[0] for r in rows}):
        mine = [r[1:] for r in rows if r[0] == force]
        n, without = (np.array([float(r[k]) for r in mine]) for k in (1, 2))
        share = without / n
        usual = float(np.quantile(share, 0.25))
        noise = np.sqrt(np.maximum(usual, 0.002) / n)
        jump = (share > usual + 0.015) & (share > 1.6 * usual) & (share > usual + 7 * noise) & (without >= 15)
        if usual > 0.03:
            text = f"{without.sum() / n.sum():.1%} of its rows have no area and are in no area's count."
            found.append(book.finding("blank-areas", force, mine[0][0], mine[-1][0], without.sum(), text))
        for start, stop in runs(jump):
            there = without[start:stop].sum() / n[start:stop].sum()
            text = f"{there:.1%} of the rows have no area, in other months {usual:.1%}."
            found.append(
                book.finding(
                    "blank-areas", force, mine[start][0], mine[stop - 1][0], without[start:stop].sum(), text
                )
            )
    return found


def trends(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find forces whose change over time differs with and without the rows that have no area, or are no crimes.

    The first months are compared with as many at the end: twelve where there are two years, else up to half the span,
    and only months that the force supplied at both ends in equal number.
    """
    rows = ask(
        db,
        f"""
        SELECT force, month, sum(n), coalesce(sum(n) FILTER (area IS NOT NULL), 0),
               coalesce(sum(n) FILTER (lower(type) NOT IN {INCIDENTS}), 0)
        FROM street WHERE month > 0 AND force IS NOT NULL GROUP BY ALL ORDER BY ALL
        """,  # noqa: S608 - our own words
    )
    c = cube([r[:3] for r in rows])
    placed, crimes = (
        cube([(*r[:2], r[3]) for r in rows], c.months),
        cube([(*r[:2], r[4]) for r in rows], c.months),
    )
    h = 12 if len(c.months) >= 24 else min(6, len(c.months) // 2)
    if h < 3:
        return []
    found: list[Finding] = []
    whole = (c.counts[:, :h] > 0).all(axis=1) & (c.counts[:, -h:] > 0).all(axis=1)
    for i in np.flatnonzero(whole & (placed.counts.sum(axis=1) > 0)):
        every, with_area = _growth(c.counts[i], h), _growth(placed.counts[i], h)
        turned = every * with_area < 0 and min(abs(every), abs(with_area)) > 0.01
        if abs(every - with_area) > (0.025 if turned else 0.04):
            more = abs(placed.counts[i, -h:].sum() - placed.counts[i, :h].sum() * (1 + every))
            text = (
                f"From the first {h} to the last {h} months all rows changed by {every:+.1%}, with an area by "
                f"{with_area:+.1%}."
            )
            found.append(
                book.finding("trend-without-blanks", c.forces[i], c.months[-h], c.months[-1], more, text)
            )
    if whole.any() and (crimes.counts < c.counts).any():
        every, only = _growth(c.counts[whole].sum(axis=0), h), _growth(crimes.counts[whole].sum(axis=0), h)
        if abs(every - only) > 0.04:
            more = abs(c.counts[whole][:, -h:].sum() - c.counts[whole][:, :h].sum() * (1 + only))
            text = (
                f"From the first {h} to the last {h} months all rows changed by {every:+.1%}, crimes without "
                f"anti-social behaviour (which is no crime) by {only:+.1%}."
            )
            found.append(
                book.finding("trend-with-incidents", "all forces", c.months[-h], c.months[-1], more, text)
            )
    return found


def _growth(line: "np.ndarray[tuple[int], np.dtype[np.float64]]", h: int) -> float:
    return float(line[-h:].sum() / max(line[:h].sum(), 1.0) - 1)


def codes(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find a month in which many rows carry area codes never seen before: a boundary or coding change."""
    rows = ask(
        db,
        """
        WITH first AS (SELECT force, area, min(month) AS born, max(month) AS last FROM street
                       WHERE area IS NOT NULL AND month > 0 AND force IS NOT NULL GROUP BY ALL)
        SELECT s.force, s.month, sum(n), coalesce(sum(n) FILTER (f.born = s.month), 0),
               count(DISTINCT s.area) FILTER (f.born = s.month)
        FROM street s JOIN first f ON s.force = f.force AND s.area = f.area WHERE s.month > 0 GROUP BY ALL ORDER BY ALL
        """,
    )
    found = []
    for force in sorted({r[0] for r in rows}):
        mine = [r[1:] for r in rows if r[0] == force]
        shares = [float(new) / float(n) for _, n, new, _ in mine]
        for k in range(2, len(mine)):
            month, n, new, many = mine[k]
            # New areas grow rarer month by month; a jump against the months before it is a change of codes.
            around = max(shares[max(1, k - 2) : k])
            noise = np.sqrt(max(around, 0.002) / float(n))
            if new >= 15 and shares[k] > 0.05 and shares[k] > 1.5 * around + 0.03 + 6 * noise:
                text = (
                    f"{shares[k]:.1%} of the rows carry {many:,} area codes never seen before in this force."
                )
                found.append(book.finding("code-change", force, month, mine[-1][0], float(new), text))
                break
    return found


def guests(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find areas whose own force gave nothing while other forces' rows lie in them: nearly nothing is not nothing.

    An area belongs to the force with most of its rows. A force that is at home in few of the areas where it has rows
    (a railway police) is a guest everywhere; where a guest alone has rows, the force at home supplied none at all.
    """
    db.execute(
        """
        CREATE OR REPLACE TEMP TABLE homes AS
        WITH a AS (SELECT area, force, sum(n) AS n FROM street
                   WHERE area IS NOT NULL AND month > 0 AND force IS NOT NULL GROUP BY ALL)
        SELECT area, arg_max(force, n) AS home, count(*) AS forces FROM a GROUP BY area
        """
    )
    found = []
    for force, first, last, n, by in ask(
        db,
        """
        WITH held AS (SELECT DISTINCT force, month FROM street),
             gap AS (SELECT f.force, m.month FROM (SELECT DISTINCT force FROM street) f,
                     (SELECT DISTINCT month FROM street WHERE month > 0) m
                     WHERE NOT EXISTS (SELECT 1 FROM held h WHERE h.force = f.force AND h.month = m.month))
        SELECT g.force, min(g.month), max(g.month), sum(s.n), count(DISTINCT s.force)
        FROM street s JOIN homes h USING (area) JOIN gap g ON g.force = h.home AND g.month = s.month
        GROUP BY g.force ORDER BY g.force
        """,
    ):
        if n >= 10:
            text = (
                f"{n:,.0f} rows lie in its areas in months it did not supply, from {by} other forces: small numbers "
                "that are not what happened there."
            )
            found.append(book.finding("rows-of-other-forces", force, first, last, n, text))
    for force, first, last, n, many in ask(
        db,
        """
        WITH f AS (SELECT DISTINCT force, area FROM street WHERE area IS NOT NULL AND force IS NOT NULL),
             g AS (SELECT f.force FROM f JOIN homes h USING (area) GROUP BY f.force
                   HAVING count(*) >= 50 AND count(*) FILTER (h.home = f.force) < 0.5 * count(*))
        SELECT s.force, min(s.month), max(s.month), sum(s.n), count(DISTINCT s.area) FROM street s
        JOIN homes h USING (area) WHERE h.forces = 1 AND s.force IN (FROM g) GROUP BY s.force ORDER BY s.force
        """,
    ):
        if many >= 20:
            text = (
                f"In {many:,} areas this force alone has rows, {n:,.0f} of them; the force at home there "
                "supplied none."
            )
            found.append(
                book.finding("rows-of-other-forces", force, first, last, n, text, within="areas of its own")
            )
    return found
