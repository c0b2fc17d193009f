"""Pages on the Crown Court: open cases and what to expect, how old they are, and what more sitting days would do."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase

from counterfoil.engines.forecast.courtroom import BANDS
from counterfoil.faces.board import words
from counterfoil.faces.board.charts import Bar, bars
from counterfoil.faces.board.lines import Aim, BreakAt, Moment, over_time
from counterfoil.faces.board.page import Spec, csv_file, page, pair, show, svg_file
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures.queries import sittings
from counterfoil.measures.queries.sittings import SITTING, Courts, WhatIf
from counterfoil.measures.rules import next_month
from counterfoil.reference import measures as definitions

SAME = 100


def year_of(month: str, quarters: int = 0) -> float:
    """Return the end of a month, so many quarters later, as a place on the axis of time."""
    return int(month[:4]) + int(month[5:]) / 12 + quarters / 4


def later(month: str, quarters: int) -> str:
    """Return the last month of the quarter so many quarters later."""
    for _ in range(3 * quarters):
        month = next_month(month)
    return month


def thousands(value: float) -> str:
    """Write cases to the nearest hundred: a forecast is not known more closely."""
    return words.whole(int(round(value, -2)))


def band_words(band: str) -> str:
    """Return an age band in the language of the request."""
    return {
        "Under 4 weeks": gettext("Under 4 weeks"),
        "4 to 8 weeks": gettext("4 to 8 weeks"),
        "8 to 12 weeks": gettext("8 to 12 weeks"),
        "12 to 16 weeks": gettext("12 to 16 weeks"),
        "16 to 20 weeks": gettext("16 to 20 weeks"),
        "20 to 26 weeks": gettext("20 to 26 weeks"),
        "6 months to under 1 year": gettext("6 months to under 1 year"),
        "1 to 2 years": gettext("1 to 2 years"),
        "2 years or more": gettext("2 years or more"),
    }[band]


def model_words(name: str) -> str:
    """Say in words how a forecast is made."""
    return {
        "walk": gettext("as many as now"),
        "drift": gettext("the last year’s net flow goes on"),
        "fading": gettext("the newest net flow goes on and fades"),
    }[name]


def _ticks(first: float, last: float) -> tuple[tuple[float, str], ...]:
    return tuple((float(y), str(y)) for y in range(int(first) + 1, int(last) + 1))


def _caseload_spec(found: Courts) -> Spec | None:
    if not found.quarters:
        return None
    past = [Moment(year_of(p.last), None if p.value is None else float(p.value)) for p in found.series.points]
    newest = found.quarters[-1].open
    past[-1] = Moment(past[-1].at, past[-1].value, words=words.whole(int(newest.value or 0)))
    ahead = (
        Moment(year_of(newest.last, a.quarters), a.middle, a.low, a.high, ahead=True)
        for a in (found.forecast.ahead if found.forecast else ())
    )
    moments = (*past, *ahead)
    breaks = tuple(BreakAt(year_of(b.at), b.said(lang())) for b in found.series.breaks)
    ticks = _ticks(moments[0].at, moments[-1].at)
    return lambda narrow: over_time(moments, ticks=ticks, breaks=breaks, narrow=narrow)


def _ages_spec(found: Courts) -> Spec | None:
    points = found.ages["all"]
    if any(p is None for p in points):
        return None
    rows = tuple(
        Bar(sittings.slug(band), (band_words(band),), int(p.value or 0), words.whole(int(p.value or 0)))
        for band, p in zip(BANDS, points, strict=True)
        if p
    )
    return lambda narrow: bars(rows, narrow=narrow)


def _what_if_spec(found: Courts, tried: WhatIf | None) -> Spec | None:
    """Draw what becomes of the open cases with the sitting days chosen, over the line for days as now."""
    if tried is None:
        return None
    newest = found.quarters[-1].open
    begin = float(sum(p.value or 0 for p in found.ages["all"] if p))
    at = [year_of(newest.last, k) for k in range(sittings.AHEAD + 1)]
    chosen = [begin, *tried.changed.open]
    moments = tuple(
        Moment(x, v, words=words.whole(int(round(v, -2))) if x in (at[0], at[-1]) else "")
        for x, v in zip(at, chosen, strict=True)
    )
    as_now = tuple(zip(at, [begin, *tried.as_now.open], strict=True))
    aim = Aim(at[-1], as_now[-1][1], gettext("sitting as now"), as_now)
    ticks = tuple((x, words.short_month(m) + " " + m[:4]) for x, m in _quarters(newest.last)[::2])
    return lambda narrow: over_time(
        moments, ticks=ticks, aim=None if tried.sitting == SAME else aim, narrow=narrow
    )


def _quarters(month: str) -> list[tuple[float, str]]:
    return [(year_of(month, k), later(month, k)) for k in range(sittings.AHEAD + 1)]


def _sitting(request: HttpRequest) -> int:
    """Return the share of sitting days asked for; anything that is not offered is not found."""
    text = request.GET.get("sitting", "110")
    if text not in {str(s) for s in SITTING}:
        raise Http404
    return int(text)


@page
def courts(request: HttpRequest) -> HttpResponseBase:
    """Show the Crown Court's open cases, what to expect, their ages, and what other sitting days would do."""
    sitting = _sitting(request)
    found = sittings.courts(viewer_of(request))
    tried = sittings.what_if(found, sitting)
    facts: dict[str, Any] = {
        "c": found,
        "newest": found.quarters[-1] if found.quarters else None,
        "tried": tried,
        "sitting": sitting,
        "choices": SITTING,
        "quarters": [m for _, m in _quarters(found.quarters[-1].open.last)[1:]] if found.quarters else [],
        "bands": list(enumerate(BANDS)),
        "band_words": band_words,
        "model_words": model_words,
        "thousands": thousands,
        "over_a_year": sittings.over_a_year,
        "query": f"?sitting={sitting}",
        "drawn": {
            "caseload": pair(_caseload_spec(found)),
            "ages": pair(_ages_spec(found)),
            "what_if": pair(_what_if_spec(found, tried)),
        },
        "source": definitions.source("moj"),
    }
    return show(request, "board/courts.html", facts)


@page
def courts_csv(request: HttpRequest, table: str) -> HttpResponseBase:
    """Give the caseload with its forecast, the ages, or what other sitting days would do, as CSV."""
    found = sittings.courts(viewer_of(request))
    if not found.quarters:
        raise Http404
    last = found.quarters[-1].open.last
    if table == "caseload":
        head = ("quarter_to", "open", "received", "ended", "low_90", "high_90", "kind")
        past = [
            (q.open.last, q.open.value, q.receipts.value, q.disposals.value, "", "", "published")
            for q in found.quarters
        ]
        ahead = [
            (
                later(last, a.quarters),
                round(a.middle),
                "",
                "",
                round(a.low),
                round(a.high),
                found.forecast.model,
            )
            for a in (found.forecast.ahead if found.forecast else ())
            if found.forecast
        ]
        return csv_file("crown-court-caseload.csv", [head, *past, *ahead])
    if table == "ages":
        groups = ("all", "custody", "bail")
        ages = [(band, *(_value(found, g, i) for g in groups)) for i, band in enumerate(BANDS)]
        return csv_file("crown-court-ages.csv", [("age", *groups), *ages])
    tried = sittings.what_if(found, _sitting(request)) if table == "what-if" else None
    if tried is None:
        raise Http404
    top = (
        "quarter_to",
        "open_as_now",
        "over_a_year_as_now",
        f"open_{tried.sitting}",
        f"over_a_year_{tried.sitting}",
    )
    rows = [
        (
            later(last, k + 1),
            *(
                round(v)
                for one in (tried.as_now, tried.changed)
                for v in (one.open[k], sittings.over_a_year(one, k))
            ),
        )
        for k in range(sittings.AHEAD)
    ]
    return csv_file(f"crown-court-sitting-{tried.sitting}.csv", [top, *rows])


def _value(found: Courts, group: str, band: int) -> object:
    point = found.ages[group][band]
    return None if point is None else point.value


@page
def courts_svg(request: HttpRequest, chart: str) -> HttpResponseBase:
    """Give one of the page's charts as SVG."""
    found = sittings.courts(viewer_of(request))
    if chart == "what-if":
        spec = _what_if_spec(found, sittings.what_if(found, _sitting(request)))
    else:
        spec = {"caseload": _caseload_spec, "ages": _ages_spec}.get(chart, lambda _: None)(found)
    return svg_file(request, f"crown-court-{chart}.svg", spec)
