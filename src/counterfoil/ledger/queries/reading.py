"""Entries, proofs and the newest checkpoint."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, QuerySet

from counterfoil.engines.clock import London
from counterfoil.engines.tlog import TileDir
from counterfoil.ledger.models import Checkpoint, Entry

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
    """One entry as plain values, for pages and bundles.

    Of an entry whose content is gone only act, subject, thread, time, commitment and index are left; `erased_by` is
    the index of the entry that says why (None while that one waits for its own).
    """

    id: UUID
    act: str
    by: str
    subject: str
    at: datetime
    body: dict[str, Any]
    salt: bytes
    commitment: bytes
    index: int | None
    gone: bool = False
    erased_by: int | None = None


def _lines(found: QuerySet[Entry]) -> list[Line]:
    rows = list(found.order_by("at", "id"))
    why = {bytes(e.gone_by) for e in rows if e.gone_by is not None}
    index = dict(Entry.objects.filter(commitment__in=why).values_list("commitment", "index")) if why else {}
    by = {bytes(c): i for c, i in index.items()}
    return [_line(e, by) for e in rows]


def _line(e: Entry, why: Mapping[bytes, int | None]) -> Line:
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
        gone=e.gone_by is not None,
        erased_by=why.get(bytes(e.gone_by)) if e.gone_by is not None else None,
    )


def line(entry_id: UUID) -> Line:
    """Return one entry by its id, for the action that wrote it."""
    return _lines(Entry.objects.filter(pk=entry_id))[0]


def entries_of(viewer: Someone, kind: str, subject_id: UUID | str) -> list[Line]:
    """Return the entries about one thing in order. The caller has already decided that `viewer` may see the thing."""
    return _lines(Entry.objects.filter(subject_kind=kind, subject_id=str(subject_id)))


def recent(act: str, by: Someone, on: tuple[str, UUID | str], since: datetime) -> list[Line]:
    """Return one person's entries of one act on one thing since a time, in order."""
    found = Entry.objects.filter(act=act, by=by.id, subject_kind=on[0], subject_id=str(on[1]))
    return _lines(found.filter(at__gte=since))


def entries_of_thread(viewer: Someone, thread: UUID | str) -> list[Line]:
    """Return the entries of one case in order. The caller has already decided that `viewer` may see the case."""
    return _lines(Entry.objects.filter(thread=thread))


def proof_of(index: int, size: int) -> list[bytes]:
    """Return the inclusion proof of the entry at `index` in the tree of `size`, from the published tiles."""
    return log_folder().inclusion(index, size)


@dataclass(frozen=True)
class Lost:
    """Entries whose content was lost with a database that was restored: how many, and when that was decided."""

    entries: int
    at: datetime

    @property
    def sentence(self) -> str:
        """Say it for a person who reads about one thing: nobody knows what the lost entries were about."""
        many = "1 entry" if self.entries == 1 else f"{self.entries} entries"
        day = self.at.astimezone(London).strftime("%-d %B %Y")
        return (
            f"What {many} of this force's log said was lost when a backup was restored on {day}. Their places in the "
            "log stay. Nobody knows what they were about, so one of them may be missing here."
        )


def lost() -> Lost | None:
    """Return what was lost of the log in restores, or None when nothing was."""
    found = Entry.objects.filter(act="log.lost").aggregate(n=Count("pk"), at=Max("at"))
    return Lost(found["n"], found["at"]) if found["n"] else None


def growth_of(old: int, new: int) -> list[bytes]:
    """Return the proof that the log of `new` entries grew from that of `old`, from the published tiles."""
    return log_folder().consistency(old, new)


def checkpoint_of(size: int) -> Checkpoint | None:
    """Return the checkpoint of a size, or None."""
    return Checkpoint.objects.filter(size=size).first()


def first_checkpoint_over(index: int) -> Checkpoint | None:
    """Return the first checkpoint whose log holds the entry of this index, or None while there is none."""
    return Checkpoint.objects.filter(size__gt=index).order_by("size").first()


def newest_checkpoint() -> Checkpoint | None:
    """Return the newest signed checkpoint, or None while the log is empty."""
    return Checkpoint.objects.order_by("-size").first()
