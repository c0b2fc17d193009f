"""Charging decisions, bundles, a prosecutor's marks on schedules, and releases."""

import uuid

from django.db import models
from django.db.models import Q


class Charge(models.Model):
    """A charging decision on a suspect: who decided what, when, in which words."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey("cases.Party", on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=12)
    decided_by = models.CharField(max_length=12)
    decider = models.CharField(max_length=120)
    decided_at = models.DateTimeField()
    offence_code = models.CharField(max_length=10, blank=True)
    wording = models.TextField(blank=True)
    reason_sha256 = models.CharField(max_length=64)
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decision__in=["charge", "no_charge"]), name="charge_decision_known"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__in=["prosecutor", "police"]), name="charge_decider_known"
            ),
            models.CheckConstraint(
                condition=~Q(decision="charge") | (~Q(offence_code="") & ~Q(wording="")),
                name="charge_has_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} {self.offence_code}"


class Bundle(models.Model):
    """A sealed bundle in the vault: what was shown, fixed by one digest and one place in the log.

    The prosecutor's holds both schedules of what is not used; the defence's (`source` says beside which) knows of the
    sensitive one nothing at all. `holds` are the items inside, `served` the issues of MG6C as the defence numbers them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    audience = models.CharField(max_length=10, default="prosecutor")
    source = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    mg6c = models.ForeignKey(
        "evidence.Schedule", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    mg6d = models.ForeignKey(
        "evidence.Schedule", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    holds = models.JSONField(default=list)
    served = models.JSONField(default=list)
    number = models.PositiveSmallIntegerField()
    urn = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    state = models.CharField(max_length=10, default="building")
    stage = models.CharField(max_length=120, blank=True)
    error = models.CharField(max_length=300, blank=True)
    payload_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    verdict = models.CharField(max_length=24, blank=True)
    proved = models.JSONField(default=list)
    not_proved = models.JSONField(default=list)
    stage_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    built_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "audience", "number"], name="bundle_number_once"),
            models.CheckConstraint(
                condition=Q(audience="prosecutor", source__isnull=True)
                | Q(audience="defence", source__isnull=False, mg6d__isnull=True),
                name="bundle_defence_without_mg6d",
            ),
            models.CheckConstraint(
                condition=Q(audience="defence") | Q(mg6c__isnull=True) | Q(mg6d__isnull=False),
                name="bundle_mg6c_with_mg6d",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["building", "built", "failed"]), name="bundle_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="built") | (~Q(sha256="") & Q(size__isnull=False, built_at__isnull=False)),
                name="bundle_built_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Mark(models.Model):
    """A prosecutor's decision on one line of a schedule: disclose, not, inspect; is it sensitive. The last counts."""

    schedule = models.ForeignKey("evidence.Schedule", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=50)
    mark = models.CharField(max_length=8)
    comment = models.CharField(max_length=400, blank=True)
    by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(mark__in=["D", "ND", "Inspect", "Y", "N"]), name="mark_known")
        ]

    def __str__(self) -> str:
        return f"{self.mark} on {self.key}"


class Release(models.Model):
    """A bundle made available to one named recipient: sent to a prosecutor, or released by one to the defence."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12)
    prosecutor = models.ForeignKey(
        "accounts.Actor", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recipient = models.CharField(max_length=120)
    firm = models.CharField(max_length=120, blank=True)
    purpose = models.CharField(max_length=200, blank=True)
    access = models.OneToOneField(
        "accounts.Pass", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["prosecutor", "defence"]), name="release_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="prosecutor", prosecutor__isnull=False, access__isnull=True)
                | Q(kind="defence", prosecutor__isnull=True, access__isnull=False),
                name="release_defence_needs_code",
            ),
            models.UniqueConstraint(
                fields=["bundle", "prosecutor"],
                condition=Q(prosecutor__isnull=False),
                name="release_prosecutor_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} release"
