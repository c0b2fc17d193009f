"""The review of a redaction on the desk: every frame by links and numbers alone, decisions by forms."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests import films, scenes
from tests.cast import Cast
from tests.desk.signing import signed_in

from counterfoil.evidence import redactions
from counterfoil.evidence.models import Redaction
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db
REASON = "It is the officer who took the film, and she agrees to be seen."


@pytest.fixture
def under_review(cast: Cast, tmp_path: Path) -> tuple[Client, str, Any]:
    """Alice's browser, the address of a review and the redaction: a film of 16 frames with one proposed face."""
    data = films.moving_face(tmp_path / "in.mkv", 16).read_bytes()
    scene = scenes.exhibited(cast, files=[("street.mkv", data)])
    alice = signed_in(cast, "alice")
    began = alice.post(f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}/redact", {"token": "t"})
    assert began.status_code == 303
    address = began["Location"].partition("#")[0]
    row = Redaction.objects.get()
    waiting = alice.get(address).content.decode()
    assert "frame by frame" in waiting
    assert 'http-equiv="refresh"' in waiting
    redactions.prepare(row.pk)
    row.refresh_from_db()
    # What a detector proposes is data: the page is tested with one proposal, wherever the detector is absent.
    row.found["tracks"] = [
        {
            "id": "t1",
            "keys": [[0, 20, 40, 60, 80], [15, 80, 50, 60, 80]],
            "first": 0,
            "last": 15,
            "sure": 812,
            "seen": 16,
        }
    ]
    row.save()
    return alice, address, row


def test_a_redaction_goes_from_proposal_to_exhibit_by_forms_alone(
    under_review: tuple[Client, str, Any],
) -> None:
    alice, address, row = under_review
    page = alice.get(address).content.decode()
    assert "Face 1" in page
    assert "81% sure" in page
    assert Entry.objects.filter(act="exhibit.viewed").count() == 1
    picture = alice.get(f"{address}/frames/15")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    assert alice.get(f"{address}/frames/16").status_code == 404
    gone = alice.post(address, {"do": "accept", "track": "t1", "here": "7"})
    assert gone["Location"] == f"{address}?frame=7#stage"
    drawn = {
        "do": "box",
        "what": "plate",
        "x": "200",
        "y": "150",
        "w": "40",
        "h": "20",
        "frame": "3",
        "until": "9",
    }
    assert alice.post(address, drawn).status_code == 303
    moved = {
        "do": "box",
        "box": "b1",
        "what": "plate",
        "x": "180",
        "y": "150",
        "w": "40",
        "h": "20",
        "frame": "6",
    }
    assert alice.post(address, moved).status_code == 303
    assert alice.post(address, {"do": "mute", "from_ms": "0.2", "to_ms": "0:00.600"}).status_code == 303
    assert alice.post(address, {"do": "blank", "first": "14", "last": "15"}).status_code == 303
    row.refresh_from_db()
    assert [k[0] for k in row.work["boxes"][0]["keys"]] == [3, 6, 9]
    assert (row.work["mute"], row.work["blank"]) == ([[200, 600]], [[14, 15]])
    refused = alice.post(address, {"do": "finish", "title": "Street without faces"})
    assert refused.status_code == 400
    assert "reviewed every frame" in refused.content.decode()
    assert 'value="Street without faces"' in refused.content.decode()
    done = alice.post(address, {"do": "finish", "title": "Street without faces", "reviewed": "yes"})
    assert done.status_code == 303
    redactions.make(row.pk)
    assert "AB/2" in alice.get(address).content.decode()
    assert "by redaction" in alice.get(f"/desk/cases/{row.case_id}/timeline").content.decode()


def test_wrong_numbers_are_said_at_their_field_and_kept(under_review: tuple[Client, str, Any]) -> None:
    alice, address, _ = under_review
    answer = alice.post(
        address,
        {"do": "box", "what": "plate", "x": "ten", "y": "5", "w": "4", "h": "4", "frame": "1", "until": "1"},
    )
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "The left edge is a whole number." in text
    assert 'value="ten"' in text
    answer = alice.post(address, {"do": "reject", "track": "t1", "reason": "no"})
    assert answer.status_code == 400
    assert "Give your reason" in answer.content.decode()
    answer = alice.post(address, {"do": "mute", "from_ms": "soon", "to_ms": "2"})
    assert "Give a time like 12.5" in answer.content.decode()


def test_a_face_left_visible_is_drawn_and_listed_as_such(under_review: tuple[Client, str, Any]) -> None:
    alice, address, _ = under_review
    assert alice.post(address, {"do": "reject", "track": "t1", "reason": REASON}).status_code == 303
    text = alice.get(f"{address}?frame=4").content.decode()
    assert "r-mark--reject" in text
    assert "left visible" in text
    assert REASON not in text
