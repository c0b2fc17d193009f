"""What looks wrong with the files held: never worked out while somebody waits, linked both ways with the numbers."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client
from tests.published import crime, outcome, write

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.measures.actions import import_crimes
from counterfoil.measures.integrity import sweep

pytestmark = pytest.mark.django_db
PUBLIC = Viewer.public()


@pytest.fixture
def gap(tmp_path: Path) -> Path:
    """Half a year of a force with one month left out and one without areas, imported."""
    for number, month in enumerate(("2021-03", "2021-04", "2021-06", "2021-07", "2021-08", "2021-09")):
        area = "" if month == "2021-08" else "E01011954"
        rows = [crime(f"b{number}{i}", month, area=area) for i in range(80)]
        write(tmp_path, month, "cleveland", rows, [outcome(f"b{number}{i}", month) for i in range(60)])
    import_crimes([tmp_path], by=Viewer.clock())
    return tmp_path


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def test_until_the_files_are_looked_through_nothing_is_known_and_that_is_not_nothing_wrong(
    client: Client, gap: Path
) -> None:
    assert "still being looked through" in text(client, "/board/integrity/")
    assert queries.findings(PUBLIC, "crimes.cleveland.2021-03_2021-09.all") == ()
    now = datetime.now(UTC)
    assert sweep(now) == 1
    assert sweep(now) == 0, "asked once"
    queries.look_through()
    assert "still being looked through" not in text(client, "/board/integrity/")
    assert sweep(now) == 0


def test_a_finding_leads_to_the_numbers_it_touches_and_they_lead_back(client: Client, gap: Path) -> None:
    assert queries.look_through() >= 2
    page = text(client, "/board/integrity/cleveland/")
    assert "Months missing" in page
    assert "May 2021" in page
    assert "/board/number/crimes.cleveland.2021-05_2021-05.all/" in page
    number = text(client, "/board/number/crimes.cleveland.2021-03_2021-09.all/")
    assert "What looks wrong with its files" in number
    assert "Months missing" in number
    before = text(client, "/board/number/crimes.cleveland.2021-03_2021-04.all/")
    assert "Months missing" not in before, "a number of other months is not touched"
    welsh = text(client, "/cy/board/integrity/cleveland/")
    assert "Misoedd ar goll" in welsh
    assert 'lang="en"' in welsh


def test_everything_is_given_away_as_a_table_and_the_grid_as_a_drawing(client: Client, gap: Path) -> None:
    queries.look_through()
    rows = list(csv.DictReader(io.StringIO(text(client, "/board/integrity.csv"))))
    assert ("missing-month", "cleveland", "2021-05") in {(r["kind"], r["where"], r["since"]) for r in rows}
    svg = text(client, "/board/integrity.svg")
    assert svg.startswith("<svg")
    assert svg.count("<path") == 1, "one month without a file"
    assert svg.count("<rect") == 6
    assert client.get("/board/integrity/nowhere/").status_code == 404


def test_an_empty_board_has_nothing_to_look_through(client: Client) -> None:
    assert "No file is held yet" in text(client, "/board/integrity/")
    assert sweep(datetime.now(UTC)) == 0


def test_a_new_import_is_another_report(client: Client, gap: Path) -> None:
    queries.look_through()
    write(gap, "2021-05", "cleveland", [crime(f"n{i}", "2021-05") for i in range(80)], [])
    import_crimes([gap], by=Viewer.clock())
    assert "still being looked through" in text(client, "/board/integrity/")
    queries.look_through()
    assert "Months missing" not in text(client, "/board/integrity/cleveland/")
