"""From somebody's file to events at places: areas by name, or square cells laid over coordinates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from counterfoil.engines import rows
from counterfoil.engines.errors import BadInput
from counterfoil.engines.hotspots.models import Events

MOST_KINDS = 40
PLACES = (
    ("lon_e6", "lat_e6", 1e6),
    ("Longitude", "Latitude", 1.0),
    ("longitude", "latitude", 1.0),
    ("lon", "lat", 1.0),
)
EARTH_M = 111_320.0


@dataclass(frozen=True)
class Loaded:
    """Events, the name of each place, and a sentence on what was read."""

    events: Events
    names: list[str]
    sentence: str


def load(
    path: Path,
    *,
    time: str,
    area: str,
    x: str,
    y: str,
    crs: str,
    cell: float,
    where: str,
    plane: Callable[[Any, Any, str], tuple[Any, Any]],
) -> Loaded:
    """Read a file's events. Rows outside `where` are kept as other kinds of report, by the columns it names."""
    with duckdb.connect(config={"memory_limit": "1GB"}) as db:
        source = rows.table(path)
        known = rows.columns(db, source)
        kind = _kind_column(db, source, known, where, {time, area, x, y})
    centre = _centre(known) if area else None
    numbers = list(centre[:2]) if centre else ([x, y] if not area else [])
    found = _read(path, time, area, kind, numbers, where)
    scale = centre[2] if centre else 1.0
    if area:
        labels, place = [str(n) for n in found["names"]], found["area"].astype(np.int64)
        xy = _centres(found, place, len(labels), scale) if centre else np.zeros((len(labels), 2))
    else:
        east, north = found["x"], found["y"]
        column, row = np.floor(east / cell).astype(np.int64), np.floor(north / cell).astype(np.int64)
        cells, place = np.unique(np.column_stack((column, row)), axis=0, return_inverse=True)
        middle = (cells + 0.5) * cell
        if crs and (metric := plane(middle[:, 0], middle[:, 1], crs))[0] is not None:
            xy = np.column_stack(metric)
        else:
            xy = _metres(middle[:, 0], middle[:, 1])
        labels = [f"{c}:{r}" for c, r in cells]
    month = found["finest"] == "month"
    return Loaded(
        Events(
            days=found["minutes"] / 1440,
            place=place.ravel(),
            xy=xy,
            target=found["target"],
            kinds=found["kind"],
            step=30.4 if month else 0.0,
        ),
        labels,
        f"{int(found['target'].sum()):,} events of {len(place):,} rows, {len(labels):,} places, "
        f"times by the {found['finest']}.",
    )


def _kind_column(
    db: duckdb.DuckDBPyConnection, source: str, known: dict[str, str], where: str, used: set[str]
) -> str:
    """Return the column of few values that a condition names: rows it leaves out still tell of their places."""
    for column, type_ in known.items():
        named = re.search(rf"(?<!\w){re.escape(column)}(?!\w)", where, re.IGNORECASE)
        if named and column not in used and type_ in ("VARCHAR", "BIGINT", "INTEGER", "TINYINT", "SMALLINT"):
            asked = f"SELECT approx_count_distinct({rows.quoted(column)}) FROM {source}"  # noqa: S608
            if (db.execute(asked).fetchone() or (0,))[0] <= MOST_KINDS:
                return column
    return ""


def _centre(known: dict[str, str]) -> tuple[str, str, float] | None:
    return next((p for p in PLACES if p[0] in known and p[1] in known), None)


def _read(path: Path, time: str, area: str, kind: str, numbers: list[str], where: str) -> dict[str, Any]:
    at = "true" if not where else f"coalesce(({where}), false)"
    with duckdb.connect(config={"memory_limit": "1500MB"}) as db:
        source = rows.table(path)
        known = rows.columns(db, source)
        when = rows.pick(known, time, "--time")
        moment, fine = rows.moment(known[when], rows.quoted(when))
        parts = [f"epoch_us({moment}) // 60000000 AS minutes", f"{fine} AS fine", f"{at} AS target"]
        if area:
            column = rows.quoted(rows.pick(known, area, "--area"))
            parts.append(f"nullif(trim(CAST({column} AS VARCHAR)), '') AS area")
        for name, column in zip(("x", "y"), numbers, strict=False):
            parts.append(
                f"TRY_CAST({rows.quoted(rows.pick(known, column, '--x or --y'))} AS DOUBLE) AS {name}"
            )
        if kind:
            parts.append(f"CAST({rows.quoted(kind)} AS VARCHAR) AS kind")
        keep = ["minutes IS NOT NULL", "area IS NOT NULL" if area else "x IS NOT NULL AND y IS NOT NULL"]
        if not kind:
            keep.append("target")
        try:
            db.execute(
                f"CREATE TEMP TABLE r AS SELECT * FROM (SELECT {', '.join(parts)} FROM {source}) "  # noqa: S608
                f"WHERE {' AND '.join(keep)}"
            )
        except duckdb.Error as e:
            raise BadInput(
                "--where", f"The file could not be asked that: {str(e).splitlines()[0][:300]}"
            ) from None
        # Names become numbers here: a million texts are slow to carry over, a million numbers are not.
        named = [c for c, wanted in (("area", area), ("kind", kind)) if wanted]
        for c in named:
            db.execute(
                f"CREATE TEMP TABLE {c}s AS SELECT {c}, row_number() OVER (ORDER BY {c}) - 1 AS n "  # noqa: S608
                f"FROM (SELECT DISTINCT {c} FROM r)"
            )
        plainly = ["minutes", "fine", "target", *("x", "y")[: len(numbers)]]
        asked = [f"r.{c}" for c in plainly] + [f"{c}s.n AS {c}" for c in named]
        joins = " ".join(f"LEFT JOIN {c}s ON r.{c} IS NOT DISTINCT FROM {c}s.{c}" for c in named)
        got = db.execute(f"SELECT {', '.join(asked)} FROM r {joins}").fetchnumpy()  # noqa: S608
        names = [row[0] for row in db.execute("SELECT area FROM areas ORDER BY n").fetchall()] if area else []
    if not len(got["minutes"]):
        raise BadInput("--time", "No row has both a time and a place.")
    plain: dict[str, Any] = {name: np.ma.getdata(values) for name, values in got.items()}
    plain["names"] = names
    plain["finest"] = {0: "month", 1: "day", 2: "minute"}[int(plain["fine"].max())]
    plain["target"] = plain["target"].astype(bool)
    plain["kind"] = plain["kind"].astype(np.int64) if kind else None
    if not plain["target"].any():
        raise BadInput("--where", "No row fulfils the condition.")
    return plain


def _centres(found: dict[str, Any], place: Any, many: int, scale: float) -> Any:
    """Return each area's middle in metres, from the points of its events."""
    x = np.nan_to_num(found["x"].astype(float)) / scale
    y = np.nan_to_num(found["y"].astype(float)) / scale
    n = np.maximum(np.bincount(place, minlength=many), 1)
    return _metres(
        np.bincount(place, weights=x, minlength=many) / n, np.bincount(place, weights=y, minlength=many) / n
    )


def _metres(lon: Any, lat: Any) -> Any:
    middle = np.cos(np.radians(np.median(lat)))
    return np.column_stack((np.asarray(lon) * EARTH_M * middle, np.asarray(lat) * EARTH_M))
