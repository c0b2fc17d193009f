"""From scored pairs to clusters: two groups join while the pairs between them, on the whole, speak for it.

Connected components let one false pair chain two people together. Here groups are joined greedily, the strongest mean
weight first; a pair that was never compared counts against joining. What is asked of the mean is `bar`.
"""

import heapq

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def average(
    n: int,
    left: Ints,
    right: Ints,
    weight: Floats,
    *,
    bar: float = 0.0,
    unseen: float = -4.0,
    low: float = -8.0,
    high: float = 12.0,
    mix: float = 0.0,
) -> Ints:
    """Return a cluster number for each of `n` records.

    `weight` is log2 odds, clipped to `low`..`high`; pairs absent weigh `unseen`. Joining needs a mean above `bar`.
    """
    w = weight.clip(low, high) - unseen
    near: list[dict[int, float]] = [{} for _ in range(n)]
    # A pair above `unseen` can bring groups together; one below only keeps them apart.
    for a, b, v in zip(left.tolist(), right.tolist(), w.tolist(), strict=True):
        near[a][b] = v
        near[b][a] = v
    size = [1] * n
    parent = list(range(n))
    need = bar - unseen
    heap = [
        (-v, a, b, 1, 1)
        for a, b, v in zip(left.tolist(), right.tolist(), w.tolist(), strict=True)
        if v > need
    ]
    heapq.heapify(heap)
    alive = [True] * n
    while heap:
        v, a, b, sa, sb = heapq.heappop(heap)
        if not (alive[a] and alive[b]) or size[a] != sa or size[b] != sb:
            continue
        if len(near[a]) < len(near[b]):
            a, b = b, a
        alive[b] = False
        parent[b] = a
        size[a] += size[b]
        na, nb = near[a], near[b]
        na.pop(b, None)
        nb.pop(a, None)
        for c, x in nb.items():
            na[c] = na.get(c, 0.0) + x
            del near[c][b]
            near[c][a] = na[c]
        near[b] = {}
        s = size[a]
        for c, x in na.items():
            mean = x / (s * size[c])
            if mean > need:
                heapq.heappush(heap, (-mean, a, c, s, size[c]))
    out = np.arange(n)
    for i in range(n):
        root = i
        while parent[root] != root:
            root = parent[root]
        while parent[i] != root:
            parent[i], i = root, parent[i]
        out[i] = root
    for i in range(n):
        r = i
        while parent[r] != r:
            r = parent[r]
        out[i] = r
    return out


def across(
    cluster: Ints, left: Ints, right: Ints, strong: NDArray[np.bool_], most: int = 3000
) -> tuple[Ints, Ints]:
    """Return all pairs of records between clusters (and inside them) that a strong pair connects."""
    order = np.argsort(cluster, kind="stable")
    names, begins = np.unique(cluster[order], return_index=True)
    ends = np.append(begins[1:], len(order))
    where = {int(c): (int(s), int(e)) for c, s, e in zip(names, begins, ends, strict=True)}
    ca, cb = cluster[left[strong]], cluster[right[strong]]
    n = len(cluster)
    wanted = np.unique(np.minimum(ca, cb) * n + np.maximum(ca, cb))
    out = []
    for key in wanted.tolist():
        a, b = divmod(key, n)
        (s, e), (t, f) = where[a], where[b]
        if (e - s) * (f - t) > most:
            continue
        x, y = np.repeat(order[s:e], f - t), np.tile(order[t:f], e - s)
        keep = x < y if a == b else np.ones(len(x), bool)
        x, y = x[keep], y[keep]
        out.append(np.minimum(x, y) * n + np.maximum(x, y))
    if not out:
        return left[:0], right[:0]
    both = np.unique(np.concatenate(out))
    return both // n, both % n
