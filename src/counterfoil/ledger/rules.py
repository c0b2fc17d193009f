"""Pure rules of the ledger: what an act's name and an entry's body may look like."""

import re
from collections.abc import Mapping
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
