"""Audit samples: announce one, see how far it is, and mark its reports one at a time."""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.faces.desk import forms
from counterfoil.faces.desk.views.acting import attempt, both, only_once, reading, shown, start, to
from counterfoil.faces.desk.views.case import told
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import gone
from counterfoil.faces.kit.signin.guard import staff
from counterfoil.measures import samples

inspectors = staff("inspector")
STATES = {
    "todo": ("Not marked", "due"),
    "more": ("A second marker is wanted", "soon"),
    "mine": ("Marked by you; another marker is wanted", ""),
    "settled": ("Settled", "done"),
}
YES_NO = {"yes": True, "no": False}


def _day(text: str, name: str) -> date:
    for order in ((0, 1, 2), (2, 1, 0)):
        parts = text.replace("/", "-").split("-")
        if len(parts) == 3 and all(p.isdigit() for p in parts):
            try:
                return date(*(int(parts[i]) for i in order))
            except ValueError:
                continue
    raise BadInput(name, "Write the day like 2026-03-01.")


@inspectors
@both
def listed(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """List the samples of the viewer's force, and announce another."""
    form = start(request, forms.NewSample)

    def act(data: dict[str, Any]) -> str:
        force = min(viewer.forces("inspector"))
        if not data["size"].isdigit():
            raise BadInput("size", "Give a whole number of reports, for example 60.")
        first, last = _day(data["first"], "first"), _day(data["last"], "last")
        return only_once(
            viewer, form, lambda: str(samples.announce(force, first, last, int(data["size"]), by=viewer))
        )

    if request.method == "POST":
        made = attempt(form, act)
        if made:
            return to("desk-sample", made)
    facts = {"form": form, "samples": samples.samples_of(viewer), "here": "samples"}
    return shown(request, viewer, "desk/samples.html", facts)


@inspectors
@reading
def sample(request: HttpRequest, viewer: Viewer, sample: UUID) -> HttpResponseBase:
    """Show one sample: how far it is, and each item's state."""
    card = samples.sample_for(viewer, sample)
    if card is None:
        return gone(request)
    rows = samples.progress(viewer, sample)
    following = next((n for n, _, state in rows if state in ("todo", "more")), None)
    facts = {
        "sample": card,
        "rows": [(n, stratum, *STATES[state]) for n, stratum, state in rows],
        "counts": Counter(state for _, _, state in rows),
        "following": following,
        "here": "samples",
    }
    return shown(request, viewer, "desk/sample.html", facts)


@inspectors
@both
def item(request: HttpRequest, viewer: Viewer, sample: UUID, number: int) -> HttpResponseBase:
    """Show one report of a sample as it was told, and mark it. What others found is not shown."""
    card = samples.item_for(viewer, sample, number)
    if card is None:
        return gone(request)
    form = start(request, forms.MarkItem)

    def act(data: dict[str, Any]) -> str:
        if data["crime"] not in YES_NO:
            raise BadInput("crime", "Say whether a crime should have been recorded.")
        samples.mark(
            sample,
            number,
            crime=YES_NO[data["crime"]],
            right_class=YES_NO.get(data["right_class"]),
            reason=data["reason"],
            by=viewer,
        )
        return "done"

    if request.method == "POST" and attempt(form, act):
        following = next((n for n, _, s in samples.progress(viewer, sample) if s in ("todo", "more")), None)
        return to("desk-sample-item", sample, following) if following else to("desk-sample", sample)
    facts = {
        "form": form,
        "item": card,
        "lines": told(card.report),
        "kinds": kind_names(),
        "here": "samples",
    }
    return shown(request, viewer, "desk/sample_item.html", facts)
