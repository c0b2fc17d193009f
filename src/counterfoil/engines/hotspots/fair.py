"""Whether places are pointed to fairly: who lives there, whether patrols feed on themselves, and what is no input.

A map made of what officers find sends officers where they already were (Lum & Isaac 2016; Ensign et al. 2018). So what
goes in are reports by the public; a test drives patrols by the model through a hundred rounds and compares where they
went with where the risk truly was; and before a force switches the map on a person looks at who lives where it points.

>>> import numpy as np
>>> minutes, people = np.array([60.0, 0.0, 0.0, 60.0]), np.array([1000, 1000, 1000, 1000])
>>> [(s.group, s.pointed, s.living) for s in shares(minutes, people, ["1", "1", "2", "2"])]
[('1', 0.5, 0.5), ('2', 0.5, 0.5)]
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from counterfoil.engines.errors import BadInput
from counterfoil.engines.hotspots.models import Events, Floats

MONTH = 30.4
PERSONAL = frozenset({
    "accused", "address", "aggrieved", "arrestee", "birth", "birthdate", "custodian", "defendant", "detainee",
    "dob", "email", "ethnic", "ethnicity", "firstname", "flat", "forename", "fullname", "gender", "household",
    "lastname", "mobile", "nationality", "nhs", "nino", "nominal", "offender", "patient", "perpetrator", "person",
    "phone", "pnc", "postcode", "race", "religion", "sex", "subject", "surname", "suspect", "telephone", "uprn",
    "victim", "witness",
})  # fmt: skip
PLACES = frozenset({
    "area", "beat", "borough", "city", "county", "district", "force", "lsoa", "msoa", "neighbourhood", "place",
    "region", "street", "town", "ward",
})  # fmt: skip
FOUND = frozenset({"drugs", "possession of weapons", "stop and search", "stop-and-search"})
"""Kinds of record that come mostly of what officers look for: a map of them shows where officers were."""


@dataclass(frozen=True)
class Share:
    """One group: the share of patrol time pointed to where it lives, its share of all people, and the ratio of the two.

    `low` and `high` bound the ratio with 95 %; all three are None where nobody of the group lives.
    """

    group: str
    pointed: float
    living: float
    ratio: float | None
    low: float | None
    high: float | None

    @property
    def differs(self) -> bool:
        """Say whether more or less patrol than people is more than chance."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high


def no_person(columns: Iterable[str], option: str = "--area") -> None:
    """Refuse a column that tells of a person or a home: places are all that may go into a map of places."""
    for column in columns:
        words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())
        told = set(PERSONAL.intersection(words))
        if not told and "name" in words and not PLACES.intersection(words):
            told = {"name"}
        if told:
            raise BadInput(
                option,
                f"The column {column!r} tells of a person or a home ({', '.join(sorted(told))}). Only places and "
                "times of reports may be used here: choose an area or coordinates.",
            )


def shares(minutes: Floats, people: Floats, groups: Sequence[str]) -> list[Share]:
    """Return for each group the share of patrol time where it lives beside its share of the people.

    `minutes`, `people` and `groups` are by area: each area is of one group, for example a fifth of deprivation. Where
    people of several groups live in one area, see `shares_within`.
    """
    known = sorted(set(groups))
    member = np.array([[g == name for name in known] for g in groups], dtype=float)
    return shares_within(minutes, np.asarray(people, float)[:, None] * member, known)


def shares_within(minutes: Floats, people: Floats, names: Sequence[str]) -> list[Share]:
    """Return the same where `people` counts each group in each area: an area's minutes fall on all in it.

    The interval is Clopper and Pearson's (1934) for as many areas as the minutes are spread over in effect (Kish 1965),
    so that few areas say little, and a group that no area points to is not said to be left out by more than chance.
    """
    minutes, people = np.asarray(minutes, float), np.asarray(people, float)
    if not minutes.sum() or not people.sum():
        raise BadInput("areas", "There is no patrol time or nobody lives there: nothing can be compared.")
    inside = people / np.maximum(people.sum(axis=1, keepdims=True), 1e-12)
    spent = minutes @ inside
    pointed, lived = spent / spent.sum(), people.sum(axis=0) / people.sum()
    many = float(minutes.sum() ** 2 / (minutes**2).sum())
    found = []
    for name, share, living in zip(names, pointed.tolist(), lived.tolist(), strict=True):
        if not living:
            found.append(Share(name, share, living, None, None, None))
            continue
        hits = share * many
        low = float(beta.ppf(0.025, hits, many - hits + 1)) if hits > 0 else 0.0
        high = float(beta.ppf(0.975, hits + 1, many - hits)) if many - hits > 1e-9 else 1.0
        found.append(Share(name, share, living, share / living, low / living, high / living))
    return found


def feedback(
    model: Callable[[Events, float, float], Floats],
    *,
    public: bool,
    rounds: int = 100,
    places: int = 600,
    share: float = 0.2,
    found_by_patrol: float = 1.5,
    seed: int = 20261121,
) -> Floats:
    """Return patrol share over true-risk share by fifth of deprivation, after so many rounds of patrols by a model.

    An invented city: risk rises with deprivation, and differs within each fifth. Each round patrols go to the `share`
    of places with the highest scores, their time in proportion to the score; officers there find and record
    `found_by_patrol` further events for each that the public reports. With `public` the model sees only what the public
    reported; without, all that is recorded: then it learns from its own patrols. The first patrols go twice as often to
    the most deprived fifth. The true-risk share is that of a plan which knew every rate.
    """
    rng = np.random.default_rng(seed)
    fifth = np.arange(places) % 5
    risk = np.exp(rng.normal(0, 0.8, places) + 0.15 * (4 - fifth)) * 3
    side = int(np.ceil(places**0.5))
    xy = np.column_stack((np.arange(places) % side, np.arange(places) // side)).astype(np.float64) * 400.0
    many = max(1, round(share * places))
    knowing = np.zeros(places)
    knowing[np.argsort(-risk)[:many]] = np.sort(risk)[::-1][:many]
    patrol = np.where(fifth == 0, 2.0, 1.0)
    patrol /= patrol.sum()
    days: list[Floats] = []
    place: list[Floats] = []
    spent = np.zeros(places)
    for month in range(12 + rounds):
        reported = rng.poisson(risk)
        found = rng.poisson(found_by_patrol * risk * patrol * places)
        seen = reported if public else reported + found
        days.append(np.full(int(seen.sum()), month * MONTH))
        place.append(np.repeat(np.arange(places), seen))
        if month < 11:
            continue
        known = Events(
            np.concatenate(days[-24:]),
            np.concatenate(place[-24:]).astype(np.int64),
            xy,
            np.ones(sum(len(d) for d in days[-24:]), dtype=bool),
            step=MONTH,
        )
        score = model(known, (month + 1) * MONTH, MONTH)
        patrol = np.zeros(places)
        best = np.argsort(-score, kind="stable")[:many]
        patrol[best] = score[best] / score[best].sum()
        spent += patrol
    by = [
        (spent[fifth == f].sum() / spent.sum(), knowing[fifth == f].sum() / knowing.sum()) for f in range(5)
    ]
    return np.array([mine / true for mine, true in by])
