"""Redaction of an exhibit: begin, look, decide step by step, and have the result made as a derived exhibit.

The one who reviews is named in every entry. What is removed is decided by people; the detector only proposes.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.rules import clean_reason
from counterfoil.engines import sandbox
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.engines.redaction.plan import turning_points
from counterfoil.engines.tlog import jcs
from counterfoil.evidence import recipes, redacting, rules
from counterfoil.evidence.actions import derive
from counterfoil.evidence.models import Exhibit, Redaction
from counterfoil.evidence.restricting import forget_bytes
from counterfoil.ledger.actions import record
from counterfoil.plugs.stores import vault

log = logging.getLogger(__name__)
TASKS = "counterfoil.engines.redaction.tasks"
LIMITS = sandbox.Limits(memory=3 << 30, cpu_s=8 * 3600, wall_s=6 * 3600, file_bytes=64 << 30)
QUICK = sandbox.Limits(memory=1 << 30, cpu_s=60, wall_s=60)
SITTING = timedelta(hours=1)
STALLED = timedelta(hours=1)


@dataclass(frozen=True)
class RedactionCard:
    """A redaction as plain values. `plan` is the plan as the work stands; `tracks` have their decisions."""

    id: UUID
    case: UUID
    exhibit: UUID
    kind: str
    state: str
    stage: str
    error: str
    asked_by: str
    asked_at: datetime
    found: Mapping[str, Any]
    work: Mapping[str, Any]
    plan: Mapping[str, Any]
    tracks: list[dict[str, Any]]
    turning: list[tuple[int, str]]
    title: str
    reviewed_at: datetime | None
    result: UUID | None
    result_label: str


def kind_of(media_type: str) -> str:
    """Return which kind of redaction fits a media type, or "" when it cannot be redacted here."""
    if media_type.startswith("video/"):
        return "film"
    if media_type.startswith("audio/"):
        return "sound"
    if media_type in ("image/jpeg", "image/png", "image/gif", "image/webp"):
        return "picture"
    return {"application/pdf": "pages", "text/plain": "text"}.get(media_type, "")


def _card(r: Redaction) -> RedactionCard:
    ready = bool(r.found)
    plan = redacting.plan_of(r.found, r.work) if ready else {}
    return RedactionCard(
        id=r.pk,
        case=r.case_id,
        exhibit=r.exhibit_id,
        kind=r.kind,
        state=r.state,
        stage=r.stage,
        error=r.error,
        asked_by=r.asked_by.name,
        asked_at=r.asked_at,
        found=r.found,
        work=redacting.fresh(r.work),
        plan=plan,
        tracks=redacting.tracks_of(r.found, r.work) if ready else [],
        turning=turning_points(plan) if ready else [],
        title=r.title,
        reviewed_at=r.reviewed_at,
        result=r.result_id,
        result_label=r.result.label if r.result else "",
    )


def redaction_for(viewer: Viewer, case_id: UUID, redaction_id: UUID) -> RedactionCard | None:
    """Return one redaction on a case the viewer may see; None when refused and None when absent."""
    if not cases.why(viewer, case_id).allowed:
        return None
    found = (
        Redaction.objects.filter(pk=redaction_id, case_id=case_id)
        .select_related("asked_by", "result")
        .first()
    )
    return None if found is None else _card(found)


def redactions_of(viewer: Viewer, case_id: UUID, exhibit_id: UUID) -> list[RedactionCard]:
    """Return an exhibit's redactions, newest first; the caller has decided that the viewer may see the case."""
    found = Redaction.objects.filter(case_id=case_id, exhibit_id=exhibit_id)
    return [_card(r) for r in found.select_related("asked_by", "result").order_by("-asked_at")]


def sheets_of(exhibit_id: UUID) -> list[tuple[str, int]]:
    """Return digest and size of every pack of review pictures of an exhibit: they show all of it."""
    kept = Redaction.objects.filter(exhibit_id=exhibit_id).exclude(sheets_sha256="")
    return list(kept.values_list("sheets_sha256", "sheets_size"))


def known_sheets() -> list[tuple[str, int]]:
    """Return digest and size of every pack of review pictures, for the vault's check."""
    return list(Redaction.objects.exclude(sheets_sha256="").values_list("sheets_sha256", "sheets_size"))


def _may(exhibit: Exhibit) -> None:
    """Refuse an exhibit from which nothing may be derived, and one that is no longer held."""
    if not rules.may_derive(exhibit):
        raise NotAllowed(
            "Nothing is ever made from this exhibit, not even a redaction: it is restricted or gone."
        )
    rules.CUSTODY.after(exhibit.state, "redact")


def _allowed(case_id: UUID, by: Viewer) -> None:
    needs(by, "officer", "redact an exhibit")
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")


@transaction.atomic
def begin(case_id: UUID, exhibit_id: UUID, *, by: Viewer) -> UUID:
    """Begin a redaction: the exhibit is looked at in the background, frame by frame. Returns the redaction's id.

    One that is still being prepared or reviewed is returned as it is, so that work is never done twice.
    """
    _allowed(case_id, by)
    case = cases.lock_case(case_id)
    if case.state != "open":
        raise NotAllowed("This case is closed. Reopen it before you redact an exhibit.")
    exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
    if exhibit is None:
        raise NotAllowed("There is no such exhibit on this case.")
    _may(exhibit)
    kind = kind_of(exhibit.media_type)
    if not kind:
        raise NotAllowed(f"An exhibit of the type {exhibit.media_type} cannot be redacted here.")
    busy = Redaction.objects.filter(exhibit=exhibit, state__in=["preparing", "reviewing"]).first()
    if busy:
        return busy.pk
    made = Redaction.objects.create(
        id=uuid4(),
        case_id=case_id,
        exhibit=exhibit,
        kind=kind,
        stage="Waiting for its turn",
        asked_by_id=by.id,
        asked_at=timezone.now(),
        work=redacting.EMPTY,
    )
    record("redaction.begun", by=by, on=("redaction", made.pk), thread=case_id, exhibit=str(exhibit_id))
    # The task row is written in this same transaction, so an acknowledged wish is never forgotten.
    look_at.enqueue(str(made.pk))
    return made.pk


@task()
def look_at(redaction_id: str) -> None:
    """Look at one exhibit for its review, in the work process."""
    prepare(UUID(redaction_id))


@task()
def make_it(redaction_id: str) -> None:
    """Make one redaction that was reviewed, in the work process."""
    make(UUID(redaction_id))


def _stage(redaction_id: UUID) -> Callable[[Mapping[str, Any]], None]:
    """Return what keeps how far the sandbox is, at most once a second."""
    told = 0.0

    def tell(said: Mapping[str, Any]) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= 1 and isinstance(said.get("frame"), int):
            told = now
            Redaction.objects.filter(pk=redaction_id).update(
                stage=f"Frame {said['frame']:,}", stage_at=timezone.now()
            )

    return tell


def prepare(redaction_id: UUID) -> None:
    """Draw every frame for review and propose tracks of faces. Idempotent; a failure is kept as a sentence."""
    row = Redaction.objects.select_related("exhibit").get(pk=redaction_id)
    if row.state != "preparing":
        return
    try:
        _may(row.exhibit)
        with recipes.master(row.exhibit.sha256) as path, recipes.workshop() as out:
            sandbox.run(
                f"{TASKS}:prepare",
                {"file": path},
                out,
                {"kind": row.kind, "faces": True},
                limits=LIMITS,
                on_progress=_stage(redaction_id),
            )
            found = _found(out / "review.json")
            pack = out / ("text.txt" if row.kind == "text" else "frames.pack")
            stored = None
            if pack.is_file() and pack.stat().st_size:
                with pack.open("rb") as f:
                    stored = vault().add(f)
    except Refusal as e:
        _fail(redaction_id, str(e))
        return
    except Exception:
        log.exception("redaction %s was not prepared", redaction_id)
        _fail(redaction_id, "Something went wrong while it was looked at, and it was noted. Begin again.")
        return
    listed = Redaction.objects.filter(pk=redaction_id, state="preparing").update(
        state="reviewing",
        stage="",
        kind=found["kind"],
        found=found,
        sheets_sha256=stored.sha256 if stored else "",
        sheets_size=stored.size if stored else 0,
    )
    if not listed and stored:
        # Restricted while it was drawn: nothing of it is kept.
        forget_bytes([stored.sha256])


def _found(path: Path) -> dict[str, Any]:
    """Return what the sandbox found, checked: only the parts we know, only whole numbers and short words."""
    raw = json.loads(path.read_bytes())
    numbers = {k: int(raw[k]) for k in ("frames", "width", "height", "letters", "length_ms")}
    tracks = [
        {
            "id": str(t["id"])[:12],
            "keys": [[int(v) for v in key[:5]] for key in t["keys"]],
            **{k: int(t[k]) for k in ("first", "last", "sure", "seen")},
        }
        for t in raw["tracks"]
    ]
    lists = {k: [[int(v) for v in pair[:2]] for pair in raw[k]] for k in ("places", "sizes")}
    return {
        "kind": str(raw["kind"]),
        "detector": str(raw["detector"])[:300],
        "times": [int(v) for v in raw["times"]],
        "bars": [min(100, max(0, int(v))) for v in raw["bars"]],
        "tracks": tracks,
        **numbers,
        **lists,
    }


@transaction.atomic
def _fail(redaction_id: UUID, sentence: str) -> None:
    row = Redaction.objects.filter(pk=redaction_id).values("case_id", "state").first()
    if row is None:
        return
    cases.lock_case(row["case_id"])
    changed = Redaction.objects.filter(pk=redaction_id, state__in=["preparing", "making"]).update(
        state="failed", stage="", error=sentence[:300]
    )
    if changed:
        record("redaction.failed", by=Viewer.clock(), on=("redaction", redaction_id), thread=row["case_id"])


def sweep(now: datetime) -> int:
    """Mark redactions whose work stopped half way (the process was killed) as failed; return how many."""
    stuck = [
        r.pk
        for r in Redaction.objects.filter(state__in=["preparing", "making"], asked_at__lt=now - STALLED)
        if r.stage_at is not None and r.stage_at < now - STALLED
    ]
    for one in stuck:
        _fail(one, "The work on it stopped half way. Begin again.")
    return len(stuck)


def sit_down(case_id: UUID, redaction_id: UUID, *, by: Viewer) -> bool:
    """Record that a person looks at an exhibit's frames, once an hour, before any is shown; say whether they may."""
    if not cases.why(by, case_id).allowed:
        return False
    row = Redaction.objects.filter(pk=redaction_id, case_id=case_id).select_related("exhibit").first()
    if row is None or not row.found:
        return False
    _may(row.exhibit)
    now = timezone.now()
    if _sits(row, by, now):
        return True
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        cases.lock_case(case_id)
        row = Redaction.objects.select_for_update().get(pk=redaction_id)
        row.sittings[by.id] = now.astimezone(UTC).isoformat()
        row.save(update_fields=["sittings"])
        record("exhibit.viewed", by=by, on=("exhibit", row.exhibit_id), thread=case_id, redaction=str(row.pk))
    return True


def _sits(row: Redaction, by: Viewer, now: datetime) -> bool:
    at = row.sittings.get(by.id)
    return at is not None and datetime.fromisoformat(at) > now - SITTING


def frame(case_id: UUID, redaction_id: UUID, number: int, *, by: Viewer) -> bytes | None:
    """Return one frame for review as JPEG; None when refused, absent, or when no sitting was recorded."""
    if not cases.why(by, case_id).allowed:
        return None
    row = Redaction.objects.filter(pk=redaction_id, case_id=case_id).select_related("exhibit").first()
    if row is None or not row.sheets_sha256 or not _sits(row, by, timezone.now() - SITTING):
        return None
    _may(row.exhibit)
    places = row.found["places"]
    if not 0 <= number < len(places):
        return None
    place, size = places[number]
    with _pack(row) as pack:
        pack.seek(place)
        data = pack.read(size)
    return data if data[:2] == b"\xff\xd8" and len(data) == size else None


def text_of(case_id: UUID, redaction_id: UUID, *, by: Viewer) -> str | None:
    """Return the text under review; None when refused, absent, or when no sitting was recorded."""
    row = Redaction.objects.filter(pk=redaction_id, case_id=case_id, kind="text").first()
    if row is None or not row.sheets_sha256 or not cases.why(by, case_id).allowed:
        return None
    if not _sits(row, by, timezone.now()):
        return None
    with vault().open(row.sheets_sha256) as f:
        return f.read().decode("utf-8")


def _pack(row: Redaction) -> BinaryIO:
    # The pack was hashed when it was stored and fsck hashes it again; hashing it whole for each frame would not do.
    return vault().open(row.sheets_sha256, verify=False)


@transaction.atomic
def step(case_id: UUID, redaction_id: UUID, what: Mapping[str, Any], *, by: Viewer) -> None:
    """Do one step of the review: see `redacting.apply`. Its entry carries the digest of the plan as it stands then."""
    _allowed(case_id, by)
    cases.lock_case(case_id)
    row = Redaction.objects.select_for_update().filter(pk=redaction_id, case_id=case_id).first()
    if row is None or row.state != "reviewing":
        raise NotAllowed("This redaction is not under review any more.")
    now = timezone.now()
    said = {**what, "by": by.id, "at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if said.get("do") == "reject":
        reason = clean_reason(str(said.pop("reason", "")))
        said["reason_sha256"] = case_actions.keep_reason(case_id, "redaction.changed", reason, by=by)
    else:
        said.pop("reason", None)
        said.pop("reason_sha256", None)
    row.work = redacting.apply(row.work, said, row.found)
    row.save(update_fields=["work"])
    record(
        "redaction.changed",
        by=by,
        on=("redaction", row.pk),
        thread=case_id,
        step=str(said["do"]),
        **({"reason_sha256": said["reason_sha256"]} if "reason_sha256" in said else {}),
        plan_sha256=hashlib.sha256(jcs(redacting.plan_of(row.found, row.work))).hexdigest(),
    )


def search(case_id: UUID, redaction_id: UUID, words: str, *, by: Viewer) -> tuple[int, list[int]]:
    """Mark every place where words stand in a PDF or text; return (places found, pages without text to search).

    The words are searched for and forgotten: no entry and no plan holds them.
    """
    _allowed(case_id, by)
    terms = [" ".join(w.split()) for w in words.splitlines() if w.strip()]
    if not terms or any(len(t) < 2 or len(t) > 200 for t in terms) or len(terms) > 50:
        raise BadInput("words", "Give 1 to 50 words or phrases, one on each line, of at least 2 letters.")
    row = Redaction.objects.select_related("exhibit").filter(pk=redaction_id, case_id=case_id).first()
    if row is None or row.state != "reviewing" or row.kind not in ("pages", "text"):
        raise NotAllowed("Words can be searched for only in a PDF or a text under review.")
    _may(row.exhibit)
    with recipes.master(row.exhibit.sha256) as path, recipes.workshop() as out:
        hits = sandbox.run(
            f"{TASKS}:search",
            {"file": path},
            out,
            {"kind": row.kind, "words": terms},
            limits=QUICK,
        )
    count = len(hits.get("boxes", hits.get("cuts", [])))
    if count:
        step(case_id, redaction_id, {"do": "words", **hits}, by=by)
    return count, [int(p) for p in hits.get("silent", [])]


@transaction.atomic
def finish(case_id: UUID, redaction_id: UUID, title: str, *, reviewed: bool, by: Viewer) -> None:
    """Say that everything was reviewed and have the redacted exhibit made; refused while anything is undecided.

    The plan is fixed from here on: its digest is in the entry, with who reviewed and how many frames.
    """
    _allowed(case_id, by)
    called = rules.clean_title(title)
    cases.lock_case(case_id)
    row = (
        Redaction.objects.select_for_update(of=("self",))
        .select_related("exhibit")
        .filter(pk=redaction_id, case_id=case_id)
        .first()
    )
    if row is None or row.state != "reviewing":
        raise NotAllowed("This redaction is not under review any more.")
    _may(row.exhibit)
    now = timezone.now()
    if row.found["frames"] and by.id not in row.sittings:
        raise NotAllowed("You have not looked at the frames yet, so you cannot say that you reviewed them.")
    redacting.final_plan(row.found, row.work, reviewed=reviewed)
    row.state, row.title, row.stage, row.stage_at = "making", called, "Waiting for its turn", now
    row.reviewed_by, row.reviewed_at = by.id, now
    row.plan_sha256 = hashlib.sha256(jcs(settings_of(row))).hexdigest()
    row.save()
    record(
        "redaction.reviewed",
        by=by,
        on=("redaction", row.pk),
        thread=case_id,
        plan_sha256=row.plan_sha256,
        frames=row.found["frames"],
    )
    make_it.enqueue(str(row.pk))


def settings_of(row: Redaction) -> dict[str, Any]:
    """Return what the recipe of a redaction holds: its plan, and the review that allows it.

    The redaction's own id makes the digest one that nobody can find by trying plans.
    """
    decided = {
        t: {"decision": d["decision"], "by": d["by"], "reason_sha256": d["reason_sha256"]}
        for t, d in row.work.get("decisions", {}).items()
    }
    if row.reviewed_at is None:
        raise NotAllowed("Nobody has said yet that they reviewed it.")
    return {
        **redacting.final_plan(row.found, row.work, reviewed=True),
        "review": {
            "redaction": str(row.pk),
            "by": row.reviewed_by,
            "at": row.reviewed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "frames": row.found["frames"],
            "tracks": decided,
            "detector": row.found["detector"] or "CenterFace",
            "sheets_sha256": row.sheets_sha256,
        },
    }


def make(redaction_id: UUID) -> None:
    """Make the redacted exhibit from its fixed plan. Idempotent; a failure is kept as a sentence."""
    row = Redaction.objects.select_related("exhibit").get(pk=redaction_id)
    if row.state != "making":
        return
    settings = settings_of(row)
    try:
        _may(row.exhibit)
        if hashlib.sha256(jcs(settings)).hexdigest() != row.plan_sha256:
            raise NotAllowed("The plan is not the one that was reviewed. Begin again.")
        by = accounts.viewer_for(row.reviewed_by)
        result = derive(
            row.case_id,
            row.exhibit_id,
            task=f"{TASKS}:render",
            settings=settings,
            title=row.title,
            by=by,
            act="exhibit.redacted",
            on_progress=_stage(redaction_id),
        )
    except Refusal as e:
        _fail(redaction_id, str(e))
        return
    except Exception:
        log.exception("redaction %s was not made", redaction_id)
        _fail(redaction_id, "Something went wrong while it was made, and it was noted. Begin again.")
        return
    Redaction.objects.filter(pk=redaction_id, state="making").update(state="made", stage="", result_id=result)
