"""Prove it: published claims held against the tables, each reproduced, restated, or not to be had from what is held."""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponseBase

from counterfoil.accounts.rules import Viewer
from counterfoil.faces.board.page import csv_file, page, show
from counterfoil.faces.kit.language import gettext, lang
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import claims


def verdicts() -> dict[str, str]:
    """Return the words of each verdict."""
    return {
        "reproduced": gettext("Reproduced"),
        "restated": gettext("Restated"),
        "not-reproducible": gettext("Not reproducible from the files held"),
    }


@page
def prove_it(request: HttpRequest) -> HttpResponseBase:
    """Show each published claim with what the tables held say to it, down to file, row and byte."""
    found = claims.all_judged(viewer_of(request))
    return show(
        request,
        "board/prove_it.html",
        {
            "groups": ([j for j in found if j.claim.six], [j for j in found if not j.claim.six]),
            "verdicts": verdicts(),
            "language": lang(),
            "signs": {"share": "%", "count": "", "days": ""},
        },
    )


@page
def prove_it_csv(request: HttpRequest) -> HttpResponseBase:
    """Give the claims and what was found as CSV."""
    return csv_file("prove-it.csv", rows(viewer_of(request)))


def rows(viewer: Viewer) -> Iterable[Iterable[object]]:
    """Yield a line for each value of each claim, the heading first."""
    yield (
        "claim", "says", "claimed", "first_month", "last_month", "verdict", "found", "found_first_month",
        "found_last_month", "kind", "number", "file", "sha256", "row", "byte_offset", "byte_length", "needs",
    )  # fmt: skip
    for one in claims.all_judged(viewer):
        for f in one.findings:
            p, row = f.point, f.rows[0] if f.rows else None
            yield (
                one.claim.id, one.claim.text("says"), f.claimed.said, f.claimed.first, f.claimed.last, f.state,
                p.value if p else None, p.first if p else None, p.last if p else None, f.kind or None,
                p.address if p else None, row.name if row else None, row.sha256 if row else None,
                row.row if row else None, row.offset if row else None, row.length if row else None,
                one.claim.needs if f.state == "not-reproducible" else None,
            )  # fmt: skip
