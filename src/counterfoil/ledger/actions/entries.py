"""Write entries, and keep the answer of a request that may be sent again."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from counterfoil.engines.errors import NotAllowed
from counterfoil.engines.tlog import entry_commitment
from counterfoil.ledger import followers
from counterfoil.ledger.models import Entry, Reply
from counterfoil.ledger.queries import Someone
from counterfoil.ledger.rules import body_of


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


def forget_secret(scope: str, field: str, before: datetime) -> int:
    """Blank one field of the answers kept before a time (a passphrase shown once); return how many were blanked."""
    done = 0
    for reply in Reply.objects.filter(scope=scope, at__lt=before).exclude(**{f"answer__{field}": ""})[:500]:
        if reply.answer.get(field):
            reply.answer[field] = ""
            reply.save(update_fields=["answer"])
            done += 1
    return done
