"""What a visitor may choose to compare: measures, types and periods of which anything is held."""

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.reference import measures as definitions
from counterfoil.reference.measures import Definition


def measures(viewer: Viewer) -> tuple[Definition, ...]:
    """Return the measures that are shares of types and held for some place."""
    if not queries.stock().forces():
        return ()
    return (definitions.measure("charged"),)


def kinds(viewer: Viewer, measure: str) -> tuple[tuple[str, str], ...]:
    """Return the types of a measure, as they stand in an address and as they are called; all together comes last."""
    found = [(t.slug, t.name) for t in definitions.crime_types() if t.crime]
    return (*found, ("all", "all"))


def periods(viewer: Viewer, measure: str) -> tuple[tuple[str, str], ...]:
    """Return the periods to choose from, the one to begin with last: each month, then all of them together."""
    months = queries.stock().months()
    return (*((m, m) for m in months), (months[0], months[-1])) if months else ()
