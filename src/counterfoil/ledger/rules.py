"""Pure rules of the ledger: what an act's name and an entry's body may look like."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from counterfoil.engines.errors import NotAllowed

ACT = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\Z")
# Identifiers, digests, codes, references and times: one token, no spaces, so no names or free text fit.
TOKEN = re.compile(r"[A-Za-z0-9_.:/+=\-]{0,200}\Z")


def body_of(
    act: str, by: str, subject: tuple[str, str], at: datetime, facts: Mapping[str, object]
) -> dict[str, object]:
    """Return the body of an entry, or refuse one that could hold a name or free text.

    Values are whole numbers, true/false, None, or one token of letters, digits and `_.:/+=-`; lists of tokens.
    """
    if not ACT.match(act):
        raise NotAllowed(f"An act is named like exhibit.sealed, not {act!r}.")
    if len(subject[1]) > 80 or len(subject[0]) > 30:
        raise NotAllowed("An entry's subject is a kind and an identifier of at most 80 letters.")
    body: dict[str, object] = {
        "act": act,
        "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "by": by,
        "on": f"{subject[0]}:{subject[1]}",
    }
    for name, value in facts.items():
        if name in body:
            raise NotAllowed(f"An entry already says {name!r}.")
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, bool | int) or item is None:
                continue
            if not isinstance(item, str) or not TOKEN.match(item):
                raise NotAllowed(
                    f"The entry {act} may not hold text in {name!r}: put a digest or an identifier there."
                )
        body[name] = list(value) if isinstance(value, tuple) else value
    return body


# Without these the log could not account for itself, for what was given away, or for what was destroyed.
KEPT = ("key.", "log.", "checkpoint.", "bundle.")


def may_be_erased(act: str, *, placed: bool, gone: bool) -> None:
    """Refuse to erase an entry that has no place in the log yet, was erased before, or that the log itself needs."""
    if not placed:
        raise NotAllowed("This entry has no place in the log yet. Try again in a minute.")
    if gone:
        raise NotAllowed("What this entry said is gone already.")
    if act.startswith(KEPT) or act.endswith((".erased", ".destroyed")):
        raise NotAllowed(
            f"An entry {act} accounts for what was done to the log or the evidence and is never erased."
        )


def two_people(ids: Sequence[str]) -> list[str]:
    """Return the ids of two different people, in order, or refuse: nobody erases alone."""
    people = sorted({i for i in ids if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", i)})
    if len(people) < 2 or len(people) != len(ids):
        raise NotAllowed("Two different people must approve this, each signed in under their own name.")
    return people
