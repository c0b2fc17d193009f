"""The page on the Crown Court: published numbers lead down, the forecast has bounds, and nothing is listed."""

import csv
import io
from pathlib import Path

import pytest
from django.test import Client

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.forecast.courtroom import BANDS
from counterfoil.measures.actions import import_table

pytestmark = pytest.mark.django_db
ENDS = [f"{y}-{e}" for y in range(2020, 2024) for e in ("03-31", "06-30", "09-30", "12-31")]
AGES = (700, 650, 560, 480, 400, 520, 1300, 1000, 590)


def write(path: Path, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as f:
        csv.writer(f).writerows(rows)


def court(folder: Path, *, without: str = "", ages: bool = True) -> None:
    """Write and import four years of an invented court; `without` leaves one quarter out of the caseload."""
    flow = [("quarter_end", "year", "quarter", "disposals", "open", "receipts", "net_flow")]
    cases = 5_000
    for i, end in enumerate(ENDS):
        net = 60 if i % 5 else -40
        cases += net
        if end != without:
            flow.append((end, end[:4], f"Q{i % 4 + 1}", 2_600.0, float(cases), 2_600.0 + net, float(net)))  # type: ignore[arg-type]
    write(folder / "trajectory.csv", flow)  # type: ignore[arg-type]
    if ages:
        head = ("quarter_end", "year", "quarter", "age_band", "age_order", "count")
        every = [(e, e[:4], "Q4", b, i + 1, AGES[i]) for e in ENDS for i, b in enumerate(BANDS)]
        write(folder / "age.csv", [head, *every])
        remand = ("quarter_end", "year", "quarter", "remand_status", "age_band", "age_order", "count")
        write(
            folder / "remand.csv",
            [
                remand,
                *((e, y, q, s, b, i, n // 3) for e, y, q, b, i, n in every for s in ("Bail", "Custody")),
            ],
        )
    found = import_table("courts", [folder], by=Viewer.clock())
    assert not found.refused


@pytest.fixture
def held(tmp_path: Path) -> Path:
    court(tmp_path)
    return tmp_path


def read(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def table(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(read(client, address))))


def test_nothing_held_says_what_to_import(client: Client) -> None:
    assert "counterfoil import courts" in read(client, "/board/courts/")
    read(client, "/board/courts/caseload.csv", 404)
    read(client, "/board/courts/caseload.svg", 404)


def test_every_published_number_leads_to_its_rows(client: Client, held: Path) -> None:
    page = read(client, "/board/courts/")
    address = "/board/number/crown-open.england-and-wales.2023-10_2023-12.all/"
    assert address in page
    assert "5,560" in page
    assert "5,560" in read(client, address)


def test_the_forecast_has_bounds_and_says_how_it_did_before(client: Client, held: Path) -> None:
    rows = table(client, "/board/courts/caseload.csv")
    ahead = [r for r in rows if r["kind"] != "published"]
    assert len(ahead) == 8
    assert all(int(r["low_90"]) < int(r["open"]) < int(r["high_90"]) for r in ahead)
    assert [r["quarter_to"] for r in ahead][:2] == ["2024-03", "2024-06"]
    assert "How it is made, and how it did before" in read(client, "/board/courts/")


def test_more_sitting_leaves_fewer_open_cases_and_only_offered_choices_are_taken(
    client: Client, held: Path
) -> None:
    less, more = (table(client, f"/board/courts/what-if.csv?sitting={s}")[-1] for s in (90, 120))
    assert int(less["open_90"]) > int(less["open_as_now"]) > int(more["open_120"])
    for wrong in ("0", "1000", "99", "ten", ""):
        read(client, f"/board/courts/?sitting={wrong}", 404)


def test_the_page_says_that_listing_is_for_the_judges_in_both_languages(client: Client, held: Path) -> None:
    assert "Listing is a matter for the judges" in read(client, "/board/courts/")
    assert "Mater i’r barnwyr yw rhestru" in read(client, "/cy/board/courts/")


def test_a_gap_is_not_bridged(client: Client, tmp_path: Path) -> None:
    court(tmp_path, without="2022-06-30")
    assert "a forecast needs eight quarters in a row" in read(client, "/board/courts/")
    rows = table(client, "/board/courts/caseload.csv")
    assert rows[0]["quarter_to"] == "2022-09"


def test_without_ages_nothing_is_simulated_and_nothing_is_nought(client: Client, tmp_path: Path) -> None:
    court(tmp_path, ages=False)
    page = read(client, "/board/courts/")
    assert "the ages of open cases in custody and on bail are not held" in page
    assert "missing" in page
    read(client, "/board/courts/what-if.csv", 404)
    assert table(client, "/board/courts/ages.csv")[0]["all"] == ""


def test_every_chart_comes_as_svg(client: Client, held: Path) -> None:
    for chart in ("caseload", "ages", "what-if"):
        assert read(client, f"/board/courts/{chart}.svg?shape=narrow").startswith("<svg")
    read(client, "/board/courts/other.svg", 404)
    read(client, "/board/courts/other.csv", 404)
