"""The last verbs of custody: a copy taken out, an exhibit returned, an exhibit destroyed under an order by two people.

What is destroyed are bytes: the record, its titles and every entry stay, and their proofs stand. Making the entries
themselves unreadable is another verb (`ledger.actions.erase`).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django_tasks import task

from counterfoil.accounts import passes
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseRow, lock_case
from counterfoil.cases.rules import SHAPE, clean_reason
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import rules, wishes
from counterfoil.evidence.models import Copy, Destruction, Exhibit, Share
from counterfoil.evidence.queries import ExhibitCard, exhibit_for
from counterfoil.evidence.restricting import forget_bytes, refuse_guarded
from counterfoil.ledger.actions import record
from counterfoil.plugs.stores import vault
from counterfoil.reference.retention import retention_rules
from counterfoil.reports import actions as reports


@dataclass(frozen=True)
class DestructionCard:
    """A wish to destroy an exhibit, as plain values."""

    id: UUID
    exhibit: UUID
    rule: str
    order: str
    reason: str
    state: str
    asked_by: str
    asked_by_id: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None


def _held(case_id: UUID, exhibit_id: UUID, verb: str, by: Viewer) -> tuple[CaseRow, Exhibit]:
    """Return case and exhibit, both locked, when this person may change it and its state allows the verb."""
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    case = lock_case(case_id)
    exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
    if exhibit is None:
        raise NotAllowed("There is no such exhibit on this case.")
    rules.CUSTODY.after(exhibit.state, verb)
    return case, exhibit


def copy_out(
    case_id: UUID, exhibit_id: UUID, reason: str, *, by: Viewer
) -> tuple[ExhibitCard, BinaryIO] | None:
    """Record why a copy of an exhibit is taken out, commit, then return its bytes; None when refused or absent."""
    card = exhibit_for(by, case_id, exhibit_id)
    if card is None:
        return None
    words = clean_reason(reason)
    refuse_guarded(card)
    rules.CUSTODY.after(card.state, "copy")
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        digest = case_actions.keep_reason(case_id, "exhibit.copied", words, by=by)
        record(
            "exhibit.copied",
            by=by,
            on=("exhibit", exhibit_id),
            thread=case_id,
            sha256=card.sha256,
            reason_sha256=digest,
        )
    return card, vault().open(card.sha256)


@transaction.atomic
def give_back(case_id: UUID, exhibit_id: UUID, to: str, signed_name: str, reason: str, *, by: Viewer) -> None:
    """Return an exhibit to its owner, who signs by typing their name. The bytes as received stay in the vault."""
    case, exhibit = _held(case_id, exhibit_id, "return", by)
    if str(exhibit.holder_id) != by.id and not by.has("inspector", case.force.code):
        raise NotAllowed("Only the person who holds the exhibit, or an inspector, can return it.")
    name = " ".join(to.split())
    if not 3 <= len(name) <= 120 or "\x00" in name:
        raise BadInput("to", "Give the name of the person it is returned to.")
    if " ".join(signed_name.split()).casefold() != name.casefold():
        raise BadInput(
            "signed_name", "Whoever receives it signs by typing their name exactly as it stands above."
        )
    digest = case_actions.keep_reason(case_id, "exhibit.returned", clean_reason(reason), by=by)
    exhibit.state = rules.CUSTODY.after(exhibit.state, "return")
    exhibit.returned_to = name
    exhibit.save(update_fields=["state", "returned_to"])
    record(
        "exhibit.returned",
        by=by,
        on=("exhibit", exhibit.pk),
        thread=case_id,
        recipient_sha256=hashlib.sha256(f"{exhibit.pk}\x00{name}".encode()).hexdigest(),
        reason_sha256=digest,
    )


@transaction.atomic
def ask_destruction(
    case_id: UUID, exhibit_id: UUID, rule: str, order: str, reason: str, *, by: Viewer
) -> UUID:
    """Ask that an exhibit be destroyed under a rule and an order; a second person decides. Returns the wish's id."""
    needs(by, "officer", "ask for an exhibit to be destroyed")
    case, exhibit = _held(case_id, exhibit_id, "destroy", by)
    found = retention_rules().get(rule)
    if found is None:
        raise BadInput("rule", "Choose the rule under which it may be destroyed.")
    if rule not in rules.AT_ANY_TIME and case.state != "closed":
        raise BadInput("rule", "Under this rule an exhibit is destroyed only after its case has closed.")
    reference = " ".join(order.upper().split())
    if not SHAPE.match(reference) or not any(c.isdigit() for c in reference):
        raise BadInput("order", "Give the order's reference as it is printed, for example T20260012.")
    wishes.none_yet(Destruction, exhibit_id)
    digest = case_actions.keep_reason(case_id, "exhibit.destruction_asked", clean_reason(reason), by=by)
    wish = wishes.asked(Destruction, by=by, exhibit=exhibit, rule=rule, order=reference, reason_sha256=digest)
    record(
        "exhibit.destruction_asked",
        by=by,
        on=("exhibit", exhibit.pk),
        thread=case_id,
        destruction=str(wish.pk),
        rule=rule,
        order=reference.replace(" ", "_"),
        reason_sha256=digest,
    )
    return wish.pk


def _wish(case_id: UUID, exhibit_id: UUID, by: Viewer) -> tuple[Exhibit, Destruction]:
    """Return an open wish for somebody who may decide it: an inspector of the force who did not ask."""
    case, exhibit = _held(case_id, exhibit_id, "destroy", by)
    if not by.has("inspector", case.force.code):
        raise NotAllowed("Only an inspector of this force can decide that an exhibit is destroyed.")
    nobody = "Nobody has asked for this exhibit to be destroyed."
    return exhibit, wishes.waiting(Destruction, exhibit_id, nobody, by=by)


@transaction.atomic
def destroy(case_id: UUID, exhibit_id: UUID, *, by: Viewer) -> None:
    """Destroy an exhibit's bytes as a second person, under the order that was named. Record and entries stay.

    Its working copies and the marked copies that were shared go too. The bytes leave the stores right after the
    transaction, and again by a task and by the clock's sweep should the process stop in between.
    """
    exhibit, wish = _wish(case_id, exhibit_id, by)
    wishes.decide(wish, "done", by=by)
    exhibit.state = rules.CUSTODY.after(exhibit.state, "destroy")
    exhibit.save(update_fields=["state"])
    copies = Copy.objects.filter(exhibit=exhibit)
    gone = {exhibit.sha256, *copies.exclude(sha256="").values_list("sha256", flat=True)}
    copies.delete()
    for share in Share.objects.filter(exhibit=exhibit):
        passes.end(share.access_id)
        gone.add(share.sha256)
    Share.objects.filter(exhibit=exhibit).update(state="gone", said="The exhibit was destroyed.")
    if exhibit.upload_id:
        reports.destroy_bytes(exhibit.upload_id)
    record(
        "exhibit.destroyed",
        by=by,
        on=("exhibit", exhibit.pk),
        thread=case_id,
        destruction=str(wish.pk),
        rule=wish.rule,
        order=wish.order.replace(" ", "_"),
        approved_by=[str(wish.asked_by_id), by.id],
        destroyed_sha256=exhibit.sha256,
        reason_sha256=wish.reason_sha256,
    )
    digests = sorted(gone - {""})
    # The task's row is part of this transaction, so a process that stops right after it forgets nothing.
    forget_destroyed.enqueue(digests)
    transaction.on_commit(lambda: forget_now(digests))


@transaction.atomic
def refuse_destruction(case_id: UUID, exhibit_id: UUID, reason: str, *, by: Viewer) -> None:
    """Decide as a second person that an exhibit is kept."""
    exhibit, wish = _wish(case_id, exhibit_id, by)
    digest = case_actions.keep_reason(case_id, "exhibit.destruction_refused", clean_reason(reason), by=by)
    wishes.decide(wish, "refused", by=by)
    record(
        "exhibit.destruction_refused",
        by=by,
        on=("exhibit", exhibit.pk),
        thread=case_id,
        destruction=str(wish.pk),
        reason_sha256=digest,
    )


@task()
def forget_destroyed(digests: list[str]) -> None:
    """Remove destroyed bytes, in the work process."""
    forget_now(digests)


def forget_now(digests: Iterable[str]) -> None:
    """Remove destroyed bytes from the vault and the quarantine, unless something that lives has the very same ones."""
    forget_bytes(digests)
    reports.clear_destroyed()


def sweep_destroyed() -> int:
    """Remove bytes of destroyed exhibits that a stopped process left behind; return how many were still there."""
    store = vault()
    living = Exhibit.objects.exclude(state="destroyed")
    left = [
        sha256
        for sha256 in Exhibit.objects.filter(state="destroyed").values_list("sha256", flat=True)
        if store.has(sha256) and not living.filter(sha256=sha256).exists()
    ]
    if left:
        forget_now(left)
    return len(left)


def destructions_of(viewer: Viewer, case_id: UUID, exhibit_id: UUID) -> list[DestructionCard]:
    """Return what was asked and decided about destroying an exhibit; the caller decided that the viewer may see it."""
    reasons = cases.notes_by_digest(case_id)
    found = Destruction.objects.filter(exhibit_id=exhibit_id, exhibit__case_id=case_id)
    return [
        DestructionCard(
            d.pk,
            d.exhibit_id,
            d.rule,
            d.order,
            reasons.get(d.reason_sha256, ""),
            d.state,
            *wishes.people(d),
        )
        for d in found.select_related("asked_by", "decided_by").order_by("asked_at")
    ]
