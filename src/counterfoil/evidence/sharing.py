"""Share an exhibit with one named person outside: a viewing copy marked with their name, a link, a code, a time.

The copy is made in the sandbox: points and sound only, the recipient's name drawn into every picture, or a code heard
in a sound without pictures. The original never leaves this way. Who opened it and when is in the log; whoever shared
it can end it.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from counterfoil.accounts import passes
from counterfoil.accounts.passes import Issued
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import lock_case
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.evidence import recipes, rules
from counterfoil.evidence.models import Exhibit, Share, Title
from counterfoil.evidence.restricting import forget_bytes
from counterfoil.ledger.actions import record
from counterfoil.plugs.stores import vault

log = logging.getLogger(__name__)
TASK = "counterfoil.engines.watermark:mark"
USES = 5
RECIPIENT = Viewer(id="recipient", name="A named recipient, by code")


@dataclass(frozen=True)
class ShareCard:
    """A share as plain values: never its link or code."""

    id: UUID
    exhibit: UUID
    case: UUID
    label: str
    title: str
    recipient: str
    organisation: str
    purpose: str
    state: str
    said: str
    mark: str
    media_type: str
    extension: str
    size: int
    made_by: str
    made_by_id: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    ended_at: datetime | None


def share(
    case_id: UUID, exhibit_id: UUID, recipient: str, organisation: str, purpose: str, *, by: Viewer
) -> Issued:
    """Share an exhibit with a named person; return the link and the code, which are shown once.

    The marked copy is made in the background; until it is ready the page says so. Refused for what is restricted,
    returned or destroyed, and for types that cannot be marked.
    """
    needs(by, "officer", "share an exhibit")
    name, house, aim = (" ".join(t.split()) for t in (recipient, organisation, purpose))
    if not 3 <= len(name) <= 120 or "\x00" in name:
        raise BadInput("recipient", "Give the name of the person it is shared with.")
    if len(house) > 120:
        raise BadInput("organisation", "Give the organisation in 120 letters or fewer.")
    if not 3 <= len(aim) <= 200:
        raise BadInput("purpose", "Say what it is shared for, for example: to recognise the person shown.")
    with transaction.atomic():
        if not cases.why(by, case_id).allowed:
            raise NotAllowed("You have no part in this case, so you cannot change it.")
        lock_case(case_id)
        exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
        if exhibit is None:
            raise NotAllowed("There is no such exhibit on this case.")
        rules.CUSTODY.after(exhibit.state, "share")
        if not rules.may_derive(exhibit):
            raise NotAllowed("This exhibit is restricted: nothing is made of it, and nobody sees a copy.")
        if not rules.may_be_marked(exhibit.media_type):
            raise NotAllowed(rules.CANNOT_BE_MARKED)
        issued = passes.issue(uses=USES)
        made = Share.objects.create(
            id=uuid4(),
            exhibit=exhibit,
            access_id=issued.id,
            recipient=name,
            organisation=house,
            purpose=aim,
            made_by_id=by.id,
            made_at=timezone.now(),
        )
        record(
            "exhibit.shared",
            by=by,
            on=("exhibit", exhibit.pk),
            thread=case_id,
            share=str(made.pk),
            recipient_sha256=hashlib.sha256(f"{made.pk}\x00{name}".encode()).hexdigest(),
            purpose_sha256=hashlib.sha256(f"{made.pk}\x00{aim}".encode()).hexdigest(),
            expires=issued.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        make.enqueue(str(made.pk))
    return issued


@task()
def make(share_id: str) -> None:
    """Make the marked copy of one share, in the work process."""
    make_copy(UUID(share_id))


def make_copy(share_id: UUID) -> None:
    """Make the copy that a recipient sees, marked with their name and the time. Idempotent; safe to run again."""
    row = Share.objects.select_related("exhibit", "made_by").get(pk=share_id)
    if row.state != "waiting" or not rules.may_derive(row.exhibit):
        return
    words = {
        "name": f"{row.recipient}, {row.organisation}" if row.organisation else row.recipient,
        "time": f"{timezone.localtime(row.made_at):%d %b %Y %H:%M}",
        "media_type": row.exhibit.media_type,
    }
    try:
        with recipes.master(row.exhibit.sha256) as path:
            made = recipes.carry_out(path, row.exhibit.sha256, TASK, words)
    except Refusal as refusal:
        Share.objects.filter(pk=share_id, state="waiting").update(
            state="refused", said=recipes.refusal_sentence(refusal)[:300]
        )
        return
    except Exception:
        log.exception("share %s has no copy", share_id)
        Share.objects.filter(pk=share_id, state="waiting").update(
            state="refused", said="Something went wrong while the copy was made, and it was noted."
        )
        return
    with transaction.atomic():
        exhibit = Exhibit.objects.select_for_update().get(pk=row.exhibit_id)
        kept = rules.may_derive(exhibit) and Share.objects.filter(pk=share_id, state="waiting").update(
            state="ready",
            sha256=made.stored.sha256,
            size=made.stored.size,
            media_type=made.media_type,
            extension=made.extension,
            recipe=made.recipe,
        )
        if kept:
            record(
                "exhibit.prepared",
                by=Viewer.clock(),
                on=("exhibit", exhibit.pk),
                thread=exhibit.case_id,
                copy="share",
                share=str(share_id),
                copy_sha256=made.stored.sha256,
                recipe_sha256=recipes.digest(made.recipe),
            )
    if not kept:
        forget_bytes([made.stored.sha256])


@transaction.atomic
def end_share(case_id: UUID, share_id: UUID, *, by: Viewer) -> None:
    """End a share before its time: the link and whatever is open of it show nothing any more."""
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    lock_case(case_id)
    row = Share.objects.filter(pk=share_id, exhibit__case_id=case_id).first()
    if row is None or not passes.end(row.access_id):
        raise NotAllowed("There is no such open share on this case.")
    record("share.ended", by=by, on=("exhibit", row.exhibit_id), thread=case_id, share=str(row.pk))


def note_opened(pass_id: UUID) -> None:
    """Record that a share was opened with its code, in the transaction that uses the code."""
    row = Share.objects.select_related("exhibit").get(access_id=pass_id)
    record(
        "exhibit.opened",
        by=RECIPIENT,
        on=("exhibit", row.exhibit_id),
        thread=row.exhibit.case_id,
        share=str(row.pk),
    )


def shared(pass_id: UUID) -> ShareCard | None:
    """Return what an opened pass shares, while it is open and the exhibit may still be seen; None otherwise."""
    row = Share.objects.select_related("exhibit", "made_by", "access").filter(access_id=pass_id).first()
    if row is None or not passes.is_open(pass_id) or not rules.may_derive(row.exhibit):
        return None
    return _card(row)


def view_shared(pass_id: UUID) -> tuple[ShareCard, BinaryIO] | None:
    """Record that a recipient looks at the marked copy, commit, then return its bytes; None when not open or ready."""
    card = shared(pass_id)
    if card is None or card.state != "ready":
        return None
    sha256 = Share.objects.values_list("sha256", flat=True).get(pk=card.id)
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        record(
            "exhibit.viewed",
            by=RECIPIENT,
            on=("exhibit", card.exhibit),
            thread=card.case,
            share=str(card.id),
            copies=[sha256],
        )
    return card, vault().open(sha256)


def shares_of(viewer: Viewer, exhibit_id: UUID) -> list[ShareCard]:
    """Return the shares of an exhibit, newest first; the caller has decided that the viewer may see it."""
    found = Share.objects.filter(exhibit_id=exhibit_id).select_related("exhibit", "made_by", "access")
    return [_card(s) for s in found.order_by("-made_at")]


def _card(s: Share) -> ShareCard:
    title = Title.objects.filter(exhibit_id=s.exhibit_id).order_by("at", "pk").values_list("text", flat=True)
    return ShareCard(
        id=s.pk,
        exhibit=s.exhibit_id,
        case=s.exhibit.case_id,
        label=s.exhibit.label,
        title=title.last() or "",
        recipient=s.recipient,
        organisation=s.organisation,
        purpose=s.purpose,
        state=s.state,
        said=s.said,
        mark=str((s.recipe or {}).get("facts", {}).get("mark", "")),
        media_type=s.media_type,
        extension=s.extension,
        size=s.size or 0,
        made_by=s.made_by.name,
        made_by_id=str(s.made_by_id),
        made_at=s.made_at,
        expires_at=s.access.expires_at,
        used_at=s.access.used_at,
        ended_at=s.access.ended_at,
    )
