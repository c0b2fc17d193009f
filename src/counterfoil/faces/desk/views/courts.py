"""A case's way to court: suspects, charging decisions, the outcome, bundles."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard
from counterfoil.courts import actions as court_actions
from counterfoil.courts import queries as courts
from counterfoil.courts.queries import BundleCard
from counterfoil.courts.rules import DECIDERS
from counterfoil.engines.errors import BadInput
from counterfoil.evidence.material import not_ready
from counterfoil.faces.desk import forms, words
from counterfoil.faces.desk.views.acting import (
    attempt,
    both,
    getting,
    officers,
    on_case,
    only_once,
    shown,
    start,
    to,
)
from counterfoil.faces.desk.views.case import an_id, asked
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import as_download, gone
from counterfoil.outcomes import actions as outcome_actions
from counterfoil.outcomes.queries import allowed_types

REFRESH_SECONDS = 3


@officers
@both
@on_case
def new_suspect(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Name a suspect with the custody record's or the voluntary interview's number."""
    form = start(request, forms.Suspect)

    def act(data: dict[str, Any]) -> str:
        def once() -> str:
            return str(
                case_actions.name_suspect(
                    card.id, data["name"], data["reference_kind"], data["reference"], by=viewer
                )
            )

        return only_once(viewer, form, once)

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    return asked(request, viewer, card, "new_suspect", form)


@officers
@both
@on_case
def new_charge(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Record a charging decision."""
    now = timezone.localtime()
    suspects = [p for p in cases.parties(card.id) if p.role == "suspect"]
    initial = {
        "decided_on": now.strftime("%d/%m/%Y"),
        "party": str(suspects[0].id) if len(suspects) == 1 else "",
    }
    form = start(request, forms.Charge, initial)

    def act(data: dict[str, Any]) -> str:
        party = an_id(data["party"])
        if party is None:
            raise BadInput("party", "Choose the suspect the decision is about.")
        at = form.decided_at()

        def once() -> str:
            return str(
                court_actions.record_charging_decision(
                    card.id,
                    party,
                    decision=data["decision"],
                    decided_by=data["decided_by"],
                    decider=data["decider"],
                    decided_at=at,
                    offence_code=data["offence_code"],
                    wording=data["wording"],
                    reason=data["reason"],
                    by=viewer,
                )
            )

        return only_once(viewer, form, once)

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    return asked(request, viewer, card, "new_charge", form, suspects=suspects, deciders=DECIDERS)


@officers
@both
@on_case
def outcome(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Record how the case ended, with the reason; it closes the case."""
    types = allowed_types(card.kind, timezone.localdate())
    no_crime = card.recorded_at is None and cases.decided_no_crime(card.id)
    form = start(request, forms.Outcome)

    def act(data: dict[str, Any]) -> str:
        if no_crime:
            outcome_actions.close_no_crime(card.id, data["reason"], by=viewer)
            return "done"
        if not data["type"]:
            raise BadInput("type", "Choose an outcome.")
        charge = an_id(data["charge"]) if data["charge"] else None
        outcome_actions.record_outcome(card.id, data["type"], data["reason"], by=viewer, charge_id=charge)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    charges = [c for c in courts.charges_of(viewer, card.id) if c.decision == "charge"]
    return asked(request, viewer, card, "outcome", form, types=types, charges=charges, no_crime=no_crime)


@officers
@both
@on_case
def new_bundle(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Ask for the case's bundle; it is built elsewhere while this page says how far it is."""
    form = start(request, forms.Nothing)

    def act(data: dict[str, Any]) -> str:
        return str(court_actions.ask_bundle(card.id, by=viewer))

    if request.method == "POST":
        made = attempt(form, act)
        if made:
            response = to("desk-bundle", card.id, made)
            response.headers["Location"] += "?waiting=1"
            return response
    return asked(
        request,
        viewer,
        card,
        "new_bundle",
        form,
        charges=courts.charges_of(viewer, card.id),
        lacking=not_ready(viewer, card.id),
    )


def _bundle(viewer: Viewer, card: CaseCard, bundle: UUID) -> BundleCard | None:
    found = courts.bundle_for(viewer, bundle)
    return found if found is not None and found.case == card.id else None


@officers
@both
@on_case
def bundle(request: HttpRequest, viewer: Viewer, card: CaseCard, bundle: UUID) -> HttpResponseBase:
    """Show how far a bundle is, what it proves when it is done, and send it to a prosecutor."""
    found = _bundle(viewer, card, bundle)
    if found is None:
        return gone(request)
    form = start(request, forms.Send)

    def act(data: dict[str, Any]) -> str:
        if not words.is_id(data["prosecutor"]):
            raise BadInput("prosecutor", "Choose a prosecutor.")
        court_actions.send_to_prosecutor(bundle, data["prosecutor"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-bundle", card.id, bundle)
    beside = courts.defence_bundle(viewer, bundle) if found.audience == "prosecutor" else None
    facts = {
        "case": card,
        "kinds": kind_names(),
        "bundle": found,
        "form": form,
        "people": accounts.colleagues(viewer, "prosecutor"),
        "beside": beside,
        "releases": courts.releases_of(viewer, bundle),
        "refresh": REFRESH_SECONDS
        if found.state == "building" or (beside and beside.state == "building")
        else 0,
        "here": "cases",
    }
    return shown(request, viewer, "desk/bundle.html", facts)


@officers
@getting
@on_case
def bundle_file(
    request: HttpRequest, viewer: Viewer, card: CaseCard, bundle: UUID
) -> HttpResponse | HttpResponseBase:
    """Hand out a bundle; the entry is committed before the first byte."""
    if _bundle(viewer, card, bundle) is None:
        return gone(request)
    opened = court_actions.download(bundle, by=viewer)
    if opened is None:
        return gone(request)
    found, stream = opened
    return as_download(stream, f"{found.name}.zip", "application/zip", found.size)
