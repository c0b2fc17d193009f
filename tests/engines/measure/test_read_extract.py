"""A Parquet extract of many forces and months is read exactly, and a wrong row is named by file, row and column."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.engines import measure as engine
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import Part, Tables, policeuk

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def street(rows: list[dict[str, Any]], **types: pa.DataType) -> bytes:
    """Return a Parquet file of crimes as bytes, two rows a group."""
    base = {
        "force_slug": "cleveland",
        "month": 202103,
        "lsoa_code": "E01011954",
        "lon_e6": -1235446,
        "lat_e6": 54711190,
        "location": "On or near A19",
        "crime_type": "Burglary",
        "last_outcome": "Under investigation",
        "crime_key": 5,
    }
    schema = pa.schema(
        [
            (
                k,
                types.get(
                    k, pa.uint64() if k == "crime_key" else pa.int32() if isinstance(v, int) else pa.string()
                ),
            )
            for k, v in base.items()
        ]
    )
    table = pa.Table.from_pylist([{**base, **row} for row in rows], schema=schema)
    out = pa.BufferOutputStream()
    pq.write_table(table, out, row_group_size=2)
    return bytes(out.getvalue().to_pybytes())


def test_rows_keep_their_number_and_the_place_of_their_group(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    data = street([{"crime_key": n, "month": 202103 + n // 3} for n in range(5)])
    one, new = tables.add("street.parquet", data, now=NOW, by="x")
    assert new
    assert (one.kind, one.rows, one.parts) == (
        "street",
        5,
        (("cleveland", "2021-03", 3), ("cleveland", "2021-04", 2)),
    )
    found = pq.read_table(tables.path(one)).to_pylist()
    assert [r["row"] for r in found] == [1, 2, 3, 4, 5]
    group = pq.ParquetFile(pa.BufferReader(data)).metadata.row_group(1).column(0)
    assert found[2]["offset"] == group.dictionary_page_offset
    assert found[2]["offset"] == found[3]["offset"] != found[0]["offset"]
    places = engine.rows(
        (Part(str(tables.path(one)), "cleveland", ("2021-04",)),),
        engine.Slice("2021-04", "2021-04"),
        skip=0,
        take=9,
    )
    assert tables.texts(one, places) == [
        f"cleveland,202104,E01011954,-1235446,54711190,On or near A19,Burglary,Under investigation,{n}"
        for n in (3, 4)
    ]
    assert tables.fsck() == []


def test_the_same_extract_gives_the_same_bytes(tmp_path: Path) -> None:
    data = street([{"crime_key": n} for n in range(9)])
    made = [
        Tables(tmp_path / str(n)).add("a.parquet", data, now=NOW, by="x")[0].table_sha256 for n in range(2)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"month": 202113}, "row 4, column month: 202113 is not a month"),
        ({"month": None}, "row 4, column month: there is no month"),
        ({"crime_type": " "}, "row 4, column crime_type: it is blank"),
        ({"force_slug": None}, "row 4, column force_slug: there is no force"),
        ({"lat_e6": 99_000_000}, "row 4, column lat_e6: this is not a place"),
        ({"lon_e6": None}, "row 4, column lon_e6: there is a longitude or a latitude"),
    ],
)
def test_the_first_wrong_row_is_named(tmp_path: Path, row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refusal:
        Tables(tmp_path).add("bad.parquet", street([{}, {}, {}, row, row]), now=NOW, by="x")
    assert str(refusal.value).startswith("bad.parquet: ")
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_other_columns_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the column month holds string"):
        Tables(tmp_path).add("a.parquet", street([{"month": "x"}], month=pa.string()), now=NOW, by="x")
    with pytest.raises(BadInput, match="not a whole Parquet file"):
        Tables(tmp_path).add("a.parquet", street([{}])[:-9], now=NOW, by="x")
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"month": [1]}), out)
    with pytest.raises(BadInput, match="lacks force_slug"):
        Tables(tmp_path).add("a.parquet", bytes(out.getvalue().to_pybytes()), now=NOW, by="x")


def test_the_columns_of_the_site_are_named_in_one_place() -> None:
    extract = {c for columns in engine.EXTRACT_COLUMNS.values() for c in columns}
    single = {c for columns in engine.COLUMNS.values() for c in columns}
    for first, second in policeuk.ROLES.values():
        assert first in extract
        assert second in single
