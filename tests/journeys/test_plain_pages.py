"""Every page off the main way passes the accessibility checker and fits the screen, at three widths."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext
from tests.journeys.conftest import Keys
from tests.portal.walk import Visitor

from counterfoil.duties import actions as duties

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("prefix", "width"), [("", 360), ("/cy", 768), ("", 1366)], ids=["360", "768-welsh", "1366"]
)
def test_every_other_page_passes_the_checker(
    site: str, device: Callable[..., BrowserContext], prefix: str, width: int
) -> None:
    reference, words = Visitor().start().answer_all().send().codes[:2]
    duties.sweep(timezone.now() + timedelta(hours=30))
    someone = Keys(device(width=width, height=768).pages[0], site, prefix)
    page = someone.page
    for address in (
        "/",
        "/track",
        "/return",
        "/receipt",
        "/privacy",
        "/cookies",
        "/accessibility",
        "/closed",
    ):
        someone.open(address)
    for address in ("/q/1", "/progress", "/nothing-here"):
        someone.open(address)
        assert page.locator("h1").count() == 1
    for address in ("/track", "/return", "/receipt"):
        someone.open(address)
        page.locator("main form .govuk-button").click()
        someone.look()
        assert page.locator("[data-focus]").evaluate("e => e === document.activeElement")
    someone.open("/track")
    page.fill("#reference", reference)
    page.fill("#words", words)
    page.locator("main form .govuk-button").click()
    someone.look()
    assert page.locator(".cf-note--late").count() == 1
    someone.open("/")
    page.locator('button[value="fraud"]').click()
    someone.look().open("/now").open("/fit")
    page.locator('input[value="no"]').check()
    page.locator("main form .govuk-button").click()
    assert page.url.endswith("/here")
    someone.look()
    page.locator("main form .govuk-button").click()
    someone.look()
    assert someone.problems == []
