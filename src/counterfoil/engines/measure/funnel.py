"""A funnel: how far the shares of places of different size lie apart by chance alone, and by more than that.

>>> f = funnel([(50, 1000), (60, 1000), (7, 100), (200, 2000)])
>>> f.share, [round(x, 4) for x in f.within(1000, 1.96)]
(0.0773170731707317, [0.0326, 0.122])

D. J. Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in Medicine 24 (2005), with his
multiplicative over-dispersion: real places differ by more than chance, and limits that ignored it would name nearly
every one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

TENTH = 0.1


@dataclass(frozen=True)
class Funnel:
    """The share of all places together, and how much wider than chance they spread (`spread` 1 is chance alone)."""

    share: float
    spread: float

    def within(self, whole: int, z: float) -> tuple[float, float]:
        """Return the limits within which a place with `whole` cases lies, `z` standard deviations wide, 0 to 1."""
        half = z * self.spread * math.sqrt(self.share * (1 - self.share) / whole)
        return max(0.0, self.share - half), min(1.0, self.share + half)


def funnel(counts: Sequence[tuple[int, int]]) -> Funnel:
    """Return the funnel of (part, whole) of each place; places without cases are left out.

    The spread is the root of the mean squared distance from the share of all, in standard deviations of chance, after
    the tenth of places furthest out on each side was drawn in to the next ("winsorised"); never below 1.
    """
    known = [(part, whole) for part, whole in counts if whole > 0]
    all_ = sum(whole for _, whole in known)
    share = sum(part for part, _ in known) / all_ if all_ else 0.0
    if not 0 < share < 1 or len(known) < 2:
        return Funnel(share, 1.0)
    far = sorted((part / whole - share) / math.sqrt(share * (1 - share) / whole) for part, whole in known)
    cut = int(len(far) * TENTH)
    low, high = far[cut], far[-1 - cut]
    squares = [min(max(z, low), high) ** 2 for z in far]
    return Funnel(share, max(1.0, math.sqrt(sum(squares) / len(squares))))
