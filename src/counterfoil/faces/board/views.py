"""The board's pages: find the figures, choose the words, draw, show."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse

from counterfoil.accounts.rules import Viewer
from counterfoil.faces.board import charts, integrity, words
from counterfoil.faces.board.page import csv_file, page, pair, show, svg_file
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.measures.queries import ForcePage, Number
from counterfoil.measures.rules import NumberId, class_of
from counterfoil.reference import measures as definitions


@dataclass(frozen=True)
class Card:
    """A number in the words of its card, as `kit/things.html` draws it."""

    number: Number
    value: str
    interval: str
    counts: str
    source: str
    date: str
    how_url: str
    missing: str
    warnings: list[str]


def card(one: Number) -> Card:
    """Put a number into words."""
    return Card(
        number=one,
        value=words.value(one),
        interval=words.interval(one),
        counts=words.counts(one),
        source=definitions.source(one.definition.source)["name"],
        date=gettext("imported %(day)s") % {"day": words.day(one.newest)} if one.newest else "",
        how_url=reverse("board:number", args=[one.id]),
        missing=words.why_none(one),
        warnings=words.warnings(one),
    )


@page
def front(request: HttpRequest) -> HttpResponseBase:
    """Show which forces and months are held, what is missing, and each force's headline figures."""
    viewer = viewer_of(request)
    found = queries.board(viewer)
    lines = []
    for one in found.lines:
        crimes, charged = queries.headline(viewer, one.slug)
        lines.append({"line": one, "crimes": crimes, "charged": charged})
    return show(
        request,
        "board/front.html",
        {
            "board": found,
            "lines": lines,
            "months": found.months,
            "cell": lambda measure, slug, month: NumberId(measure, slug, month, month),
        },
    )


@page
def files(request: HttpRequest) -> HttpResponseBase:
    """List every file held, with its digest and whether it is in use."""
    return show(request, "board/files.html", {"files": queries.files(viewer_of(request))})


@page
def files_csv(request: HttpRequest) -> HttpResponseBase:
    """Give the catalogue of files as CSV."""
    head = (
        "name", "sha256", "size", "kind", "source", "force", "month", "rows", "vintage", "imported_at", "in_use",
    )  # fmt: skip
    body = [
        (
            h.name, h.sha256, h.size, h.kind, h.source, h.force, h.month, h.rows, h.vintage, h.imported_at,
            "yes" if used else "no",
        )
        for h, used in queries.files(viewer_of(request))
    ]  # fmt: skip
    return csv_file("files.csv", [head, *body])


@page
def file(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """Give a published file back, byte for byte, after re-hashing it."""
    found = queries.published_file(viewer_of(request), sha256)
    if found is None:
        raise Http404
    one, data = found
    response = HttpResponse(data, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{one.name}"'
    return response


@page
def force(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show one force: counts by month and type, share charged, how crimes ended, and where."""
    viewer = viewer_of(request)
    found = queries.force_page(viewer, slug, request.GET.get("type") or "all")
    chosen = found.chosen
    query = f"?{urlencode({'type': chosen.slug})}" if chosen else ""
    outline = queries.outline(viewer, slug)
    drawn = {name: pair(_spec(viewer, found, name)) for name in ("months", "types", "charged")}
    return show(
        request,
        "board/force.html",
        {
            "p": found,
            "type_query": query,
            "cards": [card(n) for n in (found.crimes, found.charged, found.of_outcomes) if n is not None],
            "types": [t.type for t in found.types],
            "drawn": drawn,
            "map_url": _map_url(found, outline) if found.areas else "",
            "outline": outline,
            "off_map": charts.off_map(_dots(found), _rings(viewer, found)) if found.areas else 0,
            "area_lines": [
                {
                    "area": a,
                    "id": NumberId(
                        "crimes", slug, found.first, found.last, chosen.slug if chosen else "all", a.code
                    ),
                }
                for a in found.areas[:12]
            ],
            "classes": [(_shade(at, found), c) for at, c in enumerate(found.classes)][::-1],
            "cell": lambda type_slug, month: NumberId("crimes", slug, month, month, type_slug),
            "row": lambda type_slug: NumberId("crimes", slug, found.first, found.last, type_slug),
            "ended": lambda wording: NumberId(
                "outcomes", slug, found.outcome_months[0], found.outcome_months[1], wording
            ),
            "period_words": words.period(found.first, found.last),
        },
    )


def _map_url(found: ForcePage, outline: queries.Outline | None) -> str:
    """Return the address of the map's drawing; it names the files it rests on, so a browser may keep it."""
    facts = {"type": found.chosen.slug if found.chosen else "all", "files": found.crimes.basis[:16]}
    if outline:
        facts["outline"] = outline.file.sha256[:16]
    return reverse("board:force_svg", args=[found.force.slug, "map"]) + "?" + urlencode(facts)


def _spec(viewer: Viewer, found: ForcePage, name: str) -> Callable[[bool], dict[str, Any]] | None:
    if name == "months":
        bars = [
            charts.Bar(
                m,
                (words.short_month(m), m[:4] if at == 0 or m.endswith("-01") else "")
                if len(found.months) <= 18
                else (m[:4] if m.endswith("-01") or at == 0 else "",),
                n,
                words.whole(n or 0),
            )
            for at, (m, n) in enumerate(zip(found.months, found.totals, strict=True))
        ]
        phone = [
            charts.Bar(b.key, (f"{words.short_month(b.key)} {b.key[2:4]}",), b.value, b.words) for b in bars
        ]
        missing = gettext("missing")
        return lambda narrow: charts.columns(tuple(phone if narrow else bars), missing=missing, narrow=narrow)
    if name == "types":
        if found.chosen:
            return None
        lines = sorted(found.types, key=lambda t: (-t.total, t.type.name))
        rows = [
            charts.Bar(t.type.slug, (t.type.called(lang()),), t.total, words.whole(t.total)) for t in lines
        ]
        return lambda narrow: charts.bars(tuple(rows), narrow=narrow)
    if name == "charged":
        return _charged_spec(found)
    if not found.areas:
        return None
    rings = _rings(viewer, found)
    dots = _dots(found)
    return lambda narrow: charts.area_map(dots, rings, tuple(_places(found)), narrow=narrow)


def _rings(viewer: Viewer, found: ForcePage) -> tuple[tuple[tuple[float, float], ...], ...]:
    outline = queries.outline(viewer, found.force.slug)
    return outline.rings if outline else ()


def _shade(cls: int, found: ForcePage) -> int:
    """Return the shade of a class, 0 to 4: the highest is always the darkest, however few classes there are."""
    return 4 if len(found.classes) < 2 else cls * 4 // (len(found.classes) - 1)


def _dots(found: ForcePage) -> tuple[charts.Dot, ...]:
    return tuple(
        charts.Dot(a.lon_e6 / 1e6, a.lat_e6 / 1e6, _shade(class_of(a.rows, found.classes), found))
        for a in found.areas
        if a.lon_e6 is not None and a.lat_e6 is not None
    )


def _charged_spec(found: ForcePage) -> Callable[[bool], dict[str, Any]] | None:
    shown = [t for t in found.types if t.charged is not None and (not found.chosen or found.chosen == t.type)]
    known = [t.charged for t in shown if t.charged and t.charged.value is not None]
    if not known:
        return None

    def key(n: Number) -> tuple[float, str]:
        return (-float(n.value or 0), n.type_name)

    rows = [
        charts.Span(
            n.id.type,
            words.type_words(n.type_name),
            float(n.value or 0),
            float(n.low or 0),
            float(n.high or 0),
            gettext("%(value)s%% (%(low)s to %(high)s)") % {"value": n.value, "low": n.low, "high": n.high},
        )
        for n in sorted(known, key=key)
    ]
    every = None if found.chosen else found.charged
    whole = float(every.value) if every is not None and every.value is not None else None
    said = gettext("All crimes %(value)s%%") % {"value": every.value} if every is not None else ""
    return lambda narrow: charts.spans(tuple(rows), whole=whole, whole_words=said, narrow=narrow)


def _places(found: ForcePage) -> list[charts.Label]:
    """Name the districts on a map: an area's name is its district and a code, and the largest few are written."""
    sums: dict[str, list[int]] = {}
    for a in found.areas:
        if a.lon_e6 is None or a.lat_e6 is None:
            continue
        one = sums.setdefault(a.name.rsplit(" ", 1)[0], [0, 0, 0, 0])
        one[0] += a.rows
        one[1] += a.lon_e6
        one[2] += a.lat_e6
        one[3] += 1
    total = sum(s[0] for s in sums.values())
    largest = sorted(sums.items(), key=lambda i: (-i[1][0], i[0]))[:8]
    return [
        charts.Label(s[1] / s[3] / 1e6, s[2] / s[3] / 1e6, name)
        for name, s in largest
        if name and s[0] * 33 >= total
    ]


@page
def force_svg(request: HttpRequest, slug: str, chart: str) -> HttpResponseBase:
    """Give one chart of a force as an SVG file."""
    viewer = viewer_of(request)
    if chart not in ("months", "types", "charged", "map"):
        raise Http404
    spec = _spec(viewer, queries.force_page(viewer, slug, request.GET.get("type") or "all"), chart)
    return svg_file(request, f"{slug}-{chart}.svg", spec)


@page
def force_csv(request: HttpRequest, slug: str, table: str) -> HttpResponseBase:
    """Give one table of a force as CSV; a month without a file is an empty cell with its state beside it."""
    viewer = viewer_of(request)
    found = queries.force_page(viewer, slug, request.GET.get("type") or "all")
    maker = {"months": _months_rows, "charged": _charged_rows, "outcomes": _outcome_rows, "areas": _area_rows}
    if table not in maker:
        raise Http404
    return csv_file(f"{slug}-{table}.csv", maker[table](found))


def _months_rows(found: ForcePage) -> Iterable[Iterable[object]]:
    yield ("force", "month", "crime_type", "rows", "state", "number")
    states = {
        m: "missing" if m in found.street.missing else "zero" if m in found.street.empty else "submitted"
        for m in found.months
    }
    for line in found.types:
        if found.chosen and line.type != found.chosen:
            continue
        for month, n in zip(found.months, line.counts, strict=True):
            state = "zero" if n == 0 else states[month]
            id = NumberId("crimes", found.force.slug, month, month, line.type.slug)
            yield (found.force.slug, month, line.type.name, "" if n is None else n, state, str(id))


def _charged_rows(found: ForcePage) -> Iterable[Iterable[object]]:
    yield (
        "force", "first_month", "last_month", "outcomes_until", "crime_type", "charged", "crimes", "percent",
        "low_95", "high_95", "charged_in_another_case", "without_identifier", "state", "number",
    )  # fmt: skip
    numbers = [found.charged, *(t.charged for t in found.types)]
    for n in numbers:
        if n is None or (found.chosen and n.id.type != found.chosen.slug):
            continue
        known = n.value is not None
        yield (
            found.force.slug, n.id.first, n.id.last, n.until, n.type_name,
            n.part if known else "", n.whole if known else "", n.value if known else "",
            n.low if known else "", n.high if known else "", n.other_case if known else "",
            n.without_id if known else "", n.state, str(n.id),
        )  # fmt: skip


def _outcome_rows(found: ForcePage) -> Iterable[Iterable[object]]:
    yield ("force", "published_wording", "rows", "outcome_types_it_may_stand_for", "mapping")
    for line in found.outcomes:
        types = " ".join(str(t) for t in line.wording.types)
        yield (found.force.slug, line.wording.wording, line.rows, types, line.wording.mark)


def _area_rows(found: ForcePage) -> Iterable[Iterable[object]]:
    yield ("force", "lsoa_code", "lsoa_name", "rows", "middle_longitude_e6", "middle_latitude_e6", "number")
    type_slug = found.chosen.slug if found.chosen else "all"
    for a in found.areas:
        id = NumberId("crimes", found.force.slug, found.first, found.last, type_slug, a.code)
        yield (found.force.slug, a.code, a.name, a.rows, a.lon_e6, a.lat_e6, str(id))
    if found.blank:
        id = NumberId("crimes", found.force.slug, found.first, found.last, type_slug, "none")
        yield (found.force.slug, "", "", found.blank, "", "", str(id))


@page
def number(request: HttpRequest, address: str) -> HttpResponseBase:
    """Show how we know a number: what it is, how it was worked out, what is left out, and from which files."""
    one = queries.number(viewer_of(request), address)
    basis = request.GET.get("files", "")
    return show(
        request,
        "board/number.html",
        {
            "n": one,
            "card": card(one),
            "d": one.definition,
            "parts": [(p, queries.rows_in(one, p)) for p in queries.parts_of(one.id.measure)],
            "source": definitions.source(one.definition.source),
            "moved": bool(basis) and not one.basis.startswith(basis),
            "findings": queries.findings(viewer_of(request), address),
            "f": integrity.said(),
            "language": lang(),
        },
    )


@page
def rows(request: HttpRequest, address: str) -> HttpResponseBase:
    """Show the published rows behind a number, a page at a time."""
    at = request.GET.get("page", "1")
    found = queries.behind(
        viewer_of(request),
        address,
        request.GET.get("part", ""),
        int(at) if at.isascii() and at.isdigit() and len(at) < 8 else 0,
    )
    return show(request, "board/rows.html", {"t": found, "card": card(found.number)})


@page
def rows_csv(request: HttpRequest, address: str) -> HttpResponseBase:
    """Give every row behind a number as CSV, as it is read."""
    part = request.GET.get("part", "")
    lines = queries.rows_csv(viewer_of(request), address, part)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{address}-rows.csv"'
    return response
