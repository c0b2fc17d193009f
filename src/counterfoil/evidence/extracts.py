"""Stills and clips: asked for on the desk, made in the background as derived exhibits, with how far they are."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import queries as cases
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.engines.media.moments import understood
from counterfoil.evidence import rules
from counterfoil.evidence.actions import derivable, derive
from counterfoil.evidence.models import Extract
from counterfoil.ledger.actions import record

log = logging.getLogger(__name__)
TASKS = {
    "still": "counterfoil.engines.media.pictures:still",
    "clip": "counterfoil.engines.media.clip:clip",
}
# What a person gives for each, with the name of the field it is typed in.
ASKED = {"still": {"at": "at"}, "clip": {"from": "start", "to": "end", "how": "how"}}
# An extract that has said nothing for so long is being made by nobody any more.
STALLED = timedelta(hours=1)


@dataclass(frozen=True)
class ExtractCard:
    """An extract as plain values: `done` in percent, `said` why it was refused, `result` the exhibit it became."""

    id: UUID
    exhibit: UUID
    kind: str
    settings: Mapping[str, Any]
    title: str
    state: str
    done: int
    said: str
    asked_by: str
    asked_at: datetime
    result: UUID | None
    result_label: str


def _card(e: Extract) -> ExtractCard:
    return ExtractCard(
        id=e.pk,
        exhibit=e.exhibit_id,
        kind=e.kind,
        settings=e.settings,
        title=e.title,
        state=e.state,
        done=e.done,
        said=e.said,
        asked_by=e.asked_by.name,
        asked_at=e.asked_at,
        result=e.result_id,
        result_label=e.result.label if e.result else "",
    )


def extract_for(viewer: Viewer, case_id: UUID, extract_id: UUID) -> ExtractCard | None:
    """Return one extract on a case the viewer may see; None when refused and None when absent."""
    if not cases.why(viewer, case_id).allowed:
        return None
    found = Extract.objects.filter(pk=extract_id, exhibit__case_id=case_id)
    row = found.select_related("asked_by", "result").first()
    return None if row is None else _card(row)


def unfinished(exhibit_id: UUID) -> list[ExtractCard]:
    """Return what is still being made of an exhibit or was refused, newest first; the viewer may see the exhibit."""
    rows = Extract.objects.filter(exhibit_id=exhibit_id).exclude(state="made")
    return [_card(e) for e in rows.select_related("asked_by", "result").order_by("-asked_at")[:10]]


def ask(
    case_id: UUID, exhibit_id: UUID, *, kind: str, settings: Mapping[str, str], title: str, by: Viewer
) -> UUID:
    """Ask for a still or clip of an exhibit; the work process makes it. Returns the extract's id.

    The same wish by the same person is the same extract while it is being made, and after it was made.
    """
    needs(by, "officer", "make an exhibit from another")
    shown = rules.clean_title(title)
    wanted = {name: " ".join(str(settings.get(name, "")).split()) for name in ASKED[kind]}
    if kind == "clip" and wanted["how"] not in ("lossless", "exact"):
        raise BadInput("how", "Choose the same packets with handles, or exactly these frames encoded anew.")
    with transaction.atomic():
        case = cases.lock_case(case_id)
        # What is plainly wrong is said at once; what only the recording itself can tell is said when it is read.
        frames = derivable(case_id, exhibit_id, by).technical.get("frames")
        for name, field in ASKED[kind].items():
            if name != "how":
                understood(field, wanted[name], frames if isinstance(frames, int) else None)
        if case.state != "open":
            raise NotAllowed("This case is closed. Reopen it before you make an exhibit from another.")
        same = Extract.objects.filter(
            exhibit_id=exhibit_id, kind=kind, settings=wanted, title=shown, asked_by_id=by.uuid
        )
        before = same.exclude(state="refused").first()
        if before:
            return before.pk
        now = timezone.now()
        made = Extract.objects.create(
            id=uuid4(),
            exhibit_id=exhibit_id,
            kind=kind,
            settings=wanted,
            title=shown,
            asked_by_id=by.id,
            asked_at=now,
            touched_at=now,
        )
        record(
            "extract.asked",
            by=by,
            on=("extract", made.pk),
            thread=case_id,
            exhibit=str(exhibit_id),
            kind=kind,
        )
        # The task row is written in this same transaction, so an acknowledged wish is never forgotten.
        make.enqueue(str(made.pk))
    return made.pk


@task()
def make(extract_id: str) -> None:
    """Make one extract that was asked for, in the work process."""
    make_extract(UUID(extract_id))


def make_extract(extract_id: UUID) -> None:
    """Carry out the recipe of an extract and keep what it gives as an exhibit. Idempotent; safe to run again.

    A refusal is kept as a sentence, and what was asked for stays to be put right and asked again.
    """
    row = Extract.objects.select_related("exhibit").get(pk=extract_id)
    if not _set(row, "waiting", state="making"):
        return
    told = 0.0

    def tell(facts: dict[str, Any]) -> None:
        nonlocal told
        done, now = facts.get("done"), time.monotonic()
        if isinstance(done, int | float) and now - told >= 1:
            told = now
            _set(row, "making", done=max(0, min(99, int(done * 100))))

    try:
        result = derive(
            row.exhibit.case_id,
            row.exhibit_id,
            task=TASKS[row.kind],
            settings=row.settings,
            title=row.title,
            by=accounts.viewer_for(str(row.asked_by_id)),
            on_progress=tell,
        )
    except Refusal as refusal:
        _set(row, "making", state="refused", said=str(refusal)[:500])
        return
    except Exception:
        log.exception("extract %s was not made", extract_id)
        _set(row, "making", state="refused", said="Something went wrong, and it was noted. Ask for it again.")
        return
    _set(row, "making", state="made", done=100, said="", result_id=result)


def _set(row: Extract, before: str, **changed: Any) -> bool:
    """Change an extract that is still in the state it was in; say whether it was."""
    found = Extract.objects.filter(pk=row.pk, state=before)
    return bool(found.update(touched_at=timezone.now(), **changed))


def sweep(now: datetime) -> int:
    """Ask again for extracts that nobody makes any more (the process was stopped); return how many.

    What was kept before it stopped is found again: the same recipe by the same person is the same exhibit.
    """
    stuck = list(
        Extract.objects.filter(state__in=["waiting", "making"], touched_at__lt=now - STALLED).values_list(
            "pk", flat=True
        )
    )
    Extract.objects.filter(pk__in=stuck).update(state="waiting", done=0, touched_at=now)
    for pk in stuck:
        make.enqueue(str(pk))
    return len(stuck)
