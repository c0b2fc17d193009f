"""Erase what entries say while every other proof stays: the salt goes, and with it any way to guess what was said."""

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from counterfoil.engines import disk
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.ledger.actions.entries import record
from counterfoil.ledger.models import Entry
from counterfoil.ledger.queries import Someone, decisions, decisions_file
from counterfoil.ledger.rules import may_be_erased, two_people
from counterfoil.reference.retention import retention_rules

CHUNK = 500


def erase(
    entries: Iterable[UUID],
    *,
    rule: str,
    approved_by: Sequence[Someone],
    by: Someone,
    on: tuple[str, UUID | str] = ("entry", "several"),
    thread: UUID | str | None = None,
) -> Entry:
    """Erase what these entries say, in the running transaction, and return the entry that says so.

    Salt, body and actor go; index, commitment, act, opaque subject and time stay. `rule` is an id of
    `reference/retention.toml`; two different people approve, and who they are and may is for the caller to check. The
    entry is named after the thing (`exhibit.erased`) and holds the rule, the approvers' ids and the indexes. Refused:
    entries that have no place in the log yet, that were erased before, or that the log itself needs.
    """
    if not connection.in_atomic_block:
        raise NotAllowed("Entries are erased in the transaction of the act that needs it, never alone.")
    now = timezone.now()
    known = retention_rules().get(rule)
    if known is None or known.valid_from > now.date():
        raise BadInput("rule", "Choose the rule of retention under which this is erased.")
    approvers = two_people([a.id for a in approved_by])
    wanted = set(entries)
    rows = list(Entry.objects.select_for_update().filter(pk__in=wanted).order_by("index"))
    if not rows or len(rows) != len(wanted):
        raise BadInput("entries", "Some of these entries do not exist.")
    for row in rows:
        may_be_erased(row.act, placed=row.index is not None, gone=row.gone_by is not None)
    erasing = record(
        f"{on[0]}.erased",
        by=by,
        on=on,
        thread=thread,
        rule=rule,
        approved_by=approvers,
        entries=[row.index for row in rows],
    )
    _blank([bytes(row.commitment) for row in rows], bytes(erasing.commitment))
    transaction.on_commit(_after)
    return erasing


def _blank(commitments: Sequence[bytes], why: bytes) -> int:
    done = 0
    for start in range(0, len(commitments), CHUNK):
        found = Entry.objects.filter(
            commitment__in=commitments[start : start + CHUNK], gone_by=None, index__isnull=False
        )
        done += found.update(salt=b"", body={}, by="", gone_by=why)
    return done


def _after() -> None:
    """After the commit: tell the file of decisions, and have the database let go of the old bytes."""
    _tell_file()
    scrub()


def _tell_file() -> None:
    """Add to the file of decisions every erasure that it does not hold yet (a kill may have come between)."""
    told = {c for one in decisions("erased") for c in one["commitments"]}
    missing: dict[bytes, list[bytes]] = {}
    for commitment, why in Entry.objects.filter(gone_by__isnull=False).values_list("commitment", "gone_by"):
        if bytes(commitment).hex() not in told:
            missing.setdefault(bytes(why or b""), []).append(bytes(commitment))
    for why, commitments in missing.items():
        cause = Entry.objects.filter(commitment=why).first()
        if cause is None or not cause.act.endswith(".erased") or cause.gone_by is not None:
            continue
        keep_decision(
            "erased",
            by=why.hex(),
            rule=cause.body["rule"],
            approved_by=cause.body["approved_by"],
            commitments=[c.hex() for c in commitments],
        )


def keep_decision(kind: str, **said: Any) -> None:
    """Add one decision to the file beside the log, durably."""
    path = decisions_file()
    one = json.dumps({"kind": kind, "at": timezone.now().isoformat(), **said}) + "\n"
    with disk.told(), os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        whole = file.read()
        file.truncate(whole.rfind(b"\n") + 1)  # a line that a kill cut short was never relied on
        file.seek(0, os.SEEK_END)
        file.write(one.encode())
        file.flush()
        disk.sync(file.fileno(), path.parent)
        disk.sync_folder(path.parent, path.parent)


def replay_erasures() -> int:
    """Erase again whatever a restored backup brought back; return how many entries. Run before anything is served.

    Also completes the file of decisions from the database, if a kill came between an erasure and its line.
    """
    done = 0
    for one in decisions("erased"):
        try:
            why, commitments = bytes.fromhex(one["by"]), [bytes.fromhex(c) for c in one["commitments"]]
        except (KeyError, ValueError):
            raise Corrupt(
                f"{decisions_file().name} cannot be read, so it is not known what was erased."
            ) from None
        with transaction.atomic():
            done += _blank(commitments, why)
            # A backup may be from a moment when the entry had no place in the log yet: it is never placed with content.
            Entry.objects.filter(commitment__in=commitments, index=None).delete()
    _tell_file()
    if done:
        scrub()
    return done


def scrub() -> None:
    """Have the database let go of overwritten bytes, as far as it can be told to."""
    if connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute(f"VACUUM {connection.ops.quote_name(Entry._meta.db_table)}")
