"""A number in somebody else's page: a small page that may be framed anywhere, without script, with the way back."""

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.clickjacking import xframe_options_exempt

from counterfoil.faces.board.page import page, show
from counterfoil.faces.board.views import card
from counterfoil.faces.kit.viewer import viewer_of
from counterfoil.measures import queries

# The one kind of page that may stand in a frame. It has no form, no script and no cookie to be misused there.
ANYWHERE = {"frame-ancestors": ["*"], "script-src": ["'none'"], "form-action": ["'none'"]}


@xframe_options_exempt
@csp_replace(ANYWHERE)
@page
def number(request: HttpRequest, address: str) -> HttpResponseBase:
    """Show one number as a card of its own, to be put into a frame."""
    one = queries.number(viewer_of(request), address)
    return show(request, "board/embed.html", {"n": one, "card": card(one)})
