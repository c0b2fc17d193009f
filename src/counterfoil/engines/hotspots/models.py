"""The simple models: each gives every place a score from what was known before a day. Higher means more is expected."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
YEAR = 365.25
T = TypeVar("T")


@dataclass(frozen=True)
class Events:
    """Events at places: `days` since any zero, `place` an index into `xy` (metres; zeros where unknown).

    `target` marks those to be foretold; the others may help. `kinds` gives every event a small number, its category,
    for models that learn from other kinds of report; `step` is how coarse the times are in days (0 for single days).
    `points` are the events' own positions in metres, where places are cells of a `width` in metres.
    """

    days: Floats
    place: Ints
    xy: Floats
    target: NDArray[np.bool_]
    kinds: Ints | None = None
    step: float = 0.0
    points: Floats | None = None
    width: float = 0.0
    _cache: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def places(self) -> int:
        """How many places there are."""
        return len(self.xy)

    def kept(self, key: object, make: Callable[[], T]) -> T:
        """Return what was made under a key before, or make it: events never change."""
        if key not in self._cache:
            self._cache[key] = make()
        found: T = self._cache[key]
        return found

    def of(self, kind: int | None = None) -> tuple[Floats, Ints]:
        """Return days and places of the target events, or of those of a kind."""

        def chosen() -> tuple[Floats, Ints]:
            mask = self.target if kind is None or self.kinds is None else self.kinds == kind
            return self.days[mask], self.place[mask]

        return self.kept(("of", kind), chosen)

    def seen(self, until: float) -> NDArray[np.bool_]:
        """Say which places had a row of any kind before a day."""
        first = self.kept("first", self._first)
        return np.asarray(first < until)

    def _first(self) -> Floats:
        first = np.full(self.places, np.inf)
        np.minimum.at(first, self.place, self.days)
        return first

    def counts(self, since: float, until: float, kind: int | None = None) -> Floats:
        """Return how many target events (or those of a kind) each place had in since ≤ day < until."""
        days, place = self.of(kind)
        chosen = (days >= since) & (days < until)
        return np.bincount(place[chosen], minlength=self.places).astype(np.float64)

    def faded(self, until: float, half_life: float, kind: int | None = None) -> Floats:
        """Return the events before a day by place, each counting half as much for every `half_life` days of age."""
        days, place = self.of(kind)
        chosen = days < until
        weights = 0.5 ** ((until - days[chosen]) / half_life)
        return np.bincount(place[chosen], weights=weights, minlength=self.places).astype(np.float64)

    def exposure(self, until: float, half_life: float) -> Floats:
        """Return the days each place was watched before a day, fading like its events.

        With data by the month a place whose surroundings had no row of any kind in a month was not published then:
        missing is not zero.
        """
        if not self.step:
            span = until - float(self.days.min())
            watched = half_life / np.log(2) * (1 - 0.5 ** (span / half_life))
            return np.full(self.places, max(watched, 1e-9))
        months, there = self.kept(("published", until), lambda: self._published(until))
        return np.asarray(there @ (0.5 ** ((until - months) / half_life)) * self.step)

    def _published(self, until: float) -> tuple[Floats, Floats]:
        before = self.days < until
        months, month = np.unique(self.days[before], return_inverse=True)
        flat = np.bincount(self.place[before] * len(months) + month, minlength=self.places * len(months))
        around = flat.reshape(self.places, len(months)).astype(np.float64)
        if self.xy.any():
            around = np.asarray(self.neighbours(3 * self.apart()) @ around) * 60
        usual = np.median(around, axis=1, keepdims=True)
        return months, np.where((usual >= 10) & (around < 0.05 * usual), 0.0, 1.0)

    def apart(self) -> float:
        """Return how far places typically lie from their fifth neighbour, in metres."""

        def found() -> float:
            far, _ = cKDTree(self.xy).query(self.xy, k=min(6, self.places))
            last = np.atleast_2d(far)[:, -1]
            return float(np.median(np.maximum(last[np.isfinite(last)], 1.0)))

        return self.kept("apart", found)

    def neighbours(self, metres: float) -> sparse.csr_matrix:
        """Return a matrix that spreads a value over places near by: Gaussian, rows adding up to 1."""
        return self.kept(("near", metres), lambda: _spread(self.xy, metres))

    def spilled(self, metres: float) -> sparse.csr_matrix:
        """Return a matrix places x events: how much of each event, spread around where it was, falls on each place."""

        def made() -> sparse.csr_matrix:
            points = self.xy[self.place] if self.points is None else self.points
            far = cKDTree(self.xy).sparse_distance_matrix(
                cKDTree(points), 3 * metres, output_type="coo_matrix"
            )
            weight = np.exp(-0.5 * (far.data / metres) ** 2)
            return sparse.csr_matrix((weight, (far.row, far.col)), shape=(self.places, len(points)))

        return self.kept(("spilled", metres), made)


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
    return 0.7 * own + 0.3 * np.asarray(events.neighbours(events.apart()) @ own)


def kernel(events: Events, until: float, ahead: float) -> Floats:
    """Spread every event over its surroundings, fading with a half-life of a year: the recency-weighted kernel.

    Over cells each event spreads from where it was, by half a cell's width; over areas from its area's middle.
    """
    if events.points is None:
        return np.asarray(events.neighbours(events.apart()) @ events.faded(until, 365))
    fading = np.where(events.target & (events.days < until), 0.5 ** ((until - events.days) / 365), 0.0)
    return np.asarray(events.spilled(events.width / 2) @ fading)


SIMPLE: Mapping[str, Callable[[Events, float, float], Floats]] = {
    "baseline": baseline,
    "recency": recency,
    "smoothed": smoothed,
    "kernel": kernel,
}
