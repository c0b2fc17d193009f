"""Published tables in CSV, ODS and XLSX: read by their headings, kept by release, led back to file, cell and byte."""

import gzip
import re
import zipfile
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from tests.spreadsheets import ods, xlsx

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.measures import queries
from counterfoil.measures.actions import import_crimes, import_table

pytestmark = pytest.mark.django_db
PUBLIC, CLOCK = Viewer.public(), Viewer.clock()
OUTCOMES = (
    "Financial Year", "Financial Quarter", "Force Name", "Offence Code", "Offence Description", "Offence Group",
    "Offence Subgroup", "Offence code expired", "Outcome Type", "Outcome Description", "Outcome Group",
    "Outcomes for offences that were recorded in the quarter", "Outcomes for investigations closed in the quarter",
)  # fmt: skip


def ended(
    outcome: int, recorded: object, closed: object, *, group: str = "Robbery", quarter: str = "Q1"
) -> tuple[object, ...]:
    """Return one row of the Home Office's outcomes open data."""
    return (
        "2023/24",
        quarter,
        "Cleveland",
        "34B",
        "x",
        group,
        group,
        None,
        outcome,
        "x",
        "x",
        recorded,
        closed,
    )


def write(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file and return where it is."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def value(address: str) -> object:
    """Return the value of the number at an address."""
    return queries.number(PUBLIC, address).value


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    """The outcomes of one made-up force in an ODS file with a cover sheet, imported."""
    rows = [
        ended(0, 50, "N/A"), ended(1, 12, 10), ended(14, 5, 6), ended(16, 20, 24), ended(18, 13, 40),
        ended(1, 7, 7, group="Fraud offences"), ended(1, 3, 8, quarter="Q2"), ended(18, 9, 12, quarter="Q2"),
    ]  # fmt: skip
    sheets = {
        "Cover": [["Outcomes open data"], [None], ["Published 2024"]],
        "2023-24": [["A note"], [None], OUTCOMES, *rows],
    }
    path = write(tmp_path, "outcomes.ods", ods(sheets))
    done = import_table("outcomes-open-data", [path], by=CLOCK, vintage="2024-07-25")
    assert done.refused == ()
    return path


def test_the_charge_rate_leaves_fraud_out_and_counts_the_undecided(outcomes: Path) -> None:
    found = queries.number(PUBLIC, "charge-rate.cleveland.2023-04_2023-06.all")
    assert (found.part, found.whole, found.value, found.state) == (12, 100, Decimal("12.0"), "published")
    assert (found.low, found.high) == (Decimal("7.0"), Decimal("19.8"))
    assert found.vintage == "2024-07-25"


def test_quarters_make_a_longer_period_and_a_missing_one_is_said(outcomes: Path) -> None:
    half = queries.number(PUBLIC, "charge-rate.cleveland.2023-04_2023-09.all")
    assert (half.part, half.whole, half.state) == (15, 112, "published")
    year = queries.number(PUBLIC, "charge-rate.cleveland.2023-04_2024-03.all")
    assert (year.part, year.state, year.missing[0], len(year.missing)) == (15, "partly", "2023-10", 6)


def test_the_whole_outcome_mix_adds_up_and_nought_is_known(outcomes: Path) -> None:
    mix = [
        queries.number(PUBLIC, f"outcome-mix.cleveland.2023-04_2023-06.outcome-{n}") for n in (1, 14, 16, 18)
    ]
    assert [(n.part, n.whole) for n in mix] == [(10, 80), (6, 80), (24, 80), (40, 80)]
    none = queries.number(PUBLIC, "outcome-mix.cleveland.2023-07_2023-09.outcome-14")
    assert (none.part, none.whole, none.value) == (0, 20, Decimal("0.0"))
    assert value("victim-not-supporting.cleveland.2023-04_2023-06.all") == Decimal("37.5")
    assert value("no-suspect.cleveland.2023-04_2023-06.robbery") == Decimal("50.0")


def test_a_number_from_a_spreadsheet_ends_at_a_cell_and_its_bytes(outcomes: Path) -> None:
    found = queries.trace(PUBLIC, "victim-not-supporting.cleveland.2023-04_2023-06.all")
    assert [(r.sheet, r.cell, r.row) for r in found] == [("2023-24", "M6", 6), ("2023-24", "M7", 7)]
    with zipfile.ZipFile(BytesIO(outcomes.read_bytes())) as bag:
        body = bag.read("content.xml")
    for row, number in zip(found, ("6", "24"), strict=True):
        assert body[row.offset : row.offset + row.length] == row.bytes
        assert f'office:value="{number}"'.encode() in row.bytes
        assert row.bytes.startswith(b"<table:table-cell")
        assert row.bytes.endswith(b"</table:table-cell>")
    base = queries.trace(PUBLIC, "victim-not-supporting.cleveland.2023-04_2023-06.all", part="base")
    assert len(base) == 4


def test_every_number_of_a_table_is_the_same_from_raw_bytes(outcomes: Path) -> None:
    for measure in ("charge-rate", "outcome-mix", "no-suspect"):
        for one in queries.series(PUBLIC, measure, "cleveland").points:
            assert queries.recompute(PUBLIC, one.address).same


def test_xlsx_ods_and_csv_give_the_same_numbers(tmp_path: Path) -> None:
    rows = [
        ("12 months ending", "PFA", "Region", "Offence", "Rolling year total number of offences"),
        ("31-03-2024", "Cleveland", "North East", "Homicide", 6),
        ("31-03-2024", "Gwent", "Wales", "Homicide", 2),
    ]
    text = "\r\n".join(",".join(map(str, r)) for r in rows) + "\r\n"
    made = {
        "a.csv": text.encode(),
        "b.csv.gz": gzip.compress(text.encode(), mtime=0),
        "c.ods": ods({"t": rows}),
        "d.xlsx": xlsx({"t": rows}),
    }
    for day, (name, data) in enumerate(made.items(), 1):
        import_table("recorded-crime-pfa", [write(tmp_path, name, data)], by=CLOCK, vintage=f"2024-05-0{day}")
        found = queries.number(PUBLIC, "homicide.cleveland.2023-04_2024-03.all")
        assert (found.value, [h.name for h in found.used]) == (6, [name])
        [row] = queries.trace(PUBLIC, str(found.id))
        assert b"6" in row.bytes
        assert row.length == len(row.bytes)
    assert [n.value for n in queries.compare(PUBLIC, "homicide", ("2023-04", "2024-03"))] == [6, 2]


def test_a_restated_release_replaces_the_old_one_and_both_are_kept(tmp_path: Path) -> None:
    head = "quarter_end,year,quarter,disposals,open,receipts,net_flow\n"
    old = write(
        tmp_path, "old.csv", head + "2023-09-30,2023,Q3,10,500,12,2\n2023-12-31,2023,Q4,11,510,21,10\n"
    )
    new = write(tmp_path, "new.csv", head + "2023-12-31,2023,Q4,11,525,21,10\n")
    import_table("courts", [old], by=CLOCK, vintage="2024-03-28")
    import_table("courts", [new], by=CLOCK, vintage="2024-06-27")
    found = queries.series(PUBLIC, "crown-open", "england-and-wales")
    assert [(p.value, p.vintage) for p in found.points] == [(500, "2024-03-28"), (525, "2024-06-27")]
    assert [(b.at, b.kind) for b in found.breaks] == [("2023-10", "vintage")]
    year = queries.number(PUBLIC, "crown-receipts.england-and-wales.2023-07_2023-12.all")
    assert (year.value, year.state, year.vintage) == (33, "published", "2024-03-28")


def test_two_files_of_one_release_are_not_counted_twice(tmp_path: Path) -> None:
    head = "12 months ending,PFA,Region,Offence,Rolling year total number of offences\n"
    one = write(tmp_path, "a.csv", head + "31-03-2024,Cleveland,North East,Homicide,6\n")
    two = write(tmp_path, "b.csv", head + "31-03-2024,Cleveland,North East,Homicide,7\n")
    import_table("recorded-crime-pfa", [one, two], by=CLOCK, vintage="2024-05-01")
    found = queries.number(PUBLIC, "homicide.cleveland.2023-04_2024-03.all")
    assert (found.value, [(a.name, b.name) for a, b in found.older]) == (7, [("a.csv", "b.csv")])


def test_without_a_table_a_measure_says_which_to_import(tmp_path: Path) -> None:
    for measure, kind in (
        ("serious-violence", "serious-violence"),
        ("vawg-prevalence", "csew"),
        ("crimes", "crimes"),
    ):
        one = queries.number(PUBLIC, f"{measure}.cleveland.2023-04_2024-03.all")
        assert (one.value, one.state, one.needs) == (None, "no-table", kind)
        whole = queries.series(PUBLIC, measure, "cleveland")
        assert (whole.points, whole.state, whole.needs) == ((), "no-table", kind)


def test_the_headline_needs_all_of_its_parts(tmp_path: Path) -> None:
    head = "Year ending,Area name,Offence,Number of offences\n"
    line = "March 2024,{area},{offence},{n}\n"
    knife, gun, homicide = "Knife or sharp instrument offences", "Firearm offences", "Homicide"
    body = head + "".join(
        line.format(area=a, offence=o, n=n)
        for a, o, n in (
            ("England and Wales", knife, '"50,500"'), ("England and Wales", gun, '"6,400"'),
            ("England and Wales", homicide, "570"), ("Cleveland", knife, "[x]"), ("Cleveland", gun, "40"),
        )
    )  # fmt: skip
    import_table("serious-violence", [write(tmp_path, "sv.csv", body)], by=CLOCK, vintage="2024-07-24")
    assert value("serious-violence.england-and-wales.2023-04_2024-03.all") == 57470
    assert value("serious-violence.england-and-wales.2023-04_2024-03.knife") == 50500
    part = queries.number(PUBLIC, "serious-violence.cleveland.2023-04_2024-03.all")
    assert (part.value, part.state) == (None, "missing")
    knife_there = queries.number(PUBLIC, "knife-enabled.cleveland.2023-04_2024-03.all")
    assert (knife_there.value, knife_there.state) == (None, "missing")


HEAD = "12 months ending,PFA,Region,Offence,Rolling year total number of offences\n"
LOTS = [
    ("12 months ending", "PFA", "Offence", "Number of offences"),
    ("31-03-2024", "Kent", "Homicide", "lots"),
]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.csv", "12 months ending,PFA,Offence\n", "lack “Rolling year total number of offences”"),
        (
            "a.csv",
            HEAD + "31-03-2024,Kent,SE,Homicide,6\n31-03-2024,Kent,SE,Robbery,many\n",
            "a.csv: row 3, column “Rolling year total number of offences”: “many” is not a number.",
        ),
        (
            "a.csv",
            HEAD + "31-13-2024,Kent,SE,Homicide,6\n",
            "a.csv: row 2, column “12 months ending”: “31-13-2024” is not a period",
        ),
        (
            "a.csv",
            HEAD + "31-03-2024,,SE,Homicide,6\n",
            "a.csv: row 2, column “PFA”: no place is named.",
        ),
        (
            "a.xlsx",
            xlsx({"T 1": LOTS}),
            "a.xlsx: sheet “T 1”, cell D2, column “Number of offences”: “lots” is not a number.",
        ),
        ("a.xlsx", b"PK\x03\x04 not a zip", "cannot be read as a spreadsheet"),
        ("a.pdf", b"%PDF", "a table is a CSV, ODS or XLSX file"),
        ("a.csv.gz", b"\x1f\x8b not gzip", "not a whole gzip file"),
        ("a.csv", "", "no row of headings"),
        ("a.csv", '12 months ending,PFA\n"31-03-2024,Kent\n', "cannot be read as CSV|lack"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_by_file_row_and_column_and_others_come_in(
    tmp_path: Path, name: str, data: bytes | str, sentence: str
) -> None:
    good = write(tmp_path, "good.csv", HEAD + "31-03-2024,Kent,SE,Homicide,6\n")
    paths = [write(tmp_path, name, data), good]
    done = import_table("recorded-crime-pfa", paths, by=CLOCK)
    assert [h.name for h in done.new] == ["good.csv"]
    [(refused, said)] = done.refused
    assert (refused, said.startswith(name)) == (name, True)
    assert sentence in said or re.search(sentence, said)
    assert queries.tables().fsck() == []


def test_an_unknown_kind_and_an_unknown_importer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no kind of table that can be imported"):
        import_table("horoscopes", [tmp_path], by=CLOCK)
    with pytest.raises(NotAllowed):
        import_table("courts", [tmp_path], by=PUBLIC)


def test_stop_and_search_files_come_in_with_the_crimes(tmp_path: Path) -> None:
    head = (
        "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range,"
        "Self-defined ethnicity,Officer-defined ethnicity,Legislation,Object of search,Outcome,"
        "Outcome linked to object of search,Removal of more than just outer clothing\n"
    )
    line = "Person search,2021-03-0{d}T10:20:00+00:00,,,,,Male,18-24,,White,x,{what},{out},{linked},\n"
    body = head + "".join(
        line.format(d=d, what=w, out=o, linked=k)
        for d, w, o, k in (
            (1, "Controlled drugs", "Arrest", "True"), (2, "Controlled drugs", "Nothing", "False"),
            (3, "Offensive weapons", "Nothing", ""),
        )
    )  # fmt: skip
    write(tmp_path, "2021-03-cleveland-stop-and-search.csv", body)
    assert import_crimes([tmp_path], by=CLOCK).refused == ()
    assert value("stop-search.cleveland.2021-03_2021-03.all") == 3
    assert value("stop-search.cleveland.2021-03_2021-03.controlled-drugs") == 2
    found = queries.number(PUBLIC, "stop-search-found.cleveland.2021-03_2021-03.all")
    assert (found.part, found.whole) == (1, 2)
    [row] = queries.trace(PUBLIC, str(found.id))
    assert "Arrest,True" in row.text
    assert queries.recompute(PUBLIC, str(found.id)).same


def test_a_cross_table_of_force_areas_is_read_by_its_title_and_columns(tmp_path: Path) -> None:
    heading = (
        "Area Code",
        "Area Name",
        "Total recorded crime\n(excluding fraud) [note 3]",
        "Homicide",
        "Robbery",
    )
    table = [
        ["Table P1: Police recorded crime by police force area, year ending March 2024"],
        ["This worksheet contains one table."],
        heading,
        ("K04000001", "ENGLAND AND WALES", 5300000, 570, 80000),
        ("E12000001", "North East", 270000, 30, 2000),
        ("E23000013", "Cleveland", 80123, 6, "[x]"),
        ["Source: police recorded crime"],
    ]
    sheets = {"Contents": [["Contents"]], "Table P1": table}
    for name, data in (("pfa.xlsx", xlsx(sheets)), ("pfa.ods", ods(sheets))):
        vintage = "2024-07-24" if name == "pfa.xlsx" else "2024-07-25"
        done = import_table("pfa-tables", [write(tmp_path, name, data)], by=CLOCK, vintage=vintage)
        assert done.refused == ()
        year = "2023-04_2024-03"
        found = queries.number(PUBLIC, f"recorded-crime-area.cleveland.{year}.all")
        assert found.value == value(
            f"recorded-crime-area.cleveland.{year}.total-recorded-crime-excluding-fraud"
        )
        assert (found.value, found.vintage, found.used[0].name) == (80123, vintage, name)
        assert value(f"recorded-crime-area.england-and-wales.{year}.homicide") == 570
        robbery = queries.number(PUBLIC, f"recorded-crime-area.cleveland.{year}.robbery")
        assert (robbery.value, robbery.state) == (None, "missing")
        [row] = queries.trace(PUBLIC, str(found.id))
        assert (row.sheet, row.cell) == ("Table P1", "C6")
        assert b"80123" in row.bytes
        assert queries.recompute(PUBLIC, str(found.id)).same
