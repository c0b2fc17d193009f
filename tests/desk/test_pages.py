"""The desk's pages, walked with a real browser session, and the words on its timeline."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests import scenes
from tests.cast import Cast
from tests.desk.signing import signed_in

import counterfoil
from counterfoil.faces.desk.words import exact, timeline, when
from counterfoil.ledger.queries import Line

pytestmark = pytest.mark.django_db


def test_an_officer_opens_every_page_of_a_case(cast: Cast) -> None:
    scene = scenes.charged(cast)
    client = signed_in(cast, "alice")
    case = f"/desk/cases/{scene.case}"
    paths = [
        "/desk/", "/desk/queue", "/desk/cases", "/desk/cases?state=closed", "/desk/keys", case, f"{case}/timeline",
        f"{case}/why", f"{case}/take", f"{case}/triage", f"{case}/record", f"{case}/update",
        f"{case}/files/{scene.files[1]}/seal", f"{case}/exhibits/{scene.exhibit}",
        f"{case}/exhibits/{scene.exhibit}/retitle", f"{case}/exhibits/{scene.exhibit}/hand-over",
        f"{case}/statements/new", f"{case}/statements/{scene.statement}", f"{case}/suspects/new",
        f"{case}/charges/new", f"{case}/outcome", f"{case}/bundles/new", f"{case}/assign", f"{case}/reopen",
    ]  # fmt: skip
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.content.decode()[:3000])


def test_an_inspector_is_offered_what_an_inspector_can_do(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    page = signed_in(cast, "ines").get(f"/desk/cases/{scene.case}").content.decode()
    assert f"/desk/cases/{scene.case}/assign" in page
    for only_officers in ("statements/new", "triage", "outcome", "bundles/new"):
        assert f"/desk/cases/{scene.case}/{only_officers}" not in page


def test_every_act_of_a_case_has_words_of_its_own() -> None:
    source = Path(counterfoil.__file__).parent
    found: set[str] = set()
    for file in source.glob("*/actions.py"):
        for call in re.finditer(r"record\(\s*(.*?)on=", file.read_text(), re.DOTALL):
            found |= set(re.findall(r'"([a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*)"', call[1]))
    elsewhere = {
        "account",
        "role",
        "actor",
        "force",
        "queue",
        "posting",
        "report",
        "person",
        "tables",
        "boundaries",
        "camera",
    }
    found = {act for act in found if act.split(".")[0] not in elsewhere}
    assert len(found) > 30
    line = Line(uuid4(), "", "clock", "case:1", datetime.now(UTC), {}, b"", b"", None)
    silent = []
    for act in sorted(found):
        [event] = timeline([replace(line, act=act)], {}, {}, {})
        if event.what == act.replace(".", " ").replace("_", " ").capitalize():
            silent.append(act)
    assert silent == []


def test_times_are_said_as_short_as_they_can_be_without_doubt() -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert when(now, now) == "12pm today"
    assert when(now - timedelta(days=1, hours=2), now) == "10am yesterday"
    assert when(now + timedelta(hours=20), now) == "8am tomorrow"
    assert when(datetime(2026, 11, 24, 16, 30, tzinfo=UTC), now) == "4:30pm on Tue 24 Nov"
    assert when(datetime(2025, 7, 1, 8, 0, tzinfo=UTC), now) == "9am on Tue 1 Jul 2025"
    assert exact(datetime(2026, 7, 1, 8, 0, 3, tzinfo=UTC)) == "1 July 2026, 09:00:03"
