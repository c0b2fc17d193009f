"""The outbox."""

import uuid

from django.db import models
from django.db.models import Q


class Notice(models.Model):
    """One message to one person: written in the transaction that causes it, sent afterwards by the clock.

    The text is never stored: only its wording's key and parameters. A contact marked unsafe gets a row with the
    state `held` and is never sent to.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    report = models.ForeignKey("reports.Report", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=8)
    address = models.CharField(max_length=254, blank=True)
    lang = models.CharField(max_length=2)
    wording = models.CharField(max_length=40)
    state = models.CharField(max_length=8, default="waiting")
    held_because = models.CharField(max_length=20, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    receipt = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "sent", "failed", "held"]),
                name="notice_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False), name="notice_sent_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(address=""), name="notice_held_has_no_address"
            ),
            models.UniqueConstraint(
                fields=["report", "wording", "made_at", "channel"], name="notice_once_per_cause"
            ),
        ]
        indexes = [models.Index(fields=["state", "made_at"])]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"
