"""Two middlewares: every refusal becomes a plain page, and the address says the language (`/cy/…` is Welsh)."""

import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.urls import set_script_prefix

from counterfoil.engines.disk import NO_ROOM, DiskFault
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.faces.kit import views
from counterfoil.faces.kit.language import speaking

Get = Callable[[HttpRequest], HttpResponseBase]
FULL = re.compile(r"disk is full|No space left")  # as SQLite says it, and as PostgreSQL and the kernel do
SESSION_KEY = re.compile(r"[a-z0-9]{8,64}")


def plain_refusals(get_response: Get) -> Get:
    """Turn refusals into a page with their sentence, and drop a session cookie that cannot be one of ours."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and not SESSION_KEY.fullmatch(cookie):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        response = get_response(request)
        if response.status_code == 405 and isinstance(response, HttpResponse) and not response.content:
            with speaking("cy" if request.path.startswith("/cy/") else "en"):
                page = views.refusal(request, 405)
            page.headers["Allow"] = response.headers.get("Allow", "GET")
            return page
        return response

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)):
            return views.refusal(request, 413)
        if isinstance(error, (MultiPartParserError, UnreadablePostError)):
            return views.refusal(request, 400)
        if isinstance(error, DiskFault):
            return views.refusal(request, 503, sentence=str(error))
        if isinstance(error, (DatabaseError, OSError)) and FULL.search(str(error)):
            return views.refusal(request, 503, sentence=NO_ROOM)
        if isinstance(error, NotAllowed):
            return views.refusal(request, 403, sentence=str(error))
        if isinstance(error, BadInput):
            return views.refusal(request, 400, sentence=str(error))
        if isinstance(error, Refusal):
            return views.refusal(request, 409, sentence=str(error))
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def language(get_response: Get) -> Get:
    """Answer `/cy/…` in Welsh, with every link that is made while answering staying in Welsh."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        welsh = request.path_info == "/cy" or request.path_info.startswith("/cy/")
        if welsh:
            request.path_info = request.path_info[3:] or "/"
        with speaking("cy" if welsh else "en"):
            set_script_prefix("/cy/" if welsh else "/")
            try:
                return get_response(request)
            finally:
                set_script_prefix("/")

    return middleware
