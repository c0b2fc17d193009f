"""Compute the number at an address from the files held now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from counterfoil.accounts.rules import Viewer
from counterfoil.engines import measure as engine
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import ALL, Held, Slice
from counterfoil.measures import rules
from counterfoil.measures.queries import mergers, own, published
from counterfoil.measures.queries.stock import CHARGED, MONTHLY, OTHER_CASE, Stock, stock
from counterfoil.measures.rules import Gaps, NumberId
from counterfoil.places import queries as place_queries
from counterfoil.reference import areas, forces, outcomes
from counterfoil.reference import measures as definitions
from counterfoil.reference.measures import CrimeType, Definition

NO_SUSPECT = ("Investigation complete; no suspect identified",)
NOT_CRIMES = tuple(t.name for t in definitions.crime_types() if not t.crime)


@dataclass(frozen=True)
class Number:
    """A number with everything needed to judge it; `value` is None when it is not known, never 0 for that.

    state: `published`, `partly` (a month of the period is missing), `missing` (not published), `none` (this measure
    does not exist for this type), `no-table` (`needs` says which kind of table to import), `other-vintage` (it is held
    only in another release than the numbers beside it), `protected` (small numbers of our own cases). `missing` lists
    months without a number. For shares, `value`, `low` and `high` are percent with one decimal and `part` and `whole`
    the counts behind them.
    """

    id: NumberId
    definition: Definition
    force: forces.Force | areas.Area
    type_name: str
    state: str
    value: int | Decimal | None
    low: Decimal | None
    high: Decimal | None
    part: int | None
    whole: int | None
    street: Gaps
    outcomes: Gaps
    until: str
    without_id: int
    not_crimes: int
    other_case: int
    repeated: int
    area_name: str
    vintage: str
    needs: str
    missing: tuple[str, ...]
    why: str
    used: tuple[Held, ...]
    older: tuple[tuple[Held, Held], ...]
    basis: str
    merged: tuple["Number", ...]

    def without(self, state: str) -> "Number":
        """Return this number without its value, and why."""
        return replace(self, state=state, value=None, low=None, high=None, part=None, whole=None)

    @property
    def newest(self) -> str:
        """Return the day the newest of the files was imported."""
        return max((h.imported_at[:10] for h in self.used), default="")


def type_names(force: str) -> dict[str, CrimeType]:
    """Return the crime types to show for a force by slug: the standard ones and any other in its files."""
    return _types(stock(), force)


def _types(now: Stock, force: str) -> dict[str, CrimeType]:
    found = {t.slug: t for t in definitions.crime_types()}
    for _, name, _ in engine.counts(now.parts("street", force)):
        one = definitions.crime_type_named(name)
        found.setdefault(one.slug, one)
    return found


def number(viewer: Viewer, address: str) -> Number:
    """Compute the number at an address from the files held now.

    Raises BadInput when the address is not one, or names a force or type of which nothing is known.
    """
    return compute(NumberId.parse(address), viewer=viewer)


def compute(what: NumberId, all_held: Stock | None = None, *, viewer: Viewer | None = None) -> Number:
    """Compute a number from the files held now, or from a stock that is given; files of one vintage only."""
    definition = definitions.measure(what.measure)
    now = all_held or stock()
    if before := mergers.before(what):
        return _merged(what, definition, now, [compute(one, all_held, viewer=viewer) for one in before])
    if definition.method in published.METHODS:
        return _published(what, definition, now)
    if definition.method == "own":
        return _number(what, now, (), **own.compute(what, definition, viewer or Viewer.public()))
    if not forces.known(what.force):
        raise BadInput("number", "There is no police force of this name.")
    now = now.at(now.edition(what.force, MONTHLY, what.first, what.last))
    street, ended = now.of("street", what.force), now.of("outcomes", what.force)
    wanted = rules.months(what.first, what.last)
    if not street and not ended and not any(k in MONTHLY for k, _, _ in now.used):
        return _number(what, now, (), state="no-table", needs=rules.import_kind(definition))
    if what.measure == "outcomes":
        return _outcomes(what, now, ended, wanted)
    types = _types(now, what.force)
    if what.type != ALL and what.type not in types:
        raise BadInput("number", "There is no crime type of this name.")
    street_gaps = rules.gaps(wanted, now.rows("street", what.force))
    if what.measure == "crimes":
        return _crimes(what, now, street, types, street_gaps)
    if what.measure == "charged":
        return _charged(what, now, street, ended, types, street_gaps)
    return _charged_of_outcomes(what, now, ended, wanted)


def _merged(what: NumberId, definition: Definition, now: Stock, found: Sequence[Number]) -> Number:
    """Put together what forces published that later became one; unknown as long as one of them is."""
    used = {h: None for n in found for h in n.used}
    common: dict[str, Any] = {"type_name": found[0].type_name, "merged": tuple(found)}
    lacking = next((n for n in found if n.value is None or n.state != "published"), None)
    if lacking is not None:
        return _number(what, now, used, state=lacking.state if lacking.value is None else "partly", **common)
    if definition.unit == "count":
        return _number(what, now, used, value=sum(n.value or 0 for n in found), **common)
    if definition.unit == "share" and all(n.whole for n in found):
        share = engine.share(sum(int(n.part or 0) for n in found), sum(int(n.whole or 0) for n in found))
        values = {"value": share.percent, "low": share.low, "high": share.high}
        return _number(what, now, used, part=share.part, whole=share.whole, **values, **common)
    return _number(what, now, used, state="none", **common)  # medians and levels cannot be put together


def _number(what: NumberId, now: Stock, used: Iterable[Held], **found: Any) -> Number:
    files = tuple(sorted(set(used), key=lambda h: h.name))
    facts: dict[str, Any] = {
        "id": what,
        "definition": definitions.measure(what.measure),
        "force": place(what.force, now),
        "type_name": "",
        "state": "published",
        "value": None,
        "low": None,
        "high": None,
        "part": None,
        "whole": None,
        "street": Gaps((), (), ()),
        "outcomes": Gaps((), (), ()),
        "until": "",
        "without_id": 0,
        "not_crimes": 0,
        "other_case": 0,
        "repeated": 0,
        "area_name": "",
        "vintage": rules.one_vintage(files),
        "needs": "",
        "missing": (),
        "why": "",
        "used": files,
        "older": tuple(pair for pair in now.older if pair[1] in files),
        "basis": rules.basis(files),
        "merged": (),
    }
    return Number(**{**facts, **found})


def _name(types: dict[str, CrimeType], slug: str) -> str:
    return ALL if slug == ALL else types[slug].name


def _crimes(
    what: NumberId, now: Stock, street: dict[str, Held], types: dict[str, CrimeType], gap: Gaps
) -> Number:
    used = [h for m, h in street.items() if what.first <= m <= what.last]
    name = _name(types, what.type)
    part = Slice(what.first, what.last, name, what.area)
    everywhere = now.parts("street", what.force)
    area_name = ""
    value: int | None
    if what.area:
        found = [
            a for a in engine.areas(everywhere, Slice(what.first, what.last, name)) if a.code == what.area
        ]
        value, area_name = (found[0].rows, found[0].name) if found else (0, "")
    else:
        found_rows = engine.counts(everywhere)
        value = sum(n for m, t, n in found_rows if what.first <= m <= what.last and name in (ALL, t))
    held = bool(gap.held or gap.empty)
    return _number(
        what,
        now,
        used,
        type_name=name,
        state=rules.state_of(gap),
        value=value if held else None,
        street=gap,
        repeated=engine.repeated(everywhere, part),
        area_name=area_name,
    )


def _charged(
    what: NumberId,
    now: Stock,
    street: dict[str, Held],
    ended: dict[str, Held],
    types: dict[str, CrimeType],
    gap: Gaps,
) -> Number:
    name = _name(types, what.type)
    if what.type != ALL and not types[what.type].crime:
        return _number(what, now, (), type_name=name, state="none", street=gap)
    until = max(ended, default="")
    followed_months = rules.months(what.first, max(until, what.last))
    outcome_gap = rules.gaps(followed_months, now.rows("outcomes", what.force))
    s_used = [h for m, h in street.items() if what.first <= m <= what.last]
    o_used = [h for m, h in ended.items() if m >= what.first]
    common: dict[str, Any] = {"type_name": name, "street": gap, "outcomes": outcome_gap, "until": until}
    if not gap.held or outcome_gap.missing or not outcome_gap.held:
        return _number(what, now, [*s_used, *o_used], state="missing", **common)
    everywhere = now.parts("street", what.force)
    # Outcomes before a crime are never its own, so following all that is held gives the same for the months asked for.
    followed = engine.followed(everywhere, now.parts("outcomes", what.force), CHARGED, OTHER_CASE)
    found = [f for f in followed if what.first <= f.month <= what.last]
    mine = [f for f in found if name in (ALL, f.crime_type) and f.crime_type not in NOT_CRIMES]
    calls = [f for f in found if name == ALL and f.crime_type in NOT_CRIMES]
    whole, part = sum(f.crimes for f in mine), sum(f.charged for f in mine)
    common |= {
        "part": part,
        "whole": whole,
        "without_id": sum(f.without_id for f in mine),
        "not_crimes": sum(f.crimes + f.without_id for f in calls),
        "other_case": sum(f.other_case for f in mine),
        "repeated": engine.repeated(everywhere, Slice(what.first, what.last, name)),
    }
    if not whole:
        return _number(what, now, [*s_used, *o_used], state="none", **common)
    share = engine.share(part, whole)
    return _number(
        what,
        now,
        [*s_used, *o_used],
        state="partly" if gap.missing or outcome_gap.empty else "published",
        value=share.percent,
        low=share.low,
        high=share.high,
        **common,
    )


def _charged_of_outcomes(
    what: NumberId, now: Stock, ended: dict[str, Held], wanted: tuple[str, ...]
) -> Number:
    used = [h for m, h in ended.items() if what.first <= m <= what.last]
    gap = rules.gaps(wanted, now.rows("outcomes", what.force))
    found = [
        row
        for row in engine.outcome_counts(now.parts("outcomes", what.force))
        if what.first <= row[0] <= what.last
    ]
    whole = sum(n for _, _, n in found)
    counted = CHARGED if what.measure == "charged-of-outcomes" else NO_SUSPECT
    part = sum(n for _, wording, n in found if wording in counted)
    common: dict[str, Any] = {"type_name": ALL, "outcomes": gap, "until": max(ended, default="")}
    if not gap.held or not whole:
        return _number(what, now, used, state="missing", **common)
    share = engine.share(part, whole)
    return _number(
        what,
        now,
        used,
        state="partly" if gap.missing or gap.empty else "published",
        value=share.percent,
        low=share.low,
        high=share.high,
        part=part,
        whole=whole,
        other_case=sum(n for _, wording, n in found if wording in OTHER_CASE),
        **common,
    )


def _outcomes(what: NumberId, now: Stock, ended: dict[str, Held], wanted: tuple[str, ...]) -> Number:
    used = [h for m, h in ended.items() if what.first <= m <= what.last]
    gap = rules.gaps(wanted, now.rows("outcomes", what.force))
    wordings = {w.slug: w.wording for w in outcomes.wordings()}
    found = engine.outcome_counts(now.parts("outcomes", what.force))
    wordings |= {outcomes.published(w).slug: w for _, w, _ in found}
    if what.type != ALL and what.type not in wordings:
        raise BadInput("number", "There is no outcome of this wording.")
    name = ALL if what.type == ALL else wordings[what.type]
    held = bool(gap.held or gap.empty)
    count = sum(n for m, wording, n in found if what.first <= m <= what.last and name in (ALL, wording))
    return _number(
        what,
        now,
        used,
        type_name=name,
        state=rules.state_of(gap),
        value=count if held else None,
        outcomes=gap,
        until=max(ended, default=""),
    )


def place(slug: str, now: Stock | None = None) -> forces.Force | areas.Area:
    """Return a force, nation or region by its short name; one that only a table names, under the name it has there."""
    if forces.known(slug):
        return forces.force(slug)
    try:
        return areas.area(slug)
    except KeyError:
        pass
    for card in place_queries.forces():
        if card.slug == slug:
            return areas.Area(slug, card.name, card.name_cy, "force")
    now = now or stock()
    for definition in definitions.measures():
        if definition.method in published.METHODS and slug in published.places_of(now, definition):
            name = published.place_name(now, definition, slug)
            return areas.Area(slug, name, name, "region")
    raise BadInput("number", "There is no police force or other place of this name.")


def _published(what: NumberId, definition: Definition, now: Stock) -> Number:
    place(what.force, now)
    found = published.compute(what, definition, now)
    return _number(what, now, found.pop("used", ()), **found)


def periods_of(measure: str, place: str, viewer: Viewer) -> tuple[tuple[str, str], ...]:
    """Return the periods that a measure has numbers for in one place, oldest first."""
    found = set(_periods_of(measure, place, viewer))
    for one in forces.predecessors(place):
        found |= {p for p in periods_of(measure, one.slug, viewer) if p[1] < mergers.begins(place)}
    return tuple(sorted(found, key=lambda p: (p[1], p[0])))


def _periods_of(measure: str, place: str, viewer: Viewer) -> tuple[tuple[str, str], ...]:
    definition, now = rules.definition(measure), stock()
    if definition.method in published.METHODS:
        return published.periods_of(now, definition, place)
    if definition.method == "own":
        return own.periods(definition, place, viewer)
    if not forces.known(place):
        raise BadInput("place", "There is no police force of this name.")
    if not any(now.of(kind, place) for kind in MONTHLY):
        return ()
    return tuple((month, month) for month in now.months())


def places_of(measure: str, viewer: Viewer) -> tuple[str, ...]:
    """Return the places of which a measure's tables hold anything."""
    definition, now = rules.definition(measure), stock()
    if definition.method in published.METHODS:
        return published.places_of(now, definition)
    if definition.method == "own":
        return own.places(definition, viewer)
    return now.forces()


def kinds(viewer: Viewer, measure: str, place: str = "") -> tuple[tuple[str, str], ...]:
    """Return the kinds that a measure can be asked for, short name and name, `all` left out."""
    definition, now = rules.definition(measure), stock()
    if definition.method in published.METHODS:
        return tuple(published.kinds_of(now, definition).items())
    if definition.method == "own":
        return own.kinds(definition)
    if definition.method == "outcomes":
        return tuple((w.slug, w.wording) for w in outcomes.wordings())
    if definition.method in ("crimes", "charged"):
        found = type_names(place) if place else {t.slug: t for t in definitions.crime_types()}
        return tuple((slug, one.name) for slug, one in found.items())
    return ()


def places(viewer: Viewer, measure: str) -> tuple[forces.Force | areas.Area, ...]:
    """Return the places of which a measure's tables hold anything, by name."""
    found = [place(slug) for slug in places_of(measure, viewer)]
    return tuple(sorted(found, key=lambda one: one.name))


def periods(viewer: Viewer, measure: str) -> tuple[tuple[str, str], ...]:
    """Return every period that a measure has a number for somewhere, oldest first."""
    found = {p for slug in places_of(measure, viewer) for p in periods_of(measure, slug, viewer)}
    return tuple(sorted(found, key=lambda p: (p[1], p[0])))


def combine(viewer: Viewer, addresses: Sequence[str]) -> int | Decimal:
    """Add up counts of one measure and kind that rest on one vintage: months of a place, or places of a month.

    Raises BadInput with a sentence when they are of different measures or kinds, are no counts, are not all known, lie
    over one another, or rest on tables of different vintages.
    """
    found = [number(viewer, address) for address in addresses]
    if not found:
        raise BadInput("numbers", "Give the addresses of the numbers to add up.")
    rules.may_add([n.id.measure for n in found])
    if len({n.id.type for n in found}) > 1:
        raise BadInput(
            "numbers", "These are of different kinds, which may hold one another. They are not added up."
        )
    if found[0].definition.method not in ("count", "crimes", "outcomes"):
        raise BadInput(
            "numbers", "Shares, medians and levels are not added up. Ask for the whole period instead."
        )
    unknown = next((n for n in found if n.value is None or n.state == "partly"), None)
    if unknown is not None:
        raise BadInput("numbers", f"{unknown.id} is not wholly known, so the sum is not known either.")
    for a, b in combinations(found, 2):
        same_place = (a.id.force, a.id.area) == (b.id.force, b.id.area) or not a.id.area or not b.id.area
        if a.id.force == b.id.force and same_place and a.id.first <= b.id.last and b.id.first <= a.id.last:
            raise BadInput("numbers", f"{a.id} and {b.id} lie over one another.")
        sorts = {"nation", "region"}
        if a.id.force != b.id.force and sorts & {getattr(a.force, "sort", ""), getattr(b.force, "sort", "")}:
            raise BadInput(
                "numbers", f"{a.id} and {b.id} may hold one another: nations and regions hold forces."
            )
    rules.one_vintage(h for n in found for h in n.used)
    return sum((n.value for n in found if n.value is not None), 0)
