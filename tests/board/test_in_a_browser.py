"""The board in a real browser: no script needed, nothing that shuts people out, no page wider than the phone."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright
from tests.published import two_forces

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.measures.actions import import_boundaries, import_crimes

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
CHROMIUM = os.environ.get("COUNTERFOIL_CHROMIUM", "/usr/bin/chromium")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAGES = (
    "",
    "about/",
    "files/",
    "force/cleveland/",
    "force/city-of-london/",
    "force/cleveland/?type=anti-social-behaviour",
    "number/charged.cleveland.2021-03_2021-05.all/",
    "number/crimes.city-of-london.2021-04_2021-04.all/",
    "number/charged.cleveland.2021-03_2021-05.all/rows/?part=charged",
    "number/nothing/",
    "targets/",
    "prove-it/",
    "integrity/",
    "integrity/cleveland/",
    "samples/",
    "compare/",
    "over-time/?measure=charged",
    "series/crimes/city-of-london/robbery/",
    "api/",
    "measure/charged/",
    "embed/number/charged.cleveland.2021-03_2021-05.burglary/",
)


@pytest.fixture
def country(home: Path, tmp_path: Path) -> None:
    """A small made-up country with an outline, imported."""
    two_forces(tmp_path)
    import_crimes([tmp_path], by=Viewer.clock())
    queries.look_through()
    ring = [[[-1.4, 54.4], [-1.4, 54.8], [-1.0, 54.8], [-1.0, 54.4], [-1.4, 54.4]]]
    area = {"properties": {"name": "Cleveland"}, "geometry": {"type": "Polygon", "coordinates": ring}}
    (tmp_path / "areas.geojson").write_text(json.dumps({"features": [area]}))
    import_boundaries(tmp_path / "areas.geojson", by=Viewer.clock())


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A browser; skips loudly where there is none."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"NOT TESTED IN A BROWSER: no {CHROMIUM} (set COUNTERFOIL_CHROMIUM).")
    # The browser's own loop runs in this thread, and Django would refuse the database for it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def wider_than_the_window(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(
    ("language", "pages"), [("", PAGES), ("/cy", (*PAGES[3:8:3], "targets/", "compare/"))]
)
def test_no_page_shuts_anybody_out_or_overflows_a_phone(
    country: None, chromium: Any, live_server: Any, language: str, pages: tuple[str, ...]
) -> None:
    # The checker puts a script into the page, which the page's own policy would refuse.
    page = chromium.new_context(viewport={"width": 360, "height": 740}, bypass_csp=True).new_page()
    for address in pages:
        page.goto(f"{live_server.url}{language}/board/{address}")
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, (address, found.generate_report())
        assert wider_than_the_window(page) == 0, address


def test_the_way_from_a_force_to_the_row_needs_no_script_and_no_mouse(
    country: None, chromium: Any, live_server: Any
) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/board/")
    for name in ("Cleveland Police", "30.3%", "See the 10 crimes that were charged"):
        page.get_by_role("link", name=name).first.focus()
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    assert page.get_by_role("heading", level=1).inner_text() == "The rows behind a number"
    assert page.locator("ol.cfb-rows > li").count() == 10
    page.goto(f"{live_server.url}/board/force/cleveland/")
    page.get_by_label("Show one type of crime").select_option("burglary")
    page.get_by_role("button", name="Show").press("Enter")
    assert "type=burglary" in page.url
    # The map is a picture from our own address, and the page's policy was broken by nothing.
    drawn = "picture => picture.complete && picture.naturalWidth > 0"
    for _ in range(100):
        if page.locator("img.cfb-map__img").evaluate(drawn):
            break
        page.wait_for_timeout(100)
    assert page.locator("img.cfb-map__img").evaluate(drawn)
    assert faults == []
