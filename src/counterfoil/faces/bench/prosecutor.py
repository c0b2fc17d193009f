"""What a prosecutor does: read the bundles sent to them, and release one to the defence by name."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from counterfoil.accounts.rules import PASS_DAYS, PASS_TRIES, Viewer
from counterfoil.courts import actions, queries
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.faces.bench.forms import Release
from counterfoil.faces.bench.words import refusals, said
from counterfoil.faces.kit.page import as_download, gone, show
from counterfoil.faces.kit.signin.guard import kept_form, staff

prosecutors = staff("prosecutor")
reading = require_http_methods(["GET", "HEAD"])
# For bytes whose reading is an entry: asking only for the headers is not offered.
getting = require_http_methods(["GET"])


@prosecutors
@reading
def received(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """List the bundles sent to this prosecutor, newest first."""
    rows = queries.bundles_for_prosecutor(viewer)
    return show(request, "bench/received.html", {"viewer": viewer, "rows": rows})


@prosecutors
@reading
def bundle(request: HttpRequest, viewer: Viewer, bundle: UUID) -> HttpResponse:
    """Show one bundle: what was proved, what was not, and who has it."""
    card = queries.bundle_for(viewer, bundle)
    if card is None:
        return gone(request)
    releases = [r for r in queries.releases_of(viewer, bundle) if r.kind == "defence"]
    facts = {"viewer": viewer, "bundle": card, "releases": releases, **said(card)}
    return show(request, "bench/bundle.html", facts)


@prosecutors
@getting
def file(request: HttpRequest, viewer: Viewer, bundle: UUID) -> HttpResponseBase:
    """Hand out a bundle; the entry is committed before the first byte."""
    opened = actions.download(bundle, by=viewer)
    if opened is None:
        return gone(request)
    card, stream = opened
    return as_download(stream, f"{card.name}.zip", "application/zip", card.size)


@prosecutors
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, viewer: Viewer, bundle: UUID) -> HttpResponse:
    """Release a bundle to a named person of the defence; link and code are shown once."""
    card = queries.bundle_for(viewer, bundle)
    if card is None or card.state != "built":
        return gone(request)
    errors: dict[str, str] = {}
    kept = kept_form(request) if request.method != "POST" else None
    form = Release(request.POST if request.method == "POST" else None)
    typed = {n: (kept or {}).get(n, [""])[-1] if kept else form[n].value() or "" for n in form.fields}
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.release_to_defence(bundle, **form.cleaned_data, by=viewer)
        except BadInput as e:
            errors[e.field] = refusals().get(str(e), str(e))
        except NotAllowed as e:
            errors[""] = refusals().get(str(e), str(e))
        else:
            path = reverse("bench-open", args=[made.link])
            facts = {
                "viewer": viewer,
                "bundle": card,
                "released": made,
                "recipient": form.cleaned_data["recipient"],
                "firm": form.cleaned_data["firm"],
                "address": f"{settings.ORIGIN or request.build_absolute_uri('/').rstrip('/')}{path}",
                "other_language": "",
                "tries": PASS_TRIES,
            }
            return show(request, "bench/released.html", facts)
    elif request.method == "POST":
        errors = {name: str(texts[0]) for name, texts in form.errors.items()}
    facts = {
        "viewer": viewer,
        "bundle": card,
        "typed": typed,
        "wrong": errors,
        "errors": [{"text": text, "href": f"#{name}" if name else ""} for name, text in errors.items()],
        "days": PASS_DAYS,
    }
    return show(request, "bench/release.html", facts, status=400 if errors else 200)


@prosecutors
@require_http_methods(["POST"])
def end(request: HttpRequest, viewer: Viewer, bundle: UUID, release: UUID) -> HttpResponse:
    """End a release before its time."""
    if queries.bundle_for(viewer, bundle) is None:
        return gone(request)
    try:
        actions.end_release(release, by=viewer)
    except NotAllowed as e:
        raise NotAllowed(refusals().get(str(e), str(e))) from e
    response = redirect("bench-bundle", bundle)
    response.status_code = 303
    return response
