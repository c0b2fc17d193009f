"""Exhibits with their titles as versions, statements, and the schedules that list what is not used."""

import uuid

from django.db import models
from django.db.models import F, Q


class Material(models.Model):
    """What is decided about an item of material: its state, its line on a schedule, and why."""

    material = models.CharField(max_length=12, default="undecided")
    description = models.CharField(max_length=300, blank=True)
    location = models.CharField(max_length=120, blank=True)
    reason_sha256 = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(default=list)
    decided_by = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(material="undecided", decided_at__isnull=True, decided_by="")
                | Q(material__in=["used", "unused", "sensitive", "not_relevant"], decided_at__isnull=False)
                & ~Q(decided_by=""),
                name="%(class)s_material_known",
            ),
            models.CheckConstraint(
                condition=~Q(material__in=["sensitive", "not_relevant"]) | ~Q(reason_sha256=""),
                name="%(class)s_material_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(material__in=["unused", "sensitive"]) | (~Q(description="") & ~Q(location="")),
                name="%(class)s_material_described",
            ),
        ]


class Exhibit(Material):
    """Bytes in the vault that may prove something, produced by a named person. The record stays for good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    initials = models.CharField(max_length=4)
    number = models.PositiveIntegerField()
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
    # Who says that it may hold an image nobody but an examiner may look at. Nothing is ever derived from it then.
    restricted = models.CharField(max_length=10, blank=True, default="")
    returned_to = models.CharField(max_length=120, blank=True)

    class Meta(Material.Meta):
        abstract = False
        constraints = [
            *Material.Meta.constraints,
            models.UniqueConstraint(fields=["case", "initials", "number"], name="exhibit_label_once"),
            models.CheckConstraint(
                condition=Q(restricted__in=["", "officer", "reporter", "hash-list"]),
                name="exhibit_restricted_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["sealed", "returned", "destroyed"]), name="exhibit_state_known"
            ),
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


class Statement(Material):
    """What a witness said, read, corrected and signed: a fixed text whose digest is in the signature's entry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey("cases.Party", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    taken_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    under_18_age = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField()
    declaration_sha256 = models.CharField(max_length=64)
    read_over_by = models.CharField(max_length=120, blank=True)
    pages = models.PositiveSmallIntegerField()
    signed_name = models.CharField(max_length=120)
    signed_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    class Meta(Material.Meta):
        abstract = False
        constraints = [
            *Material.Meta.constraints,
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


class Schedule(models.Model):
    """One signed issue of a form: MG6C lists what is unused and not sensitive, MG6D what is sensitive. Never changed.

    `lines` is the whole issue as it was signed; its digest is in the signature's entry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    form = models.CharField(max_length=4)
    issue = models.PositiveIntegerField()
    lines = models.JSONField(default=list)
    nil = models.BooleanField(default=False)
    signed_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    signed_name = models.CharField(max_length=120)
    signed_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "form", "issue"], name="schedule_issue_once"),
            models.CheckConstraint(condition=Q(form__in=["MG6C", "MG6D"]), name="schedule_form_known"),
        ]

    def __str__(self) -> str:
        return f"{self.form} issue {self.issue}"


class Copy(models.Model):
    """A working copy to look at: not an exhibit, made from one by a recipe, and made again from it at any time."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10)
    number = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, default="waiting")
    done = models.PositiveSmallIntegerField(default=0)
    said = models.CharField(max_length=500, blank=True)
    touched_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    size = models.BigIntegerField(default=0)
    media_type = models.CharField(max_length=80, blank=True)
    extension = models.CharField(max_length=8, blank=True)
    recipe = models.JSONField(null=True, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exhibit", "kind", "number"], name="copy_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["poster", "thumbs", "waveform", "proxy", "page", "text"]),
                name="copy_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(state="made", size__gt=0, recipe__isnull=False, made_at__isnull=False)
                & ~Q(sha256="")
                | Q(state__in=["waiting", "making", "refused"], sha256="", size=0, made_at__isnull=True),
                name="copy_made_has_bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class ClockCheck(models.Model):
    """What a recorder's clock showed and how far it was off, as somebody measured it. Never changed, only added to.

    `device_time` is what the recorder shows at the first frame, as text without a zone; `offset_ms` how far its clock
    was ahead of true time (less than nothing when behind). Neither is computed from the other.
    """

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    device_time = models.CharField(max_length=19)
    offset_ms = models.BigIntegerField(null=True, blank=True)
    measured_by = models.CharField(max_length=120, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)
    against = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(offset_ms__isnull=True, measured_by="", measured_at__isnull=True, against="")
                | (
                    Q(offset_ms__isnull=False, measured_at__isnull=False)
                    & ~Q(measured_by="")
                    & ~Q(against="")
                ),
                name="clock_offset_was_measured",
            )
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Redaction(models.Model):
    """The work on one redaction of an exhibit: what was found, what a person decided, and what came of it.

    `found` is what looking at the exhibit gave (frames, tracks of faces, loudness); `work` what people decided, with
    reasons. The pictures of every frame lie in the vault under `sheets_sha256`. The result is a derived exhibit.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8)
    state = models.CharField(max_length=10, default="preparing")
    stage = models.CharField(max_length=120, blank=True)
    error = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    stage_at = models.DateTimeField(null=True, blank=True)
    sheets_sha256 = models.CharField(max_length=64, blank=True)
    sheets_size = models.BigIntegerField(default=0)
    found = models.JSONField(default=dict)
    work = models.JSONField(default=dict)
    sittings = models.JSONField(default=dict)
    title = models.CharField(max_length=200, blank=True)
    plan_sha256 = models.CharField(max_length=64, blank=True)
    reviewed_by = models.CharField(max_length=40, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    result = models.ForeignKey(Exhibit, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["preparing", "reviewing", "making", "made", "failed"]),
                name="redaction_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["making", "made"])
                | (Q(reviewed_at__isnull=False) & ~Q(reviewed_by="") & ~Q(plan_sha256="")),
                name="redaction_made_only_when_reviewed",
            ),
            models.CheckConstraint(
                condition=Q(state="made", result__isnull=False) | (~Q(state="made") & Q(result__isnull=True)),
                name="redaction_made_has_result",
            ),
        ]

    def __str__(self) -> str:
        return f"redaction of {self.exhibit_id}"


class Extract(models.Model):
    """A still or clip that was asked for: made in the background by a recipe, and kept as a derived exhibit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=5)
    settings = models.JSONField(default=dict)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=8, default="waiting")
    done = models.PositiveSmallIntegerField(default=0)
    said = models.CharField(max_length=500, blank=True)
    asked_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    result = models.ForeignKey(Exhibit, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["still", "clip"]), name="extract_kind_known"),
            models.CheckConstraint(
                condition=Q(state="made", result__isnull=False)
                | Q(state__in=["waiting", "making", "refused"], result__isnull=True),
                name="extract_made_has_result",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.exhibit_id}"


class Share(models.Model):
    """An exhibit's viewing copy given to one named person outside, for a purpose and a time, marked with their name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    access = models.OneToOneField("accounts.Pass", on_delete=models.PROTECT, related_name="+")
    recipient = models.CharField(max_length=120)
    organisation = models.CharField(max_length=120, blank=True)
    purpose = models.CharField(max_length=200)
    state = models.CharField(max_length=8, default="waiting")
    said = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    media_type = models.CharField(max_length=80, blank=True)
    extension = models.CharField(max_length=8, blank=True)
    recipe = models.JSONField(null=True, blank=True)
    made_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "ready", "refused", "gone"]), name="share_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | (~Q(sha256="") & Q(size__gt=0, recipe__isnull=False)),
                name="share_ready_has_copy",
            ),
        ]

    def __str__(self) -> str:
        return f"share of {self.exhibit_id}"


class Wish(models.Model):
    """A wish about an exhibit under a rule, by one person, that a second person grants or refuses."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=40)
    reason_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, default="asked")
    asked_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        "accounts.Actor", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(state="asked", decided_by__isnull=True, decided_at__isnull=True)
                | Q(state__in=["done", "refused"], decided_by__isnull=False, decided_at__isnull=False),
                name="%(class)s_state_known",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="%(class)s_by_two_people",
            ),
        ]


class Destruction(Wish):
    """A wish to destroy an exhibit under a rule and an order, by one officer, decided by a second person."""

    order = models.CharField(max_length=60)

    class Meta(Wish.Meta):
        constraints = [
            *Wish.Meta.constraints,
            models.UniqueConstraint(
                fields=["exhibit"], condition=Q(state__in=["asked", "done"]), name="destruction_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.order}"


class Erasure(Wish):
    """A wish to erase what entries of an exhibit's custody say, under a rule, decided by a second person."""

    entries = models.JSONField(default=list)

    class Meta(Wish.Meta):
        constraints = [
            *Wish.Meta.constraints,
            models.UniqueConstraint(fields=["exhibit"], condition=Q(state="asked"), name="erasure_one_wish"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.rule}"
