"""Duties and their climbs."""

import uuid

from django.db import models
from django.db.models import Q


class Duty(models.Model):
    """What someone must do on a case by a time. It is live until it is done or its case ends it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    about = models.CharField(
        max_length=60, blank=True, help_text="What it is about besides the case: camera:<id>."
    )
    holder = models.ForeignKey(
        "accounts.Actor", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    queue = models.ForeignKey(
        "places.Area", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=8, default="live")
    given_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    missed_at = models.DateTimeField(null=True, blank=True)
    rung = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["live", "done", "ended"]), name="duty_state_known"),
            models.CheckConstraint(
                condition=Q(holder__isnull=False, queue__isnull=True)
                | Q(holder__isnull=True, queue__isnull=False),
                name="duty_has_one_holder",
            ),
            models.CheckConstraint(
                condition=Q(state="live", ended_at__isnull=True)
                | (~Q(state="live") & Q(ended_at__isnull=False)),
                name="duty_ended_has_time",
            ),
            models.UniqueConstraint(
                fields=["case", "kind", "about"], condition=Q(state="live"), name="duty_live_once_per_kind"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class Climb(models.Model):
    """A missed duty reached a rung: who heard of it. No actor means that nobody could be found, which is said."""

    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="+")
    rung = models.PositiveSmallIntegerField()
    to = models.CharField(max_length=20)
    actor = models.ForeignKey(
        "accounts.Actor", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["duty", "rung", "actor"], name="climb_once")]

    def __str__(self) -> str:
        return f"rung {self.rung}"
