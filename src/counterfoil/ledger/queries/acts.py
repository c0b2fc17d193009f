"""Read the log by what was done, whoever did it to whatever: for counts that rest on events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from counterfoil.ledger.models import Entry


@dataclass(frozen=True)
class Event:
    """One entry as an event: what was done, to which thing, on which thread, when, and its body.

    Of an entry whose content is gone the body is empty; that it happened, and when, is left.
    """

    act: str
    subject: str
    thread: UUID | None
    at: datetime
    body: dict[str, Any]


def events(acts: Sequence[str], until: datetime) -> Iterator[Event]:
    """Yield every entry of these acts before a moment, oldest first. For a caller that decides who may know of them."""
    found = Entry.objects.filter(act__in=list(acts), at__lt=until).order_by("at", "id")
    for e in found.values_list("act", "subject_id", "thread", "at", "body").iterator(chunk_size=5000):
        yield Event(e[0], str(e[1]), e[2], e[3], e[4] or {})
