"""Find how cases of each remand status behave so that the simulation gives the published ages and waits.

    python -m bench.calibrate_courts [ROUNDS]

Climbs from the shipped setting by small random steps, on the windows that end by the end of 2022; 2023 is left to check
against (`python -m bench.numbers_courts`). Prints the setting for engines/forecast/courtroom.py.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cache

import numpy as np

from bench.numbers import DATA
from counterfoil.engines.forecast.courtroom import (
    BANDS,
    CALIBRATED,
    GROUPS,
    Group,
    Setting,
    Simulated,
    simulate,
    variation,
)

FOLDER = DATA / "crown_court"
LONG = 8
TRAIN = ("2017-12-31", "2019-12-31", "2020-12-31")  # windows begin here and end eight quarters later
CHECK = "2021-12-31"


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one published table."""
    with (FOLDER / name).open(newline="") as f:
        return list(csv.DictReader(f))


class Published:
    """The tables, by quarter."""

    def __init__(self) -> None:
        flow = rows("gold_backlog_trajectory.csv")
        self.quarters = [r["quarter_end"] for r in flow]
        self.open = [float(r["open"]) for r in flow]
        self.receipts = [float(r["receipts"]) for r in flow]
        self.disposals = [float(r["disposals"]) for r in flow]
        hearing = {r["quarter_end"]: r for r in rows("gold_waiting_hearing.csv")}
        mean = [float(hearing[q]["hearing_mean_hours"]) for q in self.quarters]
        self.hours = [d * h for d, h in zip(self.disposals, mean, strict=True)]
        self.waits = [float(hearing[q]["waiting_median_weeks"]) for q in self.quarters]
        self.all = {q: [0.0] * len(BANDS) for q in self.quarters}
        self.by = {(q, g): [0.0] * len(BANDS) for q in self.quarters for g in ("Custody", "Bail")}
        for r in rows("gold_caseload_age.csv"):
            self.all[r["quarter_end"]][int(float(r["age_order"])) - 1] = float(r["count"])
        for r in rows("gold_remand_age.csv"):
            if r["remand_status"] != "Unknown":
                self.by[r["quarter_end"], r["remand_status"]][int(float(r["age_order"])) - 1] = float(
                    r["count"]
                )

    def bands(self, quarter: str) -> dict[str, list[float]]:
        """Return open cases by group and band; `other` is what is neither in custody nor on bail."""
        custody, bail = self.by[quarter, "Custody"], self.by[quarter, "Bail"]
        other = [max(0.0, a - c - b) for a, c, b in zip(self.all[quarter], custody, bail, strict=True)]
        return {"custody": custody, "bail": bail, "other": other}


@cache
def published() -> Published:
    """Return the tables, read once."""
    return Published()


def window(begin: str, setting: Setting, scale: int = 15, seed: int = 1) -> tuple[int, Simulated]:
    """Simulate eight quarters after the end of a quarter; return its place and what came."""
    held = published()
    at = held.quarters.index(begin)
    ahead, start = slice(at + 1, at + 1 + LONG), held.bands(begin)
    aged = sum(map(sum, start.values())) / held.open[at]  # some open cases are published without an age
    receipts, hours = ([aged * x for x in xs[ahead]] for xs in (held.receipts, held.hours))
    return at, simulate(receipts, hours, start, setting, scale=scale, seed=seed)


def together(bands: Mapping[str, Sequence[float]]) -> list[float]:
    """Return the bands of all groups together."""
    return [sum(bands[g][i] for g in GROUPS) for i in range(len(BANDS))]


def miss(setting: Setting, seed: int, scale: int = 30) -> float:
    """Return how far simulation and publication are apart, over the second year of each window."""
    held, total = published(), 0.0
    for begin in TRAIN:
        at, found = window(begin, setting, scale, seed)
        for k in range(LONG // 2, LONG):
            quarter = held.quarters[at + 1 + k]
            real = held.bands(quarter)
            total += 2 * variation(together(found.bands[k]), together(real))
            total += sum(
                w * variation(found.bands[k][g], real[g]) for g, w in zip(GROUPS, (1, 1, 0.4), strict=True)
            )
            total += 0.03 * abs(found.waits[k]["all"] - held.waits[at + 1 + k])
            size = sum(sum(real[g]) for g in GROUPS)
            total += sum(abs(sum(found.bands[k][g]) - sum(real[g])) for g in GROUPS) / size / 2
    return total / len(TRAIN) / (LONG // 2)


def stepped(setting: Setting, rng: np.random.Generator) -> Setting:
    """Return a setting near this one."""
    groups = dict(setting.groups)
    for name in GROUPS:
        group = groups[name]
        new = {}
        for one in fields(Group):
            value = getattr(group, one.name)
            if rng.random() < 0.35 and not (one.name == "first" and name != "custody"):
                value *= float(np.exp(rng.normal(0, 0.12)))
            new[one.name] = value
        new["pleas"], new["held"] = min(new["pleas"], 0.9), min(new["held"], 0.95 - min(new["pleas"], 0.9))
        groups[name] = Group(**new)
    whole = sum(g.share for g in groups.values())
    groups = {n: replace(g, share=g.share / whole) for n, g in groups.items()}
    hours = setting.trial_hours * float(np.exp(rng.normal(0, 0.05)))
    return replace(setting, groups=groups, trial_hours=hours)


def main(rounds: int) -> None:
    """Climb, then print."""
    rng = np.random.default_rng(11)
    best, least = CALIBRATED, miss(CALIBRATED, 1)
    print(f"from {least:.4f}", file=sys.stderr)
    for number in range(rounds):
        tried = stepped(best, rng)
        got = miss(tried, 1 + number // 60)
        if number % 60 == 0:
            least = miss(
                best, 1 + number // 60
            )  # another seed now and then, so that no luck of the draw is climbed
        if got < least:
            best, least = tried, got
            print(f"{number} {least:.4f}", shown(best), sep="\n", file=sys.stderr, flush=True)
    print(shown(best))


def shown(setting: Setting) -> str:
    """Return a setting as the engine's file has it."""
    lines = [
        f'        "{name}": Group({", ".join(f"{getattr(setting.groups[name], f.name):.3g}" for f in fields(Group))}),'
        for name in GROUPS
    ]
    return "\n".join([*lines, f"    trial_hours={setting.trial_hours:.3g}"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
