"""Numbers from our own cases: protected for everybody, exact only with the cases that a member of staff may see.

The whole table of a release is protected once, cell by cell, and every number is a sum of the same protected cells; see
`measures.protecting`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.cases.queries import CaseCard
from counterfoil.engines.disclosure_control import Protected
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import ALL, share
from counterfoil.measures.protecting import protect
from counterfoil.measures.queries import releases
from counterfoil.measures.queries.releases import Cell, Release
from counterfoil.measures.rules import NumberId
from counterfoil.reference.measures import Definition

RECORDED = ("in-day", "late")
CHARGED = ("1", "1A")


@lru_cache(maxsize=4)
def _protected(digest: str) -> Protected:
    release = next(r for r in releases.releases() if r.sha256 == digest)
    return protect({cell: len(ids) for cell, ids in release.cells.items()})


def _counted(measure: str, cell: Cell, kind: str) -> bool:
    """Say whether the cases of a cell are counted in a measure (its numerator)."""
    _, case_kind, _, recording, response, outcome = cell
    if measure == "own-outcomes":
        return bool(outcome) and kind in (ALL, f"outcome-{outcome.lower()}")
    if kind not in (ALL, case_kind):
        return False
    if measure == "recorded-within-24h":
        return recording == "in-day"
    if measure == "own-charge-rate":
        return recording in RECORDED and outcome in CHARGED
    if measure == "own-response-in-time":
        return response == "in-time"
    return measure == "own-cases"


def _among(measure: str, cell: Cell, kind: str) -> bool:
    """Say whether the cases of a cell are what a measure is divided by."""
    _, case_kind, _, recording, _, outcome = cell
    if measure == "own-outcomes":
        return bool(outcome)
    if kind not in (ALL, case_kind):
        return False
    if measure == "recorded-within-24h":
        return recording != "no-crime"
    return recording in RECORDED if measure == "own-charge-rate" else True


def _cells(release: Release, what: NumberId) -> Iterator[Cell]:
    for cell in release.cells:
        if cell[0] == what.force and what.first <= cell[2] <= what.last:
            yield cell


def compute(what: NumberId, definition: Definition, viewer: Viewer) -> dict[str, Any]:
    """Return the facts of a number from our own cases, as `Number` takes them: protected, whoever asks."""
    release = releases.newest()
    if release is None:
        return {"state": "no-table", "needs": "own"}
    if what.type != ALL and what.type not in dict(kinds(definition)):
        raise BadInput("number", "There is no such kind among our own cases.")
    facts: dict[str, Any] = {"vintage": release.day, "type_name": ALL if what.type == ALL else what.type}
    if what.measure == "own-named-officer":
        return facts | _named(release, what)
    if what.measure == "own-patrols":
        done = [
            n for (f, m), n in release.patrols.items() if f == what.force and what.first <= m <= what.last
        ]
        return facts | ({"state": "published", "value": sum(done)} if done else {"state": "missing"})
    months = release.months
    if not months or what.first < months[0] or what.last > months[-1] or what.force not in _forces(release):
        return {**facts, "state": "missing"}
    guarded = _protected(release.sha256)
    part = [c for c in _cells(release, what) if _counted(what.measure, c, what.type)]
    if definition.unit == "count":
        shown = guarded.total(part)
        if shown.value is None:
            return {**facts, "state": "protected"}
        return {**facts, "state": "published", "value": shown.value, "low": shown.low, "high": shown.high}
    found = guarded.share(part, [c for c in _cells(release, what) if _among(what.measure, c, what.type)])
    if found.value is None:
        return {**facts, "state": "protected"}
    return {
        **facts,
        "state": "published",
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "part": found.part.value,
        "whole": found.whole.value,
    }


def _named(release: Release, what: NumberId) -> dict[str, Any]:
    """Return how many neighbourhoods have a named officer: a fact about areas, which nobody is protected from."""
    month = release.day[:7]
    named, every = release.areas.get(what.force, (0, 0))
    if (what.first, what.last) != (month, month) or not every:
        return {"state": "missing"}
    found = share(named, every)
    return {
        "state": "published",
        "value": found.percent,
        "low": found.low,
        "high": found.high,
        "part": named,
        "whole": every,
    }


def _forces(release: Release) -> set[str]:
    return {cell[0] for cell in release.cells}


def periods(definition: Definition, place: str, viewer: Viewer) -> tuple[tuple[str, str], ...]:
    """Return the periods that there are numbers for: months of the newest release."""
    release = releases.newest()
    if release is None:
        return ()
    if definition.id == "own-patrols":
        return tuple((m, m) for f, m in sorted(release.patrols) if f == place)
    if place not in _forces(release) and definition.id != "own-named-officer":
        return ()
    months = (release.day[:7],) if definition.id == "own-named-officer" else release.months
    return tuple((m, m) for m in months)


def places(definition: Definition, viewer: Viewer) -> tuple[str, ...]:
    """Return the forces that there are numbers for."""
    release = releases.newest()
    if release is None:
        return ()
    if definition.id == "own-patrols":
        return tuple(sorted({f for f, _ in release.patrols}))
    return tuple(sorted(release.areas if definition.id == "own-named-officer" else _forces(release)))


def kinds(definition: Definition) -> tuple[tuple[str, str], ...]:
    """Return the kinds that a measure can be asked for: kinds of case, or outcome types."""
    release = releases.newest()
    if release is None or definition.id in ("own-named-officer", "own-patrols"):
        return ()
    if definition.id == "own-outcomes":
        found = sorted({c[5] for c in release.cells if c[5]})
        return tuple((f"outcome-{o.lower()}", f"outcome-{o.lower()}") for o in found)
    return tuple((k, k) for k in sorted({c[1] for c in release.cells}))


@dataclass(frozen=True)
class Exact:
    """What a number from our own cases rests on, as far as one member of staff may see it.

    part and whole are true counts of the cases that they may see; `cases` are those counted. `all_seen` is true when
    no case of the number is hidden from them, and only then are these the number's own counts.
    """

    part: int
    whole: int
    cases: tuple[CaseCard, ...]
    all_seen: bool


def exact(viewer: Viewer, address: str) -> Exact:
    """Return the cases behind a number from our own cases that a member of staff needs to know, for the desk only.

    Each case is asked for with the viewer's own rights; one that they may not see is as if it were not there.
    """
    what = NumberId.parse(address)
    release = releases.newest()
    if release is None or not viewer.signed_in:
        return Exact(0, 0, (), False)
    part = [
        i for c in _cells(release, what) if _counted(what.measure, c, what.type) for i in release.cells[c]
    ]
    among = [i for c in _cells(release, what) if _among(what.measure, c, what.type) for i in release.cells[c]]
    seen: dict[UUID, CaseCard] = {}
    for id in dict.fromkeys([*part, *among]):
        card = cases.case_for(viewer, id)
        if card is not None:
            seen[id] = card
    return Exact(
        sum(i in seen for i in part),
        sum(i in seen for i in among),
        tuple(seen[i] for i in part if i in seen),
        len(seen) == len({*part, *among}),
    )


def again(address: str) -> bool:
    """Count the newest release's cells again from the event log and say whether they are the same, bit for bit."""
    release = releases.newest()
    return release is not None and releases.count(release.until) == dict(release.cells)
