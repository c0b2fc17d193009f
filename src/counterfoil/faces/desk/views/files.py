"""Files that an officer adds to a case: a page, and the address where its script sends them in pieces."""

from typing import BinaryIO, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from counterfoil.accounts.rules import Viewer
from counterfoil.cases.queries import CaseCard
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.faces.desk import forms
from counterfoil.faces.desk.views.acting import both, officers, on_case, to
from counterfoil.faces.desk.views.case import asked
from counterfoil.faces.kit import tus
from counterfoil.reports import receiving


@officers
@both
@on_case
def add(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Add files to a case; the script sends them in pieces, and without it the form sends them whole."""
    form = forms.Typed(request.POST if request.method == "POST" else None)
    owner = f"case:{card.id}"
    if request.method == "POST" and form.is_valid():
        sent = request.FILES.getlist("files")
        if card.state != "open":
            form.refuse(NotAllowed("This case is closed. Reopen it before you add evidence."))
        elif not sent and request.POST.get("then") != "next":
            form.refuse(BadInput("files", "Choose a file first."))
        for one in sent if not form.errors else ():
            try:
                receiving.add_file(owner, one.name or "", cast("BinaryIO", one.file), by=viewer)
            except Refusal as wrong:
                form.refuse(BadInput("files", f"{one.name}: {wrong}"))
        if not form.errors:
            response = to("desk-case", card.id)
            response.headers["Location"] += "#evidence"
            return response
    facts = {
        "waiting": receiving.unfinished(owner),
        "resume": tus.resumable(receiving.unfinished(owner)),
        "address": reverse("desk-files", args=[card.id]),
        "token": get_token(request),
        "most": receiving.Receiving(owner, by=viewer).limit,
    }
    return asked(request, viewer, card, "add_files", form, **facts)


@officers
@require_http_methods(["OPTIONS", "HEAD", "POST", "PATCH", "DELETE"])
@on_case
def files(request: HttpRequest, viewer: Viewer, card: CaseCard, upload: UUID | None = None) -> HttpResponse:
    """Take files for a case in pieces (tus)."""
    open_ = card.state == "open"
    receives = receiving.Receiving(f"case:{card.id}", by=viewer) if open_ else None
    return tus.answer(request, upload, receives, lambda made: reverse("desk-upload", args=[card.id, made]))
