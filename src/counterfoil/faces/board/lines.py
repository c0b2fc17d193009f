"""Charts over time: a line that stops where nothing is known, its interval, breaks in the series, and what is aimed at.

`over_time` is a Vega-Lite chart like those of `charts`; `small` is the same thing as a few hundred bytes of SVG, for a
page that shows many of them on one scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt
from markupsafe import Markup, escape

from counterfoil.faces.board.charts import (
    BLUE,
    INK,
    LABELS,
    LINE,
    NARROW,
    QUIET,
    VERMILLION,
    WIDE,
    finish,
    rows_of,
)


@dataclass(frozen=True)
class Moment:
    """One point in time: `at` in years (2021.25), its value (None where nothing is known), interval and words.

    `words` are written beside the point; `ahead` says that it is worked out for a time to come and not counted.
    """

    at: float
    value: float | None
    low: float | None = None
    high: float | None = None
    words: str = ""
    ahead: bool = False


@dataclass(frozen=True)
class BreakAt:
    """A break in the series: nothing from `at` on may be compared with what came before."""

    at: float
    words: str


@dataclass(frozen=True)
class Aim:
    """What is aimed at: a level, by when (in years), its words, and the steady path to it from the baseline."""

    at: float
    level: float
    words: str
    path: tuple[tuple[float, float], ...] = ()


def pieces(moments: Sequence[Moment], breaks: Sequence[BreakAt] = ()) -> list[list[Moment]]:
    """Cut moments where a value is missing or the series breaks: a line may join only what can be compared.

    The first moment ahead goes on from the last one counted, so that what is foretold begins where it stands.
    """
    found: list[list[Moment]] = [[]]
    before: Moment | None = None
    for one in moments:
        broken = before is not None and any(before.at < b.at <= one.at for b in breaks)
        if one.value is None or broken:
            found.append([])
        if one.value is not None:
            if before is not None and one.ahead and not before.ahead and found[-1]:
                found.append([before])
            found[-1].append(one)
        before = one
    return [piece for piece in found if piece]


@lru_cache(maxsize=256)
def over_time(
    moments: tuple[Moment, ...],
    *,
    ticks: tuple[tuple[float, str], ...],
    breaks: tuple[BreakAt, ...] = (),
    aim: Aim | None = None,
    unit: str = "",
    narrow: bool = False,
) -> dict[str, Any]:
    """Draw values over time from a zero baseline: the line, its interval as a band, breaks, and a target as a diamond.

    `ticks` are places on the axis of time with their words; `unit` is written after each value of the other axis ("%").
    What lies ahead is dashed. A phone gets the same chart narrower, with every second tick.
    """
    known = [m for m in moments if m.value is not None]
    tops = [m.high if m.high is not None else m.value or 0.0 for m in known]
    top = max([*tops, *([aim.level] if aim else []), *(v for _, v in (aim.path if aim else ())), 1e-9])
    places = [m.at for m in moments] + ([aim.at] if aim else [])
    first, last = (min(places), max(places)) if places else (0.0, 1.0)
    room = (last - first or 1.0) * (0.17 if narrow else 0.06)
    shown = ticks[:: max(1, -(-len(ticks) // 4))] if narrow else ticks[:: max(1, -(-len(ticks) // 12))]
    names = "{" + ",".join(f"'{at:.10g}':{said!r}" for at, said in shown) + "}[''+datum.value]"
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[first, last + room], nice=False, zero=False),
        axis=alt.Axis(title=None, values=[at for at, _ in shown], labelExpr=names, labelOverlap=True),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[0, top * 1.12], nice=False),
        axis=alt.Axis(
            title=None, tickCount=4, grid=True, gridColor="#e3e8f0", domain=False,
            labelExpr=f"format(datum.value, ',') + {unit!r}",
        ),
    )  # fmt: skip
    line, band, alone = [], [], []
    for number, piece in enumerate(pieces(moments, breaks)):
        for m in piece:
            row = {"x": m.at, "y": m.value, "piece": number, "ahead": piece[-1].ahead}
            line.append(row)
            if m.low is not None and m.high is not None:
                band.append({"x": m.at, "y": m.low, "top": m.high, "piece": number})
        if len(piece) == 1:
            alone.append({"x": piece[0].at, "y": piece[0].value})
    layers: list[Any] = []
    if band:
        layers.append(
            alt.Chart(rows_of(band))
            .mark_area(color=BLUE, opacity=0.22)
            .encode(x=x, y=y, y2="top:Q", detail="piece:N")
        )
    if aim is not None:
        if aim.path:
            rows = [{"x": at, "y": v} for at, v in aim.path]
            layers.append(
                alt.Chart(rows_of(rows)).mark_line(color=VERMILLION, strokeWidth=1.5).encode(x=x, y=y)
            )
        goal = alt.Chart(rows_of([{"x": aim.at, "y": aim.level, "words": aim.words}]))
        layers += [
            goal.mark_point(shape="diamond", filled=True, color=VERMILLION, size=90, opacity=1).encode(
                x=x, y=y
            ),
            goal.mark_text(align="right", dx=4, dy=16, fontSize=13, color="#a34700").encode(
                x=x, y=y, text="words:N"
            ),
        ]
    base = alt.Chart(rows_of(line))
    layers += [
        base.transform_filter("!datum.ahead")
        .mark_line(color=BLUE, strokeWidth=2)
        .encode(x=x, y=y, detail="piece:N"),
        base.transform_filter("datum.ahead")
        .mark_line(color=BLUE, strokeWidth=2, strokeDash=[5, 4])
        .encode(x=x, y=y, detail="piece:N"),
    ]
    if alone:
        layers.append(alt.Chart(rows_of(alone)).mark_circle(color=BLUE, size=45, opacity=1).encode(x=x, y=y))
    said = [{"x": m.at, "y": m.value, "words": m.words} for m in known if m.words]
    if said:
        marked = alt.Chart(rows_of(said))
        layers += [
            marked.mark_circle(color=BLUE, size=60, opacity=1).encode(x=x, y=y),
            marked.mark_text(dy=-12, fontSize=14, fontWeight=700, color=INK, align="left", dx=-4).encode(
                x=x, y=y, text="words:N"
            ),
        ]
    if breaks:
        cut = alt.Chart(rows_of([{"x": b.at, "words": b.words} for b in breaks]))
        layers += [
            cut.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x=x),
            cut.mark_text(
                angle=270, align="right", baseline="bottom", dy=-3, dx=-2, fontSize=12, color=QUIET
            ).encode(x=x, y=alt.value(0), text="words:N"),
        ]
    width, height = (NARROW - 52, 240) if narrow else (WIDE - 80, 300)
    return finish(alt.layer(*layers).properties(width=width, height=height), left=LABELS)


def small(
    moments: Sequence[Moment],
    *,
    top: float,
    span: tuple[float, float] | None = None,
    breaks: Sequence[BreakAt] = (),
    aim: Aim | None = None,
    missing: str = "",
    width: int = 260,
    height: int = 72,
) -> Markup:
    """Return a small drawing of values over time as SVG; nothing is known where there is a hatched place.

    `top` is the highest value of the scale and `span` its first and last time: give both the same to every drawing of
    a page. Words stand beside it in the page; only `missing` is drawn, where there is nothing at all.
    """
    times = [m.at for m in moments] + ([aim.at] if aim else []) + [p[0] for p in (aim.path if aim else ())]
    first, last = span or ((min(times), max(times)) if times else (0.0, 1.0))
    wide, high = width - 8, height - 8

    def px(at: float) -> float:
        return round(4 + wide * (at - first) / ((last - first) or 1.0), 1)

    def py(value: float) -> float:
        return round(4 + high * (1 - min(value, top) / (top or 1.0)), 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    ]
    out.append(f'<path d="M4 {height - 4}H{width - 4}" stroke="{LINE}" fill="none"/>')
    gaps = [m.at for m in moments if m.value is None]
    step = wide / max(len(moments), 1)
    out += [
        f'<rect x="{round(px(at) - step / 2, 1)}" y="4" width="{round(step, 1)}" height="{high}" '
        f'fill="none" stroke="{LINE}" stroke-dasharray="2 3"/>'
        for at in gaps
        if len(gaps) < len(moments)
    ]
    if not any(m.value is not None for m in moments):
        out.append(
            f'<text x="{width // 2}" y="{height // 2}" text-anchor="middle" font-size="13" '
            f'font-family="sans-serif" fill="{QUIET}">{escape(missing)}</text>'
        )
    for b in breaks:
        out.append(
            f'<path d="M{px(b.at)} 4V{height - 4}" stroke="{QUIET}" stroke-dasharray="2 3" fill="none"/>'
        )
    for piece in pieces(moments, breaks):
        sure = [m for m in piece if m.low is not None and m.high is not None]
        if len(sure) > 1:
            up = " ".join(f"{px(m.at)},{py(m.high or 0)}" for m in sure)
            down = " ".join(f"{px(m.at)},{py(m.low or 0)}" for m in reversed(sure))
            out.append(f'<polygon points="{up} {down}" fill="{BLUE}" opacity=".22"/>')
        elif sure:
            m = sure[0]
            out.append(
                f'<path d="M{px(m.at)} {py(m.high or 0)}V{py(m.low or 0)}" stroke="{BLUE}" '
                'stroke-width="5" opacity=".3"/>'
            )
        dash = ' stroke-dasharray="4 3"' if piece[-1].ahead else ""
        if len(piece) > 1:
            points = " ".join(f"{px(m.at)},{py(m.value or 0)}" for m in piece)
            out.append(f'<polyline points="{points}" fill="none" stroke="{BLUE}" stroke-width="2"{dash}/>')
        if not piece[-1].ahead:
            m = piece[-1]
            out.append(f'<circle cx="{px(m.at)}" cy="{py(m.value or 0)}" r="2.5" fill="{BLUE}"/>')
    if aim is not None:
        if aim.path:
            points = " ".join(f"{px(at)},{py(v)}" for at, v in aim.path)
            out.append(f'<polyline points="{points}" fill="none" stroke="{VERMILLION}" stroke-width="1.3"/>')
        x, y = px(aim.at), py(aim.level)
        out.append(f'<path d="M{x} {y - 4}l4 4-4 4-4-4z" fill="{VERMILLION}"/>')
    # Drawn here from our own figures: no text of a visitor's is in it.
    return Markup("".join([*out, "</svg>"]))  # noqa: S704
