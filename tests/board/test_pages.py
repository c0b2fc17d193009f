"""The board's pages: public, in both languages, without scripts, each number led down to its rows."""

import csv
import io
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.published import crime, outcome, two_forces, write

from counterfoil.accounts.rules import Viewer
from counterfoil.measures.actions import import_boundaries, import_crimes

pytestmark = pytest.mark.django_db
CLEVELAND = "/board/force/cleveland/"
SHARE = "/board/number/charged.cleveland.2021-03_2021-05.all/"


@pytest.fixture
def country(tmp_path: Path) -> Path:
    """A small made-up country, imported."""
    two_forces(tmp_path)
    import_crimes([tmp_path], by=Viewer.clock())
    return tmp_path


def read(client: Client, address: str, status: int = 200) -> str:
    """Fetch a page and return its text, after checking its status."""
    response = client.get(address)
    assert response.status_code == status, address
    body: bytes = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined, arg-type]
    return body.decode()


def table(client: Client, address: str) -> list[dict[str, str]]:
    """Fetch a CSV as rows."""
    return list(csv.DictReader(io.StringIO(read(client, address))))


def links(page: str) -> set[str]:
    """Return the board's own links on a page."""
    return {
        m.replace("&amp;", "&") for m in re.findall(r'(?:href|src|srcset)="(/(?:cy/)?board/[^"]*)"', page)
    }


def test_an_empty_board_says_why_it_is_empty_and_what_to_do(client: Client) -> None:
    page = read(client, "/board/")
    assert "There is nothing to show yet" in page
    assert "counterfoil import crimes" in page
    read(client, "/board/files/")
    read(client, CLEVELAND, 404)


def test_the_front_says_which_months_are_held_and_which_are_missing(client: Client, country: Path) -> None:
    page = read(client, "/board/")
    assert "Every month held" in page
    assert "Something is missing" in page
    assert "No crime file for April 2021" in page
    assert "No outcome file for April 2021" in page
    assert "An outcome file without rows for March 2021" in page
    assert "Nothing at all is held for 42 other forces" in page


def test_every_link_of_the_board_leads_somewhere(client: Client, country: Path) -> None:
    waiting, seen = {"/board/", "/cy/board/"}, set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        response = client.get(address)
        assert response.status_code == 200, address
        body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined, arg-type]
        if response.headers["Content-Type"].startswith("text/html"):
            # The same pages again for other months, types and areas are left to the tests of numbers.
            others = r"\.2021-0\d_2021-0[45]\.|\.E0|type=(?!burglary)|\.(?!all|burglary|robbery)[a-z-]+/"
            waiting |= {a for a in links(body.decode()) if a not in seen and not re.search(others, a)}
    assert len(seen) > 80


def test_a_missing_month_is_missing_and_a_type_without_rows_is_nought(client: Client, country: Path) -> None:
    rows = table(client, "/board/force/city-of-london/months.csv")
    found = {(r["month"], r["crime_type"]): (r["rows"], r["state"]) for r in rows}
    assert found["2021-03", "Robbery"] == ("1", "submitted")
    assert found["2021-03", "Burglary"] == ("0", "zero")
    assert found["2021-04", "Robbery"] == ("", "missing")
    page = read(client, "/board/force/city-of-london/")
    assert page.count(">missing</td>") == 15
    assert "No crime file for April 2021." in page
    assert "March 2021 to May 2021 (2 of 3 months)" in page


def test_a_share_without_its_outcome_files_is_not_published(client: Client, country: Path) -> None:
    page = read(client, "/board/number/charged.city-of-london.2021-03_2021-03.all/")
    assert "Not published" in page
    assert "the share would be too low and is not given" in page
    assert "0.0%" not in page
    assert "no rows behind it" in read(
        client, "/board/number/charged.city-of-london.2021-03_2021-03.all/rows/"
    )


def test_a_number_says_what_it_counts_how_sure_it_is_and_from_where(client: Client, country: Path) -> None:
    page = read(client, SHARE)
    for said in (
        "30.3%", "17.4% to 47.3% (95% interval)", "10 of 33 crimes", "data.police.uk, imported", "Wilson score",
        "12 calls about anti-social behaviour", "2 rows share their crime identifier", "2021-03-cleveland-street.csv",
    ):  # fmt: skip
        assert said in page, said


def test_the_way_down_ends_at_the_published_row(client: Client, country: Path) -> None:
    page = read(client, SHARE + "rows/?part=charged")
    raw = (country / "2021-03" / "2021-03-cleveland-street.csv").read_bytes()
    name, row, byte, digest, text = re.findall(
        r">([\w-]+\.csv)</a> · row ([\d,]+) · byte ([\d,]+)<br>.*?([0-9a-f]{64}).*?"
        r"<code lang=\"en\">([^<]+)</code>",
        page,
        re.DOTALL,
    )[0]
    assert (name, row) == ("2021-03-cleveland-street.csv", "1")
    assert raw[int(byte.replace(",", "")) :].decode().startswith(text)
    response = client.get(f"/board/file/{digest}/")
    assert response.content == raw
    assert response.headers["Content-Type"] == "application/octet-stream"


def test_the_trace_goes_page_by_page_and_refuses_pages_that_are_not_there(
    client: Client, tmp_path: Path
) -> None:
    write(tmp_path, "2021-03", "gwent", [crime(f"i{n}", force="gwent") for n in range(120)])
    import_crimes([tmp_path], by=Viewer.clock())
    address = "/board/number/crimes.gwent.2021-03_2021-03.all/rows/"
    assert "Rows 101 to 120 of 120" in read(client, address + "?page=3")
    for bad in ("0", "4", "x", "-1", "99999999999", "٣"):
        read(client, f"{address}?page={bad}", 404)
    read(client, address + "?part=guess", 404)


def test_every_table_can_be_taken_as_csv_and_every_chart_as_svg(client: Client, country: Path) -> None:
    charged = {r["crime_type"]: r for r in table(client, CLEVELAND + "charged.csv")}
    assert (charged["all"]["charged"], charged["all"]["crimes"], charged["all"]["percent"]) == (
        "10",
        "33",
        "30.3",
    )
    assert charged["Burglary"]["number"] == "charged.cleveland.2021-03_2021-05.burglary"
    assert sum(int(r["rows"]) for r in table(client, CLEVELAND + "areas.csv")) == 45
    assert {r["published_wording"] for r in table(client, CLEVELAND + "outcomes.csv")} >= {"Suspect charged"}
    assert len(table(client, SHARE + "rows.csv?part=charged")) == 10
    assert len(table(client, "/board/files.csv")) == 10
    for chart in ("months", "types", "charged", "map"):
        assert read(client, f"{CLEVELAND}{chart}.svg").startswith("<svg")
    read(client, CLEVELAND + "guess.svg", 404)
    read(client, CLEVELAND + "guess.csv", 404)


def test_the_outline_is_drawn_from_an_imported_file_and_its_absence_is_said(
    client: Client, country: Path
) -> None:
    assert "no boundary file has been imported" in read(client, CLEVELAND)
    ring = "[[[-1.4,54.4],[-1.4,54.8],[-1.0,54.8],[-1.0,54.4],[-1.4,54.4]]]"
    file = country / "areas.geojson"
    file.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"PFA20NM":"Cleveland"},'
        f'"geometry":{{"type":"Polygon","coordinates":{ring}}}}}]}}'
    )
    import_boundaries(file, by=Viewer.clock())
    page = read(client, CLEVELAND)
    assert "Outline: Office for National Statistics, areas.geojson, simplified." in page
    assert "Crown copyright" in page


def test_both_languages_have_the_same_numbers(client: Client, country: Path) -> None:
    english, welsh = read(client, CLEVELAND), read(client, "/cy" + CLEVELAND)
    assert '<html lang="cy"' in welsh
    assert "Cyfran a gyhuddwyd" in read(client, "/cy" + SHARE)
    number = re.compile(r'<a href="/(?:cy/)?board/number/([^"]+)/">([\d,.%]+)</a>')
    assert number.findall(english) == number.findall(welsh)
    assert all(
        a.startswith("/cy/board/") for a in links(welsh) if not a.startswith("/board/force/cleveland/")
    )


def test_one_type_is_shown_alone_and_keeps_its_type_in_the_other_language(
    client: Client, country: Path
) -> None:
    page = read(client, CLEVELAND + "?type=burglary")
    assert 'href="/cy/board/force/cleveland/?type=burglary"' in page
    assert "crimes.cleveland.2021-03_2021-05.burglary" in page
    assert "crimes.cleveland.2021-03_2021-03.drugs" not in page
    read(client, CLEVELAND + "?type=jaywalking", 404)


@pytest.mark.parametrize(
    "address",
    ["/board/number/guess/", "/board/number/crimes.x.2021-03_2021-03.all/", "/board/force/atlantis/",
     "/board/force/kent/", "/board/file/" + "0" * 64 + "/", "/board/file/..%2Fdb.sqlite3/"],
)  # fmt: skip
def test_an_address_of_nothing_gets_the_plain_page(client: Client, country: Path, address: str) -> None:
    read(client, address, 404)


def test_a_changed_raw_file_is_refused_with_a_sentence(client: Client, country: Path, settings: Any) -> None:
    for raw in (Path(settings.COUNTERFOIL_HOME) / "tables" / "raw").iterdir():
        raw.chmod(0o600)
        raw.write_bytes(raw.read_bytes()[:-2] + b"x\n")
    page = read(client, SHARE + "rows/", 409)
    assert "no longer has the bytes it had when it was imported" in page


def test_the_board_needs_no_sign_in_reads_no_database_and_sets_no_cookie(
    client: Client, country: Path, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        for address in ("/board/", CLEVELAND, SHARE, SHARE + "rows/", "/board/about/", "/board/files/"):
            response = client.get(address)
            assert response.status_code == 200
            assert not response.cookies


def test_nothing_on_the_board_can_be_posted_to(client: Client, country: Path) -> None:
    for address in ("/board/", CLEVELAND, SHARE, SHARE + "rows/", CLEVELAND + "months.csv"):
        assert client.post(address).status_code == 405


def test_a_force_page_of_two_forces_and_a_year_is_quick_once_warm(client: Client, tmp_path: Path) -> None:
    kinds = ("Burglary", "Robbery", "Drugs", "Shoplifting", "Anti-social behaviour")
    for force in ("cleveland", "city-of-london"):
        for n in range(12):
            month = f"2021-{n + 1:02d}"
            rows = [
                crime(
                    "" if i % 5 == 4 else f"{n}.{i}",
                    month,
                    kinds[i % 5],
                    force=force,
                    area=f"E0100{i % 300:04d}",
                )
                for i in range(600)
            ]
            write(
                tmp_path,
                month,
                force,
                rows,
                [outcome(f"{n}.{i}", month, force=force) for i in range(0, 600, 9)],
            )
    import_crimes([tmp_path], by=Viewer.clock())
    read(client, CLEVELAND)
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        read(client, CLEVELAND)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.3
