"""Who walks where and when: visits of 15 to 20 minutes, within each unit's minutes, travel included, no place starved.

Each unit starts and ends at the station. A place's first visit counts its expected crimes in full, the second half of
them, the third a third: visits beyond the first few bring less (Koper 1995; Williams & Coupe 2017). Every place gets
`least` visits at least. Solved with OR-Tools CP-SAT on one thread and within a number of deterministic seconds, so the
same question has the same answer on every machine; how far it may be from the best is said.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ortools.sat.python import cp_model

from counterfoil.engines.errors import BadInput

WALK = 80.0
"""Metres a minute on foot."""
NEAREST = 8
"""From a place a unit goes on to one of so many nearest ones, or to the station."""
SCALE = 1000


@dataclass(frozen=True)
class Spot:
    """A place to patrol: metres east and north, and how many crimes are expected there over the time planned."""

    name: str
    east: float
    north: float
    expected: float


@dataclass(frozen=True)
class Unit:
    """A pair of officers on one shift, with so many minutes to give."""

    name: str
    minutes: int


@dataclass(frozen=True)
class Visit:
    """One visit: which unit is where, from how many minutes after its start, for how long."""

    unit: str
    spot: str
    starts: int
    minutes: int


@dataclass(frozen=True)
class Plan:
    """Visits in order of unit and time; the minutes they take with travel; the value, and how far the best may be."""

    visits: tuple[Visit, ...]
    minutes: int
    value: float
    gap: float

    def dosage(self) -> dict[str, int]:
        """Return the minutes planned at each place."""
        return dosage(self.visits)


def dosage(visits: Iterable[Visit]) -> dict[str, int]:
    """Return the minutes of visits at each place."""
    found: dict[str, int] = {}
    for v in visits:
        found[v.spot] = found.get(v.spot, 0) + v.minutes
    return found


def plan(
    spots: Sequence[Spot],
    units: Sequence[Unit],
    *,
    visit: int = 15,
    least: int = 1,
    station: tuple[float, float] | None = None,
    speed: float = WALK,
    seconds: float = 10.0,
) -> Plan:
    """Return the plan of greatest value; BadInput when the minutes do not suffice for every place.

    `visit` is in minutes, `station` in metres (by default the middle of the places), `speed` in metres a minute.
    `seconds` are deterministic ones, about as long as real ones on a quiet machine.
    """
    if not 15 <= visit <= 20:
        raise BadInput(
            "visit", "A visit takes 15 to 20 minutes: shorter ones do little, longer ones add little."
        )
    if not spots or not units:
        raise BadInput("spots", "Give at least one place and one unit.")
    if len({s.name for s in spots}) < len(spots) or len({u.name for u in units}) < len(units):
        raise BadInput("spots", "Two places or two units have the same name.")
    home = station or (
        sum(s.east for s in spots) / len(spots),
        sum(s.north for s in spots) / len(spots),
    )
    at = [home, *((s.east, s.north) for s in spots)]
    travel = [[math.ceil(math.dist(a, b) / speed) for b in at] for a in at]
    need = least * len(spots) * visit
    have = sum(u.minutes for u in units)
    if need > have:
        raise BadInput(
            "minutes",
            f"{len(spots)} places with {least} visit{'s' * (least != 1)} of {visit} minutes need {need:,} minutes "
            f"before any travel; there are {have:,}. Give more minutes or choose fewer places.",
        )
    first = _greedy(spots, units, travel, visit, least)
    routes, value, best = _solve(spots, units, travel, visit, least, first, seconds)
    if routes is None or best is None:
        raise BadInput(
            "minutes",
            f"With travel, {have:,} minutes do not suffice for {least} visit{'s' * (least != 1)} of every one of "
            f"{len(spots)} places. Give more minutes or choose fewer or nearer places.",
        )
    visits, used = [], 0
    for unit, route in zip(units, routes, strict=True):
        clock, where = 0, 0
        for i in route:
            clock += travel[where][i]
            visits.append(Visit(unit.name, spots[i - 1].name, clock, visit))
            clock, where = clock + visit, i
        used += clock + travel[where][0]
    return Plan(tuple(visits), used, value, max(0.0, (best - value) / best if best else 0.0))


def _gain(spot: Spot, already: int) -> float:
    return spot.expected / (already + 1)


def _length(route: list[int], travel: list[list[int]], visit: int) -> int:
    path = [0, *route, 0]
    return sum(travel[a][b] for a, b in pairwise(path)) + visit * len(route)


def _greedy(
    spots: Sequence[Spot], units: Sequence[Unit], travel: list[list[int]], visit: int, least: int
) -> list[list[int]]:
    """Insert visits one by one: places that lack their least first, then what is worth most for its minutes."""
    routes: list[list[int]] = [[] for _ in units]
    had = [0] * (len(spots) + 1)
    while True:
        best: tuple[bool, float, int, int, int] | None = None
        for u, unit in enumerate(units):
            now = _length(routes[u], travel, visit)
            for i, spot in enumerate(spots, start=1):
                if i in routes[u]:
                    continue
                for k in range(len(routes[u]) + 1):
                    tried = _length([*routes[u][:k], i, *routes[u][k:]], travel, visit)
                    if tried <= unit.minutes:
                        worth = (_gain(spot, had[i]) + 1e-9) / (tried - now)
                        key = (had[i] < least, worth, -u, -i, -k)
                        best = key if best is None or key > best else best
        if best is None:
            return routes
        _, _, u, i, k = best
        routes[-u].insert(-k, -i)
        had[-i] += 1


def _solve(
    spots: Sequence[Spot],
    units: Sequence[Unit],
    travel: list[list[int]],
    visit: int,
    least: int,
    first: list[list[int]],
    seconds: float,
) -> tuple[list[list[int]] | None, float, float | None]:
    model = cp_model.CpModel()
    n = len(spots)
    near = {
        i: sorted(range(1, n + 1), key=lambda j: (travel[i][j], j))[: NEAREST + 1] for i in range(1, n + 1)
    }
    there = [[model.new_bool_var(f"u{u}p{i}") for i in range(1, n + 1)] for u in range(len(units))]
    arcs: list[dict[tuple[int, int], cp_model.IntVar]] = []
    for u, unit in enumerate(units):
        path = [0, *first[u], 0]
        hinted = set(pairwise(path)) if first[u] else {(0, 0)}
        pairs = {(i, j) for i in near for j in near[i] if i != j} | {
            (j, i) for i in near for j in near[i] if i != j
        }
        pairs |= {(0, i) for i in near} | {(i, 0) for i in near} | {p for p in hinted if p != (0, 0)}
        mine = {pair: model.new_bool_var(f"u{u}a{pair[0]}-{pair[1]}") for pair in sorted(pairs)}
        idle = model.new_bool_var(f"u{u}idle")
        circuit: list[tuple[int, int, cp_model.LiteralT]] = [(0, 0, idle)]
        circuit += [(i, j, lit) for (i, j), lit in mine.items()]
        circuit += [(i, i, ~there[u][i - 1]) for i in range(1, n + 1)]
        model.add_circuit(circuit)
        for visited in there[u]:
            model.add_implication(visited, ~idle)
        walked = sum(travel[i][j] * lit for (i, j), lit in mine.items())
        model.add(walked + visit * sum(there[u]) <= unit.minutes)
        for pair, lit in mine.items():
            model.add_hint(lit, pair in hinted)
        model.add_hint(idle, not first[u])
        for i in range(1, n + 1):
            model.add_hint(there[u][i - 1], i in first[u])
        arcs.append(mine)
    worth = []
    for i, spot in enumerate(spots):
        visits = [there[u][i] for u in range(len(units))]
        model.add(sum(visits) >= least)
        had = sum(i + 1 in route for route in first)
        steps = [model.new_bool_var(f"p{i}v{k}") for k in range(len(units))]
        model.add(sum(steps) == sum(visits))
        for k, step in enumerate(steps):
            model.add_hint(step, k < had)
            worth.append(round(SCALE * _gain(spot, k)) * step)
        for a, b in pairwise(steps):
            model.add_implication(b, a)
    model.maximize(sum(worth))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 20261121
    solver.parameters.max_deterministic_time = seconds
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, 0.0, None
    routes = []
    for mine in arcs:
        following = {i: j for (i, j), lit in mine.items() if solver.boolean_value(lit)}
        route, here = [], following.get(0, 0)
        while here:
            route.append(here)
            here = following[here]
        routes.append(route)
    return routes, solver.objective_value / SCALE, solver.best_objective_bound / SCALE
