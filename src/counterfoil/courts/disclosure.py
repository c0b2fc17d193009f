"""What of a case a bundle holds: for the prosecutor what is used and both schedules; for the defence what is disclosed.

A defence bundle is a function of disclosed content alone (docs/adr/0016). It has what is used, what a prosecutor
marked to be disclosed, and the MG6C numbered as the defence was served it, from 1 without a gap. It takes nothing
from the MG6D, nor anything counted over material that the defence does not have.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from counterfoil.accounts.rules import Viewer
from counterfoil.courts.models import Bundle, Release
from counterfoil.courts.queries import marks_of
from counterfoil.engines import bundle as engine
from counterfoil.engines.errors import NotAllowed
from counterfoil.evidence import material
from counterfoil.evidence import queries as evidence
from counterfoil.evidence.material import ItemCard, ScheduleCard
from counterfoil.evidence.rules import is_redaction, numbered

# Acts on an exhibit that are decisions about disclosure, not custody. They may tell of what else is on the case (a
# still whose existence is sensitive makes its parent unused), so the defence's copy does not have them.
NOT_CUSTODY = frozenset({"exhibit.material", "statement.material"})


@dataclass(frozen=True)
class Contents:
    """What a bundle holds: the keys of items with their content, its schedules, and what to keep on its row."""

    keys: frozenset[str]
    schedules: tuple[engine.ScheduleFacts, ...]
    mg6c: UUID | None = None
    mg6d: UUID | None = None
    served: list[dict[str, Any]] = field(default_factory=list)

    def has(self, kind: str, item_id: UUID) -> bool:
        """Say whether the content of an exhibit or a statement is in the bundle."""
        return f"{kind}:{item_id}" in self.keys


def contents(bundle: Bundle) -> Contents:
    """Return what a bundle holds as the case stands now; the case is locked by the caller.

    A defence bundle is refused when the case is not ready to be sent, or is no longer what the prosecutor has seen.
    """
    viewer = Viewer(id=str(bundle.asked_by_id))
    items = material.items_of(viewer, bundle.case_id)
    ready = not material.not_ready(viewer, bundle.case_id)
    issues = material.schedules_of(viewer, bundle.case_id)
    marks = marks_of(bundle.case_id)
    if bundle.audience == "prosecutor":
        return _for_prosecutor(items, issues if ready else [], marks)
    if not ready:
        raise NotAllowed(
            "The case is not ready to be disclosed: decide about its material and sign the schedules."
        )
    return _for_defence(bundle, items, material.newest(issues)["MG6C"], marks)


def _for_prosecutor(
    items: Sequence[ItemCard],
    issues: Sequence[ScheduleCard],
    marks: Mapping[tuple[str, str], tuple[str, str]],
) -> Contents:
    held = [
        i
        for i in items
        if i.kind != "upload" and (i.material in ("used", "undecided") or _disclosed(i, marks))
    ]
    standing = material.newest(issues)
    return Contents(
        keys=frozenset(i.key for i in held),
        schedules=tuple(
            engine.ScheduleFacts(
                form=s.form,
                number=s.issue,
                items=[_line(line, *marks.get((s.form, str(line["key"])), ("", ""))) for line in s.lines],
                signed_by=s.signed_by,
                signed_at=s.signed_at,
                endorsed_nil=s.nil,
            )
            for s in sorted(issues, key=lambda s: (s.form, s.issue))
        ),
        mg6c=standing["MG6C"].id if "MG6C" in standing else None,
        mg6d=standing["MG6D"].id if "MG6D" in standing else None,
    )


def _disclosed(item: ItemCard, marks: Mapping[tuple[str, str], tuple[str, str]]) -> bool:
    """Say whether a prosecutor decided that an unused, not sensitive item is disclosed."""
    return item.material == "unused" and marks.get(("MG6C", item.key), ("",))[0] == "D"


def _line(line: Mapping[str, Any], mark: str, comment: str) -> engine.ScheduleItem:
    return engine.ScheduleItem(
        number=int(line["number"]),
        description=str(line["description"]),
        location=str(line["location"]),
        exhibit=str(line["reference"]),
        sha256=str(line["sha256"]),
        reason=str(line.get("reason", "")),
        decision=mark,
        comment=comment,
    )


def served_before(case_id: UUID) -> list[dict[str, Any]]:
    """Return the issues of MG6C that the defence was ever given, as it numbers them: those of the newest release."""
    last = (
        Release.objects.filter(kind="defence", bundle__case_id=case_id)
        .order_by("-bundle__built_at", "-made_at")
        .select_related("bundle")
        .first()
    )
    return list(last.bundle.served) if last else []


def served_count(case_id: UUID) -> int:
    """Return how many different bundles the defence was given."""
    found = Release.objects.filter(kind="defence", bundle__case_id=case_id)
    return found.values("bundle_id").distinct().count()


def _for_defence(
    bundle: Bundle,
    items: Sequence[ItemCard],
    mg6c: ScheduleCard,
    marks: Mapping[tuple[str, str], tuple[str, str]],
) -> Contents:
    held = [i for i in items if i.kind != "upload" and (i.material == "used" or _disclosed(i, marks))]
    keys = frozenset(i.key for i in held)
    assert bundle.source is not None  # noqa: S101  (the database's own constraint)
    unseen = {i.key for i in held if i.material == "used"} - set(bundle.source.holds)
    if bundle.source.state != "built":
        raise NotAllowed("The prosecutor's bundle could not be built, so the defence's is not made either.")
    if unseen or bundle.source.mg6c_id != mg6c.id:
        raise NotAllowed(
            "The case changed since the prosecutor's bundle was built. Build a new one and send it."
        )
    served = served_issues(served_before(bundle.case_id), mg6c, marks, _behind_redactions(bundle, held))
    return Contents(
        keys=keys,
        schedules=tuple(
            engine.ScheduleFacts(
                form="MG6C",
                number=n,
                items=[_line(line, str(line["mark"]), "") for line in issue["lines"]],
                signed_by=str(issue["signed_by"]),
                signed_at=datetime.fromisoformat(str(issue["signed_at"])),
                endorsed_nil=not issue["lines"],
            )
            for n, issue in enumerate(served, 1)
        ),
        mg6c=mg6c.id,
        served=served,
    )


def _behind_redactions(bundle: Bundle, held: Sequence[ItemCard]) -> frozenset[str]:
    """Return the keys of what the defence gets only with something removed: not the whole itself."""
    inside = {i.key for i in held}
    exhibits = evidence.exhibits_of(Viewer(id=str(bundle.asked_by_id)), bundle.case_id)
    keys = {x.label: f"exhibit:{x.id}" for x in exhibits}
    parents = {x.label: x.parent for x in exhibits if x.parent is not None}
    behind: set[str] = set()
    for x in exhibits:
        label = x.label if f"exhibit:{x.id}" in inside and is_redaction(x.recipe) else None
        while label is not None and (label := parents.get(label)) is not None:
            behind.add(keys[label])
    return frozenset(behind) - inside


def served_issues(
    before: Iterable[Mapping[str, Any]],
    mg6c: ScheduleCard,
    marks: Mapping[tuple[str, str], tuple[str, str]],
    undigested: Container[str] = (),
) -> list[dict[str, Any]]:
    """Return the issues of MG6C for the defence: what it was given before, and the one that stands, in its own numbers.

    An item keeps the number it was first served under. A line that never reached the defence never had a number
    there, so taking it off the form (because it turned out to be sensitive) leaves no gap. `undigested` are the keys of
    items whose digest is left out, because with it a guess at what was removed from them could be confirmed.
    """
    issues = [dict(i) for i in before]
    earlier = [{str(line["key"]): int(line["number"]) for line in i["lines"]} for i in issues]
    lines = {str(line["key"]): line for line in mg6c.lines}
    now = [
        {
            "number": number,
            "key": key,
            "reference": lines[key]["reference"],
            "description": lines[key]["description"],
            "location": lines[key]["location"],
            "sha256": "" if key in undigested else lines[key]["sha256"],
            "mark": marks.get(("MG6C", key), ("", ""))[0],
        }
        for key, number in numbered(list(lines), earlier).items()
    ]
    if not issues or issues[-1]["lines"] != now:
        issues.append({"lines": now, "signed_by": mg6c.signed_by, "signed_at": mg6c.signed_at.isoformat()})
    return issues
