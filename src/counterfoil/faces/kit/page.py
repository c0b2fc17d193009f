"""Rendering: one way to show a page, never kept by the browser unless it says so."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from counterfoil.faces.kit.language import lang
from counterfoil.faces.kit.served import NO_STORE, serve


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    keep: bool = False,
) -> HttpResponse:
    """Render a template for this request. The answer is marked never to be stored, unless `keep` (public pages)."""
    here = request.path_info
    facts = {"other_language": here if lang() == "cy" else f"/cy{here}", **(context or {})}
    response = render(request, template, facts, status=status)
    if not keep:
        response.headers["Cache-Control"] = NO_STORE
    response.headers["Content-Language"] = lang()
    return response


def gone(request: HttpRequest) -> HttpResponse:
    """Return the page for nothing here: the very same for what is absent and for what is refused."""
    return show(request, "kit/refusal.html", {"status": 404, "other_language": ""}, status=404)


def as_download(stream: Any, name: str, media_type: str, size: int | None) -> HttpResponseBase:
    """Return bytes as a download that a browser will neither show, run nor keep."""
    return serve(stream, name, media_type, size)
