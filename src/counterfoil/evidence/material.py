"""What is decided about each item of material, and the schedules that list what is not used.

Every exhibit and every statement has exactly one state; a file still in quarantine counts as an item on which nothing
is decided yet. The duty to review goes on after a case has closed (CPIA 1996, section 7A), so none of this asks for an
open case.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import lock_case
from counterfoil.cases.rules import clean_reason
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.tlog import jcs
from counterfoil.evidence import rules
from counterfoil.evidence.models import Exhibit, Schedule, Statement, Title
from counterfoil.evidence.queries import quarantined
from counterfoil.ledger.actions import record
from counterfoil.reference.disclosure import presumed


@dataclass(frozen=True)
class ItemCard:
    """An item of material as plain values: an exhibit, a statement, or a file still in quarantine."""

    kind: str
    id: UUID
    reference: str
    title: str
    material: str
    description: str
    location: str
    reason: str
    tags: tuple[str, ...]
    sha256: str
    decided_by: str
    decided_at: datetime | None

    @property
    def key(self) -> str:
        """The item's name in a schedule's lines: `exhibit:<id>`."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class ScheduleCard:
    """One signed issue of a schedule, as it was signed."""

    id: UUID
    case: UUID
    form: str
    issue: int
    lines: tuple[Mapping[str, Any], ...]
    nil: bool
    signed_by: str
    signed_at: datetime
    sha256: str


def items_of(viewer: Viewer, case_id: UUID) -> list[ItemCard]:
    """Return every item of material on a case; the caller has decided that the viewer may see the case."""
    reasons = cases.notes_by_digest(case_id)
    found = _decided(case_id, reasons)
    for f in quarantined(viewer, case_id):
        found.append(
            ItemCard(
                "upload", f.id, f"File {f.number}", f.name, "undecided", "", "", "", (), f.sha256, "", None
            )
        )
    return found


def _decided(case_id: UUID, reasons: Mapping[str, str]) -> list[ItemCard]:
    exhibits = list(Exhibit.objects.filter(case_id=case_id).order_by("initials", "number"))
    titles: dict[UUID, str] = dict(
        Title.objects.filter(exhibit__case_id=case_id).order_by("at", "pk").values_list("exhibit_id", "text")
    )
    found: list[ItemCard] = []
    for e in exhibits:
        found.append(_card("exhibit", e, e.label, titles.get(e.pk, ""), reasons))
    for s in Statement.objects.filter(case_id=case_id).order_by("number"):
        found.append(_card("statement", s, f"S/{s.number}", f"Statement of {s.signed_name}", reasons))
    return found


def _card(
    kind: str, row: Exhibit | Statement, reference: str, title: str, reasons: Mapping[str, str]
) -> ItemCard:
    return ItemCard(
        kind=kind,
        id=row.pk,
        reference=reference,
        title=title,
        material=row.material,
        description=row.description,
        location=row.location,
        reason=reasons.get(row.reason_sha256, ""),
        tags=tuple(row.tags),
        sha256=row.sha256,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def undecided(viewer: Viewer, case_id: UUID) -> list[ItemCard]:
    """Return the items of a case on which nothing is decided yet."""
    return [i for i in items_of(viewer, case_id) if i.material == "undecided"]


def schedules_of(viewer: Viewer, case_id: UUID) -> list[ScheduleCard]:
    """Return every issue of every schedule, oldest first; the caller has decided that the viewer may see the case."""
    found = Schedule.objects.filter(case_id=case_id).select_related("signed_by").order_by("form", "issue")
    return [_schedule(s) for s in found]


def schedules(ids: Iterable[UUID]) -> list[ScheduleCard]:
    """Return some issues by id, for a caller that has decided that its viewer may see them."""
    found = Schedule.objects.filter(pk__in=list(ids)).select_related("signed_by").order_by("form", "issue")
    return [_schedule(s) for s in found]


def _schedule(s: Schedule) -> ScheduleCard:
    return ScheduleCard(
        s.pk, s.case_id, s.form, s.issue, tuple(s.lines), s.nil, s.signed_name, s.signed_at, s.sha256
    )


def newest(issues: Iterable[ScheduleCard]) -> dict[str, ScheduleCard]:
    """Return the issue of each form that stands now."""
    return {s.form: s for s in sorted(issues, key=lambda s: s.issue)}


def draft(items: Iterable[ItemCard], issues: Iterable[ScheduleCard], form: str) -> list[dict[str, Any]]:
    """Return a form's lines as they would be signed now: who keeps a number keeps it, new items continue."""
    listed = {i.key: i for i in items if rules.FORMS.get(i.material) == form}
    earlier = [{str(line["key"]): int(line["number"]) for line in s.lines} for s in issues if s.form == form]
    return [
        {
            "number": number,
            "key": key,
            "reference": listed[key].reference,
            "description": listed[key].description,
            "location": listed[key].location,
            "presumed": sorted(listed[key].tags),
            "sha256": listed[key].sha256,
            **({"reason": listed[key].reason} if form == "MG6D" else {}),
        }
        for key, number in rules.numbered(list(listed), earlier).items()
    ]


def unsigned(viewer: Viewer, case_id: UUID) -> list[str]:
    """Return the forms that are not signed as the material stands now; both are signed, a nil MG6D too."""
    items, issues = items_of(viewer, case_id), schedules_of(viewer, case_id)
    standing = newest(issues)
    return [
        form
        for form in ("MG6C", "MG6D")
        if form not in standing or list(standing[form].lines) != draft(items, issues, form)
    ]


def not_ready(viewer: Viewer, case_id: UUID) -> str:
    """Return why a case cannot go to a prosecutor as a file, as a sentence; "" when it can."""
    waiting = undecided(viewer, case_id)
    if waiting:
        listed = ", ".join(i.reference for i in waiting)
        many = f"{len(waiting)} items of material" if len(waiting) > 1 else "one item of material"
        return f"Nothing is decided yet about {many}: {listed}. Decide first whether each is used."
    forms = unsigned(viewer, case_id)
    if forms:
        return f"{' and '.join(forms)} {'is' if len(forms) == 1 else 'are'} not signed for the material as it stands."
    return ""


@transaction.atomic
def decide(
    case_id: UUID,
    kind: str,
    item_id: UUID,
    state: str,
    *,
    by: Viewer,
    description: str = "",
    location: str = "",
    reason: str = "",
    tags: Iterable[str] = (),
) -> None:
    """Decide what an exhibit or a statement is to the case: used, unused, sensitive or not relevant.

    What is unused is described for its schedule; what is sensitive or not relevant has its reason kept by digest.
    """
    needs(by, "officer", "decide about material")
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    if state not in rules.MATERIAL:
        raise BadInput("material", "Choose what the item is to this case.")
    lock_case(case_id)
    row = _row(case_id, kind, item_id)
    chosen = sorted(set(tags))
    if any(t not in presumed() for t in chosen):
        raise BadInput("tags", "Choose from the list of what is presumed to be disclosed.")
    said = {"description": "", "location": "", "reason": ""}
    if state in rules.FORMS:
        others = [i.description for i in _decided(case_id, {}) if i.id != item_id]
        said["description"] = rules.clean_description(description, others)
        said["location"] = rules.clean_location(location)
    if state in ("sensitive", "not_relevant"):
        said["reason"] = clean_reason(reason, least=15)
    _decide(row, kind, state, said, chosen, by)


@transaction.atomic
def decide_several(
    case_id: UUID, keys: Sequence[str], state: str, *, location: str = "", reason: str = "", by: Viewer
) -> int:
    """Decide the same about several items at once, all or none; return how many.

    Each keeps its own description for a schedule, or gets its title as one; location and reason are those given here.
    What is wrong with one item is said with its reference, and nothing is decided.
    """
    items = {i.key: i for i in items_of(by, case_id) if i.kind != "upload"}
    chosen = [items[k] for k in dict.fromkeys(keys) if k in items]
    if not chosen or len(chosen) != len(set(keys)):
        raise BadInput("item", "Tick the items that you decide about.")
    for i in chosen:
        try:
            decide(
                case_id,
                i.kind,
                i.id,
                state,
                description=i.description or i.title,
                location=location or i.location,
                reason=reason,
                tags=i.tags,
                by=by,
            )
        except BadInput as wrong:
            alone = wrong.field in ("description", "tags")
            said = f"{i.reference}: {wrong} Decide about it by itself." if alone else str(wrong)
            raise BadInput("item" if alone else wrong.field, said) from wrong
    return len(chosen)


def officers_report(items: Iterable[ItemCard], issues: Iterable[ScheduleCard]) -> list[dict[str, Any]]:
    """Return the lines of a disclosure officer's report (MG6E) on the newest schedules: what is presumed disclosed.

    {form, number, reference, description, presumed}, in the order of the schedules; the officer writes beside each why
    it may undermine the prosecution or assist the defence.
    """
    tags = {i.key: i.tags for i in items}
    return [
        {
            "form": s.form,
            "number": int(line["number"]),
            "reference": str(line["reference"]),
            "description": str(line["description"]),
            "presumed": sorted(tags[str(line["key"])]),
        }
        for s in sorted(newest(issues).values(), key=lambda s: s.form)
        for line in s.lines
        if tags.get(str(line["key"]))
    ]


def _row(case_id: UUID, kind: str, item_id: UUID) -> Exhibit | Statement:
    row: Exhibit | Statement | None = None
    if kind == "exhibit":
        row = Exhibit.objects.select_for_update().filter(pk=item_id, case_id=case_id).first()
    elif kind == "statement":
        row = Statement.objects.select_for_update().filter(pk=item_id, case_id=case_id).first()
    if row is None:
        raise NotAllowed("There is no such item on this case. A file is taken as an exhibit first.")
    return row


def _decide(
    row: Exhibit | Statement, kind: str, state: str, said: Mapping[str, str], tags: list[str], by: Viewer
) -> None:
    digest = ""
    if said.get("reason"):
        digest = case_actions.keep_reason(row.case_id, f"{kind}.material", said["reason"], by=by)
    row.material, row.tags, row.reason_sha256 = state, tags, digest
    row.description, row.location = said.get("description", ""), said.get("location", "")
    row.decided_by, row.decided_at = by.id, timezone.now()
    row.save(
        update_fields=[
            "material",
            "tags",
            "reason_sha256",
            "description",
            "location",
            "decided_by",
            "decided_at",
        ]
    )
    line = jcs({"description": row.description, "location": row.location, "tags": tags})
    record(
        f"{kind}.material",
        by=by,
        on=(kind, row.pk),
        thread=row.case_id,
        material=state,
        line_sha256=hashlib.sha256(line).hexdigest(),
        reason_sha256=digest,
    )


def parent_is_unused(exhibit_id: UUID, *, by: Viewer) -> bool:
    """Make the whole footage behind a clip or still unused at once, unless something is decided about it already.

    Called in the transaction that makes the derived exhibit, with the case locked. Returns whether it changed.
    """
    row = Exhibit.objects.select_for_update().get(pk=exhibit_id)
    if row.material != "undecided":
        return False
    title = Title.objects.filter(exhibit=row).order_by("-at", "-pk").values_list("text", flat=True).first()
    said = {
        "description": f"Whole of {row.label} as received, from which copies or parts were made: {title or ''}"[
            :300
        ].strip(),
        "location": "Evidence vault of the force",
    }
    _decide(row, "exhibit", "unused", said, [], by)
    return True


@transaction.atomic
def sign_schedules(case_id: UUID, signed_name: str, *, endorse_nil: bool = False, by: Viewer) -> list[UUID]:
    """Sign MG6C and MG6D as the material stands, as the disclosure officer; return the new issues.

    A form that did not change keeps its issue. An MG6D without items is endorsed nil and signed all the same.
    """
    needs(by, "officer", "sign schedules")
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    lock_case(case_id)
    name = " ".join(signed_name.split())
    if name.casefold() != by.name.casefold():
        raise BadInput("signed_name", "Sign by typing your own name as your account has it.")
    items, issues = items_of(by, case_id), schedules_of(by, case_id)
    waiting = [i.reference for i in items if i.material == "undecided"]
    if waiting:
        raise NotAllowed(
            f"Schedules are signed when every item is decided. Nothing is decided yet about: {', '.join(waiting)}."
        )
    standing, made = newest(issues), []
    for form in ("MG6C", "MG6D"):
        lines = draft(items, issues, form)
        if form in standing and list(standing[form].lines) == lines:
            continue
        if not lines and form == "MG6D" and not endorse_nil:
            raise BadInput(
                "endorse_nil", "Confirm that there is no sensitive material: a nil MG6D is endorsed."
            )
        made.append(_sign(case_id, form, lines, standing.get(form), name, by))
    return made


def _sign(
    case_id: UUID,
    form: str,
    lines: list[dict[str, Any]],
    before: ScheduleCard | None,
    name: str,
    by: Viewer,
) -> UUID:
    schedule = Schedule(
        id=uuid4(),
        case_id=case_id,
        form=form,
        issue=before.issue + 1 if before else 1,
        lines=lines,
        nil=not lines,
        signed_by_id=by.id,
        signed_name=name,
        signed_at=timezone.now(),
    )
    schedule.sha256 = hashlib.sha256(jcs({"form": form, "issue": schedule.issue, "lines": lines})).hexdigest()
    schedule.save(force_insert=True)
    record(
        "schedule.signed",
        by=by,
        on=("schedule", schedule.pk),
        thread=case_id,
        form=form,
        issue=schedule.issue,
        nil=schedule.nil,
        sha256=schedule.sha256,
        supersedes=str(before.id) if before else "",
    )
    return schedule.pk
