"""Measures over time: one for one place, drawn large with its breaks; or one for every place, drawn small."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponseBase

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.faces.board import choices, words
from counterfoil.faces.board.lines import BreakAt, Moment, over_time, small
from counterfoil.faces.board.page import Spec, csv_file, page, pair, show, svg_file
from counterfoil.faces.board.targets import breaks_of, last_day, years_of
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.measures.queries import Series
from counterfoil.reference import measures as definitions


def _moments(found: Series, *, said: bool = False) -> tuple[Moment, ...]:
    known = [p for p in found.points if p.value is not None and p.state == "published"]
    ends = {known[0].address, known[-1].address} if known and said else set()
    return tuple(
        Moment(
            years_of(last_day(p.last)),
            float(p.value) if p in known and p.value is not None else None,
            None if p.low is None else float(p.low),
            None if p.high is None else float(p.high),
            words.measured(p.value, found.definition.unit) if p.address in ends else "",
        )
        for p in found.points
    )


def _ticks(found: Series) -> tuple[tuple[float, str], ...]:
    """Return a tick for each year, or for each month where there is little more than one year."""
    months = [p.last for p in found.points]
    years = sorted({m[:4] for m in months})
    if len(years) > 2:
        return tuple((float(y), y) for y in years)
    return tuple((years_of(last_day(m)), f"{words.short_month(m)} {m[2:4]}") for m in months)


def _spec(found: Series) -> Spec | None:
    moments = _moments(found, said=True)
    if not any(m.value is not None for m in moments):
        return None
    ticks, unit = _ticks(found), "%" if found.definition.unit in ("share", "percent") else ""
    cuts = tuple(BreakAt(b.at, gettext("break")) for b in breaks_of(found))
    return lambda narrow: over_time(moments, ticks=ticks, breaks=cuts, unit=unit, narrow=narrow)


@page
def series(request: HttpRequest, measure: str, place: str, kind: str) -> HttpResponseBase:
    """Show one measure for one place over time: its line, interval and breaks, and every number with its way down."""
    viewer = viewer_of(request)
    found = queries.series(viewer, measure, place, kind)
    kinds = choices.kinds(viewer, measure)
    return show(
        request,
        "board/series.html",
        {
            "s": found,
            "d": found.definition,
            "place": queries.place(place),
            "kind_words": words.type_words(dict(kinds).get(kind, kind)) if kind != "all" else "",
            "kinds": kinds,
            "drawn": pair(_spec(found)),
            "source": {**definitions.source("police_uk"), **found.source},
            "language": lang(),
        },
    )


@page
def series_svg(request: HttpRequest, measure: str, place: str, kind: str) -> HttpResponseBase:
    """Give the line of one measure and place as SVG."""
    found = queries.series(viewer_of(request), measure, place, kind)
    return svg_file(request, f"{measure}-{place}-{kind}.svg", _spec(found))


@page
def series_csv(request: HttpRequest, measure: str, place: str, kind: str) -> HttpResponseBase:
    """Give one measure for one place over time as CSV; what is not known is an empty cell with its state beside it."""
    return csv_file(
        f"{measure}-{place}-{kind}.csv", rows(queries.series(viewer_of(request), measure, place, kind))
    )


def rows(found: Series) -> Iterable[Iterable[object]]:
    """Yield the points of a series, the heading first."""
    yield (
        "measure", "place", "kind", "first_month", "last_month", "value", "low_95", "high_95", "part", "whole",
        "unit", "state", "break_before", "release", "number",
    )  # fmt: skip
    before = ""
    for p in found.points:
        cuts = [b.why for b in found.breaks if before < b.at <= p.last] if before else []
        known = p.value is not None
        yield (
            found.measure, found.place, found.kind, p.first, p.last, p.value, p.low if known else None,
            p.high if known else None, p.part if known else None, p.whole if known else None,
            found.definition.unit, p.state, " ".join(cuts) or None, p.vintage, p.address,
        )  # fmt: skip
        before = p.last


def _many(viewer: Viewer, measure: str, kind: str) -> tuple[Series, ...]:
    return tuple(queries.series(viewer, measure, p.slug, kind) for p in queries.places(viewer, measure))


@page
def everywhere(request: HttpRequest) -> HttpResponseBase:
    """Show one measure for every place over time, drawn small: shares on one scale, counts each on its own."""
    viewer = viewer_of(request)
    measures = choices.held(viewer)
    if not measures:
        return show(request, "board/everywhere.html", {"panels": [], "d": None})
    chosen = request.GET.get("measure") or (
        "crimes" if any(m.id == "crimes" for m in measures) else measures[0].id
    )
    if chosen not in {m.id for m in measures}:
        raise BadInput("measure", "There is no such measure, or nothing is held for it.")
    definition = definitions.measure(chosen)
    kinds = choices.kinds(viewer, chosen)
    wanted = request.GET.get("kind")
    kind = wanted if wanted in dict(kinds) else "burglary" if "burglary" in dict(kinds) else "all"
    if kind == "all" and not any(
        p.value is not None for s in _many(viewer, chosen, kind)[:1] for p in s.points
    ):
        kind = kinds[0][0]
    found = _many(viewer, chosen, kind)
    one_scale = definition.unit in ("share", "percent")
    drawings = [(s, _moments(s)) for s in found]
    every = [m for _, ms in drawings for m in ms if m.value is not None]
    # One scale for all: the highest value has room, and an interval that is wider still is cut at the edge.
    top = max([m.value or 0 for m in every] + [1e-9]) * 1.3
    times = [m.at for _, ms in drawings for m in ms]
    span = (min(times), max(times)) if times else (0.0, 1.0)
    panels = []
    for s, moments in drawings:
        known = [p for p in s.points if p.value is not None and p.state == "published"]
        own = max([max(m.high or 0, m.value or 0) for m in moments if m.value is not None] + [1e-9]) * 1.05
        drawn = small(
            moments,
            top=top if one_scale else own,
            span=span,
            breaks=breaks_of(s),
            missing=gettext("not published"),
            width=250,
            height=64,
        )
        panels.append((queries.place(s.place), s, drawn, known))
    return show(
        request,
        "board/everywhere.html",
        {
            "panels": panels,
            "d": definition,
            "kind": kind,
            "kind_words": words.type_words(dict(kinds)[kind]) if kind != "all" else "",
            "measures": [(m.id, m.text("name", lang())) for m in measures],
            "kinds": [(slug, words.type_words(name)) for slug, name in kinds],
            "one_scale": one_scale,
            "query": urlencode({"measure": chosen, "kind": kind}),
            "language": lang(),
        },
    )


@page
def everywhere_csv(request: HttpRequest) -> HttpResponseBase:
    """Give one measure for every place over time as one CSV."""
    viewer = viewer_of(request)
    measure, kind = request.GET.get("measure") or "crimes", request.GET.get("kind") or "all"
    found = _many(viewer, measure, kind)
    if not found:
        raise Http404
    head = next(iter(rows(found[0])))
    lines = [line for s in found for at, line in enumerate(rows(s)) if at]
    return csv_file(f"{measure}-{kind}.csv", [head, *lines])
