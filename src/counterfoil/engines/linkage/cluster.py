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
) -> Ints:
    """Return a cluster number for each of `n` records.

    `weight` is log2 odds; pairs absent weigh `unseen`. Joining needs a mean above `bar`.
    """
    w = weight - unseen
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
    for i in range(n):
        out[i] = parent[i]
    return out
