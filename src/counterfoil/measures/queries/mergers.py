"""Forces that became one: before that day a number of the new force is what the old ones published, put together."""

from dataclasses import replace

from counterfoil.measures.rules import NumberId
from counterfoil.reference import forces
from counterfoil.reference.measures import Break


def begins(slug: str) -> str:
    """Return the first month of a force."""
    return forces.force(slug).valid_from.strftime("%Y-%m")


def before(what: NumberId) -> tuple[NumberId, ...]:
    """Return the numbers of the forces that a force took over, when the period lies wholly before it; else none."""
    old = forces.predecessors(what.force)
    if not old or what.last >= begins(what.force):
        return ()
    return tuple(replace(what, force=one.slug) for one in old)


def break_of(slug: str) -> Break | None:
    """Return the break in every series of a force at the day it took others over; None when it took over none."""
    old = forces.predecessors(slug)
    if not old:
        return None
    names = ", ".join(f.name for f in old)
    welsh = ", ".join(f.called("cy") for f in old)
    return Break(
        begins(slug),
        f"Before this month the figures are those of {names}, put together. They may have counted in other ways.",
        f"Cyn y mis hwn ffigurau {welsh} wedi'u rhoi ynghyd yw'r rhain. Efallai eu bod yn cyfrif mewn ffyrdd eraill.",
        "boundary",
    )
