"""From rows to clusters: find the pairs, learn what agreement means, group, learn other names, group again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from counterfoil.engines.linkage import block, guards
from counterfoil.engines.linkage.cluster import average
from counterfoil.engines.linkage.compare import TITLES, Codes, Comparison, Dates, Numbers, Words
from counterfoil.engines.linkage.maps import CODES, DATES, GUARDS, NUMBERS, WORDS, Map
from counterfoil.engines.linkage.model import LEARN_FROM, Model, calibrated, levels_of, some_of, train

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Row = dict[str, Any]
Say = Callable[[str], None]
Weighed = tuple[Ints, Ints, Floats]
"""Pairs (left < right, in order) and how many bits each weighs."""
NEVER = -1e7
"""The weight of a pair that a guard or a person keeps apart: no mean outweighs it."""
FLOOR = -8.0
"""Pairs weighed below this many bits are not kept: they count as unseen afterwards."""
CURVE_FROM = 200_000
ENOUGH = 12.0
"""What a pair weighs beyond so many bits counts a 64th: one pair outweighs no group, yet the surest join first.

Cut off flat, all sure pairs tied, and which of two groups a third joined hung on a hair's breadth around the cut.
"""
UNSEEN = -4.0
"""What a pair that was not worth comparing weighs, in bits."""


@dataclass
class Learnt:
    """What a run learnt: weights, how common each word is, which words stand for which.

    `names` says how many of so many `records` have each first name: guards ask which are in common use.
    """

    model: Model
    known: dict[str, Any] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    records: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "prior": self.model.prior,
            "curve": self.model.curve,
            "weights": {r: [float(x) for x in w] for r, w in self.model.weights.items()},
            "known": self.known,
            "names": self.names,
            "records": self.records,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Learnt":
        """Return what `to_json` gave."""
        weights = {r: np.array(w, dtype=np.float64) for r, w in kept["weights"].items()}
        curve = [(float(bits), float(share)) for bits, share in kept.get("curve", ())]
        return cls(
            Model(weights, float(kept["prior"]), curve),
            dict(kept["known"]),
            dict(kept["names"]),
            int(kept["records"]),
        )


@dataclass
class Found:
    """A run's answer: a cluster number for each row, the pairs that were weighed, and what was learnt."""

    cluster: Ints
    left: Ints
    right: Ints
    score: Floats
    learnt: Learnt
    kept_apart: int = 0


def comparisons_for(rows: Sequence[Row], learnt: Learnt | None = None) -> list[Comparison]:
    """Return a comparison for every role that some row fills (or that was learnt)."""
    made: list[Comparison] = []
    filled = {role for row in rows for role in row}
    for role in (*WORDS, *DATES, *CODES, *NUMBERS):
        if (role not in learnt.model.weights) if learnt else (role not in filled):
            continue
        kind: Any = (
            Words if role in WORDS else Dates if role in DATES else Codes if role in CODES else Numbers
        )
        c = kind(role)
        c.fit(
            [row.get(role, () if role in WORDS else "") for row in rows],
            learnt.known.get(role) if learnt else None,
        )
        made.append(c)
    return made


def other_words(c: Words, cluster: Ints, sure: NDArray[np.bool_]) -> dict[tuple[str, str], float]:
    """Return words that stand for one another in many clusters and seldom stand side by side, with bits of evidence.

    Slips of the pen are left out: they count in part as they are.
    """
    x = c.x[sure]
    who = np.unique(cluster[sure], return_inverse=True)[1]
    if not len(who):
        return {}
    n = int(who.max()) + 1
    home = sparse.csr_matrix((np.ones(len(who), np.float32), (who, np.arange(len(who)))), shape=(n, len(who)))
    size = np.asarray(home.sum(axis=1)).ravel()
    home = home[size > 1]
    if not home.shape[0]:
        return {}
    v = home @ x
    v.data = np.ones_like(v.data)
    often = np.asarray(v.sum(axis=0)).ravel()
    both = sparse.triu(v.T @ v, 1).tocoo()
    beside = (x.T @ x).tocsr()
    out: dict[tuple[str, str], float] = {}
    tied = {(i, j) if i < j else (j, i) for i, j in c.near}
    ok = both.data >= 3
    for i, j, t in zip(both.row[ok].tolist(), both.col[ok].tolist(), both.data[ok].tolist(), strict=True):
        a, b = c.words[i], c.words[j]
        if len(a) < 2 or len(b) < 2 or a in TITLES or b in TITLES or (i, j) in tied:
            continue
        strength = float(np.log2(t * home.shape[0] / (often[i] * often[j])))
        if strength > 2.0 and beside[i, j] <= 0.5 * t:
            out[(a, b)] = strength
    return out


def keep_apart(
    rows: Sequence[Row],
    m: Map,
    common: guards.Names,
    apart: Sequence[tuple[Sequence[int], Sequence[int]]] = (),
) -> tuple[Ints, Ints]:
    """Return the pairs that guards, and people's decisions, keep apart."""
    left, right = guards.apart(rows, m, common)
    decided = [(min(i, j), max(i, j)) for one, other in apart for i in one for j in other if i != j]
    if decided:
        n, more = len(rows), np.array(decided, np.int64)
        both = block.distinct(np.concatenate([left * n + right, more[:, 0] * n + more[:, 1]]))
        left, right = both // n, both % n
    return left, right


def refused(
    rows: Sequence[Row], m: Map, cluster: Ints, among: Ints, common: guards.Names
) -> list[tuple[int, int]]:
    """Return pairs of one cluster, among these rows, that a guard keeps apart."""
    order = among[np.argsort(cluster[among], kind="stable")]
    found = []
    for _, group_ in groupby(
        zip(cluster[order].tolist(), order.tolist(), strict=True), key=lambda pair: pair[0]
    ):
        members = [i for _, i in group_]
        for k, i in enumerate(members):
            found += [(i, j) for j in members[k + 1 :] if guards.forbids(rows[i], rows[j], m, common)]
    return found


def guarded(
    rows: Sequence[Row],
    m: Map,
    left: Ints,
    right: Ints,
    score: Floats,
    held: tuple[Ints, Ints],
    common: guards.Names,
) -> tuple[Ints, tuple[Ints, Ints]]:
    """Return clusters in which no pair is together that a guard keeps apart, and all pairs so kept.

    A guard is asked about every pair of each cluster; what it refuses is held apart and that cluster grouped again.
    What six rounds leave over stands alone.
    """
    n = len(rows)
    cluster = group(n, left, right, score, held, m.bar)
    if not m.guards:
        return cluster, held
    among = np.arange(n)
    for rounds in range(6):
        bad = np.array(refused(rows, m, cluster, among, common), np.int64).reshape(-1, 2)
        if not len(bad):
            break
        held = np.concatenate([held[0], bad.min(axis=1)]), np.concatenate([held[1], bad.max(axis=1)])
        among = np.nonzero(np.isin(cluster, cluster[bad[:, 0]]))[0]
        if rounds == 5:
            cluster[among] = among
            break
        here = np.zeros(n, bool)
        here[among] = True
        mine, kept = here[left] & here[right], here[held[0]] & here[held[1]]
        a, b = np.searchsorted(among, left[mine]), np.searchsorted(among, right[mine])
        apart = np.searchsorted(among, held[0][kept]), np.searchsorted(among, held[1][kept])
        cluster[among] = among[group(len(among), a, b, score[mine], apart, m.bar)]
    return cluster, held


def group(n: int, left: Ints, right: Ints, score: Floats, held: tuple[Ints, Ints], bar: float) -> Ints:
    """Return clusters of `n` rows from weighed pairs (in order) and those held apart."""
    weight = score.clip(UNSEEN * 2, ENOUGH) + (score - ENOUGH).clip(0.0) / 64
    if len(held[0]) and len(left):
        key, stop = left * n + right, held[0] * n + held[1]
        at = np.searchsorted(key, stop).clip(0, len(key) - 1)
        met = key[at] == stop
        weight[at[met]] = NEVER
        left, right = np.concatenate([left, held[0][~met]]), np.concatenate([right, held[1][~met]])
        weight = np.concatenate([weight, np.full(int((~met).sum()), NEVER)])
    return average(n, left, right, weight, bar=bar, unseen=UNSEEN)


def telling(
    rows: Sequence[Row], m: Map, left: Ints, right: Ints, score: Floats, common: guards.Names
) -> Ints:
    """Return the places of pairs that probabilities are learnt from: those kept, but for what a guard keeps apart.

    What a guard says is no matter of probability: people of one home agree in much and are never the same.
    """
    some: Ints = np.nonzero(score > FLOOR)[0]
    some = some[:: max(1, len(some) // CURVE_FROM)]
    return np.asarray(some[~never_same(rows, m, left[some], right[some], common)], dtype=np.int64)


def never_same(
    rows: Sequence[Row], m: Map, left: Ints, right: Ints, common: guards.Names
) -> NDArray[np.bool_]:
    """Return which of these pairs a guard keeps apart."""
    if not m.guards:
        return np.zeros(len(left), bool)
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    return np.fromiter((bool(guards.forbids(rows[a], rows[b], m, common)) for a, b in pairs), bool, len(left))


def learn(
    rows: Sequence[Row],
    m: Map,
    keyed: block.Keyed,
    *,
    apart: Sequence[tuple[Sequence[int], Sequence[int]]] = (),
    say: Say = lambda _: None,
) -> tuple[Learnt, Weighed]:
    """Learn weights, and which words stand for one another, from all these rows: group, learn words, learn again."""
    n = len(rows)
    comparisons = comparisons_for(rows)
    left, right = block.pairs(keyed, n)
    names = guards.used(rows)
    if not len(left):
        model = Model({c.role: np.zeros(c.levels) for c in comparisons})
        return Learnt(model, {c.role: c.known() for c in comparisons}, names, n), (left, right, np.zeros(0))
    levels = levels_of(comparisons, left, right)
    common = guards.commons(names, n)
    some = some_of(left, right, LEARN_FROM)
    # Whether or not guards stand, whom they would keep apart is no example of one person.
    never = never_same(rows, replace(m, guards=frozenset(GUARDS)), left[some], right[some], common)
    model = train(comparisons, levels, n=n, some=some, never=never)
    held = keep_apart(rows, m, common, apart)
    cluster, _ = guarded(rows, m, left, right, model.score(levels), held, common)
    learnt_words = 0
    sure = np.bincount(cluster, minlength=n)[cluster] > 1
    for c in comparisons:
        if isinstance(c, Words) and c.role in {"name", "place", "occupation"}:
            c.aliases = other_words(c, cluster, sure)
            learnt_words += len(c.aliases)
            c.weave()
            levels[c.role] = c.level(left, right)
    say(f"{learnt_words:,} pairs of words that stand for one another learnt from the first grouping.")
    model = train(comparisons, levels, n=n, some=some, never=never, start=model)
    learnt = Learnt(model, {c.role: c.known() for c in comparisons}, names, n)
    return learnt, (left, right, model.score(levels))


def link(
    rows: Sequence[Row],
    m: Map,
    keyed: block.Keyed | None = None,
    *,
    apart: Sequence[tuple[Sequence[int], Sequence[int]]] = (),
    elsewhere: Callable[[Learnt], Weighed] | None = None,
    say: Say = lambda _: None,
) -> Found:
    """Group all rows, learning everything from them.

    `elsewhere` weighs the pairs on another engine; without it they are weighed here.
    """
    n = len(rows)
    learnt, weighed = learn(rows, m, keyed or block.keyed(rows), apart=apart, say=say)
    if elsewhere:
        weighed = elsewhere(learnt)
    left, right, score = weighed
    say(f"{n:,} records; {len(left):,} pairs worth comparing, {len(left) / n:.1f} for each record.")
    common = guards.commons(learnt.names, learnt.records)
    cluster, held = guarded(rows, m, left, right, score, keep_apart(rows, m, common, apart), common)
    some = telling(rows, m, left, right, score, common)
    learnt.model.curve = calibrated(score[some], cluster[left[some]] == cluster[right[some]])
    return Found(cluster, left, right, score, learnt, len(held[0]))
