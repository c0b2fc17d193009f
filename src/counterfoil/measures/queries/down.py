"""Down from a number to the published rows behind it."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from counterfoil.accounts.rules import Viewer
from counterfoil.engines import measure as engine
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import ALL, Held, Place, Slice
from counterfoil.measures.queries import published
from counterfoil.measures.queries.numbers import (
    NO_SUSPECT,
    NOT_CRIMES,
    Number,
    number,
)
from counterfoil.measures.queries.stock import CHARGED, MONTHLY, stock, tables
from counterfoil.measures.rules import BY_PLACE_AND_MONTH
from counterfoil.reference import measures as definitions

PAGE = 50


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
    definition = definitions.measure(measure)
    if definition.method == "charged":
        return ("charged", "crimes")
    if definition.method == "charged-of-outcomes":
        return ("charged", "outcomes")
    return ("rows", "base") if definition.method == "share" else ("rows",)


def behind(viewer: Viewer, address: str, part: str = "", page: int = 1) -> Trace:
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


def page_of(one: Number, part: str = "", *, skip: int, take: int) -> list[Row]:
    """Return some of the rows in one list behind a number; raises BadInput when there is no such list."""
    parts = parts_of(one.id.measure)
    part = part or parts[0]
    if part not in parts:
        raise BadInput("part", "There is no such list of rows.")
    return _rows(one, part, skip=skip, take=take) if rows_in(one, part) else []


def rows_in(one: Number, part: str) -> int:
    """Return how many rows a list behind a number has; 0 for a number that is not published."""
    if one.value is None:
        return 0
    if one.merged:
        return sum(rows_in(n, part) for n in one.merged)
    definition = one.definition
    if definition.method in published.METHODS:
        return published.rows_in(one.id, definition, stock(), part)
    if definition.method == "own":
        return 0
    if part == "rows":
        return int(one.value)
    return int((one.part if part == "charged" else one.whole) or 0)


def _rows(one: Number, part: str, *, skip: int, take: int) -> list[Row]:
    what = one.id
    if one.definition.method == "own":
        return []
    if one.merged:
        return _rows_of_several(one, part, skip=skip, take=take)
    if one.definition.method in published.METHODS:
        spots = published.spots(what, one.definition, stock(), part, skip=skip, take=take)
        places = [Place(s.file, s.row, s.offset, s.length, s.sheet, s.cell) for s in spots]
        return _published(one.used, [(p, None) for p in places])
    everything = stock()
    now = everything.at(everything.edition(what.force, MONTHLY, what.first, what.last))
    street = now.parts("street", what.force, what.first, what.last)
    ended = now.parts("outcomes", what.force, what.first)
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
        only = CHARGED if what.measure == "charged-of-outcomes" else NO_SUSPECT
        only = only if part == "charged" else ()
        if what.measure == "outcomes" and what.type != ALL:
            only = (one.type_name,)
        found = engine.outcome_rows(ended, only, what.first, what.last, skip=skip, take=take)
        pairs = [(p, None) for p in found]
    return _published(one.used, pairs)


def _rows_of_several(one: Number, part: str, *, skip: int, take: int) -> list[Row]:
    """Return rows of a number that is put together from others, one after the other."""
    found: list[Row] = []
    for n in one.merged:
        total = rows_in(n, part)
        if skip < total and take > len(found):
            found += _rows(n, part, skip=skip, take=take - len(found))
        skip = max(0, skip - total)
    return found


def _published(used: tuple[Held, ...], pairs: list[tuple[Place, Place | None]]) -> list[Row]:
    """Fetch the published text of each place, opening (and re-hashing) each raw file once."""
    kept = tables()
    # The same bytes may have been published under two names only when neither has rows.
    files = {h.sha256: h for h in used}
    wanted: dict[str, list[Place]] = defaultdict(list)
    for first, second in pairs:
        for place in (first, second):
            if place is not None:
                wanted[place.file].append(place)
    texts: dict[Place, str] = {}
    for digest, places in wanted.items():
        texts |= dict(zip(places, kept.texts(files[digest], places), strict=True))

    def row(place: Place, proof: Row | None = None) -> Row:
        return Row(files[place.file].name, place, texts[place], proof)

    return [row(p, row(q) if q is not None else None) for p, q in pairs]


def rows_csv(viewer: Viewer, address: str, part: str = "") -> Iterator[str]:
    """Yield a CSV of every row behind a number: where it is in which file, then the row as published."""
    one = number(viewer, address)
    parts = parts_of(one.id.measure)
    part = part or parts[0]
    if part not in parts:
        raise BadInput("part", "There is no such list of rows.")
    paired = one.definition.method == "charged" and part == "charged"
    where = ("file", "sha256", "row", "byte_offset", "byte_length", "sheet", "cell")
    kind = "street" if one.definition.method in ("crimes", "charged") else "outcomes"

    def columns(kind: str) -> tuple[str, ...]:
        extract = any(h.parts for h in one.used)
        return tuple(engine.EXTRACT_COLUMNS[kind]) if extract else engine.COLUMNS[kind]

    if one.definition.table == "crimes" and kind in {h.kind for h in one.used}:
        head: list[str] = [*where, *columns(kind)]
    else:
        head = [*where, "as published"]
    if paired:
        head += [f"outcome {c}" for c in (*where, *columns("outcomes"))]

    def cells(row: Row) -> list[object]:
        p = row.place
        fields = [row.text] if p.cell else next(csv.reader([row.text]), [])
        return [row.name, p.file, p.row, p.offset, p.length, p.sheet, p.cell, *fields]

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
    return tuple(
        (h, h in used or h.kind not in BY_PLACE_AND_MONTH)
        for h in sorted(now.held, key=lambda h: (h.name, h.age))
    )
