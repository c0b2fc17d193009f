"""Pages on the charge rate: what young crimes will have come to after a year, and why the rate changed."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import altair as alt
from django.http import Http404, HttpRequest, HttpResponseBase

from counterfoil.engines.errors import BadInput
from counterfoil.engines.forecast.cohorts import Nowcast
from counterfoil.faces.board import words
from counterfoil.faces.board.charts import (
    BLUE,
    INK,
    NARROW,
    QUIET,
    WIDE,
    Span,
    finish,
    rows_of,
    spans,
)
from counterfoil.faces.board.page import Spec, csv_file, page, pair, show, svg_file
from counterfoil.faces.kit.language import gettext
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.measures.queries import ahead
from counterfoil.reference.forces import Force

APART = (0, 3, 6, 9, 12)


def percent(value: float | None) -> str:
    """Write a share in percent with one decimal, or that it is not known."""
    return gettext("not known") if value is None else f"{value:.1f}%"


def points(value: Decimal) -> str:
    """Write a change in percentage points with its sign."""
    return f"{value:+}" if value else "0.00"


def why_unknown(one: Nowcast) -> str:
    """Say why a nowcast is not known; empty when it is."""
    return {
        "": "",
        "missing": gettext("not known: crimes or outcomes of these months were not published, or came half"),
        "odd": gettext(
            "not known: the first outcomes are so unlike this force’s others that the files must differ"
        ),
        "history": gettext("not known: nothing comparable has been followed for so long"),
    }[one.why]


def expected(one: Nowcast) -> str:
    """Say what share to expect, with its interval, or why that is not known."""
    if one.rate is None:
        return why_unknown(one)
    return gettext("%(rate)s (%(low)s to %(high)s)") % {
        "rate": percent(one.rate),
        "low": percent(one.low),
        "high": percent(one.high),
    }


def _span(key: str, label: str, one: Nowcast) -> Span:
    said = gettext("not known") if one.rate is None else percent(one.rate)
    return Span(key, label, one.rate, one.low or 0.0, one.high or 0.0, said)


def _young(request: HttpRequest) -> list[tuple[Force, Nowcast | None]]:
    """Return every force with its newest quarter's nowcast."""
    found: list[tuple[Force, Nowcast | None]] = []
    for line in queries.board(viewer_of(request)).lines:
        try:
            young = ahead.young(viewer_of(request), line.slug).quarters
        except BadInput:
            young = ()
        found.append((line.force, young[-1] if young else None))
    return found


def _all_spec(found: Iterable[tuple[Force, Nowcast | None]]) -> Spec | None:
    known = sorted(
        ((f, n) for f, n in found if n is not None and n.rate is not None),
        key=lambda i: (-(i[1].rate or 0), i[0].slug),
    )
    rows = tuple(_span(f.slug, words.name_of(f), n) for f, n in known)
    return (lambda narrow: spans(rows, whole=None, whole_words="", narrow=narrow)) if rows else None


@page
def changes(request: HttpRequest) -> HttpResponseBase:
    """Show what share of each force's newest crimes will have been charged after a year."""
    found = _young(request)
    newest = next((n for _, n in found if n is not None), None)
    facts = {"found": found, "expected": expected, "percent": percent, "newest": newest}
    return show(request, "board/changes.html", {**facts, "drawn": pair(_all_spec(found))})


@page
def changes_csv(request: HttpRequest) -> HttpResponseBase:
    """Give the same as CSV; what is not known is an empty cell with its reason beside it."""
    head = ("force", "recorded_from", "recorded_to", "crimes", "charged_so_far_percent", "after_a_year_percent",
            "low_90", "high_90", "not_known_because")  # fmt: skip
    rows = [(f.slug, *(("",) * 8 if n is None else _cells(n))) for f, n in _young(request)]
    return csv_file("charged-after-a-year.csv", [head, *rows])


def _cells(n: Nowcast) -> tuple[object, ...]:
    shares = (None if v is None else round(v, 2) for v in (n.so_far, n.rate, n.low, n.high))
    return (n.months[0], n.months[-1], n.crimes, *shares, n.why)


@page
def changes_svg(request: HttpRequest) -> HttpResponseBase:
    """Give the chart of all forces."""
    return svg_file(request, "charged-after-a-year.svg", _all_spec(_young(request)))


def _apart(request: HttpRequest) -> int:
    """Return how many months apart the quarters to compare are; anything else than a choice offered is not found."""
    text = request.GET.get("apart", "0")
    if text not in {str(a) for a in APART}:
        raise Http404
    return int(text)


def part_words() -> dict[str, str]:
    """Return the names of the parts of a change."""
    return {
        "mix": gettext("Other crimes than before"),
        "recording": gettext("Counted differently"),
        "timing": gettext("Less time so far"),
        "real": gettext("Charged more or less often"),
    }


def _parts_spec(change: ahead.Change) -> Spec | None:
    if change.parts is None:
        return None
    shown = change.parts.shown()
    names = {**part_words(), "change": gettext("The change")}
    order = [*part_words(), "change"]

    def draw(narrow: bool) -> dict[str, Any]:
        return _signed(
            [(k, names[k], float(shown[k]), points(shown[k]), k == "change") for k in order], narrow
        )

    return draw


def _signed(rows: list[tuple[str, str, float, str, bool]], narrow: bool) -> dict[str, Any]:
    """Draw amounts above and below nothing as bars to the right and left of a line."""
    values: list[dict[str, Any]] = [
        {"key": k, "name": name, "v": v, "words": said, "zero": 0, "sum": total, "side": v >= 0}
        for k, name, v, said, total in rows
    ]
    keys = [k for k, *_ in rows]
    reach = max([abs(v["v"]) for v in values] + [0.01]) * (1.7 if narrow else 1.25)
    base = alt.Chart(rows_of(values))
    label = "{" + ",".join(f"'{k}':{name!r}" for k, name, *_ in rows) + "}[datum.value]"
    x = alt.X("v:Q", axis=None, scale=alt.Scale(domain=[-reach, reach], nice=False))
    axis = (
        None
        if narrow
        else alt.Axis(title=None, labelExpr=label, domain=False, labelLimit=320, labelPadding=8)
    )
    y = alt.Y("key:N", sort=keys, axis=axis, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    off: dict[str, Any] = {"yOffset": 8} if narrow else {}
    colour = alt.condition("datum.sum", alt.value(INK), alt.value(BLUE))
    layers = [
        alt.Chart(rows_of([{"v": 0}])).mark_rule(color=QUIET).encode(x=x),
        base.mark_bar(height=16, **off).encode(x=x, x2="zero:Q", y=y, color=colour),
        base.transform_filter("datum.side")
        .mark_text(align="left", dx=6, fontSize=14, color=INK, baseline="middle", **off)
        .encode(x=x, y=y, text="words:N"),
        base.transform_filter("!datum.side")
        .mark_text(align="right", dx=-6, fontSize=14, color=INK, baseline="middle", **off)
        .encode(x=x, y=y, text="words:N"),
    ]
    if narrow:
        named = base.mark_text(fontSize=14, color=INK, align="left", baseline="middle", yOffset=-11)
        layers.append(named.encode(x=alt.value(2), y=y, text="name:N"))
    width = NARROW - 10 if narrow else WIDE - 260
    return finish(alt.layer(*layers).properties(width=width, height=(44 if narrow else 32) * len(rows)))


def _quarters_spec(young: ahead.Young) -> Spec | None:
    rows = tuple(
        _span(n.months[0], words.period(n.months[0], n.months[-1]), n)
        for n in young.quarters
        if n.rate is not None
    )
    return (lambda narrow: spans(rows, whole=None, whole_words="", narrow=narrow)) if rows else None


@page
def change(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show what a force's crimes will have come to after a year, and why its charge rate changed."""
    apart = _apart(request)
    young = ahead.young(viewer_of(request), slug)
    why = ahead.change(viewer_of(request), slug, apart)
    facts = {
        "young": young,
        "change": why,
        "apart": apart,
        "choices": APART,
        "shown": why.parts.shown() if why.parts else {},
        "names": part_words(),
        "expected": expected,
        "percent": percent,
        "points": points,
        "rate": lambda fraction: f"{float(fraction) * 100:.2f}%",
        "real": [f"{100 * v:+.2f}" for v in (why.parts.real_low, why.parts.real_high)] if why.parts else [],
        "query": f"?apart={apart}" if apart else "",
        "drawn": {"quarters": pair(_quarters_spec(young)), "parts": pair(_parts_spec(why))},
    }
    return show(request, "board/change.html", facts)


@page
def change_csv(request: HttpRequest, slug: str, table: str) -> HttpResponseBase:
    """Give the quarters with what to expect of them, or the parts of the change by type, as CSV."""
    viewer = viewer_of(request)
    if table == "quarters":
        head = ("recorded_from", "recorded_to", "crimes", "charged_so_far_percent", "after_a_year_percent", "low_90",
                "high_90", "not_known_because")  # fmt: skip
        return csv_file(
            f"{slug}-quarters.csv", [head, *(_cells(n) for n in ahead.young(viewer, slug).quarters)]
        )
    found = ahead.change(viewer, slug, _apart(request))
    if table != "parts" or found.parts is None:
        raise Http404
    by = {t.kind: t for t in found.parts.by_type}
    top = (
        "type",
        "crimes_before",
        "charged_before",
        "crimes_after",
        "charged_after",
        "mix_points",
        "real_points",
    )
    rows = [
        (
            t,
            a.crimes,
            a.charged,
            b.crimes,
            b.charged,
            *(f"{float(100 * v):.4f}" for v in (by[t].mix, by[t].real)),
        )
        for t, a, b in found.counts
    ]
    shown = found.parts.shown(4)
    total = [(name, "", "", "", "", "", str(shown[name])) for name in shown]
    return csv_file(f"{slug}-change.csv", [top, *rows, *total])


@page
def change_svg(request: HttpRequest, slug: str, chart: str) -> HttpResponseBase:
    """Give one of the page's charts as SVG."""
    viewer = viewer_of(request)
    spec = {
        "quarters": lambda: _quarters_spec(ahead.young(viewer, slug)),
        "parts": lambda: _parts_spec(ahead.change(viewer, slug, _apart(request))),
    }.get(chart, lambda: None)()
    return svg_file(request, f"{slug}-{chart}.svg", spec)
