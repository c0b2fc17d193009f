"""What a prosecutor does with the schedules: read MG6C and MG6D, mark their lines, make the defence's bundle again."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from counterfoil.accounts.rules import Viewer
from counterfoil.courts import actions, queries
from counterfoil.courts.queries import BundleCard
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence.rules import MARKS
from counterfoil.faces.bench.forms import Mark
from counterfoil.faces.bench.prosecutor import prosecutors, reading
from counterfoil.faces.bench.words import marks, refusals
from counterfoil.faces.kit.page import gone, show
from counterfoil.faces.kit.signin.guard import kept_form


def _bundle(viewer: Viewer, bundle: UUID) -> BundleCard | None:
    card = queries.bundle_for(viewer, bundle)
    return card if card and card.state == "built" and card.audience == "prosecutor" else None


@prosecutors
@reading
def page(request: HttpRequest, viewer: Viewer, bundle: UUID) -> HttpResponse:
    """Show both schedules of a bundle with what was marked, and how the defence's bundle stands."""
    card = _bundle(viewer, bundle)
    if card is None:
        return gone(request)
    facts = {
        "viewer": viewer,
        "bundle": card,
        "schedules": queries.schedules_of(viewer, bundle),
        "marks": marks(),
        "defence": queries.defence_bundle(viewer, bundle),
    }
    return show(request, "bench/schedules.html", facts)


@prosecutors
@require_http_methods(["GET", "HEAD", "POST"])
def mark(request: HttpRequest, viewer: Viewer, bundle: UUID, form: str, number: int) -> HttpResponse:
    """Mark one line of a schedule."""
    card = _bundle(viewer, bundle)
    found = [s for s in queries.schedules_of(viewer, bundle) if s.form == form] if card else []
    line = next((x for s in found for x in s.lines if x.number == number), None)
    if card is None or line is None:
        return gone(request)
    errors: dict[str, str] = {}
    kept = kept_form(request) if request.method != "POST" else None
    sent = Mark(request.POST if request.method == "POST" else None)
    before = {"decision": line.mark, "comment": line.comment}
    typed = {
        n: (kept or {}).get(n, [""])[-1] if kept else (sent[n].value() if sent.is_bound else before[n]) or ""
        for n in sent.fields
    }
    if request.method == "POST" and sent.is_valid():
        try:
            actions.mark(bundle, form, line.key, **sent.cleaned_data, by=viewer)
        except BadInput as e:
            errors[e.field] = refusals().get(str(e), str(e))
        except NotAllowed as e:
            errors[""] = refusals().get(str(e), str(e))
        else:
            response = redirect("bench-schedules", bundle)
            response.status_code = 303
            return response
    elif request.method == "POST":
        errors = {name: str(texts[0]) for name, texts in sent.errors.items()}
    facts = {
        "viewer": viewer,
        "bundle": card,
        "form": form,
        "line": line,
        "typed": typed,
        "wrong": errors,
        "choices": [(value, marks()[value]) for value in MARKS[form]],
        "errors": [{"text": text, "href": f"#{name}" if name else ""} for name, text in errors.items()],
    }
    return show(request, "bench/mark.html", facts, status=400 if errors else 200)


@prosecutors
@require_http_methods(["POST"])
def defence(request: HttpRequest, viewer: Viewer, bundle: UUID) -> HttpResponse:
    """Make the defence's bundle again, with the marks as they are."""
    if _bundle(viewer, bundle) is None:
        return gone(request)
    try:
        actions.ask_defence_bundle(bundle, by=viewer)
    except NotAllowed as e:
        raise NotAllowed(refusals().get(str(e), str(e))) from e
    response = redirect("bench-schedules", bundle)
    response.status_code = 303
    return response
