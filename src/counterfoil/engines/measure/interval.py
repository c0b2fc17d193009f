"""Intervals worked out with integers and decimals only, so that they are the same on every machine.

>>> share(30, 200)
Share(part=30, whole=200, percent=Decimal('15.0'), low=Decimal('10.7'), high=Decimal('20.6'))
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from counterfoil.engines.errors import BadInput

Z95 = Decimal("1.959963984540054")
_EXACT = Context(prec=50)
_TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Share:
    """A share in percent with one decimal, the two counts behind it and its 95 % Wilson interval."""

    part: int
    whole: int
    percent: Decimal
    low: Decimal
    high: Decimal


def wilson(part: int, whole: int, z: Decimal = Z95) -> tuple[Decimal, Decimal]:
    """Return the Wilson score interval of part/whole as proportions between 0 and 1, 50 digits carried.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22 (1927), 209-212. Raises BadInput unless 0 <= part <= whole, whole > 0.
    """
    if whole <= 0 or not 0 <= part <= whole:
        raise BadInput("share", f"A share needs 0 ≤ part ≤ whole and a whole above 0, not {part} of {whole}.")
    c = _EXACT
    n, k = Decimal(whole), Decimal(part)
    zz = c.multiply(z, z)
    middle = c.divide(c.add(k, c.divide(zz, Decimal(2))), c.add(n, zz))
    inside = c.add(c.divide(c.multiply(k, c.subtract(n, k)), n), c.divide(zz, Decimal(4)))
    half = c.divide(c.multiply(z, c.sqrt(inside)), c.add(n, zz))
    low = Decimal(0) if part == 0 else c.subtract(middle, half)
    high = Decimal(1) if part == whole else c.add(middle, half)
    return low, high


def percent(value: Decimal) -> Decimal:
    """Turn a proportion into percent with one decimal, halves to the even digit."""
    return _EXACT.multiply(value, Decimal(100)).quantize(_TENTH, rounding=ROUND_HALF_EVEN)


def share(part: int, whole: int) -> Share:
    """Return part/whole in percent with its 95 % Wilson interval; divided once, at the end."""
    low, high = wilson(part, whole)
    return Share(
        part, whole, percent(_EXACT.divide(Decimal(part), Decimal(whole))), percent(low), percent(high)
    )
