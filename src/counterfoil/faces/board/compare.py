"""Like with like: one measure, one type and one period across places, with what chance alone would do drawn in."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure.funnel import Funnel, funnel
from counterfoil.faces.board import charts, choices, words
from counterfoil.faces.board.across import VERY_SURE, Shape, Spot, force_map, funnel_plot
from counterfoil.faces.board.page import Spec, csv_file, page, pair, show, svg_file
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.measures.queries import Number
from counterfoil.measures.rules import Class, class_of, classes
from counterfoil.reference import forces
from counterfoil.reference.measures import Definition

CHARTS = ("funnel", "places", "map")


@dataclass(frozen=True)
class Asked:
    """What is compared: a measure, a type or kind, and a period of months."""

    measure: Definition
    kind: str
    period: tuple[str, str]

    @property
    def query(self) -> str:
        """Return it as the query of an address."""
        return urlencode({"measure": self.measure.id, "kind": self.kind, "period": "_".join(self.period)})


@dataclass(frozen=True)
class Compared:
    """The places that can be compared, those set apart, and the funnel where the measure is a share."""

    asked: Asked
    alike: tuple[Number, ...]
    apart: tuple[Number, ...]
    drawn: Funnel | None

    def far(self, one: Number) -> str:
        """Say whether a place lies outside the funnel: "above", "below", or "" within it."""
        if self.drawn is None or not one.whole:
            return ""
        low, high = self.drawn.within(int(one.whole), VERY_SURE)
        share = (one.part or 0) / one.whole
        return "above" if share > high else "below" if share < low else ""


def asked(
    request: HttpRequest, viewer: Viewer
) -> tuple[Asked, dict[str, tuple[tuple[str, str], ...]]] | None:
    """Read what is to be compared, with the choices there are; None when nothing is held. BadInput for nonsense."""
    measures = choices.comparable(viewer)
    if not measures:
        return None
    by_id = {m.id: m for m in measures}
    measure = by_id.get(request.GET.get("measure") or measures[0].id)
    if measure is None:
        raise BadInput("measure", "This measure is not one that can be compared between places.")
    kinds = choices.kinds(viewer, measure.id)
    periods = choices.periods(viewer, measure.id)
    kind = request.GET.get("kind") or ("burglary" if any(k == "burglary" for k, _ in kinds) else kinds[0][0])
    wanted = request.GET.get("period")
    period = tuple(wanted.split("_")) if wanted else periods[-1]
    if kind not in dict(kinds):
        raise BadInput("kind", "There is no such type for this measure.")
    if period not in periods:
        raise BadInput("period", "There is no such period for this measure.")
    offered = {
        "measures": tuple((m.id, m.text("name", lang())) for m in measures),
        "kinds": tuple((slug, words.type_words(name)) for slug, name in kinds),
        "periods": tuple(("_".join(p), words.period(*p)) for p in reversed(periods)),
    }
    return Asked(measure, kind, (period[0], period[1])), offered


def compared(viewer: Viewer, what: Asked) -> Compared:
    """Put the places side by side: only whole periods of one release are compared, the rest is set apart."""
    found = queries.compare(viewer, what.measure.id, what.period, what.kind)
    alike = tuple(n for n in found if n.state == "published" and n.value is not None)
    drawn = funnel([(int(n.part or 0), int(n.whole or 0)) for n in alike]) if alike else None
    return Compared(what, alike, tuple(n for n in found if n not in alike), drawn)


def why_apart(one: Number) -> str:
    """Say why a place is set apart and not compared."""
    if one.state == "other-vintage":
        return gettext("published in another release")
    missing = (*one.street.missing, *one.outcomes.missing)
    if missing:
        return gettext("nothing held for %(months)s") % {
            "months": words.listed(tuple(dict.fromkeys(missing)))
        }
    if one.street.empty or one.outcomes.empty:
        empty = tuple(dict.fromkeys((*one.street.empty, *one.outcomes.empty)))
        return gettext("a file without rows for %(months)s") % {"months": words.listed(empty)}
    return words.why_none(one) or gettext("only partly published")


def _spec(found: Compared, name: str) -> Spec | None:
    if not found.alike or found.drawn is None:
        return None
    drawn = found.drawn
    all_words = gettext("All together %(value)s%%") % {"value": f"{drawn.share * 100:.1f}"}
    if name == "funnel":
        across = gettext("crimes that it is divided by")
        spots = tuple(
            Spot(words.name_of(n.force), float(n.value or 0), int(n.whole or 0), bool(found.far(n)))
            for n in found.alike
        )
        return lambda narrow: funnel_plot(spots, drawn, across=across, all_words=all_words, narrow=narrow)
    rows = tuple(
        charts.Span(
            n.id.force, words.name_of(n.force), float(n.value or 0), float(n.low or 0), float(n.high or 0),
            gettext("%(value)s%% (%(low)s to %(high)s)") % {"value": n.value, "low": n.low, "high": n.high},
        )
        for n in found.alike
    )  # fmt: skip
    return lambda narrow: charts.spans(rows, whole=drawn.share * 100, whole_words=all_words, narrow=narrow)


def _classes(found: Compared) -> tuple[Class, ...]:
    """Put shares into few classes, in tenths of a percent so that they are whole numbers."""
    return classes([int((n.value or 0) * 10) for n in found.alike])


def _map(viewer: Viewer, found: Compared) -> Spec | None:
    known, few = {n.id.force: int((n.value or 0) * 10) for n in found.alike}, _classes(found)
    shapes = []
    for slug in (f.slug for f in forces.forces()):
        held = queries.outline(viewer, slug)
        if held is not None:
            value = known.get(slug)
            shapes.append(Shape(held.rings, None if value is None else _shade(class_of(value, few), few)))
    if not shapes:
        return None
    return lambda narrow: str(force_map(shapes, width=320 if narrow else 520))


def _shade(cls: int, few: tuple[Class, ...]) -> int:
    return 4 if len(few) < 2 else cls * 4 // (len(few) - 1)


@page
def compare(request: HttpRequest) -> HttpResponseBase:
    """Show a measure across places, drawn against what chance alone would do, with those set apart and why."""
    viewer = viewer_of(request)
    chosen = asked(request, viewer)
    if chosen is None:
        return show(request, "board/compare.html", {"found": None})
    what, offered = chosen
    found = compared(viewer, what)
    few = _classes(found)
    return show(
        request,
        "board/compare.html",
        {
            "found": found,
            "what": what,
            "d": what.measure,
            "choices": offered,
            "kind_words": dict(offered["kinds"])[what.kind],
            "period_words": words.period(*what.period),
            "drawn": {name: pair(_spec(found, name)) for name in ("funnel", "places")},
            "map_url": reverse("board:compare_svg", args=["map"]) + "?" + what.query
            if _map(viewer, found)
            else "",
            "legend": [(_shade(at, few), c.low / 10, c.high / 10, c.areas) for at, c in enumerate(few)][::-1],
            "why_apart": why_apart,
            "language": lang(),
        },
    )


@page
def compare_svg(request: HttpRequest, chart: str) -> HttpResponseBase:
    """Give a chart of a comparison as SVG."""
    viewer = viewer_of(request)
    chosen = asked(request, viewer)
    spec = None
    if chosen is not None and chart in CHARTS:
        found = compared(viewer, chosen[0])
        spec = _map(viewer, found) if chart == "map" else _spec(found, chart)
    return svg_file(request, f"compare-{chart}.svg", spec)


@page
def compare_csv(request: HttpRequest) -> HttpResponseBase:
    """Give a comparison as CSV: places compared first, then those set apart with the reason and no value."""
    viewer = viewer_of(request)
    chosen = asked(request, viewer)
    return csv_file("compare.csv", rows(compared(viewer, chosen[0])) if chosen else ())


def rows(found: Compared) -> Iterable[Iterable[object]]:
    """Yield the table of a comparison, its heading first."""
    yield (
        "place", "name", "measure", "kind", "first_month", "last_month", "compared", "part", "whole", "percent",
        "low_95", "high_95", "outside_99_8", "why_not", "release", "number",
    )  # fmt: skip
    for n in (*found.alike, *found.apart):
        known = n in found.alike
        yield (
            n.id.force, n.force.name, n.id.measure, n.id.type, n.id.first, n.id.last, "yes" if known else "no",
            n.part if known else None, n.whole if known else None, n.value if known else None,
            n.low if known else None, n.high if known else None, found.far(n) if known else None,
            None if known else n.state, n.vintage, str(n.id),
        )  # fmt: skip
