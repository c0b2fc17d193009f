"""Audit samples: what was to be drawn, what was drawn, and how each item was marked."""

import uuid

from django.db import models
from django.db.models import Q


class Sample(models.Model):
    """Reports of a period to be looked at again. Announced with its frame first; drawn when the log has spoken since.

    The frame lies as a file under the tables, by its digest. `note` is the log's signed statement it was drawn under.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    force = models.ForeignKey("places.Force", on_delete=models.PROTECT, related_name="+")
    first = models.DateField()
    last = models.DateField()
    size = models.PositiveIntegerField()
    frame_sha256 = models.CharField(max_length=64)
    announced_at = models.DateTimeField()
    announced_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    drawn_sha256 = models.CharField(max_length=64, blank=True)
    drawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["force", "first", "last"], name="sample_once_per_period"),
            models.CheckConstraint(condition=Q(first__lte=models.F("last")), name="sample_period"),
            models.CheckConstraint(
                condition=Q(drawn_at__isnull=True, note="", drawn_sha256="")
                | (Q(drawn_at__isnull=False) & ~Q(note="") & ~Q(drawn_sha256="")),
                name="sample_drawn_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"sample {self.first} to {self.last}"


class SampleItem(models.Model):
    """One report of a sample, with what was true of it when the sample was announced."""

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="items")
    number = models.PositiveIntegerField()
    report = models.ForeignKey("reports.Report", on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    stratum = models.CharField(max_length=80)
    recorded = models.BooleanField()
    in_time = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sample", "number"], name="sample_item_number"),
            models.UniqueConstraint(fields=["sample", "report"], name="sample_item_once"),
        ]

    def __str__(self) -> str:
        return f"item {self.number}"


class Mark(models.Model):
    """What somebody found on looking at an item again. Never changed: another person marks it when two disagree."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(SampleItem, on_delete=models.PROTECT, related_name="marks")
    by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    crime = models.BooleanField()
    right_class = models.BooleanField(null=True)
    reason_sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "by"], name="mark_once_each")]

    def __str__(self) -> str:
        return f"mark of item {self.item_id}"
