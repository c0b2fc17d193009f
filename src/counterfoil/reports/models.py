"""Drafts, reports, their uploads in quarantine, and what the sender may see of them."""

import uuid

from django.db import models
from django.db.models import Q


class Draft(models.Model):
    """Answers not yet sent, kept on the server. Found by the session or by a return code, both stored as hashes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session_hash = models.CharField(max_length=64, blank=True, db_index=True)
    code_hash = models.CharField(max_length=64, null=True, unique=True)
    kind = models.CharField(max_length=60)
    lang = models.CharField(max_length=2, default="en")
    answers = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    touched_at = models.DateTimeField(db_index=True)
    sent_as = models.OneToOneField(
        "reports.Report", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return str(self.pk)


class Report(models.Model):
    """What somebody told us, unaltered. Only `contact` may change, and only by an officer's act."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=40, unique=True)
    passphrase_hash = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    kind_from = models.CharField(max_length=10)
    lang = models.CharField(max_length=2)
    force = models.ForeignKey("places.Force", on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField()
    contact = models.JSONField(default=dict)
    device_safe = models.BooleanField()
    content_sha256 = models.CharField(max_length=64)
    receipt = models.TextField()
    reported_at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(receipt=""), name="report_has_receipt")]

    def __str__(self) -> str:
        return str(self.pk)


class Upload(models.Model):
    """A file as it was sent, in quarantine. `name` is data from outside; the stored name is the digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    report = models.ForeignKey(Report, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=80)
    extension = models.CharField(max_length=8)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    received_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_not_empty"),
            models.CheckConstraint(
                condition=Q(report__isnull=True) | Q(removed_at__isnull=True), name="upload_sent_is_kept"
            ),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Progress(models.Model):
    """One thing the sender may know: what happened, what is next, by when we aim to, and whether they saw it.

    `what` and `next` are keys of the wording in `reference/wording.toml`, so the page reads in either language.
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    what = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    next = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["report", "at"])]

    def __str__(self) -> str:
        return self.what
