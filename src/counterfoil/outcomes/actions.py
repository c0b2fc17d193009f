"""Every way to change outcomes. Ending a case with an outcome lives here: it touches cases, duties and notices."""

from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.cases.rules import clean_reason
from counterfoil.courts import queries as courts
from counterfoil.duties import actions as duties
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.actions import record
from counterfoil.notices.actions import queue_notice
from counterfoil.outcomes import rules
from counterfoil.outcomes.models import Outcome
from counterfoil.outcomes.queries import allowed_types
from counterfoil.reference.outcomes import outcome_type


@transaction.atomic
def record_outcome(
    case_id: UUID, type_: str, reason: str, *, by: Viewer, charge_id: UUID | None = None
) -> UUID:
    """Record how a case ended, with the reason kept; close the case, end its duties and tell the sender why.

    A case that was reopened gets a new outcome which supersedes the last; both stay. Returns the outcome's id.
    """
    needs(by, "officer", "record an outcome")
    card = case_queries.case_for(by, case_id)
    if card is None:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    case_queries.lock_case(case_id)
    text = clean_reason(reason, least=20)
    now = timezone.now()
    charges = {c.id: c for c in courts.charges_of(by, case_id) if c.decision == "charge"}
    if type_ in ("1", "1A") and charge_id is None and len(charges) == 1:
        charge_id = next(iter(charges))
    if charge_id is not None and charge_id not in charges:
        raise BadInput("charge", "Choose the decision to charge that this outcome rests on.")
    rules.check(
        type_,
        allowed=frozenset(allowed_types(card.kind, timezone.localdate(now))),
        charged=charge_id is not None,
        suspects=sum(p.role == "suspect" for p in case_queries.parties(case_id)),
        recorded=card.recorded_at is not None,
    )
    kind = outcome_type(rules.number_of(type_), on=timezone.localdate(now))
    digest = cases.keep_reason(case_id, "outcome.recorded", text, by=by)
    last = Outcome.objects.filter(case_id=case_id).order_by("-decided_at").first()
    outcome = Outcome.objects.create(
        id=uuid4(),
        case_id=case_id,
        type=type_,
        type_from=str(kind.valid_from),
        charge_id=charge_id if type_ in ("1", "1A") else None,
        reason_sha256=digest,
        decided_by_id=by.id,
        decided_at=now,
        supersedes=last,
    )
    record(
        "outcome.recorded",
        by=by,
        on=("outcome", outcome.pk),
        thread=case_id,
        type=type_,
        reason_sha256=digest,
        charge=str(charge_id or ""),
    )
    duties.end_all(case_id, by=by)
    cases.tell_reporters(case_id, "outcome", type=str(rules.number_of(type_)))
    for report_id in case_queries.reporters_of(case_id):
        queue_notice(case_id, report_id, "outcome", by=by)
    cases.close(case_id, by=by, why_act="outcome.recorded")
    return outcome.pk


@transaction.atomic
def close_no_crime(case_id: UUID, reason: str, *, by: Viewer) -> None:
    """Close a case in which no crime was found, with the reason kept. It has no outcome: there is no type 0.

    Only after somebody decided, with a reason, that it is no crime; so a recorded crime cannot end this way.
    """
    needs(by, "officer", "close a case")
    card = case_queries.case_for(by, case_id)
    if card is None:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    text = clean_reason(reason, least=20)
    case_queries.lock_case(case_id)
    if card.recorded_at is not None:
        raise NotAllowed("This case is recorded as a crime, so it ends with an outcome.")
    if not case_queries.decided_no_crime(case_id):
        raise NotAllowed("Decide first, with a reason, that this is no crime.")
    cases.keep_reason(case_id, "case.closed", text, by=by)
    duties.end_all(case_id, by=by)
    cases.tell_reporters(case_id, "closed_no_crime")
    for report_id in case_queries.reporters_of(case_id):
        queue_notice(case_id, report_id, "closed_no_crime", by=by)
    cases.close(case_id, by=by, why_act="case.not_crimed")
