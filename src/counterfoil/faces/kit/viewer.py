"""Who is looking at a page."""

from django.http import HttpRequest

from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer


def viewer_of(request: HttpRequest) -> Viewer:
    """Return the viewer of a request: the signed-in actor with the roles that hold now, or the public."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Viewer.public()
    verified = getattr(user, "is_verified", None)
    return viewer_for(str(user.pk), second_factor=bool(verified and verified()))
