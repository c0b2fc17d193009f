"""Disclosure: what each item of material is to the case, and the schedules that the disclosure officer signs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.cases.queries import CaseCard
from counterfoil.evidence import material
from counterfoil.evidence.rules import MATERIAL
from counterfoil.faces.desk import forms
from counterfoil.faces.desk.views.acting import (
    attempt,
    both,
    officers,
    on_case,
    reading,
    shown,
    start,
    to,
)
from counterfoil.faces.desk.views.case import asked
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import gone
from counterfoil.reference.disclosure import presumed

SHORT = {
    "undecided": "Undecided",
    "used": "Used",
    "unused": "Unused",
    "sensitive": "Sensitive",
    "not_relevant": "Not relevant",
}


@officers
@both
@on_case
def page(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Show every item of material, the schedules as they would be signed and as they were; decide several at once."""
    form = start(request, forms.DecideSeveral)
    ticked = request.POST.getlist("item")

    def act(data: dict[str, Any]) -> str:
        material.decide_several(
            card.id, ticked, data["material"], location=data["location"], reason=data["reason"], by=viewer
        )
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-disclosure", card.id)
    items, issues = material.items_of(viewer, card.id), material.schedules_of(viewer, card.id)
    standing = material.newest(issues)
    facts = {
        "case": card,
        "kinds": kind_names(),
        "items": items,
        "form": form,
        "ticked": ticked,
        "options": [(state, *words.partition(": ")[::2]) for state, words in MATERIAL.items()],
        "short": SHORT,
        "count": {state: sum(i.material == state for i in items) for state in SHORT},
        "names": accounts.names_of({i.decided_by for i in items if i.decided_by}),
        "presumed": presumed(),
        "lacking": material.not_ready(viewer, card.id),
        "undecided": sum(i.material == "undecided" for i in items),
        "drafts": [
            (form, material.draft(items, issues, form), standing.get(form)) for form in ("MG6C", "MG6D")
        ],
        "issues": list(reversed(issues)),
        "officer": viewer.has("officer", card.force),
        "here": "cases",
    }
    return shown(request, viewer, "desk/disclosure.html", facts)


@officers
@both
@on_case
def decide(request: HttpRequest, viewer: Viewer, card: CaseCard, kind: str, item: UUID) -> HttpResponseBase:
    """Decide what one item is to the case, with its line on a schedule."""
    found = next((i for i in material.items_of(viewer, card.id) if (i.kind, i.id) == (kind, item)), None)
    if found is None or found.kind == "upload":
        return gone(request)
    initial = {
        "material": "" if found.material == "undecided" else found.material,
        "description": found.description or found.title,
        "location": found.location or f"Evidence vault of {card.force_name}",
        "reason": found.reason,
        "tags": list(found.tags),
    }
    form = start(request, forms.Decide, initial)

    def act(data: dict[str, Any]) -> str:
        material.decide(
            card.id,
            kind,
            item,
            data["material"],
            description=data["description"],
            location=data["location"],
            reason=data["reason"],
            tags=data["tags"],
            by=viewer,
        )
        return "done"

    if request.method == "POST" and attempt(form, act):
        response = to("desk-disclosure", card.id)
        response.headers["Location"] += f"#{kind}-{item}"
        return response
    options = [(state, *words.partition(": ")[::2]) for state, words in MATERIAL.items()]
    chosen = form.data.getlist("tags") if hasattr(form.data, "getlist") else form.initial.get("tags", [])
    return asked(
        request,
        viewer,
        card,
        "decide",
        form,
        item=found,
        options=options,
        presumed=presumed(),
        chosen=chosen,
        back=reverse("desk-disclosure", args=[card.id]),
    )


@officers
@both
@on_case
def sign(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Sign MG6C and MG6D as the material stands."""
    form = start(request, forms.SignSchedules)

    def act(data: dict[str, Any]) -> str:
        material.sign_schedules(
            card.id, data["signed_name"], endorse_nil=bool(data["endorse_nil"]), by=viewer
        )
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-disclosure", card.id)
    items, issues = material.items_of(viewer, card.id), material.schedules_of(viewer, card.id)
    drafts = [(form_name, material.draft(items, issues, form_name)) for form_name in ("MG6C", "MG6D")]
    return asked(
        request,
        viewer,
        card,
        "sign_schedules",
        form,
        drafts=drafts,
        nil=not dict(drafts)["MG6D"],
        back=reverse("desk-disclosure", args=[card.id]),
    )


@officers
@reading
@on_case
def report(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponse:
    """Show the disclosure officer's report as far as it is known here, as a page or as data."""
    items, issues = material.items_of(viewer, card.id), material.schedules_of(viewer, card.id)
    lines = material.officers_report(items, issues)
    standing = material.newest(issues)
    if request.GET.get("as") == "json":
        told = {
            "form": "MG6E",
            "case": card.number,
            "schedules": [{"form": s.form, "issue": s.issue, "nil": s.nil} for s in standing.values()],
            "lines": lines,
        }
        return JsonResponse(told)
    facts = {
        "case": card,
        "kinds": kind_names(),
        "lines": lines,
        "standing": [standing[form] for form in ("MG6C", "MG6D") if form in standing],
        "lacking": material.not_ready(viewer, card.id),
        "presumed": presumed(),
        "here": "cases",
    }
    return shown(request, viewer, "desk/officers_report.html", facts)


@officers
@reading
@on_case
def schedule(request: HttpRequest, viewer: Viewer, card: CaseCard, schedule: UUID) -> HttpResponse:
    """Show one issue of a schedule as it was signed."""
    found = next((s for s in material.schedules_of(viewer, card.id) if s.id == schedule), None)
    if found is None:
        return gone(request)
    facts = {"case": card, "kinds": kind_names(), "schedule": found, "presumed": presumed(), "here": "cases"}
    return shown(request, viewer, "desk/schedule.html", facts)
