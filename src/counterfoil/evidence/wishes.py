"""What one person asks about an exhibit and a second one decides: to destroy it, or to erase entries of its custody."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import NotAllowed
from counterfoil.evidence.models import Wish

W = TypeVar("W", bound=Wish)


def none_yet(kind: type[Wish], exhibit_id: UUID) -> None:
    """Refuse a second wish of this kind while one is waiting."""
    if kind._default_manager.filter(exhibit_id=exhibit_id, state="asked").exists():
        raise NotAllowed("It was already asked for. A second person decides.")


def asked(kind: type[W], *, by: Viewer, **facts: object) -> W:
    """Keep a wish."""
    return kind._default_manager.create(asked_by_id=by.id, asked_at=timezone.now(), **facts)


def waiting(kind: type[W], exhibit_id: UUID, nobody: str, *, by: Viewer) -> W:
    """Return the wish that waits, locked; NotAllowed when `nobody` (a sentence) asked, or when the same person did."""
    wish = kind._default_manager.select_for_update().filter(exhibit_id=exhibit_id, state="asked").first()
    if wish is None:
        raise NotAllowed(nobody)
    if str(wish.asked_by_id) == by.id:
        raise NotAllowed("You asked for it yourself. A second person decides.")
    return wish


def decide(wish: Wish, state: str, *, by: Viewer) -> None:
    """Keep who decided, when, and what."""
    wish.state, wish.decided_by_id, wish.decided_at = state, by.uuid, timezone.now()
    wish.save(update_fields=["state", "decided_by", "decided_at"])


def people(wish: Wish) -> tuple[str, str, datetime, str, datetime | None]:
    """Return who asked (name, id) and when, and who decided and when."""
    decided_by = wish.decided_by.name if wish.decided_by else ""
    return wish.asked_by.name, str(wish.asked_by_id), wish.asked_at, decided_by, wish.decided_at
