"""What looks wrong with the files held: a grid by force and month, and each finding with the numbers it touches."""

from collections.abc import Iterable

from django.http import Http404, HttpRequest, HttpResponseBase
from markupsafe import escape

from counterfoil.engines.integrity import Finding
from counterfoil.faces.board import words
from counterfoil.faces.board.page import Spec, csv_file, page, pair, show, svg_file
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries
from counterfoil.measures.queries import Report
from counterfoil.reference import forces
from counterfoil.reference import measures as definitions
from counterfoil.reference.integrity import kinds

INK, LINE, ASKED, CLEAR = "#14181f", "#8a94a6", "#e69f00", "#ffffff"
ROW, TOP = 18, 34


def title(one: Finding) -> str:
    """Return what a finding is called, in the language of the request."""
    return kinds()[one.kind].said(lang())[0]


def asks(one: Finding) -> str:
    """Return what a finding asks of whoever supplied the data."""
    return kinds()[one.kind].said(lang())[1]


def within(one: Finding) -> str:
    """Return where within its force a finding is: an outcome, or two types; empty for all of it."""
    return one.where.partition(": ")[2]


def when(one: Finding) -> str:
    """Say since when, and until when, a finding goes."""
    if not one.since:
        return gettext("in all months")
    return words.period(one.since, one.until or one.since)


def size(one: Finding) -> str:
    """Say how big a finding is: rows, or for a force of which nothing is held, months."""
    n = words.whole(int(one.size))
    if one.kind == "missing-force":
        return gettext("%(n)s months, rows not known") % {"n": n}
    return gettext("about %(n)s rows") % {"n": n}


def touched(one: Finding) -> list[tuple[str, str]]:
    """Return the numbers a finding touches: each measure's name and its number's address, or no address."""
    found = []
    for address in one.affects:
        parts = address.split(".")
        name = definitions.measure(parts[0]).text("name", lang())
        if len(parts) == 4 and parts[3] != "all":
            name = f"{name}: {definitions.crime_type(parts[3]).called(lang())}"
        found.append((name, address if len(parts) == 4 else ""))
    return found


def _grid(report: Report) -> Spec | None:
    """Return the drawing of forces by months: a mark for what looks wrong, a cross for what is missing."""
    if not report.ready or not report.lines:
        return None

    def draw(narrow: bool) -> str:
        names = 118 if narrow else 210
        months = report.months[-18:] if narrow else report.months
        step = (340 if narrow else 760) - names
        cell = min(30, step // max(len(months), 1))
        wide, high = names + cell * len(months) + 8, TOP + ROW * len(report.lines) + 4
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        out = [
            head
            + 'font-family="Atkinson Hyperlegible Next, sans-serif" aria-hidden="true" focusable="false">'
        ]
        for at, month in enumerate(months):
            if cell >= 24 or month[5:] in ("01", "04", "07", "10"):
                x = names + at * cell + 2
                out.append(
                    f'<text x="{x}" y="14" font-size="11" fill="{INK}">{escape(words.short_month(month))}</text>'
                )
            if at == 0 or month[5:] == "01":
                out.append(
                    f'<text x="{names + at * cell + 2}" y="28" font-size="11" fill="{INK}">{month[:4]}</text>'
                )
        for row, line in enumerate(report.lines):
            y = TOP + row * ROW
            name = _short(line.slug)
            name = name if not narrow or len(name) <= 19 else name[:18] + "…"
            out.append(
                f'<text x="{names - 6}" y="{y + 13}" font-size="12" text-anchor="end" fill="{INK}">'
                f"{escape(name)}</text>"
            )
            for at, one in enumerate(line.cells[-len(months) :]):
                out.append(_mark(names + at * cell, y, cell, one.state, len(one.kinds)))
        out.append("</svg>")
        return "".join(out)

    return draw


def _mark(x: int, y: int, cell: int, state: str, n: int) -> str:
    size = min(cell, ROW) - 3
    left, top = x + (cell - size) / 2, y + (ROW - size) / 2
    if state in ("missing", "zero"):
        return (
            f'<path d="M{left:.1f} {top:.1f}l{size} {size}m0 -{size}l-{size} {size}" stroke="{INK}" '
            f'stroke-width="1.6" fill="none"/>'
        )
    fill = ASKED if state == "asked" else CLEAR
    box = (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{size}" height="{size}" fill="{fill}" stroke="{LINE}" '
        f'stroke-width=".8"/>'
    )
    if state in ("asked", "noted") and size >= 11:
        box += (
            f'<text x="{left + size / 2:.1f}" y="{top + size - 3:.1f}" font-size="10" text-anchor="middle" '
            f'fill="{INK}">{n}</text>'
        )
    return box


@page
def integrity(request: HttpRequest) -> HttpResponseBase:
    """Show what looks wrong with the files held: the grid, the kinds, and the forces."""
    report = queries.report(viewer_of(request))
    listed = [(kinds()[k].said(lang()), found) for k, found in _in_order(report)]
    return show(
        request,
        "board/integrity.html",
        {"r": report, "drawn": pair(_grid(report)), "kinds": listed, "f": said(), "language": lang()},
    )


def _in_order(report: Report) -> list[tuple[str, tuple[Finding, ...]]]:
    found = report.kinds
    return [(k, found[k]) for k in kinds() if k in found]


def said() -> dict[str, object]:
    """Return how findings are said, for templates."""
    return {"title": title, "asks": asks, "within": within, "when": when, "size": size, "touched": touched,
            "force": _force_name}  # fmt: skip


def _force_name(one: Finding) -> str:
    return words.name_of(forces.force(one.force)) if forces.known(one.force) else one.force


def _short(slug: str) -> str:
    """Return a force's name without “Police” and the like, to stand beside a row of squares."""
    return (
        slug.replace("-", " ")
        .title()
        .replace(" And ", " & ")
        .replace(" Of ", " of ")
        .replace("Btp", "British Transport")
    )


@page
def force(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show what looks wrong with the files of one force."""
    report = queries.report(viewer_of(request))
    line = next((x for x in report.lines if x.slug == slug), None)
    if line is None:
        raise Http404
    return show(
        request, "board/integrity_force.html", {"r": report, "line": line, "f": said(), "language": lang()}
    )


@page
def integrity_csv(request: HttpRequest) -> HttpResponseBase:
    """Give every finding as CSV."""

    def rows() -> Iterable[Iterable[object]]:
        yield ("kind", "where", "since", "until", "size", "affects", "in_words")
        for one in queries.report(viewer_of(request)).findings:
            yield (one.kind, one.where, one.since, one.until, int(one.size), " ".join(one.affects), one.says)

    return csv_file("integrity.csv", rows())


@page
def integrity_svg(request: HttpRequest) -> HttpResponseBase:
    """Give the grid as SVG."""
    return svg_file(request, "integrity.svg", _grid(queries.report(viewer_of(request))))
