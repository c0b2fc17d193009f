"""The board's charts as Vega-Lite: direct labels, zero baselines, Okabe-Ito colours, gaps drawn as gaps.

Each function takes plain values with their words and returns a specification. `narrow` is the shape for a phone:
a drawing is never shrunk until its words cannot be read. Specifications are remembered by
their values, which are the figures themselves; nobody may change one that was handed out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt

BLUE, VERMILLION, INK, QUIET, LINE, MIST = "#0072B2", "#D55E00", "#14181f", "#4a5568", "#98a3b5", "#eef1f6"
# One hue from light to dark (readable with any colour vision); the squares grow with the class as well.
CLASSES = ("#cfe3f5", "#8fc1e8", "#4b97d2", "#0072B2", "#0b1f3f")
FONT = "Atkinson Hyperlegible Next, Atkinson Hyperlegible, Arial, sans-serif"
WIDE, NARROW = 1160, 328
# Room for the numbers beside an axis: the page's own letters are wider than those that the drawing is measured with.
LABELS = 10


def finish(chart: Any, *, left: int = 2) -> dict[str, Any]:
    """Return a chart as the dictionary that is drawn from, in the house's looks, so much room left for labels."""
    done = chart.configure(
        background="transparent",
        font=FONT,
        aria=False,
        padding={"left": left, "right": 6, "top": 4, "bottom": 2},
    )
    done = done.configure_view(stroke=None).configure_axis(
        labelFont=FONT, labelFontSize=14, labelColor=INK, domainColor=QUIET, grid=False, ticks=False
    )
    found: dict[str, Any] = done.to_dict()
    return found


def rows_of(values: Sequence[dict[str, Any]]) -> Any:
    """Return rows as a chart's data."""
    return alt.Data(values=list(values))  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Bar:
    """One bar: its key, its label in one or two lines, its value (None where nothing was published) and words."""

    key: str
    label: tuple[str, ...]
    value: int | None
    words: str


@lru_cache(maxsize=256)
def columns(bars: tuple[Bar, ...], *, missing: str, narrow: bool = False) -> dict[str, Any]:
    """Draw counts by month from a zero baseline; a month without a file is an empty dashed place, not a zero."""
    top = max([b.value or 0 for b in bars] + [1])
    keys = [b.key for b in bars]
    values: list[dict[str, Any]] = [
        {
            "key": b.key,
            "n": b.value if b.value is not None else 0,
            "words": b.words if b.value is not None else "",
            "gap": top * (0.42 if narrow else 0.62) if b.value is None else None,
            "gone": missing if b.value is None else "",
        }
        for b in bars
    ]
    names = "{" + ",".join(f"'{b.key}':{list(b.label)!r}" for b in bars) + "}[datum.value]"
    base = alt.Chart(rows_of(values))
    if narrow:
        place = alt.Y("key:N", sort=keys, axis=alt.Axis(title=None, labelExpr=names + "[0]", domain=False))
        scale = alt.Scale(domain=[0, top * 1.28], nice=False)
        amount = alt.X("n:Q", axis=None, scale=scale)
        gap = alt.X("gap:Q", axis=None, scale=scale)
        words: dict[str, Any] = {"align": "left", "dx": 5, "baseline": "middle"}
        gone: dict[str, Any] = {"align": "left", "dx": 6, "baseline": "middle"}
        chart = alt.layer(
            base.mark_bar(color=BLUE, height=18).encode(y=place, x=amount),
            base.mark_bar(fillOpacity=0, stroke=QUIET, strokeDash=[4, 3], height=18).encode(y=place, x=gap),
            base.mark_text(fontSize=14, color=INK, **words).encode(y=place, x=amount, text="words:N"),
            base.mark_text(fontSize=13, color=QUIET, **gone).encode(y=place, x=amount, text="gone:N"),
        )
        return finish(chart.properties(width=NARROW - 62, height=26 * len(bars)))
    place_x = alt.X(
        "key:N",
        sort=keys,
        axis=alt.Axis(title=None, labelAngle=0, labelExpr=names, labelLineHeight=17),
        scale=alt.Scale(paddingInner=0.18, paddingOuter=0.05),
    )
    scale_y = alt.Scale(domain=[0, top * 1.08], nice=False)
    amount_y = alt.Y("n:Q", axis=None, scale=scale_y)
    gap_y = alt.Y("gap:Q", axis=None, scale=scale_y)
    small = 13 if len(bars) > 14 else 14
    layers = [
        base.mark_bar(color=BLUE).encode(x=place_x, y=amount_y),
        base.mark_bar(fillOpacity=0, stroke=QUIET, strokeDash=[4, 3]).encode(x=place_x, y=gap_y),
        base.mark_text(fontSize=13, color=QUIET, angle=270, align="left", dx=8).encode(
            x=place_x, y=amount_y, text="gone:N"
        ),
    ]
    if len(bars) <= 18:
        layers.append(
            base.mark_text(fontSize=small, color=INK, dy=-8).encode(x=place_x, y=amount_y, text="words:N")
        )
    else:
        ends = [b for b in values if b["words"] and b["key"] in (keys[0], keys[-1])]
        layers.append(
            alt.Chart(rows_of(ends))
            .mark_text(fontSize=small, color=INK, dy=-8)
            .encode(x=place_x, y=amount_y, text="words:N")
        )
    return finish(alt.layer(*layers).properties(width=WIDE - 16, height=250))


@lru_cache(maxsize=256)
def bars(rows: tuple[Bar, ...], *, narrow: bool = False) -> dict[str, Any]:
    """Draw counts by type as horizontal bars from zero, largest first, each with its label and number."""
    top = max([b.value or 0 for b in rows] + [1])
    values = [
        {"key": b.key, "name": b.label[0], "n": b.value or 0, "words": b.words, "zero": 0} for b in rows
    ]
    keys = [b.key for b in rows]
    names = "{" + ",".join(f"'{b.key}':{b.label[0]!r}" for b in rows) + "}[datum.value]"
    base = alt.Chart(rows_of(values))
    amount = alt.X("n:Q", axis=None, scale=alt.Scale(domain=[0, top * (1.24 if narrow else 1.1)], nice=False))
    return finish(
        _rows(base, amount, keys, names, narrow, [base.mark_bar(color=BLUE, height=14 if narrow else 18)])
    )


def _rows(base: Any, amount: Any, keys: list[str], names: str, narrow: bool, marks: list[Any]) -> Any:
    """Lay horizontal marks out by row: the label beside them, or above them on a phone."""
    step = 44 if narrow else 28
    place = alt.Y(
        "key:N",
        sort=keys,
        axis=None
        if narrow
        else alt.Axis(title=None, labelExpr=names, domain=False, labelLimit=320, labelPadding=8),
        scale=alt.Scale(paddingInner=0, paddingOuter=0),
    )
    shift: dict[str, Any] = {"yOffset": 8} if narrow else {}
    layers = []
    for mark in marks:
        mark.mark = alt.MarkDef(**{**mark.mark.to_dict(), **shift})
        layers.append(mark.encode(y=place, x=amount))
    layers.append(
        base.mark_text(fontSize=14, color=INK, align="left", dx=6, baseline="middle", **shift).encode(
            y=place, x=amount, text="words:N"
        )
    )
    if narrow:
        layers.append(
            base.mark_text(fontSize=14, color=INK, align="left", baseline="middle", dx=5, yOffset=-11).encode(
                y=place, x=alt.X("zero:Q"), text="name:N"
            )
        )
    width = NARROW - 10 if narrow else WIDE - 240
    return alt.layer(*layers).properties(width=width, height=step * len(keys))


@dataclass(frozen=True)
class Span:
    """A share with its interval, in percent, and its words; `value` None draws only the words."""

    key: str
    label: str
    value: float | None
    low: float
    high: float
    words: str


@lru_cache(maxsize=256)
def spans(
    rows: tuple[Span, ...], *, whole: float | None, whole_words: str, narrow: bool = False
) -> dict[str, Any]:
    """Draw shares as points on their intervals from zero; a thin line marks the share of all rows together."""
    top = max([s.high for s in rows if s.value is not None] + [1.0])
    values = [
        {
            "key": s.key,
            "name": s.label,
            "v": s.value,
            "low": s.low if s.value is not None else None,
            "high": s.high if s.value is not None else None,
            "words": s.words,
            "zero": 0,
        }
        for s in rows
    ]
    keys = [s.key for s in rows]
    names = "{" + ",".join(f"'{s.key}':{s.label!r}" for s in rows) + "}[datum.value]"
    base = alt.Chart(rows_of(values))
    width = NARROW - 10 if narrow else WIDE - 240
    scale = alt.Scale(domain=[0, top * (1.85 if narrow else 1.36)], nice=False)
    step = 44 if narrow else 28
    place = alt.Y(
        "key:N",
        sort=keys,
        axis=None
        if narrow
        else alt.Axis(title=None, labelExpr=names, domain=False, labelLimit=320, labelPadding=8),
        scale=alt.Scale(paddingInner=0, paddingOuter=0),
    )
    off = 8 if narrow else 0
    layers = []
    if whole is not None:
        line = alt.Chart(rows_of([{"x": whole, "words": whole_words, "zero": 0}]))
        layers.append(
            line.mark_rule(color=VERMILLION, strokeWidth=1.5).encode(x=alt.X("x:Q", axis=None, scale=scale))
        )
        layers.append(
            line.mark_text(color="#a34700", fontSize=13, align="left", dx=5, baseline="bottom", dy=-6).encode(
                x=alt.X("x:Q", axis=None, scale=scale), y=alt.value(0), text="words:N"
            )
        )
    layers += [
        alt.Chart(rows_of([{"x": 0}]))
        .mark_rule(color=LINE, strokeWidth=1)
        .encode(x=alt.X("x:Q", axis=None, scale=scale)),
        base.mark_rule(color=BLUE, strokeWidth=9, opacity=0.35, yOffset=off, y2Offset=off).encode(
            y=place, x=alt.X("low:Q", axis=None, scale=scale), x2="high:Q"
        ),
        base.mark_circle(color=BLUE, size=90, opacity=1, yOffset=off).encode(
            y=place, x=alt.X("v:Q", axis=None, scale=scale)
        ),
        # The words stand in a column of their own, clear of the line for all crimes.
        base.mark_text(fontSize=14, color=INK, align="right", baseline="middle", yOffset=off).encode(
            y=place, x=alt.value(width), text="words:N"
        ),
    ]
    if narrow:
        halos: tuple[dict[str, Any], ...] = ({"stroke": "white", "strokeWidth": 4}, {})
        for halo in halos:
            layers.append(
                base.mark_text(
                    fontSize=14, color=INK, align="left", baseline="middle", dx=5, yOffset=-11, **halo
                ).encode(y=place, x=alt.X("zero:Q", axis=None, scale=scale), text="name:N")
            )
    return finish(alt.layer(*layers).properties(width=width, height=step * len(keys)))


@dataclass(frozen=True)
class Dot:
    """One small area on the map: degrees east and north, and its class from 0 (fewest)."""

    lon: float
    lat: float
    cls: int


@dataclass(frozen=True)
class Label:
    """A place name written on the map."""

    lon: float
    lat: float
    words: str


def _window(
    dots: tuple[Dot, ...], rings: tuple[tuple[tuple[float, float], ...], ...]
) -> tuple[float, float, float, float, float]:
    """Return how much a degree east is shorter than one north here, and the window of the map: left, right, low, high.

    Areas published beyond the outline widen the map, but a stray one far away may not shrink the rest.
    """
    points = [p for ring in rings for p in ring] or _without_strays(dots)
    lat0 = (min(p[1] for p in points) + max(p[1] for p in points)) / 2
    shrink = math.cos(math.radians(lat0))
    left, right = min(p[0] for p in points) * shrink, max(p[0] for p in points) * shrink
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    reach = 0.3 * max(right - left, high - low, 0.004)
    near = [
        (d.lon * shrink, d.lat)
        for d in dots
        if left - reach <= d.lon * shrink <= right + reach and low - reach <= d.lat <= high + reach
    ]
    left, right = min([left, *(x for x, _ in near)]), max([right, *(x for x, _ in near)])
    low, high = min([low, *(y for _, y in near)]), max([high, *(y for _, y in near)])
    pad = 0.04 * max(right - left, high - low, 0.004)
    return shrink, left - pad, right + pad, low - pad, high + pad


def _without_strays(dots: tuple[Dot, ...]) -> list[tuple[float, float]]:
    """Return the corners of the middle 96 % of the areas, to look at when no outline is held."""
    if not dots:
        return [(0.0, 0.0)]
    lons, lats = sorted(d.lon for d in dots), sorted(d.lat for d in dots)
    cut = len(dots) // 50
    return [(lons[cut], lats[cut]), (lons[-1 - cut], lats[-1 - cut])]


def off_map(dots: tuple[Dot, ...], rings: tuple[tuple[tuple[float, float], ...], ...]) -> int:
    """Return how many areas lie too far away to be drawn."""
    shrink, left, right, low, high = _window(dots, rings)
    return sum(not (left <= d.lon * shrink <= right and low <= d.lat <= high) for d in dots)


@lru_cache(maxsize=256)
def area_map(
    dots: tuple[Dot, ...],
    rings: tuple[tuple[tuple[float, float], ...], ...],
    labels: tuple[Label, ...],
    *,
    narrow: bool = False,
) -> dict[str, Any]:
    """Draw small areas as squares, coloured and sized by class, over the force's outline when there is one.

    A square stands at the middle of an area's published map points, which are themselves moved to street
    anchors; it is never a place where something happened. One scale for both directions.
    """
    shrink, left, right, low, high = _window(dots, rings)

    def at(lon: float, lat: float) -> tuple[float, float]:
        return round(lon * shrink, 5), round(lat, 5)

    width = NARROW if narrow else 640
    height = round(width * (high - low) / (right - left))
    limit = round(width * 1.25)
    if height > limit:
        height = limit
        extra = (high - low) * width / height - (right - left)
        left, right = left - extra / 2, right + extra / 2
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[left, right], nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[low, high], nice=False, zero=False))
    layers = []
    if rings:
        line = []
        step = 2 if narrow else 1
        for number, ring in enumerate(rings):
            if len(ring) < 12 and len(rings) > 8:
                continue
            kept = list(ring[::step])
            for order, p in enumerate([*kept, ring[0]]):
                px, py = at(*p)
                line.append({"x": px, "y": py, "ring": number, "order": order})
        layers.append(
            alt.Chart(rows_of(line))
            .mark_line(fill=MIST, stroke=QUIET, strokeWidth=1.2, strokeJoin="round")
            .encode(x=x, y=y, detail="ring:N", order="order:Q")
        )
    # Squares shrink where there are many areas, so that a city's do not hide one another.
    room = min(150.0, max(12.0 if narrow else 22.0, width * height / (30 * max(len(dots), 1))))
    sizes = [round(room * part) for part in (1, 1.25, 1.55, 1.95, 2.5)]
    inside = [(at(d.lon, d.lat), d.cls) for d in sorted(dots, key=lambda d: (d.cls, d.lon, d.lat))]
    for cls in sorted({c for _, c in inside}):
        spot = [
            {"x": p[0], "y": p[1]}
            for p, c in inside
            if c == cls and left <= p[0] <= right and low <= p[1] <= high
        ]
        layers.append(
            alt.Chart(rows_of(spot))
            .mark_point(
                shape="square",
                filled=True,
                fill=CLASSES[min(cls, 4)],
                stroke=INK if cls < 2 else "white",
                strokeWidth=0.5,
                size=sizes[min(cls, 4)],
                opacity=1,
            )
            .encode(x=x, y=y)
        )
    names = [{"x": at(n.lon, n.lat)[0], "y": at(n.lon, n.lat)[1], "words": n.words} for n in labels]
    if names:
        base = alt.Chart(rows_of(names))
        size = 13 if narrow else 15
        for halo in (True, False):
            style: dict[str, Any] = (
                {"stroke": "white", "strokeWidth": 4, "strokeJoin": "round", "color": "white"}
                if halo
                else {"color": INK}
            )
            layers.append(
                base.mark_text(fontSize=size, fontWeight=700, baseline="bottom", dy=-8, **style).encode(
                    x=x, y=y, text="words:N"
                )
            )
    return finish(alt.layer(*layers).properties(width=width, height=height))
