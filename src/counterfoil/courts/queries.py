"""Every way to read charges, bundles and releases."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.courts.models import Bundle, Charge, Mark, Release
from counterfoil.evidence.material import schedules


@dataclass(frozen=True)
class ChargeCard:
    """A charging decision as plain values."""

    id: UUID
    party: UUID
    suspect: str
    decision: str
    decided_by: str
    decider: str
    decided_at: datetime
    offence_code: str
    wording: str


@dataclass(frozen=True)
class BundleCard:
    """A bundle as plain values."""

    id: UUID
    case: UUID
    number: int
    urn: str
    name: str
    state: str
    stage: str
    error: str
    sha256: str
    size: int | None
    verdict: str
    proved: tuple[str, ...]
    not_proved: tuple[str, ...]
    asked_at: datetime
    built_at: datetime | None
    audience: str
    source: UUID | None
    schedules: tuple[UUID, ...]


@dataclass(frozen=True)
class ReleaseCard:
    """A release as the prosecutor sees it: never the code."""

    id: UUID
    kind: str
    recipient: str
    firm: str
    purpose: str
    made_at: datetime
    made_by: str
    expires_at: datetime | None
    used_at: datetime | None
    ended_at: datetime | None


def charges_of(viewer: Viewer, case_id: UUID) -> list[ChargeCard]:
    """Return the charging decisions of a case; the caller has decided that the viewer may see the case."""
    found = Charge.objects.filter(case_id=case_id).select_related("party__person").order_by("noted_at")
    return [
        ChargeCard(
            c.pk,
            c.party_id,
            c.party.person.name,
            c.decision,
            c.decided_by,
            c.decider,
            c.decided_at,
            c.offence_code,
            c.wording,
        )
        for c in found
    ]


def _cards(found: Iterable[Bundle]) -> list[BundleCard]:
    return [
        BundleCard(
            b.pk,
            b.case_id,
            b.number,
            b.urn,
            b.name,
            b.state,
            b.stage,
            b.error,
            b.sha256,
            b.size,
            b.verdict,
            tuple(b.proved),
            tuple(b.not_proved),
            b.asked_at,
            b.built_at,
            b.audience,
            b.source_id,
            tuple(i for i in (b.mg6c_id, b.mg6d_id) if i),
        )
        for b in found
    ]


def cards_of(ids: Iterable[UUID]) -> list[BundleCard]:
    """Return bundles by id, for a caller that has decided that its viewer may see them."""
    return _cards(Bundle.objects.filter(pk__in=list(ids)))


def bundles_of(viewer: Viewer, case_id: UUID) -> list[BundleCard]:
    """Return the bundles of a case, newest first; the caller has decided that the viewer may see the case."""
    return _cards(Bundle.objects.filter(case_id=case_id).order_by("-asked_at", "-audience"))


def bundles_for_prosecutor(viewer: Viewer) -> list[BundleCard]:
    """Return the bundles sent to this prosecutor, newest first."""
    if not (viewer.signed_in and viewer.second_factor and viewer.has("prosecutor")):
        return []
    ids = Release.objects.filter(kind="prosecutor", prosecutor_id=viewer.uuid).values("bundle_id")
    return _cards(Bundle.objects.filter(pk__in=ids, state="built").order_by("-built_at"))


def bundle_for(viewer: Viewer, bundle_id: UUID) -> BundleCard | None:
    """Return a bundle for an officer on its case or a prosecutor it was sent to; None when refused and when absent."""
    bundle = Bundle.objects.filter(pk=bundle_id).first()
    if bundle is None:
        return None
    if cases.why(viewer, bundle.case_id).allowed:
        return _cards([bundle])[0]
    # Whoever received the prosecutor's bundle may see the defence's that was made beside it.
    sent = Release.objects.filter(
        bundle=bundle.source or bundle, kind="prosecutor", prosecutor_id=viewer.uuid
    )
    if viewer.signed_in and viewer.second_factor and viewer.has("prosecutor") and sent.exists():
        return _cards([bundle])[0]
    return None


def releases_of(viewer: Viewer, bundle_id: UUID) -> list[ReleaseCard]:
    """Return the releases of a bundle the viewer may see, and of the defence's that were made beside it."""
    if bundle_for(viewer, bundle_id) is None:
        return []
    found = Release.objects.filter(Q(bundle_id=bundle_id) | Q(bundle__source_id=bundle_id))
    found = found.select_related("made_by", "access").order_by("made_at")
    return [
        ReleaseCard(
            r.pk,
            r.kind,
            r.recipient,
            r.firm,
            r.purpose,
            r.made_at,
            r.made_by.name,
            *_access(r),
        )
        for r in found
    ]


def _access(r: Release) -> tuple[datetime | None, datetime | None, datetime | None]:
    return (r.access.expires_at, r.access.used_at, r.access.ended_at) if r.access else (None, None, None)


def defence_bundle(viewer: Viewer, bundle_id: UUID) -> BundleCard | None:
    """Return the newest bundle made for the defence beside a prosecutor's that the viewer may see, or None."""
    if bundle_for(viewer, bundle_id) is None:
        return None
    return next(iter(_cards(Bundle.objects.filter(source_id=bundle_id).order_by("-number")[:1])), None)


@dataclass(frozen=True)
class LineCard:
    """One line of a schedule with the prosecutor's last mark on it."""

    number: int
    key: str
    reference: str
    description: str
    location: str
    reason: str
    presumed: tuple[str, ...]
    mark: str
    comment: str


@dataclass(frozen=True)
class MarkedSchedule:
    """A schedule as a prosecutor reads it."""

    form: str
    issue: int
    nil: bool
    signed_by: str
    signed_at: datetime
    lines: tuple[LineCard, ...]


def schedules_of(viewer: Viewer, bundle_id: UUID) -> list[MarkedSchedule]:
    """Return the schedules in a bundle that the viewer may see, MG6C then MG6D, with the marks made so far."""
    card = bundle_for(viewer, bundle_id)
    if card is None or card.audience != "prosecutor":
        return []
    made = marks_of(card.case)
    return [
        MarkedSchedule(
            s.form,
            s.issue,
            s.nil,
            s.signed_by,
            s.signed_at,
            tuple(
                LineCard(
                    int(x["number"]),
                    str(x["key"]),
                    str(x["reference"]),
                    str(x["description"]),
                    str(x["location"]),
                    str(x.get("reason", "")),
                    tuple(x["presumed"]),
                    *made.get((s.form, str(x["key"])), ("", "")),
                )
                for x in s.lines
            ),
        )
        for s in schedules(card.schedules)
    ]


def marks_of(case_id: UUID) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the last mark and comment on each (form, item) of a case."""
    found = Mark.objects.filter(schedule__case_id=case_id).order_by("at", "pk").select_related("schedule")
    return {(m.schedule.form, m.key): (m.mark, m.comment) for m in found}


def is_newest_for_defence(bundle_id: UUID) -> bool:
    """Say whether no newer bundle was made for the defence on the same case: numbers that it saw are never reused."""
    bundle = Bundle.objects.get(pk=bundle_id)
    newer = Bundle.objects.filter(case_id=bundle.case_id, audience="defence", number__gt=bundle.number)
    return not newer.exclude(state="failed").exists()


def marked_since(bundle_id: UUID) -> bool:
    """Say whether a prosecutor marked the MG6C differently after a defence's bundle was made."""
    bundle = Bundle.objects.select_related("mg6c").get(pk=bundle_id)
    if bundle.mg6c is None or not bundle.served:
        return True
    last = {key: mark for (form, key), (mark, _) in marks_of(bundle.case_id).items() if form == "MG6C"}
    return any(line["mark"] != last.get(str(line["key"]), "") for line in bundle.served[-1]["lines"])


def known_objects() -> list[tuple[str, int]]:
    """Return digest and size of every bundle's object, for the vault's check."""
    built = Bundle.objects.filter(state="built").values_list("sha256", "size")
    return [(sha256, size or 0) for sha256, size in built]
