"""Every way to read reports. The public reads by session, by return code, or by reference and passphrase."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from django.db.models import Q, QuerySet

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.refs import parse_reference
from counterfoil.engines.tlog import open_note
from counterfoil.places import queries as places
from counterfoil.plugs.keys import signed_in_time, verifiers
from counterfoil.reports.models import Appeal, Draft, Progress, Report, Upload

# OWASP's second Argon2id setting: 19 MiB, two passes. The passphrase is ours (44 bits), the reference has 100.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = HASHER.hash("no report has this passphrase")


def digest_of(text: str) -> str:
    """Return the SHA-256 of a session key or return code, as it is stored."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class FileCard:
    """An upload as the sender and the triage officer see it."""

    id: UUID
    number: int
    name: str
    media_type: str
    extension: str
    sha256: str
    size: int
    received_at: datetime
    restricted: str = ""


@dataclass(frozen=True)
class ReportCard:
    """A report as plain values."""

    id: UUID
    reference: str
    kind: str
    lang: str
    force: str
    force_id: int
    appeal: UUID | None
    answers: Mapping[str, Any]
    contact: Mapping[str, Any]
    device_safe: bool
    reported_at: datetime
    received_at: datetime
    receipt: str
    files: tuple[FileCard, ...]


@dataclass(frozen=True)
class Step:
    """One line of progress. `missed` is true when its due time passed and nothing that answers it followed."""

    at: datetime
    what: str
    params: Mapping[str, Any]
    next: str
    due_at: datetime | None


@dataclass(frozen=True)
class AppealCard:
    """An appeal as the public reads it: nothing in it leads to a case. Positions are degrees."""

    id: UUID
    code: str
    force: str
    force_name: str
    force_name_cy: str
    place: str
    lat: float
    lon: float
    starts_at: datetime
    ends_at: datetime
    wanted: str
    wanted_cy: str
    opened_at: datetime
    closes_at: datetime
    ended_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Say whether the public may answer it."""
        return self.ended_at is None and now < self.closes_at


def _appeal(a: Appeal) -> AppealCard:
    return AppealCard(
        id=a.pk,
        code=a.code,
        force=a.force.code,
        force_name=a.force.name,
        force_name_cy=a.force.name_cy or a.force.name,
        place=a.place,
        lat=a.lat_e6 / 1e6,
        lon=a.lon_e6 / 1e6,
        starts_at=a.starts_at,
        ends_at=a.ends_at,
        wanted=a.wanted,
        wanted_cy=a.wanted_cy,
        opened_at=a.opened_at,
        closes_at=a.closes_at,
        ended_at=a.ended_at,
    )


def open_appeal(code: str, now: datetime) -> AppealCard | None:
    """Return the appeal that a link's code names while it is open; None when there is none or it has closed."""
    found = Appeal.objects.select_related("force").filter(code=code.upper()).first()
    card = _appeal(found) if found else None
    return card if card and card.is_open(now) else None


def appeals(ids: Iterable[UUID]) -> list[AppealCard]:
    """Return several appeals, oldest first, for a caller that has decided that its viewer may see them."""
    found = Appeal.objects.select_related("force").filter(pk__in=list(ids)).order_by("opened_at")
    return [_appeal(a) for a in found]


def appeals_answered(report_ids: Iterable[UUID]) -> list[UUID]:
    """Return which appeal each of these reports answered."""
    found = Report.objects.filter(pk__in=list(report_ids), appeal__isnull=False)
    return list(found.values_list("appeal_id", flat=True))


def draft_for_session(session_key: str | None) -> Draft | None:
    """Return the draft of this session, or None."""
    if not session_key:
        return None
    return Draft.objects.filter(session_hash=digest_of(session_key)).order_by("-touched_at").first()


def draft_by_return_code(code: str) -> Draft | None:
    """Return the draft that a return code opens, or None."""
    try:
        return Draft.objects.filter(code_hash=digest_of(parse_reference(code))).first()
    except BadInput:
        return None


def _cards(uploads: Iterable[Upload]) -> tuple[FileCard, ...]:
    return tuple(
        FileCard(
            u.pk, u.number, u.name, u.media_type, u.extension, u.sha256, u.size, u.received_at, u.restricted
        )
        for u in uploads
    )


def files_of_draft(draft: Draft) -> tuple[FileCard, ...]:
    """Return the files of a draft that were not taken away again, in order."""
    return _cards(Upload.objects.filter(draft=draft, removed_at=None).order_by("number"))


def files_of_owner(owner: str) -> tuple[FileCard, ...]:
    """Return the files that officers sent for something (`case:<id>`), in order."""
    return _cards(Upload.objects.filter(owner=owner, removed_at=None).order_by("number"))


def files_for(
    reports: QuerySet[Any, Any], owner: str, *, besides: QuerySet[Any, Any]
) -> tuple[FileCard, ...]:
    """Return the files of the reports that a query of ids lists and those that officers sent for `owner`, in one query.

    `besides` is a query of the ids of files that are left out.
    """
    found = Upload.objects.filter(Q(report__in=reports) | Q(owner=owner), removed_at=None)
    return _cards(found.exclude(pk__in=besides).order_by("received_at", "number"))


def accounts_in(reports: QuerySet[Any, Any]) -> list[ReportCard]:
    """Return what was told in the reports that a query of ids lists, oldest first, without their files: one query."""
    found = Report.objects.filter(pk__in=reports).select_related("force").order_by("received_at")
    return [_card(r, files=()) for r in found]


def _card(report: Report, files: tuple[FileCard, ...] | None = None) -> ReportCard:
    return ReportCard(
        id=report.pk,
        reference=report.reference,
        kind=report.kind,
        lang=report.lang,
        force=report.force.code,
        force_id=report.force_id,
        appeal=report.appeal_id,
        answers=report.answers,
        contact=report.contact,
        device_safe=report.device_safe,
        reported_at=report.reported_at,
        received_at=report.received_at,
        receipt=report.receipt,
        files=_cards(Upload.objects.filter(report=report).order_by("number")) if files is None else files,
    )


def report_for_tracking(reference: str, passphrase: str) -> ReportCard | None:
    """Return the report when reference and passphrase belong together; None otherwise, in about the same time."""
    try:
        canonical = parse_reference(reference)
    except BadInput:
        canonical = ""
    report = Report.objects.select_related("force").filter(reference=canonical).first() if canonical else None
    typed = " ".join(passphrase.replace("-", " ").casefold().split())[:200]
    try:
        HASHER.verify(report.passphrase_hash if report else _NOBODY, typed.encode(errors="replace"))
    except (Argon2Error, InvalidHashError):
        return None
    return _card(report) if report else None


def report_card(report_id: UUID | str) -> ReportCard:
    """Return a report for a caller downstream that has decided that its viewer may see it."""
    return _card(Report.objects.select_related("force").get(pk=report_id))


def progress_of(report_id: UUID) -> list[Step]:
    """Return what the sender may know, oldest first."""
    found = Progress.objects.filter(report_id=report_id).order_by("at", "pk")
    return [Step(p.at, p.what, p.params, p.next, p.due_at) for p in found]


def reports_besides(joined: QuerySet[Any, Any]) -> list[UUID]:
    """Return the ids of the reports that a query of report ids does not list (for the sweep that opens cases)."""
    return list(Report.objects.exclude(pk__in=joined).values_list("pk", flat=True))


def lock_report(report_id: UUID | str) -> ReportCard:
    """Return a report, locked until the transaction ends, for a downstream action."""
    return _card(Report.objects.select_for_update(of=("self",)).select_related("force").get(pk=report_id))


def queue_is_staffed(force_code: str, kind: str) -> bool:
    """Say whether somebody is posted to take this kind of report, so that a time may be promised."""
    return places.queue_is_staffed(force_code, kind)


@dataclass(frozen=True)
class ReceiptCheck:
    """Whether a receipt is ours and, for each file shown beside it, whether it is one the receipt lists."""

    valid: bool
    sentence: str
    reference: str = ""
    received: str = ""
    listed: tuple[str, ...] = ()
    files: tuple[tuple[str, str, bool], ...] = ()


def check_receipt(note: str, files: Iterable[tuple[str, BinaryIO]] = ()) -> ReceiptCheck:
    """Check a receipt's signature and whether each file given is one of those it lists.

    Says only what the receipt itself says; looks nothing up, so it tells a stranger nothing new.
    """
    # A receipt given before the key was changed stays good; one dated after its key was revoked does not.
    known = verifiers("receipt")
    # A pasted receipt has often lost its final line break or gained carriage returns; neither is content.
    note = note.replace("\r\n", "\n").strip("\n ") + "\n"
    try:
        opened = open_note(note, known)
    except Corrupt as e:
        return ReceiptCheck(False, f"This is not a receipt that we gave, or it was changed. {e}")
    signed = [v.vkey for v in known if v in opened.verified_by]
    if not signed:
        return ReceiptCheck(False, "This receipt is not signed with our receipt key.")
    lines = [line.split(" ") for line in opened.text.splitlines()]
    fields = {p[0]: p[1] for p in lines if len(p) == 2}
    try:
        said = datetime.fromisoformat(fields.get("received", ""))
    except ValueError:
        return ReceiptCheck(False, "This receipt does not say when it was given.")
    if not any(signed_in_time("receipt", vkey, said) for vkey in signed):
        return ReceiptCheck(
            False, "This receipt is signed with a key that was no longer good when it was given."
        )
    listed = tuple(p[2] for p in lines if len(p) == 4 and p[0] == "file")
    checked = []
    for name, stream in files:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        checked.append((name, digest, digest in listed))
    return ReceiptCheck(
        True,
        "We gave this receipt and it has not been changed.",
        reference=fields.get("reference", ""),
        received=fields.get("received", ""),
        listed=listed,
        files=tuple(checked),
    )


def upload_card(viewer: Viewer, upload_id: UUID | str) -> FileCard:
    """Return one upload that was sent, for evidence downstream which has decided that the viewer may see it."""
    return _cards([Upload.objects.get(pk=upload_id, report__isnull=False)])[0]
