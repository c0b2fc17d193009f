"""From scored pairs to clusters: two groups join while the pairs between them, on the whole, speak for it.

Connected components let one false pair chain two people together. Here groups join by the mean weight between them
(average linkage); a pair that was never compared counts against joining. What is asked of the mean is `bar`.

All pairs of groups that are each other's best join at once, round after round. Average linkage is reducible (a joined
group is never nearer to a third than the nearer of its halves), so that gives the groups that joining one pair at a
time would give, in a dozen passes over arrays.
"""

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
    """Return a cluster number, that of its first record, for each of `n` records.

    `weight` is log2 odds; pairs absent weigh `unseen`. Joining needs a mean above `bar`; of equal means the pair of
    the first records joins first. No pair may come twice.
    """
    a, b = np.minimum(left, right), np.maximum(left, right)
    v = np.asarray(weight, dtype=np.float64) - unseen
    need = bar - unseen
    size, parent, slot = np.ones(n), np.arange(n), np.full(n, -1)
    while len(a):
        mean = v / (size[a] * size[b])
        good = mean > need
        # Who is near nobody now never will be: the mean of two is never above the larger.
        alive = np.zeros(n, bool)
        alive[a[good]] = alive[b[good]] = True
        keep = alive[a] & alive[b]
        a, b, v, mean = a[keep], b[keep], v[keep], mean[keep]
        top = np.nonzero(mean > need)[0]
        if not len(top):
            break
        top = top[np.lexsort((b[top], a[top], -mean[top]))]
        one, other = a[top], b[top]
        # Writing backwards, the best is what remains.
        place, ends = np.arange(len(top)), np.column_stack((one, other)).ravel()
        slot[ends[::-1]] = np.repeat(place, 2)[::-1]
        joins = (slot[one] == place) & (slot[other] == place)
        one, other = one[joins], other[joins]
        parent[other] = one
        size[one] += size[other]
        a, b = parent[a], parent[b]
        apart = a != b
        a, b, v = a[apart], b[apart], v[apart]
        a, b = np.minimum(a, b), np.maximum(a, b)
        key = a * n + b
        order = np.argsort(key, kind="stable")
        key, v = key[order], v[order]
        first = np.ones(len(key), bool)
        first[1:] = key[1:] != key[:-1]
        begins = np.nonzero(first)[0]
        v = np.add.reduceat(v, begins) if len(begins) else v
        a, b = key[begins] // n, key[begins] % n
    while (parent != parent[parent]).any():
        parent = parent[parent]
    return parent
