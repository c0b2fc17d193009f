"""What was not supplied, or only in part, or twice: forces, months, types and areas."""

# ruff: noqa: S608 - the SQL is put together from our own words

import duckdb
import numpy as np

from counterfoil.engines.integrity.cube import ask, cube, expected, runs, spanned
from counterfoil.engines.integrity.finding import Book, Finding, said

LEAST = 12  # fewer missing rows than this are nothing to ask about


def forces(db: duckdb.DuckDBPyConnection, tables: frozenset[str], book: Book) -> list[Finding]:
    """Find forces of the country of which there is nothing, when the files hold most of the others."""
    found = []
    present = {
        t: {r[0] for r in ask(db, f"SELECT DISTINCT force FROM {t} WHERE force IS NOT NULL")} for t in tables
    }
    everywhere = {book.forces.get(f.casefold(), f) for forces in present.values() for f in forces}
    months = spanned(r[0] for t in tables for r in ask(db, f"SELECT DISTINCT month FROM {t}"))
    known = everywhere & set(book.expected)
    if len(known) >= 0.6 * len(book.expected) and months:
        for force in sorted(set(book.expected) - everywhere):
            text = f"No row from this force, and from {len(known)} others: a total over forces leaves it out."
            found.append(book.finding("missing-force", force, months[0], months[-1], len(months), text))
    if tables >= {"street", "outcomes"}:
        for force in sorted(present["street"] - present["outcomes"]):
            first, last, n = ask(
                db, f"SELECT min(month), max(month), sum(n) FROM street WHERE force = {_q(force)}"
            )[0]
            text = f"{n:,.0f} crimes and incidents and no outcome: how they ended is not known."
            found.append(book.finding("outcomes-missing-force", force, first, last, n, text))
        for force in sorted(present["outcomes"] - present["street"]):
            first, last, n = ask(
                db, f"SELECT min(month), max(month), sum(n) FROM outcomes WHERE force = {_q(force)}"
            )[0]
            text = f"{n:,.0f} outcomes and no crimes they could belong to."
            found.append(book.finding("outcomes-without-crimes", force, first, last, n, text))
    return found


def _q(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def months(db: duckdb.DuckDBPyConnection, table: str, book: Book) -> list[Finding]:
    """Find months that a force did not supply, supplied in part, or of which it supplied far more than usual."""
    prefix = "" if table == "street" else "outcomes-"
    rows = ask(
        db, f"SELECT force, month, sum(n) FROM {table} WHERE month > 0 AND force IS NOT NULL GROUP BY ALL"
    )
    if not rows:
        return []
    c = cube(rows)
    whole, away, spread = expected(c.counts)
    found = []
    for i, force in enumerate(c.forces):
        good = c.counts[i] > 0
        for start, stop in runs(~good):
            size = float(whole[i, start:stop].sum())
            if size >= LEAST:
                text = f"{_months(stop - start)} without a row; about {size:,.0f} would be expected."
                found.append(
                    book.finding(
                        f"{prefix}missing-month", force, c.months[start], c.months[stop - 1], size, text
                    )
                )
        if good.sum() < 3:  # most months absent: what is left is no measure of what is whole
            continue
        noise = np.sqrt(spread[i] ** 2 + 1 / np.maximum(whole[i], 1.0))
        gap = whole[i] - c.counts[i]
        low = good & (away[i] < np.log(0.8)) & (away[i] < -5 * noise) & (gap >= 20)
        upper = np.quantile(c.counts[i][good], 0.75)  # after months in part, whole ones are no surge
        high = (
            good
            & (away[i] > np.log(1.45))
            & (away[i] > 5 * noise)
            & (-gap >= 20)
            & (c.counts[i] > 1.3 * upper)
        )
        for kind, flags in (("partial", low), ("surge", high)):
            for start, stop in runs(flags):
                size = abs(float(gap[start:stop].sum()))
                got, want = c.counts[i, start:stop].sum(), whole[i, start:stop].sum()
                text = (
                    f"{got:,.0f} rows in {_months(stop - start)} where about {want:,.0f} would be expected."
                )
                found.append(
                    book.finding(
                        f"{prefix}{kind}-month", force, c.months[start], c.months[stop - 1], size, text
                    )
                )
    return found


def _months(n: int) -> str:
    return "one month" if n == 1 else f"{n} months"


def types(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find types of crime that a force supplies in no month, or stops supplying, though it would be expected to."""
    c = cube(ask(db, "SELECT force, month, type, sum(n) FROM street WHERE month > 0 AND type IS NOT NULL "
                     "AND force IS NOT NULL GROUP BY ALL"))  # fmt: skip
    if not c.forces:
        return []
    total = c.counts.sum(axis=2)
    used = c.counts.sum(axis=1)
    share = used / np.maximum(total.sum(axis=1), 1)[:, None]
    found = []
    for i, force in enumerate(c.forces):
        held = total[i] > 0
        for k, kind in enumerate(c.kinds):
            if used[i, k] == 0:
                users = share[used[:, k] > 0, k]
                want = (
                    float(np.quantile(users, 0.1)) * total[i].sum()
                    if len(users) >= 0.75 * len(c.forces)
                    else 0.0
                )
                if len(c.forces) >= 4 and want >= LEAST:
                    usual = float(np.median(users)) * total[i].sum()
                    text = f"No row of this type; at the rate of the other forces there would be about {usual:,.0f}."
                    found.append(book.finding("missing-type", force, c.months[0], c.months[-1], usual, text,
                                              within=kind, types=[kind]))  # fmt: skip
                continue
            line = c.counts[i, :, k] / np.maximum(total[i], 1)
            usual_share = float(np.median(line[held & (line > 0)]))
            for start, stop in runs(held & (c.counts[i, :, k] == 0)):
                want = usual_share * float(total[i, start:stop].sum())
                if want >= 20 and (c.counts[i, :, k] > 0).sum() >= 2:
                    text = f"No row of this type in {_months(stop - start)}; about {want:,.0f} would be expected."
                    found.append(book.finding("missing-type", force, c.months[start], c.months[stop - 1], want, text,
                                              within=kind, types=[kind]))  # fmt: skip
    return found


def areas(db: duckdb.DuckDBPyConnection, book: Book, but: set[str]) -> list[Finding]:
    """Find months in which many of a force's areas fall silent at once: a part of the force was not supplied.

    `but` are forces whose codes changed, where old areas fall silent because they have new names.
    """
    rows = ask(
        db,
        """
        WITH a AS (SELECT force, area, month, sum(n) AS n FROM street
                   WHERE area IS NOT NULL AND month > 0 AND force IS NOT NULL GROUP BY ALL),
             m AS (SELECT force, month, sum(n) AS rows FROM a GROUP BY ALL),
             held AS (SELECT force, count(*) AS months FROM m GROUP BY force),
             l AS (SELECT force, area, sum(n) AS rows FROM a GROUP BY ALL HAVING count(*) >= 2),
             usually AS (SELECT l.force, l.area, l.rows / h.months AS usual FROM l JOIN held h USING (force)
                         WHERE l.rows >= 1.5 * h.months)
        SELECT m.force, m.month, sum(u.usual), coalesce(sum(u.usual) FILTER (a.n IS NULL), 0),
               count(*) FILTER (a.n IS NULL)
        FROM m JOIN usually u ON u.force = m.force
        LEFT JOIN a ON a.force = m.force AND a.area = u.area AND a.month = m.month GROUP BY ALL ORDER BY ALL
        """,
    )
    found = []
    for force in sorted({r[0] for r in rows} - but):
        mine = [r[1:] for r in rows if r[0] == force]
        silent = np.array([s / all_ for _, all_, s, _ in mine])
        if len(mine) < 4:
            continue
        usual = float(np.median(silent))
        spread = 1.4826 * float(np.median(np.abs(silent - usual)))
        for (month, _, lost, many), share in zip(mine, silent, strict=True):
            extra = share - usual
            if extra > 0.05 and extra > 8 * max(spread, 0.006) and lost * extra / max(share, 1e-9) >= 30:
                text = (
                    f"{many:,} areas that usually have crimes have none; they hold {share:.0%} of the force's rows, "
                    f"in other months {usual:.0%}."
                )
                found.append(book.finding("silent-areas", force, month, month, lost * extra / share, text))
    return found


def twice(db: duckdb.DuckDBPyConnection, table: str, book: Book) -> list[Finding]:
    """Find months that two files hold, say which crimes changed type between them, and leave one file's rows out.

    Which of two files is the newer is not known here, so the one with more rows is kept and the finding says so.
    """
    if not ask(db, f"SELECT 1 FROM {table} GROUP BY force, month HAVING count(DISTINCT src) > 1 LIMIT 1"):
        return []
    pairs = ask(
        db,
        f"""
        WITH f AS (SELECT force, month, src, count(*) AS rows FROM {table} WHERE month > 0 GROUP BY ALL),
             d AS (SELECT DISTINCT force, month, src, id, type FROM {table} WHERE id IS NOT NULL),
             b AS (SELECT p.force, p.month, p.src AS one, q.src AS two, p.id, p.type AS was, q.type AS is_now
                   FROM d p JOIN d q ON p.force = q.force AND p.month = q.month AND p.id = q.id AND p.src <> q.src)
        SELECT x.force, x.month, x.src, y.src, x.rows, y.rows, count(DISTINCT b.id),
               count(DISTINCT b.id) FILTER (b.was <> b.is_now)
        FROM f x JOIN f y ON x.force = y.force AND x.month = y.month AND (x.rows, x.src) > (y.rows, y.src)
        LEFT JOIN b ON b.force = x.force AND b.month = x.month AND b.one = x.src AND b.two = y.src
        GROUP BY ALL ORDER BY ALL
        """,
    )
    found: list[Finding] = []
    gone: set[tuple[str, int, int]] = set()
    changed: dict[str, list[tuple[int, int]]] = {}
    for force, month, _, other, rows, fewer, same, moved in pairs:
        if same < 0.3 * fewer or (force, month, other) in gone:
            continue
        gone.add((force, month, other))
        text = f"Two files hold this month ({rows:,} and {fewer:,} rows, {same:,} crimes in both); the longer was read."
        found.append(book.finding("supplied-twice", force, month, month, fewer, text))
        if table == "street" and moved:
            changed.setdefault(force, []).append((month, moved))
    for force, ones in changed.items():
        n = sum(m for _, m in ones)
        text = f"{n:,} crimes carry the same identifier in both files and another type of crime."
        found.append(book.finding("retyped", force, ones[0][0], ones[-1][0], n, text))
    if gone:
        db.execute("CREATE OR REPLACE TEMP TABLE gone (force VARCHAR, month INTEGER, src UBIGINT)")
        db.executemany("INSERT INTO gone VALUES (?, ?, ?)", sorted(gone))
        db.execute(
            f"DELETE FROM {table} t USING gone g WHERE t.force = g.force AND t.month = g.month AND t.src = g.src"
        )
    return found


def unusable(db: duckdb.DuckDBPyConnection, table: str, book: Book) -> list[Finding]:
    """Find rows without a month, a force or a type that can be read: they are in no number and are not nothing."""
    found = []
    what = "crimes" if table == "street" else "outcomes"
    for kind, column, word in (
        ("no-month", "month", "month"),
        ("no-force", "force", "force"),
        ("no-type", "type", "type"),
    ):
        rows = ask(
            db,
            f"SELECT coalesce(force, 'all'), min(month), max(month), sum(n) FROM {table} WHERE {column} IS NULL "
            "GROUP BY 1 ORDER BY 1",
        )
        for force, first, last, n in rows:
            if n >= 5:
                text = f"{n:,.0f} rows of {what} have no {word} that can be read."
                found.append(book.finding(kind, force, first or 0, last or 0, n, text))
    return found


__all__ = ["areas", "forces", "months", "said", "twice", "types", "unusable"]
