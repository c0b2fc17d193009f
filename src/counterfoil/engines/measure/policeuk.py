"""Read a data.police.uk CSV exactly as published, remembering where in the file each row begins.

>>> head = ",".join(COLUMNS["outcomes"])
>>> line = "ab12,2021-03,Cleveland Police,Cleveland Police,,,,,,Suspect charged"
>>> read("2021-03-cleveland-outcomes.csv", (head + "\\n" + line + "\\n").encode()).rows
1
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from counterfoil.engines.errors import BadInput

COLUMNS: dict[str, tuple[str, ...]] = {
    "street": (
        "Crime ID",
        "Month",
        "Reported by",
        "Falls within",
        "Longitude",
        "Latitude",
        "Location",
        "LSOA code",
        "LSOA name",
        "Crime type",
        "Last outcome category",
        "Context",
    ),
    "outcomes": (
        "Crime ID",
        "Month",
        "Reported by",
        "Falls within",
        "Longitude",
        "Latitude",
        "Location",
        "LSOA code",
        "LSOA name",
        "Outcome type",
    ),
}
# Which column of the site's files says what; of two the one in Parquet extracts (see `extract`) comes first.
ROLES: dict[str, tuple[str, ...]] = {
    "force": ("force_slug", "Falls within"),
    "month": ("month", "Month"),
    "id": ("crime_key", "Crime ID"),
    "area": ("lsoa_code", "LSOA code"),
    "type": ("crime_type", "Crime type"),
    "outcome": ("outcome_type", "Outcome type"),
}
FILE_NAME = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))-([a-z][a-z-]*[a-z])-(street|outcomes)\.csv")
BOM = b"\xef\xbb\xbf"
_DEGREES = re.compile(r"-?\d{1,3}(?:\.\d{1,9})?")
_SPACE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class FileName:
    """What the name of a published file says it holds."""

    month: str
    force: str
    kind: str


@dataclass(frozen=True)
class Parsed:
    """The rows of one file, with the place of each in it, and what a reader should be told about them."""

    kind: str
    month: str
    force: str
    table: pa.Table
    rows: int
    notes: tuple[str, ...] = field(default=())


def file_name(name: str) -> FileName | None:
    """Read month, force and kind from a file name like `2021-03-cleveland-street.csv`; None for others."""
    found = FILE_NAME.fullmatch(name)
    return FileName(found[1], found[2], found[3]) if found else None


def called(role: str) -> tuple[str, ...]:
    """Return what the column of a role is called in the site's files, without case, blanks and marks, each once.

    >>> called("id")
    ('crimekey', 'crimeid')
    """
    return tuple(dict.fromkeys("".join(c for c in name.casefold() if c.isalnum()) for name in ROLES[role]))


def records(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield (byte offset, byte length, text) of each record, its line ending left off.

    A record may hold line breaks inside quotes. The offset counts from the first byte of the file, a byte
    order mark included, so that `data[offset:offset + length]` is the record as published.
    """
    start = len(BOM) if data.startswith(BOM) else 0
    size = len(data)
    quoted = b'"' in data
    while start < size:
        end = data.find(b"\n", start)
        if quoted:
            # A record ends at the first line break with an even number of quotes before it.
            while end != -1 and data.count(b'"', start, end) % 2:
                end = data.find(b"\n", end + 1)
        after = size if end == -1 else end + 1
        stop = size if end == -1 else end
        if stop > start and data[stop - 1] == 0x0D:
            stop -= 1
        yield start, stop - start, data[start:stop].decode("utf-8")
        start = after


def _bad(name: str, sentence: str) -> BadInput:
    return BadInput(name, f"{name}: {sentence}")


def read(name: str, data: bytes) -> Parsed:
    """Parse one published file; the sentence refusing it names the file, the row and what is wrong.

    Rows are numbered from 1, the heading not counted. Coordinates become whole millionths of a degree, so
    that no figure ever rests on a floating-point number. Raises BadInput.
    """
    said = file_name(name)
    if said is None:
        raise _bad(name, "the name is not like 2021-03-cleveland-street.csv, so we cannot tell what it is.")
    columns = COLUMNS[said.kind]
    if not data.strip(BOM + b" \r\n\t"):
        raise _bad(name, "the file is empty; not even the heading row is there.")
    places: list[tuple[int, int]] = []

    def texts() -> Iterator[str]:
        found = records(data)
        number = 0
        while True:
            try:
                offset, length, text = next(found)
            except StopIteration:
                return
            except UnicodeDecodeError:
                where = f"row {number}" if number else "the heading row"
                raise _bad(name, f"{where} holds bytes that are not UTF-8 text.") from None
            if not text:
                if data[offset:].strip(b" \r\n\t"):
                    raise _bad(name, f"row {number} is blank, with more rows after it.")
                return
            places.append((offset, length))
            number += 1
            yield text

    rows: list[list[str]] = []
    try:
        for row in csv.reader(texts(), strict=True):
            rows.append(row)
    except csv.Error as error:
        where = f"row {len(rows)}" if rows else "the heading row"
        raise _bad(name, f"{where} cannot be read as CSV ({error}).") from None
    heading = tuple(rows[0])
    if heading != columns:
        raise _bad(name, _heading(heading, columns, said.kind))
    body, places = rows[1:], places[1:]
    if len(body) != len(places):
        raise _bad(name, f"row {min(len(body), len(places))} has quotes that do not close.")
    return _parsed(said, columns, body, places, _check(name, said, columns, body))


def _heading(found: tuple[str, ...], wanted: tuple[str, ...], kind: str) -> str:
    missing = [c for c in wanted if c not in found]
    extra = [c for c in found if c not in wanted]
    said = []
    if missing:
        said.append("lacks " + ", ".join(f"“{c}”" for c in missing))
    if extra:
        said.append("has the unknown " + ", ".join(f"“{c}”" for c in extra[:4]))
    if not said:
        said.append("has the columns in another order or twice")
    return f"the heading row of a {kind} file is expected, but this one " + " and ".join(said) + "."


def _check(name: str, said: FileName, columns: tuple[str, ...], body: list[list[str]]) -> dict[str, int]:
    """Refuse the file at its first row that cannot be counted as what its name says.

    Returns the millionths of a degree that each coordinate in it stands for.
    """
    width = len(columns)
    if any(len(row) != width for row in body):
        for number, row in enumerate(body, 1):
            if len(row) != width:
                raise _bad(name, f"row {number} has {len(row)} values where {width} are expected.")
    month = said.month
    kind_at = columns.index("Crime type") if said.kind == "street" else columns.index("Outcome type")
    for number, row in enumerate(body, 1):
        if row[1] != month:
            raise _bad(name, f"row {number} is of month “{row[1]}”, but the file's name says {month}.")
        if not row[kind_at].strip():
            raise _bad(name, f"row {number} has no {columns[kind_at].lower()}.")
    degrees: dict[str, int] = {}
    for at in (columns.index("Longitude"), columns.index("Latitude")):
        limit = 180_000_000 if columns[at] == "Longitude" else 90_000_000
        for value in {row[at] for row in body} - {""}:
            found = _millionths(value) if _DEGREES.fullmatch(value) else limit + 1
            if abs(found) > limit:
                number = next(n for n, row in enumerate(body, 1) if row[at] == value)
                raise _bad(name, f"row {number} has “{value}” as {columns[at].lower()}, not degrees.")
            degrees[value] = found
    for number, row in enumerate(body, 1):
        if bool(row[4]) != bool(row[5]):
            raise _bad(name, f"row {number} has a longitude or a latitude but not both.")
    return degrees


def _millionths(text: str) -> int:
    """Turn decimal degrees into whole millionths of a degree, cut after the sixth place; no floats."""
    whole, _, part = text.lstrip("-").partition(".")
    value = int(whole) * 1_000_000 + int((part + "000000")[:6])
    return -value if text.startswith("-") else value


def _parsed(
    said: FileName,
    columns: tuple[str, ...],
    body: list[list[str]],
    places: list[tuple[int, int]],
    degrees: dict[str, int],
) -> Parsed:
    cells: list[tuple[str, ...]] = list(zip(*body, strict=True)) if body else [()] * len(columns)
    arrays: dict[str, pa.Array] = {
        "row": pa.array(range(1, len(body) + 1), pa.int32()),
        "offset": pa.array([o for o, _ in places], pa.int64()),
        "length": pa.array([n for _, n in places], pa.int32()),
    }
    for column, values in zip(columns, cells, strict=True):
        plain = column_name(column)
        if column in ("Longitude", "Latitude"):
            arrays["lon_e6" if column == "Longitude" else "lat_e6"] = pa.array(
                map(degrees.get, values), pa.int32()
            )
        else:
            arrays[plain] = pa.array([v.strip() or None for v in values], pa.string())
    table = pa.table(arrays)
    return Parsed(
        said.kind, said.month, said.force, table, len(body), _notes(said, columns, cells, len(body))
    )


def column_name(column: str) -> str:
    """Return the name a published column has in our tables: `Crime ID` is `crime_id`."""
    return _SPACE.sub("_", column.casefold()).strip("_")


def _notes(
    said: FileName, columns: tuple[str, ...], cells: list[tuple[str, ...]], rows: int
) -> tuple[str, ...]:
    """List what a reader of figures from this file should know, as `name=number` facts without wording."""
    facts = []
    if not rows:
        return ("empty",)
    ids = [v for v in cells[0] if v]
    if said.kind == "street" and len(ids) != len(set(ids)):
        facts.append(f"repeated_ids={len(ids) - len(set(ids))}")
    blank = sum(1 for v in cells[columns.index("LSOA code")] if not v)
    if blank:
        facts.append(f"blank_areas={blank}")
    for reporter in sorted(set(cells[2])):
        if len(set(cells[2])) > 1:
            facts.append(f"reported_by={reporter}")
    return tuple(facts)
