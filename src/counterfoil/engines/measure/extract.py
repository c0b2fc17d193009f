"""Read a Parquet extract of data.police.uk: millions of rows of many forces and months in one file.

Its columns: `force_slug`, `month` (yyyymm), `lsoa_code`, `crime_key` (the first 16 hexadecimal digits of the crime
identifier as a whole number) and either `lon_e6`, `lat_e6`, `location`, `crime_type`, `last_outcome` (crimes) or
`outcome_type` (outcomes). Parquet has no bytes of one row: a row is found by its number, and by where the group of rows
that holds it begins in the file and how many bytes it takes.

>>> kind_of({"force_slug", "month", "lsoa_code", "crime_key", "outcome_type"})
'outcomes'
"""

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from counterfoil.engines.errors import BadInput

_WHERE = {"force_slug": "text", "month": "number", "lsoa_code": "text"}
_KEY = {"crime_key": "number"}
COLUMNS = {
    "street": {
        **_WHERE,
        "lon_e6": "number",
        "lat_e6": "number",
        "location": "text",
        "crime_type": "text",
        "last_outcome": "text",
        **_KEY,
    },
    "outcomes": {**_WHERE, "outcome_type": "text", **_KEY},
}
TYPE = {"street": "crime_type", "outcomes": "outcome_type"}


@dataclass(frozen=True)
class Extract:
    """What an extract holds: its kind, its rows, how many of each force and month, and what a reader should be told."""

    kind: str
    rows: int
    parts: tuple[tuple[str, str, int], ...]
    notes: tuple[str, ...]


def kind_of(columns: Collection[str]) -> str:
    """Say whether these columns are those of crimes (`street`) or `outcomes`; blank for neither."""
    return next((kind for kind, wanted in COLUMNS.items() if set(wanted) <= set(columns)), "")


def _bad(name: str, sentence: str) -> BadInput:
    return BadInput(name, f"{name}: {sentence}")


def opened(name: str, data: bytes) -> pq.ParquetFile:
    """Open the bytes of a Parquet file; raises BadInput when they are not one."""
    try:
        return pq.ParquetFile(pa.BufferReader(data))
    except pa.ArrowException:
        raise _bad(name, "this is not a whole Parquet file. Copy or download it again.") from None


def _kind(name: str, file: pq.ParquetFile) -> str:
    schema = file.schema_arrow
    kind = kind_of(schema.names)
    if not kind:
        missing = [c for c in COLUMNS["outcomes"] if c not in schema.names]
        raise _bad(
            name,
            "a table of crimes has the columns "
            + ", ".join(COLUMNS["street"])
            + "; one of outcomes has outcome_type. This one lacks "
            + (", ".join(missing) or "some of them")
            + ".",
        )
    for column, sort in COLUMNS[kind].items():
        of = schema.field(column).type
        if pa.types.is_dictionary(of):
            of = of.value_type
        right = (
            pa.types.is_integer(of)
            if sort == "number"
            else pa.types.is_string(of) or pa.types.is_large_string(of)
        )
        if not right:
            raise _bad(
                name,
                f"the column {column} holds {of}; {'whole numbers' if sort == 'number' else 'text'} are expected.",
            )
    return kind


def _first(mask: Any) -> int:
    """Return the index of the first true value."""
    return int(pc.index(pc.fill_null(mask, False), pa.scalar(True)).as_py())


def _refuse(name: str, before: int, mask: Any, column: str, sentence: str) -> None:
    at = _first(mask)
    if at >= 0:
        raise _bad(name, f"row {before + at + 1}, column {column}: {sentence}")


def _months(name: str, before: int, column: Any) -> pa.Array:
    """Turn whole numbers yyyymm into text yyyy-mm, refusing the first that is no month."""
    coded = (
        pa.array(column.to_numpy(zero_copy_only=False)).dictionary_encode()
        if column.null_count == 0
        else None
    )
    if coded is None:
        _refuse(name, before, pc.is_null(column), "month", "there is no month.")
        raise AssertionError
    texts = []
    for value in coded.dictionary.to_pylist():
        year, month = divmod(int(value), 100)
        if not (1900 <= year <= 2200 and 1 <= month <= 12):
            _refuse(name, before, pc.equal(column, value), "month", f"{value} is not a month like 202103.")
        texts.append(f"{year:04d}-{month:02d}")
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(texts, pa.string()))


def _text(column: Any) -> Any:
    """Return text with blanks as nothing known."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], pa.string())
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    trimmed = [(v or "").strip() or None for v in coded.dictionary.to_pylist()]
    if None in trimmed:
        return pa.array(
            pa.DictionaryArray.from_arrays(coded.indices, pa.array(trimmed, pa.string())).cast(pa.string())
        )
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(trimmed, pa.string()))


def copy(name: str, digest: str, data: bytes, out: Any, only: str = "") -> Extract:
    """Write the rows of an extract to `out` as our Parquet, in their order; refuses it at its first wrong row.

    `only` names a force: other forces' rows are left out. Raises BadInput naming file, row and column. A group of
    rows at a time is in memory.
    """
    file = opened(name, data)
    kind = _kind(name, file)
    writer: pq.ParquetWriter | None = None
    done = 0
    counts: dict[tuple[str, str], int] = {}
    blank = 0
    for number in range(file.num_row_groups):
        facts = file.metadata.row_group(number)
        if only and not _may_hold(facts, only):
            done += facts.num_rows
            continue
        group = file.read_row_group(number, columns=list(COLUMNS[kind]))
        begin, length = _where(file.metadata.row_group(number))
        table, parts, without = _rows(name, kind, digest, group, done, begin, length)
        for key, n in parts.items():
            counts[key] = counts.get(key, 0) + n
        blank += without
        if writer is None:
            writer = pq.ParquetWriter(
                out,
                table.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=[c for c in table.column_names if c not in ("crime_id", "row")],
            )
        mine = table.filter(pc.equal(table["force"].cast(pa.string()), only)) if only else table
        writer.write_table(mine, row_group_size=max(len(mine), 1))
        done += len(table)
    if writer is None:
        raise _bad(name, "there is not a single row in it.")
    writer.close()
    notes = (f"blank_areas={blank}",) if blank else ()
    return Extract(kind, done, tuple((f, m, n) for (f, m), n in sorted(counts.items())), notes)


def _may_hold(group: Any, force: str) -> bool:
    """Say whether a group of rows may hold a force's, by the least and greatest name that its file states."""
    for at in range(group.num_columns):
        column = group.column(at)
        if column.path_in_schema == "force_slug":
            stated = column.statistics
            return stated is None or not stated.has_min_max or stated.min <= force <= stated.max
    return True


def _where(group: Any) -> tuple[int, int]:
    """Return the first byte of a group of rows in its file, and how many bytes it takes."""
    columns = [group.column(i) for i in range(group.num_columns)]
    begins = [c.dictionary_page_offset if c.has_dictionary_page else c.data_page_offset for c in columns]
    ends = [b + c.total_compressed_size for b, c in zip(begins, columns, strict=True)]
    return min(begins), max(ends) - min(begins)


def _rows(
    name: str, kind: str, digest: str, group: pa.Table, before: int, begin: int, length: int
) -> tuple[pa.Table, dict[tuple[str, str], int], int]:
    n = len(group)
    group = group.combine_chunks()
    found = {
        c: group.column(c).chunk(0) if n else group.column(c).combine_chunks() for c in group.column_names
    }
    force, kinds = _text(found["force_slug"]), _text(found[TYPE[kind]])
    _refuse(name, before, pc.is_null(force), "force_slug", "there is no force.")
    _refuse(name, before, pc.is_null(kinds), TYPE[kind], "it is blank.")
    month = _months(name, before, found["month"])
    area = _text(found["lsoa_code"])
    arrays: dict[str, Any] = {
        "file": pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int32()), pa.array([digest])),
        "row": pa.array(range(before + 1, before + n + 1), pa.int64()),
        "offset": pa.DictionaryArray.from_arrays(
            pa.array([0] * n, pa.int32()), pa.array([begin], pa.int64())
        ).cast(pa.int64()),
        "length": pa.DictionaryArray.from_arrays(
            pa.array([0] * n, pa.int32()), pa.array([length], pa.int64())
        ).cast(pa.int64()),
        "force": force,
        "month": month,
        "lsoa_code": area,
    }
    if kind == "street":
        lon, lat = found["lon_e6"], found["lat_e6"]
        for column, values, limit in (("lon_e6", lon, 180_000_000), ("lat_e6", lat, 90_000_000)):
            wrong = pc.or_(pc.greater(values, limit), pc.less(values, -limit))
            _refuse(name, before, wrong, column, "this is not a place on the earth (degrees x 1,000,000).")
        one = pc.xor(pc.is_null(lon), pc.is_null(lat))
        _refuse(name, before, one, "lon_e6", "there is a longitude or a latitude but not both.")
        arrays |= {
            "lsoa_name": pa.nulls(n, pa.string()),
            "lon_e6": lon.cast(pa.int32()),
            "lat_e6": lat.cast(pa.int32()),
            "location": _text(found["location"]),
            "crime_type": kinds,
            "last_outcome_category": _text(found["last_outcome"]),
        }
    else:
        arrays["outcome_type"] = kinds
    arrays["crime_id"] = found["crime_key"].cast(pa.uint64())
    table = pa.table({c: _plain(a) for c, a in arrays.items()})
    parts: dict[tuple[str, str], int] = {}
    for row in (
        table.select(["force", "month"])
        .group_by(["force", "month"])
        .aggregate([([], "count_all")])
        .to_pylist()
    ):
        parts[str(row["force"]), str(row["month"])] = int(row["count_all"])
    return table, parts, area.null_count


def _plain(array: Any) -> Any:
    """Give every group of rows the same types, whatever it holds."""
    if pa.types.is_dictionary(array.type):
        return array.cast(pa.dictionary(pa.int32(), pa.string()))
    if pa.types.is_string(array.type):
        return array.dictionary_encode().cast(pa.dictionary(pa.int32(), pa.string()))
    return array


def row_texts(name: str, data: bytes, numbers: Iterable[int]) -> dict[int, str]:
    """Return rows of an extract as lines of CSV, by their numbers from 1."""
    file = opened(name, data)
    columns = list(COLUMNS[_kind(name, file)])
    wanted = sorted(set(numbers))
    found: dict[int, str] = {}
    before = 0
    for number in range(file.num_row_groups):
        size = file.metadata.row_group(number).num_rows
        mine = [n for n in wanted if before < n <= before + size]
        if mine:
            group = file.read_row_group(number, columns=columns)
            for n, row in zip(mine, group.take([n - before - 1 for n in mine]).to_pylist(), strict=True):
                out = io.StringIO()
                csv.writer(out, lineterminator="").writerow(["" if v is None else v for v in row.values()])
                found[n] = out.getvalue()
        before += size
    return found
