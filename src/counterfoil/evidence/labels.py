"""The numbers of exhibits and statements: they run through all cases, so that a gap in one case tells nothing about it.

An item that the defence may not know of leaves a gap in the numbers of its case. Were numbers counted case by case,
the gap would give it away (docs/adr/0016).
"""

from django.db.models import Max

from counterfoil.evidence.models import Exhibit, Statement


def next_number(initials: str) -> int:
    """Return the next number for exhibits with these initials, counted over all cases.

    Called in the transaction that makes the exhibit, with its case locked. Two at once in two cases may get the same
    number, which harms nobody: a label is unique within its case.
    """
    return (Exhibit.objects.filter(initials=initials).aggregate(n=Max("number"))["n"] or 0) + 1


def next_statement() -> int:
    """Return the next number of a statement, counted over all cases."""
    return (Statement.objects.aggregate(n=Max("number"))["n"] or 0) + 1
