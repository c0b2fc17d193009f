"""Erasure: what entries of an exhibit's custody say goes, by a rule and two people; every proof of the others stays.

For the data-protection officer of a force, who sees no case: only which entries an exhibit has, when they were made,
by whom, and which of them may be erased. Bytes are destroyed by another verb (`custody.destroy`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.rules import clean_reason
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import rules, wishes
from counterfoil.evidence.models import Erasure, Exhibit
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.actions import erase as erase_entries
from counterfoil.ledger.actions import record
from counterfoil.ledger.queries import Line
from counterfoil.reference.retention import retention_rules

ROLE = "data-protection"
DECIDERS = (ROLE, "inspector")


@dataclass(frozen=True)
class HeldCard:
    """An exhibit as somebody sees it who may erase entries but has no part in the case."""

    id: UUID
    case: UUID
    case_number: str
    label: str
    force: str


@dataclass(frozen=True)
class ErasureCard:
    """A wish to erase entries, as plain values; `indexes` are their places in the log."""

    id: UUID
    exhibit: HeldCard
    rule: str
    reason: str
    entries: tuple[str, ...]
    state: str
    asked_by: str
    asked_by_id: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None


def _held(exhibit: Exhibit) -> HeldCard:
    number = cases.case_number(exhibit.case)
    return HeldCard(exhibit.pk, exhibit.case_id, number, exhibit.label, exhibit.case.force.code)


def held_for(viewer: Viewer, exhibit_id: UUID) -> HeldCard | None:
    """Return an exhibit of the viewer's force for erasing; None when refused and None when absent."""
    found = Exhibit.objects.filter(pk=exhibit_id, case__force__code__in=viewer.forces(*DECIDERS))
    exhibit = found.select_related("case__force").first()
    return None if exhibit is None else _held(exhibit)


def find(viewer: Viewer, case_number: str, label: str) -> HeldCard:
    """Return the exhibit with this label on the case with this number, in the viewer's force; BadInput otherwise."""
    needs(viewer, ROLE, "look for entries to erase")
    said = re.fullmatch(r"\s*C-(\d{4})-(\d{1,9})\s*", case_number.upper())
    mark = re.fullmatch(r"\s*([A-Z]{2,4})\s*/\s*(\d{1,9})\s*", label.upper())
    if said is None:
        raise BadInput("case", "Give the case's number as it stands on its page, for example C-2026-000012.")
    if mark is None:
        raise BadInput("label", "Give the exhibit's reference, for example AB/1.")
    found = Exhibit.objects.filter(
        case__year=int(said[1]),
        case__number=int(said[2]),
        case__force__code__in=viewer.forces(ROLE),
        initials=mark[1],
        number=int(mark[2]),
    )
    exhibit = found.select_related("case__force").first()
    if exhibit is None:
        raise BadInput("label", "There is no such exhibit on a case with this number in your force.")
    return _held(exhibit)


def lines_of(viewer: Viewer, held: HeldCard) -> list[tuple[Line, str]]:
    """Return an exhibit's entries in order, each with why it cannot be erased ("" when it can)."""
    return [(line, rules.why_not_erased(line)) for line in ledger.entries_of(viewer, "exhibit", held.id)]


def _card(e: Erasure, reasons: dict[str, str]) -> ErasureCard:
    return ErasureCard(
        e.pk,
        _held(e.exhibit),
        e.rule,
        reasons.get(e.reason_sha256, ""),
        tuple(e.entries),
        e.state,
        *wishes.people(e),
    )


def erasures_of(viewer: Viewer, exhibit_id: UUID | None = None) -> list[ErasureCard]:
    """Return the wishes of the viewer's force, waiting ones first; of one exhibit when it is named."""
    found = Erasure.objects.filter(exhibit__case__force__code__in=viewer.forces(*DECIDERS))
    if exhibit_id is not None:
        found = found.filter(exhibit_id=exhibit_id)
    rows = found.select_related("exhibit__case__force", "asked_by", "decided_by").order_by("-asked_at")[:100]
    cards = [_card(e, cases.notes_by_digest(e.exhibit.case_id)) for e in rows]
    return sorted(cards, key=lambda c: c.state != "asked")


@transaction.atomic
def ask_erasure(exhibit_id: UUID, entries: Sequence[str], rule: str, reason: str, *, by: Viewer) -> UUID:
    """Ask that what entries of an exhibit's custody say be erased under a rule; a second person decides."""
    needs(by, ROLE, "ask for entries to be erased", second_factor=True)
    held = _locked(exhibit_id, by)
    if rule not in retention_rules():
        raise BadInput("rule", "Choose the rule under which they are erased.")
    lines = {str(line.id): why for line, why in lines_of(by, held)}
    wanted = [e for e in dict.fromkeys(entries) if e in lines]
    if not wanted or len(wanted) != len(set(entries)):
        raise BadInput("entry", "Choose the entries to erase.")
    if refused := next((lines[e] for e in wanted if lines[e]), ""):
        raise BadInput("entry", refused)
    wishes.none_yet(Erasure, exhibit_id)
    words = clean_reason(reason)
    digest = case_actions.keep_reason(held.case, "exhibit.erasure_asked", words, by=by)
    wish = wishes.asked(
        Erasure, by=by, exhibit_id=exhibit_id, rule=rule, entries=wanted, reason_sha256=digest
    )
    record(
        "exhibit.erasure_asked",
        by=by,
        on=("exhibit", exhibit_id),
        thread=held.case,
        erasure=str(wish.pk),
        rule=rule,
        reason_sha256=digest,
    )
    return wish.pk


def _locked(exhibit_id: UUID, by: Viewer) -> HeldCard:
    held = held_for(by, exhibit_id)
    if held is None:
        raise NotAllowed("There is no such exhibit in your force.")
    cases.lock_case(held.case)
    return held


def _wish(exhibit_id: UUID, by: Viewer) -> tuple[HeldCard, Erasure]:
    """Return an open wish for somebody who may decide it, and did not ask."""
    held = _locked(exhibit_id, by)
    if not (any(by.has(role, held.force) for role in DECIDERS) and by.second_factor):
        raise NotAllowed(
            "Only a data-protection officer or an inspector of this force, signed in with the second factor, can "
            "decide that entries are erased."
        )
    nobody = "Nobody has asked for entries of this exhibit to be erased."
    return held, wishes.waiting(Erasure, exhibit_id, nobody, by=by)


@transaction.atomic
def erase(exhibit_id: UUID, *, by: Viewer) -> None:
    """Erase what the chosen entries say, as a second person: salt, body and actor go, their places in the log stay.

    The reasons that only these entries named go with them. The entry that says so holds the rule and both people.
    """
    held, wish = _wish(exhibit_id, by)
    # What became unerasable since it was asked for (destroyed, lost) refuses the whole.
    lines = {str(line.id): line for line, why in lines_of(by, held) if not why}
    if not set(wish.entries) <= set(lines):
        raise NotAllowed("Some of these entries can no longer be erased. Refuse this, and ask again.")
    asker = Viewer(id=str(wish.asked_by_id))
    chosen = [lines[e] for e in wish.entries]
    erase_entries(
        [line.id for line in chosen],
        rule=wish.rule,
        approved_by=(asker, by),
        by=by,
        on=("exhibit", exhibit_id),
        thread=held.case,
    )
    case_actions.forget_reasons(held.case, [str(line.body.get("reason_sha256", "")) for line in chosen])
    wishes.decide(wish, "done", by=by)


@transaction.atomic
def refuse_erasure(exhibit_id: UUID, reason: str, *, by: Viewer) -> None:
    """Decide as a second person that the entries stay as they are, with the reason kept."""
    held, wish = _wish(exhibit_id, by)
    digest = case_actions.keep_reason(held.case, "exhibit.erasure_refused", clean_reason(reason), by=by)
    wishes.decide(wish, "refused", by=by)
    record(
        "exhibit.erasure_refused",
        by=by,
        on=("exhibit", exhibit_id),
        thread=held.case,
        erasure=str(wish.pk),
        reason_sha256=digest,
    )
