"""People, and reversible links between those thought to be the same."""

import uuid

from django.db import models
from django.db.models import F, Q


class Person(models.Model):
    """An identity as somebody gave it. Two rows may be one human being: see SameAs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    born_on = models.DateField(null=True, blank=True)
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class SameAs(models.Model):
    """Two people linked as the same, with who said so; undone by an end time, never by deleting."""

    one = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    by = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(one=F("other")), name="same_as_two_people"),
            models.UniqueConstraint(
                fields=["one", "other"], condition=Q(ends_at__isnull=True), name="same_as_once_while_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.one_id} = {self.other_id}"
