"""The Fellegi-Sunter model: what each level of each comparison says, learnt without any known matches.

Expectation maximisation over *all* pairs: those worth comparing carry a probability, the rest are taken for different
and their levels estimated from pairs drawn at random. So a weight is the same whatever rules brought a pair together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.linkage.compare import Codes, Comparison, Dates, Numbers, Words, exact

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DRAWN = 400_000
LEARN_FROM = 600_000
UNTOLD = 0.02
"""Added to how many matches show a level and to how many would by chance: what was never seen says nothing."""


@dataclass
class Model:
    """Weights in bits: by role, one for each level; and the prior log2 odds that two records drawn at random match.

    `curve` says how often pairs of so many bits in all came to lie in one cluster: what a probability is read from.
    """

    weights: dict[str, Floats] = field(default_factory=dict)
    prior: float = -20.0
    curve: list[tuple[float, float]] = field(default_factory=list)

    def score(self, levels: Mapping[str, NDArray[np.int8]]) -> Floats:
        """Return each pair's log2 odds of being the same."""
        total: Floats | float = self.prior
        for role, lv in levels.items():
            total = total + self.weights[role][lv]
        return np.asarray(total, dtype=np.float64)

    def chance(self, score: Floats) -> Floats:
        """Return the probability that pairs of so many bits are the same."""
        if not self.curve:
            return np.asarray(1 / (1 + np.exp2(-np.asarray(score).clip(-60, 60))))
        bits, share = zip(*self.curve, strict=True)
        return np.asarray(np.interp(score, bits, share))


def calibrated(score: Floats, same: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Return a rising curve of how often pairs of so many bits are in one cluster (pooling adjacent violators).

    Evidence of several kinds is seldom independent, so bits overstate; clusters rest on many pairs and know better.

    >>> curve = calibrated(np.array([-9.0, -8, 0, 1, 8, 9] * 50), np.array([0, 0, 1, 0, 1, 1] * 50) > 0)
    >>> curve[0][1] < 0.05, curve[-1][1] > 0.95
    (True, True)
    """
    if not len(score):
        return []
    order = np.argsort(score, kind="stable")
    pools: list[list[float]] = []
    for part in np.array_split(order, min(60, max(2, len(score) // 50))):
        if not len(part):
            continue
        pools.append([float(score[part].sum()), float(same[part].sum()), float(len(part))])
        while len(pools) > 1 and pools[-2][1] / pools[-2][2] >= pools[-1][1] / pools[-1][2]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return [(round(bits / n, 4), round((hits + 0.05) / (n + 0.1), 6)) for bits, hits, n in pools]


def levels_of(comparisons: Sequence[Comparison], left: Ints, right: Ints) -> dict[str, NDArray[np.int8]]:
    """Return every comparison's levels for these pairs."""
    return {c.role: c.level(left, right) for c in comparisons}


def agreement(comparison: Comparison) -> Floats:
    """Return a first guess of each level's weight, to start from."""
    n = comparison.levels
    w = np.zeros(n)
    if isinstance(comparison, Words):
        for lv in range(1, n):
            bin_, clash = divmod(lv - 1, 3)
            w[lv] = (-5, 1, 3, 5, 7, 9, 11)[min(bin_, 6)] - 2.0 * clash * (bin_ > 0)
    elif isinstance(comparison, Dates) and comparison.role == "date":
        w[1:8] = (6, 5, 4, 2, 0, -2, -6)
    elif isinstance(comparison, Dates):
        for lv in range(1, n):
            y, md = divmod(lv - 1, 6)
            w[lv] = (6, 2, 0, -5)[y] + (1, 6, 5, 3, 0, -3)[md]
    elif isinstance(comparison, Codes):
        w[1:] = (11, 5, 8, 6, 4, 0, -4)[: n - 1]
    elif isinstance(comparison, Numbers):
        w[1:] = (8, 5, 2, -1, -4)
    return w


def at_random(n: int, many: int, seed: int) -> tuple[Ints, Ints]:
    """Return about so many pairs of `n` records drawn at random: nearly the same ones when a few records follow.

    >>> one, more = at_random(1000, 50, 1), at_random(1010, 50, 1)
    >>> len(set(zip(*one)) & set(zip(*more))) > 40
    True
    """
    rng, box = np.random.default_rng(seed), 1 << max(1, n - 1).bit_length()
    a, b = rng.integers(0, box, (round(many * (box / n) ** 2), 2)).T
    ok = (a < n) & (b < n) & (a != b)
    return a[ok], b[ok]


def some_of(left: Ints, right: Ints, most: int) -> Ints:
    """Return the places of at most about so many pairs, chosen by what they are: the same ones in a longer list."""
    every = -(-len(left) // most)
    mixed = (left * 0x9E3779B1 + right * 0x85EBCA77) & 0xFFFFFFFF
    return np.asarray(
        np.nonzero((mixed >> 7) % every == 0)[0] if every > 1 else np.arange(len(left)), np.int64
    )


def train(
    comparisons: Sequence[Comparison],
    levels: Mapping[str, NDArray[np.int8]],
    *,
    n: int,
    some: Ints | None = None,
    never: NDArray[np.bool_] | None = None,
    seed: int = 20261121,
    rounds: int = 25,
    start: Model | None = None,
) -> Model:
    """Learn weights from the levels of all candidate pairs (or of `some`); `n` is the number of records.

    `never` says which of those are known to be different, though they agree in much: people of one home, say. Left to
    guess, the model takes them for the same and learns that another name and another birthday mean little.
    """
    a, b = at_random(n, DRAWN, seed)
    drawn = levels_of(comparisons, a, b)
    count = len(next(iter(levels.values())))
    all_pairs = n * (n - 1) / 2
    roles = [c.role for c in comparisons]
    size = {c.role: c.levels for c in comparisons}
    q = {r: np.bincount(drawn[r], minlength=size[r]) / max(1, len(a)) for r in roles}
    if some is not None:
        levels = {r: levels[r][some] for r in roles}
    # Equal patterns are counted once.
    sampled = len(levels[roles[0]])
    code = np.zeros(sampled, np.int64) if never is None else never.astype(np.int64)
    for r in roles:
        code = code * size[r] + levels[r]
    _, first, times = np.unique(code, return_index=True, return_counts=True)
    pat = {r: levels[r][first] for r in roles}
    free = np.ones(len(first)) if never is None else (~never[first]).astype(np.float64)
    model = start or Model({c.role: agreement(c) for c in comparisons}, -float(np.log2(max(2.0, n))))
    w = times.astype(np.float64) * (count / sampled)
    for _ in range(rounds):
        p = free / (1 + np.exp2(-model.score(pat).clip(-60, 60)))
        same = float((p * w).sum())
        weights = {}
        for r in roles:
            m = np.bincount(pat[r], weights=p * w, minlength=size[r]).astype(np.float64)
            in_candidates = np.bincount(pat[r], weights=(1 - p) * w, minlength=size[r])
            u = (all_pairs - count) * q[r] + in_candidates
            # A blank says nothing: weights compare only what both records tell.
            by_chance = u[1:] * (m[1:].sum() / max(u[1:].sum(), 1.0))
            ratio = np.log2((m[1:] + UNTOLD) / (by_chance + UNTOLD))
            weights[r] = np.concatenate([[0.0], ratio.clip(-12, 20)])
        prior = float(np.log2(max(same, 1.0) / max(all_pairs - same, 1.0)))
        done = all(np.abs(weights[r] - model.weights[r]).max() < 0.02 for r in roles if r in model.weights)
        model = Model(weights, prior)
        if done:
            break
    return Model({r: exact(w) for r, w in model.weights.items()}, float(exact(model.prior)))
