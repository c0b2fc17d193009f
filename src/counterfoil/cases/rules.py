"""Pure rules of cases: grades, roles, and what an external reference may look like."""

import re

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.flow import Flow

STATES = Flow({("open", "close"): "closed", ("closed", "reopen"): "open"})

# Grades of response. The local names differ by force; casework.md 2.7 lists the usual ones.
GRADES = {
    "immediate": "Immediate: danger to life, violence, a crime in progress",
    "priority": "Priority: vulnerable person or evidence may be lost",
    "scheduled": "Scheduled: better by appointment",
    "resolution": "Resolution without deployment: phone, online or referral",
}
ROLES = {"victim": "Victim", "witness": "Witness", "suspect": "Suspect", "reporter": "Person reporting"}
REFERENCES = {
    "custody": "Custody record number",
    "interview": "Voluntary interview number",
    "rms": "Records system number",
    "urn": "Unique reference number (URN)",
    "cad": "Incident (command and control) number",
}
CRIME_NUMBER_LENGTH = 20
SHAPE = re.compile(r"[A-Z0-9][A-Z0-9/\-. ]{1,58}[A-Z0-9]\Z")


def clean_reference(kind: str, text: str) -> str:
    """Return another system's identifier in capitals without outer spaces, or refuse it with a sentence."""
    if kind not in REFERENCES:
        raise BadInput("reference_kind", "Choose what kind of reference it is.")
    found = " ".join(text.upper().split())
    # A reference has a digit: otherwise a name typed by mistake would go into the log for good.
    if not SHAPE.match(found) or not any(c.isdigit() for c in found):
        raise BadInput(
            "reference", f"Give the {REFERENCES[kind].lower()} as it is printed, for example 17/CT/01234/26."
        )
    return found


def clean_reason(text: str, *, least: int = 10, field: str = "reason") -> str:
    """Return a reason long enough to mean something, or refuse it with a sentence."""
    found = text.replace("\r\n", "\n").strip()
    if len(found) < least:
        raise BadInput(field, f"Give your reason in a sentence of at least {least} letters. It is kept.")
    if len(found) > 4000 or "\x00" in found:
        raise BadInput(field, "Give your reason in 4,000 letters or fewer.")
    return found


UNITS = "FGHJKLMNPQRSTUVWXYZ"


def unit_and_number(n: int) -> tuple[str, int]:
    """Return unit and five-digit number of the n-th case of a force's year: `CF` 1 to 99,999, then `CG`, and so on.

    A crime number and a URN have only five digits, and a large force has more reports than that in a year.
    """
    block, rest = divmod(n - 1, 99_999)
    if n < 1 or block >= len(UNITS):
        raise NotAllowed(
            "This force has used up its crime numbers for the year. Tell whoever runs the installation."
        )
    return f"C{UNITS[block]}", rest + 1
