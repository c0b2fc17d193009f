"""Identifiers: repeated, used again for another crime, used by two forces, starting again, or not there."""

from collections import defaultdict
from itertools import pairwise

import duckdb

from counterfoil.engines.integrity.cube import ask
from counterfoil.engines.integrity.finding import Book, Finding


def repeats(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find identifiers that come twice: as the same row again, for another crime, or month after month anew."""
    db.execute(
        """
        CREATE OR REPLACE TEMP TABLE twice AS
        WITH again AS (SELECT fid FROM street WHERE id IS NOT NULL AND month > 0 GROUP BY fid HAVING count(*) > 1)
        SELECT s.fid, any_value(s.force) AS force, count(*) AS n, min(s.month) AS first, max(s.month) AS last,
               count(DISTINCT (s.month, s.area, s.type)) AS kinds
        FROM street s JOIN again USING (fid) WHERE s.id IS NOT NULL AND s.month > 0 GROUP BY s.fid
        """
    )
    rows = ask(
        db,
        """
        WITH m AS (SELECT s.fid, s.month, count(*) AS n FROM street s JOIN twice USING (fid)
                   WHERE s.id IS NOT NULL AND s.month > 0 GROUP BY ALL)
        SELECT t.force, m.month, CASE WHEN t.last > t.first THEN 'months' WHEN t.kinds > 1 THEN 'rows' ELSE 'same' END
               AS how, sum(CASE WHEN m.month > t.first THEN m.n ELSE m.n - 1 END) AS again
        FROM m JOIN twice t USING (fid) GROUP BY ALL HAVING again > 0 ORDER BY ALL
        """,
    )
    totals = {
        f: (n, last) for f, n, last in ask(db, "SELECT force, count(id), max(month) FROM street GROUP BY 1")
    }
    restarts = {f.force: f for f in restarting(db, book)}
    by: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for force, first, how, n in rows:
        if not (how == "months" and force in restarts):
            by[force, "repeated-rows" if how == "same" else "reused-identifier"].append((first, n))
    found = list(restarts.values())
    for (force, kind), ones in by.items():
        n = sum(m for _, m in ones)
        if n < 5 or n / max(totals[force][0], 1) < 0.0005:
            continue
        months: dict[int, int] = defaultdict(int)
        for month, m in ones:
            months[month] += m
        many = max(months.values())
        inside = [m for m in sorted(months) if months[m] >= 0.25 * many]
        text = f"{n:,} rows carry an identifier that another row of the force has" + (
            ", alike in every way: a crime entered twice, or several victims of one."
            if kind == "repeated-rows"
            else " with another month, area or type; an outcome cannot be given to one of them."
        )
        found.append(book.finding(kind, force, inside[0], max(inside), n, text))
    return found


def restarting(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find forces most of whose identifiers in a month were all used in earlier months: a count that starts again."""
    rows = ask(
        db,
        """
        SELECT s.force, s.month, count(*), count(t.fid) FROM street s
        LEFT JOIN twice t ON t.fid = s.fid AND t.first < s.month
        WHERE s.id IS NOT NULL AND s.month > 0 AND s.force IN (SELECT force FROM twice WHERE last > first)
        GROUP BY ALL ORDER BY ALL
        """,
    )
    found = []
    for force in sorted({r[0] for r in rows}):
        again = [(m, n, old) for f, m, n, old in rows if f == force and n >= 30 and old > 0.4 * n]
        if again:
            size = sum(old for _, _, old in again)
            n, old = again[0][1:]
            text = (
                f"In {again[0][0] // 100}-{again[0][0] % 100:02d} {old / n:.0%} of the identifiers were used "
                f"in earlier months already, and so in {len(again)} month{'s' if len(again) > 1 else ''}: "
                "the same identifiers are given out again, so no outcome can be followed by them."
            )
            found.append(book.finding("identifiers-restart", force, again[0][0], again[-1][0], size, text))
    return found


def across(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find identifiers that two forces use."""
    totals = dict(ask(db, "SELECT force, count(id) FROM street GROUP BY 1"))
    found = []
    for force, first, last, n in ask(
        db,
        """
        SELECT a.force, min(a.month), max(a.month), count(DISTINCT a.id) FROM street a JOIN (
            SELECT id FROM street WHERE id IS NOT NULL GROUP BY id HAVING count(DISTINCT force) > 1
        ) USING (id) WHERE a.force IS NOT NULL GROUP BY a.force ORDER BY a.force
        """,
    ):
        if n >= 20 and n / max(totals.get(force, 1), 1) >= 0.002:
            text = (
                f"{n:,} identifiers are also used by another force: match on force and identifier together."
            )
            found.append(book.finding("identifier-of-another-force", force, first, last, n, text))
    return found


def absent(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find crimes without an identifier, where other crimes of their type have one."""
    found = []
    for force, first, last, n, all_ in ask(
        db,
        """
        WITH named AS (SELECT type FROM street WHERE type IS NOT NULL GROUP BY type HAVING count(id) > 0.5 * count(*)),
             m AS (SELECT force, month, count(*) AS all_rows, count(*) FILTER (id IS NULL) AS without FROM street
                   WHERE type IN (FROM named) AND month > 0 AND force IS NOT NULL GROUP BY ALL)
        SELECT force, min(month) FILTER (without > 0.02 * all_rows), max(month) FILTER (without > 0.02 * all_rows),
               sum(without), sum(all_rows) FROM m GROUP BY force ORDER BY force
        """,
    ):
        if first and n >= 20 and n > 0.002 * all_:
            text = f"{n:,.0f} of {all_:,.0f} crimes have no identifier: nobody can say how they ended."
            found.append(book.finding("no-identifiers", force, first, last, n, text))
    return found


def unmatched(db: duckdb.DuckDBPyConnection, book: Book, but: set[str]) -> list[Finding]:
    """Find months from which a force's outcomes no longer belong to its crimes: identifiers that start again."""
    rows = ask(
        db,
        """
        WITH known AS (SELECT DISTINCT fid FROM street WHERE id IS NOT NULL),
             held AS (SELECT DISTINCT force, month FROM street WHERE month > 0)
        SELECT o.force, o.month, count(*), count(k.fid) FROM outcomes o
        JOIN held h ON h.force = o.force AND h.month = o.month
        LEFT JOIN known k ON o.fid = k.fid
        WHERE o.id IS NOT NULL GROUP BY ALL ORDER BY ALL
        """,
    )
    found = []
    for force in sorted({r[0] for r in rows} - but):
        mine = [(m, n, k / n) for f, m, n, k in rows if f == force]
        for (previous, _, before), (month, n, share) in pairwise(mine):
            follows = month - previous in (1, 89)
            if follows and n >= 30 and before > 0.3 and share < 0.72 * before:
                lost = sum(round(c * max(before - s, 0)) for m, c, s in mine if m >= month)
                text = f"{share:.0%} of the outcomes belong to a known crime, {before:.0%} the month before."
                found.append(book.finding("identifiers-restart", force, month, mine[-1][0], lost, text))
                break
    return found
