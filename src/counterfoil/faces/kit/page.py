"""Rendering: one way to show a page, never kept by the browser unless it says so."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from counterfoil.faces.kit.language import lang

NO_STORE = "no-store, max-age=0, private"


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
