"""Outlines of force areas, and charts as drawn."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.measure import Held
from counterfoil.engines.measure.draw import svg
from counterfoil.measures.queries.stock import boundaries, stock, tables
from counterfoil.reference import forces


@dataclass(frozen=True)
class Outline:
    """The rings of a force's area (longitude, latitude in degrees) and the file they come from."""

    rings: tuple[tuple[tuple[float, float], ...], ...]
    file: Held


def outline(viewer: Viewer, slug: str) -> Outline | None:
    """Return the outline of a force's area, or None when no boundary file is held or the force has no area."""
    one = boundaries(stock())
    if one is None:
        return None
    rings = _outlines(one.sha256).get(slug)
    return Outline(rings, one) if rings else None


@lru_cache(maxsize=2)
def _outlines(sha256: str) -> dict[str, tuple[tuple[tuple[float, float], ...], ...]]:
    found = {}
    for feature in json.loads(tables().published_bytes(sha256))["features"]:
        force = None
        for value in feature.get("properties", {}).values():
            try:
                force = forces.by_name(str(value))
                break
            except KeyError:
                continue
        if force is None:
            continue
        shape = feature["geometry"]
        polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        found[force.slug] = tuple(
            tuple((float(p[0]), float(p[1])) for p in ring) for polygon in polygons for ring in polygon
        )
    return found


def draw(spec: dict[str, Any]) -> str:
    """Return a chart as SVG text, drawn once for each specification."""
    return svg(spec, folder=tables().root / "drawn")
