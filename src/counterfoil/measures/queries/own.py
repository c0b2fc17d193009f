"""Numbers from our own cases."""

from typing import Any

from counterfoil.accounts.rules import Viewer
from counterfoil.measures.rules import NumberId
from counterfoil.reference.measures import Definition


def compute(what: NumberId, definition: Definition, viewer: Viewer) -> dict[str, Any]:
    """Return the facts of a number from our own cases, as `Number` takes them."""
    return {"state": "missing"}


def periods(definition: Definition, place: str, viewer: Viewer) -> tuple[tuple[str, str], ...]:
    """Return the periods that there are numbers for."""
    return ()


def places(definition: Definition, viewer: Viewer) -> tuple[str, ...]:
    """Return the forces that there are numbers for."""
    return ()


def kinds(definition: Definition) -> tuple[tuple[str, str], ...]:
    """Return the kinds that a measure can be asked for."""
    return ()
