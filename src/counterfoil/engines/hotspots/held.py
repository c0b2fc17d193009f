"""Events of one force from published tables held: months, small areas and types, and nothing of any person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from counterfoil.engines.hotspots.models import Events, Floats
from counterfoil.engines.hotspots.score import caught, choose, earlier, intervals, picked
from counterfoil.engines.rows import database

EARTH_M = 111_320.0
MONTH = 30.4


@dataclass(frozen=True)
class Areas:
    """Small areas with their events: `codes`, `names`, `lon` and `lat` in degrees stand in the events' order."""

    events: Events
    codes: list[str]
    names: list[str]
    lon: Floats
    lat: Floats
    last: str

    @property
    def until(self) -> float:
        """Return the first day after the last month held."""
        return float((np.datetime64(self.last) + 1).astype("datetime64[D]").astype(np.int64))


@dataclass(frozen=True)
class Spot:
    """An area that a surface points to, with the count to expect in the month and its 90 % bounds."""

    code: str
    name: str
    lon: float
    lat: float
    expected: float
    low: int
    high: int


@dataclass(frozen=True)
class Surface:
    """Where reports of a type will cluster in the month after `last`, and how well that was foretold before.

    Over `spans` earlier months the same choice caught `hits` of `n`, where as many areas could have caught `best`.
    `next` are as many areas again, the next in rank: what patrols are compared with. `codes` are all areas.
    """

    last: str
    model: str
    why: str
    spots: tuple[Spot, ...]
    next: tuple[Spot, ...]
    codes: tuple[str, ...]
    spans: int
    hits: int
    n: int
    best: int


def areas(parts: Sequence[tuple[str, str, Sequence[str]]], kind: str) -> Areas | None:
    """Read held tables (path, force or "" for the whole file, its months) of which `kind` is the type to foretell."""
    sql, values = [], list[object]()
    for path, force, months in parts:
        columns = "month, crime_type, lsoa_code, lsoa_name, lon_e6, lat_e6"
        sql.append(f"SELECT {columns} FROM read_parquet(?)")  # noqa: S608
        values.append(path)
        if force:
            sql[-1] += " WHERE force = ? AND list_contains(?, month)"
            values += [force, list(months)]
    if not sql:
        return None
    with database() as db:
        db.execute(
            f"CREATE TEMP TABLE r AS SELECT * FROM ({' UNION ALL '.join(sql)}) WHERE lsoa_code IS NOT NULL",  # noqa: S608
            values,
        )
        known = db.execute(
            "SELECT lsoa_code, min(lsoa_name), avg(lon_e6) / 1e6, avg(lat_e6) / 1e6 FROM r GROUP BY 1 ORDER BY 1"
        ).fetchall()
        rows = db.execute(
            "SELECT month, crime_type, lsoa_code, count(*) FROM r GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    if not any(row[1] == kind for row in rows):
        return None
    place = {row[0]: i for i, row in enumerate(known)}
    kinds = {name: i for i, name in enumerate(sorted({row[1] for row in rows}))}
    many = np.array([row[3] for row in rows])
    days = np.array([np.datetime64(row[0]).astype("datetime64[D]").astype(np.int64) for row in rows])
    lon, lat = (np.array([row[k] if row[k] is not None else np.nan for row in known]) for k in (2, 3))
    lon, lat = (
        np.where(np.isfinite(v), v, np.nanmean(v) if np.isfinite(v).any() else 0.0) for v in (lon, lat)
    )
    east = lon * EARTH_M * np.cos(np.radians(np.median(lat)))
    kind_of = np.repeat([kinds[row[1]] for row in rows], many)
    return Areas(
        Events(
            days=np.repeat(days, many).astype(np.float64),
            place=np.repeat([place[row[2]] for row in rows], many),
            xy=np.column_stack((east, lat * EARTH_M)),
            target=kind_of == kinds[kind],
            kinds=kind_of,
            step=MONTH,
        ),
        [row[0] for row in known],
        [row[1] or row[0] for row in known],
        lon,
        lat,
        max(row[0] for row in rows),
    )


def surface(found: Areas, share: float) -> Surface:
    """Point to a share of the areas for the month after the last one held, with the model that earned its place."""
    events, until = found.events, found.until
    model, why = choose(events, until, MONTH, share)
    chosen = picked(events, model, until, MONTH, share)
    ranked = picked(events, model, until, MONTH, min(1.0, 2 * share))
    following = np.array([i for i in ranked if i not in set(chosen.tolist())], dtype=np.int64)[: len(chosen)]
    origins = earlier(events, until, MONTH)
    hits, n, best = caught(events, origins, MONTH, share, model)

    def spots(these: np.ndarray) -> tuple[Spot, ...]:
        expected, low, high = intervals(events, until, MONTH, these, share)
        return tuple(
            Spot(
                found.codes[i],
                found.names[i],
                float(found.lon[i]),
                float(found.lat[i]),
                float(e),
                int(lo),
                int(hi),
            )
            for i, e, lo, hi in zip(these, expected, low, high, strict=True)
        )

    return Surface(
        found.last, model, why, spots(chosen), spots(following), tuple(found.codes), len(origins), hits, n, best
    )  # fmt: skip


def between(found: Areas, codes: Sequence[str], first: str, last: str) -> int:
    """Return how many events of the type some areas had in the months from `first` to `last`."""
    wanted = np.isin(np.array(found.codes), list(codes))
    since = float(np.datetime64(first).astype("datetime64[D]").astype(np.int64))
    until = float((np.datetime64(last) + 1).astype("datetime64[D]").astype(np.int64))
    return int(found.events.counts(since, until)[wanted].sum())


def months(found: Areas) -> tuple[str, ...]:
    """Return the months held, in order."""
    days = np.unique(found.events.days).astype("datetime64[D]").astype("datetime64[M]")
    return tuple(str(m) for m in days)
