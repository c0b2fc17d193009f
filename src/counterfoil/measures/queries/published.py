"""Numbers from published tables: one release at a time, never more precise than what was published."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import ALL, Held
from counterfoil.engines.measure import published as engine
from counterfoil.engines.measure.interval import share
from counterfoil.measures import rules
from counterfoil.measures.queries.stock import Stock
from counterfoil.measures.rules import NumberId
from counterfoil.reference.measures import Definition, slug_of

METHODS = ("count", "share", "published")


@dataclass(frozen=True)
class Release:
    """The files of one table that were released together, and those of that day that newer ones replace."""

    vintage: str
    files: tuple[Held, ...]
    replaced: tuple[tuple[Held, Held], ...]


@lru_cache(maxsize=64)
def releases(now: Stock, table: str) -> tuple[Release, ...]:
    """Return the releases held of a table, newest first; no fact of one release is counted from two files."""
    by_day: dict[str, list[Held]] = defaultdict(list)
    for one in reversed(now.held):
        if one.kind == table:
            by_day[one.vintage].append(one)
    found = []
    for vintage, files in by_day.items():
        taken: dict[tuple[str, ...], Held] = {}
        used, replaced = [], []
        for one in files:
            keys = engine.holds(str(now.tables.path(one)))
            newer = next((taken[k] for k in keys if k in taken), None)
            if newer is None:
                used.append(one)
                taken |= dict.fromkeys(keys, one)
            else:
                replaced.append((one, newer))
        found.append(Release(vintage, tuple(used), tuple(replaced)))
    return tuple(found)


Index = dict[str, dict[str, dict[tuple[str, str], engine.Sum]]]


@lru_cache(maxsize=256)
def _index(now: Stock, release: Release, definition: Definition) -> Index:
    """Return a measure's sums by place, kind (short name) and period."""
    paths = tuple(str(now.tables.path(one)) for one in release.files)
    found: Index = defaultdict(lambda: defaultdict(dict))
    for one in engine.sums(paths, definition.counted, definition.of, definition.by, definition.of_by):
        kind = "" if one.kind in ("", "*") else slug_of(one.kind)
        found[one.place][kind][one.first, one.last] = one
    return found


def _tiles(have: Sequence[tuple[str, str]], first: str, last: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the periods held that fill a longer one without overlap, and the months that none of them fills."""
    used, missing = [], []
    month = first
    inside = sorted((p for p in have if first <= p[0] and p[1] <= last), key=lambda p: (p[0], p[1]))
    while month <= last:
        fits = next((p for p in inside if p[0] == month), None)
        if fits is None:
            missing.append(month)
            month = rules.next_month(month)
        else:
            used.append(fits)
            month = rules.next_month(fits[1])
    return used, missing


def _chosen(
    now: Stock, definition: Definition, what: NumberId
) -> tuple[Release, dict[tuple[str, str], list[engine.Sum]], list[str]]:
    """Return the release that fills most of the period, the sums in it by tile, and the months it does not fill."""
    best: tuple[int, Release, dict[tuple[str, str], list[engine.Sum]], list[str]] | None = None
    for release in releases(now, definition.table):
        kinds = _index(now, release, definition).get(what.force, {})
        mine = _asked(kinds, definition, what)
        periods = {p for by in kinds.values() for p in by}
        if definition.period in ("month", "quarter") and definition.method != "published":
            tiles, missing = _tiles(sorted(periods), what.first, what.last)
        else:
            tiles = [(what.first, what.last)] if (what.first, what.last) in periods else []
            missing = [] if tiles else list(rules.months(what.first, what.last))
        sums = {t: [by[t] for by in mine.values() if t in by] for t in tiles}
        if best is None or len(missing) < best[0]:
            best = (len(missing), release, sums, missing)
    if best is None:
        raise LookupError(definition.table)
    return best[1], best[2], best[3]


def _asked(kinds: dict[str, Any], definition: Definition, what: NumberId) -> dict[str, Any]:
    """Return the kinds that a number is about: the one it names, or all; of what is published singly, its main line."""
    kind = what.type
    if kind == ALL and definition.method == "published":
        kind = definition.default or ""
    if kind == ALL:
        whole = all(k in kinds for k in definition.whole_of)
        return kinds if whole else {}
    return {kind: kinds[kind]} if kind in kinds else {}


def compute(what: NumberId, definition: Definition, now: Stock) -> dict[str, Any]:
    """Return the facts of a number from a published table, as `Number` takes them."""
    if not releases(now, definition.table):
        return {"state": "no-table", "needs": rules.import_kind(definition)}
    kinds = kinds_of(now, definition)
    if what.type != ALL and what.type not in kinds:
        raise BadInput("number", "The tables held have no such kind.")
    name = ALL if what.type == ALL else kinds[what.type]
    release, sums, missing = _chosen(now, definition, what)
    if what.type == ALL and definition.whole_of:
        sums = {t: tile for t, tile in sums.items() if len(tile) == len(definition.whole_of)}
    facts: dict[str, Any] = {"type_name": name, "missing": tuple(missing)}
    if not sums:
        return {**facts, "state": "missing", "used": (), "older": ()}
    facts |= {"used": release.files, "older": release.replaced}
    if definition.method == "published":
        return facts | _as_published(definition, what, [s for tile in sums.values() for s in tile])
    part, whole, unknown = Decimal(0), Decimal(0), 0
    empty = True
    for tile in sums.values():
        known = [s.part for s in tile if s.part is not None]
        unknown += sum(s.unknown for s in tile)
        if known:
            part += sum(known, Decimal(0))
            empty = False
        elif definition.absent == "zero" and not any(s.unknown for s in tile):
            empty = False
        else:
            unknown += not tile
        wholes = [s.whole for s in tile if s.whole is not None]
        if wholes:
            whole += wholes[0] if definition.of_by == "'*'" else sum(wholes, Decimal(0))
        unknown += sum(s.whole_unknown for s in (tile[:1] if definition.of_by == "'*'" else tile))
    if definition.of_by == "'*'" and definition.method == "share":
        whole = _wholes(now, release, definition, what.force, list(sums))
    if empty:
        return {**facts, "state": "missing"}
    state = "partly" if missing or unknown else "published"
    if definition.method == "count":
        return {**facts, "state": state, "value": _number(part)}
    if whole <= 0:
        return {**facts, "state": "none"}
    counts = {"part": _number(part), "whole": _number(whole)}
    if not 0 <= part <= whole or part != int(part) or whole != int(whole):
        # Corrections can make a published count negative; a share of such counts has no interval.
        return {**facts, **counts, "state": state, "value": _rounded(100 * part / whole, 1)}
    found = share(int(part), int(whole))
    return {
        **facts,
        **counts,
        "state": state,
        "value": found.percent,
        "low": found.low,
        "high": found.high,
    }


def _wholes(
    now: Stock, release: Release, definition: Definition, place: str, tiles: list[tuple[str, str]]
) -> Decimal:
    """Add up what every kind is divided by, one whole for each tile."""
    kinds = _index(now, release, definition).get(place, {})
    total = Decimal(0)
    for tile in tiles:
        total += next((by[tile].whole or Decimal(0) for by in kinds.values() if tile in by), Decimal(0))
    return total


def _as_published(definition: Definition, what: NumberId, found: list[engine.Sum]) -> dict[str, Any]:
    """Return a number that was published as such: it is never added up."""
    if len(found) != 1:
        return {"state": "missing" if not found else "none"}
    [one] = found
    if one.rows != 1 or one.part is None:
        return {"state": "none" if one.rows > 1 else "missing"}
    return {
        "state": "published",
        "value": _rounded(one.part, definition.decimals),
        "low": None if one.low is None else _rounded(one.low, definition.decimals),
        "high": None if one.high is None else _rounded(one.high, definition.decimals),
    }


def _number(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else value


def _rounded(value: Decimal, decimals: int) -> int | Decimal:
    if decimals == 0 and value == value.to_integral_value():
        return int(value)
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)


@lru_cache(maxsize=256)
def _kinds(now: Stock, definition: Definition) -> dict[str, str]:
    found: dict[str, str] = {}
    for release in releases(now, definition.table):
        paths = tuple(str(now.tables.path(one)) for one in release.files)
        for one in engine.sums(paths, definition.counted, definition.of, definition.by, definition.of_by):
            if one.kind not in ("", "*"):
                found.setdefault(slug_of(one.kind), one.kind)
    return dict(sorted(found.items()))


def kinds_of(now: Stock, definition: Definition) -> dict[str, str]:
    """Return the kinds that the tables held have for a measure: short name and published name."""
    return _kinds(now, definition)


def places_of(now: Stock, definition: Definition) -> tuple[str, ...]:
    """Return the places that the tables held have for a measure."""
    return tuple(sorted({p for r in releases(now, definition.table) for p in _index(now, r, definition)}))


def periods_of(now: Stock, definition: Definition, place: str) -> tuple[tuple[str, str], ...]:
    """Return the periods that the tables held have for a measure in one place, oldest first."""
    return tuple(
        sorted(
            {
                period
                for r in releases(now, definition.table)
                for by in _index(now, r, definition).get(place, {}).values()
                for period in by
            },
            key=lambda p: (p[1], p[0]),
        )
    )


def place_name(now: Stock, definition: Definition, place: str) -> str:
    """Return a place's name as published, for one that no list of ours has."""
    for release in releases(now, definition.table):
        for by in _index(now, release, definition).get(place, {}).values():
            for one in by.values():
                return one.place_name
    return ""


def spots(
    what: NumberId, definition: Definition, now: Stock, part: str, *, skip: int, take: int
) -> list[engine.Spot]:
    """Return a page of the published numbers behind a number: what is counted, or what it is divided by."""
    release, sums, _ = _chosen(now, definition, what)
    paths = tuple(str(now.tables.path(one)) for one in release.files)
    kinds = kinds_of(now, definition)
    kind = None if what.type == ALL else kinds[what.type]
    if what.type == ALL and definition.method == "published":
        kind = kinds.get(definition.default, "")
    condition, by = definition.counted, definition.by
    if part == "base":
        condition, by = definition.of, definition.of_by
        kind = None if by == "'*'" else kind
    if not sums:
        return []
    return engine.spots(paths, condition, by, kind, what.force, tuple(sums), skip=skip, take=take)


def rows_in(what: NumberId, definition: Definition, now: Stock, part: str) -> int:
    """Return how many published numbers are behind a number, in one of its lists."""
    _, sums, _ = _chosen(now, definition, what)
    if part != "base":
        return sum(s.rows for tile in sums.values() for s in tile)
    if definition.of_by == "'*'":
        return sum(tile[0].whole_rows for tile in sums.values() if tile)
    return sum(s.whole_rows for tile in sums.values() for s in tile)
