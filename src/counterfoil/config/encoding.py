"""Every form is read as UTF-8, whatever encoding its sender names.

Python knows "encodings" such as rot13 and unicode_escape: the first makes reading a form fail with a fault of ours, the
second smuggles in lone surrogates that no database stores. Browsers name none.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


def as_utf8(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Read a request as UTF-8 even where it names another encoding."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.encoding is not None:
            request.encoding = "utf-8"
        return get_response(request)

    return middleware
