"""One case: its page, its timeline, why it may be seen, and what is done to the case itself."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard
from counterfoil.cases.rules import GRADES, REFERENCES, ROLES
from counterfoil.courts import queries as courts
from counterfoil.courts.queries import BundleCard
from counterfoil.duties import actions as duties
from counterfoil.duties import queries as duty_queries
from counterfoil.duties.queries import DutyCard
from counterfoil.engines.errors import BadInput
from counterfoil.evidence import queries as evidence
from counterfoil.evidence.queries import ExhibitCard
from counterfoil.faces.desk import forms, words
from counterfoil.faces.desk.views.acting import (
    attempt,
    both,
    officers,
    on_case,
    only_once,
    reading,
    shown,
    start,
    to,
)
from counterfoil.faces.desk.views.lists import kind_names
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.queries import Line
from counterfoil.notices import queries as notices
from counterfoil.outcomes import queries as outcomes
from counterfoil.places import queries as places
from counterfoil.reference.kinds import kind_on
from counterfoil.reports import queries as reports
from counterfoil.reports.queries import ReportCard
from counterfoil.reports.rules import Line as Answer
from counterfoil.reports.rules import summary

LATEST = 12
# Where a duty of a kind is done.
DUTY_PAGES = {"triage": "desk-triage", "record": "desk-record", "update": "desk-update"}


def duty_page(duty: DutyCard) -> str:
    """Return the address where a duty is done; "" when it has no page."""
    if duty.kind == "footage":
        return reverse("desk-settle", args=[duty.case.id, duty.about.partition(":")[2]])
    if duty.kind == "look":
        return f"{reverse('desk-case', args=[duty.case.id])}#appeals"
    return reverse(DUTY_PAGES[duty.kind], args=[duty.case.id]) if duty.kind in DUTY_PAGES else ""


def told(report: ReportCard, card: CaseCard | None = None) -> list[Answer]:
    """Return a report's answers as its sender gave them, in words; `card` saves asking for its force's name."""
    kind = kind_on(report.kind, timezone.localdate(report.reported_at))
    if kind is None:
        return []
    known = card is not None and card.force == report.force == report.answers.get("force", card.force)
    names = {card.force: card.force_name} if card and known else {f.code: f.name for f in places.forces()}
    return list(summary(kind, report.answers, "en", names))


def reach(contact: Mapping[str, Any]) -> list[str]:
    """Return how the sender may be reached, in sentences, and what must not be done.

    Takes the flat shape of `reports.rules.contact_of` and the nested one ({"email": {"address", "safe"}, …}).
    """
    channels = contact.get("channels")

    def part(name: str, inner: str) -> tuple[str, bool, Mapping[str, Any]]:
        value = contact.get(name)
        if isinstance(value, Mapping):
            return str(value.get(inner) or ""), bool(value.get("safe")), value
        listed = {"email": ("email",), "phone": ("call", "text"), "address": ("post",)}[name]
        return str(value or ""), isinstance(channels, list) and any(c in channels for c in listed), contact

    lines: list[str] = []
    email, safe, _ = part("email", "address")
    if email:
        lines.append(f"E-mail {email}" + ("" if safe else ": not safe, do not write to it"))
    phone, safe, details = part("phone", "number")
    if phone:
        voicemail = details.get("voicemail") in (True, "yes")
        how = "" if safe else ": not safe, do not call it"
        lines.append(
            f"Phone {phone}{how}. " + ("Messages may be left." if voicemail else "Never leave a message.")
        )
    post, safe, _ = part("address", "address")
    if post and safe:
        lines.append(f"Post to {post}")
    times = contact.get("times")
    if times:
        lines.append(f"Best times: {', '.join(times) if isinstance(times, list) else times}")
    if contact.get("code_word"):
        lines.append(f"Code word: {contact['code_word']}")
    discreet = contact.get("discreet", "no" if contact.get("say_police") else "yes") != "no"
    if lines and discreet:
        lines.append("Do not say that it is the police.")
    return lines or ["No way to reach the sender was given. They read their page with their reference."]


def events(
    viewer: Viewer,
    card: CaseCard,
    lines: list[Line],
    exhibits: list[ExhibitCard],
    bundles: list[BundleCard],
    titles: Mapping[str, str],
) -> list[words.Event]:
    """Return entries of the case as a timeline, newest first."""
    things = {f"exhibit:{x.id}": x.label for x in exhibits}
    things |= {f"bundle:{b.id}": f"bundle {b.number}" for b in bundles}
    names = {viewer.id: viewer.name} | ({card.owner_actor: card.owner} if card.owner_actor else {})
    names |= accounts.names_of(unknown) if (unknown := words.people_in(lines) - set(names)) else {}
    reasons = {**cases.notes_by_digest(card.id), **titles}
    return list(reversed(words.timeline(lines, names, things, reasons)))


@officers
@reading
@on_case
def page(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponse:
    """Show everything about one case."""
    now = timezone.now()
    lines = ledger.entries_of_thread(viewer, card.id)
    # The log says what there is on a case; what it does not name is not asked for.
    acts = {e.act for e in lines}
    found = reports.accounts_in(cases.reports_in(card.id, answers=False))
    appeals = reports.appeals(cases.appeals_of(card.id)) if "appeal.opened" in acts else []
    exhibits, titles = evidence.exhibits_and_titles(viewer, card.id)
    bundles = courts.bundles_of(viewer, card.id) if "bundle.asked" in acts else []
    every_duty = duty_queries.duties_of(viewer, card.id, card)
    timeline = events(viewer, card, lines[-LATEST:], exhibits, bundles, titles)
    parties, references = cases.people_and_references(card.id)
    facts = {
        "case": card,
        "kinds": kind_names(),
        "grades": GRADES,
        "roles": ROLES,
        "reference_kinds": REFERENCES,
        "references": references,
        "reports": [(r, told(r, card), reach(r.contact)) for r in found],
        "parties": parties,
        "has_suspect": any(p.role == "suspect" for p in parties),
        "waiting": evidence.quarantined(viewer, card.id),
        "exhibits": exhibits,
        "statements": evidence.statements_of(viewer, card.id),
        "charges": courts.charges_of(viewer, card.id) if "charge.decided" in acts else [],
        "bundles": bundles,
        "outcomes": outcomes.outcomes_of(viewer, card.id) if "outcome.recorded" in acts else [],
        "duties": [(d, words.urgency(d, now)) for d in every_duty if d.state == "live"],
        "past_duties": [(d, words.urgency(d, now)) for d in every_duty if d.state != "live"],
        "climbs": duty_queries.climbs_of(card.id) if any(d.rung for d in every_duty) else [],
        "notices": notices.notices_of(viewer, card.id),
        "duty_page": duty_page,
        "appeals": appeals,
        "answers_by": Counter(reports.appeals_answered(cases.answers_of(card.id))) if appeals else {},
        "now": now,
        "held": words.HELD,
        "rungs": words.RUNGS,
        "events": timeline,
        "more_events": len(lines) - LATEST,
        "mine": card.owner_actor == viewer.id,
        "no_crime": card.recorded_at is None and cases.decided_no_crime(card.id),
        "inspector": viewer.has("inspector", card.force),
        "officer": viewer.has("officer", card.force),
        "here": "cases",
    }
    return shown(request, viewer, "desk/case.html", facts)


@officers
@reading
@on_case
def timeline(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponse:
    """Show the whole timeline with each entry's place in the log."""
    exhibits, titles = evidence.exhibits_and_titles(viewer, card.id)
    bundles, lines = courts.bundles_of(viewer, card.id), ledger.entries_of_thread(viewer, card.id)
    facts = {
        "case": card,
        "kinds": kind_names(),
        "events": events(viewer, card, lines, exhibits, bundles, titles),
        "lost": ledger.lost(),
        "here": "cases",
    }
    return shown(request, viewer, "desk/timeline.html", facts)


@officers
@reading
@on_case
def why(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponse:
    """Say why this person may see this case: the very sentences that the decision was made with."""
    verdict = cases.why(viewer, card.id)
    return shown(
        request,
        viewer,
        "desk/why.html",
        {"case": card, "kinds": kind_names(), "verdict": verdict, "here": "cases"},
    )


def asked(
    request: HttpRequest, viewer: Viewer, card: CaseCard, template: str, form: forms.Typed, **facts: Any
) -> HttpResponse:
    """Show the page of one act on a case, with its form."""
    facts = {"case": card, "kinds": kind_names(), "form": form, "here": "cases", **facts}
    return shown(request, viewer, f"desk/{template}.html", facts)


@officers
@both
@on_case
def take(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Take a case and its live duties."""
    form = start(request, forms.Nothing)

    def act(data: dict[str, Any]) -> str:
        duties.take_case(card.id, by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    return asked(request, viewer, card, "take", form)


@officers
@both
@on_case
def assign(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Give a case to an officer of the force; for inspectors."""
    form = start(request, forms.Assign)

    def act(data: dict[str, Any]) -> str:
        if not words.is_id(data["actor"]):
            raise BadInput("actor", "Choose an officer of this force.")
        duties.assign_case(card.id, data["actor"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        # Whoever gave the case away may have no more part in it.
        return to("desk-case", card.id) if cases.why(viewer, card.id).allowed else to("desk-home")
    people = accounts.colleagues(viewer, "officer", card.force)
    return asked(request, viewer, card, "assign", form, people=people)


@officers
@both
@on_case
def triage(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Grade a case with the reason; a case from a queue becomes mine."""
    form = start(request, forms.Triage, {"grade": card.grade})

    def act(data: dict[str, Any]) -> str:
        duties.triage(card.id, data["grade"], data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    found = [reports.report_card(i) for i in cases.reports_of(card.id)]
    return asked(request, viewer, card, "triage", form, grades=GRADES, reports=[(r, told(r)) for r in found])


@officers
@both
@on_case
def record(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Record the crime under our number or the records system's, or keep the reason why it is none."""
    form = start(request, forms.Record)

    def not_a_crime() -> str:
        duties.not_a_crime(card.id, form.cleaned_data["reason"], by=viewer)
        return "done"

    def act(data: dict[str, Any]) -> str:
        match data["how"]:
            case "ours":
                duties.record_crime(card.id, by=viewer)
            case "rms":
                if not data["rms_number"].strip():
                    raise BadInput("rms_number", "Give the number that the records system gave it.")
                duties.record_crime(card.id, by=viewer, rms_number=data["rms_number"])
            case "not":
                return only_once(viewer, form, not_a_crime)
            case _:
                raise BadInput(
                    "how", "Say whether it is recorded here, in the records system, or is not a crime."
                )
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    return asked(request, viewer, card, "record", form)


@officers
@both
@on_case
def update(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Write an update that the sender reads on their page."""
    form = start(request, forms.Update)

    def act(data: dict[str, Any]) -> str:
        def once() -> str:
            duties.update_sender(card.id, data["text"], by=viewer)
            return "done"

        return only_once(viewer, form, once)

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    found = [reports.report_card(i) for i in cases.reports_of(card.id)]
    return asked(request, viewer, card, "update", form, reach=[reach(r.contact) for r in found])


@officers
@both
@on_case
def reopen(request: HttpRequest, viewer: Viewer, card: CaseCard) -> HttpResponseBase:
    """Open a closed case again; for inspectors."""
    form = start(request, forms.Reopen)

    def act(data: dict[str, Any]) -> str:
        case_actions.reopen(card.id, data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-case", card.id)
    return asked(request, viewer, card, "reopen", form)


def an_id(text: str) -> UUID | None:
    """Return the id somebody sent, or None when it is none."""
    return UUID(text) if words.is_id(text) else None
