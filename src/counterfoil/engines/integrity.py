"""What is wrong with published crime data: gaps, repeats, contradictions and sudden shifts, each with its size.

A finding is a question for whoever supplied the data, never a verdict: it says what, where, since when, how big, and
which published numbers it touches. Thresholds are on a force's own history and on what the other forces did at the same
time, so that a change that came to everybody is nobody's fault.

>>> Finding("missing-month", "cleveland", "2021-07", 8034, ("recorded crime",)).kind
'missing-month'
"""

# ruff: noqa: S608 - the SQL is put together from our own words and from quoted columns of the file

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.errors import BadInput
from counterfoil.engines.rows import quoted

Floats = NDArray[np.float64]
# What a column is called in data.police.uk's files and in tables made from them; matched without case, blanks or marks.
NAMES: dict[str, tuple[str, ...]] = {
    "force": ("forceslug", "fallswithin", "force", "forcename", "reportedby"),
    "month": ("month",),
    "id": ("crimekey", "crimeid", "id"),
    "area": ("lsoacode", "area", "areacode"),
    "type": ("crimetype", "type", "offence"),
    "outcome": ("outcometype",),
    "reported": ("reportedat", "reported", "reporteddate", "datereported"),
    "recorded": ("recordedat", "recorded", "recordeddate", "daterecorded"),
}
COUNTS, RATES, OUTCOMES = "recorded crime", "crime by area", "share charged and outcome mix"
STATISTICS = "crime by type"


@dataclass(frozen=True)
class Finding:
    """One thing that looks wrong: its kind, where (force, and what within it), since which month, and how many rows."""

    kind: str
    where: str
    since: str
    size: float
    affects: tuple[str, ...]
    says: str = ""


def inspect(paths: Sequence[Path]) -> list[Finding]:
    """Return every finding in these files or folders of CSV and Parquet, by kind, place and month.

    Raises BadInput when there is no such file or none of them is a table of crimes or outcomes.
    """
    with duckdb.connect(config={"memory_limit": "2GB"}) as db:
        have = _load(db, paths)
        found: list[Finding] = []
        if "street" in have:
            found += _months(db, "street", COUNTS)
            found += _blank(db)
            found += _repeats(db)
            found += _codes(db)
            found += _shifts(db, "street", "type", "reclassification", STATISTICS)
        if "outcomes" in have:
            found += _months(db, "outcomes", OUTCOMES)
            found += _conflicts(db)
            found += _never_used(db)
            found += _shifts(db, "outcomes", "type", "closure-shift", OUTCOMES)
        if have >= {"street", "outcomes"}:
            found += _unmatched(db)
        if "delays" in have:
            found += _heaping(db)
    return sorted(found, key=lambda f: (f.kind, f.where, f.since))


# Reading


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                p for p in path.rglob("*") if p.suffix.lower() in (".csv", ".parquet", ".gz") and p.is_file()
            )
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput("PATH", f"There is no file or folder {path}. Check its name.")
    if not found:
        raise BadInput("PATH", "There is no CSV or Parquet file there.")
    return found


def _load(db: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> set[str]:
    """Bring files into the tables street, outcomes and delays as far as they hold them; return which there are."""
    parts: dict[str, list[str]] = {"street": [], "outcomes": [], "delays": []}
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in _files(paths):
        groups.setdefault(_header(db, path), []).append(path)
    for columns, files in groups.items():
        known = {
            role: next((c for n in names for c in columns if _plain(c) == n), "")
            for role, names in NAMES.items()
        }
        listed = "[" + ", ".join("'" + str(f).replace("'", "''") + "'" for f in files) + "]"
        parquet = files[0].suffix.lower() == ".parquet"
        source = (
            f"read_parquet({listed})" if parquet else f"read_csv({listed}, all_varchar=true, header=true)"
        )

        def text(role: str, known: dict[str, str] = known) -> str:
            return (
                f"nullif(trim(CAST({quoted(known[role])} AS VARCHAR)), '')"
                if known[role]
                else "CAST(NULL AS VARCHAR)"
            )

        month = f"TRY_CAST(replace(substr({text('month')}, 1, 7), '-', '') AS INTEGER)"
        force = text("force") if known["force"] else "'all'"
        if known["month"] and known["outcome"]:
            parts["outcomes"].append(
                f"SELECT {force} AS force, {month} AS month, {text('id')} AS id, {text('outcome')} AS type "
                f"FROM {source}"
            )
        elif known["month"] and known["type"]:
            parts["street"].append(
                f"SELECT {force} AS force, {month} AS month, {text('id')} AS id, {text('area')} AS area, "
                f"{text('type')} AS type FROM {source}"
            )
        if known["reported"] and known["recorded"]:
            parts["delays"].append(
                f"SELECT {force} AS force, TRY_CAST({text('reported')} AS TIMESTAMP) AS reported, "
                f"TRY_CAST({text('recorded')} AS TIMESTAMP) AS recorded FROM {source}"
            )
    have = {name for name, found in parts.items() if found}
    if not have:
        raise BadInput(
            "PATH",
            "None of these files is a table of crimes (month, force, crime type) or outcomes (outcome type).",
        )
    for name in have:
        kept = "reported IS NOT NULL AND recorded IS NOT NULL" if name == "delays" else "month IS NOT NULL"
        try:
            db.execute(
                f"CREATE TEMP TABLE {name} AS SELECT * FROM ({' UNION ALL '.join(parts[name])}) "
                f"WHERE force IS NOT NULL AND {kept}"
            )
        except duckdb.Error as e:
            raise BadInput("PATH", f"A file cannot be read: {str(e).splitlines()[0][:300]}") from None
    return have


def _header(db: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    name = "'" + str(path).replace("'", "''") + "'"
    parquet = path.suffix.lower() == ".parquet"
    source = f"read_parquet({name})" if parquet else f"read_csv({name}, all_varchar=true, header=true)"
    try:
        return tuple(str(r[0]) for r in db.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())
    except duckdb.Error as e:
        raise BadInput("PATH", f"{path.name} cannot be read: {str(e).splitlines()[0][:200]}") from None


def _said(month: int) -> str:
    return f"{month // 100:04d}-{month % 100:02d}"


def _ask(db: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return list(db.execute(sql).fetchall())


# Detectors


def _cube(db: duckdb.DuckDBPyConnection, table: str) -> tuple[list[str], list[int], Floats]:
    rows = _ask(db, f"SELECT force, month, count(*) FROM {table} GROUP BY ALL")
    forces = sorted({r[0] for r in rows})
    months = _span([r[1] for r in rows])
    cube = np.zeros((len(forces), len(months)))
    for force, month, n in rows:
        if month in months:
            cube[forces.index(force), months.index(month)] = n
    return forces, months, cube


def _span(months: Iterable[int]) -> list[int]:
    """Return every month from the first to the last, with those that nobody supplied."""
    known = sorted({m for m in months if 1 <= m % 100 <= 12})
    found, at = [], known[0]
    while at <= known[-1]:
        found.append(at)
        at = at + 1 if at % 100 < 12 else at + 89
    return found


def _expected(cube: Floats) -> Floats:
    """Return what each force and month should hold: the force's own level times what the month did elsewhere.

    Medians on a logarithmic scale, taken in turn (Tukey's median polish), so that a few bad cells move nothing.
    """
    with np.errstate(divide="ignore"):
        logs = np.where(cube > 0, np.log(np.maximum(cube, 1e-9)), np.nan)
    row = np.zeros((cube.shape[0], 1))
    column = np.zeros((1, cube.shape[1]))
    for _ in range(4):
        row += _median(logs - row - column, axis=1)[:, None]
        if cube.shape[0] >= 4:
            column += _median(logs - row - column, axis=0)[None, :]
    return np.exp(row + column)


def _median(values: Floats, axis: int) -> Floats:
    found = np.zeros(values.shape[1 - axis])
    for i in range(values.shape[1 - axis]):
        line = values[i] if axis == 1 else values[:, i]
        good = line[np.isfinite(line)]
        found[i] = np.median(good) if len(good) else 0.0
    return found


def _months(db: duckdb.DuckDBPyConnection, table: str, affects: str) -> list[Finding]:
    """Find months that a force did not supply, or supplied in part."""
    forces, months, cube = _cube(db, table)
    expected = _expected(cube)
    prefix = "" if table == "street" else "outcomes-"
    found = []
    for i, force in enumerate(forces):
        good = cube[i] > 0
        ratio = np.log(np.where(good, cube[i], np.nan) / expected[i])
        spread = max(0.06, 1.4826 * float(np.nanmedian(np.abs(ratio))) if good.any() else 0.06)
        for start, stop in _runs(~good):
            size = float(expected[i, start:stop].sum())
            if size < 12:
                continue
            found.append(
                Finding(
                    f"{prefix}missing-month",
                    force,
                    _said(months[start]),
                    round(size),
                    (affects,),
                    f"{stop - start} of {len(months)} months have no rows; about {size:,.0f} would be expected.",
                )
            )
        # Most months absent: what is left is no measure of what is whole.
        if good.sum() < 3:
            continue
        for j in np.flatnonzero(good):
            short = expected[i, j] - cube[i, j]
            noise = np.sqrt(spread**2 + 1 / max(expected[i, j], 1.0))
            if ratio[j] < np.log(0.8) and ratio[j] < -5 * noise and short >= 20:
                found.append(
                    Finding(
                        f"{prefix}partial-month",
                        force,
                        _said(months[j]),
                        round(float(short)),
                        (affects,),
                        f"{cube[i, j]:,.0f} rows where about {expected[i, j]:,.0f} would be expected.",
                    )
                )
    return found


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where each run of true values starts and stops."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _blank(db: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Find rows without an area: a force where they are many, and months in which they jump."""
    rows = _ask(
        db,
        "SELECT force, month, count(*), count(*) FILTER (area IS NULL) FROM street GROUP BY ALL ORDER BY ALL",
    )
    if not any(r[2] > r[3] for r in rows):
        return []  # a table without areas at all
    found = []
    for force in sorted({r[0] for r in rows}):
        mine = [(m, n, b) for f, m, n, b in rows if f == force]
        total, blank = sum(n for _, n, _ in mine), sum(b for _, _, b in mine)
        share = np.array([b / n for _, n, b in mine])
        usual = float(np.median(share))
        if usual > 0.03:
            since = next(m for m, n, b in mine if b / n > 0.03)
            text = f"{blank / total:.1%} of its rows have no area."
            found.append(Finding("blank-areas", force, _said(since), blank, (RATES,), text))
            continue
        for (m, n, b), s in zip(mine, share, strict=True):
            noise = np.sqrt(max(usual, 0.002) / n)
            if s > usual + 0.02 and s > usual + 8 * noise and b >= 15:
                text = f"{s:.1%} of this month's rows have no area, of other months {usual:.1%}."
                found.append(Finding("blank-areas", force, _said(m), b, (RATES,), text))
    return found


def _repeats(db: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Find identifiers that come twice: as the same row again, or for another crime."""
    rows = _ask(
        db,
        """
        WITH twice AS (
            SELECT force, id, count(*) AS n, count(DISTINCT (month, area, type)) AS kinds, min(month) AS first
            FROM street WHERE id IS NOT NULL GROUP BY force, id HAVING count(*) > 1
        )
        SELECT force, kinds > 1 AS other, min(first), sum(n - 1) FROM twice GROUP BY ALL
        """,
    )
    totals = dict(_ask(db, "SELECT force, count(id) FROM street GROUP BY 1"))
    found = []
    for force, other, first, n in rows:
        share = n / max(totals.get(force, 1), 1)
        if n < 5 or share < 0.0005:
            continue
        kind = "reused-identifier" if other else "repeated-rows"
        text = f"{n:,} rows carry an identifier that another row of the force has" + (
            " with another month, area or type." if other else ", alike in every way."
        )
        found.append(Finding(kind, force, _said(first), int(n), (COUNTS, OUTCOMES), text))
    across = _ask(
        db,
        """
        SELECT a.force, min(a.month), count(DISTINCT a.id) FROM street a JOIN (
            SELECT id FROM street WHERE id IS NOT NULL GROUP BY id HAVING count(DISTINCT force) > 1
        ) USING (id) GROUP BY a.force
        """,
    )
    for force, first, n in across:
        if n >= 20 and n / max(totals.get(force, 1), 1) >= 0.002:
            text = f"{n:,} identifiers are also used by another force."
            found.append(
                Finding("identifier-of-another-force", force, _said(first), int(n), (OUTCOMES,), text)
            )
    return found


def _codes(db: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Find a month in which many rows carry area codes never seen before: a boundary or coding change."""
    rows = _ask(
        db,
        """
        WITH first AS (SELECT force, area, min(month) AS born, max(month) AS last FROM street
                       WHERE area IS NOT NULL GROUP BY ALL)
        SELECT s.force, s.month, count(*), count(*) FILTER (f.born = s.month),
               count(*) FILTER (f.born = s.month AND f.last > s.month)
        FROM street s JOIN first f ON s.force = f.force AND s.area = f.area GROUP BY ALL ORDER BY ALL
        """,
    )
    found = []
    for force in sorted({r[0] for r in rows}):
        mine = [r[1:] for r in rows if r[0] == force]
        shares = [new / n for _, n, new, _ in mine]
        for k in range(3, len(mine)):
            month, n, new, _kept = mine[k]
            # New areas grow rarer month by month; a jump against the months around it is a change of codes.
            around = max(shares[k - 2], shares[k - 1])
            noise = np.sqrt(max(around, 0.002) / n)
            if new >= 15 and shares[k] > 0.05 and shares[k] > around + 0.04 + 6 * noise:
                text = f"{shares[k]:.1%} of the rows carry area codes never seen before in this force."
                found.append(Finding("code-change", force, _said(month), int(new), (RATES,), text))
                break
    return found


def _shifts(db: duckdb.DuckDBPyConnection, table: str, column: str, kind: str, affects: str) -> list[Finding]:
    """Find lasting steps in a force's mix that the other forces did not make: some up, others down, at one month.

    For each month the mix before is compared with the mix from then on, three months or more on both sides, against the
    median change of the other forces. What moved is the rise times the rows since; noise is the force's own.
    """
    rows = _ask(
        db, f"SELECT force, month, {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL"
    )
    forces, types = sorted({r[0] for r in rows}), sorted({r[2] for r in rows})
    months = _span([r[1] for r in rows])
    if len(months) < 6 or len(types) < 2:
        return []
    cube = np.zeros((len(forces), len(months), len(types)))
    for force, month, type_, n in rows:
        if month in months:
            cube[forces.index(force), months.index(month), types.index(type_)] = n
    total = cube.sum(axis=2)
    whole = total > 0.5 * _expected(total)
    with np.errstate(invalid="ignore"):
        share = np.where(whole[:, :, None], cube / np.maximum(total, 1)[:, :, None], np.nan)
    common = np.nanmedian(share, axis=0) if len(forces) >= 4 else np.zeros(share.shape[1:])
    common = common - np.nanmean(common, axis=0)
    own = share - common
    found = []
    for i, force in enumerate(forces):
        step = _step(own[i], total[i], months)
        if step is None:
            continue
        at, change = step
        up, down = int(np.nanargmax(change)), int(np.nanargmin(change))
        moved = float(change[up]) * float(total[i, at:].sum())
        words = f"From {types[down]} to {types[up]}: {change[up]:+.1%} and {change[down]:+.1%} of the rows."
        where = f"{force}: {types[down]} to {types[up]}"
        found.append(Finding(kind, where, _said(months[at]), round(moved), (affects,), words))
    return found


def _step(own: Floats, total: Floats, months: list[int]) -> tuple[int, Floats] | None:
    """Return the month of the clearest step in one force's mix and the change of each share, or None."""
    best: tuple[float, int, Floats] | None = None
    good: NDArray[np.bool_] = np.asarray(np.isfinite(own).all(axis=1))
    for at in range(2, len(months) - 1):
        before, after = own[:at][good[:at]], own[at:][good[at:]]
        if len(before) < 2 or len(after) < 2:
            continue
        change = after.mean(axis=0) - before.mean(axis=0)
        # Noise of a monthly share: what is left when the step is taken out, and no less than chance alone.
        left = np.concatenate((before - before.mean(axis=0), after - after.mean(axis=0)))
        level = np.clip(np.abs(own[good].mean(axis=0)), 0.002, 0.5)
        chance = np.sqrt(level * (1 - level) / max(float(np.median(total[good])), 1.0))
        noise = np.sqrt((left**2).sum(axis=0) / max(len(left) - 2, 1))
        noise = np.maximum(np.maximum(noise, chance), 0.002)
        z = change / (noise * np.sqrt(1 / len(before) + 1 / len(after)))
        up, down = int(np.argmax(change)), int(np.argmin(change))
        rise, fall = float(z[up]), float(-z[down])
        strength = (rise + fall) / np.sqrt(2)
        larger = max(float(change[up]), float(-change[down]))
        swap = min(float(change[up]), float(-change[down]))
        clear = strength > 8 and min(rise, fall) > 3.5 and swap > 0.012 and swap > 0.45 * larger
        if clear and (best is None or strength > best[0]):
            best = (strength, at, change)
    return None if best is None else (best[1], best[2])


def _conflicts(db: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Find crimes that got two different outcomes in one month: both cannot be how it ended."""
    rows = _ask(
        db,
        """
        WITH ended AS (SELECT force, month, id, count(DISTINCT type) AS kinds FROM outcomes
                      WHERE id IS NOT NULL GROUP BY ALL)
        SELECT force, min(month) FILTER (kinds > 1), count(*) FILTER (kinds > 1), count(*) FROM ended GROUP BY force
        """,
    )
    shares = [n / total for _, _, n, total in rows]
    usual = float(np.median(shares)) if len(shares) >= 4 else 0.0
    found = []
    for (force, first, n, _total), share in zip(rows, shares, strict=True):
        if n >= 10 and share > 0.002 and share > 3 * usual:
            text = f"{n:,} crimes ({share:.2%}) have two different outcomes in the same month."
            found.append(Finding("conflicting-outcomes", force, _said(first), int(n), (OUTCOMES,), text))
    return found


def _never_used(db: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Find outcomes that other forces use and this one never does, though it would be expected to."""
    rows = _ask(
        db, "SELECT force, type, count(*), min(month) FROM outcomes WHERE type IS NOT NULL GROUP BY ALL"
    )
    totals: dict[str, int] = {}
    firsts: dict[str, int] = {}
    for force, _, n, first in rows:
        totals[force] = totals.get(force, 0) + n
        firsts[force] = min(firsts.get(force, first), first)
    if len(totals) < 4:
        return []
    found = []
    for type_ in sorted({r[1] for r in rows}):
        used = {r[0]: r[2] for r in rows if r[1] == type_}
        shares = [used.get(f, 0) / totals[f] for f in totals]
        usual = float(np.median(shares))
        if len(used) < 0.6 * len(totals):
            continue
        for force in sorted(set(totals) - set(used)):
            missing = usual * totals[force]
            if missing >= 20:
                text = f"Never used; at the rate of the other forces there would be about {missing:,.0f}."
                where = f"{force}: {type_}"
                found.append(
                    Finding(
                        "never-used-outcome", where, _said(firsts[force]), round(missing), (OUTCOMES,), text
                    )
                )
    return found


def _unmatched(db: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Find months from which a force's outcomes no longer belong to its crimes: identifiers that start again."""
    rows = _ask(
        db,
        """
        WITH first AS (SELECT min(month) AS m FROM street),
             known AS (SELECT DISTINCT force, id FROM street WHERE id IS NOT NULL)
        SELECT o.force, o.month, count(*), count(k.id) FROM outcomes o
        LEFT JOIN known k ON o.force = k.force AND o.id = k.id
        WHERE o.id IS NOT NULL AND o.month >= (SELECT m FROM first) GROUP BY ALL ORDER BY ALL
        """,
    )
    crimes = {r[0] for r in _ask(db, "SELECT DISTINCT force FROM street")}
    found = []
    for force in sorted({r[0] for r in rows}):
        mine = [(m, n, k / n) for f, m, n, k in rows if f == force]
        if force not in crimes:
            size = sum(n for _, n, _ in mine)
            text = "There are outcomes and no crimes they could belong to."
            found.append(
                Finding(
                    "outcomes-without-crimes", force, _said(mine[0][0]), int(size), (OUTCOMES, COUNTS), text
                )
            )
            continue
        for (_, _, before), (month, n, share) in pairwise(mine[2:]):
            if n >= 30 and before > 0.4 and share < 0.4 * before:
                lost = sum(round(c * (before - s)) for m, c, s in mine if m >= month)
                text = f"{share:.0%} of the outcomes belong to a known crime, {before:.0%} the month before."
                found.append(
                    Finding("identifiers-restart", force, _said(month), int(lost), (OUTCOMES,), text)
                )
                break
    return found


def _heaping(db: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Find recording times that crowd just inside a deadline of 24 or 72 hours, with a gap after it."""
    rows = _ask(
        db,
        """
        SELECT force, strftime(min(reported), '%Y-%m'), list(epoch(recorded) - epoch(reported)) FROM delays
        GROUP BY force ORDER BY force
        """,
    )
    found = []
    for force, since, seconds in rows:
        hours = np.asarray(seconds, dtype=float) / 3600
        for deadline in (24.0, 72.0):
            inside = int(((hours > deadline - 1) & (hours <= deadline)).sum())
            earlier = int(((hours > deadline - 4) & (hours <= deadline - 1)).sum()) / 3
            after = int(((hours > deadline) & (hours <= deadline + 3)).sum()) / 3
            usual = (earlier + after) / 2
            if inside >= 20 and inside > 2 * usual + 6 * np.sqrt(usual + 1) and inside > 1.5 * earlier:
                text = f"{inside:,} fall into the last hour before {deadline:.0f} hours; about {usual:,.0f} expected."
                found.append(
                    Finding("heaping", force, since, round(inside - usual), ("recording compliance",), text)
                )
    return found
