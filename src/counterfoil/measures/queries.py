"""Every way to read the measures. All of it is public: whoever looks sees the same."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from counterfoil.accounts.rules import Viewer
from counterfoil.engines import measure as engine
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import ALL, AreaCount, Held, Place, Slice, Tables
from counterfoil.engines.measure.draw import svg
from counterfoil.measures import rules
from counterfoil.measures.rules import Gaps, NumberId
from counterfoil.reference import forces, outcomes
from counterfoil.reference import measures as definitions
from counterfoil.reference.measures import CrimeType, Definition

CHARGED = tuple(w.wording for w in outcomes.wordings() if w.counts_as == "charged")
OTHER_CASE = tuple(w.wording for w in outcomes.wordings() if w.counts_as == "other_case")
NOT_CRIMES = tuple(t.name for t in definitions.crime_types() if not t.crime)
PAGE = 50


def tables() -> Tables:
    """Return the published tables of this installation."""
    return Tables(Path(settings.COUNTERFOIL_HOME) / "tables")


@dataclass(frozen=True)
class Stock:
    """The newest file for each force and month, and the older ones that are kept but not used."""

    used: dict[tuple[str, str, str], Held]
    older: tuple[tuple[Held, Held], ...]
    held: tuple[Held, ...]

    def of(self, kind: str, force: str) -> dict[str, Held]:
        """Return the used files of one kind and force by month."""
        return {m: h for (k, f, m), h in sorted(self.used.items()) if k == kind and f == force}

    def forces(self) -> tuple[str, ...]:
        """Return the slugs of the forces of which anything is held."""
        return tuple(sorted({f for k, f, _ in self.used if k != "boundaries"}))

    def months(self) -> tuple[str, ...]:
        """Return every month from the first to the last of which anything is held."""
        found = [m for k, _, m in self.used if k != "boundaries"]
        return rules.months(min(found), max(found)) if found else ()


@lru_cache(maxsize=4)
def _stock(held: tuple[Held, ...]) -> Stock:
    used, older = rules.current(held)
    return Stock(used, older, held)


def stock() -> Stock:
    """Return what is held now."""
    return _stock(tables().held())


def _paths(files: Iterable[Held]) -> tuple[str, ...]:
    kept = tables()
    return tuple(str(kept.path(h)) for h in files)


# -- the front of the board --------------------------------------------------------------------------------


@dataclass(frozen=True)
class ForceLine:
    """One force on the front of the board: the state and rows of each month, for street and outcome files."""

    slug: str
    force: forces.Force
    street: tuple[tuple[str, str, int], ...]
    outcomes: tuple[tuple[str, str, int], ...]
    rows: int
    missing_street: tuple[str, ...]
    empty_street: tuple[str, ...]
    missing_outcomes: tuple[str, ...]
    empty_outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """What is held and what is missing, over every force."""

    months: tuple[str, ...]
    lines: tuple[ForceLine, ...]
    absent: tuple[forces.Force, ...]
    older: tuple[tuple[Held, Held], ...]
    files: int
    rows: int
    newest: str
    boundaries: Held | None


def board(viewer: Viewer) -> Board:
    """Return which forces and months are held and which are missing; reads the catalogue only."""
    now = stock()
    months = now.months()
    lines = []
    for slug in now.forces():
        street, ended = now.of("street", slug), now.of("outcomes", slug)
        s_rows = {m: h.rows for m, h in street.items()}
        o_rows = {m: h.rows for m, h in ended.items()}
        lines.append(
            ForceLine(
                slug=slug,
                force=forces.force(slug),
                street=tuple((m, rules.state(s_rows.get(m)), s_rows.get(m, 0)) for m in months),
                outcomes=tuple((m, rules.state(o_rows.get(m)), o_rows.get(m, 0)) for m in months),
                rows=sum(s_rows.values()),
                missing_street=rules.gaps(months, s_rows).missing,
                empty_street=rules.gaps(months, s_rows).empty,
                missing_outcomes=rules.gaps(months, o_rows).missing,
                empty_outcomes=rules.gaps(months, o_rows).empty,
            )
        )
    present = set(now.forces())
    files = [h for h in now.held if h.kind != "boundaries"]
    return Board(
        months=months,
        lines=tuple(sorted(lines, key=lambda one: one.force.name)),
        absent=tuple(f for f in forces.forces() if f.slug not in present),
        older=now.older,
        files=len(files),
        rows=sum(h.rows for h in now.used.values() if h.kind == "street"),
        newest=max((h.imported_at for h in files), default=""),
        boundaries=_boundaries(now),
    )


def _boundaries(now: Stock) -> Held | None:
    return now.used.get(("boundaries", "", ""))


# -- numbers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A number with everything needed to judge it; `value` is None when it is not known, never 0 for that.

    state: `published`, `partly` (a month of the period is missing), `missing` (not published), `none` (this measure
    does not exist for this type). For shares, `value`, `low` and `high` are percent with one decimal and `part` and
    `whole` the counts behind them.
    """

    id: NumberId
    definition: Definition
    force: forces.Force
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
    used: tuple[Held, ...]
    older: tuple[tuple[Held, Held], ...]
    basis: str

    @property
    def newest(self) -> str:
        """Return the day the newest of the files was imported."""
        return max((h.imported_at[:10] for h in self.used), default="")


def type_names(force: str) -> dict[str, CrimeType]:
    """Return the crime types to show for a force by slug: the standard ones and any other in its files."""
    found = {t.slug: t for t in definitions.crime_types()}
    for _, name, _ in engine.counts(_paths(stock().of("street", force).values())):
        one = definitions.crime_type_named(name)
        found.setdefault(one.slug, one)
    return found


def number(viewer: Viewer, address: str) -> Number:
    """Compute the number at an address from the files held now.

    Raises BadInput when the address is not one, or names a force or type of which nothing is known.
    """
    return compute(NumberId.parse(address))


def compute(what: NumberId) -> Number:
    """Compute a number from the files held now."""
    if not forces.known(what.force):
        raise BadInput("number", "There is no police force of this name.")
    now = stock()
    street, ended = now.of("street", what.force), now.of("outcomes", what.force)
    wanted = rules.months(what.first, what.last)
    if what.measure == "outcomes":
        return _outcomes(what, now, ended, wanted)
    types = type_names(what.force)
    if what.type != ALL and what.type not in types:
        raise BadInput("number", "There is no crime type of this name.")
    street_gaps = rules.gaps(wanted, {m: h.rows for m, h in street.items()})
    if what.measure == "crimes":
        return _crimes(what, now, street, types, street_gaps)
    if what.measure == "charged":
        return _charged(what, now, street, ended, types, street_gaps)
    return _charged_of_outcomes(what, now, ended, wanted)


def _number(what: NumberId, now: Stock, used: Iterable[Held], **found: Any) -> Number:
    files = tuple(sorted(used, key=lambda h: h.name))
    facts: dict[str, Any] = {
        "id": what,
        "definition": definitions.measure(what.measure),
        "force": forces.force(what.force),
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
        "used": files,
        "older": tuple(pair for pair in now.older if pair[1] in files),
        "basis": rules.basis(files),
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
    area_name = ""
    value: int | None
    if what.area:
        found = [
            a for a in engine.areas(_paths(used), Slice(what.first, what.last, name)) if a.code == what.area
        ]
        value, area_name = (found[0].rows, found[0].name) if found else (0, "")
    else:
        value = sum(n for _, t, n in engine.counts(_paths(used)) if name in (ALL, t))
    held = bool(gap.held or gap.empty)
    return _number(
        what,
        now,
        used,
        type_name=name,
        state="missing" if not held else "partly" if gap.missing else "published",
        value=value if held else None,
        street=gap,
        repeated=engine.repeated(_paths(used), part),
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
    outcome_gap = rules.gaps(followed_months, {m: h.rows for m, h in ended.items()})
    s_used = [h for m, h in street.items() if what.first <= m <= what.last]
    o_used = [h for m, h in ended.items() if m >= what.first]
    common: dict[str, Any] = {"type_name": name, "street": gap, "outcomes": outcome_gap, "until": until}
    if not gap.held or outcome_gap.missing or not outcome_gap.held:
        return _number(what, now, [*s_used, *o_used], state="missing", **common)
    found = engine.followed(_paths(s_used), _paths(o_used), CHARGED, OTHER_CASE)
    mine = [f for f in found if name in (ALL, f.crime_type) and f.crime_type not in NOT_CRIMES]
    calls = [f for f in found if name == ALL and f.crime_type in NOT_CRIMES]
    whole, part = sum(f.crimes for f in mine), sum(f.charged for f in mine)
    common |= {
        "part": part,
        "whole": whole,
        "without_id": sum(f.without_id for f in mine),
        "not_crimes": sum(f.crimes + f.without_id for f in calls),
        "other_case": sum(f.other_case for f in mine),
        "repeated": engine.repeated(_paths(s_used), Slice(what.first, what.last, name)),
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
    gap = rules.gaps(wanted, {m: h.rows for m, h in ended.items()})
    found = engine.outcome_counts(_paths(used))
    whole = sum(n for _, _, n in found)
    part = sum(n for _, wording, n in found if wording in CHARGED)
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
    gap = rules.gaps(wanted, {m: h.rows for m, h in ended.items()})
    wordings = {w.slug: w.wording for w in outcomes.wordings()}
    wordings |= {outcomes.published(w).slug: w for _, w, _ in engine.outcome_counts(_paths(ended.values()))}
    if what.type != ALL and what.type not in wordings:
        raise BadInput("number", "There is no outcome of this wording.")
    name = ALL if what.type == ALL else wordings[what.type]
    held = bool(gap.held or gap.empty)
    count = sum(n for _, wording, n in engine.outcome_counts(_paths(used)) if name in (ALL, wording))
    return _number(
        what,
        now,
        used,
        type_name=name,
        state="missing" if not held else "partly" if gap.missing else "published",
        value=count if held else None,
        outcomes=gap,
        until=max(ended, default=""),
    )


# -- one force -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TypeLine:
    """One crime type over the months of a force page; None in a month stands for `not published`."""

    type: CrimeType
    counts: tuple[int | None, ...]
    total: int
    charged: Number | None


@dataclass(frozen=True)
class OutcomeLine:
    """One published outcome wording, how often it was printed, and the outcome types it may stand for."""

    wording: outcomes.Wording
    rows: int


@dataclass(frozen=True)
class ForcePage:
    """Everything a force's page shows."""

    force: forces.Force
    months: tuple[str, ...]
    first: str
    last: str
    chosen: CrimeType | None
    totals: tuple[int | None, ...]
    street: Gaps
    outcome_gaps: Gaps
    outcome_months: tuple[str, str]
    period: tuple[str, str] | None
    crimes: Number
    charged: Number | None
    of_outcomes: Number | None
    types: tuple[TypeLine, ...]
    outcomes: tuple[OutcomeLine, ...]
    areas: tuple[AreaCount, ...]
    classes: tuple[rules.Class, ...]
    blank: int
    older: tuple[tuple[Held, Held], ...]
    notes: dict[str, int]


def headline(viewer: Viewer, slug: str) -> tuple[Number, Number | None]:
    """Return a force's count of rows over every month held, and its share charged where one can be given."""
    now = stock()
    months = now.months()
    period = rules.charge_period(now.of("street", slug), now.of("outcomes", slug))
    charged = compute(NumberId("charged", slug, period[0], period[1])) if period else None
    return compute(NumberId("crimes", slug, months[0], months[-1])), charged


def force_page(viewer: Viewer, slug: str, type_slug: str = ALL) -> ForcePage:
    """Return the figures of one force, for all types or one; raises BadInput for an unknown force or type."""
    if not forces.known(slug):
        raise BadInput("force", "There is no police force of this name.")
    now = stock()
    street, ended = now.of("street", slug), now.of("outcomes", slug)
    if not street and not ended:
        raise BadInput("force", "Nothing is held for this police force.")
    types = type_names(slug)
    if type_slug != ALL and type_slug not in types:
        raise BadInput("type", "There is no crime type of this name.")
    months = now.months()
    first, last = months[0], months[-1]
    s_rows = {m: h.rows for m, h in street.items()}
    by_month: dict[tuple[str, str], int] = {}
    totals: dict[str, int] = defaultdict(int)
    for month, name, n in engine.counts(_paths(street.values())):
        one = definitions.crime_type_named(name)
        by_month[(one.slug, month)] = n
        if type_slug in (ALL, one.slug):
            totals[month] += n
    period = rules.charge_period(street, ended)
    lines = []
    for one in sorted(types.values(), key=lambda t: t.name):
        counted = tuple(by_month.get((one.slug, m), 0) if m in s_rows else None for m in months)
        charged = (
            compute(NumberId("charged", slug, period[0], period[1], one.slug))
            if period and one.crime
            else None
        )
        lines.append(TypeLine(one, counted, sum(n or 0 for n in counted), charged))
    mix: dict[str, int] = defaultdict(int)
    for _, wording, n in engine.outcome_counts(_paths(ended.values())):
        mix[wording] += n
    chosen = types.get(type_slug)
    name = chosen.name if chosen else ALL
    found = engine.areas(_paths(street.values()), Slice(first, last, name))
    placed = tuple(a for a in found if a.code != "none")
    crimes = compute(NumberId("crimes", slug, first, last, type_slug))
    return ForcePage(
        force=forces.force(slug),
        months=months,
        first=first,
        last=last,
        chosen=chosen,
        totals=tuple(totals[m] if m in s_rows else None for m in months),
        street=rules.gaps(months, s_rows),
        outcome_gaps=rules.gaps(months, {m: h.rows for m, h in ended.items()}),
        outcome_months=(min(ended, default=first), max(ended, default=last)),
        period=period,
        crimes=crimes,
        charged=compute(NumberId("charged", slug, period[0], period[1], type_slug)) if period else None,
        of_outcomes=compute(NumberId("charged-of-outcomes", slug, min(ended), max(ended))) if ended else None,
        types=tuple(lines),
        outcomes=tuple(
            OutcomeLine(outcomes.published(w), n) for w, n in sorted(mix.items(), key=lambda i: (-i[1], i[0]))
        ),
        areas=placed,
        classes=rules.classes([a.rows for a in placed]),
        blank=sum(a.rows for a in found if a.code == "none"),
        older=tuple(pair for pair in now.older if pair[1].force == slug),
        notes=_notes(street.values()),
    )


def _notes(files: Iterable[Held]) -> dict[str, int]:
    """Add up the notes of the import over files: repeated identifiers, blank areas, files without rows."""
    found: dict[str, int] = defaultdict(int)
    for one in files:
        for note in one.notes:
            key, _, value = note.partition("=")
            found[key] += int(value) if value.isdigit() else 1
    return dict(found)


# -- down to the rows ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One published row: the file, its digest, the row's number and bytes, and the row itself as published."""

    name: str
    place: Place
    text: str
    proof: "Row | None" = None


@dataclass(frozen=True)
class Trace:
    """A page of the rows that a number rests on."""

    number: Number
    part: str
    parts: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int


def parts_of(measure: str) -> tuple[str, ...]:
    """Return the lists of rows behind a measure: what is counted, and what it is divided by."""
    return {
        "crimes": ("rows",),
        "charged": ("charged", "crimes"),
        "charged-of-outcomes": ("charged", "outcomes"),
        "outcomes": ("rows",),
    }[measure]


def trace(viewer: Viewer, address: str, part: str = "", page: int = 1) -> Trace:
    """Return one page of the published rows behind a number, read from the raw files after re-hashing them.

    Raises BadInput for an unknown address, part or page, and Corrupt when a raw file has changed.
    """
    one = number(viewer, address)
    parts = parts_of(one.id.measure)
    part = part or parts[0]
    if part not in parts:
        raise BadInput("part", "There is no such list of rows.")
    total = rows_in(one, part)
    pages = max(1, -(-total // PAGE))
    if not 1 <= page <= pages:
        raise BadInput("page", "There is no such page.")
    found = _rows(one, part, skip=(page - 1) * PAGE, take=PAGE) if total else []
    return Trace(one, part, parts, tuple(found), total, page, pages)


def rows_in(one: Number, part: str) -> int:
    """Return how many rows a list behind a number has; 0 for a number that is not published."""
    if one.value is None:
        return 0
    if part == "rows":
        return int(one.value)
    return int((one.part if part == "charged" else one.whole) or 0)


def _rows(one: Number, part: str, *, skip: int, take: int) -> list[Row]:
    what = one.id
    street = _paths(h for h in one.used if h.kind == "street")
    ended = _paths(h for h in one.used if h.kind == "outcomes")
    where = Slice(what.first, what.last, one.type_name, what.area)
    pairs: list[tuple[Place, Place | None]]
    if what.measure == "crimes":
        pairs = [(p, None) for p in engine.rows(street, where, skip=skip, take=take)]
    elif what.measure == "charged" and part == "crimes":
        found = engine.crimes_with_ids(street, where, NOT_CRIMES, skip=skip, take=take)
        pairs = [(p, None) for p in found]
    elif what.measure == "charged":
        both = engine.charged_rows(street, ended, CHARGED, where, NOT_CRIMES, skip=skip, take=take)
        pairs = [(p, q) for p, q in both]
    else:
        only = CHARGED if part == "charged" else ()
        if what.measure == "outcomes" and what.type != ALL:
            only = (one.type_name,)
        found = engine.outcome_rows(ended, only, what.first, what.last, skip=skip, take=take)
        pairs = [(p, None) for p in found]
    return _published(one.used, pairs)


def _published(used: tuple[Held, ...], pairs: list[tuple[Place, Place | None]]) -> list[Row]:
    """Fetch the published text of each place, opening (and re-hashing) each raw file once."""
    kept = tables()
    # The same bytes may have been published under two names only when neither has rows.
    names = {h.sha256: h.name for h in used}
    wanted: dict[str, list[Place]] = defaultdict(list)
    for first, second in pairs:
        for place in (first, second):
            if place is not None:
                wanted[place.file].append(place)
    texts: dict[Place, str] = {}
    for digest, places in wanted.items():
        found = kept.published_rows(digest, [(p.offset, p.length) for p in places])
        texts |= {p: t.decode("utf-8") for p, t in zip(places, found, strict=True)}

    def row(place: Place, proof: Row | None = None) -> Row:
        return Row(names[place.file], place, texts[place], proof)

    return [row(p, row(q) if q is not None else None) for p, q in pairs]


def rows_csv(viewer: Viewer, address: str, part: str = "") -> Iterator[str]:
    """Yield a CSV of every row behind a number: where it is in which file, then the row as published."""
    one = number(viewer, address)
    parts = parts_of(one.id.measure)
    part = part or parts[0]
    if part not in parts:
        raise BadInput("part", "There is no such list of rows.")
    kind = "street" if one.id.measure in ("crimes", "charged") else "outcomes"
    paired = one.id.measure == "charged" and part == "charged"
    head = ["file", "sha256", "row", "byte_offset", "byte_length", *engine.COLUMNS[kind]]
    if paired:
        head += [f"outcome {c}" for c in ("file", "sha256", "row", "byte_offset", "byte_length")]
        head += [f"outcome {c}" for c in engine.COLUMNS["outcomes"]]

    def cells(row: Row) -> list[object]:
        fields = next(csv.reader([row.text]))
        return [row.name, row.place.file, row.place.row, row.place.offset, row.place.length, *fields]

    def lines() -> Iterator[str]:
        yield _line(head)
        total = rows_in(one, part)
        for skip in range(0, total, 5000):
            for row in _rows(one, part, skip=skip, take=5000):
                yield _line(cells(row) + (cells(row.proof) if row.proof else []))

    return lines()


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_safe(c) for c in cells])
    return out.getvalue()


def _safe(cell: object) -> object:
    """Keep a spreadsheet from taking published text for a formula."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "@", "\t", "\r"):
        return "'" + cell
    return cell


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV text, safe to open in a spreadsheet."""
    return "".join(_line(row) for row in rows)


def published_file(viewer: Viewer, sha256: str) -> tuple[Held, bytes] | None:
    """Return a catalogue entry and the bytes of its raw file, re-hashed; None when nothing such is held."""
    for one in stock().held:
        if one.sha256 == sha256:
            return one, tables().published_bytes(sha256)
    return None


def files(viewer: Viewer) -> tuple[tuple[Held, bool], ...]:
    """Return every file held, by name, and whether it is the one in use."""
    now = stock()
    used = set(now.used.values())
    return tuple((h, h in used) for h in sorted(now.held, key=lambda h: (h.name, h.age)))


# -- outlines ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outline:
    """The rings of a force's area (longitude, latitude in degrees) and the file they come from."""

    rings: tuple[tuple[tuple[float, float], ...], ...]
    file: Held


def outline(viewer: Viewer, slug: str) -> Outline | None:
    """Return the outline of a force's area, or None when no boundary file is held or the force has no area."""
    one = _boundaries(stock())
    if one is None:
        return None
    rings = _outlines(one.sha256).get(slug)
    return Outline(rings, one) if rings else None


@lru_cache(maxsize=2)
def _outlines(sha256: str) -> dict[str, tuple[tuple[tuple[float, float], ...], ...]]:
    found = {}
    for feature in json.loads(tables().published_bytes(sha256))["features"]:
        force = None
        for value in feature.get("properties", {}).values():
            try:
                force = forces.by_name(str(value))
                break
            except KeyError:
                continue
        if force is None:
            continue
        shape = feature["geometry"]
        polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        found[force.slug] = tuple(
            tuple((float(p[0]), float(p[1])) for p in ring) for polygon in polygons for ring in polygon
        )
    return found


def draw(spec: dict[str, Any]) -> str:
    """Return a chart as SVG text, drawn once for each specification."""
    return svg(spec, folder=tables().root / "drawn")
