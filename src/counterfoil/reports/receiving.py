"""Files that arrive in pieces: begin, append, finish into quarantine, throw away what was left; all idempotent.

Whoever may send is decided by the page: it names the owner, `draft:<id>` of this session or `case:<id>` that the
officer works on, and sees no upload of another owner. The bytes wait with `engines.tus` until the last one is durable;
then they are read back, get their place in quarantine by a second name (no copy), and one transaction lists the file
and forgets the partial. A process that stops in between leaves work for `sweep`, which the clock runs.
"""

import logging
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet, Sum
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import Corrupt, Refusal
from counterfoil.engines.sniff import NEEDED, Kind, sniff
from counterfoil.engines.tus import Creation, Partials, Patch, State, Stop, Whole
from counterfoil.engines.tus.store import Body
from counterfoil.engines.vault import Stored
from counterfoil.ledger.actions import record
from counterfoil.plugs.stores import taking_in
from counterfoil.reports.models import Draft, Partial, Upload
from counterfoil.reports.rules import plain_name

log = logging.getLogger(__name__)
FILES_LIMIT = 30
TOUCH = timedelta(minutes=1)


def store() -> Partials:
    """Return the store where unfinished uploads wait."""
    return Partials(Path(settings.COUNTERFOIL_HOME) / "quarantine" / "incoming", clock=time.time, head=NEEDED)


def has_room(size: int = 0) -> bool:
    """Say whether a file of `size` bytes may come in: the free space kept for reports stays free."""
    return shutil.disk_usage(settings.COUNTERFOIL_HOME).free - size >= settings.KEEP_FREE


@dataclass(frozen=True)
class Sent:
    """An upload as its sender's client may know it. `expires` is None once it is complete."""

    id: UUID
    offset: int
    length: int | None
    metadata: str
    concat: str
    expires: datetime | None


@dataclass(frozen=True)
class Waiting:
    """An unfinished file, for the page that offers to go on with it."""

    id: UUID
    name: str
    metadata: str
    offset: int
    length: int | None


class Receiving:
    """Everything one sender may do with uploads in pieces, for one owner."""

    def __init__(self, owner: str, *, by: Viewer) -> None:
        self.owner, self.by = owner, by
        self.store = store()

    @property
    def limit(self) -> int:
        """The most bytes one file may have."""
        return int(settings.FILE_LIMIT)

    def begin(self, asked: Creation) -> Sent:
        """Start an upload and return it; `Stop` with the reason when it cannot be taken."""
        self._still_open()
        if asked.concat == "final":
            return self._join(asked)
        self._fits(asked.length, part=asked.concat == "partial")
        row = self._row(asked, asked.length)
        self.store.create(row.pk.hex, length=asked.length)
        return self._sent(row, self._state(row))

    def _row(self, asked: Creation, length: int | None) -> Partial:
        return Partial.objects.create(
            id=uuid4(),
            owner=self.owner,
            sent_by=self.by.id,
            name=plain_name(asked.name),
            metadata=asked.raw,
            length=length,
            part=asked.concat == "partial",
            started_at=timezone.now(),
        )

    def _join(self, asked: Creation) -> Sent:
        """Make one upload of complete parts of the same owner, finish it, and throw the parts away."""
        ids = [_id_at_end(address) for address in asked.parts]
        rows = {
            r.pk: r for r in Partial.objects.filter(owner=self.owner, part=True, pk__in=[i for i in ids if i])
        }
        if not all(i in rows for i in ids):
            raise Stop("parts")
        parts = [rows[i] for i in ids if i]
        length = sum(p.length or 0 for p in parts)
        self._fits(length, joining=True)
        row = self._row(asked, length)
        _let_go()
        self.store.join(row.pk.hex, [p.pk.hex for p in parts])
        sent = self._after(row)
        for part in rows.values():
            discard(part.pk)
        return sent

    def find(self, upload: UUID) -> Sent | None:
        """Return an upload of this owner, finished or not; None when there is none. `Stop("gone")` when it expired."""
        row = Partial.objects.filter(pk=upload, owner=self.owner).first()
        if row is not None:
            return self._sent(row, self._state(row))
        done = _finished(self.owner, upload)
        return None if done is None else Sent(upload, done.size, done.size, "", "", None)

    def append(self, upload: UUID, asked: Patch, body: Body, sent: int | None) -> Sent | None:
        """Append a body, durably, and return how far the upload is; when it is complete, it is in quarantine too."""
        row = Partial.objects.filter(pk=upload, owner=self.owner).first()
        if row is None:
            done = _finished(self.owner, upload)
            if done is not None and asked.offset != done.size:
                raise Stop("offset")
            return None if done is None else Sent(upload, done.size, done.size, "", "", None)
        self._still_open()
        state = self._state(row)
        if asked.length is not None and row.length is None:
            self._fits(asked.length, part=row.part, besides=row)
            Partial.objects.filter(pk=row.pk).update(length=asked.length)
        elif not has_room():
            raise Stop("no-room")
        _let_go()
        self.store.append(
            row.pk.hex,
            asked.offset,
            body,
            sent=sent,
            checksum=asked.checksum,
            length=asked.length,
            at_most=self.limit if state.length is None else None,
        )
        return self._after(row)

    def _after(self, row: Partial) -> Sent:
        """Return how far an upload is; when every byte is here, make a file of it."""
        state = self._state(row)
        if self.owner.startswith("draft:"):
            now = timezone.now()
            Draft.objects.filter(pk=self.owner[6:], touched_at__lt=now - TOUCH).update(touched_at=now)
        if state.complete and not row.part:
            finish(row.pk)
            return Sent(row.pk, state.offset, state.length, row.metadata, "", None)
        return self._sent(row, state)

    def drop(self, upload: UUID) -> bool:
        """Throw an upload away; say whether there was one. A file that was sent with a report or to a case stays."""
        row = Partial.objects.filter(pk=upload, owner=self.owner).first()
        if row is not None:
            discard(row.pk)
            return True
        done = _finished(self.owner, upload)
        if done is None:
            return False
        if done.draft_id is None or done.report_id is not None:
            raise Stop("closed")
        return bool(
            Upload.objects.filter(pk=upload, report=None, removed_at=None).update(removed_at=timezone.now())
        )

    def _state(self, row: Partial) -> State:
        state = self.store.state(row.pk.hex)
        if state is None:
            raise Stop("absent")
        if _expires(state) <= timezone.now():
            raise Stop("gone")
        return state

    def _sent(self, row: Partial, state: State) -> Sent:
        concat = "partial" if row.part else ""
        return Sent(row.pk, state.offset, state.length, row.metadata, concat, _expires(state))

    def _still_open(self) -> None:
        if self.owner.startswith("draft:") and not _open_draft(self.owner):
            raise Stop("closed")

    def _fits(
        self, length: int | None, *, part: bool = False, besides: Partial | None = None, joining: bool = False
    ) -> None:
        """Stop when a file of this length cannot be taken: empty, too big, too many, together too much, or no room."""
        if length == 0:
            raise Stop("empty")
        if length is not None and length > self.limit:
            raise Stop("too-big")
        unfinished = Partial.objects.filter(owner=self.owner)
        if besides is not None:
            unfinished = unfinished.exclude(pk=besides.pk)
        here = _uploads_of(self.owner)
        public = self.owner.startswith("draft:")
        if public and not joining:
            if not part and here.count() + unfinished.filter(part=False).count() >= FILES_LIMIT:
                raise Stop("too-many")
            if part and unfinished.count() >= FILES_LIMIT * 10:
                raise Stop("too-many")
            held = (here.aggregate(n=Sum("size"))["n"] or 0) + (
                unfinished.aggregate(n=Sum("length"))["n"] or 0
            )
            if held + (length or 0) > settings.DRAFT_LIMIT:
                raise Stop("too-much")
        if not has_room(length or 0):
            raise Stop("no-room")


def check_room(draft: Draft, size: int | None) -> None:
    """Stop when a plain upload does not fit a draft: the same limits as for one in pieces."""
    Receiving(f"draft:{draft.pk}", by=Viewer.public())._fits(size)


def unfinished(owner: str) -> list[Waiting]:
    """Return the files of an owner of which some bytes are still to come, oldest first."""
    found, waiting = store(), []
    for row in Partial.objects.filter(owner=owner, part=False).order_by("started_at"):
        state = found.state(row.pk.hex)
        if state is not None and _expires(state) > timezone.now():
            waiting.append(Waiting(row.pk, row.name, row.metadata, state.offset, state.length))
    return waiting


def finish(partial: UUID) -> None:
    """Make a file of a complete upload: read back, in quarantine, listed. Doing it again changes nothing.

    `Stop("closed")` when the report was sent meanwhile, `Stop("corrupt")` when the disk lost bytes that it had taken;
    the upload is thrown away then.
    """
    row = Partial.objects.filter(pk=partial).first()
    if row is None:
        return
    if _orphan(row):
        discard(row.pk)
        raise Stop("closed")
    _let_go()
    try:
        with store().finishing(row.pk.hex) as whole:
            listed = _list(row, whole)
    except Corrupt as wrong:
        log.error("an upload is not what was acknowledged: %s", wrong)
        discard(row.pk)
        raise Stop("corrupt") from wrong
    if not listed:
        discard(row.pk)
        raise Stop("closed")
    store().drop(row.pk.hex)


def _list(row: Partial, whole: Whole) -> bool:
    """Put the bytes in quarantine and the file on its owner, and forget the partial; False when the owner is closed."""
    with taking_in() as quarantine:
        stored = whole.into(quarantine)
        with transaction.atomic():
            draft = None
            if row.owner.startswith("draft:"):
                # Locked: a file is either part of the report that is just being sent, or refused, never forgotten.
                draft = Draft.objects.select_for_update().filter(pk=row.owner[6:], sent_as=None).first()
                if draft is None:
                    return False
            if Partial.objects.select_for_update().filter(pk=row.pk).exists():
                _make(row.pk, row.owner, row.sent_by, row.name, sniff(whole.head), stored, draft)
                Partial.objects.filter(pk=row.pk).delete()
    return True


def _make(
    pk: UUID, owner: str, sent_by: str, name: str, kind: Kind, stored: Stored, draft: Draft | None
) -> Upload:
    """List a file whose bytes are in quarantine; what an officer adds is an entry."""
    here = Upload.objects.filter(draft=draft) if draft else Upload.objects.filter(owner=owner)
    now = timezone.now()
    upload = Upload.objects.create(
        id=pk,
        draft=draft,
        owner="" if draft else owner,
        sent_by="" if draft else sent_by,
        number=(here.aggregate(n=Max("number"))["n"] or 0) + 1,
        name=name,
        media_type=kind.media_type,
        extension=kind.extension,
        sha256=stored.sha256,
        size=stored.size,
        received_at=now,
    )
    if draft:
        Draft.objects.filter(pk=draft.pk).update(touched_at=now)
    else:
        noun, _, thing = owner.partition(":")
        record(
            "upload.received",
            by=Viewer(sent_by),
            on=("upload", pk),
            thread=thing if noun == "case" else None,
            sha256=stored.sha256,
            size=stored.size,
        )
    return upload


def add_file(owner: str, name: str, stream: BinaryIO, *, by: Viewer) -> UUID:
    """Take one whole file for an owner that is no draft (a plain form without scripts), and return its id."""
    size = stream.seek(0, 2)
    Receiving(owner, by=by)._fits(size)
    stream.seek(0)
    kind = sniff(stream.read(NEEDED))
    stream.seek(0)
    with taking_in() as quarantine:
        stored = quarantine.add(stream, limit=settings.FILE_LIMIT)
        with transaction.atomic():
            return _make(uuid4(), owner, by.id, plain_name(name), kind, stored, None).pk


def discard(partial: UUID) -> None:
    """Throw an unfinished upload and its bytes away."""
    Partial.objects.filter(pk=partial).delete()
    store().drop(partial.hex)


def sweep(now: datetime) -> int:
    """Finish what is complete, throw away what expired or belongs to nothing any more; return how many."""
    found, done = store(), 0
    # Looked up before the rows: a folder is made after its row, so one without a row is left over.
    names = found.names()
    for row in list(Partial.objects.all()):
        try:
            state = found.state(row.pk.hex)
            if state is None:
                old = row.started_at < now - timedelta(hours=1)
                done += Partial.objects.filter(pk=row.pk).delete()[0] if old else 0
            elif _expires(state) <= now or _orphan(row):
                discard(row.pk)
                done += 1
            elif state.complete and not row.part:
                finish(row.pk)
                done += 1
        except (Refusal, OSError) as later:
            if not isinstance(later, Stop):
                log.warning("an upload could not be swept; it will be tried again: %s", type(later).__name__)
    known = {pk.hex for pk in Partial.objects.values_list("pk", flat=True)}
    for name in names:
        if name not in known:
            done += found.drop(name)
    return done + found.clear(older_than=lambda at: at <= (now - timedelta(hours=1)).timestamp())


def _orphan(row: Partial) -> bool:
    return row.owner.startswith("draft:") and not _open_draft(row.owner)


def _open_draft(owner: str) -> bool:
    return Draft.objects.filter(pk=owner.partition(":")[2], sent_as=None).exists()


def _expires(state: State) -> datetime:
    return datetime.fromtimestamp(state.touched, tz=UTC) + settings.UPLOAD_LIFE


def _uploads_of(owner: str) -> QuerySet[Upload]:
    noun, _, thing = owner.partition(":")
    mine = {"draft_id": thing} if noun == "draft" else {"owner": owner}
    return Upload.objects.filter(removed_at=None, **mine)


def _finished(owner: str, upload: UUID) -> Upload | None:
    return _uploads_of(owner).filter(pk=upload).first()


def _id_at_end(address: str) -> UUID | None:
    try:
        return UUID(address.rstrip("/").rpartition("/")[2])
    except ValueError:
        return None


def _let_go() -> None:
    """Give the database connection back before bytes are waited for: slow senders must not hold all of them."""
    if not connection.in_atomic_block:
        connection.close()
