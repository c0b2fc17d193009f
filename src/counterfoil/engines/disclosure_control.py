"""Small numbers that nobody can work out: the 10-5 rule on cells, and totals that are sums of what was protected.

>>> town = Protected({("north", "2026-01"): 3, ("north", "2026-02"): 42, ("south", "2026-01"): 18}, key=b"k" * 32)
>>> town.total([("north", "2026-01")]).value is None, town.total([("north", "2026-02")]).value
(True, 40)
>>> town.total([("north", "2026-02"), ("south", "2026-01")]).value
60

**The rule.** A table is cut into cells once, by the smallest things it is ever asked for (place, kind, month, ending).
A cell below 10 is not shown; any other is rounded to the nearest 5 (the "10-5 rule" of the Office for National
Statistics). A total is never worked out from true counts: it is the sum of its cells as protected. There a cell that
is not shown counts as 10 with probability n/10 and else as 0, which is right on average, and which of the two is fixed
by a secret key and the cell's own name.

**Why nothing can be recovered.** Everything that is ever given out is a function of one symbol for each cell: its
rounded value, or "below 10 and counted as 0", or "below 10 and counted as 10". To somebody without the key the second
fits every count from 0 to 9 and the third every count from 1 to 9, whatever is known of all other cells. So no
subtraction of totals, overlapping periods, nested places, inequalities or repeated questions can leave fewer than nine
counts possible for a cell below 10. A total is given only where those symbols alone prove that it is 10 or more.

What this does not do: somebody who can add records of their own to a cell, and sees every release, learns from where
the rounding turns. Releases are therefore made of a whole table at a time, never of live records.
"""

import hmac
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

LEAST = 10
BASE = 5
Cell = str | tuple[str, ...]
_Z = 1.959963984540054


@dataclass(frozen=True)
class Shown:
    """A count that may be given out: rounded `value`, and bounds that hold the true one with about 95 % confidence.

    `value`, `low` and `high` are None together when it is not given. `cells` is how many cells it is the sum of, and
    `small` how many of those are below 10. `noise` is the standard deviation that protection adds.
    """

    value: int | None
    low: int | None
    high: int | None
    cells: int
    small: int
    noise: float = 0.0


@dataclass(frozen=True)
class Share:
    """A share of two protected counts in percent, with one decimal; all three are None when it is not given."""

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    part: Shown
    whole: Shown


def rounded(count: int) -> int:
    """Return a count rounded to the nearest 5."""
    return BASE * ((count + BASE // 2) // BASE)


class Protected:
    """A table of counts by cell, of which only protected values can be had.

    `cells` maps each cell to its true count; a cell's name is a tuple of plain texts or a text. `key` is at least
    32 secret bytes that stay the same from release to release: another key would answer the same question twice.
    Raises ValueError for a negative count or a short key.
    """

    def __init__(self, cells: Mapping[Cell, int], *, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("The key of protected numbers needs at least 32 bytes.")
        if any(n < 0 for n in cells.values()):
            raise ValueError("A count cannot be below 0.")
        self._symbols = {cell: _symbol(cell, n, key) for cell, n in cells.items()}

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._symbols)

    def total(self, cells: Iterable[Cell]) -> Shown:
        """Return the sum of some cells as it may be given out; a cell named twice counts once, an unknown one is empty.

        The answer is the same however often and in whichever order it is asked for, and parts add up to their total.
        """
        found = [self._symbols[c] for c in set(cells) if c in self._symbols]
        value, small = sum(v for _, v in found), [v for hidden, v in found if hidden]
        certain = sum(max(LEAST, v - BASE // 2) for hidden, v in found if not hidden) + sum(
            v > 0 for v in small
        )
        if certain < LEAST:
            return Shown(None, None, None, len(found), len(small))
        # Rounding spreads evenly over five counts (variance 2). A small cell is 10 with probability n/10 (variance
        # n (10 - n)), and the mean of what small cells were counted as stands for the mean of their n (Jensen).
        mean = sum(small) / len(small) if small else 0.0
        noise = math.sqrt(2 * (len(found) - len(small)) + len(small) * mean * (LEAST - mean))
        least = certain
        most = sum(v + BASE // 2 for hidden, v in found if not hidden) + (LEAST - 1) * len(small)
        low, high = max(least, math.floor(value - _Z * noise)), min(most, math.ceil(value + _Z * noise))
        return Shown(value, low, high, len(found), len(small), noise)

    def share(self, part: Iterable[Cell], whole: Iterable[Cell]) -> Share:
        """Return part of whole in percent, from protected counts only, with an interval for chance and protection.

        `part` must be cells of `whole`. Given only when the part, the rest and so the whole are 10 or more for
        certain; the interval is Wilson's (95 %) widened by what protection adds to both counts.
        """
        ours, all_ = set(part), set(whole)
        if not ours <= all_:
            raise ValueError("A share is of cells that are among those it is divided by.")
        top, rest, below = self.total(ours), self.total(all_ - ours), self.total(all_)
        if top.value is None or rest.value is None or below.value is None:
            return Share(None, None, None, top, below)
        p, n = top.value / below.value, below.value
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n)) / (1 + _Z**2 / n)
        extra = _Z * math.hypot((1 - p) * top.noise, p * rest.noise) / n
        low = max(0.0, p - math.hypot(p - (middle - half), extra))
        high = min(1.0, p + math.hypot(middle + half - p, extra))
        return Share(
            (Decimal(100 * top.value) / Decimal(n)).quantize(Decimal("0.1"), ROUND_HALF_EVEN),
            Decimal(math.floor(low * 1000)) / 10,
            Decimal(math.ceil(high * 1000)) / 10,
            top,
            below,
        )


def _symbol(cell: Cell, count: int, key: bytes) -> tuple[bool, int]:
    """Return what may be known of a cell: whether it is below 10, and what it counts as in totals."""
    if count >= LEAST:
        return False, rounded(count)
    name = "\x1f".join(cell) if isinstance(cell, tuple) else cell
    drawn = int.from_bytes(hmac.digest(key, name.encode(), "sha256")[:8]) / 2**64
    return True, LEAST if drawn * LEAST < count else 0
