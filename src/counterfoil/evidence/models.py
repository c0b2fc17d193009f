"""Exhibits with their titles as versions, and statements."""

import uuid

from django.db import models
from django.db.models import Q


class Exhibit(models.Model):
    """Bytes in the vault that may prove something, produced by a named person. Never changed and never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    initials = models.CharField(max_length=4)
    number = models.PositiveSmallIntegerField()
    produced_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    upload = models.OneToOneField(
        "reports.Upload", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    recipe = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=10, default="sealed")
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=80)
    extension = models.CharField(max_length=8)
    original_name = models.CharField(max_length=255)
    received_at = models.DateTimeField()
    taken_at = models.DateTimeField()
    technical = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "initials", "number"], name="exhibit_label_once"),
            models.CheckConstraint(condition=Q(state__in=["sealed", "opened"]), name="exhibit_state_known"),
            models.CheckConstraint(condition=Q(size__gt=0), name="exhibit_not_empty"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True, recipe__isnull=True)
                | Q(parent__isnull=False, recipe__isnull=False),
                name="exhibit_derived_has_recipe",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The exhibit reference, for example `AB/1`."""
        return f"{self.initials}/{self.number}"


class Title(models.Model):
    """One version of what an exhibit is called. An entry names a version by digest, so old events keep old titles."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sha256[:12]


class Statement(models.Model):
    """What a witness said, read, corrected and signed: a fixed text whose digest is in the signature's entry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey("cases.Party", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    taken_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    under_18_age = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField()
    declaration_sha256 = models.CharField(max_length=64)
    read_over_by = models.CharField(max_length=120, blank=True)
    pages = models.PositiveSmallIntegerField()
    signed_name = models.CharField(max_length=120)
    signed_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="statement_number_once"),
            models.CheckConstraint(
                condition=Q(under_18_age__isnull=True) | Q(under_18_age__lt=18),
                name="statement_age_only_under_18",
            ),
        ]

    def __str__(self) -> str:
        return f"statement {self.number}"


class WitnessDetails(models.Model):
    """The back page of a statement: never in a bundle, read only by those working on the case."""

    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="+")
    contact = models.TextField(blank=True)
    dates_to_avoid = models.TextField(blank=True)
    needs = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"details of {self.statement_id}"
