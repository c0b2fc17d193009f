"""The pages on young crimes and on why a charge rate changed: parts add up, gaps are named, and nothing is nought."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from tests.published import crime, outcome, write

from counterfoil.accounts.rules import Viewer
from counterfoil.measures.actions import import_crimes

pytestmark = pytest.mark.django_db
MONTHS = [f"2021-{m:02d}" for m in range(1, 13)]
EVERY = {
    "Burglary": 12,
    "Drugs": 3,
}  # of so many crimes one is charged, half at once and half two months later


def files(folder: Path, force: str, *, without: tuple[str, ...] = ()) -> None:
    """Write a year of one force: 120 burglaries and 40 drugs crimes a month, fewer drugs in the last half year."""
    street: dict[str, list[tuple[str, ...]]] = {}
    ended: dict[str, list[tuple[str, ...]]] = {m: [] for m in MONTHS}
    for at, month in enumerate(MONTHS):
        street[month] = [crime("", month, "Burglary", force=force)]
        for kind, size in (("Burglary", 120), ("Drugs", 40 if at < 6 else 20)):
            for n in range(size):
                name = f"{force}-{at}-{kind[0]}-{n}".encode().hex().ljust(64, "0")
                street[month].append(crime(name, month, kind, force=force))
                later = at + (0 if n % 2 else 2)
                if n % EVERY[kind] == 0 and later < 12:
                    ended[MONTHS[later]].append(outcome(name, MONTHS[later], force=force))
    for at, month in enumerate(MONTHS):  # and what became of crimes recorded before
        ended[month] += [
            outcome(f"{at:02d}{n:02d}".ljust(64, "f"), month, "Unable to prosecute suspect", force=force)
            for n in range(40)
        ]
        write(folder, month, force, street[month], None if month in without else ended[month])


@pytest.fixture
def year(tmp_path: Path) -> Path:
    """Two forces, one of which did not publish the outcomes of November."""
    files(tmp_path, "cleveland")
    files(tmp_path, "gwent", without=("2021-11",))
    import_crimes([tmp_path], by=Viewer.clock())
    return tmp_path


def read(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def table(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(read(client, address))))


def test_nothing_held_is_said_and_an_unknown_force_is_not_found(client: Client) -> None:
    assert "No crimes are held yet" in read(client, "/board/change/")
    read(client, "/board/change/cleveland/", 404)
    read(client, "/board/change/nowhere/", 404)


def test_the_parts_of_the_change_add_up_on_the_page_and_in_the_file(client: Client, year: Path) -> None:
    assert 'href="/board/change/cleveland/"' in read(client, "/board/force/cleveland/")
    page = read(client, "/board/change/cleveland/")
    assert "Why the rate changed" in page
    lines = read(client, "/board/change/cleveland/parts.csv").split()
    shown = {line.split(",")[0]: Decimal(line.rsplit(",", 1)[1]) for line in lines if line.count(",,")}
    assert set(shown) == {"change", "mix", "recording", "timing", "real"}
    assert shown["change"] == sum(v for n, v in shown.items() if n != "change")
    assert shown["mix"] < 0, "there are fewer drugs crimes, which are charged more often"
    assert shown["timing"] == 0, "what was charged late was charged within three months"


def test_another_quarter_can_be_chosen_and_nothing_else(client: Client, year: Path) -> None:
    assert "May 2021 to July 2021" in read(client, "/board/change/cleveland/?apart=3")
    for wrong in ("4", "x", "-3", "24"):
        read(client, f"/board/change/cleveland/?apart={wrong}", 404)
    assert "Not known: two such quarters" in read(client, "/board/change/cleveland/?apart=12")


def test_a_force_with_a_gap_is_not_known_and_never_nought(client: Client, year: Path) -> None:
    page = read(client, "/board/change/gwent/")
    assert "A split would blame the force for a gap in the files" in page
    newest = table(client, "/board/change/gwent/quarters.csv")[-1]
    assert (newest["after_a_year_percent"], newest["not_known_because"]) == ("", "missing")
    read(client, "/board/change/gwent/parts.csv", 404)
    read(client, "/board/change/gwent/parts.svg", 404)
    assert "not known" in read(client, "/board/change/")


def test_every_chart_and_table_comes_as_a_file_and_in_welsh(client: Client, year: Path) -> None:
    for chart in ("change.svg", "change/cleveland/parts.svg", "change/cleveland/quarters.svg"):
        text = read(client, f"/board/{chart}", 200 if "parts" in chart else 404)
        assert "parts" not in chart or text.startswith("<svg")
    assert {r["force"] for r in table(client, "/board/change.csv")} == {"cleveland", "gwent"}
    assert 'lang="cy"' in read(client, "/cy/board/change/cleveland/")
