"""Every way to change reports: keep a draft, take files into quarantine, accept a report, tell its sender."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.refs import new_passphrase, new_reference
from counterfoil.engines.sniff import NEEDED, Kind, sniff
from counterfoil.engines.tlog import jcs, sign_note
from counterfoil.engines.vault import Stored
from counterfoil.ledger.actions import forget_secret, once, record
from counterfoil.places import queries as places
from counterfoil.plugs.keys import keys
from counterfoil.plugs.stores import clearing_out, taking_in
from counterfoil.reference.kinds import kind_on
from counterfoil.reports import receiving, rules
from counterfoil.reports.models import Appeal, Draft, Partial, Progress, Report, Upload
from counterfoil.reports.queries import HASHER, AppealCard, FileCard, digest_of, files_of_draft

log = logging.getLogger(__name__)
FILE_LIMIT = 2 * 1024**3
FILES_LIMIT = receiving.FILES_LIMIT
DRAFT_LIFE = timedelta(days=7)
REMOVED_LIFE = timedelta(days=1)


def start_draft(kind: str, lang: str, session_key: str, *, appeal: AppealCard | None = None) -> Draft:
    """Start a draft of a report for this session and return it; an answer to an appeal goes to the appeal's force."""
    now = timezone.now()
    if kind_on(kind, timezone.localdate(now)) is None:
        raise BadInput("kind", "Choose what you want to report.")
    return Draft.objects.create(
        session_hash=digest_of(session_key),
        kind=kind,
        lang=lang,
        started_at=now,
        touched_at=now,
        appeal_id=appeal.id if appeal else None,
        answers={"force": appeal.force} if appeal else {},
    )


def make_appeal(force_pk: int, facts: Mapping[str, Any], *, at: datetime) -> UUID:
    """Keep an appeal whose facts `rules.clean_appeal` gave, with a fresh code for its link; return its id.

    Its entry is written by the verb of the case it is made for, in the same transaction.
    """
    return Appeal.objects.create(
        force_id=force_pk, code=new_reference().replace("-", "")[:12], opened_at=at, **facts
    ).pk


def stop_appeal(appeal_id: UUID) -> bool:
    """Close an appeal to the public now; say whether it was open. Its entry is written by the verb that calls."""
    return bool(Appeal.objects.filter(pk=appeal_id, ended_at=None).update(ended_at=timezone.now()))


@transaction.atomic
def save_answer(draft: Draft, question_id: str, value: object) -> None:
    """Keep one cleaned answer in a draft. Everything typed is stored at each step, so a lost line loses nothing."""
    fresh = Draft.objects.select_for_update().get(pk=draft.pk)
    if fresh.sent_as_id:
        raise NotAllowed("This report was already sent. Start a new one to tell us more.")
    fresh.answers[question_id] = value
    fresh.touched_at = timezone.now()
    fresh.save(update_fields=["answers", "touched_at"])
    draft.answers, draft.touched_at = fresh.answers, fresh.touched_at


def set_language(draft: Draft, lang: str) -> None:
    """Keep the language the sender reads in."""
    Draft.objects.filter(pk=draft.pk).update(lang=lang)
    draft.lang = lang


def take_over(draft: Draft, session_key: str) -> None:
    """Give a draft found by its return code to this session."""
    Draft.objects.filter(pk=draft.pk).update(session_hash=digest_of(session_key), touched_at=timezone.now())


def leave_draft(session_key: str | None) -> None:
    """Cut the tie between a session and its draft. Without a return code the draft is then out of reach."""
    if session_key:
        Draft.objects.filter(session_hash=digest_of(session_key)).update(session_hash="")


def give_return_code(draft: Draft) -> str:
    """Make a new return code for a draft and return it; only its hash is kept, and an older code stops working."""
    code = new_reference()
    Draft.objects.filter(pk=draft.pk).update(code_hash=digest_of(code), touched_at=timezone.now())
    return code


def add_upload(draft: Draft, name: str, stream: BinaryIO, size: int | None = None) -> FileCard:
    """Take one file into quarantine, durable and hashed before this returns, and list it on the draft.

    Any kind of file is taken. Raises BadInput with the reason for this file alone: too big or empty.
    """
    shown = rules.plain_name(name)
    if Draft.objects.filter(pk=draft.pk, sent_as__isnull=False).exists():
        raise NotAllowed("This report was already sent. Start a new one to send more files.")
    receiving.check_room(draft, size or None)
    if size is not None and size > FILE_LIMIT:
        raise BadInput("files", f"{shown} is bigger than 2 GB. Tell us you have it and we will ask for it.")
    head = stream.read(NEEDED)
    if not head:
        raise BadInput("files", f"{shown} is empty. Choose the file again.")
    kind = sniff(head)
    stream.seek(0)
    with taking_in() as store:
        stored = store.add(stream, limit=FILE_LIMIT)
        upload = _list_upload(draft, shown, kind, stored)
    return FileCard(
        upload.pk,
        upload.number,
        shown,
        kind.media_type,
        kind.extension,
        stored.sha256,
        stored.size,
        upload.received_at,
    )


@transaction.atomic
def _list_upload(draft: Draft, shown: str, kind: Kind, stored: Stored) -> Upload:
    # Locked, so that a file is either part of the report that is just being sent, or refused, never forgotten.
    if not Draft.objects.select_for_update().filter(pk=draft.pk, sent_as=None).exists():
        raise NotAllowed("This report was already sent. Start a new one to send more files.")
    last = Upload.objects.filter(draft=draft).aggregate(n=Max("number"))["n"] or 0
    now = timezone.now()
    Draft.objects.filter(pk=draft.pk).update(touched_at=now)
    return Upload.objects.create(
        draft=draft,
        number=last + 1,
        name=shown,
        media_type=kind.media_type,
        extension=kind.extension,
        sha256=stored.sha256,
        size=stored.size,
        received_at=now,
    )


def remove_upload(draft: Draft, upload_id: UUID | str) -> None:
    """Take a file off a draft that was not sent yet."""
    Upload.objects.filter(pk=upload_id, draft=draft, report=None, removed_at=None).update(
        removed_at=timezone.now()
    )


def discard_draft(draft: Draft, *, untouched_since: datetime) -> None:
    """Throw a draft and its unsent files away unless somebody has touched it meanwhile."""
    with transaction.atomic():
        # Locked first: files of a report that is being sent at this moment are no longer unsent afterwards.
        old = Draft.objects.select_for_update().filter(pk=draft.pk, touched_at__lt=untouched_since).first()
        if old is not None:
            Upload.objects.filter(draft=old, report=None).delete()
            Partial.objects.filter(owner=f"draft:{old.pk}").delete()
            old.delete()


@dataclass(frozen=True)
class Accepted:
    """What the sender gets at once. `passphrase` is shown only here and is not kept readable after an hour."""

    report_id: UUID
    reference: str
    passphrase: str
    receipt: str


def receipt_text(
    reference: str, received_at: datetime, content_sha256: str, files: tuple[FileCard, ...]
) -> str:
    """Return the text that the receipt key signs: reference, time, digest of the answers, and each file's digest."""
    lines = [
        f"{keys().receipt.name}/v1",
        f"reference {reference}",
        f"received {received_at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}",
        f"content {content_sha256}",
    ]
    lines += [f"file {i} {f.sha256} {f.size}" for i, f in enumerate(files, start=1)]
    return "\n".join(lines) + "\n"


def content_digest(kind: str, answers: Mapping[str, Any], files: tuple[FileCard, ...]) -> str:
    """Return the SHA-256 of everything a report says, in canonical JSON."""
    said = {"kind": kind, "answers": answers, "files": [[f.number, f.sha256, f.size] for f in files]}
    return hashlib.sha256(jcs(said)).hexdigest()


def submit(draft: Draft, *, device_safe: bool = True) -> Accepted:
    """Accept a report: one transaction for the report, its entry, its case and duties, and the reply to the sender.

    Sending the same draft again returns the same reply and makes nothing new. The files are already durable. Its
    return code stops working. After an hour the reply's passphrase is empty, because it is no longer kept.
    """
    now = timezone.now()
    held = kind_on(draft.kind, timezone.localdate(now))
    answers = rules.kept(held, draft.answers) if held else dict(draft.answers)
    files = files_of_draft(draft)
    digest = content_digest(draft.kind, answers, files)
    scope, key = "report.submit", str(draft.pk)
    reference, passphrase = new_reference(), new_passphrase()
    hashed = HASHER.hash(passphrase)
    note = sign_note(receipt_text(reference, now, digest, files), [keys().receipt])

    def act() -> dict[str, Any]:
        kind = held
        if kind is None:
            raise BadInput(
                "kind", "This kind of report is no longer taken here. Choose what you want to report."
            )
        missing = rules.unanswered(kind, answers)
        if missing:
            raise BadInput(missing[0], "Answer this question before you send your report.")
        force_pk = places.force_pk(str(answers.get("force", "")))
        if force_pk is None:
            raise BadInput("force", "Choose the police force for the place where it happened.")
        now_held = Draft.objects.select_for_update().filter(pk=draft.pk).first()
        unsent = Upload.objects.filter(draft_id=draft.pk, report=None, removed_at=None)
        if now_held is None:
            raise NotAllowed("This report was not touched for a week and was thrown away. Start a new one.")
        if now_held.answers != draft.answers or {f.id for f in files} != set(
            unsent.values_list("pk", flat=True)
        ):
            raise NotAllowed("This report was changed while it was being sent. Look at it and send it again.")
        report = Report.objects.create(
            id=uuid4(),
            reference=reference,
            passphrase_hash=hashed,
            kind=draft.kind,
            kind_from=str(kind.valid_from),
            lang=draft.lang,
            force_id=force_pk,
            appeal_id=draft.appeal_id,
            answers=answers,
            contact=rules.contact_of(kind, answers),
            device_safe=device_safe,
            content_sha256=digest,
            receipt=note,
            reported_at=draft.started_at,
            received_at=now,
        )
        Draft.objects.filter(pk=draft.pk).update(sent_as=report, code_hash=None)
        if unsent.update(report=report) != len(files):
            raise NotAllowed(
                "A file of this report was taken away while it was being sent. Look at it and send again."
            )
        tell(report.pk, "received", at=now)
        record(
            "report.accepted",
            by=Viewer.public(),
            on=("report", report.pk),
            kind=draft.kind,
            force=str(answers["force"]),
            content_sha256=digest,
            files=[f.sha256 for f in files],
        )
        return {"report": str(report.pk), "reference": reference, "passphrase": passphrase, "receipt": note}

    answer = once(scope, key, digest, act)
    return Accepted(UUID(answer["report"]), answer["reference"], answer["passphrase"], answer["receipt"])


def tell(
    report_id: UUID | str,
    what: str,
    *,
    at: datetime | None = None,
    next: str = "",
    due_at: datetime | None = None,
    **params: str | int,
) -> None:
    """Write one line for the sender, in the transaction of the verb that causes it."""
    Progress.objects.create(
        report_id=report_id, at=at or timezone.now(), what=what, params=params, next=next, due_at=due_at
    )


def mark_seen(report_id: UUID) -> None:
    """Note that the sender has now seen what there is."""
    Progress.objects.filter(report_id=report_id, seen_at=None).update(seen_at=timezone.now())


def tidy(now: datetime) -> int:
    """Delete old drafts and unsent files, and forget passphrases an hour after they were shown; return how many.

    A draft untouched for a week goes with its files. Bytes that no row names any more leave the quarantine.
    """
    old = list(Draft.objects.filter(touched_at__lt=now - DRAFT_LIFE)[:500])
    gone = Upload.objects.filter(report=None, removed_at__lt=now - REMOVED_LIFE)
    loose = set(gone.values_list("sha256", flat=True))
    loose |= set(Upload.objects.filter(draft__in=old, report=None).values_list("sha256", flat=True))
    for draft in old:
        discard_draft(draft, untouched_since=now - DRAFT_LIFE)
    gone.delete()
    _clear_out(loose)
    clear_destroyed()
    receiving.sweep(now)
    hour = now - timedelta(hours=1)
    forgotten = forget_secret("report.submit", "passphrase", hour) + forget_secret(
        "camera.register", "code", hour
    )
    return len(old) + forgotten


def destroy_bytes(upload_id: UUID) -> None:
    """Mark a sent file's bytes as destroyed, in the transaction of the verb that destroys its exhibit."""
    Upload.objects.filter(pk=upload_id, destroyed_at=None).update(destroyed_at=timezone.now())


def clear_destroyed() -> None:
    """Remove from the quarantine the bytes of files that were destroyed and that no other file names."""
    _clear_out(set(Upload.objects.filter(destroyed_at__isnull=False).values_list("sha256", flat=True)))


def _clear_out(digests: set[str]) -> None:
    """Remove these bytes from the quarantine unless a row still names them."""
    if not digests:
        return
    with clearing_out() as store:
        if store is None:
            return
        living = Upload.objects.filter(sha256__in=digests, destroyed_at=None)
        named = set(living.values_list("sha256", flat=True))
        for digest in digests - named:
            if store.has(digest):
                store.remove(digest)
