"""Appeals, drafts, reports, their uploads in quarantine, and what the sender may see of them."""

import uuid

from django.db import models
from django.db.models import F, Q


class Appeal(models.Model):
    """What an officer asks the public for: recordings or memories of one place and time. Says nothing of the case.

    Positions are degrees times 1e6 (WGS84). `code` is in the link and the QR code; it opens only the public page.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=16, unique=True)
    force = models.ForeignKey("places.Force", on_delete=models.PROTECT, related_name="+")
    place = models.CharField(max_length=200)
    lat_e6 = models.IntegerField()
    lon_e6 = models.IntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    wanted = models.TextField()
    wanted_cy = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appeal_ends_after_start"),
            models.CheckConstraint(condition=Q(closes_at__gt=F("opened_at")), name="appeal_closes_later"),
        ]

    def __str__(self) -> str:
        return self.code


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
    appeal = models.ForeignKey(Appeal, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
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
    appeal = models.ForeignKey(Appeal, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
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
    # What an officer's file was sent for, like `case:<id>`; empty for the public's, which have a draft or a report.
    owner = models.CharField(max_length=60, blank=True, default="", db_index=True)
    sent_by = models.CharField(max_length=40, blank=True, default="")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=80)
    extension = models.CharField(max_length=8)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    received_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    # When its bytes were destroyed under an order, with the exhibit it became; the row and its digest stay.
    destroyed_at = models.DateTimeField(null=True, blank=True)
    # Who says that it may hold an image nobody but an examiner may look at: `reporter` or `hash-list`.
    restricted = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(restricted__in=["", "reporter", "hash-list"]), name="upload_restricted_known"
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_not_empty"),
            models.CheckConstraint(
                condition=Q(report__isnull=True) | Q(removed_at__isnull=True), name="upload_sent_is_kept"
            ),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Screening(models.Model):
    """What the scanner and the hash list say of some bytes, by their digest, wherever they are kept.

    `lists` names the edition of the hash list that was asked ("" when none is configured); `says` is the scanner's
    or the list's own word. A mark never removes anything.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    md5 = models.CharField(max_length=32, blank=True)
    size = models.BigIntegerField()
    lists = models.CharField(max_length=64, blank=True)
    listed = models.CharField(max_length=80, blank=True)
    scan = models.CharField(max_length=10, default="waiting", db_index=True)
    scanner = models.CharField(max_length=120, blank=True)
    says = models.CharField(max_length=120, blank=True)
    scanned_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(scan__in=["waiting", "none", "clean", "flagged", "unscanned"]),
                name="screening_scan_known",
            ),
            models.CheckConstraint(
                condition=~Q(scan="flagged") | ~Q(says=""), name="screening_flag_says_what"
            ),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Partial(models.Model):
    """A file of which not every byte is here yet. Its bytes and how far they got are with `engines.tus`, by this id.

    `owner` is `draft:<id>` or `case:<id>`; `metadata` is what its sender's client said of it, given back as it came.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=60, db_index=True)
    sent_by = models.CharField(max_length=40)
    name = models.CharField(max_length=255)
    metadata = models.TextField(blank=True)
    length = models.BigIntegerField(null=True, blank=True)
    part = models.BooleanField(default=False)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


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
