"""Every way to read evidence. Reads of an exhibit are entries too: see `actions.open_exhibit`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.evidence.models import Copy, Exhibit, Redaction, Share, Statement, Title
from counterfoil.reports import queries as reports
from counterfoil.reports.queries import FileCard
from counterfoil.reports.screening import screenings


@dataclass(frozen=True)
class ExhibitCard:
    """An exhibit as plain values, with its present title."""

    id: UUID
    case: UUID
    label: str
    title: str
    title_sha256: str
    sha256: str
    size: int
    media_type: str
    extension: str
    original_name: str
    produced_by: str
    holder: str
    state: str
    received_at: datetime
    taken_at: datetime
    technical: Mapping[str, Any]
    material: str
    parent: str | None
    recipe: Mapping[str, Any] | None
    returned_to: str
    restricted: str
    scan: str
    says: str


@dataclass(frozen=True)
class StatementCard:
    """The front of a statement as plain values; the back page is never in it."""

    id: UUID
    number: int
    party: UUID
    name: str
    age: int | None
    text: str
    pages: int
    read_over_by: str
    signed_name: str
    signed_at: datetime
    taken_by: str
    sha256: str
    material: str


def _cards(found: Iterable[Exhibit], titles: Iterable[Title] | None = None) -> list[ExhibitCard]:
    rows = list(found)
    newest: dict[UUID, Title] = {}
    if titles is None:
        titles = Title.objects.filter(exhibit__in=[e.pk for e in rows]).order_by("at", "pk")
    for t in titles:
        newest[t.exhibit_id] = t
    screened = screenings(e.sha256 for e in rows)
    return [
        ExhibitCard(
            id=e.pk,
            case=e.case_id,
            label=e.label,
            title=newest[e.pk].text if e.pk in newest else "",
            title_sha256=newest[e.pk].sha256 if e.pk in newest else "",
            sha256=e.sha256,
            size=e.size,
            media_type=e.media_type,
            extension=e.extension,
            original_name=e.original_name,
            produced_by=e.produced_by.name,
            holder=e.holder.name,
            state=e.state,
            received_at=e.received_at,
            taken_at=e.taken_at,
            technical=e.technical,
            material=e.material,
            parent=e.parent.label if e.parent else None,
            recipe=e.recipe,
            returned_to=e.returned_to,
            restricted=e.restricted,
            scan=screened[e.sha256].scan if e.sha256 in screened else "waiting",
            says=screened[e.sha256].says if e.sha256 in screened else "",
        )
        for e in rows
    ]


def exhibits_of(viewer: Viewer, case_id: UUID) -> list[ExhibitCard]:
    """Return the exhibits of a case by label; the caller has decided that the viewer may see the case."""
    found = Exhibit.objects.filter(case_id=case_id).select_related("produced_by", "holder", "parent")
    return _cards(found.order_by("initials", "number"))


def exhibits_and_titles(viewer: Viewer, case_id: UUID) -> tuple[list[ExhibitCard], dict[str, str]]:
    """Return the exhibits of a case by label, and every version of their titles by digest."""
    found = Exhibit.objects.filter(case_id=case_id).select_related("produced_by", "holder", "parent")
    titles = list(Title.objects.filter(exhibit__case_id=case_id).order_by("at", "pk"))
    return _cards(found.order_by("initials", "number"), titles), {t.sha256: t.text for t in titles}


def exhibit_for(viewer: Viewer, case_id: UUID, exhibit_id: UUID) -> ExhibitCard | None:
    """Return one exhibit of a case the viewer may see; None when refused and None when absent."""
    if not cases.why(viewer, case_id).allowed:
        return None
    found = Exhibit.objects.filter(pk=exhibit_id, case_id=case_id).select_related(
        "produced_by", "holder", "parent"
    )
    return next(iter(_cards(found)), None)


def titles_of(case_id: UUID, exhibits: Iterable[UUID] | None = None) -> dict[str, str]:
    """Return every version of every title on a case by digest; of some exhibits only, for a bundle that holds those."""
    found = Title.objects.filter(exhibit__case_id=case_id)
    if exhibits is not None:
        found = found.filter(exhibit__in=list(exhibits))
    return dict(found.values_list("sha256", "text"))


def statements_of(viewer: Viewer, case_id: UUID) -> list[StatementCard]:
    """Return the fronts of the statements of a case; the caller has decided that the viewer may see the case."""
    found = (
        Statement.objects.filter(case_id=case_id)
        .select_related("taken_by", "party__person")
        .order_by("number")
    )
    return [
        StatementCard(
            id=s.pk,
            number=s.number,
            party=s.party_id,
            name=s.signed_name,
            age=s.under_18_age,
            text=s.text,
            pages=s.pages,
            read_over_by=s.read_over_by,
            signed_name=s.signed_name,
            signed_at=s.signed_at,
            taken_by=s.taken_by.name,
            sha256=s.sha256,
            material=s.material,
        )
        for s in found
    ]


def quarantined(viewer: Viewer, case_id: UUID) -> list[FileCard]:
    """Return the files sent with a case's reports, or added to it by officers, that are not exhibits yet."""
    taken = Exhibit.objects.filter(case_id=case_id, upload__isnull=False).values("upload_id")
    return list(reports.files_for(cases.reports_in(case_id), f"case:{case_id}", besides=taken))


def known_objects() -> list[tuple[str, int]]:
    """Return digest and size of every object that evidence names (exhibits, copies, packs), for the vault's check."""
    sheets = Redaction.objects.exclude(sheets_sha256="").values_list("sheets_sha256", "sheets_size")
    copies = Copy.objects.filter(state="made").values_list("sha256", "size")
    shares = Share.objects.filter(state="ready").values_list("sha256", "size")
    exhibits = Exhibit.objects.exclude(state="destroyed").values_list("sha256", "size")
    return [*exhibits, *copies, *sheets, *((sha256, size or 0) for sha256, size in shares)]
