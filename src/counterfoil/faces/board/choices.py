"""What a visitor may choose from: measures, places, types and periods of which anything is held."""

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.reference import measures as definitions
from counterfoil.reference.measures import Definition


def held(viewer: Viewer) -> tuple[Definition, ...]:
    """Return the measures of which a number is held for some place."""
    return tuple(m for m in definitions.measures() if queries.places(viewer, m.id))


def comparable(viewer: Viewer) -> tuple[Definition, ...]:
    """Return the measures that are shares and held for several places, the share charged first."""
    found = [m for m in definitions.measures() if m.unit == "share" and len(queries.places(viewer, m.id)) > 1]
    return tuple(sorted(found, key=lambda m: m.id != "charged"))


def kinds(viewer: Viewer, measure: str) -> tuple[tuple[str, str], ...]:
    """Return the types of a measure, as they stand in an address and as they are called; all together comes last."""
    crimes = {t.slug: t.crime for t in definitions.crime_types()}
    found = [(slug, name) for slug, name in queries.kinds(viewer, measure) if slug != "all"]
    if measure == "charged":
        found = [(slug, name) for slug, name in found if crimes.get(slug, True)]
    return (*found, ("all", "all"))


def periods(viewer: Viewer, measure: str) -> tuple[tuple[str, str], ...]:
    """Return the periods to choose from, the one to begin with last.

    Rows of data.police.uk come by month; all months together are what a share charged is best read over.
    """
    found = queries.periods(viewer, measure)
    if measure in ("charged", "crimes") and len(found) > 1:
        return (*found, (found[0][0], found[-1][1]))
    return found
