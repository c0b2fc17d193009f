"""A case's evidence: uploads out of quarantine, exhibits and their custody, statements."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard
from counterfoil.engines.errors import BadInput
from counterfoil.evidence import actions as evidence_actions
from counterfoil.evidence import queries as evidence
from counterfoil.evidence.rules import READ_OVER, declaration, pages_of, warnings
from counterfoil.faces.desk import forms, words
from counterfoil.faces.desk.views.acting import (
    attempt,
    both,
    getting,
    officers,
    on_case,
    only_once,
    reading,
    shown,
    start,
    to,
)
from counterfoil.faces.desk.views.case import asked
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.faces.kit.page import as_download, gone
from counterfoil.ledger import queries as ledger


@officers
@both
@on_case
def seal(request: HttpRequest, viewer: Viewer, card: CaseCard, upload: UUID) -> HttpResponseBase:
    """Take a file out of quarantine as an exhibit that the officer produces."""
    sent = next((f for f in evidence.quarantined(viewer, card.id) if f.id == upload), None)
    form = start(request, forms.Titled)

    def act(data: dict[str, Any]) -> str:
        return str(evidence_actions.seal(card.id, upload, data["title"], by=viewer))

    if request.method == "POST":
        made = attempt(form, act)
        if made:
            response = to("desk-case", card.id)
            response.headers["Location"] += "#evidence"
            return response
    if sent is None:
        return gone(request)
    me = accounts.actor_card(viewer, viewer.id)
    return asked(request, viewer, card, "seal", form, file=sent, initials=me["initials"] if me else "")


@officers
@reading
@on_case
def exhibit(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponse:
    """Show an exhibit's facts and its whole custody; its bytes only by their own address."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    lines = ledger.entries_of(viewer, "exhibit", exhibit)
    names = accounts.names_of(words.people_in(lines))
    reasons = {**cases.notes_by_digest(card.id), **evidence.titles_of(card.id)}
    custody = words.timeline(lines, names, {f"exhibit:{found.id}": found.label}, reasons)
    facts = {"case": card, "kinds": kind_names(), "exhibit": found, "events": custody, "here": "cases"}
    facts["lost"] = ledger.lost()
    return shown(
        request,
        viewer,
        "desk/exhibit.html",
        {
            **facts,
            "mine": found.holder == viewer.name,
            **words.guarded(found),
            "inspector": viewer.has("inspector", card.force),
        },
    )


@officers
@getting
@on_case
def file(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Hand out an exhibit's bytes as a download; the entry is committed before the first of them."""
    opened = evidence_actions.open_exhibit(card.id, exhibit, by=viewer)
    if opened is None:
        return gone(request)
    found, stream = opened
    name = f"{card.number}_{found.label.replace('/', '-')}.{found.extension}"
    return as_download(stream, name, found.media_type, found.size)


@officers
@both
@on_case
def retitle(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Give an exhibit a new title; the old one stays with the events that used it."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    form = start(request, forms.Titled, {"title": found.title})

    def act(data: dict[str, Any]) -> str:
        evidence_actions.retitle(card.id, exhibit, data["title"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-exhibit", card.id, exhibit)
    return asked(request, viewer, card, "retitle", form, exhibit=found)


@officers
@both
@on_case
def hand_over(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Give an exhibit to another holder, with the reason."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    form = start(request, forms.HandOver)

    def act(data: dict[str, Any]) -> str:
        if not words.is_id(data["to"]):
            raise BadInput("to", "Choose an officer of this force.")
        evidence_actions.hand_over(card.id, exhibit, data["to"], data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-exhibit", card.id, exhibit)
    here = [p for role in ("officer", "inspector") for p in accounts.colleagues(viewer, role, card.force)]
    people = {p["id"]: p["name"] for p in here if p["name"] != found.holder}
    return asked(request, viewer, card, "hand_over", form, exhibit=found, people=people)


@officers
@both
@on_case
def new_statement(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Take a statement in two steps: write it down; then the maker reads it, declares and signs."""
    form = start(request, forms.Statement, {"stage": "write", "role": "witness"})
    stage = "write"
    if request.method == "POST":
        sent = request.POST.get("stage", "")
        if sent == "sign":
            made = attempt(form, lambda data: only_once(viewer, form, lambda: _keep(viewer, card, data)))
            if made:
                response = to("desk-case", card.id)
                response.headers["Location"] = made
                return response
            # What is wrong with the text is mended where it is written.
            stage = "write" if {"name", "age", "text", "role"} & set(form.errors) else "sign"
        elif sent == "check" and form.is_valid() and _written(form):
            stage = "sign"
            form = forms.Statement(initial={k: form.typed(k) for k in form.fields})
        elif sent == "back":
            form = forms.Statement(initial={k: form.typed(k) for k in form.fields})
    text = form.typed("text").replace("\r\n", "\n").strip()
    facts = {
        "stage": stage,
        "said": text,
        "pages": pages_of(text),
        "declaration": declaration(pages_of(text)),
        "read_over": READ_OVER,
        "phrases": warnings(text),
        "fields": [n for n in form.fields if n not in ("stage", "token")],
    }
    return asked(request, viewer, card, "new_statement", form, **facts)


def _written(form: forms.Statement) -> bool:
    """Say whether the statement is ready to be read and signed, as far as can be said before signing."""
    if not form.cleaned_data["name"].strip():
        form.refuse(BadInput("name", "Give the witness's name: it stands at the beginning of the statement."))
    if len(form.cleaned_data["text"].strip()) < 30:
        form.refuse(BadInput("text", "Write down what the witness says, in their own words."))
    if form.cleaned_data["role"] not in ("witness", "victim"):
        form.refuse(BadInput("role", "Say whether this is the victim or another witness."))
    return not form.errors


def _keep(viewer: Viewer, card: CaseCard, data: dict[str, Any]) -> str:
    raw = {**data, "declared": bool(data["declared"]), "cannot_read": bool(data["cannot_read"])}
    evidence_actions.take_statement(card.id, raw, by=viewer, role=data["role"])
    return f"{reverse('desk-case', args=[card.id])}#statements"


@officers
@reading
@on_case
def statement(request: HttpRequest, viewer: Viewer, card: CaseCard, statement: UUID) -> HttpResponse:
    """Show the front of a statement as it was signed."""
    found = next((s for s in evidence.statements_of(viewer, card.id) if s.id == statement), None)
    if found is None:
        return gone(request)
    facts = {
        "case": card,
        "kinds": kind_names(),
        "statement": found,
        "declaration": declaration(found.pages),
        "read_over": READ_OVER,
        "here": "cases",
    }
    return shown(request, viewer, "desk/statement.html", facts)


@officers
@reading
@on_case
def back_page(request: HttpRequest, viewer: Viewer, card: CaseCard, statement: UUID) -> HttpResponse:
    """Show the back page of a statement; that it was read is an entry, committed first."""
    found = None
    if request.method != "HEAD":
        found = evidence_actions.read_back_page(card.id, statement, by=viewer)
    if found is None:
        return gone(request)
    facts = {"case": card, "kinds": kind_names(), "back": found, "statement": statement, "here": "cases"}
    return shown(request, viewer, "desk/back_page.html", facts)
