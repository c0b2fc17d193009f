"""Look at pages of the desk in a real browser, signed in: nobody shut out, nothing wider than the screen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright
from tests.cast import Cast
from tests.desk.signing import signed_in

CHROMIUM = os.environ.get("COUNTERFOIL_CHROMIUM", "/usr/bin/chromium")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def look(page: Page, name: str, width: int = 1366) -> None:
    """Check a page for anybody shut out and for overflow; keep a picture where COUNTERFOIL_PICTURES says."""
    page.set_viewport_size({"width": width, "height": 800})
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, (name, found.generate_report())
    assert (
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    ), name
    if folder := os.environ.get("COUNTERFOIL_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)


@contextmanager
def a_page(site: str, cast: Cast, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Open a browser in which somebody of the cast is signed in, and give a page of it."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"NOT TESTED IN A BROWSER: no {CHROMIUM} (set COUNTERFOIL_CHROMIUM).")
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    cookies = signed_in(cast, name).cookies
    host = urlparse(site).hostname or ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(bypass_csp=True)
        context.add_cookies(
            [
                {"name": n, "value": m.value, "domain": host, "path": "/"}
                for n, m in cookies.items()
                if m.value
            ]
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        yield page
        browser.close()
