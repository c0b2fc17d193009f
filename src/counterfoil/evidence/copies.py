"""Working copies to look at, and the technical record: made in the background after an exhibit is sealed.

A copy is no exhibit: it can be made again from its recipe. That it was made is an entry, and so is every look at it.
Nothing is made of a restricted exhibit.
"""

import hashlib
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_tasks import task

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, Refusal
from counterfoil.engines.sandbox import Unreadable
from counterfoil.engines.tlog import jcs
from counterfoil.evidence import recipes
from counterfoil.evidence.models import Copy, Exhibit
from counterfoil.evidence.queries import ExhibitCard, exhibit_for
from counterfoil.evidence.restricting import forget_bytes
from counterfoil.evidence.rules import copies_of_type, may_derive
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.actions import record
from counterfoil.plugs.stores import vault

log = logging.getLogger(__name__)
ENGINE = "counterfoil.engines.media"
TASKS = {
    "poster": "pictures:poster",
    "thumbs": "pictures:thumbs",
    "waveform": "sound:waveform",
    "proxy": "proxy:proxy",
    "page": "pages:page",
}
# A copy that has said nothing for so long is being made by nobody any more.
STALLED = timedelta(hours=1)
# One look covers the requests of a player for parts of what was looked at.
LOOK = timedelta(hours=1)


@dataclass(frozen=True)
class CopyCard:
    """A working copy as plain values; only one whose state is `made` has bytes."""

    id: int
    kind: str
    number: int
    state: str
    done: int
    said: str
    sha256: str
    size: int
    media_type: str
    extension: str
    recipe: Mapping[str, Any]
    made_at: datetime | None


def _card(c: Copy) -> CopyCard:
    return CopyCard(
        id=c.pk,
        kind=c.kind,
        number=c.number,
        state=c.state,
        done=c.done,
        said=c.said,
        sha256=c.sha256,
        size=c.size,
        media_type=c.media_type,
        extension=c.extension,
        recipe=c.recipe or {},
        made_at=c.made_at,
    )


def copies_of(exhibit_id: UUID) -> list[CopyCard]:
    """Return the working copies of an exhibit; the caller has decided that the viewer may see it."""
    return [_card(c) for c in Copy.objects.filter(exhibit_id=exhibit_id).order_by("kind", "number")]


def copies_of_case(case_id: UUID) -> dict[UUID, list[CopyCard]]:
    """Return the working copies of a case's exhibits by exhibit, in one query."""
    found: dict[UUID, list[CopyCard]] = {}
    for c in Copy.objects.filter(exhibit__case_id=case_id).order_by("kind", "number"):
        found.setdefault(c.exhibit_id, []).append(_card(c))
    return found


def known_copies() -> list[tuple[str, int]]:
    """Return digest and size of every copy's object, for the vault's check."""
    return list(Copy.objects.filter(state="made").values_list("sha256", "size"))


def ask(exhibit_id: str) -> None:
    """Ask for the technical record and copies of an exhibit. Asking again changes nothing."""
    exhibit = Exhibit.objects.filter(pk=exhibit_id).first()
    if exhibit is None or not may_derive(exhibit):
        return
    with transaction.atomic():
        if Copy.objects.filter(exhibit=exhibit).exists() or exhibit.technical:
            return
        now = timezone.now()
        for kind in copies_of_type(exhibit.media_type):
            Copy.objects.create(exhibit=exhibit, kind=kind, number=int(kind == "page"), touched_at=now)
        make.enqueue(str(exhibit.pk))


@task()
def make(exhibit_id: str) -> None:
    """Make the technical record and the copies of one exhibit, in the work process."""
    make_copies(UUID(exhibit_id))


def make_copies(exhibit_id: UUID) -> None:
    """Read an exhibit's technical record and make the copies that wait. Idempotent; safe to run again.

    What cannot be read is kept as a sentence with the exhibit; the exhibit itself is as sealed as before.
    """
    exhibit = Exhibit.objects.get(pk=exhibit_id)
    if not may_derive(exhibit):
        Copy.objects.filter(exhibit=exhibit).exclude(state="made").delete()
        return
    waiting = Copy.objects.filter(exhibit=exhibit, state="waiting")
    if exhibit.technical and not waiting.exists():
        return
    try:
        with recipes.master(exhibit.sha256) as path:
            technical = exhibit.technical or _probe(exhibit, path)
            if "refused" in technical:
                waiting.update(state="refused", said=technical["refused"], touched_at=timezone.now())
                return
            _fit(exhibit, technical)
            order = {kind: n for n, kind in enumerate(TASKS)}
            for copy in sorted(waiting, key=lambda c: (order[c.kind], c.number)):
                _make(exhibit, copy, path, technical)
    except Exception as error:
        log.exception("copies of exhibit %s were not made", exhibit_id)
        said = str(error) if isinstance(error, Refusal) else "Something went wrong, and it was noted."
        waiting.update(state="refused", said=said[:500], touched_at=timezone.now())


def _probe(exhibit: Exhibit, path: Path) -> dict[str, Any]:
    """Read and keep the technical record; a refusal is kept as one."""
    try:
        found = recipes.look(path, f"{ENGINE}.probe:probe", {"media_type": exhibit.media_type})
    except Unreadable as refusal:
        found = {"refused": recipes.refusal_sentence(refusal), "reason": refusal.reason}
    with transaction.atomic():
        row = Exhibit.objects.select_for_update().get(pk=exhibit.pk)
        row.technical = found
        row.save(update_fields=["technical"])
        record(
            "exhibit.examined",
            by=Viewer.clock(),
            on=("exhibit", exhibit.pk),
            thread=exhibit.case_id,
            input_sha256=exhibit.sha256,
            technical_sha256=hashlib.sha256(jcs(found)).hexdigest(),
            readable="refused" not in found,
        )
    return found


def _fit(exhibit: Exhibit, technical: Mapping[str, Any]) -> None:
    """Drop the wishes that make no sense for what the file turned out to be; wish for every page of a document."""
    waiting = Copy.objects.filter(exhibit=exhibit, state="waiting")
    streams = {s.get("type") for s in technical.get("streams", [])}
    if technical.get("is") in ("video", "sound"):
        if "audio" not in streams:
            waiting.filter(kind="waveform").delete()
        if technical["is"] == "sound":
            waiting.filter(kind__in=["poster", "thumbs"]).delete()
    for number in range(2, min(int(technical.get("pages", 0)), 200) + 1):
        Copy.objects.get_or_create(
            exhibit=exhibit, kind="page", number=number, defaults={"touched_at": timezone.now()}
        )


def _make(exhibit: Exhibit, copy: Copy, path: Path, technical: Mapping[str, Any]) -> None:
    if not Copy.objects.filter(pk=copy.pk, state="waiting").update(state="making", touched_at=timezone.now()):
        return
    kind = str(technical.get("is", ""))
    task_name = TASKS[copy.kind]
    options: dict[str, Any] = {}
    if copy.kind == "poster":
        options = {"of": {"picture": "picture", "document": "document"}.get(kind, "recording")}
    elif copy.kind == "proxy" and kind == "picture":
        task_name = "pictures:safe"
    elif copy.kind == "page":
        options = {"page": copy.number}

    def tell(facts: dict[str, Any]) -> None:
        done = facts.get("done")
        if isinstance(done, int | float):
            percent = max(0, min(99, int(done * 100)))
            Copy.objects.filter(pk=copy.pk, state="making").update(done=percent, touched_at=timezone.now())

    try:
        result = recipes.carry_out(path, exhibit.sha256, f"{ENGINE}.{task_name}", options, on_progress=tell)
    except (Unreadable, BadInput) as refusal:
        log.info("no %s of exhibit %s: %s %s", copy.kind, exhibit.pk, refusal, getattr(refusal, "detail", ""))
        Copy.objects.filter(pk=copy.pk).update(
            state="refused", said=recipes.refusal_sentence(refusal), touched_at=timezone.now()
        )
        return
    if not _keep(exhibit, copy, result):
        # Restricted while we worked: no row names what was made, and its bytes go.
        forget_bytes([result.stored.sha256])


def _keep(exhibit: Exhibit, copy: Copy, result: recipes.Result) -> bool:
    """Keep a finished copy with its entry; False, and nothing kept, when the exhibit may not have one any more."""
    with transaction.atomic():
        row = Exhibit.objects.select_for_update().get(pk=exhibit.pk)
        if not may_derive(row):
            Copy.objects.filter(pk=copy.pk).delete()
            return False
        Copy.objects.filter(pk=copy.pk).update(
            state="made",
            done=100,
            said="",
            sha256=result.stored.sha256,
            size=result.stored.size,
            media_type=result.media_type,
            extension=result.extension,
            recipe=result.recipe,
            made_at=timezone.now(),
            touched_at=timezone.now(),
        )
        record(
            "exhibit.prepared",
            by=Viewer.clock(),
            on=("exhibit", exhibit.pk),
            thread=exhibit.case_id,
            copy=copy.kind,
            number=copy.number,
            copy_sha256=result.stored.sha256,
            recipe_sha256=recipes.digest(result.recipe),
            mode=result.recipe["mode"],
        )
    return True


def sweep_copies(now: datetime) -> int:
    """Ask again for copies that nobody makes any more (the process was stopped), and for any never asked for.

    Returns how many exhibits were asked for.
    """
    Copy.objects.filter(state="making", touched_at__lt=now - STALLED).update(state="waiting", done=0)
    stuck = set(
        Copy.objects.filter(state="waiting", touched_at__lt=now - STALLED).values_list(
            "exhibit_id", flat=True
        )
    )
    Copy.objects.filter(exhibit_id__in=stuck, state="waiting").update(touched_at=now)
    for exhibit_id in stuck:
        make.enqueue(str(exhibit_id))
    never = Exhibit.objects.filter(technical={}, taken_at__lt=now - timedelta(minutes=2))
    asked = [e for e in never.exclude(pk__in=Copy.objects.values("exhibit_id"))[:100] if may_derive(e)]
    for exhibit in asked:
        ask(str(exhibit.pk))
    _clear_workshop(now)
    return len(stuck) + len(asked)


def _clear_workshop(now: datetime) -> None:
    """Remove what a process that was stopped left in the workshop; nothing there was ever kept."""
    home = Path(settings.COUNTERFOIL_HOME) / "making"
    limit = (now - timedelta(days=1)).timestamp()
    for folder in home.iterdir() if home.is_dir() else ():
        if folder.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)


def look_at(case_id: UUID, exhibit_id: UUID, *, by: Viewer) -> tuple[ExhibitCard, list[CopyCard]] | None:
    """Record that an exhibit's copies are looked at, commit, then return them; None when refused or absent.

    The one entry names every copy that the page shows. Without copies that are made there is no entry.
    """
    card = exhibit_for(by, case_id, exhibit_id)
    if card is None:
        return None
    copies = copies_of(exhibit_id) if may_derive(card) else []
    shown = [c for c in copies if c.state == "made"]
    if shown:
        _enter(case_id, exhibit_id, shown, by)
    return card, copies


def open_copy(
    case_id: UUID, exhibit_id: UUID, copy_id: int, *, by: Viewer
) -> tuple[CopyCard, BinaryIO] | None:
    """Return a copy and its bytes once that it is looked at is an entry; None when refused or absent.

    A look by the same person within the hour that named this copy covers it: a player asks for many parts.
    """
    card = exhibit_for(by, case_id, exhibit_id)
    if card is None or not may_derive(card):
        return None
    found = Copy.objects.filter(pk=copy_id, exhibit_id=exhibit_id, state="made").first()
    if found is None:
        return None
    copy = _card(found)
    looks = ledger.recent("exhibit.viewed", by, ("exhibit", exhibit_id), timezone.now() - LOOK)
    if not any(copy.sha256 in line.body.get("copies", ()) for line in looks):
        _enter(case_id, exhibit_id, [copy], by)
    # A copy's digest is checked when it is made and by the vault's check; a player that jumps must not wait for it.
    return copy, vault().open(copy.sha256, verify=False)


def _enter(case_id: UUID, exhibit_id: UUID, shown: Sequence[CopyCard], by: Viewer) -> None:
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        record(
            "exhibit.viewed",
            by=by,
            on=("exhibit", exhibit_id),
            thread=case_id,
            copies=sorted({c.sha256 for c in shown}),
        )
