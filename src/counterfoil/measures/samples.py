"""Audit samples after HMICFRS's practice in crime data integrity: announce, draw, mark, and say what follows.

Nobody can choose what is looked at. The frame is fixed first and named in the log by its digest; the seed is the log's
first signed statement made afterwards (with the cosignatures of its witnesses, where the house has any, which nobody
here can foresee); the clock draws, not a person; one period of a force is sampled once. Anyone can draw it again.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.cases.queries import CaseCard, Recording
from counterfoil.cases.rules import clean_reason
from counterfoil.engines import disk, sampling
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.actions import gather, record
from counterfoil.measures.marking import Looked, Marked, Results, results, settled, wanted
from counterfoil.measures.models import Mark, Sample, SampleItem
from counterfoil.places import queries as places
from counterfoil.reports import queries as reports
from counterfoil.reports.queries import ReportCard

LONDON = ZoneInfo("Europe/London")
LEAST_FRAME, LEAST, MOST = 50, 20, 1000
IN_TIME = timedelta(hours=24)
QUIET = timedelta(days=2)  # a report's 24 hours must be over before anybody asks whether they were kept
RULE = "every report received by the force in the period, but answers to appeals; strata: {strata}"


@dataclass(frozen=True)
class SampleCard:
    """A sample as plain values. `results` is None until every item is settled."""

    id: UUID
    force: str
    force_name: str
    first: date
    last: date
    size: int
    frame_sha256: str
    announced_at: datetime
    drawn_at: datetime | None
    drawn_sha256: str
    note: str
    strata: tuple[tuple[str, int, int], ...]
    marked: int
    items: int
    results: Results | None


@dataclass(frozen=True)
class ItemCard:
    """One item as its marker sees it: what was told, what became of it, and whether this viewer may mark it."""

    sample: UUID
    number: int
    report: ReportCard
    case: CaseCard
    recorded: bool
    in_time: bool
    why_not: str
    marks: int
    wanted: int
    mine: Marked | None


def _folder() -> Path:
    return Path(settings.COUNTERFOIL_HOME) / "tables" / "frames"


def frame(sha256: str) -> bytes:
    """Return a sample's frame; raises Corrupt when it is gone or no longer has the bytes it was announced with."""
    try:
        data = (_folder() / f"{sha256}.csv").read_bytes()
    except FileNotFoundError:
        raise Corrupt(f"The frame {sha256[:16]} of a sample is not on the disk.") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Corrupt(f"The frame {sha256[:16]} of a sample no longer has the bytes it was announced with.")
    return data


def _period(first: date, last: date) -> tuple[datetime, datetime]:
    return (
        datetime.combine(first, time(), LONDON),
        datetime.combine(last + timedelta(days=1), time(), LONDON),
    )


def _known(force: int | None) -> int:
    if force is None:
        raise BadInput("force", "There is no such force.")
    return force


def _stratum(one: Recording, at: datetime) -> str:
    if one.recorded_at is not None and one.recorded_at <= at:
        return "recorded as a crime"
    return "said to be no crime" if one.no_crime else "nothing decided"


# Acting


def announce(force: str, first: date, last: date, size: int, *, by: Viewer) -> UUID:
    """Fix what will be sampled: every report of a force and period, and how many of them; return the sample's id.

    It is drawn by the clock once the log has signed a statement that holds this announcement. Refused for a period of
    which any day was sampled before, for fewer than 50 reports, and before the last report's day is over.
    """
    needs(by, "inspector", "announce a sample")
    if not by.has("inspector", force):
        raise NotAllowed("Only an inspector of the force can announce a sample of its reports.")
    now = timezone.now()
    if last < first:
        raise BadInput("last", "The last day comes before the first.")
    since, until = _period(first, last)
    if until + QUIET > now:
        raise BadInput(
            "last", "Choose days that are over for two days at least, so that 24 hours have passed."
        )
    if not LEAST <= size <= MOST:
        raise BadInput("size", f"Choose between {LEAST} and {MOST} reports.")
    held = case_queries.recordings(force, since, until)
    if len(held) < LEAST_FRAME:
        raise BadInput(
            "first", f"There are fewer than {LEAST_FRAME} reports in these days. Choose a longer period."
        )
    members = [(sampling.token(str(r.report)), _stratum(r, now)) for r in held]
    data = sampling.frame_of(sampling.merged(members))
    digest = hashlib.sha256(data).hexdigest()
    _folder().mkdir(parents=True, exist_ok=True)
    disk.replace(_folder() / f"{digest}.csv", data)
    with transaction.atomic():
        if Sample.objects.filter(force__code=force, first__lte=last, last__gte=first).exists():
            raise NotAllowed(
                "Some of these days were sampled before. A day is sampled once, so that nobody can draw again."
            )
        sample = Sample.objects.create(
            force_id=_known(places.force_pk(force)),
            first=first,
            last=last,
            size=min(size, len(held)),
            frame_sha256=digest,
            announced_at=now,
            announced_by_id=UUID(by.id),
        )
        record(
            "sample.announced",
            by=by,
            on=("sample", sample.pk),
            force=force,
            first=first.isoformat(),
            last=last.isoformat(),
            size=sample.size,
            frame_sha256=digest,
            frame=len(held),
        )
    return sample.pk


def draw_waiting() -> int:
    """Draw every announced sample for which the log has spoken since; return how many. The clock does this."""
    done = 0
    for sample in Sample.objects.filter(drawn_at__isnull=True).select_related("force"):
        note = _statement(sample)
        if note:
            done += _draw(sample.pk, note)
    return done


def _statement(sample: Sample) -> str:
    """Return the log's first statement over a sample's announcement (with enough witnesses, where asked), or empty."""
    said = [e for e in ledger.entries_of(Viewer.clock(), "sample", sample.pk) if e.act == "sample.announced"]
    if not said or said[0].index is None:
        return ""
    point = ledger.first_checkpoint_over(said[0].index)
    if point is not None and not ledger.quorum_met(point):
        gather(point, stamps=False)
        point.refresh_from_db()
    while point is not None and not ledger.quorum_met(point):
        point = ledger.first_checkpoint_over(point.size)
    return ledger.note_of(point) if point is not None else ""


@transaction.atomic
def _draw(sample_id: UUID, note: str) -> int:
    sample = Sample.objects.select_for_update(of=("self",)).select_related("force").get(pk=sample_id)
    if sample.drawn_at is not None:
        return 0
    items = sampling.draw(frame(sample.frame_sha256), note, sample.size)
    held = case_queries.recordings(sample.force.code, *_period(sample.first, sample.last))
    by_token = {sampling.token(str(r.report)): r for r in held}
    for item in items:
        one = by_token[item.token]
        recorded = one.recorded_at is not None and one.recorded_at <= sample.announced_at
        SampleItem.objects.create(
            sample=sample,
            number=item.number,
            report_id=one.report,
            case_id=one.case,
            stratum=item.stratum,
            recorded=recorded,
            in_time=bool(recorded and one.recorded_at and one.recorded_at - one.reported_at <= IN_TIME),
        )
    sample.note, sample.drawn_sha256, sample.drawn_at = note, sampling.digest_of(items), timezone.now()
    sample.save(update_fields=["note", "drawn_sha256", "drawn_at"])
    record(
        "sample.drawn",
        by=Viewer.clock(),
        on=("sample", sample.pk),
        note_sha256=hashlib.sha256(note.encode()).hexdigest(),
        drawn_sha256=sample.drawn_sha256,
        items=len(items),
    )
    return 1


@transaction.atomic
def mark(
    sample_id: UUID, number: int, *, crime: bool, right_class: bool | None, reason: str, by: Viewer
) -> None:
    """Mark one item: should a crime have been recorded, and does the record lie in the right class; with the reason.

    Nobody marks what they decided themselves, nor twice. Whether it was recorded, and when, is known and not typed.
    """
    item = _item(by, sample_id, number, lock=True)
    if item is None:
        raise NotAllowed("There is no such item for you to mark.")
    refused = _why_not(item, by)
    if refused:
        raise NotAllowed(refused)
    if item.recorded and crime and right_class is None:
        raise BadInput("right_class", "Say whether it was recorded in the right class.")
    text = clean_reason(reason, least=20)
    digest = cases.keep_reason(item.case_id, "sample.marked", text, by=by)
    kept = right_class if item.recorded and crime else None
    made = Mark.objects.create(
        item=item, by_id=UUID(by.id), crime=crime, right_class=kept, reason_sha256=digest, at=timezone.now()
    )
    record(
        "sample.marked",
        by=by,
        on=("mark", made.pk),
        thread=item.case_id,
        sample=str(item.sample_id),
        number=item.number,
        crime=crime,
        right_class="" if kept is None else str(kept).lower(),
        reason_sha256=digest,
    )


def _why_not(item: SampleItem, by: Viewer) -> str:
    marks = _marks(item)
    if any(m.by == by.id for m in marks):
        return "You have marked this item already. Another inspector marks it next."
    if len(marks) >= wanted(marks, item.number, item.recorded):
        return "Enough people have marked this item."
    acted = {e.act for e in ledger.entries_of_thread(by, item.case_id) if e.by == by.id}
    if acted - {"sample.marked"}:
        return "You have worked on this case, so somebody else must mark it."
    return ""


# Reading


def _marks(item: SampleItem) -> list[Marked]:
    return [Marked(str(m.by_id), m.crime, m.right_class) for m in item.marks.order_by("at", "pk")]


def _item(viewer: Viewer, sample_id: UUID, number: int, *, lock: bool = False) -> SampleItem | None:
    found = SampleItem.objects.select_related("sample__force")
    if lock:
        found = found.select_for_update(of=("self",))
    item = found.filter(sample_id=sample_id, number=number).first()
    return item if item is not None and viewer.has("inspector", item.sample.force.code) else None


def item_for(viewer: Viewer, sample_id: UUID, number: int) -> ItemCard | None:
    """Return an item for an inspector of the force; what others found of it is not in it. None for anybody else."""
    item = _item(viewer, sample_id, number)
    if item is None:
        return None
    marks = _marks(item)
    mine = next((m for m in marks if m.by == viewer.id), None)
    return ItemCard(
        sample=item.sample_id,
        number=item.number,
        report=reports.report_card(item.report_id),
        case=case_queries.cards([item.case_id])[item.case_id],
        recorded=item.recorded,
        in_time=item.in_time,
        why_not=_why_not(item, viewer),
        marks=len(marks),
        wanted=wanted(marks, item.number, item.recorded),
        mine=mine,
    )


def samples_of(viewer: Viewer) -> list[SampleCard]:
    """Return the samples of the forces in which the viewer is an inspector, newest first."""
    found = Sample.objects.filter(force__code__in=viewer.forces("inspector")).select_related("force")
    return [_card(s) for s in found.order_by("-announced_at")]


def sample_for(viewer: Viewer, sample_id: UUID) -> SampleCard | None:
    """Return a sample to an inspector of its force; None for anybody else."""
    return next((s for s in samples_of(viewer) if s.id == sample_id), None)


def published(viewer: Viewer) -> list[SampleCard]:
    """Return every sample as the public sees it: announced, drawn, marked; newest first."""
    return [_card(s) for s in Sample.objects.select_related("force").order_by("-announced_at")]


def progress(viewer: Viewer, sample_id: UUID) -> list[tuple[int, str, str]]:
    """Return each item's number, stratum and state: `todo`, `more` (another marker wanted), `mine` or `settled`."""
    if sample_for(viewer, sample_id) is None:
        return []
    found = []
    items = SampleItem.objects.filter(sample_id=sample_id).order_by("number").prefetch_related("marks")
    for item in items:
        marks = [
            Marked(str(m.by_id), m.crime, m.right_class)
            for m in sorted(item.marks.all(), key=lambda m: (m.at, m.pk))
        ]
        if settled(marks, item.number, item.recorded) is not None:
            state = "settled"
        elif any(m.by == viewer.id for m in marks):
            state = "mine"
        else:
            state = "more" if marks else "todo"
        found.append((item.number, item.stratum, state))
    return found


def _card(s: Sample) -> SampleCard:
    held = sampling.strata_of(frame(s.frame_sha256))
    items = list(s.items.order_by("number").prefetch_related("marks"))
    drawn: dict[str, int] = defaultdict(int)
    for item in items:
        drawn[item.stratum] += 1
    found: list[Looked] = []
    twice: list[tuple[Marked, Marked]] = []
    for item in items:
        marks = [
            Marked(str(m.by_id), m.crime, m.right_class)
            for m in sorted(item.marks.all(), key=lambda m: (m.at, m.pk))
        ]
        said = settled(marks, item.number, item.recorded)
        if len(marks) > 1:
            twice.append((marks[0], marks[1]))
        if said is not None:
            weight = held[item.stratum] / drawn[item.stratum]
            found.append(Looked(weight, item.recorded, item.in_time, *said))
    whole = bool(items) and len(found) == len(items)
    return SampleCard(
        id=s.pk,
        force=s.force.code,
        force_name=s.force.name,
        first=s.first,
        last=s.last,
        size=s.size,
        frame_sha256=s.frame_sha256,
        announced_at=s.announced_at,
        drawn_at=s.drawn_at,
        drawn_sha256=s.drawn_sha256,
        note=s.note,
        strata=tuple((name, n, drawn.get(name, 0)) for name, n in held.items()),
        marked=len(found),
        items=len(items),
        results=results(found, twice) if whole else None,
    )


def rule(strata: Sequence[str]) -> str:
    """Say what a frame holds, in one sentence."""
    return RULE.format(strata="; ".join(strata))


def chosen_by_hand() -> list[str]:
    """Return a sentence for each drawn sample that is not what its frame and the log's statement give.

    Asked by the house's promises: a sample that somebody put together, an item exchanged or taken out, a frame that
    was changed, a statement that the log never made or that was made before the announcement.
    """
    found = []
    for s in Sample.objects.filter(drawn_at__isnull=False).select_related("force"):
        try:
            items = sampling.draw(frame(s.frame_sha256), s.note, s.size)
        except Corrupt as gone:
            found.append(f"sample {s.pk}: {gone}")
            continue
        kept = [(i.number, sampling.token(str(i.report_id)), i.stratum) for i in s.items.order_by("number")]
        if kept != [(i.number, i.token, i.stratum) for i in items] or s.drawn_sha256 != sampling.digest_of(
            items
        ):
            found.append(f"sample {s.pk} is not what its frame and the log's statement draw")
        lines = {e.act: e for e in ledger.entries_of(Viewer.clock(), "sample", s.pk)}
        told = lines.get("sample.announced"), lines.get("sample.drawn")
        if told[0] is None or told[1] is None:
            found.append(f"sample {s.pk} lacks its entries")
            continue
        point = ledger.checkpoint_of(_size_of(s.note))
        # Its signatures are part of the seed: only lines that the log and its witnesses wrote may stand in it.
        if point is None or not _of_the_log(s.note, point):
            found.append(f"sample {s.pk} was drawn under a statement that the log did not make")
        elif told[0].index is None or point.size <= told[0].index:
            found.append(f"sample {s.pk} was drawn under a statement made before it was announced")
        if (
            told[0].body.get("frame_sha256") != s.frame_sha256
            or told[1].body.get("drawn_sha256") != s.drawn_sha256
        ):
            found.append(f"sample {s.pk} is not what its entries say")
    return found


def _of_the_log(note: str, point: ledger.CheckpointRow) -> bool:
    text, whole = point.note.partition("\n\n")[0], set(ledger.note_of(point).split("\n"))
    return note.partition("\n\n")[0] == text and set(point.note.split("\n")) <= set(note.split("\n")) <= whole


def _size_of(note: str) -> int:
    lines = note.split("\n")
    return int(lines[1]) if len(lines) > 1 and lines[1].isdigit() else -1
