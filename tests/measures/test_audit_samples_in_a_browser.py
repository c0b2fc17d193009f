"""The pages of an audit sample in a real browser: announced, marked with the keyboard, and nobody shut out."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, sync_playwright
from tests.cast import Cast
from tests.desk.signing import signed_in
from tests.measures.test_audit_samples import REASON, finish, told

from counterfoil.ledger.actions import sequence
from counterfoil.measures import samples
from counterfoil.measures.models import Sample

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
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


def test_a_sample_is_announced_marked_and_published(
    home: Path, cast: Cast, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"NOT TESTED IN A BROWSER: no {CHROMIUM} (set COUNTERFOIL_CHROMIUM).")
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    told(cast)
    client: Client = signed_in(cast, "ines")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(bypass_csp=True)
        host = urlparse(live_server.url).hostname or ""
        context.add_cookies(
            [
                {"name": n, "value": m.value, "domain": host, "path": "/"}
                for n, m in client.cookies.items()
                if m.value
            ]
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{live_server.url}/desk/samples")
        look(page, "desk-samples-empty")
        page.get_by_label("First day").fill("2026-03-02")
        page.get_by_label("Last day").fill("2026-02-22")
        page.get_by_label("How many reports").fill("20")
        page.get_by_role("button", name="Announce").press("Enter")
        look(page, "desk-samples-refused")
        page.get_by_label("Last day").fill("2026-03-22")
        page.get_by_role("button", name="Announce").press("Enter")
        page.get_by_text("It is announced and not drawn").wait_for()
        look(page, "desk-sample-announced")
        sequence()
        assert samples.draw_waiting() == 1
        page.reload()
        look(page, "desk-sample")
        page.get_by_role("link", name="Mark item 1", exact=True).press("Enter")
        look(page, "desk-sample-item")
        page.get_by_label("Yes").first.check()
        if page.get_by_text("right class").count():
            page.get_by_label("Yes").nth(1).check()
        page.get_by_label("Why", exact=True).fill(REASON)
        page.get_by_role("button", name="Keep this mark").press("Enter")
        page.get_by_role("heading", name="Item 2").wait_for()
        sample = Sample.objects.get()
        page.goto(f"{live_server.url}/desk/samples/{sample.pk}/1")
        look(page, "desk-sample-item-marked")
        finish(cast, sample.pk)
        page.goto(f"{live_server.url}/desk/samples/{sample.pk}")
        look(page, "desk-sample-done")
        for width in (360, 1366):
            for language in ("", "/cy"):
                page.goto(f"{live_server.url}{language}/board/samples/")
                look(page, f"board-samples{language.replace('/', '-')}", width)
                page.goto(f"{live_server.url}{language}/board/samples/{sample.pk}/")
                look(page, f"board-sample{language.replace('/', '-')}", width)
        browser.close()
