"""Outcomes."""

import uuid

from django.db import models
from django.db.models import Q

# Types 1 to 22; 1A, 2A and 3A are the same outcome for an alternate offence. There is no type 0.
TYPES = [*(str(n) for n in range(1, 23)), "1A", "2A", "3A"]


class Outcome(models.Model):
    """The outcome assigned to a case, with the reason kept. A later outcome supersedes it and both stay."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=3)
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
            models.CheckConstraint(condition=Q(type__in=TYPES), name="outcome_type_1_to_22"),
            models.CheckConstraint(
                condition=~Q(type__in=["1", "1A"]) | Q(charge__isnull=False),
                name="outcome_charged_names_charge",
            ),
        ]

    def __str__(self) -> str:
        return f"outcome {self.type}"
