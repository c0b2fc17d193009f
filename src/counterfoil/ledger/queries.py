"""Every way to read the ledger."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max

from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tlog import (
    Frontier,
    TileDir,
    checkpoint_text,
    entry_commitment,
    leaf_hash,
    open_note,
)
from counterfoil.ledger.models import Checkpoint, Entry
from counterfoil.plugs.keys import keys

CheckpointRow = Checkpoint


class Someone(Protocol):
    """Whoever acts or looks: anything with an opaque id."""

    @property
    def id(self) -> str: ...


def log_folder() -> TileDir:
    """Return the folder that holds the log's tiles and checkpoint."""
    return TileDir(Path(settings.COUNTERFOIL_HOME) / "log")


@contextmanager
def log_lock(*, shared: bool = False) -> Iterator[TileDir]:
    """Hold the lock of the log's folder: alone for writing, `shared` for reading all of it."""
    folder = log_folder()
    folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder.path.parent / "log.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield folder


@dataclass(frozen=True)
class Line:
    """One entry as plain values, for pages and bundles."""

    id: UUID
    act: str
    by: str
    subject: str
    at: datetime
    body: dict[str, Any]
    salt: bytes
    commitment: bytes
    index: int | None


def _line(e: Entry) -> Line:
    return Line(
        id=e.pk,
        act=e.act,
        by=e.by,
        subject=f"{e.subject_kind}:{e.subject_id}",
        at=e.at,
        body=e.body,
        salt=bytes(e.salt),
        commitment=bytes(e.commitment),
        index=e.index,
    )


def line(entry_id: UUID) -> Line:
    """Return one entry by its id, for the action that wrote it."""
    return _line(Entry.objects.get(pk=entry_id))


def entries_of(viewer: Someone, kind: str, subject_id: UUID | str) -> list[Line]:
    """Return the entries about one thing in order. The caller has already decided that `viewer` may see the thing."""
    found = Entry.objects.filter(subject_kind=kind, subject_id=str(subject_id)).order_by("at", "id")
    return [_line(e) for e in found]


def entries_of_thread(viewer: Someone, thread: UUID | str) -> list[Line]:
    """Return the entries of one case in order. The caller has already decided that `viewer` may see the case."""
    return [_line(e) for e in Entry.objects.filter(thread=thread).order_by("at", "id")]


def proof_of(index: int, size: int) -> list[bytes]:
    """Return the inclusion proof of the entry at `index` in the tree of `size`, from the published tiles."""
    return log_folder().inclusion(index, size)


def newest_checkpoint() -> Checkpoint | None:
    """Return the newest signed checkpoint, or None while the log is empty."""
    return Checkpoint.objects.order_by("-size").first()


def _walk(upto: int) -> Iterator[Entry]:
    yield from (
        Entry.objects.filter(index__isnull=False, index__lt=upto).order_by("index").iterator(chunk_size=2000)
    )


def faults() -> list[str]:
    """Return what is wrong with the ledger and the log, in sentences; empty when all is well.

    Indexes are dense, every commitment recomputes from salt and body, every checkpoint's root recomputes and its
    signature holds, and the published tiles agree.
    """
    wrong: list[str] = []
    points = {c.size: c for c in Checkpoint.objects.all()}
    newest = max(points, default=0)
    covered = Entry.objects.filter(index__lt=newest).aggregate(n=Count("pk"), top=Max("index"))
    if covered["n"] != newest:
        wrong.append(f"The log's indexes have a gap: {covered['n']} entries where {newest} were signed.")
    beyond = Entry.objects.filter(index__gte=newest).count()
    if beyond and not Checkpoint.objects.filter(size__gt=newest).exists():
        wrong.append(f"The newest checkpoint covers {newest} entries but {newest + beyond} have an index.")
    frontier = Frontier.empty()
    verifier = keys().log.verifier
    for entry in _walk(newest):
        try:
            good = bytes(entry.commitment) == entry_commitment(bytes(entry.salt), entry.body)
        except Exception:
            good = False
        if not good:
            wrong.append(f"Entry {entry.index} ({entry.act}) was changed after it was written.")
        said = (
            entry.body.get("act"),
            entry.body.get("by"),
            entry.body.get("on"),
        )
        if said != (entry.act, entry.by, f"{entry.subject_kind}:{entry.subject_id}"):
            wrong.append(f"Entry {entry.index}: its columns do not say what its body says.")
        frontier = frontier.append_all([leaf_hash(bytes(entry.commitment))])
        point = points.get(frontier.size)
        if point is None:
            continue
        if frontier.root() != bytes(point.root):
            wrong.append(f"The checkpoint of size {point.size} does not match the entries: its root differs.")
        expected = checkpoint_text(keys().log.name, point.size, bytes(point.root))
        for note in filter(None, (point.note, point.cosigned)):
            try:
                opened = open_note(note, [verifier])
            except Corrupt as e:
                wrong.append(f"The checkpoint of size {point.size} has a bad signature: {e}")
                continue
            if opened.text != expected or keys().log.name not in opened.verified:
                wrong.append(f"The checkpoint of size {point.size} is not signed by this log's key.")
    for entry in Entry.objects.filter(index__isnull=True).iterator():
        if bytes(entry.commitment) != entry_commitment(bytes(entry.salt), entry.body):
            wrong.append(f"A waiting entry ({entry.act}) was changed after it was written.")
    with log_lock(shared=True) as folder:
        try:
            wrong.extend(_published_faults(folder))
        except Corrupt as e:
            wrong.append(f"The published log cannot be read: {e}")
    return wrong


def _published_faults(folder: TileDir) -> list[str]:
    """Return what is wrong with the published files; the caller keeps writers away meanwhile."""
    note = folder.published()
    if note is None:
        return []  # the next run of the sequencer writes everything
    size, newest = folder.size(), newest_checkpoint()
    if newest is None or size > newest.size:
        return ["The published log is longer than the database: an old backup was restored."]
    point = Checkpoint.objects.filter(size=size).first()
    if point is None or note not in (point.note, point.cosigned):
        return ["The published checkpoint is not one that is on record."]
    return folder.fsck(checkpoint_text(keys().log.name, size, bytes(point.root)))
