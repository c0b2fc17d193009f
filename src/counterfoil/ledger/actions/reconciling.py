"""Bring a restored database back under the log that others hold, by a person's decision; never sign a second log."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed, Refusal
from counterfoil.engines.tlog import Frontier, TileDir, leaf_hash
from counterfoil.ledger.actions.entries import record
from counterfoil.ledger.actions.erasure import keep_decision, replay_erasures
from counterfoil.ledger.actions.sequencing import lock_log, sequence
from counterfoil.ledger.models import Checkpoint, Entry
from counterfoil.ledger.queries import Someone, log_folder, newest_checkpoint
from counterfoil.ledger.queries.standing import (
    Seen,
    conflict,
    enough,
    halt_file,
    halted,
    outside,
    published,
    read_seen,
)

MIN_REASON = 20


@dataclass(frozen=True)
class Standing:
    """What stands in the way of signing, in sentences, and what can be done about it.

    `have`: entries in the database; `need`: the longest log that somebody holds; `source`: the folder of tiles that
    reaches it, or None. `possible` is false when nothing but another backup helps, or when there are two logs.
    """

    have: int
    need: int
    sentences: tuple[str, ...]
    source: Path | None
    possible: bool
    longest: Seen | None


def standing(copy: Path | None = None) -> Standing:
    """Explain what contradicts the database. `copy`: another copy of the log's folder, to take entries from."""
    newest = newest_checkpoint()
    have = newest.size if newest else 0
    sentences = []
    why = halted()
    if why is not None:
        sentences.append(f"Nothing is signed: {why}")
    held = []
    try:
        mine = published()
        held = [mine] if mine is not None else []
    except Corrupt as corrupt:
        sentences.append(f"The published log cannot be used: {corrupt}")
    found = outside()
    held += found.seen
    sentences += [f"The witness {name} could not be asked: {said}" for name, said in found.silent.items()]
    if not enough(found):
        sentences.append("So few witnesses answered that none of them may have seen the last checkpoint.")
    against = [(seen, said) for seen in held if (said := conflict(seen)) is not None]
    sentences += [said for _, said in against]
    longest = max((seen for seen, _ in against), key=lambda seen: seen.size, default=None)
    if longest is None:
        said = (
            "Nothing contradicts the database." if enough(found) else "Start the witnesses, or name others."
        )
        return Standing(have, have, (*sentences, said), None, enough(found), None)
    if any(seen.size <= have for seen, _ in against):
        sentences.append(
            "The database and the log that others hold went different ways. This cannot be mended: restore the newest "
            "backup that the log continues, or begin a new log under another COUNTERFOIL_NAME."
        )
        return Standing(have, longest.size, tuple(sentences), None, False, longest)
    for folder in [log_folder().path, *([copy] if copy else [])]:
        try:
            _commitments(folder, have, longest)
        except (Refusal, OSError) as refusal:
            sentences.append(f"{folder.name}/ does not reach that checkpoint: {refusal}")
            continue
        sentences.append(
            f"{folder.name}/ holds the commitments of entries {have} to {longest.size - 1}. They can be taken back: "
            "their places in the log stay theirs, what they said is lost unless a newer backup has it. "
            "Look for a newer backup first."
        )
        return Standing(have, longest.size, tuple(sentences), folder, enough(found), longest)
    sentences.append(
        "Nothing here reaches the last checkpoint that was signed. Restore a newer backup, or give a copy of the log's "
        "folder with --from. Nothing is signed until then."
    )
    return Standing(have, longest.size, tuple(sentences), None, False, longest)


def _commitments(folder: Path, have: int, longest: Seen) -> list[bytes]:
    """Return the commitments from `have` on, proved to give the root that was signed together with our own entries."""
    tiles = TileDir(folder)
    found = tiles.entries(have, longest.size)
    newest = newest_checkpoint()
    frontier = Frontier.from_text(newest.frontier) if newest else Frontier.empty()
    if frontier.append_all([leaf_hash(c) for c in found]).root() != longest.root:
        raise Corrupt("its entries do not continue those of the database to the root that was signed.")
    return found


def reconcile(reason: str, *, by: Someone, copy: Path | None = None) -> Standing:
    """Lift the halt by a person's decision: take back the places of lost entries where needed; keep the reason.

    Refused while something cannot be mended. What is signed afterwards continues the log that others hold.
    """
    words = " ".join(reason.split())
    if len(words) < MIN_REASON:
        raise BadInput(
            "reason", f"Say in at least {MIN_REASON} letters what happened and why signing may go on."
        )
    found = standing(copy)
    if not found.possible:
        raise NotAllowed(" ".join(found.sentences))
    if found.longest is None and halted() is None:
        raise NotAllowed(
            "Nothing contradicts the database and the log is not halted, so there is nothing to decide."
        )
    with transaction.atomic():
        lock_log()
        newest = newest_checkpoint()
        if (newest.size if newest else 0) != found.have:
            raise NotAllowed("The log changed while this was decided. Look at it again.")
        entry = record(
            "log.reconciled",
            by=by,
            on=("log", "this"),
            from_size=found.have,
            to_size=found.need,
            reason_sha256=hashlib.sha256(words.encode()).hexdigest(),
        )
        if found.longest is not None and found.source is not None:
            _take_back(_commitments(found.source, found.have, found.longest), found, bytes(entry.commitment))
    keep_decision(
        "reconciled",
        by=by.id,
        entry=bytes(entry.commitment).hex(),
        from_size=found.have,
        to_size=found.need,
        reason=words,
    )
    halt_file().unlink(missing_ok=True)
    replay_erasures()
    sequence()
    return found


def _take_back(commitments: list[bytes], found: Standing, why: bytes) -> None:
    assert found.longest is not None  # noqa: S101  (the caller has looked)
    now = timezone.now()
    waiting = {bytes(e.commitment): e for e in Entry.objects.filter(index=None)}
    for index, commitment in enumerate(commitments, found.have):
        entry = waiting.get(commitment)
        if entry is not None:  # the backup was made before this one got its place
            entry.index = index
            entry.save(update_fields=["index"])
            continue
        Entry.objects.create(
            id=uuid4(),
            act="log.lost",
            by="",
            subject_kind="log",
            subject_id="this",
            at=now,
            body={},
            salt=b"",
            commitment=commitment,
            index=index,
            gone_by=why,
        )
    newest = newest_checkpoint()
    frontier = Frontier.from_text(newest.frontier) if newest else Frontier.empty()
    frontier = frontier.append_all([leaf_hash(c) for c in commitments])
    seen = read_seen(found.longest.who, found.longest.note)
    Checkpoint.objects.create(
        size=seen.size, root=seen.root, frontier=frontier.to_text(), note=seen.note, at=now
    )
