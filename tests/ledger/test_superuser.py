"""Whoever owns the database may rewrite any row, and the log with it: every rewrite is found, and said where."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from tests.ledger.outside import grown, plugs

from counterfoil.engines.tlog import (
    Frontier,
    checkpoint_text,
    entry_commitment,
    leaf_hash,
    sign_note,
)
from counterfoil.ledger import actions
from counterfoil.ledger.models import Checkpoint, Entry, Stamp
from counterfoil.ledger.queries import conflict, faults, log_folder, outside
from counterfoil.plugs.keys import keys

pytestmark = pytest.mark.django_db
FULL = os.environ.get("COUNTERFOIL_DEPTH") == "full"
REWRITES = int(os.environ.get("COUNTERFOIL_REWRITES", "1000" if FULL else "12"))
SIZES = (14, 30, 41)
HIGH = 1 << 40


@pytest.fixture
def anchored(home: Path, settings: Any) -> Path:
    """A log of 41 entries under three checkpoints, each cosigned by two operators and stamped by two authorities."""
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "south"])}
    settings.WITNESS_QUORUM = 2
    before = 0
    for size in SIZES:
        actions.witness_checkpoint(grown(size - before))
        before = size
    assert faults() == []
    return home


def everything() -> list[str]:
    """Return what `fsck` says of ledger and log, and what the witnesses hold against it."""
    return [*faults(), *filter(None, (conflict(seen) for seen in outside().seen))]


def rows() -> list[Entry]:
    """Return the entries in the log's order."""
    return list(Entry.objects.filter(index__isnull=False).order_by("index"))


def put(entry: Entry, **columns: Any) -> None:
    """Change columns of a row as a superuser does, past every model and action."""
    Entry.objects.filter(pk=entry.pk).update(**columns)


def other(body: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a body that says something else, as somebody would who has something to hide."""
    changed = dict(body)
    changed[rng.choice(["at", "by", "on", "act", "sha256"])] = f"other {rng.randrange(10**6)}"
    return changed


def shift(start: int, by: int) -> None:
    """Renumber every entry from `start` on, so that no gap shows."""
    later = [e for e in rows() if (e.index or 0) >= start]
    for e in later:
        put(e, index=(e.index or 0) + HIGH)
    for e in later:
        put(e, index=(e.index or 0) + by)


# Each attack changes rows (and perhaps files), and returns the smallest index that it falsified.
def edited(rng: random.Random) -> int:
    """One entry says something else."""
    e = rng.choice(rows())
    put(e, body=other(e.body, rng))
    return e.index or 0


def edited_and_committed(rng: random.Random) -> int:
    """One entry says something else, and its commitment is computed again."""
    e = rng.choice(rows())
    body = other(e.body, rng)
    put(e, body=body, commitment=entry_commitment(bytes(e.salt), body))
    return e.index or 0


def columns(rng: random.Random) -> int:
    """The columns that pages read say something else than the body."""
    e = rng.choice(rows())
    put(e, **{rng.choice(["act", "by", "subject_kind", "subject_id"]): "other"})
    return e.index or 0


def salted(rng: random.Random) -> int:
    """One salt is another."""
    e = rng.choice(rows())
    put(e, salt=rng.randbytes(32))
    return e.index or 0


def deleted(rng: random.Random) -> int:
    """One entry is gone."""
    e = rng.choice(rows())
    Entry.objects.filter(pk=e.pk).delete()
    return e.index or 0


def deleted_and_renumbered(rng: random.Random) -> int:
    """One entry is gone and the rest moved up."""
    e = rng.choice(rows())
    Entry.objects.filter(pk=e.pk).delete()
    shift((e.index or 0) + 1, -1)
    return e.index or 0


def inserted(rng: random.Random) -> int:
    """One entry more, in the middle, complete with salt and commitment."""
    model = rng.choice(rows())
    shift(model.index or 0, 1)
    body = other(model.body, rng)
    salt = rng.randbytes(32)
    Entry.objects.create(
        act=model.act,
        by=model.by,
        subject_kind=model.subject_kind,
        subject_id=model.subject_id,
        at=model.at,
        body=body,
        salt=salt,
        commitment=entry_commitment(salt, body),
        index=model.index,
    )
    return model.index or 0


def swapped(rng: random.Random) -> int:
    """Two entries in each other's place."""
    a, b = rng.sample(rows(), 2)
    put(a, index=HIGH)
    put(b, index=a.index)
    put(a, index=b.index)
    return min(a.index or 0, b.index or 0)


def truncated(rng: random.Random) -> int:
    """The newest entries are gone, and every checkpoint over them."""
    keep = rng.randrange(1, SIZES[-1])
    Stamp.objects.filter(checkpoint__size__gt=keep).delete()
    Checkpoint.objects.filter(size__gt=keep).delete()
    Entry.objects.filter(index__gte=keep).delete()
    return keep


def rolled_back(rng: random.Random) -> int:
    """Yesterday's state, complete and consistent, with yesterday's files."""
    keep = rng.choice(SIZES[:-1])
    Stamp.objects.filter(checkpoint__size__gt=keep).delete()
    Checkpoint.objects.filter(size__gt=keep).delete()
    Entry.objects.filter(index__gte=keep).delete()
    publish()
    return keep


def publish() -> None:
    """Write the published files anew from the rows, as if nothing had ever been published."""
    log = log_folder()
    folder = log.path
    shutil.rmtree(folder)
    folder.mkdir()
    newest = Checkpoint.objects.order_by("-size").first()
    assert newest
    leaves = [bytes(e.commitment) for e in rows()][: newest.size]
    log.append(0, leaves)
    log.publish_checkpoint(newest.note)


def forked(rng: random.Random) -> int:
    """With the log's stolen key: a change in the past, and every checkpoint from there on signed again."""
    return _fork(rng, hide=False)


def forked_and_hidden(rng: random.Random) -> int:
    """The same, and the stamps and cosignatures that no longer fit taken away."""
    return _fork(rng, hide=True)


def _fork(rng: random.Random, *, hide: bool) -> int:
    first = rng.choice([edited_and_committed, swapped])(rng)
    leaves = [leaf_hash(bytes(e.commitment)) for e in rows()]
    for point in Checkpoint.objects.filter(size__gt=first):
        tree = Frontier.empty().append_all(leaves[: point.size])
        note = sign_note(checkpoint_text(keys().log.name, point.size, tree.root()), [keys().log])
        new = {"root": tree.root(), "note": note, "frontier": tree.to_text()}
        Checkpoint.objects.filter(pk=point.pk).update(**new, **({"cosigned": ""} if hide else {}))
        if hide:
            Stamp.objects.filter(checkpoint=point).delete()
    publish()
    return first


ATTACKS: tuple[Callable[[random.Random], int], ...] = (
    edited,
    edited_and_committed,
    columns,
    salted,
    deleted,
    deleted_and_renumbered,
    inserted,
    swapped,
    truncated,
    rolled_back,
    forked,
    forked_and_hidden,
)


@pytest.fixture
def kept(anchored: Path, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Put the published files back as they were, whenever asked."""
    copy = tmp_path / "as-it-was"
    folder = log_folder().path
    shutil.copytree(folder, copy)

    def restore() -> None:
        shutil.rmtree(folder)
        shutil.copytree(copy, folder)

    yield restore
    restore()


@pytest.mark.faults
def test_every_rewrite_by_the_databases_owner_is_found_and_said_where(kept: Callable[[], None]) -> None:
    rng = random.Random(20261121)
    for number in range(REWRITES):
        attack = ATTACKS[number % len(ATTACKS)]
        mark = transaction.savepoint()
        first = attack(rng)
        said = everything()
        assert said, (number, attack.__name__, first)
        assert located(said, first), (number, attack.__name__, first, said)
        transaction.savepoint_rollback(mark)
        connection.needs_rollback = False
        kept()
    assert everything() == []


def located(said: list[str], first: int) -> bool:
    """Say whether a sentence names the entry, or a checkpoint or a published size that covers it."""
    covering = [size for size in SIZES if size > first]
    words = [f"Entry {first} ", f"Entry {first}:", *(f" {size} " for size in covering)]
    words += [f"size {size}" for size in covering] + [f"{size} were signed" for size in covering]
    gap = "longer than the database" in " ".join(said) or "old backup" in " ".join(said)
    return gap or any(word in sentence for word in words for sentence in said)


def test_ledgers_that_nobody_touched_are_never_accused(kept: Callable[[], None]) -> None:
    for _ in range(100 if FULL else 2):
        assert everything() == []
