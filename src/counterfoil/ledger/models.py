"""Entries, checkpoints, their timestamps, and kept replies."""

import uuid

from django.db import models
from django.db.models import Q


class Entry(models.Model):
    """One line: who did what to which thing, when. `body` holds identifiers and digests, never names or free text.

    An entry whose content is gone (erased, or lost in a restore) has neither salt nor body nor actor; `gone_by` is the
    commitment of the entry that says so. Its own commitment and index stay, so every other proof does.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(max_length=60, db_index=True)
    by = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.CharField(max_length=80)
    thread = models.UUIDField(null=True, db_index=True)
    at = models.DateTimeField(db_index=True)
    body = models.JSONField()
    salt = models.BinaryField(max_length=32)
    commitment = models.BinaryField(max_length=32, unique=True)
    index = models.BigIntegerField(null=True, unique=True)
    gone_by = models.BinaryField(max_length=32, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject_kind", "subject_id"]),
            models.Index(fields=["at"], condition=Q(index__isnull=True), name="entry_waiting"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(index__isnull=True) | Q(index__gte=0), name="entry_index_natural"
            ),
            models.CheckConstraint(
                condition=Q(gone_by__isnull=True) | Q(salt=b"", by="", index__isnull=False),
                name="entry_gone_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.subject_kind}:{self.subject_id}"


class Checkpoint(models.Model):
    """A signed statement of the log's size and root, with the right edge of the tree it was computed from.

    `cosigned` is the note with every cosignature so far; `lacking` names the witnesses and authorities that were asked
    and have not given theirs (`witness:north`, `timestamper:first`, `timestamper:agreement`).
    """

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    frontier = models.TextField()
    note = models.TextField()
    at = models.DateTimeField()
    cosigned = models.TextField(blank=True)
    lacking = models.TextField(blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(size__gte=1), name="checkpoint_not_empty")]

    def __str__(self) -> str:
        return f"size {self.size}"


class Stamp(models.Model):
    """One authority's whole reply over a digest: of a checkpoint's note, or (a renewal) of the reply before it.

    `at` is the authority's time, `expires` the end of its certificate; `chain` its certificates and lists as PEM.
    """

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="stamps")
    name = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    tsr = models.BinaryField()
    at = models.DateTimeField()
    expires = models.DateTimeField(db_index=True)
    chain = models.TextField()
    renews = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="renewed")

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"


class Reply(models.Model):
    """The answer given to an idempotency key, stored in the transaction of the act itself."""

    scope = models.CharField(max_length=60)
    key = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    answer = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="reply_once")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key[:8]}"
