"""Forces, areas (a queue is an area of kind `queue`), postings and registered cameras, bounded in time."""

import uuid

from django.db import models
from django.db.models import F, Q


class Force(models.Model):
    """A police force while it exists. `code` is the two-character PNC code; `successor` names what followed it."""

    code = models.CharField(max_length=2, unique=True)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_cy = models.CharField(max_length=80, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    successor = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="force_ends_after_start",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Area(models.Model):
    """A patch of a force: ground (`neighbourhood`) or work (`queue`). A queue takes in what nobody owns yet."""

    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    takes = models.JSONField(default=list, help_text="Report kinds a queue takes; empty means every kind.")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["force", "slug"], name="area_slug_once_per_force"),
            models.CheckConstraint(condition=Q(kind__in=["neighbourhood", "queue"]), name="area_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name


class Posting(models.Model):
    """An actor posted to an area for a time, as its `member` or as its `duty_inspector`."""

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, default="member")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["member", "duty_inspector"]), name="posting_role_known"
            ),
            models.UniqueConstraint(
                fields=["area", "actor", "role"],
                condition=Q(ends_at__isnull=True),
                name="posting_once_while_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor_id} {self.role}"


class Camera(models.Model):
    """A camera that its owner registered: where it stands, which way it looks, and how long it keeps what it records.

    Positions are degrees times 1e6 (WGS84), `direction` degrees clockwise from north (none: all round or not known),
    `clock_offset` the seconds its clock is ahead of true time as measured by `clock_by` (none: never measured).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="+")
    code_hash = models.CharField(max_length=64, unique=True)
    owner = models.CharField(max_length=120)
    contact = models.JSONField(default=dict)
    place = models.CharField(max_length=300)
    lat_e6 = models.IntegerField(null=True, blank=True)
    lon_e6 = models.IntegerField(null=True, blank=True)
    direction = models.PositiveSmallIntegerField(null=True, blank=True)
    all_round = models.BooleanField(default=False)
    reach_m = models.PositiveSmallIntegerField()
    keeps_days = models.PositiveSmallIntegerField()
    clock_offset = models.IntegerField(null=True, blank=True)
    clock_by = models.CharField(max_length=120, blank=True)
    clock_at = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lat_e6__isnull=True, lon_e6__isnull=True)
                | Q(lat_e6__isnull=False, lon_e6__isnull=False),
                name="camera_position_whole",
            ),
            models.CheckConstraint(
                condition=Q(direction__isnull=True) | Q(direction__lt=360), name="camera_direction_in_circle"
            ),
            models.CheckConstraint(condition=Q(keeps_days__gt=0), name="camera_keeps_something"),
            models.CheckConstraint(
                condition=Q(clock_offset__isnull=True) | ~Q(clock_by="") & Q(clock_at__isnull=False),
                name="camera_offset_measured_by",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
