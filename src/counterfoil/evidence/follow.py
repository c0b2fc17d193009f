"""What evidence does when an exhibit has come to be."""

from counterfoil.evidence.copies import ask
from counterfoil.ledger.followers import follow


def register() -> None:
    """Follow every way an exhibit comes to be: after commit its copies are asked for."""
    for act in ("exhibit.sealed", "exhibit.derived", "exhibit.redacted", "exhibit.imported"):
        follow(act, ask)
