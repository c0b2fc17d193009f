"""The exact side of a number from our own cases: only with cases that the one who asks may see anyway."""

from django.http import HttpRequest, HttpResponse

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.faces.desk.views.acting import officers, reading, shown
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import gone
from counterfoil.measures import queries
from counterfoil.measures.queries import own

SHOWN = 200


@officers
@reading
def number(request: HttpRequest, viewer: Viewer, address: str) -> HttpResponse:
    """Show the cases behind a number of our own, exactly, as far as the viewer needs to know them."""
    try:
        one = queries.number(viewer, address)
    except BadInput:
        return gone(request)
    if one.definition.method != "own":
        return gone(request)
    found = own.exact(viewer, address)
    facts = {
        "n": one,
        "found": found,
        "rows": found.cases[:SHOWN],
        "full": len(found.cases) > SHOWN,
        "same": own.again(address),
        "kinds": kind_names(),
        "here": "cases",
    }
    return shown(request, viewer, "desk/number.html", facts)
