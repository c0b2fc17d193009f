"""Like with like: what may be put side by side, what chance alone would do, and what is set apart."""

import csv
import io
from pathlib import Path

import pytest
from django.test import Client
from tests.published import crime, outcome, two_forces, write

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.measure.funnel import funnel
from counterfoil.faces.board.across import Shape, force_map
from counterfoil.measures.actions import import_crimes

pytestmark = pytest.mark.django_db
PERIOD = "2021-03_2021-05"


@pytest.fixture
def country(tmp_path: Path) -> Path:
    """A small made-up country: Cleveland whole, City of London with gaps, Gwent whole."""
    two_forces(tmp_path)
    for month in ("2021-03", "2021-04", "2021-05"):
        rows = [crime(f"{month}{n}", month, force="gwent", area="W01001234") for n in range(12)]
        write(tmp_path, month, "gwent", rows, [outcome(f"{month}0", month, force="gwent")])
    import_crimes([tmp_path], by=Viewer.clock())
    return tmp_path


def lines(client: Client, address: str) -> list[dict[str, str]]:
    """Fetch a CSV as rows."""
    return list(csv.DictReader(io.StringIO(client.get(address).content.decode())))


def test_a_force_with_missing_months_is_set_apart_and_never_given_a_place(
    client: Client, country: Path
) -> None:
    page = client.get(f"/board/compare/?measure=charged&kind=burglary&period={PERIOD}").content.decode()
    assert "Set apart, not compared" in page
    assert "City of London Police" in page.split('id="apart"')[1]
    assert "City of London Police" not in page.split('id="apart"')[0]
    found = {
        r["place"]: r
        for r in lines(client, f"/board/compare.csv?measure=charged&kind=burglary&period={PERIOD}")
    }
    assert found["city-of-london"]["compared"] == "no"
    assert found["city-of-london"]["percent"] == ""
    assert (found["cleveland"]["part"], found["cleveland"]["whole"]) == ("8", "30")
    assert (found["gwent"]["part"], found["gwent"]["whole"]) == ("3", "36")


def test_places_stand_in_the_order_of_their_names_and_lead_to_their_rows(
    client: Client, country: Path
) -> None:
    page = client.get("/board/compare/").content.decode()
    assert page.index(">Cleveland Police<") < page.index(">Gwent Police<")
    assert f"/board/number/charged.cleveland.{PERIOD}.burglary/" in page
    assert "What “like” means here" in page
    assert client.get("/board/compare/funnel.svg").content.startswith(b"<svg")
    assert client.get("/board/compare/places.svg?shape=narrow").content.startswith(b"<svg")
    assert client.get("/board/compare/map.svg").status_code == 404  # no boundary file is held
    assert client.get("/board/compare/guess.svg").status_code == 404


def test_all_types_together_are_said_not_to_be_alike(client: Client, country: Path) -> None:
    assert "All types together are not alike" in client.get("/board/compare/?kind=all").content.decode()
    for bad in ("kind=murder-most-foul", "measure=crimes", "period=2021-03_2030-01", "period=x"):
        assert client.get(f"/board/compare/?{bad}").status_code == 404


def test_with_nothing_held_nothing_is_compared(client: Client) -> None:
    assert "Nothing can be compared yet" in client.get("/board/compare/").content.decode()
    assert client.get("/board/compare.csv").content == b""


def test_the_funnel_is_wider_for_small_places_and_for_places_that_really_differ() -> None:
    even = funnel([(100, 1000)] * 20)
    assert even.spread == 1.0
    assert even.within(100, 1.96)[1] > even.within(10_000, 1.96)[1]
    apart = funnel([(100 + 10 * (n % 7), 1000) for n in range(20)])
    assert apart.spread > 1.5
    one_far = funnel([(100, 1000)] * 19 + [(900, 1000)])
    assert one_far.spread < 4.0  # the furthest is drawn in and does not hide itself
    assert funnel([]).share == 0.0


def test_a_force_without_a_value_is_hatched_on_the_map_and_not_pale() -> None:
    ring = ((-1.0, 54.0), (-1.0, 55.0), (0.0, 55.0), (0.0, 54.0))
    drawn = force_map([Shape((ring,), 3), Shape((ring,), None)])
    assert drawn.count("url(#none)") == 1
    assert drawn.count('fill="#0072B2"') == 1
    assert force_map([]) == ""
