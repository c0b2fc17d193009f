"""Ten thousand attempts to work out a count below 10 from what the board gives out about our own cases.

Each attack asks for totals of an invented town's table and reasons as well as can be: totals minus parts, overlapping
periods, nested places, shares, the same question over and over, and linear programming over many totals at once. It
succeeds when only one count is left possible for a cell below 10 and that is the true one. Three ways to answer are
attacked: ours; exact totals with small cells left out; and every answer rounded by itself.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog

from counterfoil.engines.disclosure_control import LEAST, Protected, rounded

KEY = b"a key of the bench, known to no attacker"
Cell = tuple[str, str, str, str]
Bounds = tuple[float, float]
WARDS = {"east": ("east-1", "east-2", "east-3"), "west": ("west-1", "west-2")}
MONTHS = tuple(f"2026-{m:02d}" for m in range(1, 9))
KINDS = ("burglary", "harassment", "robbery")
ENDS = ("charged", "not charged")


def town(seed: int) -> tuple[dict[Cell, int], random.Random]:
    """Return an invented town: counts by ward, kind, month and ending, some in the hundreds and most below 10."""
    draw = random.Random(seed)
    rng = np.random.default_rng(seed)
    table = {}
    for wards in WARDS.values():
        for ward in wards:
            size = draw.choice((0.3, 1.0, 6.0))
            for kind in KINDS:
                usual = size * draw.choice((0.5, 4.0, 20.0))
                for month in MONTHS:
                    table[ward, kind, month, "charged"] = int(rng.poisson(usual * 0.3))
                    table[ward, kind, month, "not charged"] = int(rng.poisson(usual))
    return table, draw


@dataclass(frozen=True)
class World:
    """A way to answer: what an attacker knows of the sum of some cells, and of one cell that is not shown."""

    name: str
    ask: Callable[[Sequence[Cell]], Bounds]
    box: Bounds
    counts: Callable[[Bounds], list[int]]


def _plain(found: Bounds) -> list[int]:
    return list(
        range(max(0, int(np.ceil(found[0] - 1e-6))), min(LEAST - 1, int(np.floor(found[1] + 1e-6))) + 1)
    )


def _symbols(found: Bounds) -> list[int]:
    """Return the counts that fit what is left of a symbol: counted as 0 fits 0 to 9, counted as 10 fits 1 to 9."""
    nought, ten = found[0] <= 1e-6, found[1] >= LEAST - 1e-6
    return list(range(10)) if nought else list(range(1, 10)) if ten else []


def protected(table: dict[Cell, int]) -> World:
    """Our answers. The attacker knows how they are made, but not the key, so sums are sums of symbols."""
    guarded = Protected(table, key=KEY)

    def ask(cells: Sequence[Cell]) -> Bounds:
        value = guarded.total(cells).value
        return (value, value) if value is not None else (0.0, 10.0 * len(cells))

    return World("protected", ask, (0.0, 10.0), _symbols)


def taken_literally(table: dict[Cell, int]) -> World:
    """Our answers, attacked by somebody who believes that each is the true sum rounded to the nearest 5."""
    guarded = Protected(table, key=KEY)

    def ask(cells: Sequence[Cell]) -> Bounds:
        value = guarded.total(cells).value
        return (value - 2, value + 2) if value is not None else (0.0, 9.0 * len(cells))

    return World("taken literally", ask, (0.0, 9.0), _plain)


def exact(table: dict[Cell, int]) -> World:
    """The protection off: totals are exact, and only what is itself below 10 is left out."""

    def ask(cells: Sequence[Cell]) -> Bounds:
        n = sum(table[c] for c in cells)
        return (n, n) if n >= LEAST else (0.0, 9.0)

    return World("exact", ask, (0.0, 9.0), _plain)


def one_by_one(table: dict[Cell, int]) -> World:
    """The 10-5 rule on each answer by itself: true sums, rounded, with nothing that holds them together."""

    def ask(cells: Sequence[Cell]) -> Bounds:
        n = sum(table[c] for c in cells)
        return (rounded(n) - 2, rounded(n) + 2) if n >= LEAST else (0.0, 9.0)

    return World("one by one", ask, (0.0, 9.0), _plain)


@dataclass(frozen=True)
class Attack:
    """A cell to work out and the sums to ask for, all of which hold it or parts of what it is in."""

    kind: str
    target: Cell
    sums: tuple[tuple[Cell, ...], ...]


def _attack(table: dict[Cell, int], draw: random.Random, kind: str) -> Attack:
    """Make up one attack on a cell below 10."""
    target = draw.choice([c for c, n in table.items() if n < LEAST])
    ward, crime, month, end = target
    at = MONTHS.index(month)
    if kind == "total minus parts":
        row = draw.choice(
            [
                [(ward, crime, m, end) for m in MONTHS],
                [(ward, k, month, end) for k in KINDS],
                [(ward, crime, month, e) for e in ENDS],
                [(ward, k, m, e) for k in KINDS for m in MONTHS for e in ENDS],
            ]
        )
        return Attack(kind, target, (tuple(row), tuple(c for c in row if c != target), *((c,) for c in row)))
    if kind == "overlapping periods":
        wide = [(w, crime, m, e) for w in _district(ward) for m in MONTHS[: at + 1] for e in ENDS]
        less = [c for c in wide if c[2] != month]
        others = [c for c in wide if c[2] == month and c != target]
        return Attack(kind, target, (tuple(wide), tuple(less), tuple(others), (target,)))
    if kind == "nested places":
        wide = [(w, crime, month, end) for ws in WARDS.values() for w in ws]
        inner = [c for c in wide if c[0] in _district(ward)]
        outer = [c for c in wide if c not in inner]
        rest = [c for c in inner if c != target]
        return Attack(
            kind, target, (tuple(wide), tuple(outer), tuple(inner), tuple(rest), *((c,) for c in rest))
        )
    if kind == "the same again":
        row = [(ward, k, month, e) for k in KINDS for e in ENDS]
        rest = [c for c in row if c != target]
        return Attack(
            kind, target, tuple(tuple(draw.sample(s, len(s))) for s in (row, rest) for _ in range(5))
        )
    cells = [
        (w, k, m, e)
        for w in _district(ward)
        for k in KINDS
        for m in MONTHS[max(0, at - 1) : at + 2]
        for e in ENDS
    ]
    sums = [tuple(c for c in cells if draw.random() < 0.5 or c == target) for _ in range(14)]
    sums += [tuple(c for c in some if c != target) for some in sums]
    return Attack(kind, target, (*sums, *((c,) for c in cells)))


def _district(ward: str) -> tuple[str, ...]:
    return next(ws for ws in WARDS.values() if ward in ws)


def reason(world: World, attack: Attack) -> list[int]:
    """Return every count that is still possible for the target once all sums were asked for."""
    facts = [(set(s), world.ask(s)) for s in attack.sums if s]
    return world.counts(_bounds(facts, attack.target, world.box))


def _bounds(facts: list[tuple[set[Cell], Bounds]], target: Cell, box: Bounds) -> Bounds:
    """Return the least and most a cell can be, by linear programming over everything that is known."""
    cells = sorted({c for some, _ in facts for c in some} | {target})
    place = {c: n for n, c in enumerate(cells)}
    boxes: list[tuple[float, float | None]] = [(0.0, None)] * len(cells)
    rows, tops = [], []
    for some, (low, high) in facts:
        if len(some) == 1:
            (only,) = some
            boxes[place[only]] = (low, high)
            continue
        row = np.zeros(len(cells))
        row[[place[c] for c in some]] = 1.0
        rows += [row, -row]
        tops += [high, -low]
    boxes[place[target]] = box
    ends = []
    for sign in (1.0, -1.0):
        aim = np.zeros(len(cells))
        aim[place[target]] = sign
        found = linprog(
            aim, A_ub=np.array(rows) if rows else None, b_ub=tops or None, bounds=boxes, method="highs"
        )
        # Where nothing fits (the attacker believes what is not so), nothing was learnt.
        ends.append(sign * found.fun if found.status == 0 else (box[0] if sign > 0 else box[1]))
    return ends[0], ends[1]


@dataclass
class Tally:
    """What became of the attacks on one way to answer."""

    name: str
    tried: int = 0
    recovered: int = 0
    wrong: int = 0
    narrowest: int = 99
    by_kind: dict[str, int] = field(default_factory=dict)


SHARES = {
    "total minus parts": 4, "overlapping periods": 2, "nested places": 2, "the same again": 1, "linear programming": 1,
}  # fmt: skip


def attacks(wanted: int, *, seed: int = 20261121, every: int = 5) -> tuple[Tally, Tally, Tally, Tally]:
    """Attack our way to answer and the exact one `wanted` times with the same attacks, on many invented towns.

    Two more are attacked with one in `every`, for comparison: answers rounded one by one, and ours read wrongly.
    """
    tallies = tuple(Tally(n) for n in ("protected", "exact", "rounded one by one", "of ours taken literally"))
    order = [kind for kind, times in SHARES.items() for _ in range(times)]
    made = 0
    while made < wanted:
        table, draw = town(seed + made)
        worlds = (protected(table), exact(table), one_by_one(table), taken_literally(table))
        for kind in order * 4:
            if made == wanted:
                break
            attack = _attack(table, draw, kind)
            made += 1
            for world, tally in list(zip(worlds, tallies, strict=True))[: 4 if made % every == 0 else 2]:
                left = reason(world, attack)
                tally.tried += 1
                tally.narrowest = min(tally.narrowest, len(left) or 99)
                if left == [table[attack.target]]:
                    tally.recovered += 1
                    tally.by_kind[kind] = tally.by_kind.get(kind, 0) + 1
                elif len(left) == 1:
                    tally.wrong += 1
    return tallies  # type: ignore[return-value]


def main() -> int:
    """Print the figures of this topic."""
    began, spent = time.perf_counter(), time.process_time()
    ours, exactly, alone, literally = attacks(10_000)
    met = "met" if ours.recovered == 0 and exactly.recovered > 4000 else "not met"
    print(f"privacy | attacks that recover a true count below 10, of 10,000 | {ours.recovered} | 0 | {met}")
    print(f"privacy | counts still possible where an attack got nearest | {ours.narrowest} | | said")
    print(f"privacy | the same attacks with the protection off | {exactly.recovered} | | said")
    for one in (alone, literally):
        print(
            f"privacy | {one.tried:,} on answers {one.name}: right, wrong | {one.recovered}, {one.wrong} | | said"
        )
    for kind, n in exactly.by_kind.items():
        print(f"privacy | protection off, by {kind} | {n} | | said")
    wall, cpu = time.perf_counter() - began, time.process_time() - spent
    print(f"privacy | seconds (processor seconds) | {wall:.0f} ({cpu:.0f}) | | said")
    return 0


if __name__ == "__main__":
    sys.exit(main())
