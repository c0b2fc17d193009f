"""What the numbers mean: every measure in a line, and one page for each definition with the places it is held for."""

from django.http import Http404, HttpRequest, HttpResponseBase

from counterfoil.faces.board import choices
from counterfoil.faces.board.page import page, show
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.reference import measures as definitions
from counterfoil.reference import outcomes as outcome_types


def families() -> dict[str, str]:
    """Return the words of each family of measures, in the order to show them."""
    return {
        "police-uk": gettext("Crimes and outcomes, force by force"),
        "recorded-crime": gettext("Police recorded crime"),
        "vawg": gettext("Violence against women and girls"),
        "outcomes": gettext("How crimes end"),
        "courts": gettext("Courts"),
        "confidence": gettext("Confidence in the police"),
        "stop-search": gettext("Stop and search"),
        "people": gettext("Reoffending and young people"),
        "own": gettext("From our own cases"),
    }


@page
def about(request: HttpRequest) -> HttpResponseBase:
    """List every measure in a line, by family, and say what each published outcome wording may mean."""
    viewer = viewer_of(request)
    held = {m.id for m in choices.held(viewer)}
    words = families()
    groups = [(words[f], [m for m in definitions.measures() if m.family == f]) for f in words]
    rest = [m for m in definitions.measures() if m.family not in words]
    return show(
        request,
        "board/about.html",
        {
            "groups": [g for g in [*groups, (gettext("More"), rest)] if g[1]],
            "held": held,
            "wordings": outcome_types.wordings(),
            "outcomes_version": outcome_types.version(),
        },
    )


@page
def measure(request: HttpRequest, measure: str) -> HttpResponseBase:
    """Show one definition: what is counted, divided and left out, how it can mislead, and where it is held."""
    viewer = viewer_of(request)
    try:
        one = definitions.measure(measure)
    except KeyError:
        raise Http404 from None
    kinds = choices.kinds(viewer, measure)
    kind = one.default or (
        "all" if one.by in ("", "''") or one.family in ("police-uk", "own") else kinds[0][0]
    )
    return show(
        request,
        "board/measure.html",
        {
            "d": one,
            "family": families().get(one.family, ""),
            "places": queries.places(viewer, measure),
            "kind": kind,
            "source": {**definitions.source("police_uk"), **definitions.source(one.source)},
            "language": lang(),
        },
    )
