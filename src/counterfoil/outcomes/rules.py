"""Pure rules of outcomes: which type may be given to which case, and what it needs."""

from counterfoil.engines.errors import BadInput, NotAllowed

NEEDS_SUSPECT = frozenset({1, 2, 3, 5, 9, 10, 11, 12, 15, 16, 17})
NEEDS_NO_SUSPECT = frozenset({14, 18})


def number_of(type_: str) -> int:
    """Return the number of an outcome type; 1A, 2A and 3A count under their number."""
    return int(type_.rstrip("A"))


def check(type_: str, *, allowed: frozenset[str], charged: bool, suspects: int, recorded: bool) -> None:
    """Refuse an outcome that the case does not bear out, with a sentence that says what is missing.

    `charged` says whether a decision to charge is on the case, `suspects` how many were named.
    """
    if type_ not in allowed:
        raise BadInput("type", "Choose an outcome that this kind of case may have today.")
    if not recorded:
        raise NotAllowed("Record the crime first: an outcome is the outcome of a recorded crime.")
    number = number_of(type_)
    if number == 1 and not charged:
        raise NotAllowed(
            "Record the decision to charge first: outcome 1 is a charge, summons or requisition."
        )
    if number in NEEDS_SUSPECT and suspects == 0:
        raise NotAllowed(f"Name the suspect first: outcome {type_} is only for a case with a named suspect.")
    if number in NEEDS_NO_SUSPECT and suspects > 0:
        raise NotAllowed(
            f"A suspect is named on this case, and outcome {type_} says that none was identified."
        )
