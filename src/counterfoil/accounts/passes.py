"""Passes: how somebody without an account opens one thing that was given to them by name.

A pass is a link and a code that goes another way. Neither is kept readable. The link alone opens nothing; five wrong
codes end it; the code works as often as was said, until its time is over or whoever gave it ends it. A bundle released
to the defence and an exhibit shared with somebody are both opened this way.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from counterfoil.accounts.models import Pass
from counterfoil.accounts.rules import PASS_DAYS, PASS_TRIES
from counterfoil.engines.errors import BadInput
from counterfoil.engines.refs import new_reference, parse_reference

# OWASP's second Argon2id setting: 19 MiB, two passes. The code has 100 bits.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NO_CODE = HASHER.hash("no pass has this code")


@dataclass(frozen=True)
class Issued:
    """What is shown once: the link, and the code for another channel."""

    id: UUID
    link: str
    code: str
    expires_at: datetime


@dataclass(frozen=True)
class PassCard:
    """A pass as plain values: never its link or code."""

    id: UUID
    expires_at: datetime
    used_at: datetime | None
    ended_at: datetime | None
    uses_left: int


def issue(*, uses: int = 1, days: int = PASS_DAYS) -> Issued:
    """Make a pass whose code works `uses` times within `days`, in the transaction of the verb that gives it."""
    link, code, now = secrets.token_urlsafe(24), new_reference(), timezone.now()
    made = Pass.objects.create(
        id=uuid4(),
        link=_hashed(link),
        code_hash=HASHER.hash(code),
        uses_left=uses,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    return Issued(made.pk, link, code, made.expires_at)


def _hashed(link: str) -> str:
    """Return the SHA-256 under which a link is stored."""
    return hashlib.sha256(link.encode(errors="replace")).hexdigest()


def redeem(link: str, code: str, opened: Callable[[UUID], object]) -> UUID | None:
    """Use a code once and return the pass's id; None when anything does not fit. An unknown link takes as long.

    `opened` is called with the pass's id in the transaction that uses the code up, to write that verb's entry.
    """
    try:
        typed = parse_reference(code)
    except BadInput:
        typed = "X"
    now = timezone.now()
    found = Pass.objects.filter(link=_hashed(link)).first()
    good = (
        found is not None
        and found.uses_left > 0
        and found.ended_at is None
        and found.tries < PASS_TRIES
        and found.expires_at > now
    )
    if found is not None and good:
        # The attempt is counted before the slow check, so that parallel guesses all count.
        Pass.objects.filter(pk=found.pk).update(tries=F("tries") + 1)
    try:
        HASHER.verify(found.code_hash if found else _NO_CODE, typed)
    except (Argon2Error, InvalidHashError):
        return None
    if found is None or not good:
        return None
    with transaction.atomic():
        burnt = Pass.objects.filter(
            pk=found.pk, uses_left__gt=0, ended_at=None, tries__lte=PASS_TRIES
        ).update(uses_left=F("uses_left") - 1, used_at=now, tries=0)
        if not burnt:
            return None
        opened(found.pk)
    return found.pk


def is_open(pass_id: UUID) -> bool:
    """Say whether a pass was opened with its code and its time is not over: for the browser that opened it."""
    return Pass.objects.filter(
        pk=pass_id, used_at__isnull=False, ended_at=None, expires_at__gt=timezone.now()
    ).exists()


def end(pass_id: UUID) -> bool:
    """End a pass before its time, in the transaction of the verb that ends it; False when it had ended already."""
    return bool(Pass.objects.filter(pk=pass_id, ended_at=None).update(ended_at=timezone.now()))


def cards(ids: Iterable[UUID]) -> dict[UUID, PassCard]:
    """Return passes by id, for a caller that has decided that its viewer may see what they open."""
    found = Pass.objects.filter(pk__in=list(ids))
    return {p.pk: PassCard(p.pk, p.expires_at, p.used_at, p.ended_at, p.uses_left) for p in found}
