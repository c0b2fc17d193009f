"""Every way to read outcomes."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.outcomes.models import Outcome
from counterfoil.outcomes.rules import number_of
from counterfoil.reference.kinds import kind_on
from counterfoil.reference.outcomes import outcome_type


@dataclass(frozen=True)
class OutcomeCard:
    """An outcome as plain values, with its wording as it stood on the day."""

    id: UUID
    type: str
    wording: str
    plain_en: str
    plain_cy: str
    decided_by: str
    decided_at: datetime
    superseded: bool


def outcomes_of(viewer: Viewer, case_id: UUID) -> list[OutcomeCard]:
    """Return the outcomes of a case, oldest first; the caller has decided that the viewer may see the case."""
    found = list(Outcome.objects.filter(case_id=case_id).select_related("decided_by").order_by("decided_at"))
    replaced = {o.supersedes_id for o in found}
    cards = []
    for o in found:
        kind = outcome_type(number_of(o.type), on=timezone.localdate(o.decided_at))
        cards.append(
            OutcomeCard(
                o.pk,
                o.type,
                kind.wording,
                kind.plain_en,
                kind.plain_cy,
                o.decided_by.name,
                o.decided_at,
                o.pk in replaced,
            )
        )
    return cards


def allowed_types(kind: str, on: date) -> dict[str, str]:
    """Return the outcome types a kind of case may have on a day, with their plain words."""
    found = kind_on(kind, on)
    if found is None:
        return {}
    shown = {}
    for type_ in map(str, found.outcomes):
        try:
            shown[type_] = outcome_type(number_of(type_), on=on).plain_en
        except LookupError:
            continue
    return shown
