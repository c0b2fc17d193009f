"""The pages of an audit sample in a real browser: announced, marked with the keyboard, and nobody shut out."""

from pathlib import Path
from typing import Any

import pytest
from tests.cast import Cast
from tests.desk.seen import a_page, look
from tests.measures.test_audit_samples import REASON, finish, told

from counterfoil.ledger.actions import sequence
from counterfoil.measures import samples
from counterfoil.measures.models import Sample

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_sample_is_announced_marked_and_published(
    home: Path, cast: Cast, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(cast)
    with a_page(live_server.url, cast, "ines", monkeypatch) as page:
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
