"""Audit samples of our own recording: what was drawn, how to draw it again, and what follows once all is marked."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from counterfoil.engines.sampling import Estimate
from counterfoil.faces.board.page import csv_file, page, show
from counterfoil.faces.kit.language import gettext
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import samples
from counterfoil.measures.samples import SampleCard


def percent(share: float) -> str:
    """Write a share in percent with one decimal."""
    return f"{share * 100:.1f}%"


def said(one: Estimate | None) -> str:
    """Say an estimate with its interval, or that nothing can be said."""
    if one is None:
        return gettext("not known: no marked report could tell")
    return gettext("%(share)s (%(low)s to %(high)s, 95%% interval)") % {
        "share": percent(one.share),
        "low": percent(one.low),
        "high": percent(one.high),
    }


def lines(one: SampleCard) -> list[tuple[str, str]]:
    """Return what a marked sample says, line by line."""
    r = one.results
    if r is None:
        return []
    return [
        (gettext("Crimes that were recorded, of those that should have been"), said(r.recorded)),
        (gettext("Crimes that were recorded within 24 hours"), said(r.in_time)),
        (gettext("Recorded crimes in the right class"), said(r.right_class)),
        (gettext("Recorded although it was no crime"), said(r.too_many)),
    ]


def _one(request: HttpRequest, sample: str) -> SampleCard:
    found = next((s for s in samples.published(viewer_of(request)) if str(s.id) == str(sample)), None)
    if found is None:
        raise Http404
    return found


@page
def listed(request: HttpRequest) -> HttpResponseBase:
    """List every sample, announced ones too: none can be put away because of what it found."""
    found = samples.published(viewer_of(request))
    return show(request, "board/samples.html", {"samples": [(s, lines(s)) for s in found]})


@page
def sample(request: HttpRequest, sample: str) -> HttpResponseBase:
    """Show one sample: its frame, how it was drawn, and what follows."""
    one = _one(request, sample)
    return show(request, "board/sample.html", {"s": one, "lines": lines(one)})


@page
def samples_csv(request: HttpRequest) -> HttpResponseBase:
    """Give the estimates of every sample as CSV."""
    rows: list[list[object]] = [
        ["sample", "force", "first", "last", "measure", "share", "low_95", "high_95", "marked"]
    ]
    for one in samples.published(viewer_of(request)):
        r = one.results
        named = [] if r is None else [
            ("recorded", r.recorded), ("in_time", r.in_time), ("right_class", r.right_class), ("too_many", r.too_many)
        ]  # fmt: skip
        rows += [
            [one.id, one.force, one.first, one.last, name, e.share, e.low, e.high, e.marked]
            for name, e in named
            if e
        ]
    return csv_file("samples.csv", rows)


@page
def frame(request: HttpRequest, sample: str) -> HttpResponseBase:
    """Give a sample's frame: tokens and strata, nothing else."""
    response = HttpResponse(
        samples.frame(_one(request, sample).frame_sha256), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="frame.csv"'
    return response


@page
def statement(request: HttpRequest, sample: str) -> HttpResponseBase:
    """Give the log's statement under which a sample was drawn."""
    one = _one(request, sample)
    if not one.note:
        raise Http404
    return HttpResponse(one.note, content_type="text/plain; charset=utf-8")
