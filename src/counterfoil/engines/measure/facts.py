"""Turn a published table of any layout into facts: one number each, with what, where, when, of which kind, and whence.

A `Layout` is data (see `reference/tables.toml`): which headings a table has and what each column means. Facts are kept
as Parquet with one schema, so that a measure is the same few words of SQL whichever publisher's table it reads.

>>> layout = Layout("t", "t", "ons", {"place": ("Area",), "period": ("Year",)}, {"n": ("Count",)})
>>> found = parse("a.csv", b"Area,Year,Count\\nWales,2023,5\\nWales,2024,[x]\\n", [layout], str.casefold)
>>> [(f.what, f.place, f.first, f.last, str(f.value), f.row) for f in found.facts]
[('n', 'wales', '2023-01', '2023-12', '5', 2), ('n', 'wales', '2024-01', '2024-12', 'None', 3)]
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import sheets
from counterfoil.engines.measure.periods import quarter, read_period

KINDS = ("kind", "grp", "code", "outcome")  # columns that say of which kind a number is
SEARCHED = 60  # rows from the top in which the headings are looked for
MARK = re.compile(  # how publishers write that a number is not known, not given or does not apply
    r"\[(?:c|x|z|u|w|b|low|note \d+)\]|[cxzuw]|\.{1,3}|[-\u2013\u2014:*~]|n/?a\b.*|null|suppressed|no data"
    r"|not (?:available|provided|known|applicable).*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?\d[\d,\u00a0 ]*(?:\.\d+)?(?:[eE][-+]?\d+)?\s*%?|[-+]?\.\d+")
_DIGITS = Decimal(1).scaleb(-12)


@dataclass(frozen=True)
class Layout:
    """How one published table is laid out: what its columns are called and mean.

    columns: by role (place, period, year, quarter, kind, grp, code, outcome, low, high) the headings it may have.
    values: by what is counted, the headings its column may have. `rest` counts every other column of numbers under that
    word, its heading being the kind; `ones` counts every row as one under it. months: how long a period given by its
    last day is. where: the place of a table that has no column for it. sheet: a pattern that a sheet's name must match.
    """

    id: str
    kind: str
    source: str
    columns: dict[str, tuple[str, ...]]
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rest: str = ""
    ones: str = ""
    months: int = 1
    where: str = ""
    sheet: str = ""
    checked: str = ""


@dataclass(slots=True)
class Fact:
    """One published number, or one that is published as not known (`value` None, `said` its mark)."""

    what: str
    place: str
    place_name: str
    first: str
    last: str
    kind: str
    grp: str
    code: str
    outcome: str
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    said: str
    sheet: str
    cell: str
    row: int
    offset: int
    length: int


@dataclass(frozen=True)
class Facts:
    """What a file holds: its layout, its facts in the order of the file, and what a reader should be told."""

    layout: Layout
    facts: list[Fact]
    notes: tuple[str, ...]


def unmarked(text: str) -> str:
    """Return a heading on one line, without the marks of its notes."""
    return " ".join(re.sub(r"\[notes? [\d, and]+\]", " ", text, flags=re.IGNORECASE).split())


def plain(text: str) -> str:
    """Return a heading without case, marks, line breaks and notes, to be compared with."""
    text = unmarked(text).casefold()
    return " ".join(re.sub(r"[^a-z0-9%]+", " ", text).split())


def _bad(name: str, sentence: str) -> BadInput:
    return BadInput(name, f"{name}: {sentence}")


def number(text: str) -> tuple[Decimal | None, bool]:
    """Read a published number; returns (value, whether it may stand there): a mark for "not known" is None, True."""
    text = text.strip()
    if not text or MARK.fullmatch(text):
        return None, True
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None, False
    try:
        value = Decimal(re.sub(r"[,\s\u00a0%]", "", text))
    except InvalidOperation:
        return None, False
    if abs(value) >= Decimal(10) ** 15:
        return None, False
    return (value.quantize(_DIGITS).normalize() if value.as_tuple().exponent < -12 else value), True  # type: ignore[operator]


def _heading(layout: Layout, row: Sequence[str]) -> dict[str, int] | None:
    """Return which column has which role when a row is this layout's heading, else None."""
    there: dict[str, int] = {}
    for at, cell in enumerate(row):
        there.setdefault(plain(cell), at)
    found: dict[str, int] = {}
    for role, names in (*layout.columns.items(), *((f"={w}", n) for w, n in layout.values.items())):
        where = next((there[plain(n)] for n in names if plain(n) in there), None)
        if where is not None:
            found[role.rstrip("?")] = where
        elif role not in ("low", "high") and not role.endswith("?"):
            return None
    return found


def _nearest(layouts: Sequence[Layout], found: list[sheets.Sheet]) -> str:
    """Say which headings of the layout that fits best are not there."""
    best: tuple[int, str] = (-1, "")
    for layout in layouts:
        wanted = [
            n
            for role, n in (*layout.columns.items(), *layout.values.items())
            if role not in ("low", "high") and not role.endswith("?")
        ]
        for sheet in found:
            for row in sheet.rows[:SEARCHED]:
                there = {plain(c) for c in row.cells}
                lacking = [names[0] for names in wanted if not any(plain(n) in there for n in names)]
                if len(wanted) - len(lacking) > best[0]:
                    here = f"in row {row.number}" + (f" of the sheet “{sheet.name}”" if sheet.name else "")
                    best = (
                        len(wanted) - len(lacking),
                        f"the headings nearest to a table of this kind are {here}, and lack "
                        + ", ".join(f"“{n}”" for n in lacking)
                        + ".",
                    )
    return best[1] if best[0] > 0 else "no row of headings of a table of this kind is in it."


def parse(name: str, data: bytes, layouts: Sequence[Layout], place_of: Callable[[str], str]) -> Facts:
    """Read a published table by the first of the layouts that fits one of its sheets.

    place_of: gives the short name of a place for the published one. Raises BadInput naming file, row and column.
    """
    found = sheets.read(name, data)
    for layout in layouts:
        facts: list[Fact] = []
        fitted = False
        for sheet in found:
            if layout.sheet and not re.search(layout.sheet, sheet.name, re.IGNORECASE):
                continue
            for at, row in enumerate(sheet.rows[:SEARCHED]):
                roles = _heading(layout, row.cells)
                if roles is not None:
                    fitted = True
                    facts += _sheet(name, sheet, at, roles, layout, place_of)
                    break
        if fitted:
            if not facts:
                raise _bad(name, "there is no row of numbers under its headings.")
            unknown = sum(f.value is None for f in facts)
            return Facts(layout, facts, (f"not_known={unknown}",) if unknown else ())
    raise _bad(name, _nearest(layouts, found))


def _sheet(
    name: str,
    sheet: sheets.Sheet,
    top: int,
    roles: dict[str, int],
    layout: Layout,
    place_of: Callable[[str], str],
) -> list[Fact]:
    heading = sheet.rows[top].cells
    above = " ".join(c for row in sheet.rows[:top] for c in row.cells if c) + " " + sheet.name
    values = {role[1:]: at for role, at in roles.items() if role.startswith("=")}
    columns = [(what, "", at) for what, at in values.items()]
    if layout.ones:
        columns.append((layout.ones, "", -1))
    if layout.rest:
        taken = set(roles.values())
        columns += [
            (layout.rest, unmarked(cell), at)
            for at, cell in enumerate(heading)
            if at not in taken and cell.strip()
        ]
    places: dict[str, str] = {}
    found: list[Fact] = []
    for row in sheet.rows[top + 1 :]:
        cells = row.cells
        if not any(c.strip() for c in cells):
            if layout.rest or not sheet.name:
                continue
            break

        def get(role: str, cells: list[str] = cells) -> str:
            at = roles.get(role)
            return cells[at].strip() if at is not None and at < len(cells) else ""

        said_place = get("place")
        if "place" in roles and not said_place:
            if sheet.name or len([c for c in cells if c.strip()]) == 1:
                continue  # a note under a table
            raise _bad(name, _at(sheet, row, roles["place"], heading, "no place is named."))
        if "place" in roles and layout.rest and len([c for c in cells if c.strip()]) == 1:
            continue
        span = _period(layout, get, above)
        if span is None:
            if sheet.name and len([c for c in cells if c.strip()]) == 1:
                continue
            at = next((roles[r] for r in ("period", "year", "quarter") if r in roles), 0)
            text = cells[at] if at < len(cells) else ""
            raise _bad(name, _at(sheet, row, at, heading, f"“{text}” is not a period that we can read."))
        if said_place not in places:
            places[said_place] = place_of(said_place) if said_place else layout.where
        for what, kind, at in columns:
            text = "1" if at < 0 else cells[at].strip() if at < len(cells) else ""
            value, right = number(text)
            if not right:
                if layout.rest and kind:
                    continue  # a column of words among the numbers
                raise _bad(name, _at(sheet, row, at, heading, f"“{text}” is not a number."))
            low, high = number(get("low"))[0], number(get("high"))[0]
            found.append(
                Fact(
                    what=what,
                    place=places[said_place],
                    place_name=said_place,
                    first=span[0],
                    last=span[1],
                    kind=kind or get("kind"),
                    grp=get("grp"),
                    code=get("code"),
                    outcome=get("outcome"),
                    value=value,
                    low=low,
                    high=high,
                    said=text,
                    sheet=sheet.name,
                    cell=f"{sheets.letters(max(at, 0))}{row.number}" if sheet.name else "",
                    row=row.number,
                    offset=row.offset,
                    length=row.length,
                )
            )
    return found


def _period(layout: Layout, get: Callable[[str], str], above: str) -> tuple[str, str] | None:
    if "quarter" in layout.columns:
        return quarter(get("year"), get("quarter"))
    for role in ("period", "year"):
        if role in layout.columns:
            return read_period(get(role), layout.months)
    return read_period(above, layout.months)


def _at(sheet: sheets.Sheet, row: sheets.Row, at: int, heading: list[str], sentence: str) -> str:
    where = (
        f"sheet “{sheet.name}”, cell {sheets.letters(at)}{row.number}, "
        if sheet.name
        else f"row {row.number}, "
    )
    column = heading[at].strip() if at < len(heading) else ""
    return f"{where}column “{column}”: {sentence}"


_TEXT = pa.dictionary(pa.int32(), pa.string())
_DECIMAL = pa.decimal128(38, 12)
SCHEMA: dict[str, Any] = {
    "row": pa.int64(),
    "offset": pa.int64(),
    "length": pa.int64(),
    "sheet": _TEXT,
    "cell": pa.string(),
    "what": _TEXT,
    "place": _TEXT,
    "place_name": _TEXT,
    "first": _TEXT,
    "last": _TEXT,
    "kind": _TEXT,
    "grp": _TEXT,
    "code": _TEXT,
    "outcome": _TEXT,
    "value": _DECIMAL,
    "low": _DECIMAL,
    "high": _DECIMAL,
    "said": _TEXT,
}


def table(found: Facts, digest: str) -> pa.Table:
    """Return facts as a table with one schema for every layout, each row naming its file."""
    columns = {"file": pa.array([digest] * len(found.facts), pa.string()).dictionary_encode()}
    for name, of in SCHEMA.items():
        values = [getattr(f, name) for f in found.facts]
        if of == _TEXT:
            columns[name] = pa.array(values, pa.string()).dictionary_encode()
        elif of == _DECIMAL:
            columns[name] = pa.array([None if v is None else v.quantize(_DIGITS) for v in values], of)
        else:
            columns[name] = pa.array(values, of)
    return pa.table(columns)
