"""When a recording was made: four facts that are never mixed.

The time that the recorder shows; how far its clock was off, measured by somebody at a time against something; the
time corrected by that; and when the bytes reached us. Only the corrected time is computed, and from the first two.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.engines.clock import London
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.tlog import jcs
from counterfoil.evidence.actions import _open_case
from counterfoil.evidence.models import ClockCheck, Exhibit
from counterfoil.ledger.actions import record

SHOWN = "%Y-%m-%dT%H:%M:%S"
MOST = 20 * 366 * 86_400_000


@dataclass(frozen=True)
class TimesCard:
    """What is known of when a recording was made. `corrected` is None until shown time and offset are both known."""

    device_time: str
    offset_ms: int | None
    measured_by: str
    measured_at: datetime | None
    against: str
    corrected: datetime | None
    noted_by: str
    noted_at: datetime


def corrected_time(device_time: str, offset_ms: int) -> datetime:
    """Return the true time of a shown time: the clock's reading, taken as London time, less how far it was ahead."""
    shown = datetime.strptime(device_time, SHOWN).replace(tzinfo=London)
    return (shown.astimezone(UTC) - timedelta(milliseconds=offset_ms)).astimezone(UTC)


def _card(c: ClockCheck) -> TimesCard:
    known = c.offset_ms is not None and c.device_time
    return TimesCard(
        device_time=c.device_time,
        offset_ms=c.offset_ms,
        measured_by=c.measured_by,
        measured_at=c.measured_at,
        against=c.against,
        corrected=corrected_time(c.device_time, c.offset_ms or 0) if known else None,
        noted_by=c.by,
        noted_at=c.at,
    )


def times_of(exhibit_id: UUID) -> list[TimesCard]:
    """Return what was noted of a recording's clock, newest first; the caller has decided that the viewer may see it."""
    return [_card(c) for c in ClockCheck.objects.filter(exhibit_id=exhibit_id).order_by("-at", "-pk")]


def times_of_case(case_id: UUID) -> dict[UUID, TimesCard]:
    """Return the newest note for each of a case's exhibits that has one."""
    found = ClockCheck.objects.filter(exhibit__case_id=case_id).order_by("at", "pk")
    return {c.exhibit_id: _card(c) for c in found}


def moment_of(note: TimesCard, after_first: Fraction) -> tuple[str, datetime | None]:
    """Return what the recorder showed so long after its first frame, and that moment corrected, each if it is known."""
    shown = ""
    if note.device_time:
        first = datetime.strptime(note.device_time, SHOWN).replace(tzinfo=UTC)
        shown = (first + timedelta(seconds=int(after_first))).strftime(SHOWN)
    # To the whole second, rounded down, as the recorder's own clock is read.
    corrected = note.corrected + timedelta(seconds=int(after_first)) if note.corrected else None
    return shown, corrected


@transaction.atomic
def measure_clock(
    case_id: UUID,
    exhibit_id: UUID,
    *,
    device_time: str = "",
    offset_ms: int | None = None,
    measured_by: str = "",
    measured_at: datetime | None = None,
    against: str = "",
    by: Viewer,
) -> None:
    """Note what a recorder's clock showed at the first frame, and how far it was off, as measured.

    `device_time` like 2026-11-20T21:10:00, without a zone. An offset needs who measured it, when and against what.
    Earlier notes stay. The entry holds times, the offset and a digest of the whole note; names stay in the note.
    """
    needs(by, "officer", "note a recorder's clock")
    _open_case(case_id, by)
    exhibit = Exhibit.objects.select_for_update().filter(pk=exhibit_id, case_id=case_id).first()
    if exhibit is None:
        raise NotAllowed("There is no such exhibit on this case.")
    now = timezone.now()
    shown = _shown(device_time)
    who, what = " ".join(measured_by.split()), " ".join(against.split())
    if offset_ms is None and not shown:
        raise BadInput("device_time", "Give the time that the recorder shows, or how far its clock was off.")
    if offset_ms is not None:
        if abs(offset_ms) > MOST:
            raise BadInput("offset", "An offset of more than twenty years cannot be right.")
        if not 2 <= len(who) <= 120 or "\x00" in who:
            raise BadInput("measured_by", "Say who measured the offset.")
        if measured_at is None or measured_at > now + timedelta(minutes=5):
            raise BadInput("measured_at", "Say when the offset was measured. It cannot be in the future.")
        if not 3 <= len(what) <= 200 or "\x00" in what:
            raise BadInput("against", "Say against what it was measured, for example: the speaking clock.")
    else:
        who, what, measured_at = "", "", None
    note = {
        "device_time": shown,
        "offset_ms": offset_ms,
        "measured_by": who,
        "measured_at": measured_at.astimezone(UTC).isoformat() if measured_at else None,
        "against": what,
    }
    digest = hashlib.sha256(jcs(note)).hexdigest()
    ClockCheck.objects.create(
        exhibit=exhibit,
        device_time=shown,
        offset_ms=offset_ms,
        measured_by=who,
        measured_at=measured_at,
        against=what,
        by=by.id,
        at=now,
        sha256=digest,
    )
    record(
        "exhibit.clock_measured",
        by=by,
        on=("exhibit", exhibit.pk),
        thread=case_id,
        device_time=shown,
        offset_ms=offset_ms,
        measured_at=measured_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if measured_at else None,
        note_sha256=digest,
    )


def _shown(text: str) -> str:
    found = text.strip().replace(" ", "T")
    if not found:
        return ""
    if len(found) == 16:
        found += ":00"
    try:
        return datetime.strptime(found, SHOWN).replace(tzinfo=London).strftime(SHOWN)
    except ValueError:
        raise BadInput(
            "device_time", "Give the time as the recorder shows it, like 2026-11-20 21:10:00."
        ) from None
