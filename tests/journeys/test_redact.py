"""A redaction in a real browser: boxes are drawn by mouse and moved by keys; without a script, by numbers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from playwright.sync_api import BrowserContext, Page
from tests import films, scenes
from tests.cast import Cast
from tests.desk.signing import signed_in
from tests.journeys.conftest import Keys

from counterfoil.evidence import redactions
from counterfoil.evidence.models import Redaction

pytestmark = pytest.mark.journey
# A folder for pictures of the pages, for people to look at; none are taken without it.
PICTURES = os.environ.get("COUNTERFOIL_PICTURES", "")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


def sign_in(context: BrowserContext, site: str, cast: Cast) -> None:
    """Bring Alice's session from the sign-in pages into the browser."""
    client = signed_in(cast, "alice")
    host = urlparse(site).hostname or ""
    context.add_cookies(
        [
            {"name": n, "value": m.value, "domain": host, "path": "/"}
            for n, m in client.cookies.items()
            if m.value
        ]
    )


@pytest.fixture
def review(people: Cast, tmp_path: Path) -> Any:
    """A film of 30 frames with sound under review, with a proposal of the detector (or one like it)."""
    data = films.moving_face(tmp_path / "in.mkv", 30).read_bytes()
    scene = scenes.exhibited(people, files=[("street.mkv", data)])
    made = redactions.begin(scene.case, scene.exhibit, by=people.alice)
    redactions.prepare(made)
    row = Redaction.objects.get(pk=made)
    if not row.found["tracks"]:
        row.found["tracks"] = [
            {"id": "t1", "keys": [[0, 20, 40, 60, 80], [29, 140, 50, 60, 80]], "first": 0, "last": 29, "sure": 812,
             "seen": 30}
        ]  # fmt: skip
        row.save()
    return row


def test_boxes_are_drawn_by_mouse_and_moved_by_keys_and_the_page_is_accessible(
    site: str, people: Cast, device: Callable[..., BrowserContext], review: Any
) -> None:
    context = device(width=1366, height=768)
    sign_in(context, site, people)
    page = context.pages[0]
    keys = Keys(page, site)
    address = f"/desk/cases/{review.case_id}/redactions/{review.pk}"
    keys.open(address)
    assert "Face 1" in keys.words()
    picture(page, "redact-open")
    # Frames turn by the arrow keys, and the picture and the box follow.
    first = page.locator("#marks rect").first.get_attribute("x")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert page.locator("#goto").input_value() == "6"
    assert page.locator("#sheet").get_attribute("href").endswith("/frames/6")
    assert page.locator("#marks rect").first.get_attribute("x") != first
    # A box drawn with the mouse fills in the numbers; keys move it; the form is what is sent.
    shown = page.locator("#picture").bounding_box()
    assert shown
    page.mouse.move(shown["x"] + shown["width"] * 0.5, shown["y"] + shown["height"] * 0.7)
    page.mouse.down()
    page.mouse.move(shown["x"] + shown["width"] * 0.6, shown["y"] + shown["height"] * 0.85, steps=4)
    page.mouse.up()
    left, wide = int(page.locator("#x").input_value()), int(page.locator("#w").input_value())
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert (int(page.locator("#x").input_value()), int(page.locator("#w").input_value())) == (
        left + 2,
        wide + 2,
    )
    page.select_option("#what", "plate")
    page.fill("#until", "20")
    picture(page, "redact-drawn")
    page.click("#boxform button")
    page.wait_for_url("**frame=6**")
    row = Redaction.objects.get(pk=review.pk)
    ((box,),) = [row.work["boxes"]]
    assert (box["what"], box["keys"][0][0], box["keys"][-1][0], box["keys"][0][1]) == (
        "plate",
        6,
        20,
        left + 2,
    )
    keys.look()
    page.click("#faces form button")
    page.fill("#from_ms", "0.5")
    page.fill("#to_ms", "1.25")
    page.click("#sound form.r-row button")
    keys.look()
    page.keyboard.press("v")
    page.wait_for_url("**view=preview**")
    keys.look()
    picture(page, "redact-preview")
    page.emulate_media(color_scheme="dark")
    keys.look()
    picture(page, "redact-dark")
    page.goto(f"{site}{address}")
    page.click("#finish summary")
    page.fill("#title", "Street, face and plate removed")
    page.click("#finish button[type=submit]")
    assert "Say that you have reviewed every frame" in keys.look().words()
    picture(page, "redact-refused-dark")
    page.emulate_media(color_scheme="light")
    page.check("#reviewed")
    page.click("#finish button[type=submit]")
    assert "being made" in keys.look().words()
    picture(page, "redact-making")
    redactions.make(review.pk)
    keys.open(address)
    assert "AB/2 was made" in keys.words()
    picture(page, "redact-made")
    keys.open(f"/desk/cases/{review.case_id}/exhibits/{review.exhibit_id}/redact")
    picture(page, "redact-begin")
    assert keys.problems == []


def test_without_a_script_everything_is_done_by_links_and_numbers(
    site: str,
    people: Cast,
    device: Callable[..., BrowserContext],
    checker: Callable[[bool], Page | None],
    review: Any,
) -> None:
    context = device(script=False, width=1366, height=768)
    sign_in(context, site, people)
    page = context.pages[0]
    keys = Keys(page, site, checker=checker(False))
    keys.open(f"/desk/cases/{review.case_id}/redactions/{review.pk}")
    keys.press('.r-steps a[data-step="10"]')
    assert page.locator("#goto").input_value() == "10"
    for name, value in (("x", "200"), ("y", "150"), ("w", "40"), ("h", "20"), ("until", "12")):
        keys.type(f"#{name}", value)
    keys.press("#boxform button")
    row = Redaction.objects.get(pk=review.pk)
    assert row.work["boxes"][0]["keys"] == [[10, 200, 150, 40, 20], [12, 200, 150, 40, 20]]
    keys.press("#faces form button")
    assert "All decided" in keys.words()
    assert keys.problems == []
