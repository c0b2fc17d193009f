"""How something upstream causes something downstream: a downstream app follows acts of the ledger.

Register followers in `AppConfig.ready()`. Most run after commit. One marked `within=True` runs inside the causing
transaction, in a savepoint; when it fails the cause still commits and the clock's sweep does the work later.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Follower:
    """A reaction to one act: `react` gets the subject's id and must be idempotent."""

    act: str
    react: Callable[[str], object]
    within: bool
    name: str


_followers: list[Follower] = []


def follow(act: str, react: Callable[[str], object], *, within: bool = False) -> None:
    """Register `react` for an act; registering the same function twice changes nothing."""
    name = f"{react.__module__}.{react.__qualname__}"
    if not any(f.act == act and f.name == name for f in _followers):
        _followers.append(Follower(act, react, within, name))


def followers() -> list[Follower]:
    """Return every registered follower, for the table in the docs and its test."""
    return list(_followers)


def notify(act: str, subject_id: str, entry_id: UUID) -> None:
    """Let followers of `act` react; called by `ledger.actions.record` inside its transaction."""
    if not settings.FOLLOWERS:
        return
    for f in [f for f in _followers if f.act == act]:
        if f.within:
            try:
                with transaction.atomic():
                    f.react(subject_id)
            except Exception:
                log.exception("follower %s failed on entry %s; the sweep will do its work", f.name, entry_id)
        else:
            transaction.on_commit(_later(f, subject_id, entry_id))


def _later(f: Follower, subject_id: str, entry_id: UUID) -> Callable[[], None]:
    def run() -> None:
        try:
            f.react(subject_id)
        except Exception:
            log.exception("follower %s failed on entry %s; the sweep will do its work", f.name, entry_id)

    return run
