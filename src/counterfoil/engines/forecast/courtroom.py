"""Simulate the flow of invented cases through a Crown Court: receipts, preparation, courtrooms, sentence.

The cases are invented; what is real are the published totals they start from and the hours that courts sat. It answers
what more or fewer sitting days would do to the number and age of open cases. It never says when a case should be
heard: listing is for the judges.

>>> bands = {"custody": [60] * 9, "bail": [90] * 9, "other": [30] * 9}
>>> less, more = (simulate([1300] * 4, [h] * 4, bands, scale=1) for h in (2_500, 5_000))
>>> less.open[-1] > more.open[-1]
True
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from counterfoil.engines.errors import BadInput

BANDS = (
    "Under 4 weeks", "4 to 8 weeks", "8 to 12 weeks", "12 to 16 weeks", "16 to 20 weeks", "20 to 26 weeks",
    "6 months to under 1 year", "1 to 2 years", "2 years or more",
)  # fmt: skip
EDGES = (0, 4, 8, 12, 16, 20, 26, 52, 104)
GROUPS = ("custody", "bail", "other")
QUARTER = 13  # weeks
HOURS = 3.5  # in court for a case that ends, on the mean of 2019 and 2021 to 2023 (2 to 3 through 2020)


@dataclass(frozen=True)
class Group:
    """How cases of one remand status behave, calibrated, not measured.

    share of receipts; pleas: share that plead guilty before trial; weeks, on the mean: until such a plea can be heard,
    until a trial is ready, from the main hearing to the end; held: share held up outside the court's hands (a warrant,
    a linked case), and for how long; first: weight at the courtroom door.
    """

    share: float
    pleas: float
    plea_weeks: float
    trial_weeks: float
    after_weeks: float
    held: float
    held_weeks: float
    first: float


@dataclass(frozen=True)
class Setting:
    """The groups, and the hours in court of a plea and of a trial."""

    groups: Mapping[str, Group]
    plea_hours: float = 1.0
    trial_hours: float = 6.48


CALIBRATED = Setting(
    {
        "custody": Group(0.289, 0.646, 5.2, 16.0, 6.03, 0.0204, 58.6, 1.32),
        "bail": Group(0.382, 0.326, 9.78, 22.1, 4.42, 0.0424, 80.5, 1),
        "other": Group(0.329, 0.787, 5.15, 14.1, 2.73, 0.0378, 46.8, 0.7),
    }
)


@dataclass(frozen=True)
class Simulated:
    """At the end of each quarter: open cases by group and band, all scaled up to real size; and median waits in weeks.

    waits: from receipt to the main hearing, of the cases that ended in the quarter, by group and for `all`; NaN when
    none ended. used: share of the sitting hours that were used.
    """

    bands: tuple[Mapping[str, tuple[float, ...]], ...]
    open: tuple[float, ...]
    ended: tuple[float, ...]
    waits: tuple[Mapping[str, float], ...]
    used: tuple[float, ...]


@dataclass
class _Court:
    """What the processes share."""

    env: simpy.Environment
    rng: np.random.Generator
    setting: Setting
    open: dict[int, tuple[float, str]] = field(default_factory=dict)
    pleas: list[tuple[simpy.Event, str]] = field(default_factory=list)
    trials: dict[str, list[simpy.Event]] = field(default_factory=lambda: {g: [] for g in GROUPS})
    ended: list[tuple[str, float]] = field(default_factory=list)
    sat: float = 0.0
    given: float = 0.0


def simulate(
    receipts: Sequence[float],
    hours: Sequence[float],
    start: Mapping[str, Sequence[float]],
    setting: Setting = CALIBRATED,
    *,
    scale: int = 20,
    seed: int = 1,
) -> Simulated:
    """Return what becomes of the open cases over quarters with these receipts and these hours in court.

    start: open cases at the beginning by group (`custody`, `bail`, `other`) and age band. scale: one invented case
    stands for so many. Pleas are heard as they are ready; what hours are left go to trials that are ready, drawn by lot
    with the groups' weights, for which case comes first is not the model's to say. Hours not used are lost. The same
    seed gives the same answer. Raises BadInput when lengths or bands do not fit.
    """
    if len(receipts) != len(hours) or not receipts:
        raise BadInput("receipts", "Receipts and sitting hours must cover the same quarters.")
    if set(start) != set(GROUPS) or any(len(b) != len(BANDS) for b in start.values()):
        raise BadInput(
            "start", "The open cases to start from need nine age bands for custody, bail and other."
        )
    env = simpy.Environment()
    court = _Court(env, np.random.default_rng(seed), setting)
    _begin(court, start, scale)
    env.process(_arrive(court, receipts, scale))
    env.process(_sit(court, hours, scale))
    found: list[Any] = []
    env.process(_look(court, len(receipts), scale, found))
    env.run(until=QUARTER * len(receipts) + 0.5)
    bands, open_, ended, waits, used = zip(*found, strict=True)
    return Simulated(bands, open_, ended, waits, used)


def _begin(court: _Court, start: Mapping[str, Sequence[float]], scale: int) -> None:
    """Put in the cases already open; the older one is, the likelier it waits for a trial or is held up.

    A fraction of a case is one by chance.
    """
    rng = court.rng
    for name in GROUPS:
        group = court.setting.groups[name]
        for band, count in enumerate(start[name]):
            low = EDGES[band]
            for _ in range(int(count / scale + rng.random())):
                age = low + (
                    rng.exponential(60) if band == len(EDGES) - 1 else rng.random() * (EDGES[band + 1] - low)
                )
                early = group.pleas * math.exp(-age / (group.plea_weeks + group.after_weeks))
                stays = group.held * math.exp(-age / (group.held_weeks + group.trial_weeks))
                tries = (1 - group.pleas - group.held) * math.exp(-age / (2 * group.trial_weeks))
                kind = rng.random() * (early + stays + tries)
                what = "plea" if kind < early else "held" if kind < early + stays else "trial"
                court.env.process(_case(court, name, what, age))


def _arrive(court: _Court, receipts: Sequence[float], scale: int) -> Any:
    for count in receipts:
        for _ in range(QUARTER):
            for name in GROUPS:
                group = court.setting.groups[name]
                for _ in range(int(count / QUARTER / scale * group.share + court.rng.random())):
                    kind = court.rng.random()
                    what = (
                        "plea"
                        if kind < group.pleas
                        else "held"
                        if kind < group.pleas + group.held
                        else "trial"
                    )
                    court.env.process(_case(court, name, what, 0.0))
            yield court.env.timeout(1)


def _case(court: _Court, name: str, what: str, age: float) -> Any:
    """Live one case: get ready, wait for a courtroom, be heard, be sentenced or let go."""
    env, rng, group = court.env, court.rng, court.setting.groups[name]
    born = env.now - age - (rng.random() if not age else 0)
    number = len(court.open) + len(court.ended) * 1_000_003
    while number in court.open:
        number += 1
    court.open[number] = (born, name)
    mean = {
        "plea": group.plea_weeks,
        "trial": group.trial_weeks,
        "held": group.held_weeks + group.trial_weeks,
    }[what]
    ready = rng.gamma(2.0, mean / 2) if what != "held" else rng.exponential(mean)
    late = 0.0 if what == "trial" else rng.exponential(mean / 2 if what == "plea" else mean)
    left = ready - age if ready > age else late
    yield env.timeout(left)
    called = env.event()
    if what == "plea":
        court.pleas.append((called, name))
    else:
        court.trials[name].append(called)
    yield called
    heard = env.now
    yield env.timeout(rng.exponential(group.after_weeks))
    court.ended.append((name, heard - born))
    del court.open[number]


def _sit(court: _Court, hours: Sequence[float], scale: int) -> Any:
    """Give each week's hours in court: to pleas as they come, then to trials drawn by lot."""
    rng, setting = court.rng, court.setting
    debt = 0.0
    for count in hours:
        for _ in range(QUARTER):
            week = count / QUARTER / scale
            left = week - debt
            while left > 0 and court.pleas:
                court.pleas.pop(0)[0].succeed()
                left -= rng.exponential(setting.plea_hours)
            while left > 0:
                weights = [setting.groups[g].first * len(court.trials[g]) for g in GROUPS]
                if not any(weights):
                    break
                at = rng.random() * sum(weights)
                name = (
                    GROUPS[0] if at < weights[0] else GROUPS[1] if at < weights[0] + weights[1] else GROUPS[2]
                )
                waiting = court.trials[name]
                place = int(rng.integers(len(waiting)))
                waiting[place], waiting[-1] = waiting[-1], waiting[place]
                waiting.pop().succeed()
                left -= rng.gamma(2.0, setting.trial_hours / 2)
            court.given += week
            court.sat += week - max(left, 0.0) if left > 0 else week
            debt = max(0.0, -left)
            yield court.env.timeout(1)


def _look(court: _Court, quarters: int, scale: int, found: list[Any]) -> Any:
    """Count what is open at the end of each quarter."""
    for _ in range(quarters):
        yield court.env.timeout(QUARTER)
        bands = {name: [0.0] * len(BANDS) for name in GROUPS}
        for born, name in court.open.values():
            age = court.env.now - born
            bands[name][sum(age >= e for e in EDGES) - 1] += scale
        waits = {n: [w for g, w in court.ended if n in ("all", g)] for n in ("all", *GROUPS)}
        found.append(
            (
                {name: tuple(b) for name, b in bands.items()},
                float(sum(sum(b) for b in bands.values())),
                float(len(court.ended) * scale),
                {n: float(np.median(w)) if w else math.nan for n, w in waits.items()},
                court.sat / court.given if court.given else 0.0,
            )
        )
        court.ended.clear()
        court.sat = court.given = 0.0


def variation(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the total variation between two sets of counts, as shares: half the sum of the differences."""
    a, b = np.asarray(one, float), np.asarray(other, float)
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)
