"""Cases, parties and the identifiers other systems gave them."""

import uuid

from django.db import models
from django.db.models import Q

from counterfoil.cases.rules import CRIME_NUMBER_LENGTH


class Case(models.Model):
    """A file with one owner at any time: an actor, or a queue (an area of kind `queue`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField()
    year = models.PositiveSmallIntegerField()
    force = models.ForeignKey("places.Force", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=60)
    owner_actor = models.ForeignKey(
        "accounts.Actor", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    owner_queue = models.ForeignKey(
        "places.Area", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    system_of_record = models.CharField(max_length=4, default="ours")
    state = models.CharField(max_length=12, default="open")
    grade = models.CharField(max_length=12, blank=True)
    crime_number = models.CharField(max_length=CRIME_NUMBER_LENGTH, blank=True)
    reported_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["force", "year", "number"], name="case_number_once"),
            models.UniqueConstraint(
                fields=["crime_number"], condition=~Q(crime_number=""), name="case_crime_number_once"
            ),
            models.CheckConstraint(
                condition=Q(owner_actor__isnull=False, owner_queue__isnull=True)
                | Q(owner_actor__isnull=True, owner_queue__isnull=False),
                name="case_has_one_owner",
            ),
            models.CheckConstraint(condition=Q(state__in=["open", "closed"]), name="case_state_known"),
            models.CheckConstraint(
                condition=Q(system_of_record__in=["ours", "rms"]), name="case_system_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | Q(state="closed", closed_at__isnull=False),
                name="case_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CaseReport(models.Model):
    """A report that opened or joined a case. Every report has exactly one once the chain or the sweep has run.

    One that answers an appeal joins the appeal's case with `answers`: its sender is told about what they sent, and
    never about the case.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    report = models.OneToOneField("reports.Report", on_delete=models.PROTECT, related_name="+")
    answers = models.BooleanField(default=False)
    joined_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.case_id} {self.report_id}"


class CaseAppeal(models.Model):
    """An appeal made for a case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    appeal = models.OneToOneField("reports.Appeal", on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey("accounts.Actor", on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.case_id} {self.appeal_id}"


class Party(models.Model):
    """A person in a role on a case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=12)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["victim", "witness", "suspect", "reporter"]), name="party_role_known"
            ),
            models.UniqueConstraint(fields=["case", "person", "role"], name="party_once"),
        ]

    def __str__(self) -> str:
        return self.role


class ExternalReference(models.Model):
    """An identifier another system gave to a case or a party: custody record, interview, records system."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=60)
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["custody", "interview", "rms", "urn", "cad"]),
                name="external_kind_known",
            ),
            models.UniqueConstraint(fields=["case", "kind", "value", "party"], name="external_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Note(models.Model):
    """A sentence kept on the case with a decision: why it was graded or closed. Its digest is in the ledger."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=60)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.act
