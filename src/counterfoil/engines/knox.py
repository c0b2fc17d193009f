"""Near repeats: do crimes cluster in space *and* time? Knox's test with permutations (Knox 1964; Mantel 1967).

Every pair of events is counted in a table of distance bands by time bands. Under the null hypothesis times belong to
places by chance; they are shuffled among the events so many times, and each count compared with its own shuffles. Bands
are inclusive at their upper end, and the first holds the same point and the same moment.

>>> import numpy as np
>>> x = np.array([0.0, 50.0, 5000.0, 5040.0]); t = np.array([0, 1440, 100_000, 100_800])
>>> cell = knox(x, np.zeros(4), t, metres=[100], days=[7], permutations=99, seed=1)[0]
>>> cell.observed, cell.metres, cell.days
(2, (0.0, 100.0), (0.0, 7.0))
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from counterfoil.engines.errors import BadInput

DAY = 1440
TOGETHER = 16
"""Shuffles worked on at a time: sixteen times of two bytes make a row that is fetched at once."""
CHUNK = 1 << 14
"""Pairs worked on at a time: their times stay in a processor's own cache."""
BLOCK = 20_000
"""Events whose pairs are looked for at a time, so that memory is bounded."""
MOST_PAIRS = 150_000_000
MONTHS_ONLY = (
    "These times are months, so which events came within days of each other cannot be known. Near repeats need the "
    "day of each event; published street-level data gives only its month."
)

# WGS84: the lengths of a degree follow from the ellipsoid's two radii of curvature at the pair's own latitude.
SEMI_MAJOR_M, ECCENTRICITY_2 = 6_378_137.0, 0.00669437999014

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One cell of the table: its bands, the pairs observed, the mean of the shuffles, their ratio, and p.

    p = (1 + shuffles with at least as many pairs) / (1 + shuffles), one-sided; `ratio` is None where none had one.
    """

    metres: tuple[float, float]
    days: tuple[float, float]
    observed: int
    expected: float
    ratio: float | None
    p: float


def knox(
    x: Floats,
    y: Floats,
    minutes: Ints,
    *,
    metres: Sequence[float],
    days: Sequence[float],
    permutations: int = 999,
    degrees: bool = False,
    seed: int = 20261121,
    on_progress: Callable[[int], None] | None = None,
) -> list[Cell]:
    """Return the table as a list, by distance and then days.

    `x`, `y`: metres, or with `degrees` longitude and latitude (WGS84). `minutes`: whole minutes. `metres` and `days`
    are the upper ends of the bands, rising. The same seed gives the same answer on any number of cores.
    """
    for name, ends in (("--metres", metres), ("--days", days)):
        if not ends or any(b <= a for a, b in pairwise(ends)) or ends[0] < 0:
            raise BadInput(name, "Give the upper ends of the bands, rising: for example 100,200,400.")
    if not 1 <= permutations <= 99_999:
        raise BadInput("--permutations", "Give a number of permutations from 1 to 99999.")
    if len(x) < 2:
        raise BadInput("IN", "Fewer than two events have a place and a time: there is no pair to count.")
    # Events near in space are put near in memory, so that the times of a pair are found together.
    wide = max(float(metres[-1]), 1e-9) / (111_000 if degrees else 1)
    path = np.lexsort((y, np.floor(x / wide)))
    x, y, minutes = x[path], y[path], minutes[path]
    pairs, starts = _pairs(x, y, metres, degrees)
    order, ends_t = _times(minutes), [round(d * DAY) for d in days]
    observed = _count([order], pairs, starts, ends_t)[0]
    total = np.zeros_like(observed, dtype=np.int64)
    as_many = np.zeros_like(observed, dtype=np.int64)
    seeds = np.random.SeedSequence(seed).spawn(permutations)

    def shuffled(some: list[np.random.SeedSequence]) -> Ints:
        return _count([np.random.default_rng(one).permutation(order) for one in some], pairs, starts, ends_t)

    batches = [seeds[at : at + TOGETHER] for at in range(0, permutations, TOGETHER)]
    done = 0
    with ThreadPoolExecutor(max_workers=cpu_count() or 1) as pool:
        for some, found in zip(batches, pool.map(shuffled, batches), strict=True):
            total += found.sum(axis=0)
            as_many += (found >= observed).sum(axis=0)
            if on_progress and done // 100 != (done + len(some)) // 100:
                on_progress(done + len(some))
            done += len(some)
    cells = []
    for i, far in enumerate(metres):
        for j, late in enumerate(days):
            mean = float(total[i, j]) / permutations
            cells.append(
                Cell(
                    metres=(float(metres[i - 1]) if i else 0.0, float(far)),
                    days=(float(days[j - 1]) if j else 0.0, float(late)),
                    observed=int(observed[i, j]),
                    expected=mean,
                    ratio=float(observed[i, j]) / mean if mean else None,
                    p=(1 + int(as_many[i, j])) / (1 + permutations),
                )
            )
    return cells


def _times(minutes: Ints) -> NDArray[np.int32]:
    since = minutes - minutes.min()
    if since.max() >= 1 << 30:
        raise BadInput("--time", "The times span more than 2,000 years. Check the column.")
    return np.asarray(since, dtype=np.int32)


def _pairs(
    x: Floats, y: Floats, metres: Sequence[float], degrees: bool
) -> tuple[tuple[NDArray[np.int32], NDArray[np.int32]], list[int]]:
    """Return every pair of events within the farthest band, grouped by band, and where each band starts."""
    farthest = float(metres[-1])
    if degrees:
        if np.abs(y).max() > 90 or np.abs(x).max() > 360:
            raise BadInput("--crs", "These are no degrees. Say what they are with --crs, for example 27700.")
        # A plane good to about 1 % over a county, only to find candidates; distances are then taken pair by pair.
        east, north = _lengths(float(np.median(y)))
        plane = np.column_stack((x * east, y * north))
        reach = farthest * 1.03 + 1
    else:
        plane, reach = np.column_stack((x, y)), farthest
    tree = cKDTree(plane)
    close = (int(tree.count_neighbors(tree, reach)) - len(x)) // 2
    if close > MOST_PAIRS:
        raise BadInput(
            "--metres",
            f"There are {close:,} pairs within {farthest:g} metres, more than {MOST_PAIRS:,}. "
            "Take a smaller distance or fewer events.",
        )
    del tree
    edges = np.asarray(metres, dtype=np.float64)
    kept: list[list[tuple[NDArray[np.int32], NDArray[np.int32]]]] = [[] for _ in metres]
    for first, second in _near(plane, reach):
        if degrees:
            east_m, north_m = _lengths((y[first] + y[second]) / 2)
            far = np.hypot((x[first] - x[second]) * east_m, (y[first] - y[second]) * north_m)
        else:
            far = np.hypot(x[first] - x[second], y[first] - y[second])
        band = np.searchsorted(edges, far, side="left")
        for i in range(len(metres)):
            chosen = band == i
            kept[i].append((first[chosen], second[chosen]))
    starts = [0]
    for one in kept:
        starts.append(starts[-1] + sum(len(f) for f, _ in one))
    whole = [np.concatenate([part[side] for one in kept for part in one]) for side in (0, 1)]
    return (whole[0], whole[1]), starts


def _near(plane: Floats, reach: float) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Yield the pairs within reach, block by block of events that lie in strips from west to east."""
    strip = np.floor(plane[:, 0] / max(reach, 1e-9)).astype(np.int64)
    by_strip = np.argsort(strip, kind="stable")
    ordered = strip[by_strip]
    at = 0
    while at < len(ordered):
        last = ordered[min(at + BLOCK, len(ordered)) - 1]
        stop = int(np.searchsorted(ordered, last, side="right"))
        # The strip that follows belongs to the next block; here it is only the other end of pairs.
        beyond = int(np.searchsorted(ordered, last + 1, side="right"))
        who = by_strip[at:beyond].astype(np.int32)
        found = cKDTree(plane[who]).query_pairs(reach, output_type="ndarray")
        found = found[found[:, 0] < stop - at]
        yield who[found[:, 0]], who[found[:, 1]]
        at = stop


def _lengths(lat: Floats | float) -> tuple[Floats | float, Floats | float]:
    """Return how many metres a degree of longitude and one of latitude are at a latitude, on the WGS84 ellipsoid."""
    sine = np.sin(np.radians(lat))
    curve = 1 - ECCENTRICITY_2 * sine * sine
    radian = np.pi / 180
    east = SEMI_MAJOR_M / np.sqrt(curve) * np.cos(np.radians(lat)) * radian
    north = SEMI_MAJOR_M * (1 - ECCENTRICITY_2) / curve**1.5 * radian
    return east, north


def _count(
    shuffles: list[NDArray[np.int32]],
    pairs: tuple[NDArray[np.int32], NDArray[np.int32]],
    starts: list[int],
    ends: list[int],
) -> Ints:
    """Return how many pairs fall into each cell, for each of the given times of the events: shuffles, bands, times.

    A coarse time of two bytes rules out nearly every pair; the few that are left are compared to the minute.
    """
    many = len(shuffles)
    fine = np.column_stack(shuffles)
    unit = max(1, -(-int(fine.max() + 1) // 32_000))
    coarse = np.zeros((len(fine), TOGETHER), dtype=np.int16)
    coarse[:, :many] = fine // unit
    reach = min(ends[-1] // unit + 1, 32_000)
    edges = np.asarray(ends)
    width = len(ends) + 1
    table = np.zeros((many, len(starts) - 1, len(ends)), dtype=np.int64)
    ours, theirs = (np.empty((CHUNK, TOGETHER), dtype=np.int16) for _ in range(2))
    for band in range(len(starts) - 1):
        near = np.zeros(many * width, dtype=np.int64)
        for at in range(starts[band], starts[band + 1], CHUNK):
            first, second = (side[at : min(at + CHUNK, starts[band + 1])] for side in pairs)
            n = len(first)
            np.take(coarse, first, axis=0, out=ours[:n], mode="clip")
            np.take(coarse, second, axis=0, out=theirs[:n], mode="clip")
            np.subtract(ours[:n], theirs[:n], out=ours[:n])
            # One unsigned comparison finds the few pairs that are near in time, whichever came first.
            np.add(ours[:n], np.int16(reach), out=ours[:n])
            close = np.flatnonzero(ours[:n].view(np.uint16) <= np.uint16(2 * reach))
            pair, which = close // TOGETHER, close % TOGETHER
            if many < TOGETHER:
                pair, which = pair[which < many], which[which < many]
            gap = np.abs(fine[first[pair], which] - fine[second[pair], which])
            near += np.bincount(
                which * width + np.searchsorted(edges, gap, side="left"), minlength=many * width
            )
        table[:, band] = near.reshape(many, width)[:, : len(ends)]
    return table
