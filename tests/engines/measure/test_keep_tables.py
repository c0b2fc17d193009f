"""Published tables are kept byte for byte, listed once, never rewritten, and checked when read."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.published import crime, text

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.measure import Tables

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAME = "2021-03-cleveland-street.csv"


def test_the_raw_file_is_kept_byte_for_byte_under_its_digest(tmp_path: Path) -> None:
    data = text([crime("a"), crime("b")])
    one, new = Tables(tmp_path).add(NAME, data, now=NOW, by="someone")
    assert new
    assert (tmp_path / "raw" / one.sha256).read_bytes() == data
    assert one.sha256 == hashlib.sha256(data).hexdigest()
    assert (one.rows, one.size, one.force, one.month, one.imported_by) == (
        2,
        len(data),
        "cleveland",
        "2021-03",
        "someone",
    )
    assert one.imported_at == "2026-11-21T12:00:00.000Z"


def test_each_parquet_row_names_its_file_row_and_byte(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    one, _ = tables.add(NAME, text([crime("a"), crime("b")]), now=NOW, by="x")
    found = pq.read_table(tables.path(one)).to_pylist()
    assert [(r["file"], r["row"], r["crime_id"]) for r in found] == [
        (one.sha256, 1, "a"),
        (one.sha256, 2, "b"),
    ]
    texts = tables.published_rows(one.sha256, [(r["offset"], r["length"]) for r in found])
    assert [t.split(b",")[0] for t in texts] == [b"a", b"b"]


def test_the_same_bytes_again_change_nothing(tmp_path: Path) -> None:
    tables, data = Tables(tmp_path), text([crime("a")])
    one, _ = tables.add(NAME, data, now=NOW, by="x")
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    again, new = tables.add(NAME, data, now=NOW.replace(day=22), by="y")
    assert (again, new) == (one, False)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == before
    assert len(tables.held()) == 1


def test_the_same_rows_give_the_same_parquet_bytes(tmp_path: Path) -> None:
    data = text([crime(f"i{n}") for n in range(500)])
    made = [Tables(tmp_path / str(n)).add(NAME, data, now=NOW, by="x")[0].table_sha256 for n in range(2)]
    assert made[0] == made[1]


def test_two_empty_months_with_equal_bytes_are_two_entries(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.add(NAME, text([]), now=NOW, by="x")
    tables.add("2021-04-cleveland-street.csv", text([]), now=NOW, by="x")
    assert [h.month for h in tables.held()] == ["2021-03", "2021-04"]
    assert tables.fsck() == []


def test_a_staged_file_is_not_held_until_it_is_published(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    one, new = tables.stage(NAME, text([crime("a")]), now=NOW, by="x")
    assert new
    assert tables.held() == ()
    tables.publish(one)
    tables.publish(one)
    assert tables.held() == (one,)


def test_a_refused_file_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Tables(tmp_path).add(NAME, b"nonsense\r\n", now=NOW, by="x")
    assert list(tmp_path.rglob("*")) == []


def test_a_newer_vintage_comes_after_an_older_one_whenever_it_was_imported(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.add(NAME, text([crime("new")]), now=NOW, by="x", vintage="2022-04-20")
    tables.add(NAME, text([crime("old")]), now=NOW.replace(day=22), by="x", vintage="2021-05-20")
    assert [h.vintage for h in tables.held()] == ["2021-05-20", "2022-04-20"]


@pytest.mark.parametrize("folder", ["raw", "rows"])
def test_one_changed_byte_is_found(tmp_path: Path, folder: str) -> None:
    tables = Tables(tmp_path)
    one, _ = tables.add(NAME, text([crime("a")]), now=NOW, by="x")
    assert tables.fsck() == []
    path = next((tmp_path / folder).iterdir())
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert len(tables.fsck()) == 1
    assert one.name in tables.fsck()[0]
    if folder == "raw":
        with pytest.raises(Corrupt, match="no longer has the bytes"):
            tables.published_rows(one.sha256, [(0, 1)])


def test_a_lost_file_is_found(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    one, _ = tables.add(NAME, text([crime("a")]), now=NOW, by="x")
    (tmp_path / "raw" / one.sha256).unlink()
    tables.path(one).unlink()
    assert len(tables.fsck()) == 2


def test_only_areas_are_taken_as_boundaries(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    with pytest.raises(BadInput, match="not a GeoJSON collection of areas"):
        tables.stage_boundaries("x.geojson", b"[]", now=NOW, by="x", source="ours")
    ring = [[[-1.0, 54.0], [-1.0, 55.0], [0.0, 54.0], [-1.0, 54.0]]]
    area = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": ring}}
    data = json.dumps({"type": "FeatureCollection", "features": [area]}).encode()
    one, new = tables.stage_boundaries("x.geojson", data, now=NOW, by="x", source="ours")
    tables.publish(one)
    assert new
    assert (one.kind, one.rows) == ("boundaries", 1)
    assert tables.fsck() == []
