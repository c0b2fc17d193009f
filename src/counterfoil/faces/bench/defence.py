"""What somebody without an account does: open what was given to them by name, with its code, and look at it or take it.

A bundle for the defence and an exhibit shared with a named person are opened by the same door. A link alone opens
nothing: an unknown link, an old one and a good one show the same form.
"""

import time
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from counterfoil.accounts.rules import Viewer
from counterfoil.courts import actions
from counterfoil.evidence import sharing
from counterfoil.faces.bench.forms import Code
from counterfoil.faces.bench.words import said
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.page import as_download, show

OPENED = "opened_pass"
# How long what was opened stays open in the browser that opened it.
OPEN_FOR = 2 * 3600


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, link: str) -> HttpResponse:
    """Ask for the code; open what it is for in this browser when link and code belong together."""
    error = ""
    if request.method == "POST":
        form = Code(request.POST)
        code = form.cleaned_data["code"] if form.is_valid() else ""
        opened = actions.open_link(link, code)
        if opened is not None:
            request.session.cycle_key()
            request.session[OPENED] = {"pass": str(opened), "at": time.time()}
            response = redirect("bench-opened")
            response.status_code = 303
            return response
        error = _(
            "This link and code do not open anything. Check the code and try again. After five wrong codes a link "
            "stops working, and a code may be used up: then ask whoever sent it to you for a new one."
        )
    errors = [{"text": error, "href": "#code"}] if error else []
    return show(request, "bench/ask.html", {"errors": errors, "error": error}, status=400 if error else 200)


def _pass(request: HttpRequest) -> UUID | None:
    """Return the pass that this browser opened less than two hours ago."""
    held = request.session.get(OPENED)
    if not isinstance(held, dict) or time.time() - float(held.get("at", 0)) > OPEN_FOR:
        return None
    return UUID(str(held["pass"]))


def _closed(request: HttpRequest) -> HttpResponse:
    return show(request, "bench/closed.html", {"other_language": ""}, status=404)


@require_http_methods(["GET", "HEAD"])
def opened(request: HttpRequest) -> HttpResponse:
    """Show what was opened: a bundle with what was proved and what was not, or a shared exhibit and what it is for."""
    held = _pass(request)
    found = actions.released_bundle(held) if held else None
    if found is not None:
        card, recipient = found
        return show(request, "bench/opened.html", {"bundle": card, "recipient": recipient, **said(card)})
    share = sharing.shared(held) if held else None
    if share is not None:
        return show(request, "bench/shared.html", {"share": share})
    return _closed(request)


@require_http_methods(["GET"])
def file(request: HttpRequest) -> HttpResponseBase:
    """Hand out the released bundle or the marked copy; the entry is committed before the first byte."""
    held = _pass(request)
    if held is None:
        return _closed(request)
    found = actions.released_bundle(held)
    if found is not None:
        bundle = actions.download(found[0].id, by=Viewer.public(), pass_id=held)
        if bundle is None:
            return _closed(request)
        card, stream = bundle
        return as_download(stream, f"{card.name}.zip", "application/zip", card.size)
    copy = sharing.view_shared(held)
    if copy is None:
        return _closed(request)
    share, stream = copy
    name = f"{share.label.replace('/', '-')}-{share.made_at:%Y%m%d}.{share.extension}"
    return as_download(stream, name, share.media_type, share.size)
