"""What every page of the desk does: find the case or say nothing, act, and keep what was typed when refused."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard
from counterfoil.engines.clock import say_month
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.faces.desk import words
from counterfoil.faces.desk.forms import Typed
from counterfoil.faces.kit.page import gone, show
from counterfoil.faces.kit.signin.guard import kept_form, staff
from counterfoil.ledger.actions import once

P = ParamSpec("P")
F = TypeVar("F", bound=Typed)
officers = staff("officer", "inspector")
both = require_http_methods(["GET", "HEAD", "POST"])
reading = require_http_methods(["GET", "HEAD"])
# For bytes whose reading is an entry: asking only for the headers is not offered.
getting = require_http_methods(["GET"])


def on_case(
    view: Callable[Concatenate[HttpRequest, Viewer, CaseCard, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Give a view the case it is about, or answer that nothing is here."""

    @wraps(view)
    def found(
        request: HttpRequest, viewer: Viewer, case: UUID, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        card = cases.case_for(viewer, case)
        return gone(request) if card is None else view(request, viewer, card, *args, **kwargs)

    return found


def start(request: HttpRequest, form: type[F], initial: Mapping[str, Any] | None = None) -> F:
    """Return the form as sent, or a new one holding what was typed when a session ended, or `initial`."""
    if request.method == "POST":
        return form(request.POST)
    kept = kept_form(request)
    if kept is not None:
        again = form(initial={**{k: v[-1] for k, v in kept.items() if v}, "token": secrets.token_urlsafe(16)})
        again.restored = True
        return again
    return form(initial={"token": secrets.token_urlsafe(16), **(initial or {})})


def attempt(form: Typed, act: Callable[[dict[str, Any]], str]) -> str:
    """Do what a filled form asks and return where to go next; "" when it was refused and the form says why."""
    if not form.is_valid():
        return ""
    try:
        return act(form.cleaned_data)
    except (BadInput, NotAllowed) as e:
        form.refuse(e)
        return ""


def only_once(viewer: Viewer, form: Typed, act: Callable[[], str]) -> str:
    """Do `act` once for this form's token and return its address; sending the form again returns the same one."""
    said = (
        {k: v for k, v in form.data.lists() if k != "csrfmiddlewaretoken"}
        if hasattr(form.data, "lists")
        else {}
    )
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    token = form.cleaned_data.get("token") or secrets.token_urlsafe(16)
    key = hashlib.sha256(f"{viewer.id}:{token}".encode()).hexdigest()
    return str(once(f"desk.{type(form).__name__.lower()}", key, digest, lambda: {"go": act()})["go"])


def shown(
    request: HttpRequest,
    viewer: Viewer,
    template: str,
    facts: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show a page of the desk. A form with problems is answered as a bad request, with all that was typed."""
    form = (facts or {}).get("form")
    errors = form.problems() if isinstance(form, Typed) and form.is_bound else []
    now = timezone.now()
    context = {
        "viewer": viewer,
        "errors": errors,
        "other_language": "",
        "when": partial(words.when, now=now),
        "exact": words.exact,
        "month": say_month,
        "due_words": partial(words.due_words, now=now),
        **(facts or {}),
    }
    return show(request, template, context, status=400 if errors else status)


def to(name: str, *args: object) -> HttpResponse:
    """Go to a page of the desk after an act (303, so that reloading does not send again)."""
    response = redirect(name, *args)
    response.status_code = 303
    return response
