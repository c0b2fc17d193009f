"""J1: a burglary reported with evidence, left half-way, come back to by code, and a receipt that checks."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page
from tests.journeys.conftest import Keys
from tests.portal.walk import CLIP, PHOTO

from counterfoil.cases import queries as cases
from counterfoil.reports.models import Report

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


# The suite goes two of the four ways, so that each language and each kind of page is gone once.
WAYS = {"script-english": (True, ""), "no-script-welsh": (False, "/cy")}
if os.environ.get("COUNTERFOIL_DEPTH") == "full":
    WAYS |= {"no-script-english": (False, ""), "script-welsh": (True, "/cy")}


@pytest.mark.parametrize(("script", "prefix"), WAYS.values(), ids=WAYS)
def test_a_burglary_is_reported_with_evidence_by_keyboard_alone(
    site: str,
    device: Callable[..., BrowserContext],
    checker: Callable[[bool], Page | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    script: bool,
    prefix: str,
) -> None:
    monkeypatch.setattr("counterfoil.faces.portal.forms.FILE_LIMIT", 20_000)
    settings.FILE_LIMIT = 20_000
    clip, big, wrong = tmp_path / "clip.mp4", tmp_path / "whole night.mp4", tmp_path / "nothing.mp4"
    clip.write_bytes(CLIP)
    big.write_bytes(CLIP * 10)
    wrong.write_bytes(b"")

    look = checker(script)
    # On the borrowed phone: as far as the files, then away.
    first = device(script=script)
    someone = Keys(first.pages[0], site, prefix, look).start("burglary").answer_until("#files")
    someone.choose("#files", clip, big, wrong)
    if script:  # sent in pieces, each with its own answer, and the page stays because two were refused
        someone.reach(someone.page.locator('button[value="next"]'))
        someone.page.keyboard.press("Enter")
        someone.page.locator(".cf-upload.is-failed").nth(1).wait_for()
        someone.look()
    else:
        someone.press('button[value="next"]')
    said = someone.words()
    assert "nothing.mp4" in said
    assert "whole night.mp4" in said
    assert someone.page.locator(".cf-files li .cf-state--good").count() == 1
    assert someone.page.title().startswith("Gwall: " if prefix else "Error: ")
    someone.press('button[value="save"]')
    # They know who did it, so nothing is shown before they say that this device is safe.
    assert someone.page.locator(".cf-ticket .cf-code").count() == 0
    someone.press('button[value="show"]')
    code = someone.page.locator(".cf-ticket .cf-code").inner_text()
    someone.type("#code", code).press("main form .govuk-button")
    assert someone.page.locator(".cf-note--good").count() == 1
    problems = someone.problems
    first.close()

    # Elsewhere, later.
    second = device(script=script, width=1366, height=768)
    someone = Keys(second.pages[0], site, prefix, look).open("/return").type("#code", code.lower()).go_on()
    someone.answer_until("/check")
    assert "clip.mp4" in someone.words()
    someone.press('a[href$="/q/1/change"]').tick('input[value="business"]').press('button[value="next"]')
    assert someone.page.url.endswith("/check")
    someone.press('button[value="send"]')
    reference = someone.page.locator(".cf-ticket .cf-code").inner_text()
    words = someone.page.locator(".cf-words").inner_text()
    report = Report.objects.get()
    assert report.reference == reference
    assert report.answers["place_type"] == "business"
    assert cases.reports_without_case() == []
    assert len(someone.page.locator(".cf-receipt .cf-digest").all()) == 1
    assert someone.page.locator(".cf-event--next").count() == 3
    someone.type("#words", words).press("main form .govuk-button")
    assert someone.page.locator(".cf-note--good").count() == 1

    # Going back and sending again makes nothing new.
    someone.page.go_back()
    someone.page.go_back()
    assert Report.objects.count() == 1

    # The receipt checks, with the file it lists and not with another.
    other = tmp_path / "other.jpg"
    other.write_bytes(PHOTO)
    note = tmp_path / "receipt.txt"
    note.write_text(report.receipt)
    someone.open("/receipt").choose("#receipt", note).choose("#files", clip, other).press(
        "main form .govuk-button"
    )
    assert someone.page.locator(".cf-note--good").count() == 1
    assert someone.page.locator(".cf-state--good").count() == 1
    assert someone.page.locator(".cf-state--bad").count() == 1

    # And what happens can be followed.
    someone.open("/track").type("#reference", reference.lower()).type("#words", words).press(
        "main form .govuk-button"
    )
    assert someone.page.url.endswith(f"{prefix}/progress")
    assert someone.page.locator(".cf-event--next").count() == 3
    assert [*problems, *someone.problems] == []
