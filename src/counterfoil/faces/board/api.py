"""Open data: the board's figures as JSON, under stable addresses, each with licence, release and the files behind it.

Version 1 stays as it is: things may be added to an answer, and nothing is taken away or renamed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import Held
from counterfoil.faces.board import proving, targets
from counterfoil.faces.board.page import page, show
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.measures.queries import Number, Point
from counterfoil.reference import measures as definitions
from counterfoil.reference.measures import Definition

VERSION = "1"
PARTS = ("name", "counts", "numerator", "denominator", "excluded", "note", "small")
EXAMPLE = "charged.cleveland.2021-03_2022-02.burglary"


def _plain(value: object) -> object:
    """Turn a value into what JSON has: decimals keep their digits, days are written as 2026-11-21."""
    if isinstance(value, Decimal):
        return (
            int(value)
            if value == value.to_integral_value() and value.as_tuple().exponent == 0
            else float(value)
        )
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _answer(data: object, *, status: int = 200, **beside: object) -> HttpResponse:
    source = definitions.source("police_uk")
    body = {
        "api": VERSION,
        "licence": source["licence"],
        "attribution": source["attribution"],
        **beside,
        "data": data,
    }
    if status != 200:
        body = {"api": VERSION, "error": data}
    text = json.dumps(_plain(body), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    response = HttpResponse(text, content_type="application/json; charset=utf-8", status=status)
    response.headers["Access-Control-Allow-Origin"] = "*"  # public and the same for everybody
    response.headers["Cache-Control"] = "no-cache"
    return response


def answers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Allow reading only, and answer an address of nothing with a sentence in JSON."""

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (BadInput, Http404) as none:
            said = str(none) if isinstance(none, BadInput) else ""
            return _answer(said or "There is nothing at this address.", status=404)

    return answer


def _files(used: Iterable[Held]) -> list[dict[str, object]]:
    return [
        {
            "name": h.name,
            "sha256": h.sha256,
            "released": h.vintage,
            "imported": h.imported_at,
            "download": reverse("board:file", args=[h.sha256]),
        }
        for h in used
    ]


def _definition(one: Definition) -> dict[str, object]:
    return {
        "id": one.id,
        "version": one.version,
        "unit": one.unit,
        "direction": one.direction,
        "basis": one.basis,
        "interval": one.interval,
        **{
            part: one.text(part)
            for part in ("name", "counts", "numerator", "denominator", "excluded", "note", "small")
        },
    }


def _number(one: Number) -> dict[str, object]:
    return {
        "number": str(one.id),
        "measure": one.id.measure,
        "definition_version": one.definition.version,
        "place": one.id.force,
        "kind": one.id.type,
        "first_month": one.id.first,
        "last_month": one.id.last,
        "state": one.state,
        "unit": one.definition.unit,
        "value": one.value,
        "low_95": one.low,
        "high_95": one.high,
        "part": one.part,
        "whole": one.whole,
        "released": one.vintage,
        "rests_on": one.basis,
        "how": reverse("board:number", args=[one.id]),
        "rows": reverse("board:rows_csv", args=[one.id]),
    }


def _point(one: Point) -> dict[str, object]:
    return {
        "number": one.address,
        "first_month": one.first,
        "last_month": one.last,
        "state": one.state,
        "value": one.value,
        "low_95": one.low,
        "high_95": one.high,
        "part": one.part,
        "whole": one.whole,
        "released": one.vintage,
    }


@page
def about(request: HttpRequest) -> HttpResponseBase:
    """Say on one page how to read the board with a program, and how to put a number into a page of one's own."""
    held = queries.stock().forces()
    return show(request, "board/api.html", {"example": EXAMPLE, "held": bool(held), "version": VERSION})


@answers
def measures(request: HttpRequest) -> HttpResponse:
    """Give the definition of every measure."""
    return _answer([_definition(m) for m in definitions.measures()])


@answers
def number(request: HttpRequest, address: str) -> HttpResponse:
    """Give one number with its interval, state, definition and the files it rests on."""
    one = queries.number(viewer_of(request), address)
    return _answer(_number(one), definition=_definition(one.definition), files=_files(one.used))


@answers
def series(request: HttpRequest, measure: str, place: str, kind: str) -> HttpResponse:
    """Give a measure over time for one place, with the breaks that may not be compared across."""
    found = queries.series(viewer_of(request), measure, place, kind)
    return _answer(
        [_point(p) for p in found.points],
        source=found.source,
        definition=_definition(found.definition),
        state=found.state,
        needs=found.needs,
        released=found.vintage,
        breaks=[{"at": b.at, "kind": b.kind, "why": b.why, "why_cy": b.why_cy} for b in found.breaks],
    )


@answers
def compare(request: HttpRequest, measure: str, period: str, kind: str) -> HttpResponse:
    """Give a measure for every place in one period; places that cannot be compared come without a value."""
    first, _, last = period.partition("_")
    found = queries.compare(viewer_of(request), measure, (first, last or first), kind)
    files = {h: None for n in found for h in n.used}
    lines = [
        {**_number(n), "compared": n.state == "published"}
        if n.state == "published"
        else {**_number(n.without(n.state)), "compared": False}
        for n in found
    ]
    return _answer(lines, definition=_definition(definitions.measure(measure)), files=_files(files))


def _table(rows: Iterable[Iterable[object]]) -> list[dict[str, object]]:
    lines = iter(rows)
    head = [str(c) for c in next(iter(lines))]
    return [dict(zip(head, line, strict=True)) for line in lines]


@answers
def targets_json(request: HttpRequest) -> HttpResponse:
    """Give every target with its baseline, level, latest figure and probability."""
    return _answer(_table(targets.rows(viewer_of(request))))


@answers
def claims_json(request: HttpRequest) -> HttpResponse:
    """Give every published claim with what the files held say to it."""
    return _answer(_table(proving.rows(viewer_of(request))))


@answers
def files(request: HttpRequest) -> HttpResponse:
    """Give the catalogue of files held, and whether each is in use."""
    held = queries.files(viewer_of(request))
    return _answer(
        [
            {
                **one,
                "kind": h.kind,
                "place": h.force,
                "month": h.month,
                "rows": h.rows,
                "size": h.size,
                "in_use": used,
            }
            for (h, used), one in zip(held, _files(h for h, _ in held), strict=True)
        ]
    )
