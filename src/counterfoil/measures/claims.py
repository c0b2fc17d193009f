"""Hold published claims against the tables held: each is reproduced, restated, or cannot be reproduced from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.measures import queries
from counterfoil.measures.queries import Point, Series, TraceRow
from counterfoil.reference import claims as reference
from counterfoil.reference.claims import Claim, Claimed

STRENGTH = {"reproduced": 0, "restated": 1, "not-reproducible": 2}


@dataclass(frozen=True)
class Finding:
    """What the tables say to one value of a claim.

    state: `reproduced` (the same figure, as exactly as it was written), `restated` (the table gives another figure for
    that very period), `not-reproducible` (nothing held settles it). `point` is the figure found, or the nearest one
    where the claim gives no period and none agrees; `rows` where it lies: file, digest, row and byte.
    """

    claimed: Claimed
    state: str
    point: Point | None
    kind: str
    rows: tuple[TraceRow, ...]


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict, a finding for each of its values, and the first and last month that was searched."""

    claim: Claim
    state: str
    findings: tuple[Finding, ...]
    held: tuple[str, str] | None


def agrees(value: Decimal | int, said: Decimal) -> bool:
    """Say whether a figure, written with as many decimals as the claim has, is the claim."""
    step = Decimal(1).scaleb(int(said.as_tuple().exponent))
    return Decimal(value).quantize(step, ROUND_HALF_UP) == said


def judge(said: Claimed, points: Sequence[Point]) -> tuple[str, Point | None]:
    """Decide about one value from the points of its measure, and return the point that decides or comes nearest.

    A claim with a period is judged by that period alone. One without is reproduced by any period that agrees, and is
    never called restated: nobody can say which figure it would have been.
    """
    known = [p for p in points if p.value is not None and p.state == "published"]
    if said.first:
        same = next((p for p in known if (p.first, p.last) == (said.first, said.last)), None)
        if same is None:
            return "not-reproducible", None
        return ("reproduced" if agrees(same.value or 0, said.said) else "restated"), same
    for p in known:
        if agrees(p.value or 0, said.said):
            return "reproduced", p
    nearest = min(known, key=lambda p: abs(Decimal(p.value or 0) - said.said), default=None)
    return "not-reproducible", nearest


def together(states: Sequence[str]) -> str:
    """Return the verdict on a claim from those on its values: the weakest holds."""
    for state in ("not-reproducible", "restated"):
        if state in states:
            return state
    return "reproduced"


def judged(viewer: Viewer, claim: Claim) -> Judged:
    """Hold one claim against the tables held now, down to file, row and byte."""
    found: list[tuple[str, Series]] = []
    for kind in claim.kinds:
        try:
            found.append((kind, queries.series(viewer, claim.measure, claim.place, kind)))
        except BadInput:
            continue  # no such table has ever been imported here
    findings = []
    for said in claim.values:
        tried = [(kind, *judge(said, s.points)) for kind, s in found]

        def near(one: tuple[str, str, Point | None], said: Claimed = said) -> tuple[int, Decimal]:
            far = abs(Decimal(one[2].value or 0) - said.said) if one[2] else Decimal("Infinity")
            return STRENGTH[one[1]], far

        kind, state, point = min(tried, key=near, default=("", "not-reproducible", None))
        rows = queries.trace(viewer, point.address, 0, 3) if point is not None else ()
        findings.append(Finding(said, state, point, kind, rows))
    months = [m for _, s in found for p in s.points if p.value is not None for m in (p.first, p.last)]
    held = (min(months), max(months)) if months else None
    return Judged(claim, together([f.state for f in findings]), tuple(findings), held)


def all_judged(viewer: Viewer) -> tuple[Judged, ...]:
    """Hold every claim against the tables held now."""
    return tuple(judged(viewer, c) for c in reference.claims())
