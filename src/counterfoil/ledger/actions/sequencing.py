"""Give entries their places in the log, sign it and publish it; and refuse to, when an old backup was restored."""

import json
import time
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from counterfoil.engines import disk
from counterfoil.engines.errors import Corrupt, NotAllowed
from counterfoil.engines.tlog import Frontier, checkpoint_text, leaf_hash, sign_note
from counterfoil.ledger.models import Checkpoint, Entry
from counterfoil.ledger.queries import log_lock
from counterfoil.ledger.queries.reading import newest_checkpoint
from counterfoil.ledger.queries.standing import Seen, conflict, enough, halt_file, halted, outside, published
from counterfoil.plugs.keys import keys

SEQUENCER_LOCK = 0x0C0FFEE1
BATCH = 5000
LOOK_AGAIN = 600.0  # seconds between two looks at what the witnesses hold
_looked: dict[Path, tuple[float, int]] = {}


def lock_log() -> None:
    """Hold the one sequencer lock until the transaction ends (SQLite transactions are already exclusive)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])


def sequence() -> Checkpoint | None:
    """Give indexes to committed entries that have none, sign a checkpoint, then publish tiles and checkpoint.

    Returns the newest checkpoint, or None while the log is empty. Entries are found by having no index, never by
    a high-water mark, because PostgreSQL commits out of order. Raises Corrupt, and signs nothing, when the published
    files or a witness hold a longer or another log than the database: entries are still accepted, and wait.
    """
    refuse_rollback()
    signer = keys().log
    with transaction.atomic():
        lock_log()
        last = Checkpoint.objects.order_by("-size").first()
        # A small file is read under the lock, against the house's rule, because nothing else says what was published.
        _refuse_if_contradicted(published())
        frontier = Frontier.from_text(last.frontier) if last else Frontier.empty()
        waiting = list(
            Entry.objects.filter(index__isnull=True).order_by("at", "id").only("id", "commitment")[:BATCH]
        )
        if waiting:
            size = frontier.size
            for i, entry in enumerate(waiting):
                entry.index = size + i
            Entry.objects.bulk_update(waiting, ["index"], batch_size=200)
            frontier = frontier.append_all([leaf_hash(bytes(e.commitment)) for e in waiting])
            note = sign_note(checkpoint_text(signer.name, frontier.size, frontier.root()), [signer])
            last = Checkpoint.objects.create(
                size=frontier.size,
                root=frontier.root(),
                frontier=frontier.to_text(),
                note=note,
                at=timezone.now(),
            )
    if last is not None:
        publish(last)
        if len(waiting) == BATCH:
            return sequence()
    return last


def publish(checkpoint: Checkpoint) -> None:
    """Bring the tile files up to a committed checkpoint. They can always be rebuilt from the database."""
    with log_lock() as folder:
        have = folder.size()
        if have > checkpoint.size:
            newest = newest_checkpoint()
            if newest is None or have > newest.size:
                raise Corrupt(
                    f"The published log has {have} entries but the database only {checkpoint.size}: an old backup was "
                    "restored. Reconcile it before anything more is signed."
                )
            return
        note = checkpoint.cosigned or checkpoint.note
        if folder.published() == note:
            return
        folder.sweep()  # what a writer that was killed left half-written
        if have < checkpoint.size:
            fresh = Entry.objects.filter(index__gte=have, index__lt=checkpoint.size).order_by("index")
            folder.append(have, [bytes(c) for c in fresh.values_list("commitment", flat=True)])
        folder.publish_checkpoint(note)


def refuse_rollback() -> None:
    """Raise Corrupt unless what the published files and the witnesses hold continues into what the database has.

    The witnesses are asked when a process starts, when the log got shorter under it, and every ten minutes. At the
    start so many must answer that one of them signed the last checkpoint; later an unreachable one is only waited for.
    """
    why = halted()
    if why is not None:
        raise Corrupt(why)
    newest = newest_checkpoint()
    size = newest.size if newest else 0
    home = Path(settings.COUNTERFOIL_HOME)
    at, had = _looked.get(home, (0.0, -1))
    if had > size or had < 0 or time.monotonic() - at > LOOK_AGAIN:
        _refuse_if_contradicted(published())
        found = outside()
        for seen in found.seen:
            _refuse_if_contradicted(seen)
        if had < 0 and not enough(found):
            silent = "; ".join(f"{name}: {said}" for name, said in found.silent.items())
            raise NotAllowed(
                "Nothing is signed until enough witnesses have told what they saw last, because an old backup could "
                f"have been restored. Entries are accepted and wait. {silent}"
            )
    else:
        size, found = max(size, had), None
    _looked[home] = (time.monotonic() if found else at, size)


def _refuse_if_contradicted(seen: Seen | None) -> None:
    """Halt the log and raise Corrupt if what somebody holds contradicts the database."""
    said = conflict(seen) if seen is not None else None
    if said is not None:
        halt(said)


def halt(why: str) -> None:
    """Stop all signing until a person reconciles the log, and raise Corrupt with the reason."""
    if halted() is None:
        said = {"at": timezone.now().isoformat(), "why": why}
        disk.replace(halt_file(), (json.dumps(said) + "\n").encode())
    raise Corrupt(why)
