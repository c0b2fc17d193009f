"""Every way to change the ledger: record an entry, keep a reply, sequence the log, cosign and timestamp it."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from counterfoil.engines.errors import Corrupt, NotAllowed
from counterfoil.engines.tlog import (
    Frontier,
    checkpoint_text,
    entry_commitment,
    leaf_hash,
    sign_note,
)
from counterfoil.ledger import followers
from counterfoil.ledger.models import Checkpoint, Entry, Reply
from counterfoil.ledger.queries import Someone, log_folder, log_lock, newest_checkpoint
from counterfoil.ledger.rules import body_of
from counterfoil.plugs.keys import keys
from counterfoil.plugs.timestamper import timestamper
from counterfoil.plugs.witness import witness

SEQUENCER_LOCK = 0x0C0FFEE1
BATCH = 5000


def record(
    act: str,
    *,
    by: Someone,
    on: tuple[str, UUID | str],
    thread: UUID | str | None = None,
    **facts: object,
) -> Entry:
    """Write one entry in the running transaction and let followers react.

    `on` is (kind, id); `thread` the case it belongs to. Refuses to run outside a transaction: an act and its
    entry are one.
    """
    if not connection.in_atomic_block:
        raise NotAllowed("An entry is written in the transaction of its act, never alone.")
    now = timezone.now()
    body = body_of(act, by.id, (on[0], str(on[1])), now, facts)
    if thread is not None:
        body["thread"] = str(thread)
    salt = secrets.token_bytes(32)
    entry = Entry.objects.create(
        id=uuid4(),
        act=act,
        by=by.id,
        subject_kind=on[0],
        subject_id=str(on[1]),
        thread=thread,
        at=now,
        body=body,
        salt=salt,
        commitment=entry_commitment(salt, body),
    )
    followers.notify(act, str(on[1]), entry.pk)
    return entry


def once(scope: str, key: str, digest: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run `act` once for this key and return its answer; a retry gets the same answer and causes nothing.

    The key, the effect and the answer are one transaction. The same key with other content is refused.
    """
    kept = Reply.objects.filter(scope=scope, key=key).first()
    if kept is None:
        try:
            with transaction.atomic():
                reply = Reply.objects.create(
                    scope=scope, key=key, digest=digest, answer={}, at=timezone.now()
                )
                answer = act()
                reply.answer = answer
                reply.save(update_fields=["answer"])
                return answer
        except IntegrityError:
            # Somebody else committed this key while we waited for the row.
            kept = Reply.objects.filter(scope=scope, key=key).first()
            if kept is None:
                raise
    if kept.digest != digest:
        raise NotAllowed("This form was already sent with other answers. Start again to send a new one.")
    answer = kept.answer
    assert isinstance(answer, dict)  # noqa: S101  (a JSON object by construction)
    return answer


def _lock() -> None:
    """Hold the one sequencer lock until the transaction ends (SQLite transactions are already exclusive)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])


def sequence() -> Checkpoint | None:
    """Give indexes to committed entries that have none, sign a checkpoint, then publish tiles and checkpoint.

    Returns the newest checkpoint, or None while the log is empty. Entries are found by having no index, never by
    a high-water mark, because PostgreSQL commits out of order.
    """
    signer = keys().log
    with transaction.atomic():
        _lock()
        last = Checkpoint.objects.order_by("-size").first()
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
            newest = Checkpoint.objects.order_by("-size").first()
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


def witness_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Have a checkpoint, or a newer one that covers it, cosigned by the witness and timestamped, and keep both.

    Network work happens outside any transaction. When a product is missing this raises its refusal; the checkpoint
    stays as it was and the caller says what is lacking.
    """
    if not checkpoint.cosigned:
        w = witness()
        try:
            cosigned = w.cosign(checkpoint.note, log_folder().consistency)
        except Corrupt:
            # Another bundle took a longer checkpoint of ours to the witness first: that one covers this one too.
            newer = newest_checkpoint()
            if newer is None or newer.size <= checkpoint.size:
                raise
            return witness_checkpoint(newer)
        Checkpoint.objects.filter(pk=checkpoint.pk, cosigned="").update(cosigned=cosigned)
        checkpoint.refresh_from_db()
    if checkpoint.tsr is None:
        tsr = timestamper().stamp(hashlib.sha256(checkpoint.cosigned.encode()).digest())
        Checkpoint.objects.filter(pk=checkpoint.pk, tsr__isnull=True).update(tsr=tsr)
        checkpoint.refresh_from_db()
    publish(checkpoint)
    return checkpoint


def forget_secret(scope: str, field: str, before: datetime) -> int:
    """Blank one field of the answers kept before a time (a passphrase shown once); return how many were blanked."""
    done = 0
    for reply in Reply.objects.filter(scope=scope, at__lt=before).exclude(**{f"answer__{field}": ""})[:500]:
        if reply.answer.get(field):
            reply.answer[field] = ""
            reply.save(update_fields=["answer"])
            done += 1
    return done
