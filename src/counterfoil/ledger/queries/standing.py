"""Where the log stands by what others remember of it: the published files and every witness.

A restored backup is found here, before anything is signed on top of it: somebody holds a checkpoint, signed by this
log, that is longer than what the database has, or that says something else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from counterfoil.engines.errors import Corrupt, Refusal
from counterfoil.engines.tlog import Frontier, leaf_hash, open_note, parse_checkpoint
from counterfoil.ledger.models import Checkpoint, Entry
from counterfoil.ledger.queries.reading import log_folder, newest_checkpoint
from counterfoil.plugs.keys import keys, verifiers
from counterfoil.plugs.together import together
from counterfoil.plugs.witness import witnesses

ASK_LIMIT = 15.0


@dataclass(frozen=True)
class Seen:
    """A checkpoint signed by this log, as somebody else holds it."""

    who: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class Outside:
    """What others hold: their checkpoints, whom we could not ask and why, and operators that answered."""

    seen: tuple[Seen, ...]
    silent: dict[str, str]
    operators: frozenset[str]


def read_seen(who: str, note: str) -> Seen:
    """Read a checkpoint that somebody holds; Corrupt unless this log signed it with one of its keys."""
    opened = open_note(note, verifiers("log"))
    point = parse_checkpoint(opened.text)
    if point.origin != keys().log.name:
        raise Corrupt(f"What {who} holds is the checkpoint of another log.")
    return Seen(who, point.size, point.root, note)


def published() -> Seen | None:
    """Return what the published files say, or None while there are none."""
    note = log_folder().published()
    return read_seen("the published log", note) if note is not None else None


def outside() -> Outside:
    """Ask every witness for the last checkpoint that it signed for this log, all at once."""
    asked = witnesses()
    origin = keys().log.name
    answers = together({n.name: lambda n=n: n.witness.latest(origin) for n in asked}, limit=ASK_LIMIT)  # type: ignore[misc]
    seen, silent, operators = [], {}, set()
    for n in asked:
        answer = answers[n.name]
        try:
            if isinstance(answer, Refusal):
                raise answer
            if answer is not None:
                seen.append(read_seen(f"the witness {n.name}", answer))
            operators.add(n.operator)
        except Refusal as refusal:
            silent[n.name] = str(refusal)
    return Outside(tuple(seen), silent, frozenset(operators))


def enough(found: Outside) -> bool:
    """Say whether so many operators answered that one of them must have signed the last checkpoint with a quorum."""
    operators = {n.operator for n in witnesses()}
    return not operators or len(found.operators) > len(operators) - max(1, settings.WITNESS_QUORUM)


def our_root(size: int) -> bytes | None:
    """Return the root of the database's first `size` entries, or None if it has not so many."""
    point = Checkpoint.objects.filter(size=size).first()
    if point is not None:
        return bytes(point.root)
    newest = newest_checkpoint()
    if newest is None or size > newest.size:
        return None
    return Frontier.empty().append_all(list(_leaves(size))).root()


def _leaves(size: int) -> Iterator[bytes]:
    found = Entry.objects.filter(index__isnull=False, index__lt=size).order_by("index")
    for commitment in found.values_list("commitment", flat=True).iterator(chunk_size=5000):
        yield leaf_hash(bytes(commitment))


def conflict(seen: Seen) -> str | None:
    """Return in a sentence how what somebody holds contradicts the database, or None if it does not."""
    root = our_root(seen.size) if seen.size else seen.root
    if root is None:
        newest = newest_checkpoint()
        return (
            f"{seen.who[0].upper()}{seen.who[1:]} has {seen.size} entries but the database only "
            f"{newest.size if newest else 0}: an old backup was restored. "
            "Reconcile it before anything more is signed (counterfoil log reconcile)."
        )
    if root != seen.root:
        return (
            f"{seen.who[0].upper()}{seen.who[1:]} has {seen.size} entries with another content than the database: "
            "there are two logs. Nothing more is signed under this name."
        )
    return None


def halt_file() -> Path:
    """Return the file whose presence means that nothing may be signed."""
    return Path(settings.COUNTERFOIL_HOME) / "log.halted"


def halted() -> str | None:
    """Return why nothing may be signed, or None."""
    try:
        said = json.loads(halt_file().read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return "Signing was stopped, and why cannot be read."
    return str(said.get("why"))
