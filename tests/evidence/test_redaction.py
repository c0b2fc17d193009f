"""Redaction: people decide about every proposal and look at every frame; what comes is a derived exhibit."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import TestCase
from tests import films, scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.redaction import faces
from counterfoil.evidence import queries, recipes, redactions, restricting
from counterfoil.evidence.models import Exhibit, Redaction
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db
REASON = "It is the officer who took the film, and she agrees to be seen."


def begun(cast: Cast, tmp_path: Path, name: str = "street.mkv", data: bytes = b"") -> tuple[Any, UUID]:
    """A film with a walking face is an exhibit, and its redaction was begun and prepared."""
    if not data:
        data = films.moving_face(tmp_path / "in.mkv", 6).read_bytes()
    scene = scenes.exhibited(cast, files=[(name, data)])
    redaction = redactions.begin(scene.case, scene.exhibit, by=cast.alice)
    redactions.prepare(redaction)
    return scene, redaction


def test_a_face_is_found_accepted_reviewed_and_gone(cast: Cast, tmp_path: Path) -> None:
    if not faces.MODEL.is_file():
        pytest.skip("the face detector's weights are not here: run tools/models.py")
    scene, redaction = begun(cast, tmp_path)
    card = redactions.redaction_for(cast.alice, scene.case, redaction)
    assert card is not None
    assert (card.state, card.kind, card.error) == ("reviewing", "film", "")
    assert [t["state"] for t in card.tracks] == [""]
    assert redactions.sit_down(scene.case, redaction, by=cast.alice)
    for number in range(6):
        picture = redactions.frame(scene.case, redaction, number, by=cast.alice)
        assert picture is not None
        assert picture[:2] == b"\xff\xd8"
    with pytest.raises(NotAllowed, match="1 face"):
        redactions.finish(scene.case, redaction, "Street, face removed", reviewed=True, by=cast.alice)
    redactions.step(scene.case, redaction, {"do": "accept", "track": "t1"}, by=cast.alice)
    redactions.step(scene.case, redaction, {"do": "mute", "from_ms": 200, "to_ms": 400}, by=cast.alice)
    with pytest.raises(BadInput, match="reviewed every frame"):
        redactions.finish(scene.case, redaction, "Street, face removed", reviewed=False, by=cast.alice)
    redactions.finish(scene.case, redaction, "Street, face removed", reviewed=True, by=cast.alice)
    redactions.make(redaction)
    row = Redaction.objects.get(pk=redaction)
    assert (row.state, row.error) == ("made", "")
    child = next(e for e in queries.exhibits_of(cast.alice, scene.case) if e.id == row.result_id)
    assert (child.label, child.media_type, child.title) == ("AB/2", "video/mp4", "Street, face removed")
    exhibit = Exhibit.objects.get(pk=child.id)
    assert exhibit.parent_id == scene.exhibit
    assert exhibit.recipe["settings"]["review"]["tracks"]["t1"]["decision"] == "accept"
    entry = Entry.objects.get(act="exhibit.redacted")
    assert entry.body["recipe_sha256"] == recipes.digest(exhibit.recipe)
    reviewed = Entry.objects.get(act="redaction.reviewed")
    assert (reviewed.body["frames"], reviewed.body["plan_sha256"]) == (6, row.plan_sha256)
    assert reviewed.by == cast.alice.id
    # Nobody's face is left in any frame, and the recipe gives the very same bytes again.
    made = tmp_path / "made.mp4"
    with vault().open(child.sha256) as f:
        made.write_bytes(f.read())
    import av

    with av.open(str(made)) as source:
        assert [faces.find(f.to_ndarray(format="rgb24"), 0.3) for f in source.decode(video=0)] == [[]] * 6
    with recipes.master(exhibit.recipe["input_sha256"]) as path:
        assert recipes.compare(exhibit.recipe, path).same_bytes


def test_a_face_is_left_visible_only_with_a_reason_that_is_kept(cast: Cast, tmp_path: Path) -> None:
    if not faces.MODEL.is_file():
        pytest.skip("the face detector's weights are not here: run tools/models.py")
    scene, redaction = begun(cast, tmp_path)
    with pytest.raises(BadInput, match="reason"):
        redactions.step(scene.case, redaction, {"do": "reject", "track": "t1", "reason": ""}, by=cast.alice)
    redactions.step(scene.case, redaction, {"do": "reject", "track": "t1", "reason": REASON}, by=cast.alice)
    kept = Entry.objects.get(act="redaction.changed").body["reason_sha256"]
    assert kept == hashlib.sha256(REASON.encode()).hexdigest()
    redactions.sit_down(scene.case, redaction, by=cast.alice)
    with pytest.raises(NotAllowed, match="remove nothing"):
        redactions.finish(scene.case, redaction, "Nothing removed", reviewed=True, by=cast.alice)


def test_frames_are_shown_only_after_an_entry_and_only_to_those_on_the_case(
    cast: Cast, tmp_path: Path
) -> None:
    scene, redaction = begun(cast, tmp_path)
    assert redactions.frame(scene.case, redaction, 0, by=cast.alice) is None
    assert redactions.sit_down(scene.case, redaction, by=cast.alice)
    assert redactions.sit_down(scene.case, redaction, by=cast.alice)
    assert Entry.objects.filter(act="exhibit.viewed").count() == 1
    assert redactions.frame(scene.case, redaction, 0, by=cast.alice)
    assert redactions.frame(scene.case, redaction, 6, by=cast.alice) is None
    assert not redactions.sit_down(scene.case, redaction, by=cast.charlie)
    assert redactions.frame(scene.case, redaction, 0, by=cast.charlie) is None
    assert redactions.redaction_for(cast.charlie, scene.case, redaction) is None


def test_who_has_not_looked_cannot_say_that_they_reviewed(cast: Cast, tmp_path: Path) -> None:
    scene, redaction = begun(cast, tmp_path)
    redactions.step(scene.case, redaction, {"do": "accept_rest"}, by=cast.alice)
    redactions.step(scene.case, redaction, {"do": "blank", "first": 0, "last": 3}, by=cast.alice)
    with pytest.raises(NotAllowed, match="not looked"):
        redactions.finish(scene.case, redaction, "Street, blanked", reviewed=True, by=cast.alice)


def test_nothing_is_looked_at_or_made_of_a_restricted_exhibit(cast: Cast, tmp_path: Path) -> None:
    scene, redaction = begun(cast, tmp_path)
    redactions.step(scene.case, redaction, {"do": "accept_rest"}, by=cast.alice)
    redactions.step(scene.case, redaction, {"do": "blank", "first": 0, "last": 3}, by=cast.alice)
    redactions.sit_down(scene.case, redaction, by=cast.alice)
    redactions.finish(scene.case, redaction, "Street, blanked", reviewed=True, by=cast.alice)
    ((pack, _),) = redactions.sheets_of(scene.exhibit)
    assert vault().has(pack)
    with TestCase.captureOnCommitCallbacks(execute=True):
        restricting.restrict(scene.case, scene.exhibit, REASON, by=cast.alice)
    redactions.make(redaction)
    assert Redaction.objects.get(pk=redaction).state == "failed"
    assert Exhibit.objects.filter(parent__isnull=False).count() == 0
    assert redactions.sheets_of(scene.exhibit) == []
    assert not vault().has(pack)
    assert redactions.frame(scene.case, redaction, 0, by=cast.alice) is None
    with pytest.raises(NotAllowed, match="restricted"):
        redactions.begin(scene.case, scene.exhibit, by=cast.alice)


def test_a_file_that_cannot_be_read_fails_with_a_sentence(cast: Cast, tmp_path: Path) -> None:
    scene, redaction = begun(cast, tmp_path, "broken.mp4", scenes.clip())
    card = redactions.redaction_for(cast.alice, scene.case, redaction)
    assert card is not None
    assert card.state == "failed"
    assert card.error
    assert Entry.objects.filter(act="redaction.failed").count() == 1
