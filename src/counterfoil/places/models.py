"""Forces, areas (a queue is an area of kind `queue`) and postings, bounded in time."""

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
