"""The models: each gives every place a score from what was known before a day. Higher means more is expected."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
YEAR = 365.25


@dataclass(frozen=True)
class Events:
    """Events at places: `days` since any zero, `place` an index into `xy` (metres; zeros where unknown).

    `target` marks those to be foretold; the others may help. `kinds` gives every event a small number, its category,
    for models that learn from other kinds of report; `step` is how coarse the times are in days (0 for single days).
    """

    days: Floats
    place: NDArray[np.int64]
    xy: Floats
    target: NDArray[np.bool_]
    kinds: NDArray[np.int64] | None = None
    step: float = 0.0
    _cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def places(self) -> int:
        """How many places there are."""
        return len(self.xy)

    def counts(self, since: float, until: float, kind: int | None = None) -> Floats:
        """Return how many target events (or those of a kind) each place had in since ≤ day < until."""
        chosen = (self.days >= since) & (self.days < until)
        chosen &= self.target if kind is None or self.kinds is None else self.kinds == kind
        return np.bincount(self.place[chosen], minlength=self.places).astype(np.float64)

    def faded(self, until: float, half_life: float, kind: int | None = None) -> Floats:
        """Return the events before a day by place, each counting half as much for every `half_life` days of age."""
        chosen = self.days < until
        chosen &= self.target if kind is None or self.kinds is None else self.kinds == kind
        age = until - self.days[chosen]
        return np.bincount(
            self.place[chosen], weights=0.5 ** (age / half_life), minlength=self.places
        ).astype(np.float64)

    def neighbours(self, metres: float) -> sparse.csr_matrix:
        """Return a matrix that spreads a value over places near by: Gaussian, rows adding up to 1."""
        key = f"near {metres:g}"
        if key not in self._cache:
            self._cache[key] = _spread(self.xy, metres)
        return self._cache[key]


def _spread(xy: Floats, metres: float, most: int = 60) -> sparse.csr_matrix:
    tree = cKDTree(xy)
    near = min(most, len(xy))
    far, who = tree.query(xy, k=near, distance_upper_bound=3 * metres)
    far, who = np.atleast_2d(far), np.atleast_2d(who)
    if far.shape[0] != len(xy):
        far, who = far.T, who.T
    good = np.isfinite(far)
    weight = np.where(good, np.exp(-0.5 * (np.where(good, far, 0) / metres) ** 2), 0.0)
    rows = np.repeat(np.arange(len(xy)), far.shape[1])[good.ravel()]
    spread = sparse.csr_matrix(
        (weight.ravel()[good.ravel()], (rows, who.ravel()[good.ravel()])), shape=(len(xy), len(xy))
    )
    total = np.asarray(spread.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(total, 1e-12)) @ spread)


def baseline(events: Events, until: float, ahead: float) -> Floats:
    """Count the events of the twelve months before; of equal places the one with the latest event comes first."""
    return events.counts(until - YEAR - events.step / 2, until) + 1e-6 * events.faded(until, 60)


def recency(events: Events, until: float, ahead: float) -> Floats:
    """Count events fading with age: a half-life of a year keeps what is steady, one of two months follows change."""
    return events.faded(until, 365) + 0.5 * events.faded(until, 60)


def smoothed(events: Events, until: float, ahead: float) -> Floats:
    """The same, borrowing from neighbours: a place that had few by luck is near others that had more."""
    own = recency(events, until, ahead)
    near = np.asarray(events.neighbours(float(np.median(_nearest(events)))) @ own)
    return 0.7 * own + 0.3 * near


def kernel(events: Events, until: float, ahead: float) -> Floats:
    """Spread every event over its surroundings: best where each place has few of its own, as in small cells."""
    spread = events.neighbours(float(np.median(_nearest(events))))
    return np.asarray(spread @ (events.faded(until, 365) + 1e-3 * events.counts(-np.inf, until)))


def _nearest(events: Events) -> Floats:
    if "nearest" not in events._cache:
        far, _ = cKDTree(events.xy).query(events.xy, k=min(6, events.places))
        found = np.atleast_2d(far)[:, -1]
        events._cache["nearest"] = np.maximum(found[np.isfinite(found)], 1.0)
    return events._cache["nearest"]  # type: ignore[return-value]


def regression(events: Events, until: float, ahead: float) -> Floats:
    """Learn from past spans how the next one follows from fading counts, neighbours and other kinds of report.

    A Poisson regression with a ridge, fitted by Newton steps on spans of the same length that end before `until`: the
    discrete form of a self-exciting model, with one weight for each speed of fading and each width of spreading.
    """
    spans = [until - ahead * k for k in range(1, 1 + _windows(events, until, ahead))]
    if not spans:
        return smoothed(events, until, ahead)
    first = np.full(events.places, np.inf)
    np.minimum.at(first, events.place, events.days)
    blocks, wanted = [], []
    for at in spans:
        # Only places known by then: one whose first event lies in the span would teach that no history means danger.
        known = first < at
        blocks.append(_features(events, at)[known])
        wanted.append(events.counts(at, at + ahead)[known])
    seen = first < until
    design, target = np.vstack(blocks), np.concatenate(wanted)
    centre, scale = design.mean(axis=0), design.std(axis=0) + 1e-9
    weights, level = _poisson((design - centre) / scale, target)
    score = np.zeros(events.places)
    score[seen] = np.exp(
        np.clip((_features(events, until)[seen] - centre) / scale @ weights + level, -30, 30)
    )
    return score


def _windows(events: Events, until: float, ahead: float) -> int:
    history = until - float(events.days.min()) - 120
    return int(np.clip(history // max(ahead, 1.0), 0, 8))


def _features(events: Events, until: float) -> Floats:
    """Return what is known of each place before a day, each on a logarithmic scale."""
    near = float(np.median(_nearest(events)))
    spreads = [events.neighbours(near * k) for k in (1.0, 3.0)] if events.xy.any() else []
    columns = []
    for half_life in (30.0, 120.0, 720.0):
        own = events.faded(until, half_life)
        columns.append(own)
        columns += [spread @ own for spread in spreads]
    if events.kinds is not None:
        for kind in np.unique(events.kinds):
            own = events.faded(until, 365.0, int(kind))
            columns.append(own)
            columns += [spread @ own for spread in spreads[:1]]
    return np.log(np.column_stack(columns) + 0.05)


def _poisson(design: Floats, target: Floats, ridge: float = 20.0, steps: int = 30) -> tuple[Floats, float]:
    """Return weights and level of a ridge Poisson regression with a logarithmic link (Newton with step halving)."""
    n, width = design.shape
    full = np.column_stack((np.ones(n), design))
    penalty = np.full(width + 1, ridge)
    penalty[0] = 0.0
    weights = np.zeros(width + 1)
    weights[0] = np.log(max(target.mean(), 1e-9))

    def loss(w: Floats) -> float:
        reach = np.clip(full @ w, -30, 30)
        return float(np.exp(reach).sum() - target @ reach + 0.5 * penalty @ (w * w))

    best = loss(weights)
    for _ in range(steps):
        rate = np.exp(np.clip(full @ weights, -30, 30))
        slope = full.T @ (rate - target) + penalty * weights
        curve = (full * rate[:, None]).T @ full + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-4:
            tried = weights - size * step
            new = loss(tried)
            if new < best:
                break
            size /= 2
        else:
            break
        done, weights, best = best - new < 1e-7 * abs(best), tried, new
        if done:
            break
    return weights[1:], float(weights[0])


MODELS: Mapping[str, Callable[[Events, float, float], Floats]] = {
    "baseline": baseline,
    "recency": recency,
    "smoothed": smoothed,
    "kernel": kernel,
    "regression": regression,
}
