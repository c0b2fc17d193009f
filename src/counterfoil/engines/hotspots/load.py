"""From somebody's file to events at places: areas by name, or square cells laid over coordinates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from counterfoil.engines import rows
from counterfoil.engines.hotspots.fair import no_person
from counterfoil.engines.hotspots.models import Events, Floats

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
    """Read a file's events. Rows outside `where` are kept as other kinds of report, by the columns it names.

    A column that tells of a person or a home is refused, as a place and in the condition.
    """
    with rows.database() as db:
        known = rows.columns(db, rows.table(path))
    named = [c for c in known if re.search(rf"(?<!\w){re.escape(c)}(?!\w)", where, re.IGNORECASE)]
    no_person([c for c in (area, x, y) if c])
    no_person(named, "--where")
    near = next((p for p in PLACES if p[0] in known and p[1] in known), None) if area else None
    found = rows.read(
        path,
        time=time,
        numbers=() if area else (x, y),
        names=(area,) if area else (),
        maybe=near[:2] if near else (),
        where=where,
        beside=True,
    )
    points, width = None, 0.0
    if area:
        labels, place = found.names[area].labels, found.names[area].code
        xy = np.zeros((len(labels), 2))
        if near:
            east, north = (found.numbers[c] / near[2] for c in near[:2])
            xy = _metres(_middle(east, place, len(labels)), _middle(north, place, len(labels)))
    else:
        at = np.column_stack((found.numbers[x], found.numbers[y]))
        cells, place = np.unique(np.floor(at / cell).astype(np.int64), axis=0, return_inverse=True)
        labels, middle = [f"{c}:{r}" for c, r in cells], (cells + 0.5) * cell

        def measured(these: Any) -> Any:
            east, north = plane(these[:, 0], these[:, 1], crs) if crs else (None, None)
            if east is not None and north is not None:
                return np.column_stack((east, north))
            return _metres(these[:, 0], these[:, 1], float(np.median(middle[:, 1])))

        xy, points = measured(middle), measured(at)
        width = float(np.ptp(measured(np.array([[0.0, 0.0], [0.0, cell]]))[:, 1]))
    month = found.finest == "month"
    return Loaded(
        Events(
            days=found.minutes / 1440,
            place=np.asarray(place).ravel(),
            xy=xy,
            target=found.meets,
            kinds=found.kinds.code if found.kinds else None,
            step=30.4 if month else 0.0,
            points=points,
            width=width,
        ),
        labels,
        f"{int(found.meets.sum()):,} events of {len(place):,} rows, {len(labels):,} places, "
        f"times by the {found.finest}.",
    )


def _middle(values: Floats, place: Any, many: int) -> Floats:
    """Return each area's mean of a coordinate over the events that have one."""
    good = np.isfinite(values)
    n = np.bincount(place[good], minlength=many)
    total = np.bincount(place[good], weights=values[good], minlength=many)
    return np.where(n, total / np.maximum(n, 1), np.median(values[good]) if good.any() else 0.0)


def _metres(lon: Any, lat: Any, middle: float | None = None) -> Any:
    turn = np.cos(np.radians(np.median(lat) if middle is None else middle))
    return np.column_stack((np.asarray(lon) * EARTH_M * turn, np.asarray(lat) * EARTH_M))
