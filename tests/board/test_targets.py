"""The targets at a glance: dated, sourced, nobody's; and nothing is guessed where nothing is held."""

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from counterfoil.accounts.rules import Viewer
from counterfoil.engines import forecast
from counterfoil.faces.board.lines import Aim, BreakAt, Moment, over_time, pieces, small
from counterfoil.faces.board.targets import Standing, chance
from counterfoil.measures.actions import import_table
from counterfoil.reference import targets as reference

PARTIES = (
    "labour",
    "conservative",
    "liberal democrat",
    "reform",
    "green party",
    "plaid",
    "llafur",
    "ceidwad",
)


def test_every_target_is_dated_has_a_source_and_carries_no_partys_name() -> None:
    found = reference.targets()
    assert len(found) >= 6
    for one in found:
        assert one.source
        assert one.starts >= date(2024, 1, 1)
        assert one.by is None or one.by > one.starts
        assert one.text("name", "cy") != one.text("name")
    said = reference.FILE.read_text(encoding="utf-8").lower()
    assert not [p for p in PARTIES if p in said]


def test_a_half_is_half_of_its_baseline_and_one_without_baseline_is_refused(tmp_path: Path) -> None:
    assert reference.target("knife-crime").level == Decimal(27504)
    assert reference.target("confidence").level is None
    text = reference.FILE.read_text(encoding="utf-8")
    broken = tmp_path / "targets.toml"
    broken.write_text(text.replace('change = ""', 'change = "half"', 1), encoding="utf-8")
    with pytest.raises(ValueError, match="halves nothing"):
        reference.load(broken)


@pytest.mark.django_db
def test_without_a_table_the_page_says_not_known_and_gives_no_chance(client: Client) -> None:
    page = client.get("/board/targets/").content.decode()
    assert page.count("No table held: not known.") == 6
    assert "to be checked" in page
    assert len(page.encode()) < 100_000
    rows = list(csv.DictReader(io.StringIO(client.get("/board/targets.csv").content.decode())))
    assert {r["latest"] for r in rows} == {""}
    assert {r["probability"] for r in rows} == {""}
    assert client.get("/board/targets/knife-crime.svg").content.startswith(b"<svg")
    assert client.get("/board/targets/nothing.svg").status_code == 404
    assert client.get("/board/targets/confidence.svg").status_code == 404
    assert "Haneru troseddau cyllyll" in client.get("/cy/board/targets/").content.decode()


def test_a_chance_is_said_with_its_range_and_not_known_is_not_nought() -> None:
    def year(n: int, value: float) -> forecast.Point:
        return forecast.Point(date(2015 + n, 10, 1), date(2016 + n, 9, 30), value)

    aim = reference.target("knife-crime")
    assert aim.by is not None
    falling = [year(n, 90_000 * 0.9**n) for n in range(9)]
    verdict = forecast.on_path(falling, baseline=falling[5], level=27_504, by=aim.by)
    said = chance(Standing(aim, None, verdict))
    assert "in 100, read from the series alone" in said
    few = forecast.on_path(falling[-2:], baseline=falling[-1], level=27_504, by=aim.by)
    assert chance(Standing(aim, None, few)).startswith("Not known")
    assert chance(Standing(aim, None, None)) == "Not known: no table with this measure is held."


def test_a_line_is_cut_where_nothing_is_known_and_where_the_series_breaks() -> None:
    some = tuple(Moment(2020 + n, None if n == 3 else 10.0 * n, words="") for n in range(8))
    cut = (BreakAt(2026.0, "counted in another way"),)
    assert [[m.at for m in piece] for piece in pieces(some, cut)] == [
        [2020, 2021, 2022],
        [2024, 2025],
        [2026, 2027],
    ]
    drawn = small(some, top=80, breaks=cut, aim=Aim(2027, 5, "5 by 2027"))
    assert drawn.count("<polyline") == 3
    assert "not known" in small((), top=1, missing="not known")
    ahead = (Moment(2020, 1.0), Moment(2021, 2.0), Moment(2022, 2.5, 2.0, 3.0, ahead=True))
    assert [[m.at for m in piece] for piece in pieces(ahead)] == [[2020, 2021], [2021, 2022]]
    spec = over_time(some, ticks=((2020.0, "2020"), (2025.0, "2025")), breaks=cut)
    assert "counted in another way" in str(spec)


@pytest.mark.django_db
def test_once_a_table_is_imported_the_card_says_where_we_are_and_how_likely_it_is(
    client: Client, tmp_path: Path
) -> None:
    knife = "Knife or sharp instrument offences"
    lines = ["Year ending,Area name,Offence,Number of offences"]
    for year, n in zip(range(2020, 2027), (46200, 44500, 49100, 50200, 55008, 53100, 51200), strict=True):
        lines.append(f"September {year},England and Wales,{knife},{n}")
    path = tmp_path / "serious-violence.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = import_table("serious-violence", [path], by=Viewer.clock(), vintage="2027-01-28")
    assert done.refused == ()
    page = client.get("/board/targets/").content.decode()
    card = page.split('id="t-knife-crime"')[1].split("</section>")[0]
    assert "<strong>51,200</strong>, October 2025 to September 2026" in card
    assert "in 100, read from the series alone" in card or "Not known" in card
    rows = csv.DictReader(io.StringIO(client.get("/board/targets.csv").content.decode()))
    found = next(r for r in rows if r["target"] == "knife-crime")
    assert found["latest"] == "51200"
    assert found["probability"] or found["why_not_known"]
    # The claim about knife crime can now be settled, and is.
    proof = (
        client.get("/board/prove-it/").content.decode().split('id="c-knife-crime"')[1].split("</section>")[0]
    )
    assert "the file held gives 55,008 for October 2023 to September 2024." in proof
    assert "serious-violence.csv · row" in proof
