"""Every way to change people."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.ledger.actions import record
from counterfoil.people.models import Person


@transaction.atomic
def note_person(name: str, *, by: Viewer, born_on: date | None = None) -> UUID:
    """Note an identity as it was given and return its id. Never looks for, or merges with, another."""
    shown = " ".join(name.split())
    if not shown or len(shown) > 120:
        raise BadInput("name", "Give the person's name, in 120 letters or fewer.")
    if born_on and born_on > timezone.localdate():
        raise BadInput("born_on", "A date of birth cannot be in the future.")
    person = Person.objects.create(name=shown, born_on=born_on, noted_at=timezone.now())
    record("person.noted", by=by, on=("person", person.pk))
    return person.pk
