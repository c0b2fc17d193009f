"""What the scanner and the hash list say of files: asked by the clock, kept by digest, never in anybody's way.

A file is accepted, receipted and sealed whatever is said of it here. A scanner that does not answer leaves the file
marked as not scanned and is asked again, later each time. Where the bytes lie is told by the caller, so that public
code needs no vault.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, Refusal
from counterfoil.ledger.actions import record
from counterfoil.plugs.hashlist import hashlist
from counterfoil.plugs.scanner import ScannerDown, scanner
from counterfoil.reports.models import Screening, Upload

log = logging.getLogger(__name__)
Opener = Callable[[str], BinaryIO]
# After so long a scanner that does not answer is asked again; twice as long each time, up to the last.
AGAIN = timedelta(seconds=30)
AGAIN_AT_MOST = timedelta(hours=6)
BLOCK = 1 << 20


@dataclass(frozen=True)
class Screened:
    """What is known of some bytes: the scanner's word, and the hash list's ("" when not listed)."""

    scan: str
    says: str
    listed: str
    scanned_at: datetime | None


def screenings(digests: Iterable[str]) -> dict[str, Screened]:
    """Return what is known of each digest; one that was never looked at is missing."""
    found = Screening.objects.filter(sha256__in=set(digests))
    return {s.sha256: Screened(s.scan, s.says, s.listed, s.scanned_at) for s in found}


def unknown(files: Iterable[tuple[str, int]]) -> None:
    """Note files, as (digest, size), that are to be looked at; one that is known stays as it is."""
    now, sizes = timezone.now(), dict(files)
    known = set(Screening.objects.filter(sha256__in=list(sizes)).values_list("sha256", flat=True))
    new = [Screening(sha256=s, size=size, next_at=now) for s, size in sizes.items() if s not in known]
    if new:
        Screening.objects.bulk_create(new, ignore_conflicts=True)


def ask_list(sha256: str, size: int, open_file: Opener) -> str:
    """Ask the hash list about a file now, unless its present edition was asked, and return its word or "".

    Reads the file once for its MD5, because lists still use it. A list that cannot be read is a refusal: a file is
    not called unlisted when nobody could look.
    """
    edition = hashlist().edition
    unknown([(sha256, size)])
    row = Screening.objects.get(sha256=sha256)
    if edition and row.lists != edition:
        md5 = row.md5 or _md5(sha256, open_file)
        word = hashlist().find(sha256, md5)
        # Once listed, always listed: a list that got shorter does not open what was closed. An examiner can.
        Screening.objects.filter(sha256=sha256).update(md5=md5, lists=edition, listed=word or row.listed)
        row.listed = word or row.listed
    if row.listed:
        _restrict_uploads(sha256)
    return row.listed


def _md5(sha256: str, open_file: Opener) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open_file(sha256) as file:
        while data := file.read(BLOCK):
            digest.update(data)
    return digest.hexdigest()


def _restrict_uploads(sha256: str) -> None:
    """Restrict every upload of these bytes that is not restricted yet; each is an entry."""
    with transaction.atomic():
        for upload in Upload.objects.select_for_update().filter(sha256=sha256, restricted=""):
            Upload.objects.filter(pk=upload.pk).update(restricted="hash-list")
            record(
                "upload.restricted",
                by=Viewer.clock(),
                on=("upload", upload.pk),
                how="hash-list",
                sha256=sha256,
            )


def scan_one(sha256: str, open_file: Opener) -> str:
    """Ask the scanner about a file and keep what it says; return `waiting` when it does not answer.

    The attempt is counted before the scanner hears a byte, so a file on which everything dies is tried ever more
    rarely and holds nobody else up.
    """
    row = Screening.objects.get(sha256=sha256)
    now = timezone.now()
    pause = min(AGAIN * 2 ** min(row.tries, 12), AGAIN_AT_MOST)
    Screening.objects.filter(pk=row.pk).update(tries=row.tries + 1, next_at=now + pause)
    asked = scanner()
    try:
        name = asked.name
        with open_file(sha256) as file:
            found = asked.scan(file)
    except ScannerDown as down:
        Screening.objects.filter(pk=row.pk, scan__in=["waiting", "none"]).update(
            scan="waiting", says="", scanner=""
        )
        log.warning("a file could not be scanned; it will be tried again: %s", down)
        return "waiting"
    with transaction.atomic():
        Screening.objects.filter(pk=row.pk).update(
            scan=found.scan, says=found.says, scanner=name[:120], scanned_at=timezone.now(), tries=0
        )
        if found.scan == "flagged" and row.scan != "flagged":
            record(
                "file.flagged", by=Viewer.clock(), on=("file", sha256), says=found.says, scanner=name[:120]
            )
    return found.scan


def waiting(now: datetime, limit: int = 200) -> list[tuple[str, bool, bool]]:
    """Return files to look at, as (digest, ask the hash list, ask the scanner), oldest first."""
    try:
        edition = hashlist().edition
    except BadInput as refusal:
        log.error("%s", refusal)
        edition = ""
    # A file that nobody scanned is looked at again once there is a scanner.
    wants_scan = ["waiting", "none"] if _has_scanner() else ["waiting"]
    due = Q(scan__in=wants_scan, next_at__lte=now)
    if edition:
        due |= ~Q(lists=edition)
    rows = Screening.objects.filter(due).order_by("next_at")[:limit]
    return [
        (r.sha256, bool(edition) and r.lists != edition, r.scan in wants_scan and r.next_at <= now)
        for r in rows
    ]


def _has_scanner() -> bool:
    try:
        return bool(scanner().name)
    except ScannerDown:
        return True  # it is configured: that it does not answer now is another matter


def note_uploads() -> None:
    """Note every upload that was never looked at, however it came in."""
    known = Screening.objects.values("sha256")
    unknown(
        Upload.objects.filter(removed_at=None, destroyed_at=None)
        .exclude(sha256__in=known)
        .values_list("sha256", "size")[:500]
    )


def look(now: datetime, open_file: Opener, *, seconds: float = 10) -> list[str]:
    """Ask about the files that wait, for so many seconds at most; return the digests that are newly listed."""
    until, listed = time.monotonic() + seconds, []
    for sha256, ask, scan in waiting(now):
        if time.monotonic() > until:
            break
        try:
            if ask:
                size = Screening.objects.values_list("size", flat=True).get(sha256=sha256)
                if ask_list(sha256, size, open_file):
                    listed.append(sha256)
            if scan:
                scan_one(sha256, open_file)
        except (Refusal, OSError) as later:
            log.warning("a file could not be looked at; it will be tried again: %s", type(later).__name__)
            Screening.objects.filter(sha256=sha256).update(next_at=now + AGAIN_AT_MOST)
    return listed


def known_digests() -> Any:
    """Return a query of the digests that were noted, for leaving those out of another query."""
    return Screening.objects.values("sha256")


def listed_digests() -> list[str]:
    """Return the digest of every file that the hash list names."""
    return list(Screening.objects.exclude(listed="").values_list("sha256", flat=True))


def unlist(sha256: str) -> None:
    """Drop the hash list's word on a file after an examiner has looked; a new edition of the list may say it again."""
    Screening.objects.filter(sha256=sha256).update(listed="")


def say_restricted(draft_id: UUID, upload_id: UUID) -> bool:
    """Keep that the sender says one of their files may be an image nobody should look at; say whether there was one.

    It cannot be taken back by the sender: what was said once protects a child until an examiner has looked.
    """
    return bool(
        Upload.objects.filter(
            pk=upload_id, draft_id=draft_id, report=None, removed_at=None, restricted=""
        ).update(restricted="reporter")
    )
