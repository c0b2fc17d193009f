"""Open data: every figure as JSON with its licence, release and files; and cards that may stand in any page."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.published import two_forces

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.measures.actions import import_crimes

pytestmark = pytest.mark.django_db
NUMBER = "charged.cleveland.2021-03_2021-05.burglary"


@pytest.fixture
def country(tmp_path: Path) -> Path:
    """A small made-up country, imported."""
    two_forces(tmp_path)
    import_crimes([tmp_path], by=Viewer.clock())
    return tmp_path


def get(client: Client, address: str, status: int = 200) -> Any:
    """Fetch JSON after checking the status."""
    response = client.get(f"/board/api/1/{address}")
    assert response.status_code == status, address
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(response.content)


def test_a_number_comes_with_interval_definition_licence_and_the_files_it_rests_on(
    client: Client, country: Path
) -> None:
    found = get(client, f"number/{NUMBER}.json")
    assert found["data"]["value"] == 26.7
    assert (found["data"]["part"], found["data"]["whole"]) == (8, 30)
    assert found["data"]["low_95"] < 26.7 < found["data"]["high_95"]
    assert found["licence"] == "Open Government Licence v3.0"
    assert found["definition"]["denominator"]
    assert len(found["files"]) == 6
    for file in found["files"]:
        body = client.get(file["download"]).content
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
    assert client.get(found["data"]["how"]).status_code == 200


def test_what_is_not_known_is_null_and_never_nought(client: Client, country: Path) -> None:
    found = get(client, "number/charged.city-of-london.2021-03_2021-03.all.json")
    assert found["data"]["value"] is None
    assert found["data"]["state"] == "missing"
    months = get(client, "series/crimes/city-of-london/all.json")["data"]
    assert [(p["value"], p["state"]) for p in months] == [
        (1, "published"),
        (None, "missing"),
        (1, "published"),
    ]
    compared = {n["place"]: n for n in get(client, "compare/charged/2021-03_2021-05/all.json")["data"]}
    assert compared["city-of-london"]["value"] is None
    assert compared["city-of-london"]["compared"] is False


def test_the_interface_and_the_page_and_the_csv_say_the_same(client: Client, country: Path) -> None:
    said = get(client, f"number/{NUMBER}.json")["data"]
    shown = queries.number(Viewer.public(), NUMBER)
    assert (str(said["value"]), said["rests_on"]) == (str(shown.value), shown.basis)
    assert f"{said['value']}%" in client.get(f"/board/number/{NUMBER}/").content.decode()


def test_every_list_is_given_and_nonsense_is_answered_with_a_sentence(client: Client, country: Path) -> None:
    assert {m["id"] for m in get(client, "measures.json")["data"]} >= {"crimes", "charged", "outcomes"}
    assert {t["target"] for t in get(client, "targets.json")["data"]} >= {"knife-crime", "vawg"}
    assert len(get(client, "claims.json")["data"]) >= 12
    assert len(get(client, "files.json")["data"]) == 10
    assert get(client, "number/nothing.json", 404)["error"] == "This is not the address of a number."
    assert get(client, "series/nothing/cleveland/all.json", 404)["error"]
    assert get(client, "compare/charged/2021-03/nothing.json", 404)["error"]
    assert client.post("/board/api/1/measures.json").status_code == 405


def test_the_interface_is_written_down_on_one_page(client: Client, country: Path) -> None:
    page = client.get("/board/api/").content.decode()
    for name in ("measures", "number", "series", "compare", "targets", "claims", "files"):
        assert f"/board/api/1/{name}" in page


def test_a_card_may_be_framed_anywhere_without_script_and_no_other_page_may(
    client: Client, country: Path
) -> None:
    response = client.get(f"/board/embed/number/{NUMBER}/")
    policy = response.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in policy
    assert "script-src 'none'" in policy
    assert "X-Frame-Options" not in response.headers
    assert "<script" not in response.content.decode()
    assert "26.7%" in response.content.decode()
    assert not response.cookies
    for address in (f"/board/number/{NUMBER}/", "/board/", "/board/embed/number/nothing/"):
        other = client.get(address)
        assert other.status_code == 404 or other.headers["X-Frame-Options"] == "DENY"
        if other.status_code == 200:
            assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
