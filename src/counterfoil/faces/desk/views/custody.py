"""The custody of one exhibit: who looked at it, with whom it is shared, a copy out, its return, its destruction."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import PASS_DAYS, PASS_TRIES, Viewer
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard
from counterfoil.evidence import custody, sharing
from counterfoil.evidence import queries as evidence
from counterfoil.evidence.queries import ExhibitCard
from counterfoil.evidence.rules import CANNOT_BE_MARKED, may_be_marked
from counterfoil.faces.desk import forms, words
from counterfoil.faces.desk.views.acting import attempt, both, officers, on_case, reading, shown, start, to
from counterfoil.faces.desk.views.case import asked
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import as_download, gone
from counterfoil.ledger import queries as ledger
from counterfoil.reference.retention import retention_rules

P = ParamSpec("P")
# The acts by which somebody saw an exhibit or got a copy of it.
LOOKS = frozenset({"exhibit.viewed", "exhibit.copied", "exhibit.opened", "exhibit.shared"})


def on_exhibit(
    view: Callable[Concatenate[HttpRequest, Viewer, CaseCard, ExhibitCard, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Give a view the exhibit it is about, or answer that nothing is here."""

    @wraps(view)
    def found(
        request: HttpRequest, viewer: Viewer, case: CaseCard, exhibit: UUID, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        card = evidence.exhibit_for(viewer, case.id, exhibit)
        return gone(request) if card is None else view(request, viewer, case, card, *args, **kwargs)

    return found


def back(case: CaseCard, exhibit: ExhibitCard) -> str:
    """Return the address of the exhibit's own page."""
    return reverse("desk-exhibit", args=[case.id, exhibit.id])


@officers
@reading
@on_case
@on_exhibit
def watched(request: HttpRequest, viewer: Viewer, case: CaseCard, exhibit: ExhibitCard) -> HttpResponse:
    """List everybody who saw an exhibit or got a copy of it, from the log, under the title it had at the time."""
    lines = ledger.entries_of(viewer, "exhibit", exhibit.id)
    names = accounts.names_of(words.people_in(lines))
    titles = evidence.titles_of(case.id)
    shares = {str(s.id): s for s in sharing.shares_of(viewer, exhibit.id)}
    reasons = {**cases.notes_by_digest(case.id), **titles}
    title, rows = "", []
    for line in lines:
        title = titles.get(str(line.body.get("title_sha256", "")), title)
        if line.act in LOOKS:
            (event,) = words.timeline([line], names, {f"exhibit:{exhibit.id}": exhibit.label}, reasons)
            share = shares.get(str(line.body.get("share", "")))
            rows.append((event, title, share))
    facts = {
        "case": case,
        "kinds": kind_names(),
        "exhibit": exhibit,
        "rows": list(reversed(rows)),
        "lost": ledger.lost(),
        "here": "cases",
    }
    return shown(request, viewer, "desk/watched.html", facts)


@officers
@both
@on_case
@on_exhibit
def shares(request: HttpRequest, viewer: Viewer, case: CaseCard, exhibit: ExhibitCard) -> HttpResponseBase:
    """Share the exhibit with a named person; list who has it. Link and code are shown once."""
    form = start(request, forms.Share)
    issued: list[Any] = []

    def act(data: dict[str, Any]) -> str:
        issued.append(
            sharing.share(
                case.id, exhibit.id, data["recipient"], data["organisation"], data["purpose"], by=viewer
            )
        )
        return "done"

    facts = {
        "can": may_be_marked(exhibit.media_type),
        "cannot": CANNOT_BE_MARKED,
        "exhibit": exhibit,
        "days": PASS_DAYS,
        "tries": PASS_TRIES,
        "uses": sharing.USES,
    }
    if request.method == "POST" and attempt(form, act):
        path = reverse("bench-open", args=[issued[0].link])
        facts |= {
            "issued": issued[0],
            "recipient": form.cleaned_data["recipient"],
            "address": f"{settings.ORIGIN or request.build_absolute_uri('/').rstrip('/')}{path}",
        }
        return shown(
            request,
            viewer,
            "desk/shared.html",
            {"case": case, "kinds": kind_names(), "here": "cases", **facts},
        )
    return asked(request, viewer, case, "shares", form, shares=sharing.shares_of(viewer, exhibit.id), **facts)


@officers
@require_http_methods(["POST"])
@on_case
@on_exhibit
def end_share(
    request: HttpRequest, viewer: Viewer, case: CaseCard, exhibit: ExhibitCard, share: UUID
) -> HttpResponseBase:
    """End a share before its time."""
    sharing.end_share(case.id, share, by=viewer)
    return to("desk-shares", case.id, exhibit.id)


@officers
@both
@on_case
@on_exhibit
def copy_out(request: HttpRequest, viewer: Viewer, case: CaseCard, exhibit: ExhibitCard) -> HttpResponseBase:
    """Take a copy out with a reason; the entry is committed before the first byte."""
    form = start(request, forms.Reopen)
    opened: list[Any] = []

    def act(data: dict[str, Any]) -> str:
        opened.append(custody.copy_out(case.id, exhibit.id, data["reason"], by=viewer))
        return "done"

    if request.method == "POST" and attempt(form, act) and opened[0]:
        found, stream = opened[0]
        name = f"{case.number}_{found.label.replace('/', '-')}.{found.extension}"
        return as_download(stream, name, found.media_type, found.size)
    return asked(request, viewer, case, "copy_out", form, exhibit=exhibit, back=back(case, exhibit))


@officers
@both
@on_case
@on_exhibit
def give_back(request: HttpRequest, viewer: Viewer, case: CaseCard, exhibit: ExhibitCard) -> HttpResponseBase:
    """Return an exhibit to its owner, against a signature."""
    form = start(request, forms.GiveBack)

    def act(data: dict[str, Any]) -> str:
        custody.give_back(case.id, exhibit.id, data["to"], data["signed_name"], data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-exhibit", case.id, exhibit.id)
    return asked(request, viewer, case, "give_back", form, exhibit=exhibit, back=back(case, exhibit))


@officers
@both
@on_case
@on_exhibit
def destruction(
    request: HttpRequest, viewer: Viewer, case: CaseCard, exhibit: ExhibitCard
) -> HttpResponseBase:
    """Ask for an exhibit to be destroyed under a rule and an order; decide as the second person."""
    form = start(request, forms.Destruction)

    def act(data: dict[str, Any]) -> str:
        if data["step"] == "destroy":
            custody.destroy(case.id, exhibit.id, by=viewer)
        elif data["step"] == "keep":
            custody.refuse_destruction(case.id, exhibit.id, data["reason"], by=viewer)
        else:
            custody.ask_destruction(
                case.id, exhibit.id, data["rule"], data["order"], data["reason"], by=viewer
            )
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-destruction", case.id, exhibit.id)
    wishes = custody.destructions_of(viewer, case.id, exhibit.id)
    return asked(
        request,
        viewer,
        case,
        "destruction",
        form,
        exhibit=exhibit,
        wishes=wishes,
        wish=next((w for w in wishes if w.state == "asked"), None),
        rules=retention_rules(),
        may_decide=viewer.has("inspector", case.force),
        back=back(case, exhibit),
    )
