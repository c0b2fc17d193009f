"""The targets at a glance: from where, to what, by when, where we are, and how likely it is; a card each."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponseBase
from markupsafe import Markup

from counterfoil.accounts.rules import Viewer
from counterfoil.engines import forecast
from counterfoil.engines.errors import BadInput
from counterfoil.faces.board import words
from counterfoil.faces.board.lines import Aim, BreakAt, Moment, over_time, small
from counterfoil.faces.board.page import Spec, csv_file, page, show, svg_file
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.measures.queries import Series
from counterfoil.reference import targets as reference
from counterfoil.reference.targets import Target


@dataclass(frozen=True)
class Standing:
    """A target with what is held about it; `series` is None where no such table can be imported here yet."""

    target: Target
    series: Series | None
    verdict: forecast.Verdict | None

    @property
    def unit(self) -> str:
        """Return the unit of its values: percent, or a plain count."""
        return "%" if self.target.unit == "share" else ""

    @property
    def latest(self) -> queries.Point | None:
        """Return the newest point with a value."""
        known = [p for p in self.series.points if p.value is not None] if self.series else []
        return known[-1] if known else None


def first_day(month: str) -> date:
    """Return the first day of a month, "2021-03"."""
    return date(int(month[:4]), int(month[5:]), 1)


def last_day(month: str) -> date:
    """Return the last day of a month."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, calendar.monthrange(year, number)[1])


def years_of(day: date) -> float:
    """Return a day as a place on the axis of time, in years."""
    return round(day.year + (day.timetuple().tm_yday - 1) / 365.25, 3)


def standing(viewer: Viewer, target: Target) -> Standing:
    """Find what is held about a target and how likely it is; nothing is guessed where nothing is held."""
    try:
        found = queries.series(viewer, target.measure, target.place) if target.measure else None
    except BadInput:
        found = None
    return Standing(target, found, _verdict(target, found) if found is not None else None)


def _verdict(target: Target, found: Series) -> forecast.Verdict | None:
    base = target.baseline
    if base is None or not base.first or target.level is None or target.by is None:
        return None
    points = [
        forecast.Point(
            first_day(p.first), last_day(p.last), p.value if p.state == "published" else None, p.low, p.high
        )
        for p in found.points
    ]
    if not any(p.value is not None for p in points):
        return None
    try:
        return forecast.on_path(
            points,
            baseline=forecast.Point(first_day(base.first), last_day(base.last), base.value),
            level=target.level,
            by=target.by,
            breaks=[first_day(b.at) for b in found.breaks],
            unit=target.unit,
            direction=target.direction,
        )
    except BadInput:
        return None


def chance(one: Standing) -> str:
    """Say how likely a target is, or why that is not known."""
    if one.target.more is not None and one.target.level is None:
        return gettext("Not known: what it starts from was not published with it.")
    if one.target.level is None or one.target.by is None:
        return gettext("No level or day was set, so there is no chance to work out.")
    v = one.verdict
    if v is None:
        return gettext("Not known: no table with this measure is held.")
    if v.probability is None:
        return {
            "short": gettext(
                "Not known: too few comparable years are held, or none since the starting value."
            ),
            "break": gettext("Not known: nothing comparable is held since the last break in the series."),
            "vague": gettext("Not known: where it stands now cannot be told well enough."),
        }.get(v.why, gettext("Not known."))
    said = {
        "likely": gettext("Likely"),
        "unlikely": gettext("Unlikely"),
        "open": gettext("Open: the series does not decide it"),
    }[v.state]
    return gettext("%(said)s. %(low)s to %(high)s in 100, read from the series alone.") % {
        "said": said,
        "low": _of_hundred(v.low if v.low is not None else v.probability),
        "high": _of_hundred(v.high if v.high is not None else v.probability),
    }


def _of_hundred(p: float) -> str:
    return "<1" if p < 0.01 else ">99" if p > 0.99 else f"{p * 100:.0f}"


def _aim(one: Standing) -> Aim | None:
    t = one.target
    if t.level is None or t.by is None or t.baseline is None:
        return None
    begins = years_of(last_day(t.baseline.last) if t.baseline.last else t.starts)
    path = (
        tuple((years_of(day), round(v, 3)) for day, v in one.verdict.path)
        if one.verdict
        else ((begins, float(t.baseline.value)), (years_of(t.by), float(t.level)))
    )
    said = gettext("%(level)s by %(year)s") % {"level": words.amount(t.level, one.unit), "year": t.by.year}
    return Aim(years_of(t.by), float(t.level), said, path)


def _moments(one: Standing) -> tuple[Moment, ...]:
    found = one.series.points if one.series else ()
    newest = one.latest
    out = [
        Moment(
            years_of(last_day(p.last)),
            None if p.value is None else float(p.value),
            None if p.low is None else float(p.low),
            None if p.high is None else float(p.high),
            words.amount(p.value, one.unit) if p is newest and p.value is not None else "",
        )
        for p in found
    ]
    for fan in one.verdict.fan if one.verdict else ():
        if not out or years_of(fan.at) > out[-1].at:
            out.append(Moment(years_of(fan.at), fan.middle, fan.low, fan.high, ahead=True))
    base = one.target.baseline
    if not out and base is not None:
        at = last_day(base.last) if base.last else one.target.starts
        out.append(Moment(years_of(at), float(base.value), words=words.amount(base.value, one.unit)))
    return tuple(out)


def breaks_of(found: Series | None) -> tuple[BreakAt, ...]:
    """Return a series' breaks as marks on the axis of time, in the words of the language."""
    return tuple(BreakAt(years_of(first_day(b.at)), b.said(lang())) for b in (found.breaks if found else ()))


def _spec(one: Standing) -> Spec | None:
    moments, aim = _moments(one), _aim(one)
    if not moments:
        return None
    places = [m.at for m in moments] + ([aim.at] if aim else [])
    ticks = tuple((float(y), str(y)) for y in range(int(min(places)), int(max(places)) + 2))
    cuts = tuple(BreakAt(b.at, gettext("break")) for b in breaks_of(one.series))
    return lambda narrow: over_time(moments, ticks=ticks, breaks=cuts, aim=aim, unit=one.unit, narrow=narrow)


def _drawing(one: Standing) -> Markup | None:
    moments, aim = _moments(one), _aim(one)
    if not moments or (aim is None and len(moments) < 2):
        return None
    tops = [m.high or m.value or 0.0 for m in moments] + ([v for _, v in aim.path] if aim else [])
    return small(moments, top=max(tops) * 1.1, breaks=breaks_of(one.series), aim=aim, width=300, height=96)


@page
def targets(request: HttpRequest) -> HttpResponseBase:
    """Show every target with its baseline, level, latest figure and chance, drawn small; nothing held is said."""
    viewer = viewer_of(request)
    cards = [(one, _drawing(one)) for one in (standing(viewer, t) for t in reference.targets())]
    return show(request, "board/targets.html", {"cards": cards, "chance": chance, "language": lang()})


@page
def targets_svg(request: HttpRequest, target: str) -> HttpResponseBase:
    """Give the chart of one target as SVG."""
    try:
        one = standing(viewer_of(request), reference.target(target))
    except KeyError:
        raise Http404 from None
    return svg_file(request, f"target-{target}.svg", _spec(one))


@page
def targets_csv(request: HttpRequest) -> HttpResponseBase:
    """Give every target as CSV; what is not known is an empty cell."""
    return csv_file("targets.csv", rows(viewer_of(request)))


def rows(viewer: Viewer) -> Iterable[Iterable[object]]:
    """Yield the table of targets, its heading first; the interface of open data gives the same."""
    yield (
        "target", "measure", "place", "direction", "baseline", "baseline_first_month", "baseline_last_month", "level",
        "by", "status", "latest", "latest_low", "latest_high", "latest_first_month", "latest_last_month",
        "latest_number", "probability", "probability_low", "probability_high", "why_not_known", "source",
    )  # fmt: skip
    for t in reference.targets():
        one = standing(viewer, t)
        new, v, base = one.latest, one.verdict, t.baseline
        yield (
            t.id, t.measure, t.place, t.direction, base.value if base else None, base.first if base else None,
            base.last if base else None, t.level, t.by, "checked" if t.certain else "to be checked",
            new.value if new else None, new.low if new else None, new.high if new else None,
            new.first if new else None, new.last if new else None, new.address if new else None,
            _decimal(v.probability) if v else None, _decimal(v.low) if v else None, _decimal(v.high) if v else None,
            (v.why if v else "no level or day set" if t.level is None or t.by is None else "no table held"), t.source,
        )  # fmt: skip


def _decimal(p: float | None) -> Decimal | None:
    return None if p is None else Decimal(str(round(p, 4)))
