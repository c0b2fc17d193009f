"""Charts across places: a funnel of shares by size, and a map of forces in few classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians
from typing import Any

import altair as alt
from markupsafe import Markup

from counterfoil.engines.measure.funnel import Funnel
from counterfoil.faces.board.charts import (
    BLUE,
    CLASSES,
    INK,
    LABELS,
    NARROW,
    QUIET,
    VERMILLION,
    WIDE,
    finish,
    rows_of,
)

SURE, VERY_SURE = 1.96, 3.09


@dataclass(frozen=True)
class Spot:
    """One place in a funnel: its name, its share in percent and how many cases that is divided by."""

    name: str
    value: float
    whole: int
    named: bool = False


@lru_cache(maxsize=256)
def funnel_plot(
    spots: tuple[Spot, ...], drawn: Funnel, *, across: str, all_words: str, narrow: bool = False
) -> dict[str, Any]:
    """Draw each place by its size and share, with the share of all and the limits of 95 % and 99.8 % around it.

    Places that are `named` carry their name; the others are only dots, because where a place lies within the funnel
    says nothing about it. `across` names the lower axis.
    """
    right = max([s.whole for s in spots] + [1]) * 1.04
    sizes = [right * (n / 60) ** 2 for n in range(3, 61)]
    rows = []
    for size in sizes:
        low, high = drawn.within(max(1, round(size)), VERY_SURE)
        inner, outer = drawn.within(max(1, round(size)), SURE)
        rows.append({"x": size, "a": low * 100, "b": high * 100, "c": inner * 100, "d": outer * 100})
    top = max([s.value for s in spots] + [drawn.share * 100]) * 1.25
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, right], nice=False),
        axis=alt.Axis(
            title=across,
            titleFontWeight=400,
            titleFontSize=14,
            tickCount=4 if narrow else 8,
            labelExpr="format(datum.value, ',')",
        ),
    )
    scale = alt.Scale(domain=[0, top], nice=False, clamp=True)
    percent = "datum.label + '%'"
    axis = alt.Axis(title=None, grid=True, gridColor="#e3e8f0", domain=False, tickCount=5, labelExpr=percent)
    y = alt.Y("y:Q", scale=scale, axis=axis)
    edges = alt.Chart(rows_of(rows))
    dots = [{"x": s.whole, "y": s.value, "words": s.name if s.named else ""} for s in spots]
    base = alt.Chart(rows_of(dots))
    line = alt.Chart(rows_of([{"y": drawn.share * 100, "x": right, "words": all_words}]))
    halos: tuple[dict[str, Any], ...] = ({"stroke": "white", "strokeWidth": 3}, {})
    # A name stands on the side where there is room for it.
    sides: tuple[tuple[str, Any], ...] = (("<=", "left"), (">", "right"))
    layers = [
        edges.mark_area(color=BLUE, opacity=0.10).encode(
            x=x, y=alt.Y("a:Q", scale=scale, axis=axis), y2="b:Q"
        ),
        edges.mark_area(color=BLUE, opacity=0.14).encode(
            x=x, y=alt.Y("c:Q", scale=scale, axis=axis), y2="d:Q"
        ),
        line.mark_rule(color=VERMILLION, strokeWidth=1.5).encode(y=y),
        line.mark_text(
            color="#a34700", fontSize=13, align="right", dy=-9, stroke="white", strokeWidth=3
        ).encode(x=x, y=y, text="words:N"),
        line.mark_text(color="#a34700", fontSize=13, align="right", dy=-9).encode(x=x, y=y, text="words:N"),
        base.mark_circle(color=BLUE, size=60, opacity=1, stroke="white", strokeWidth=0.7).encode(x=x, y=y),
        *(
            base.transform_filter(f"datum.x {side} {right / 2}")
            .mark_text(
                fontSize=12 if narrow else 13, color=INK, align=align, dx=7 if align == "left" else -7, **halo
            )
            .encode(x=x, y=y, text="words:N")
            for side, align in sides
            for halo in halos
        ),
    ]
    width, height = (NARROW - 44, 320) if narrow else (WIDE - 60, 380)
    return finish(alt.layer(*layers).properties(width=width, height=height), left=LABELS)


@dataclass(frozen=True)
class Shape:
    """A force on the map: its outline (longitude, latitude in degrees) and its class, None where it has no value."""

    rings: tuple[tuple[tuple[float, float], ...], ...]
    cls: int | None


def force_map(shapes: Sequence[Shape], *, width: int = 520, points: int = 48) -> Markup:
    """Return a map of forces as SVG: shaded by class, hatched where nothing is known, outlines simplified.

    Each outline keeps its largest rings with at most `points` points each; small islands are left away.
    """
    everything = [p for s in shapes for ring in s.rings for p in ring]
    if not everything:
        return Markup("")
    shrink = cos(radians((min(p[1] for p in everything) + max(p[1] for p in everything)) / 2))
    left, right = min(p[0] for p in everything) * shrink, max(p[0] for p in everything) * shrink
    low, high = min(p[1] for p in everything), max(p[1] for p in everything)
    scale = (width - 4) / (right - left)
    height = round((high - low) * scale) + 4

    def at(p: tuple[float, float]) -> str:
        return f"{2 + (p[0] * shrink - left) * scale:.0f} {2 + (high - p[1]) * scale:.0f}"

    hatch = (
        '<pattern id="none" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="6" height="6" fill="#fff"/><path d="M0 0V6" stroke="{QUIET}"/></pattern>'
    )
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<defs>{hatch}</defs>",
    ]
    for shape in shapes:
        large = [r for r in shape.rings if _extent(r) * scale > 6] or sorted(shape.rings, key=_extent)[-1:]
        path = ""
        for ring in large:
            kept = ring[:: max(1, -(-len(ring) // points))]
            path += "M" + "L".join(at(p) for p in kept) + "Z"
        fill = "url(#none)" if shape.cls is None else CLASSES[min(shape.cls, 4)]
        out.append(f'<path d="{path}" fill="{fill}" stroke="#fff" stroke-width="1"/>')
        if shape.cls is None:
            out.append(f'<path d="{path}" fill="none" stroke="{QUIET}" stroke-width=".6"/>')
    # Drawn here from imported outlines and our own figures: numbers only.
    return Markup("".join([*out, "</svg>"]))  # noqa: S704


def _extent(ring: Sequence[tuple[float, float]]) -> float:
    return max(max(p[i] for p in ring) - min(p[i] for p in ring) for i in (0, 1))
