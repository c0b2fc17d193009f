"""Restricted-image exhibits and flagged originals: who may close one, who may look, and what goes when it is closed.

*Restrict* takes everything that was ever made of an exhibit out of reach: its copies leave the vault, and exhibits
derived from it are restricted with it. *Open* hands the original to a person of a named role, with a reason; the
entry is committed before the first byte.
"""

import hashlib
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import lock_case
from counterfoil.cases.rules import clean_reason
from counterfoil.engines.errors import Corrupt, NotAllowed
from counterfoil.evidence.models import Copy, Exhibit, Redaction, Share
from counterfoil.evidence.queries import ExhibitCard, exhibit_for
from counterfoil.ledger.actions import record
from counterfoil.plugs.stores import erasing, quarantine, vault
from counterfoil.reports import screening

log = logging.getLogger(__name__)


def open_anywhere(sha256: str) -> BinaryIO:
    """Open a file where it lies, quarantine or vault, for the scanner and the hash list alone."""
    waiting = quarantine()
    return waiting.open(sha256, verify=False) if waiting.has(sha256) else vault().open(sha256, verify=False)


def how_restricted(sha256: str, size: int, said: str = "") -> str:
    """Return how an exhibit of these bytes is restricted from its first moment, or "".

    Whoever makes an exhibit asks before it is made: the present edition of the hash list has then been asked, so
    nothing is derived of a listed file in the moments before a sweep. `said` is what its upload already says.
    """
    return said or ("hash-list" if screening.ask_list(sha256, size, open_anywhere) else "")


def restrict(case_id: UUID, exhibit_id: UUID, reason: str, *, by: Viewer) -> None:
    """Restrict an exhibit, with the reason kept; possible on a closed case too. Doing it again changes nothing."""
    words = clean_reason(reason)
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    with transaction.atomic():
        lock_case(case_id)
        exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
        if exhibit is None:
            raise NotAllowed("There is no such exhibit on this case.")
        if exhibit.restricted:
            return
        digest = case_actions.keep_reason(case_id, "exhibit.restricted", words, by=by)
        _close(exhibit, "officer", by, {"reason_sha256": digest})


def lift(case_id: UUID, exhibit_id: UUID, reason: str, *, by: Viewer) -> None:
    """Open a restricted exhibit again, after an examiner has looked: only they can, with the reason kept.

    Exhibits derived from it stay restricted, each to be lifted by itself. A new edition of the hash list that names
    it restricts it again.
    """
    words = clean_reason(reason)
    with transaction.atomic():
        if not cases.why(by, case_id).allowed:
            raise NotAllowed("You have no part in this case, so you cannot change it.")
        case = lock_case(case_id)
        _only("examiner", case.force.code, by, "lift the restriction of an exhibit")
        exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
        if exhibit is None:
            raise NotAllowed("There is no such exhibit on this case.")
        if not exhibit.restricted:
            return
        digest = case_actions.keep_reason(case_id, "exhibit.restricted", words, by=by)
        exhibit.restricted = ""
        exhibit.save(update_fields=["restricted"])
        screening.unlist(exhibit.sha256)
        record(
            "exhibit.restricted",
            by=by,
            on=("exhibit", exhibit.pk),
            thread=case_id,
            how="lifted",
            reason_sha256=digest,
        )


def _only(role: str, force: str, by: Viewer, what: str) -> None:
    if not by.has(role, force):
        name = {"examiner": "an indecent image examiner", "analyst": "a digital forensic analyst"}[role]
        raise NotAllowed(f"Only {name} of this force who works on the case can {what}.")


def _close(exhibit: Exhibit, how: str, by: Viewer, facts: dict[str, object]) -> None:
    """Restrict an exhibit and all that was derived from it, and take its copies away; in the running transaction."""
    exhibit.restricted = how
    exhibit.save(update_fields=["restricted"])
    gone = _take_away(exhibit)
    record(
        "exhibit.restricted",
        by=by,
        on=("exhibit", exhibit.pk),
        thread=exhibit.case_id,
        how=how,
        sha256=exhibit.sha256,
        copies_removed=len(gone),
        **facts,
    )
    if gone:
        # The task's row is part of this transaction, so a process that stops right after it forgets nothing.
        forget.enqueue(gone)
        transaction.on_commit(lambda: forget_bytes(gone))
    children = Exhibit.objects.select_for_update().filter(parent=exhibit, restricted="")
    for child in children.order_by("pk"):
        known = hashlib.sha256(f"{child.pk}\x00{exhibit.pk}".encode()).hexdigest()
        _close(child, how, by, {"parent_sha256": known})


def _take_away(exhibit: Exhibit) -> list[str]:
    """Drop copies, shares and the drawings of redactions of an exhibit; return the digests of their bytes."""
    copies = Copy.objects.filter(exhibit=exhibit)
    shares = Share.objects.filter(exhibit=exhibit)
    work = Redaction.objects.filter(exhibit=exhibit)
    gone = set(copies.values_list("sha256", flat=True)) | set(shares.values_list("sha256", flat=True))
    gone |= set(work.values_list("sheets_sha256", flat=True))
    copies.delete()
    shares.exclude(state="gone").update(state="gone", said="The exhibit was restricted.")
    work.exclude(state="made").update(state="failed", error="The exhibit was restricted.")
    work.update(sheets_sha256="", sheets_size=0, found={})
    return sorted(gone - {""})


@task()
def forget(digests: list[str]) -> None:
    """Remove bytes that no row names any more, in the work process."""
    forget_bytes(digests)


def forget_bytes(digests: Iterable[str]) -> None:
    """Remove copies' bytes from the vault unless an exhibit or another copy has the very same ones."""
    digests = set(digests)
    living = Exhibit.objects.exclude(state="destroyed")
    kept = set(living.filter(sha256__in=digests).values_list("sha256", flat=True))
    kept |= set(Share.objects.filter(sha256__in=digests, state="ready").values_list("sha256", flat=True))
    kept |= set(Copy.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
    kept |= set(Redaction.objects.filter(sheets_sha256__in=digests).values_list("sheets_sha256", flat=True))
    store = erasing()
    for digest in digests - kept:
        with suppress(Corrupt):  # gone already: this runs at once, and once more by its task
            store.remove(digest)


def guards(card: ExhibitCard) -> list[str]:
    """Return the roles without which this exhibit's original is not handed out; [] for an ordinary one."""
    return (["examiner"] if card.restricted else []) + (["analyst"] if card.scan == "flagged" else [])


def refuse_guarded(card: ExhibitCard) -> None:
    """Refuse the ordinary download of an original that is restricted or flagged, and say where it can be asked for."""
    if guards(card):
        what = "restricted" if card.restricted else "flagged by the virus scanner"
        raise NotAllowed(
            f"This exhibit is {what}. Its original is opened only by a named role, with a reason."
        )


def open_guarded(
    case_id: UUID, exhibit_id: UUID, reason: str, *, by: Viewer
) -> tuple[ExhibitCard, BinaryIO] | None:
    """Record why a restricted or flagged original is opened, commit, then return it; None when refused or absent.

    Needs the part in the case that every view needs, and every role that `guards` names.
    """
    card = exhibit_for(by, case_id, exhibit_id)
    if card is None:
        return None
    words = clean_reason(reason)
    held = cases.case_for(by, case_id)
    for role in guards(card):
        what = "look at a restricted exhibit" if role == "examiner" else "take out a file that was flagged"
        _only(role, held.force if held else "", by, what)
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        digest = case_actions.keep_reason(case_id, "exhibit.viewed", words, by=by)
        record(
            "exhibit.viewed",
            by=by,
            on=("exhibit", exhibit_id),
            thread=case_id,
            sha256=card.sha256,
            guards=guards(card),
            reason_sha256=digest,
        )
    return card, vault().open(card.sha256)


def sweep_screening(now: datetime) -> int:
    """Look at what waits for the scanner and the hash list, and restrict every exhibit that is listed.

    Finds uploads and exhibits by themselves, however they came in. Returns how many exhibits it restricted.
    """
    screening.note_uploads()
    screening.unknown(_never_noted())
    screening.look(max(now, timezone.now()), open_anywhere)
    listed = screening.listed_digests()
    closed = 0
    for found in Exhibit.objects.filter(sha256__in=listed, restricted="").values_list("pk", "case_id"):
        with transaction.atomic():
            lock_case(found[1])
            row = Exhibit.objects.select_for_update().get(pk=found[0])
            if not row.restricted:
                _close(row, "hash-list", Viewer.clock(), {})
                closed += 1
    return closed


def _never_noted() -> Iterable[tuple[str, int]]:
    return (
        Exhibit.objects.exclude(state="destroyed")
        .exclude(sha256__in=screening.known_digests())
        .values_list("sha256", "size")[:500]
    )


@task()
def screen() -> None:
    """Look at what waits, in the work process: a file of many gigabytes takes minutes to read."""
    sweep_screening(timezone.now())


def ask_screening(now: datetime) -> bool:
    """Have the work process look at files unless it is asked already; the clock itself must not wait for big files.

    A task that has not ended within the hour is taken for one whose process was stopped.
    """
    asked = DBTaskResult.objects.filter(
        task_path=screen.module_path,
        status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING],
        enqueued_at__gt=now - timedelta(hours=1),
    )
    if asked.exists() or not _anything_to_screen(now):
        return False
    screen.enqueue()
    return True


def _anything_to_screen(now: datetime) -> bool:
    screening.note_uploads()
    screening.unknown(_never_noted())
    due = bool(screening.waiting(max(now, timezone.now()), 1))
    return due or Exhibit.objects.filter(sha256__in=screening.listed_digests(), restricted="").exists()
