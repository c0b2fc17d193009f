"""J10, trace a number: from a public charge rate down to the byte in a published file, and up again."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page
from tests.published import two_forces

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.measures.actions import import_crimes

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
ADDRESS = "charged.cleveland.2021-03_2021-05.all"


@pytest.fixture
def country(home: Path, tmp_path: Path) -> Path:
    """A small made-up country, imported."""
    two_forces(tmp_path)
    import_crimes([tmp_path], by=Viewer.clock())
    return tmp_path


def follow(page: Page, name: str) -> None:
    """Follow a link by its words with the keyboard alone."""
    page.get_by_role("link", name=name).first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_public_charge_rate_leads_to_its_definition_its_rows_and_the_bytes_of_a_file(
    country: Path, device: Callable[..., BrowserContext], live_server: object
) -> None:
    site = str(live_server.url)  # type: ignore[attr-defined]
    context = device(script=False)
    page = context.new_page()
    page.goto(f"{site}/board/")
    follow(page, "Cleveland Police")
    follow(page, "30.3%")
    assert page.url == f"{site}/board/number/{ADDRESS}/"

    # The definition: what is counted and divided, what is left out, on which basis, how sure it is.
    terms = page.locator("dl.cfb-definition dt").all_inner_texts()
    for term in (
        "Divided by",
        "Counted",
        "Left out",
        "Counted by",
        "Small numbers",
        "Keep in mind",
        "Interval",
    ):
        assert term in terms
    body = page.locator("main").inner_text()
    assert "Anti-social behaviour (a call, not a crime)" in body
    assert "17.4% to 47.3% (95% interval)" in body
    assert "10 ÷ 33 = 30.3%" in body
    value = page.locator(".cf-number__value").inner_text()

    # Down to the rows, and from a row to the byte of the very file.
    follow(page, "See the 10 crimes that were charged")
    rows = page.locator("ol.cfb-rows > li")
    assert rows.count() == 10
    for n in range(rows.count()):
        for where, raw in zip(
            rows.nth(n).locator(".cfb-where").all(), rows.nth(n).locator(".cfb-raw").all(), strict=True
        ):
            at = int(re.search(r"byte ([\d,]+)", where.inner_text())[1].replace(",", ""))  # type: ignore[index]
            digest = re.search(r"[0-9a-f]{64}", where.inner_text())[0]  # type: ignore[index]
            file = context.request.get(f"{site}/board/file/{digest}/").body()
            assert hashlib.sha256(file).hexdigest() == digest
            assert file[at:].decode().startswith(raw.inner_text().strip())

    # Up again: worked out anew from raw bytes, the interface and the command's own list, all say the same to the bit.
    again = queries.recompute(Viewer.public(), ADDRESS)
    assert again.same
    assert f"{again.value}%" == value
    said = json.loads(context.request.get(f"{site}/board/api/1/number/{ADDRESS}.json").body())
    assert f"{said['data']['value']}%" == value
    assert said["data"]["rests_on"] == again.shown.basis


def test_what_was_not_published_is_missing_at_every_step_and_never_nought(
    country: Path, device: Callable[..., BrowserContext], live_server: object
) -> None:
    site = str(live_server.url)  # type: ignore[attr-defined]
    page = device(script=False).new_page()
    page.goto(f"{site}/board/series/crimes/city-of-london/robbery/")
    assert page.locator("td.cfb-missing").all_inner_texts() == ["missing"]
    page.locator("td.cfb-missing a").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(".cf-number__value").inner_text() == "Not published"
    page.goto(f"{site}/board/compare/?kind=robbery&period=2021-03_2021-05")
    assert "City of London Police" in page.locator("section[aria-labelledby=apart]").inner_text()
    page.goto(f"{site}/board/targets/")
    assert page.get_by_text("No table held: not known.").count() == 6
