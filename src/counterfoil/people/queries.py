"""Every way to read people. The caller has decided through a case that its viewer may."""

from collections.abc import Iterable
from uuid import UUID

from counterfoil.people.models import Person


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the name of each person."""
    return dict(Person.objects.filter(pk__in=list(ids)).values_list("pk", "name"))
