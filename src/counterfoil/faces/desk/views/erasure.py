"""Erasure: the data-protection officer finds an exhibit and asks; a second person decides. No case is shown."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.evidence import erasing
from counterfoil.faces.desk import forms, words
from counterfoil.faces.desk.views.acting import attempt, both, shown, start, to
from counterfoil.faces.kit.page import gone
from counterfoil.faces.kit.signin.guard import staff
from counterfoil.reference.retention import retention_rules

forgetting = staff(*erasing.DECIDERS)


@forgetting
@both
def erasures(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """List what was asked to be erased in the viewer's force, and find an exhibit by case and reference."""
    form = start(request, forms.FindExhibit)

    def act(data: dict[str, Any]) -> str:
        return str(erasing.find(viewer, data["case"], data["label"]).id)

    if request.method == "POST":
        found = attempt(form, act)
        if found:
            return to("desk-erase", found)
    facts = {
        "form": form,
        "wishes": erasing.erasures_of(viewer),
        "rules": retention_rules(),
        "asks": viewer.has(erasing.ROLE),
        "here": "erasures",
    }
    return shown(request, viewer, "desk/erasures.html", facts)


@forgetting
@both
def erase(request: HttpRequest, viewer: Viewer, exhibit: UUID) -> HttpResponseBase:
    """Show an exhibit's entries; ask for some to be erased under a rule, or decide as the second person."""
    held = erasing.held_for(viewer, exhibit)
    if held is None:
        return gone(request)
    form = start(request, forms.Erase)
    ticked = request.POST.getlist("entry")

    def act(data: dict[str, Any]) -> str:
        if data["step"] == "erase":
            erasing.erase(exhibit, by=viewer)
        elif data["step"] == "keep":
            erasing.refuse_erasure(exhibit, data["reason"], by=viewer)
        else:
            erasing.ask_erasure(exhibit, ticked, data["rule"], data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-erase", exhibit)
    lines = erasing.lines_of(viewer, held)
    wishes = erasing.erasures_of(viewer, exhibit)
    entries = [line for line, _ in lines]
    names = accounts.names_of(words.people_in(entries))
    told = words.timeline(entries, names, {f"exhibit:{held.id}": held.label}, {})
    facts = {
        "form": form,
        "exhibit": held,
        "rows": [
            {"id": str(line.id), "event": event, "kept": why}
            for (line, why), event in zip(lines, told, strict=True)
        ],
        "ticked": ticked,
        "wishes": wishes,
        "wish": next((w for w in wishes if w.state == "asked"), None),
        "rules": retention_rules(),
        "asks": viewer.has(erasing.ROLE, held.force),
        "here": "erasures",
    }
    return shown(request, viewer, "desk/erase.html", facts)
