"""The pages on the courts and on young crimes in a real browser: open to all, and no wider than a phone."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from tests.board.test_change import files
from tests.board.test_courts import court

from counterfoil.accounts.rules import Viewer
from counterfoil.measures.actions import import_crimes

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
CHROMIUM = os.environ.get("COUNTERFOIL_CHROMIUM", "/usr/bin/chromium")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAGES = (
    "/board/courts/",
    "/cy/board/courts/?sitting=90",
    "/board/change/",
    "/board/change/cleveland/?apart=3",
    "/cy/board/change/cleveland/",
    "/board/change/gwent/",
)


def test_no_page_shuts_anybody_out_or_overflows_a_phone(
    home: Path, tmp_path: Path, live_server: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"NOT TESTED IN A BROWSER: no {CHROMIUM} (set COUNTERFOIL_CHROMIUM).")
    crimes, courts = tmp_path / "crimes", tmp_path / "courts"
    crimes.mkdir()
    courts.mkdir()
    files(crimes, "cleveland")
    files(crimes, "gwent", without=("2021-11",))
    import_crimes([crimes], by=Viewer.clock())
    court(courts)
    # The browser's own loop runs in this thread, and Django would refuse the database for it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        # The checker puts a script into the page, which the page's own policy would refuse.
        page = browser.new_context(viewport={"width": 360, "height": 740}, bypass_csp=True).new_page()
        for address in PAGES:
            page.goto(f"{live_server.url}{address}")  # type: ignore[attr-defined]
            found = Axe().run(page, options=RULES)
            assert found.violations_count == 0, (address, found.generate_report())
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide == 0, address
        browser.close()
