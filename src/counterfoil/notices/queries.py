"""Every way to read notices."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from counterfoil.accounts.rules import Viewer
from counterfoil.notices.models import Notice


@dataclass(frozen=True)
class NoticeCard:
    """A notice as staff see it: never its address."""

    id: UUID
    channel: str
    wording: str
    state: str
    held_because: str
    made_at: datetime
    sent_at: datetime | None


def notices_of(viewer: Viewer, case_id: UUID) -> list[NoticeCard]:
    """Return the notices of a case; the caller has decided that the viewer may see the case."""
    found = Notice.objects.filter(case_id=case_id).order_by("made_at", "pk")
    return [
        NoticeCard(n.pk, n.channel, n.wording, n.state, n.held_because, n.made_at, n.sent_at) for n in found
    ]
