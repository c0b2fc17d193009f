"""Every way to change evidence: take an upload out of quarantine, retitle, view, hand over, take a statement."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseRow, lock_case
from counterfoil.cases.rules import clean_reason
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.tlog import jcs
from counterfoil.evidence import recipes, rules
from counterfoil.evidence.labels import next_number, next_statement
from counterfoil.evidence.material import parent_is_unused
from counterfoil.evidence.models import Exhibit, Statement, Title, WitnessDetails
from counterfoil.evidence.queries import ExhibitCard, exhibit_for
from counterfoil.evidence.restricting import forget_bytes, how_restricted, refuse_guarded
from counterfoil.ledger.actions import once, record
from counterfoil.plugs.stores import quarantine, vault
from counterfoil.reports import queries as reports


def _open_case(case_id: UUID, by: Viewer) -> CaseRow:
    """Return the case, locked, when the viewer works on it and it is open."""
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    case = lock_case(case_id)
    if case.state != "open":
        raise NotAllowed("This case is closed. Reopen it before you add evidence.")
    return case


def seal(case_id: UUID, upload_id: UUID, title: str, *, by: Viewer) -> UUID:
    """Take an upload out of quarantine as an exhibit produced by the officer, and return the exhibit's id.

    The bytes are copied into the vault, durable and re-hashed against what the sender's receipt says, before the
    one transaction that makes the exhibit. Doing it again returns the same exhibit.
    """
    needs(by, "officer", "take an exhibit out of quarantine")
    shown = rules.clean_title(title)
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    sent = {f.id: f for r in cases.reports_of(case_id) for f in reports.report_card(r).files}
    added = {f.id: f for f in reports.files_of_owner(f"case:{case_id}")}
    upload = sent.get(upload_id) or added.get(upload_id)
    if upload is None:
        raise NotAllowed("There is no such file on this case.")
    before = Exhibit.objects.filter(upload_id=upload_id, case_id=case_id).first()
    if before is not None:
        # Its bytes are not copied again: they may have been destroyed since.
        if before.state == "destroyed":
            raise NotAllowed(f"This file was taken as exhibit {before.label}, and destroyed under an order.")
        return before.pk
    stored = vault().copy_from(quarantine(), upload.sha256)
    card = accounts.actor_card(by, by.id)
    letters = card["initials"] if card else "XX"
    how = how_restricted(stored.sha256, stored.size, upload.restricted)

    def act() -> dict[str, str]:
        case = _open_case(case_id, by)
        now = timezone.now()
        exhibit = Exhibit.objects.create(
            id=uuid4(),
            case=case,
            initials=letters,
            number=next_number(letters),
            produced_by_id=by.id,
            holder_id=by.id,
            upload_id=upload_id,
            sha256=stored.sha256,
            size=stored.size,
            media_type=upload.media_type,
            extension=upload.extension,
            original_name=upload.name,
            received_at=upload.received_at,
            taken_at=now,
            restricted=how,
        )
        digest = _title(exhibit, shown, by)
        record(
            "exhibit.sealed",
            by=by,
            on=("exhibit", exhibit.pk),
            thread=case.pk,
            label=exhibit.label,
            sha256=stored.sha256,
            size=stored.size,
            title_sha256=digest,
            upload=str(upload_id),
            restricted=how,
            received_at=upload.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )
        if upload_id in sent:
            case_actions.tell_reporters(case.pk, "exhibit_taken")
        return {"exhibit": str(exhibit.pk)}

    # One upload becomes one exhibit: the upload is the key, so a retry or a double click changes nothing.
    return UUID(once("exhibit.seal", str(upload_id), str(case_id).replace("-", ""), act)["exhibit"])


def _title(exhibit: Exhibit, text: str, by: Viewer) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    Title.objects.create(exhibit=exhibit, text=text, sha256=digest, by=by.id, at=timezone.now())
    return digest


@transaction.atomic
def retitle(case_id: UUID, exhibit_id: UUID, text: str, *, by: Viewer) -> None:
    """Give an exhibit a new title. The old title stays with the events that used it."""
    shown = rules.clean_title(text)
    _open_case(case_id, by)
    exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
    if exhibit is None:
        raise NotAllowed("There is no such exhibit on this case.")
    rules.CUSTODY.after(exhibit.state, "title")
    digest = _title(exhibit, shown, by)
    record("exhibit.titled", by=by, on=("exhibit", exhibit.pk), thread=case_id, title_sha256=digest)


@transaction.atomic
def hand_over(case_id: UUID, exhibit_id: UUID, to_actor: str, reason: str, *, by: Viewer) -> None:
    """Move an exhibit to another holder in the same force, with the reason kept."""
    case = _open_case(case_id, by)
    exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
    if exhibit is None:
        raise NotAllowed("There is no such exhibit on this case.")
    if str(exhibit.holder_id) != by.id and not by.has("inspector", case.force.code):
        raise NotAllowed("Only the person who holds the exhibit, or an inspector, can hand it over.")
    receiver = accounts.viewer_for(to_actor)
    if not (receiver.has("officer", case.force.code) or receiver.has("inspector", case.force.code)):
        raise BadInput("to", "Choose an officer of this force.")
    digest = case_actions.keep_reason(case_id, "exhibit.moved", clean_reason(reason), by=by)
    exhibit.state = rules.CUSTODY.after(exhibit.state, "move")
    exhibit.holder_id = UUID(receiver.id)
    exhibit.save(update_fields=["state", "holder"])
    record(
        "exhibit.moved",
        by=by,
        on=("exhibit", exhibit.pk),
        thread=case_id,
        to=receiver.id,
        reason_sha256=digest,
    )


def open_exhibit(case_id: UUID, exhibit_id: UUID, *, by: Viewer) -> tuple[ExhibitCard, BinaryIO] | None:
    """Record that an exhibit is viewed, commit, then return it with its re-hashed bytes; None when refused or absent.

    The entry is committed before the first byte can be read: no entry, no view.
    """
    card = exhibit_for(by, case_id, exhibit_id)
    if card is None:
        return None
    refuse_guarded(card)
    rules.CUSTODY.after(card.state, "view")
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        record("exhibit.viewed", by=by, on=("exhibit", exhibit_id), thread=case_id, sha256=card.sha256)
    return card, vault().open(card.sha256)


@dataclass(frozen=True)
class BackPage:
    """What stays with the case and never leaves it: how to reach the witness, dates to avoid, needs."""

    contact: str
    dates_to_avoid: str
    needs: str


def read_back_page(case_id: UUID, statement_id: UUID, *, by: Viewer) -> BackPage | None:
    """Record that a statement's back page is read, commit, then return it; None when refused or absent."""
    if not cases.why(by, case_id).allowed:
        return None
    found = WitnessDetails.objects.filter(statement_id=statement_id, statement__case_id=case_id).first()
    if found is None:
        return None
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        record("statement.back_page_read", by=by, on=("statement", statement_id), thread=case_id)
    return BackPage(found.contact, found.dates_to_avoid, found.needs)


@transaction.atomic
def take_statement(case_id: UUID, raw: Mapping[str, object], *, by: Viewer, role: str = "witness") -> UUID:
    """Keep a signed statement: its text is fixed and its digest is in the entry; return its id.

    `raw` has name, age (only under 18), text, declared, cannot_read, read_over_by, signed_name; and the back page:
    contact, dates_to_avoid, needs. Refused unless everything Criminal Procedure Rules 16.2 asks for is there.
    """
    needs(by, "officer", "take a statement")
    case = _open_case(case_id, by)
    front = rules.clean_statement(raw)
    text = str(front["text"])
    if role not in ("witness", "victim"):
        raise BadInput("role", "Say whether this is the victim or another witness.")
    known = next(
        (
            p.id
            for p in cases.parties(case_id)
            if p.role == role and p.name.casefold() == str(front["name"]).casefold()
        ),
        None,
    )
    party = known or case_actions.add_party(case_id, str(front["name"]), role, by=by)
    number = next_statement()
    now = timezone.now()
    pages = rules.pages_of(text)
    fixed = {
        "name": front["name"],
        "age": front["age"],
        "text": text,
        "declaration": rules.declaration(pages),
        "read_over_by": front["read_over_by"],
        "signed_name": front["signed_name"],
        "signed_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    digest = hashlib.sha256(jcs(fixed)).hexdigest()
    statement = Statement.objects.create(
        id=uuid4(),
        case=case,
        party_id=party,
        number=number,
        taken_by_id=by.id,
        under_18_age=age if isinstance(age := front["age"], int) else None,
        text=text,
        declaration_sha256=rules.DECLARATION_SHA256,
        read_over_by=str(front["read_over_by"]),
        pages=pages,
        signed_name=str(front["signed_name"]),
        signed_at=now,
        sha256=digest,
    )
    WitnessDetails.objects.create(
        statement=statement,
        contact=str(raw.get("contact") or "")[:2000],
        dates_to_avoid=str(raw.get("dates_to_avoid") or "")[:2000],
        needs=str(raw.get("needs") or "")[:2000],
    )
    record(
        "statement.signed",
        by=by,
        on=("statement", statement.pk),
        thread=case_id,
        number=number,
        sha256=digest,
        declaration_sha256=rules.DECLARATION_SHA256,
        party=str(party),
    )
    case_actions.tell_reporters(case_id, "statement_taken")
    return statement.pk


def derive(
    case_id: UUID,
    exhibit_id: UUID,
    *,
    task: str,
    settings: Mapping[str, Any],
    title: str,
    by: Viewer,
    sources: Mapping[str, Path] | None = None,
    act: str = "exhibit.derived",
    on_progress: recipes.Progress | None = None,
) -> UUID:
    """Make a new exhibit from a sealed one by a recipe, carried out in the sandbox, and return its id.

    The parent's bytes are hashed again first and never change. One transaction holds the exhibit, its title and the
    entry with the digests of its bytes and of its recipe. The same recipe by the same person gives the same exhibit
    again. Takes as long as the recipe does: pages ask for it through `extracts` and `redactions`.
    """
    needs(by, "officer", "make an exhibit from another")
    shown = rules.clean_title(title)
    parent = derivable(case_id, exhibit_id, by)
    with recipes.master(parent.sha256) as path:
        made = recipes.carry_out(
            path, parent.sha256, task, settings, sources=sources, on_progress=on_progress
        )
    card = accounts.actor_card(by, by.id)
    letters = card["initials"] if card else "XX"
    recipe_sha256 = recipes.digest(made.recipe)

    def keep() -> dict[str, str]:
        case = _open_case(case_id, by)
        now = timezone.now()
        # Asked again under the lock: it may have been flagged, returned or destroyed while we worked.
        derivable(case_id, exhibit_id, by)
        exhibit = Exhibit.objects.create(
            id=uuid4(),
            case=case,
            initials=letters,
            number=next_number(letters),
            produced_by_id=by.id,
            holder_id=by.id,
            parent_id=exhibit_id,
            recipe=made.recipe,
            sha256=made.stored.sha256,
            size=made.stored.size,
            media_type=made.media_type,
            extension=made.extension,
            original_name="",
            received_at=now,
            taken_at=now,
        )
        digest = _title(exhibit, shown, by)
        record(
            act,
            by=by,
            on=("exhibit", exhibit.pk),
            thread=case.pk,
            label=exhibit.label,
            sha256=made.stored.sha256,
            size=made.stored.size,
            title_sha256=digest,
            # Which exhibit that was can be checked by whoever knows it, and guessed by nobody: this entry is shown to
            # the defence, which may not know that there is another.
            parent_sha256=hashlib.sha256(f"{exhibit.pk}\x00{exhibit_id}".encode()).hexdigest(),
            recipe_sha256=recipe_sha256,
        )
        parent_is_unused(exhibit_id, by=by)
        return {"exhibit": str(exhibit.pk)}

    key = hashlib.sha256(f"{by.id}:{exhibit_id}:{act}:{recipe_sha256}".encode()).hexdigest()
    try:
        return UUID(once("exhibit.derive", key, recipe_sha256, keep)["exhibit"])
    except NotAllowed:
        # Restricted, returned or closed while we worked: what was made is named by nothing, and goes.
        forget_bytes([made.stored.sha256])
        raise


def derivable(case_id: UUID, exhibit_id: UUID, by: Viewer) -> Exhibit:
    """Return the exhibit when something may be made of it by this person now."""
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    exhibit = Exhibit.objects.filter(pk=exhibit_id, case_id=case_id).first()
    if exhibit is None:
        raise NotAllowed("There is no such exhibit on this case.")
    rules.CUSTODY.after(exhibit.state, "derive")
    if not rules.may_derive(exhibit):
        raise NotAllowed("This exhibit is restricted: nothing is made of it, and nobody sees a copy.")
    return exhibit
