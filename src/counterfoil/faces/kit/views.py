"""Pages that belong to every face: refusals, the neutral page, and leaving at once."""

from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist

from counterfoil.faces.kit.page import show
from counterfoil.faces.kit.served import NO_STORE

# Where "Exit this page" goes: a page that anybody might have been reading.
ELSEWHERE = "https://www.bbc.co.uk/weather"

LAST_RESORT = (
    "<!DOCTYPE html><html lang='en'><title>Online service</title><h1>Sorry, there is a problem</h1>"
    "<p>Try again in a few minutes. If you need the police now, call 999.</p></html>"
)


def refusal(request: HttpRequest, status: int, *, sentence: str = "") -> HttpResponse:
    """Return the plain page for a status, with a sentence of its own when there is one."""
    try:
        return show(request, "kit/refusal.html", {"status": status, "sentence": sentence}, status=status)
    except (TemplateDoesNotExist, RuntimeError, OSError):
        return HttpResponse(LAST_RESORT, status=status)


def neutral(request: HttpRequest, *, status: int = 404) -> HttpResponse:
    """Return the page that says nothing: for a form that is no longer open here, or an old session cookie."""
    return show(request, "kit/neutral.html", status=status)


def leave(request: HttpRequest) -> HttpResponse:
    """End the session, forget which draft was open here, clear the browser's copies, and go to a weather page.

    A plain link (GET) must work without JavaScript, so this changes nothing that a stranger's link could harm:
    the draft itself stays for whoever holds its return code.
    """
    request.session.flush()
    response = HttpResponse(status=303)
    response.headers["Location"] = ELSEWHERE
    response.headers["Cache-Control"] = NO_STORE
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the neutral page when a form comes back after its session has ended."""
    return neutral(request, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the plain page for a request that cannot be read."""
    return refusal(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the plain page for something this viewer may not do."""
    return refusal(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the plain page for an address where there is nothing, or nothing for this viewer."""
    return refusal(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the plain page for a fault of ours."""
    return refusal(request, 500)
