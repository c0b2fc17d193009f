"""What the defence does: open a release with its one-time code, read what was proved and what was not, take the bundle.

A link alone opens nothing: an unknown link, an old one and a good one show the same form.
"""

import time
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from counterfoil.accounts.rules import Viewer
from counterfoil.courts import actions
from counterfoil.faces.bench.forms import Code
from counterfoil.faces.bench.words import said
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.page import as_download, show

OPENED = "opened_release"
# How long an opened release stays open in the browser that opened it.
OPEN_FOR = 2 * 3600


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, link: str) -> HttpResponse:
    """Ask for the one-time code; open the release in this browser when link and code belong together."""
    error = ""
    if request.method == "POST":
        form = Code(request.POST)
        code = form.cleaned_data["code"] if form.is_valid() else ""
        release = actions.open_release(link, code)
        if release is not None:
            request.session.cycle_key()
            request.session[OPENED] = {"release": str(release), "at": time.time()}
            response = redirect("bench-opened")
            response.status_code = 303
            return response
        error = _(
            "This link and code do not open anything. Check the code and try again. After five wrong codes a link "
            "stops working, and a code works once: then ask the prosecutor who sent it for a new one."
        )
    errors = [{"text": error, "href": "#code"}] if error else []
    return show(request, "bench/ask.html", {"errors": errors, "error": error}, status=400 if error else 200)


def _release(request: HttpRequest) -> UUID | None:
    """Return the release that this browser opened less than two hours ago."""
    held = request.session.get(OPENED)
    if not isinstance(held, dict) or time.time() - float(held.get("at", 0)) > OPEN_FOR:
        return None
    return UUID(str(held["release"]))


def _closed(request: HttpRequest) -> HttpResponse:
    return show(request, "bench/closed.html", {"other_language": ""}, status=404)


@require_http_methods(["GET", "HEAD"])
def opened(request: HttpRequest) -> HttpResponse:
    """Show what was proved and what was not, how to check it, and the bundle to take."""
    release = _release(request)
    found = actions.released_bundle(release) if release else None
    if found is None:
        return _closed(request)
    card, recipient = found
    return show(request, "bench/opened.html", {"bundle": card, "recipient": recipient, **said(card)})


@require_http_methods(["GET"])
def file(request: HttpRequest) -> HttpResponseBase:
    """Hand out the released bundle; the entry is committed before the first byte."""
    release = _release(request)
    found = actions.released_bundle(release) if release else None
    if release is None or found is None:
        return _closed(request)
    opened = actions.download(found[0].id, by=Viewer.public(), release_id=release)
    if opened is None:
        return _closed(request)
    card, stream = opened
    return as_download(stream, f"{card.name}.zip", "application/zip", card.size)
