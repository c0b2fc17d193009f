"""Read a published table, CSV or spreadsheet, as rows of text, and find where in the file a row or cell is.

>>> [sheet] = read("a.csv", b"Area,Value\\nWales,5\\n")
>>> sheet.rows[1].cells, sheet.rows[1].offset
(['Wales', '5'], 11)
"""

import csv
import datetime
import gzip
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import python_calamine

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure.policeuk import BOM

LARGEST = 2 << 30  # bytes that a compressed table may unpack to
SUFFIXES = (".csv", ".csv.gz", ".ods", ".xlsx", ".xlsm")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the sheet from 1, its cells as text, and its bytes in a CSV (0, 0 in a spreadsheet)."""

    number: int
    cells: list[str]
    offset: int = 0
    length: int = 0


@dataclass(frozen=True)
class Sheet:
    """One sheet by name; the only one of a CSV has none."""

    name: str
    rows: list[Row]


def _bad(name: str, sentence: str) -> BadInput:
    return BadInput(name, f"{name}: {sentence}")


def content(name: str, data: bytes) -> bytes:
    """Return what offsets in a file count from: of a `.gz` its unpacked bytes, of others the file itself."""
    if not name.lower().endswith(".gz"):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            found = stream.read(LARGEST + 1)
    except (OSError, EOFError):
        raise _bad(name, "this is not a whole gzip file. Copy or download it again.") from None
    if len(found) > LARGEST:
        raise _bad(name, "it unpacks to more than 2 GiB, which no published table does.")
    return found


def read(name: str, data: bytes) -> list[Sheet]:
    """Read a CSV (also gzipped), ODS or XLSX file; raises BadInput when it is none."""
    lower = name.lower()
    if not lower.endswith(SUFFIXES):
        raise _bad(
            name, "a table is a CSV, ODS or XLSX file; the name should end in .csv, .csv.gz, .ods or .xlsx."
        )
    return [_csv(name, content(name, data))] if ".csv" in lower else _spreadsheet(name, data)


def _csv(name: str, data: bytes) -> Sheet:
    encoding = "utf-8"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "cp1252"
    places: list[tuple[int, int]] = []

    def lines() -> Any:
        start = len(BOM) if data.startswith(BOM) else 0
        size = len(data)
        while start < size:
            end = data.find(b"\n", start)
            end = size if end == -1 else end + 1
            places.append((start, end))
            try:
                yield data[start:end].decode(encoding)
            except UnicodeDecodeError:
                raise _bad(name, f"line {len(places)} holds bytes that are no text.") from None
            start = end

    rows: list[Row] = []
    used = 0
    reader = csv.reader(lines(), strict=True)
    try:
        for cells in reader:
            begin, end = places[used][0], places[reader.line_num - 1][1]
            used = reader.line_num
            length = len(data[begin:end].rstrip(b"\r\n"))
            rows.append(Row(len(rows) + 1, cells, begin, length))
    except csv.Error as error:
        raise _bad(name, f"row {len(rows) + 1} cannot be read as CSV ({error}).") from None
    return Sheet("", rows)


def _text(value: Any) -> str:
    """Write a spreadsheet's value as the shortest text that reads back as it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _spreadsheet(name: str, data: bytes) -> list[Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bag:
            if sum(i.file_size for i in bag.infolist()) > LARGEST:
                raise _bad(name, "it unpacks to more than 2 GiB, which no published table does.")
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = book.sheet_names
        found = []
        for sheet in names:
            rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            found.append(Sheet(sheet, [Row(n, [_text(v) for v in row]) for n, row in enumerate(rows, 1)]))
    except (zipfile.BadZipFile, python_calamine.CalamineError) as error:
        raise _bad(
            name, f"this cannot be read as a spreadsheet ({str(error) or type(error).__name__})."
        ) from None
    return found


def letters(column: int) -> str:
    """Return a spreadsheet's name of a column counted from 0: 0 is A, 27 is AB."""
    text = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(65 + digit) + text
    return text


def _column(text: str) -> int:
    number = 0
    for letter in text:
        number = number * 26 + ord(letter) - 64
    return number - 1


@dataclass(frozen=True)
class Spot:
    """Where a cell is: the member of the zip, the first byte in its unpacked bytes and how many, and those bytes."""

    member: str
    offset: int
    length: int
    bytes: bytes


def locate(name: str, data: bytes, cells: Sequence[tuple[str, str]]) -> list[Spot]:
    """Find cells (sheet, cell) of a spreadsheet in its unpacked members; raises BadInput when one is not there."""
    found: dict[tuple[str, str], Spot] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as bag:
        for sheet in dict.fromkeys(s for s, _ in cells):
            wanted = [c for s, c in cells if s == sheet]
            member = "content.xml" if "content.xml" in bag.namelist() else _member(bag, sheet)
            body = bag.read(member)
            spans = _in_ods(body, sheet, wanted) if member == "content.xml" else _in_xlsx(body, wanted)
            for cell, (begin, end) in spans.items():
                found[sheet, cell] = Spot(member, begin, end - begin, body[begin:end])
    lost = next(((s, c) for s, c in cells if (s, c) not in found), None)
    if lost is not None:
        raise _bad(name, f"there is no cell {lost[1]} in the sheet “{lost[0]}”.")
    return [found[s, c] for s, c in cells]


def _in_xlsx(body: bytes, cells: Sequence[str]) -> dict[str, tuple[int, int]]:
    found = {}
    for cell in cells:
        at = re.search(rb'<(\w+:)?c r="' + cell.encode() + rb'"(?:[^>]*/>|.*?</(?:\w+:)?c>)', body, re.DOTALL)
        if at is not None:
            found[cell] = at.span()
    return found


def _member(bag: zipfile.ZipFile, sheet: str) -> str:
    """Return the member of an XLSX file that holds a sheet."""
    relation, target = "", ""

    def workbook(tag: str, facts: dict[str, str]) -> None:
        nonlocal relation
        if tag.rpartition(":")[2] == "sheet" and facts.get("name") == sheet:
            relation = next(v for k, v in facts.items() if k.rpartition(":")[2] == "id")

    def relations(tag: str, facts: dict[str, str]) -> None:
        nonlocal target
        if facts.get("Id") == relation and relation:
            target = facts["Target"]

    _walk(bag.read("xl/workbook.xml"), workbook)
    _walk(bag.read("xl/_rels/workbook.xml.rels"), relations)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _walk(body: bytes, start: Callable[[str, dict[str, str]], None]) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.Parse(body, True)


def _in_ods(body: bytes, sheet: str, cells: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Walk an ODS file's content once; return for each cell its first byte and the byte after it."""
    wanted = {}
    for cell in cells:
        letter, number = re.fullmatch(r"([A-Z]+)(\d+)", cell).groups()  # type: ignore[union-attr]
        wanted[int(number), _column(letter)] = cell
    found: dict[str, tuple[int, int]] = {}
    parser = expat.ParserCreate()
    here = ""
    rows = (0, 0)  # the rows of the sheet that the row element stands for: after the first, up to the second
    columns = (0, 0)
    begun: tuple[int, list[str]] | None = None

    def start(tag: str, facts: dict[str, str]) -> None:
        nonlocal here, rows, columns, begun
        if tag == "table:table":
            here, rows = facts.get("table:name", ""), (0, 0)
        elif tag == "table:table-row":
            rows = (rows[1], rows[1] + int(facts.get("table:number-rows-repeated", "1")))
            columns = (0, 0)
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            columns = (columns[1], columns[1] + int(facts.get("table:number-columns-repeated", "1")))
            if here == sheet:
                mine = [
                    cell
                    for (r, c), cell in wanted.items()
                    if rows[0] < r <= rows[1] and columns[0] <= c < columns[1]
                ]
                begun = (parser.CurrentByteIndex, mine) if mine else None

    def end(tag: str) -> None:
        nonlocal begun
        if begun is not None and tag in ("table:table-cell", "table:covered-table-cell"):
            at = parser.CurrentByteIndex
            # An element that closes itself ends where it began.
            after = body.find(b">", at if body[at : at + 2] == b"</" else begun[0]) + 1
            found.update(dict.fromkeys(begun[1], (begun[0], after)))
            begun = None

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(body, True)
    return found
