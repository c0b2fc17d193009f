"""Reading a published CSV: every row keeps its place in the file, and a bad file is refused with a sentence."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.published import OUTCOMES, STREET, crime, outcome, text

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import COLUMNS, file_name, read, records

NAME = "2021-03-cleveland-street.csv"
BOM = b"\xef\xbb\xbf"


def test_our_columns_are_those_the_site_writes() -> None:
    assert COLUMNS == {"street": STREET, "outcomes": OUTCOMES}


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("bom", [b"", BOM])
def test_each_row_is_found_again_by_its_byte_and_length(end: str, bom: bytes) -> None:
    rows = [
        crime("a", location="On or near King's Road"),
        crime("b", location='On or near "The Oak", yard'),
        crime("c", location="Line one\nline two, with a comma"),
        crime("d", location="Ffordd Tŷ-nant"),
    ]
    data = bom + text(rows, end=end)
    found = read(NAME, data).table.to_pylist()
    assert [r["row"] for r in found] == [1, 2, 3, 4]
    for one, row in zip(found, rows, strict=True):
        published = data[one["offset"] : one["offset"] + one["length"]].decode()
        assert tuple(next(csv.reader(io.StringIO(published, newline="")))) == row
        assert not published.endswith(("\r", "\n"))


def test_a_file_whose_last_line_has_no_end_is_whole() -> None:
    data = text([crime("a"), crime("b")]).rstrip(b"\r\n")
    parsed = read(NAME, data)
    last = parsed.table.to_pylist()[-1]
    assert parsed.rows == 2
    assert last["offset"] + last["length"] == len(data)


def test_degrees_become_whole_millionths_without_any_float() -> None:
    data = text([crime("a", lon="-0.000001", lat="51.5"), crime("b", lon="1.7654321", lat="50.000009")])
    found = read(NAME, data).table.to_pylist()
    assert [(r["lon_e6"], r["lat_e6"]) for r in found] == [(-1, 51_500_000), (1_765_432, 50_000_009)]


def test_blanks_are_nothing_rather_than_empty_words() -> None:
    found = read(NAME, text([crime("", area=" ", area_name="", lon="", lat="")])).table.to_pylist()[0]
    assert (found["crime_id"], found["lsoa_code"], found["lon_e6"], found["lat_e6"]) == (
        None,
        None,
        None,
        None,
    )


def test_a_month_without_rows_is_read_and_noted() -> None:
    parsed = read(NAME, text([]))
    assert (parsed.rows, parsed.notes) == (0, ("empty",))


def test_repeated_identifiers_and_blank_areas_are_noted() -> None:
    parsed = read(NAME, text([crime("x"), crime("x"), crime("x"), crime("", area="", area_name="")]))
    assert parsed.notes == ("repeated_ids=2", "blank_areas=1")


def test_outcome_files_are_read_too() -> None:
    parsed = read("2021-03-cleveland-outcomes.csv", text([outcome("a")], head=OUTCOMES))
    assert parsed.table.to_pylist()[0]["outcome_type"] == "Suspect charged"


BAD = {
    "lacks “Crime type”": text([], head=STREET[:9] + STREET[10:]),
    "unknown “Colour”": text([], head=(*STREET, "Colour")),
    "another order": text([], head=(STREET[1], STREET[0], *STREET[2:])),
    "row 2 has 11 values where 12": text([crime("a"), crime("b")[:-1]]),
    "row 2 is of month “2021-04”": text([crime("a"), crime("b", "2021-04")]),
    "row 1 has no crime type": text([crime("a", kind=" ")]),
    "row 3 has “north” as longitude": text([crime("a"), crime("b"), crime("c", lon="north")]),
    "row 1 has “540.1” as latitude": text([crime("a", lat="540.1")]),
    "row 1 has a longitude or a latitude but not both": text([crime("a", lat="")]),
    "row 1 holds bytes that are not UTF-8": text([crime("a")]).replace(b"King", b"K\xff\xfeg"),
    "row 2 is blank, with more rows after it": text([crime("a"), crime("b")])
    .replace(b"ab,", b"")
    .replace(b"\r\nb,", b"\r\n\r\nb,"),
    "row 2 cannot be read as CSV": text([crime("a")]) + b'b,"2021-03' + b"\r\n",
    "the file is empty": BOM + b"\r\n",
}


@pytest.mark.parametrize("said", BAD)
def test_a_bad_file_is_refused_naming_file_row_and_fault(said: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(NAME, BAD[said])
    sentence = str(refusal.value)
    assert sentence.startswith(f"{NAME}: ")
    assert said in sentence
    assert sentence.endswith(".")


def test_a_file_name_that_says_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match=r"not like 2021-03-cleveland-street\.csv"):
        read("crimes.csv", text([crime("a")]))
    assert file_name("2021-13-cleveland-street.csv") is None
    assert file_name("2021-12-cleveland-stop-and-search.csv") is None


# What may stand in a published cell: no carriage return on its own, which no CSV of the site has.
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=20)


@given(st.lists(CELLS, min_size=1, max_size=6), st.sampled_from(["\r\n", "\n"]), st.sampled_from([b"", BOM]))
def test_whatever_the_words_each_record_is_cut_at_its_own_bytes(
    cells: list[str], end: str, bom: bytes
) -> None:
    rows = [crime(f"i{n}", location=cell) for n, cell in enumerate(cells)]
    data = bom + text(rows, end=end)
    cut = [t for _, _, t in records(data)]
    assert [tuple(next(csv.reader(io.StringIO(t, newline="")))) for t in cut[1:]] == rows
    assert all(data[o : o + n].decode() == t for o, n, t in records(data))
