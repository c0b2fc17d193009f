"""The hotspot and patrol pages in a real browser, from who lives there to a visit logged, by keyboard."""

from typing import Any

import pytest
from django.utils import timezone
from tests.cast import Cast
from tests.desk.seen import a_page, look
from tests.desk.test_hotspots import WHY, town

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
__all__ = ["town"]


def test_it_is_looked_at_switched_on_planned_and_logged(
    town: Cast, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_page(live_server.url, town, "ines", monkeypatch) as page:
        page.goto(f"{live_server.url}/desk/hotspots?kind=Robbery")
        look(page, "desk-hotspots-off")
        look(page, "desk-hotspots-off", 360)
        page.locator("input[name=looked]").check()
        page.locator("[name=reason]").fill(WHY)
        page.locator("form:has(input[name=seen]) button").press("Enter")
        page.locator("svg").first.wait_for()
        look(page, "desk-hotspots-on")
        look(page, "desk-hotspots-on", 360)
        page.get_by_role("link", name="Plan patrols").press("Enter")
        page.locator("[name=spots]").fill("2")
        page.locator("[name=units]").fill("1")
        page.locator("[name=minutes]").fill("120")
        page.get_by_role("button", name="Make the plan").press("Enter")
        page.wait_for_url("**/desk/patrols/*")
        look(page, "desk-patrols")
        page.locator("[name=minutes]").fill("15")
        page.locator("[name=day]").fill(str(timezone.localdate()))
        page.get_by_role("button", name="Log it").press("Enter")
        page.get_by_role("cell", name="15", exact=True).first.wait_for()
        look(page, "desk-patrols-logged")
        look(page, "desk-patrols-logged", 360)
