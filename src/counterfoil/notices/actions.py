"""Every way to change notices: queue one in the causing transaction, send what waits."""

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.ledger.actions import record
from counterfoil.notices import rules
from counterfoil.notices.models import Notice
from counterfoil.plugs.notifier import notifier
from counterfoil.reports import queries as reports

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
LONGEST = 15.0


@transaction.atomic
def queue_notice(case_id: UUID, report_id: UUID, wording: str, *, by: Viewer) -> str:
    """Queue a neutral message to a sender, or hold it when no safe channel was given; return its state."""
    card = reports.report_card(report_id)
    channel, address, held = rules.channel_for(card.contact, device_safe=card.device_safe)
    notice = Notice.objects.create(
        case_id=case_id,
        report_id=report_id,
        channel=channel,
        address=address,
        lang=card.lang,
        wording=wording,
        state="held" if held else "waiting",
        held_because=held,
        made_at=timezone.now(),
    )
    record(
        "notice.held" if held else "notice.queued",
        by=by,
        on=("notice", notice.pk),
        thread=case_id,
        wording=wording,
        channel=channel,
        because=held,
    )
    return notice.state


def send_waiting(limit: int = 50) -> int:
    """Send what waits and return how many were taken by the carrier.

    Stops at the first that is not taken, and after `LONGEST`: a carrier that hangs must not keep the clock from what
    protects people. The others are sent the next time, this one when its lease has ended.

    Each message is leased in one transaction, sent outside any, and marked in another. A crash between sending and
    marking may send it once more, with the same key; it never goes unsent.
    """
    sent, until = 0, time.monotonic() + LONGEST
    for _ in range(limit):
        if time.monotonic() > until:
            return sent
        now = timezone.now()
        with transaction.atomic():
            due = Notice.objects.filter(Q(state="waiting") | Q(state="sending", leased_until__lt=now))
            if connection.vendor == "postgresql":
                due = due.select_for_update(skip_locked=True)
            notice = due.order_by("made_at").first()
            if notice is None:
                return sent
            notice.state, notice.attempts, notice.leased_until = "sending", notice.attempts + 1, now + LEASE
            notice.save(update_fields=["state", "attempts", "leased_until"])
        if not _send(notice):
            return sent
        sent += 1
    return sent


def _send(notice: Notice) -> int:
    lang = notice.lang if notice.lang in rules.TEXT else "en"
    link = f"{settings.ORIGIN}/{'cy/' if lang == 'cy' else ''}track"
    try:
        receipt = notifier().send(
            notice.address, rules.SUBJECT[lang], rules.TEXT[lang].format(link=link), str(notice.pk)
        )
    except Exception as e:  # a carrier may fail in any way; the notice must not be lost
        log.warning("notice %s was not taken by the carrier: %s", notice.pk, type(e).__name__)
        gone = notice.attempts >= rules.MOST_ATTEMPTS
        with transaction.atomic():
            Notice.objects.filter(pk=notice.pk).update(
                state="failed" if gone else "sending",
                leased_until=timezone.now() + timedelta(minutes=2**notice.attempts),
            )
            if gone:
                record("notice.failed", by=Viewer.clock(), on=("notice", notice.pk), thread=notice.case_id)
        return 0
    with transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(
            state="sent", sent_at=timezone.now(), receipt=receipt[:120], leased_until=None
        )
        record("notice.sent", by=Viewer.clock(), on=("notice", notice.pk), thread=notice.case_id)
    return 1
