"""Numbers from a Parquet extract: the same as from single files, one release at a time, and worked out again."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.published import crime, outcome, write

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.measures.actions import import_crimes

pytestmark = pytest.mark.django_db
PUBLIC, CLOCK = Viewer.public(), Viewer.clock()


def extract(folder: Path) -> Path:
    """Write an extract of two forces and two months, crimes and outcomes."""
    folder.mkdir()
    street, ended = [], []
    for force in ("cleveland", "gwent"):
        for month in (202103, 202104):
            for n in range(6):
                street.append(
                    {
                        "force_slug": force,
                        "month": month,
                        "lsoa_code": "E01011954" if n else None,
                        "lon_e6": -1235446,
                        "lat_e6": 54711190,
                        "location": "On or near A19",
                        "crime_type": "Burglary" if n % 2 else "Anti-social behaviour",
                        "last_outcome": None,
                        "crime_key": month * 10 + n if n % 2 else None,
                    }
                )
            ended.append(
                {
                    "force_slug": force,
                    "month": month,
                    "lsoa_code": None,
                    "outcome_type": "Suspect charged",
                    "crime_key": month * 10 + 1,
                }
            )
    key = pa.field("crime_key", pa.uint64())
    for name, rows in (("street", street), ("outcomes", ended)):
        fields = [pa.field(c, pa.int32() if isinstance(v, int) else pa.string()) for c, v in rows[-1].items()]
        schema = pa.schema([key if f.name == "crime_key" else f for f in fields])
        schema = schema.set(2, pa.field("lsoa_code", pa.string()))
        pq.write_table(
            pa.Table.from_pylist(rows, schema=schema), folder / f"{name}.parquet", row_group_size=5
        )
    return folder


def test_each_force_of_an_extract_has_its_own_numbers(tmp_path: Path) -> None:
    done = import_crimes([extract(tmp_path / "x")], by=CLOCK)
    assert (len(done.new), done.rows, done.refused) == (2, 28, ())
    for force in ("cleveland", "gwent"):
        crimes = queries.number(PUBLIC, f"crimes.{force}.2021-03_2021-04.all")
        charged = queries.number(PUBLIC, f"charged.{force}.2021-03_2021-04.all")
        assert (crimes.value, charged.part, charged.whole) == (12, 2, 6)
        assert queries.number(PUBLIC, f"crimes.{force}.2021-04_2021-04.all.none").value == 1
        for address in (str(crimes.id), str(charged.id)):
            assert queries.recompute(PUBLIC, address).same
            assert len(queries.trace(PUBLIC, address)) == (crimes.value if address == str(crimes.id) else 2)
        assert queries.force_page(PUBLIC, force).crimes.value == 12
    assert queries.board(PUBLIC).rows == 24


def test_single_files_and_an_extract_never_make_one_number(tmp_path: Path) -> None:
    import_crimes([extract(tmp_path / "x")], by=CLOCK)
    write(
        tmp_path / "y", "2021-05", "gwent", [crime("a", "2021-05", force="gwent")], [outcome("a", "2021-05")]
    )
    import_crimes([tmp_path / "y"], by=CLOCK)
    spring = queries.number(PUBLIC, "crimes.gwent.2021-03_2021-05.all")
    assert (spring.value, spring.state, spring.street.missing) == (12, "partly", ("2021-05",))
    assert queries.number(PUBLIC, "crimes.gwent.2021-05_2021-05.all").value == 1


def test_rows_of_a_force_that_we_do_not_know_are_kept_said_and_not_counted(tmp_path: Path) -> None:
    folder = extract(tmp_path / "x")
    for name in ("street", "outcomes"):
        table = pq.read_table(folder / f"{name}.parquet")
        forces = pa.array(
            ["northern-ireland" if f == "gwent" else f for f in table["force_slug"].to_pylist()]
        )
        pq.write_table(table.set_column(0, "force_slug", forces), folder / f"{name}.parquet")
    done = import_crimes([folder], by=CLOCK)
    assert sum("also holds rows of northern-ireland" in s for s in done.sentences()) == 2
    assert [line.slug for line in queries.board(PUBLIC).lines] == ["cleveland"]
    assert queries.number(PUBLIC, "crimes.cleveland.2021-03_2021-04.all").value == 12


def test_the_rows_of_an_extract_as_csv_carry_its_columns(tmp_path: Path) -> None:
    import_crimes([extract(tmp_path / "x")], by=CLOCK)
    head, first, *_ = "".join(queries.rows_csv(PUBLIC, "crimes.gwent.2021-03_2021-03.all")).splitlines()
    assert head == (
        "file,sha256,row,byte_offset,byte_length,sheet,cell,force_slug,month,lsoa_code,lon_e6,lat_e6,location,crime_type,"
        "last_outcome,crime_key"
    )
    assert first.startswith("street.parquet,")
