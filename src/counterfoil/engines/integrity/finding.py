"""What a finding is, and the kinds there are with the measures whose numbers each touches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

COUNTS = ("crimes",)
FOLLOWED = ("charged",)
ENDED = ("charged-of-outcomes", "outcomes")
DELAY = ("recorded-within-24h",)


# Every kind of finding and the measures whose numbers it touches; reference/integrity.toml has its words.
KINDS: dict[str, tuple[str, ...]] = {
    "missing-force": (*COUNTS, *FOLLOWED, *ENDED),
    "missing-month": (*COUNTS, *FOLLOWED),
    "partial-month": (*COUNTS, *FOLLOWED),
    "surge-month": (*COUNTS, *FOLLOWED),
    "silent-areas": COUNTS,
    "missing-type": (*COUNTS, *FOLLOWED),
    "supplied-twice": (*COUNTS, *FOLLOWED, *ENDED),
    "retyped": (*COUNTS, *FOLLOWED),
    "unreadable-rows": (*COUNTS, *FOLLOWED, *ENDED),
    "no-month": (*COUNTS, *FOLLOWED, *ENDED),
    "no-force": (*COUNTS, *FOLLOWED, *ENDED),
    "no-type": (*COUNTS, *FOLLOWED, *ENDED),
    "blank-areas": COUNTS,
    "trend-without-blanks": COUNTS,
    "trend-with-incidents": COUNTS,
    "rows-of-other-forces": COUNTS,
    "code-change": COUNTS,
    "repeated-rows": (*COUNTS, *FOLLOWED),
    "reused-identifier": FOLLOWED,
    "identifier-of-another-force": FOLLOWED,
    "identifiers-restart": FOLLOWED,
    "no-identifiers": FOLLOWED,
    "outcomes-missing-force": (*FOLLOWED, *ENDED),
    "outcomes-missing-month": (*FOLLOWED, *ENDED),
    "outcomes-partial-month": (*FOLLOWED, *ENDED),
    "outcomes-surge-month": ENDED,
    "outcomes-never-published": FOLLOWED,
    "outcomes-lost": FOLLOWED,
    "outcomes-without-crimes": (*COUNTS, *FOLLOWED),
    "outcome-before-crime": FOLLOWED,
    "repeated-outcomes": ENDED,
    "conflicting-outcomes": (*FOLLOWED, *ENDED),
    "never-used-outcome": ENDED,
    "reclassification": (*COUNTS, *FOLLOWED),
    "closure-shift": (*FOLLOWED, *ENDED),
    "heaping": DELAY,
}


MOVED = frozenset({"reclassification", "retyped"})


@dataclass(frozen=True)
class Finding:
    """One thing that looks wrong: its kind, where (force, and what within it), since which month, and how many rows.

    `until` is the last month it touches (the last of the data when it goes on). `affects` are addresses of numbers
    where the force is known by its slug, else names of measures. `says` is one sentence.
    """

    kind: str
    where: str
    since: str
    size: float
    affects: tuple[str, ...]
    says: str = ""
    until: str = ""
    force: str = ""


def said(month: int) -> str:
    """Write a month: 202107 is "2021-07"; an unknown one is empty."""
    return f"{month // 100:04d}-{month % 100:02d}" if month else ""


@dataclass(frozen=True)
class Book:
    """What the numbers' addresses call forces and types of crime, and which forces a whole country's files hold.

    `forces` and `types` lead from any name, in small letters, to a slug; what is not in them has no address. With
    `rename` a force is called by its slug in findings too, so that two files may name it differently.
    """

    forces: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    expected: tuple[str, ...] = ()
    rename: bool = False

    @property
    def names(self) -> Mapping[str, str]:
        """What forces are to be called instead of what the files call them."""
        return self.forces if self.rename else {}

    def finding(
        self,
        kind: str,
        force: str,
        since: int,
        until: int,
        size: float,
        says: str,
        *,
        within: str = "",
        types: Iterable[str] = (),
    ) -> Finding:
        """Make a finding; what it affects follows from its kind, the force, the months and the types it names."""
        slug = self.forces.get(force.casefold(), "")
        period = f"{said(since)}_{said(until or since)}"
        named = [self.types[t.casefold()] for t in types if t.casefold() in self.types]
        # What only moved between two types leaves the sum of all types as it was.
        wanted = named if named and kind in MOVED else ["all", *named]
        touches = KINDS[kind]
        if slug and since:
            touches = tuple(
                f"{m}.{slug}.{period}.{t}"
                for m in touches
                for t in (wanted if m in (*COUNTS, *FOLLOWED) else ["all"])
            )
        where = f"{force}: {within}" if within else force
        return Finding(
            kind, where, said(since), round(float(size)), touches, says, said(until or since), force
        )
