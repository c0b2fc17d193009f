"""The door of every staff page: who may enter, how long a session lives, and what is kept when it ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from counterfoil.accounts.rules import Viewer, called
from counterfoil.faces.kit import views
from counterfoil.faces.kit.served import NO_STORE
from counterfoil.faces.kit.viewer import viewer_of

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
STAFF_PLACES = ("/desk", "/bench", "/staff")
# A page that asks for itself again while something is built does not count as somebody being there.
WAITING = "waiting"
KEPT = "kept_form"

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Viewer, P], HttpResponseBase]
Guarded = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def local_path(path: str) -> str:
    """Return a path on this site that somebody may be sent to after signing in, or "" for anything else."""
    fine = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if fine and len(path) <= 500 else ""


def to_sign_in(request: HttpRequest, *, ended: bool = False) -> HttpResponse:
    """Send a visitor to the sign-in page, to come back here afterwards."""
    facts = {"next": request.path, **({"ended": "1"} if ended else {})}
    response = HttpResponse(status=302)
    response.headers["Location"] = f"{settings.LOGIN_URL}?{urlencode(facts)}"
    response.headers["Cache-Control"] = NO_STORE
    patch_vary_headers(response, ["Cookie"])
    return response


def staff(*roles: str) -> Callable[[View[P]], Guarded[P]]:
    """Let a view be reached only with both factors and one of `roles`; it gets the viewer as second argument.

    Signed out: the same redirect whatever the address holds. Signed in with another role: the same refusal.
    """

    def decorate(view: View[P]) -> Guarded[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            viewer = viewer_of(request)
            if not viewer.signed_in or not viewer.second_factor:
                return to_sign_in(request)
            if not any(viewer.has(role) for role in roles):
                words = " or ".join(map(called, roles))
                return views.refusal(request, 403, sentence=f"You need to be {words} to open these pages.")
            return view(request, viewer, *args, **kwargs)

        guarded.staff_roles = roles  # type: ignore[attr-defined]
        return guarded

    return decorate


def _when(session: Any, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(session.get(name, 0)), tz=UTC)
    except (TypeError, ValueError, OverflowError):
        return datetime.fromtimestamp(0, tz=UTC)


def staff_session(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """End a staff session after 15 minutes without a request, or 12 hours; keep a form that was being sent."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return get_response(request)
        now = timezone.now()
        seen, began = _when(request.session, "seen_at"), _when(request.session, "began_at")
        if now - seen < IDLE and now - began < LONGEST:
            if now - seen > timedelta(seconds=20) and WAITING not in request.GET:
                request.session["seen_at"] = now.timestamp()
            return get_response(request)
        actor = str(request.user.pk)
        staff_place = request.path_info.startswith(STAFF_PLACES)
        kept = None
        if staff_place and request.method == "POST":
            kept = {k: v for k, v in request.POST.lists() if k != "csrfmiddlewaretoken"}
        logout(request)
        if not staff_place:
            return get_response(request)
        if kept is not None:
            request.session[KEPT] = {"actor": actor, "path": request.path_info, "fields": kept}
        return to_sign_in(request, ended=True)

    return middleware


def kept_form(request: HttpRequest) -> dict[str, list[str]] | None:
    """Return what was typed in this page's form when the session ended, once; None when there is nothing."""
    kept = request.session.get(KEPT)
    if not isinstance(kept, dict) or kept.get("path") != request.path_info:
        return None
    if kept.get("actor") != str(request.user.pk):
        return None
    del request.session[KEPT]
    fields = kept.get("fields")
    return fields if isinstance(fields, dict) else None
