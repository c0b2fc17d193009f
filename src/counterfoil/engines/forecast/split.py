"""Split the change of a charge rate into mix, recording, timing and real parts that add up exactly.

>>> before = {"burglary": Counted(crimes=100, charged=5), "drugs": Counted(crimes=100, charged=45)}
>>> after = {"burglary": Counted(crimes=150, charged=9), "drugs": Counted(crimes=50, charged=24)}
>>> parts = decompose(before, after)
>>> [str(points) for points in parts.shown(1).values()]  # change = mix + recording + timing + real
['-8.5', '-10.2', '0.0', '0.0', '1.7']
>>> parts.mix + parts.recording + parts.timing + parts.real == parts.change
True
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from counterfoil.engines.errors import BadInput

PARTS = ("mix", "recording", "timing", "real")
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Counted:
    """Crimes of one type in one period and how many were charged, in whole numbers.

    charged: by the end of what is published. in_time: of those, within the follow-up that both periods have had (None:
    all). only_recorded: of the crimes, those in the count only for how it was counted (no identifier to follow, or let
    in by a new rule), and only_charged: charged among them in time.
    """

    crimes: int
    charged: int
    in_time: int | None = None
    only_recorded: int = 0
    only_charged: int = 0

    @property
    def early(self) -> int:
        """Return how many were charged within the common follow-up."""
        return self.charged if self.in_time is None else self.in_time


@dataclass(frozen=True)
class TypePart:
    """What one type of crime contributes through its share of crimes and through its own rate."""

    kind: str
    mix: Fraction
    real: Fraction


@dataclass(frozen=True)
class Parts:
    """The rates before and after, their change, and its parts, as exact fractions of one.

    real_low, real_high: 95 % interval of the real part, for chance alone.
    """

    before: Fraction
    after: Fraction
    mix: Fraction
    recording: Fraction
    timing: Fraction
    real: Fraction
    real_low: float
    real_high: float
    by_type: tuple[TypePart, ...]

    @property
    def change(self) -> Fraction:
        """Return the rate after less the rate before."""
        return self.after - self.before

    def shown(self, places: int = 2) -> dict[str, Decimal]:
        """Return change and parts in percentage points, rounded so that the rounded parts still add up.

        The change is that of the rounded rates; what is left over goes to the parts whose rounding lost most.
        """
        unit = Decimal(1).scaleb(-places)
        scale = 100 * 10**places
        whole = round(self.after * scale) - round(self.before * scale)
        exact = {name: getattr(self, name) * scale for name in PARTS}
        down = {name: math.floor(value) for name, value in exact.items()}
        by_loss = sorted(PARTS, key=lambda name: (down[name] - exact[name], PARTS.index(name)))
        left = whole - sum(down.values())
        for i in range(abs(left)):
            name = by_loss[i % len(PARTS)] if left > 0 else by_loss[-1 - i % len(PARTS)]
            down[name] += 1 if left > 0 else -1
        return {
            "change": (Decimal(whole) * unit).quantize(unit),
            **{n: (Decimal(v) * unit).quantize(unit) for n, v in down.items()},
        }


def decompose(before: Mapping[str, Counted], after: Mapping[str, Counted]) -> Parts:
    """Return why charged / crimes differs between two periods, over types of crime.

    timing: what the two periods' charges later than the common follow-up make of it; recording: what the crimes that
    are there only for how they were counted make of it; mix: the types' shares changed, at the mean of their rates;
    real: their rates changed, at the mean of their shares (Kitagawa 1955, J. Am. Stat. Assoc. 50, 1168). All in
    rational numbers, so the four add up to the change without a rest. A type absent from one period has no rate there
    and counts as mix. Raises BadInput when counts contradict each other or a period has no crimes.
    """
    for period in (before, after):
        for kind, one in period.items():
            _check(kind, one)
    old, new = _Levels.of(before), _Levels.of(after)
    mix = real = Fraction(0)
    variance = 0.0
    found: list[TypePart] = []
    for kind in sorted({*before, *after}):
        a, b = before.get(kind, Counted(0, 0)), after.get(kind, Counted(0, 0))
        m, n = a.crimes - a.only_recorded, b.crimes - b.only_recorded
        share_a, share_b = Fraction(m, old.crimes), Fraction(n, new.crimes)
        x, y = a.early - a.only_charged, b.early - b.only_charged
        rate_a = Fraction(x, m) if m else Fraction(y, n) if n else Fraction(0)
        rate_b = Fraction(y, n) if n else rate_a
        part = TypePart(
            kind,
            (share_b - share_a) * (rate_a + rate_b) * HALF,
            (rate_b - rate_a) * (share_a + share_b) * HALF,
        )
        if m and n:
            weight = float((share_a + share_b) * HALF)
            variance += weight**2 * (_chance(x, m) + _chance(y, n))
        found.append(part)
        mix += part.mix
        real += part.real
    half = 1.96 * math.sqrt(variance)
    return Parts(
        before=old.shown,
        after=new.shown,
        mix=mix,
        recording=(new.in_time - new.alike) - (old.in_time - old.alike),
        timing=(new.shown - new.in_time) - (old.shown - old.in_time),
        real=real,
        real_low=float(real) - half,
        real_high=float(real) + half,
        by_type=tuple(found),
    )


def _check(kind: str, one: Counted) -> None:
    if not (
        0 <= one.only_charged <= one.early <= one.charged <= one.crimes
        and one.only_charged <= one.only_recorded <= one.crimes
        and one.early - one.only_charged <= one.crimes - one.only_recorded
    ):
        raise BadInput(
            kind, f"The counts of {kind} contradict each other: no more can be charged than there are."
        )


def _chance(charged: int, crimes: int) -> float:
    """Return the variance of a share, with one success and one failure added so that 0 of few is not certain."""
    share = (charged + 1) / (crimes + 2)
    return share * (1 - share) / crimes


@dataclass(frozen=True)
class _Levels:
    """The rate as shown, within the common follow-up, and of crimes counted alike; and how many of those there are."""

    shown: Fraction
    in_time: Fraction
    alike: Fraction
    crimes: int

    @classmethod
    def of(cls, period: Mapping[str, Counted]) -> "_Levels":
        crimes = sum(c.crimes for c in period.values())
        alike = crimes - sum(c.only_recorded for c in period.values())
        if alike <= 0:
            raise BadInput(
                "crimes", "A period has no crimes that can be followed: its charge rate is not known."
            )
        early = sum(c.early for c in period.values())
        return cls(
            Fraction(sum(c.charged for c in period.values()), crimes),
            Fraction(early, crimes),
            Fraction(early - sum(c.only_charged for c in period.values()), alike),
            alike,
        )
