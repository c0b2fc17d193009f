"""Pure rules of courts: what a charging decision needs, and who may charge what."""

import re
from datetime import datetime, timedelta

from counterfoil.cases.rules import clean_reason
from counterfoil.engines.errors import BadInput

# CJS offence codes look like TH68010 or CD71039 (two letters, two digits, three or four digits).
OFFENCE_CODE = re.compile(r"[A-Z]{2}[0-9]{2}[0-9]{3}[A-Z]?\Z|COML[0-9]{3}\Z")
DECIDERS = {"prosecutor": "Crown Prosecution Service", "police": "Police"}
# Director's Guidance (6th edition): hate crime, domestic abuse, harassment and stalking always go to a prosecutor.
PROSECUTOR_ONLY_KINDS = frozenset({"online-harassment-or-hate"})
STALLED_AFTER = timedelta(hours=1)


def clean_charge(
    *,
    decision: str,
    decided_by: str,
    decider: str,
    decided_at: datetime,
    offence_code: str,
    wording: str,
    reason: str,
    kind: str,
    now: datetime,
) -> dict[str, str]:
    """Return the cleaned parts of a charging decision, or refuse with what is missing."""
    if decision not in ("charge", "no_charge"):
        raise BadInput("decision", "Say whether the decision is to charge or not to charge.")
    if decided_by not in DECIDERS:
        raise BadInput("decided_by", "Say who made the decision: a prosecutor or the police.")
    if decision == "charge" and decided_by == "police" and kind in PROSECUTOR_ONLY_KINDS:
        raise BadInput("decided_by", "Only a prosecutor can decide to charge harassment or hate crime.")
    who = " ".join(decider.split())
    if not 3 <= len(who) <= 120:
        raise BadInput("decider", "Give the name of the person who decided.")
    if decided_at > now:
        raise BadInput("decided_at", "A decision cannot be made in the future. Check the date and time.")
    code = offence_code.strip().upper()
    words = " ".join(wording.split())
    if decision == "charge":
        if not OFFENCE_CODE.match(code):
            raise BadInput("offence_code", "Give the CJS offence code, for example TH68010.")
        if not 20 <= len(words) <= 2000:
            raise BadInput(
                "wording", "Give the full wording of the charge: when, where, what, and against which law."
            )
    else:
        code, words = "", ""
    return {"decider": who, "offence_code": code, "wording": words, "reason": clean_reason(reason, least=20)}
