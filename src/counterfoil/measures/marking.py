"""Pure rules of marking an audit sample: whose eyes are wanted, when an item is settled, and what follows from all.

>>> settled([Marked("a", True, True)], number=1, recorded=True)
(True, True)
>>> wanted([Marked("a", True, None)], number=1, recorded=False), wanted([Marked("a", True, True)], 5, True)
(2, 2)
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from counterfoil.engines.sampling import Estimate, estimate

SECOND = 5  # every fifth item is marked twice, whatever was found, so that agreement can be said


@dataclass(frozen=True)
class Marked:
    """One mark: who made it, whether a crime should have been recorded, and whether it lies in the right class."""

    by: str
    crime: bool
    right_class: bool | None

    @property
    def said(self) -> tuple[bool, bool | None]:
        """What was found."""
        return self.crime, self.right_class


@dataclass(frozen=True)
class Looked:
    """One settled item: what is true of it, what was found, and how many reports of the frame it stands for."""

    weight: float
    recorded: bool
    in_time: bool
    crime: bool
    right_class: bool | None


@dataclass(frozen=True)
class Results:
    """What a marked sample says of all reports of its frame. None where no marked item could tell."""

    recorded: Estimate | None
    in_time: Estimate | None
    right_class: Estimate | None
    too_many: Estimate | None
    agreement: tuple[int, int]


def wanted(marks: Sequence[Marked], number: int, recorded: bool) -> int:
    """Return how many people are to mark an item: one, two for every fifth and every error, three if two differ."""
    if not marks:
        return 1
    first = marks[0]
    error = first.crime != recorded or first.right_class is False
    if len(marks) >= 2 and len({m.said for m in marks[:2]}) > 1:
        return 3
    return 2 if error or number % SECOND == 0 else 1


def settled(marks: Sequence[Marked], number: int, recorded: bool) -> tuple[bool, bool | None] | None:
    """Return what was found of an item when enough people marked it: what two of them say, else the last; or None."""
    if not marks or len(marks) < wanted(marks, number, recorded):
        return None
    said, times = Counter(m.said for m in marks).most_common(1)[0]
    return said if times > 1 or len(marks) == 1 else marks[-1].said


def results(looked: Sequence[Looked], twice: Sequence[tuple[Marked, Marked]]) -> Results:
    """Return the estimates of a sample whose items are all settled, and how often two people agreed."""

    def share(of: Sequence[Looked], true: Callable[[Looked], bool | None]) -> Estimate | None:
        return estimate([(int(bool(true(x))), x.weight) for x in of])

    crimes = [x for x in looked if x.crime]
    classed = [x for x in crimes if x.recorded and x.right_class is not None]
    return Results(
        recorded=share(crimes, lambda x: x.recorded),
        in_time=share(crimes, lambda x: x.in_time),
        right_class=share(classed, lambda x: x.right_class),
        too_many=share([x for x in looked if x.recorded], lambda x: not x.crime),
        agreement=(sum(a.said == b.said for a, b in twice), len(twice)),
    )
