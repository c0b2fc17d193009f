"""Years of invented forces as data.police.uk would publish them, clean, and ways to make them wrong.

Clean is not smooth: forces differ in size and mix, months have seasons, forces grow or shrink, weeks come in bursts
(counts vary more than chance), shares drift a little, and outcomes come late.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
TYPES = {"Violence": 0.35, "Anti-social behaviour": 0.2, "Burglary": 0.09, "Robbery": 0.04, "Other theft": 0.17,
         "Drugs": 0.05, "Vehicle crime": 0.1}  # fmt: skip
OUTCOMES = {"No suspect": 0.42, "Unable to prosecute": 0.36, "Charged": 0.11, "Caution": 0.04, "Local resolution": 0.05,
            "Other body": 0.02}  # fmt: skip
NAMES = ("Amberdale", "Birchmoor", "Calderby", "Dunholm", "Elmshire", "Fernleigh", "Glenford", "Harrowby", "Ivelshire",
         "Kestrel", "Lindmoor", "Marlby", "Northwell", "Oakdale", "Penbrook", "Quarrie", "Rushmoor", "Selbourne",
         "Thornby", "Ullswell")  # fmt: skip


@dataclass
class World:
    """A year: crimes, outcomes and recording times as columns; `at` is the month in which faults begin."""

    months: list[str]
    forces: list[str]
    street: Columns
    outcomes: Columns
    delays: Columns
    rng: np.random.Generator = field(repr=False)

    @property
    def at(self) -> str:
        """The month in which faults begin: past the middle, with four months left in a year."""
        return self.months[max(3, len(self.months) - 4)]


def world(
    seed: int = 1,
    *,
    forces: int = 5,
    months: int = 12,
    size: int = 500,
    drift: float = 0.02,
    wobble: tuple[float, float] = (0.0, 0.0),
) -> World:
    """Return a clean world: `size` is a middling force's rows a month, `drift` the monthly step of log shares.

    `wobble` is how far log shares of types and of outcomes stray in a single month beyond chance.
    """
    rng = np.random.default_rng(seed)
    names = list(NAMES[:forces])
    said = [f"{2024 + m // 12}-{m % 12 + 1:02}" for m in range(months)]
    season = 1 + 0.12 * np.sin((np.arange(months) + rng.integers(12)) / 12 * 2 * np.pi)
    tide = np.exp(rng.normal(0, 0.03, months))  # what comes to everybody
    street: list[Columns] = []
    outcomes: list[Columns] = []
    delays: list[Columns] = []
    serial = 0
    for f, name in enumerate(names):
        level = size * float(np.exp(rng.normal(0, 0.5))) if forces > 5 else size * (1 + 0.3 * f)
        growth = np.exp(rng.normal(0, 0.008) * np.arange(months))
        mix = np.log(rng.dirichlet(np.array(list(TYPES.values())) * 300))
        ends = np.log(rng.dirichlet(np.array(list(OUTCOMES.values())) * 300))
        known = 60 + int(level / 12)
        where = rng.beta(1.2, 3, known)
        for m in range(months):
            mix, ends = mix + rng.normal(0, drift, len(mix)), ends + rng.normal(0, drift, len(ends))
            want = level * season[m] * tide[m] * growth[m] * float(np.exp(rng.normal(0, 0.03)))
            n = int(rng.poisson(rng.gamma(600, want / 600)))
            ids = np.array([f"{i:016x}" for i in range(serial, serial + n)], dtype=object)
            serial += n
            here = np.exp(mix + rng.normal(0, wobble[0], len(mix)))
            kinds = rng.choice(np.array(list(TYPES), dtype=object), n, p=here / here.sum())
            places = np.array(
                [f"E{f:02}{int(a):05}" for a in rng.choice(known, n, p=where / where.sum())], object
            )
            places[rng.random(n) < 0.01] = ""
            ids_said = np.where(kinds == "Anti-social behaviour", "", ids)
            street.append({"Crime ID": ids_said, "Month": np.full(n, said[m], object),
                           "Falls within": np.full(n, name, object), "LSOA code": places,
                           "Crime type": kinds})  # fmt: skip
            mine = ids[(kinds != "Anti-social behaviour") & (rng.random(n) < 0.93)]
            later = m + rng.choice(5, len(mine), p=[0.35, 0.3, 0.2, 0.1, 0.05])
            mine, later = mine[later < months], later[later < months]
            closed = np.exp(ends + rng.normal(0, wobble[1], len(ends)))
            outcomes.append({"Crime ID": mine, "Month": np.array(said, object)[later],
                             "Falls within": np.full(len(mine), name, object),
                             "Outcome type": rng.choice(np.array(list(OUTCOMES), object), len(mine),
                                                        p=closed / closed.sum())})  # fmt: skip
        k = 600
        at = np.datetime64("2024-01-01T00:00:00") + rng.integers(0, 300 * 86_400, k)
        delays.append({"force": np.full(k, name, object), "reported_at": at,
                       "recorded_at": at + rng.exponential(20 * 3600, k).astype(int)})  # fmt: skip
    return World(said, names, _joined(street), _joined(outcomes), _joined(delays), rng)


def _joined(parts: list[Columns]) -> Columns:
    return {c: np.concatenate([p[c] for p in parts]) for c in parts[0]}


def written(w: World, folder: Path, *, csv: bool = False) -> Path:
    """Write a world as files of a folder, Parquet or CSV."""
    for name in ("street", "outcomes", "delays"):
        table = pa.table({c: pa.array(v) for c, v in getattr(w, name).items()})
        if csv:
            pacsv.write_csv(table, folder / f"{name}.csv")
        else:
            pq.write_table(table, folder / f"{name}.parquet")
    return folder


# Faults: each changes one force's rows from the month `at` on, or in that month.


def _of(c: Columns, force: str, *, at: str = "", since: str = "") -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = c["Falls within"] == force
    if at:
        found &= c["Month"] == at
    if since:
        found &= c["Month"] >= since
    return found


def _keep(c: Columns, keep: NDArray[np.bool_]) -> Columns:
    return {k: v[keep] for k, v in c.items()}


def _some(w: World, among: NDArray[np.bool_], share: float) -> NDArray[np.int64]:
    there = np.flatnonzero(among)
    return np.sort(w.rng.choice(there, max(1, round(share * len(there))), replace=False))


def missing(w: World, force: str, share: float = 1.0) -> None:
    """Leave a whole month out."""
    w.street = _keep(w.street, ~_of(w.street, force, at=w.at))


def partial(w: World, force: str, share: float = 0.5) -> None:
    """Leave a share of a month out."""
    lost = np.zeros(len(w.street["Month"]), bool)
    lost[_some(w, _of(w.street, force, at=w.at), share)] = True
    w.street = _keep(w.street, ~lost)


def blank(w: World, force: str, share: float = 0.2) -> None:
    """Take the area from a share of a month's rows, by a blank string."""
    w.street["LSOA code"][_some(w, _of(w.street, force, at=w.at), share)] = " "


def repeated(w: World, force: str, share: float = 0.1) -> None:
    """Enter a share of a month's rows twice."""
    twice = _some(w, _of(w.street, force, at=w.at) & (w.street["Crime ID"] != ""), share)
    w.street = {k: np.concatenate([v, v[twice]]) for k, v in w.street.items()}


def reused(w: World, force: str, share: float = 0.1) -> None:
    """Give crimes of a month the identifiers of crimes of the first month."""
    new = _some(w, _of(w.street, force, at=w.at) & (w.street["Crime ID"] != ""), share)
    old = np.flatnonzero(_of(w.street, force, at=w.months[0]) & (w.street["Crime ID"] != ""))
    w.street["Crime ID"][new] = w.street["Crime ID"][w.rng.choice(old, len(new), replace=len(new) > len(old))]


def restarted(w: World, force: str, share: float = 1.0) -> None:
    """Give the outcomes new identifiers from a month on."""
    there = _some(w, _of(w.outcomes, force, since=w.at), share)
    w.outcomes["Crime ID"][there] = np.array(["n" + i for i in w.outcomes["Crime ID"][there]], object)


def conflicting(w: World, force: str, share: float = 0.02) -> None:
    """Give a share of the crimes a second, different outcome in the same month."""
    there = _some(w, _of(w.outcomes, force), share)
    more = {k: v[there].copy() for k, v in w.outcomes.items()}
    more["Outcome type"] = np.where(more["Outcome type"] == "Charged", "Caution", "Charged").astype(object)
    w.outcomes = {k: np.concatenate([v, more[k]]) for k, v in w.outcomes.items()}


def never(w: World, force: str, share: float = 1.0) -> None:
    """Use another outcome wherever cautions were given."""
    c = w.outcomes
    c["Outcome type"][_of(c, force) & (c["Outcome type"] == "Caution")] = "Charged"


def recoded(w: World, force: str, share: float = 0.3) -> None:
    """Give the areas with a share of the rows new codes from a month on."""
    mine = np.flatnonzero(_of(w.street, force, since=w.at) & (w.street["LSOA code"] != ""))
    codes, n = np.unique(w.street["LSOA code"][mine].astype(str), return_counts=True)
    order = w.rng.permutation(len(codes))
    chosen = set(codes[order[: np.searchsorted(np.cumsum(n[order]), share * n.sum()) + 1]])
    hit = mine[[a in chosen for a in w.street["LSOA code"][mine]]]
    w.street["LSOA code"][hit] = np.array(["X" + a for a in w.street["LSOA code"][hit]], object)


def reclassified(w: World, force: str, share: float = 0.8) -> None:
    """Record a share of the robberies as other theft from a month on."""
    there = _of(w.street, force, since=w.at) & (w.street["Crime type"] == "Robbery")
    w.street["Crime type"][_some(w, there, share)] = "Other theft"


def closed_otherwise(w: World, force: str, share: float = 0.1) -> None:
    """Close a share of all cases, of those without a suspect, as unable to prosecute from a month on."""
    mine = _of(w.outcomes, force, since=w.at)
    there = mine & (w.outcomes["Outcome type"] == "No suspect")
    w.outcomes["Outcome type"][_some(w, there, min(1.0, share * mine.sum() / max(there.sum(), 1)))] = (
        "Unable to prosecute"
    )


def heaped(w: World, force: str, share: float = 0.1) -> None:
    """Say of a share of the crimes that they were recorded just within 24 hours."""
    mine = w.delays["force"] == force
    there = _some(w, mine, share)
    w.delays["recorded_at"][there] = (
        w.delays["reported_at"][there] + 24 * 3600 - w.rng.integers(1, 2400, len(there))
    )


FAULTS: dict[str, tuple[Callable[..., None], float]] = {
    "missing-month": (missing, 1.0), "partial-month": (partial, 0.5), "blank-areas": (blank, 0.2),
    "repeated-rows": (repeated, 0.1), "reused-identifier": (reused, 0.1), "identifiers-restart": (restarted, 1.0),
    "conflicting-outcomes": (conflicting, 0.02), "never-used-outcome": (never, 1.0), "code-change": (recoded, 0.3),
    "reclassification": (reclassified, 0.8), "closure-shift": (closed_otherwise, 0.2), "heaping": (heaped, 0.1),
}  # fmt: skip
LASTING = frozenset(
    {"conflicting-outcomes", "never-used-outcome", "heaping"}
)  # from the first month on, not from `at`
