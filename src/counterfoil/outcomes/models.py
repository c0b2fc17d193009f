"""Outcomes."""

import uuid

from django.db import models
from django.db.models import Q


class Outcome(models.Model):
    """The outcome assigned to a case, with the reason kept. A later outcome supersedes it and both stay."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    type = models.PositiveSmallIntegerField()
    type_from = models.CharField(max_length=10)
    charge = models.ForeignKey(
        "courts.Charge", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason_sha256 = models.CharField(max_length=64)
    decided_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(type__gte=1, type__lte=22), name="outcome_type_1_to_22"),
            models.CheckConstraint(
                condition=~Q(type=1) | Q(charge__isnull=False), name="outcome_charged_names_charge"
            ),
        ]

    def __str__(self) -> str:
        return f"outcome {self.type}"
