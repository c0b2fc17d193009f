"""What a finding is, and the kinds there are: each a question, and the measures whose numbers it touches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

COUNTS = ("crimes",)
FOLLOWED = ("charged",)
ENDED = ("charged-of-outcomes", "outcomes")
DELAY = ("own-recorded-in-day",)


@dataclass(frozen=True)
class Kind:
    """A kind of finding: what it asks of whoever supplied the data, and the measures it touches."""

    id: str
    asks: str
    touches: tuple[str, ...]


KINDS: dict[str, Kind] = {
    k.id: k
    for k in (
        Kind("missing-force", "Why is there nothing from this force?", (*COUNTS, *FOLLOWED, *ENDED)),
        Kind("missing-month", "Why are there no crimes for these months?", (*COUNTS, *FOLLOWED)),
        Kind("partial-month", "Was only part of this month supplied?", (*COUNTS, *FOLLOWED)),
        Kind("surge-month", "Why has this month far more rows than any other?", (*COUNTS, *FOLLOWED)),
        Kind("silent-areas", "Why have many areas no row in this month?", COUNTS),
        Kind("missing-type", "Why does one type of crime stop for these months?", (*COUNTS, *FOLLOWED)),
        Kind("supplied-twice", "Which of two files for one month is right?", (*COUNTS, *FOLLOWED, *ENDED)),
        Kind("retyped", "Why have crimes another type in a later release?", (*COUNTS, *FOLLOWED)),
        Kind("unreadable-rows", "What do the rows say that cannot be read?", (*COUNTS, *FOLLOWED, *ENDED)),
        Kind("no-month", "Which month do these rows belong to?", (*COUNTS, *FOLLOWED, *ENDED)),
        Kind("no-force", "Which force do these rows belong to?", (*COUNTS, *FOLLOWED, *ENDED)),
        Kind("no-type", "What were these crimes, or these outcomes?", (*COUNTS, *FOLLOWED, *ENDED)),
        Kind("blank-areas", "Where did these crimes happen?", COUNTS),
        Kind("trend-without-blanks", "Did the areas' crime change, or only how many have an area?", COUNTS),
        Kind("trend-with-incidents", "Did crime change, or calls about anti-social behaviour?", COUNTS),
        Kind("rows-of-other-forces", "Is a small number in these areas nearly nothing, or unknown?", COUNTS),
        Kind("code-change", "Did the area codes change?", COUNTS),
        Kind("repeated-rows", "Are these rows one crime or several?", (*COUNTS, *FOLLOWED)),
        Kind("reused-identifier", "Why do different crimes carry one identifier?", FOLLOWED),
        Kind("identifier-of-another-force", "Why do two forces use one identifier?", FOLLOWED),
        Kind("identifiers-restart", "Do the identifiers start again?", FOLLOWED),
        Kind("no-identifiers", "How can these crimes be followed to an outcome?", FOLLOWED),
        Kind(
            "outcomes-missing-force", "Why does no crime of this force have an outcome?", (*FOLLOWED, *ENDED)
        ),
        Kind("outcomes-missing-month", "Why are there no outcomes for these months?", (*FOLLOWED, *ENDED)),
        Kind("outcomes-partial-month", "Was only part of the outcomes supplied?", (*FOLLOWED, *ENDED)),
        Kind("outcomes-surge-month", "Was a backlog of cases closed in this month?", ENDED),
        Kind("outcomes-never-published", "What became of the crimes without any outcome?", FOLLOWED),
        Kind("outcomes-lost", "Why have crimes of these months fewer outcomes?", FOLLOWED),
        Kind("outcomes-without-crimes", "Which crimes do these outcomes belong to?", (*COUNTS, *FOLLOWED)),
        Kind("outcome-before-crime", "How can a crime end before it was recorded?", FOLLOWED),
        Kind("repeated-outcomes", "Are these outcomes one decision or several?", ENDED),
        Kind("conflicting-outcomes", "Which of two outcomes is right?", (*FOLLOWED, *ENDED)),
        Kind("never-used-outcome", "Is this outcome not used, or supplied under another name?", ENDED),
        Kind(
            "reclassification", "Was something recorded as another type from then on?", (*COUNTS, *FOLLOWED)
        ),
        Kind("closure-shift", "Why are cases closed differently from then on?", (*FOLLOWED, *ENDED)),
        Kind("heaping", "Why do so many fall just inside the limit?", DELAY),
    )
}


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

    `forces` and `types` lead from any name, in small letters, to a slug; what is not in them has no address.
    """

    forces: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    expected: tuple[str, ...] = ()

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
        touches = KINDS[kind].touches
        if slug and since:
            touches = tuple(
                f"{m}.{slug}.{period}.{t}"
                for m in touches
                for t in (["all", *named] if m in (*COUNTS, *FOLLOWED) else ["all"])
            )
        where = f"{force}: {within}" if within else force
        return Finding(
            kind, where, said(since), round(float(size)), touches, says, said(until or since), force
        )
