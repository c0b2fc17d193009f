"""What every page of the board does: refuse what is nothing, show in two languages, give its tables and charts away.

A module of pages takes `page`, `show`, `csv_file`, `svg_file` and `pair` from here, and nothing from its neighbours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from markupsafe import Markup

from counterfoil.engines.errors import BadInput
from counterfoil.faces.board import words
from counterfoil.faces.kit import page as kit_page
from counterfoil.faces.kit import views as kit
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.measures import queries
from counterfoil.reference import measures as definitions

View = Callable[..., HttpResponseBase]
# A chart not drawn yet: told whether it is for a phone, it answers with its specification or its finished drawing.
Spec = Callable[[bool], dict[str, Any] | str]


def page(view: View) -> View:
    """Allow reading only, and answer an address of nothing with the plain page and its sentence."""

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (BadInput, Http404) as none:
            return kit.refusal(request, 404, sentence=str(none) if isinstance(none, BadInput) else "")

    return answer


def board_menu() -> tuple[tuple[str, str], ...]:
    """Return the board's entrances: the name of the address and its words. One line for each."""
    return (
        ("board:front", gettext("Police forces")),
        ("board:everywhere", gettext("Over time")),
        ("board:compare", gettext("Like with like")),
        ("board:targets", gettext("Targets")),
        ("board:prove_it", gettext("Prove it")),
        ("board:changes", gettext("Charged after a year")),
        ("board:courts", gettext("The Crown Court")),
        ("board:integrity", gettext("What looks wrong")),
        ("board:samples", gettext("Audit samples")),
        ("board:about", gettext("What the numbers mean")),
        ("board:api", gettext("Open data")),
        ("board:files", gettext("The files held")),
    )


def show(request: HttpRequest, template: str, facts: Mapping[str, Any]) -> HttpResponse:
    """Show a page of the board: public, the same for everybody, and fresh after every import."""
    given = {
        "w": words,
        "menu": board_menu(),
        "here": request.path,
        "source": definitions.source("police_uk"),
        **facts,
    }
    if request.GET:
        here = f"{request.path_info}?{request.GET.urlencode()}"
        given["other_language"] = here if lang() == "cy" else f"/cy{here}"
    response = kit_page.show(request, template, given, keep=True)
    # Public and the same for everybody, but a new import must be seen at once.
    response.headers["Cache-Control"] = "no-cache"
    return response


def csv_file(name: str, rows: Iterable[Iterable[object]]) -> HttpResponse:
    """Give rows as a CSV file, the first row being its heading; None is an empty cell."""
    response = HttpResponse(queries.csv_text(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def drawn(made: dict[str, Any] | str) -> str:
    """Return a chart as SVG text, whether it came as a specification or is drawn already."""
    return made if isinstance(made, str) else queries.draw(made)


def svg_file(request: HttpRequest, name: str, spec: Spec | None) -> HttpResponse:
    """Give a chart as an SVG file, in the shape for a phone with `?shape=narrow`; no chart is not found."""
    if spec is None:
        raise Http404
    text = drawn(spec(request.GET.get("shape") == "narrow"))
    response = HttpResponse(text, content_type="image/svg+xml")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    if request.GET.get("files"):
        # The address names the files that the drawing rests on, so a browser may keep it.
        response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@dataclass(frozen=True)
class Pair:
    """One chart in two shapes, as markup: for a wide page and for a phone."""

    wide: Markup
    narrow: Markup


def pair(spec: Spec | None) -> Pair | None:
    """Draw a chart in both shapes for the macro `figure`; None stays None."""
    if spec is None:
        return None
    # Drawn here from our own specification: no text of a visitor's is in it.
    return Pair(*(Markup(drawn(spec(narrow))) for narrow in (False, True)))  # noqa: S704
