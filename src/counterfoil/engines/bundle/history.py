"""The signed history of an installation's keys, shipped in every bundle so that rotation kills no old evidence.

The text is one line per key, `ROLE FROM TO KEY`, TO being `-` while the key is in use; the log key signs it. A key that
fell into other hands has ` revoked TIME REASON` after it: nothing that it signed from that time on counts.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog import AnySigner, Verifier, sign_note, split_note

HEADER = "counterfoil/key-history/v1"
ROLES = ("log", "receipt", "manifest")
REASON = re.compile(r"[a-z][a-z-]{0,39}", re.ASCII)
FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class KeyPeriod:
    """One key in one role from a time until another (None: still in use); perhaps revoked, for a one-word reason."""

    role: str
    vkey: str
    start: dt.datetime
    end: dt.datetime | None = None
    revoked: dt.datetime | None = None
    reason: str = ""

    def covers(self, at: dt.datetime) -> bool:
        """Say whether the key was in use at this time (whole seconds)."""
        return self.start <= at and (self.end is None or at <= self.end)


def key_history(periods: Sequence[KeyPeriod], signers: Sequence[AnySigner]) -> str:
    """Return the signed note that tells which keys were used when, in the order given."""
    lines = [HEADER]
    for p in periods:
        if p.role not in ROLES:
            raise BadInput("role", f"A key's role is one of {', '.join(ROLES)}.")
        Verifier.from_vkey(p.vkey)
        start = p.start.astimezone(dt.UTC).strftime(FORM)
        end = "-" if p.end is None else p.end.astimezone(dt.UTC).strftime(FORM)
        line = f"{p.role} {start} {end} {p.vkey}"
        if p.revoked is not None:
            if not REASON.fullmatch(p.reason):
                raise BadInput("reason", "Why a key was revoked is one word, such as lost or stolen.")
            line += f" revoked {p.revoked.astimezone(dt.UTC).strftime(FORM)} {p.reason}"
        lines.append(line)
    return sign_note("\n".join(lines) + "\n", signers)


def read_history(note: str | bytes) -> tuple[KeyPeriod, ...]:
    """Read a key history's periods, checking form only (its signature is checked by who knows the key)."""
    lines = split_note(note)[0].rstrip("\n").split("\n")
    if lines[0] != HEADER:
        raise Corrupt("The key history is not in the form we know.")
    periods = []
    for line in lines[1:]:
        words = line.split(" ")
        late = words[4:]
        if words[0] not in ROLES or not (
            len(words) == 4 or (len(late) == 3 and late[0] == "revoked" and REASON.fullmatch(late[2]))
        ):
            raise Corrupt("A line of the key history is malformed.")
        try:
            start = _time(words[1])
            end = None if words[2] == "-" else _time(words[2])
            revoked = _time(late[1]) if late else None
        except ValueError:
            raise Corrupt("A time in the key history is malformed.") from None
        Verifier.from_vkey(words[3])
        periods.append(KeyPeriod(words[0], words[3], start, end, revoked, late[2] if late else ""))
    return tuple(periods)


def _time(text: str) -> dt.datetime:
    """Read a time in its one form; ValueError for any other."""
    at = dt.datetime.strptime(text, FORM).replace(tzinfo=dt.UTC)
    if at.strftime(FORM) != text:
        raise ValueError(text)
    return at
