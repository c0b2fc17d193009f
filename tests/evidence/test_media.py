"""Technical record, working copies, derived exhibits and times: made from the sealed master, never instead of it."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.utils import timezone
from PIL import Image
from tests import reels, scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import actions, copies, queries, recipes, times
from counterfoil.evidence.models import Copy, Exhibit
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db
STILL = "counterfoil.engines.media.pictures:still"


@pytest.fixture(scope="session")
def a_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A recording of forty numbered frames with sound."""
    return reels.reel(tmp_path_factory.mktemp("films") / "gate.mp4", 40, sound=True).read_bytes()


def filmed(cast: Cast, data: bytes, name: str = "gate.mp4") -> scenes.Scene:
    """Alice sealed one recording as AB/1."""
    scene = scenes.recorded(cast, files=((name, data),))
    scene.exhibit = actions.seal(scene.case, scene.files[0], "Recording of the side gate", by=scene.by)
    return scene


def made(scene: scenes.Scene) -> dict[str, copies.CopyCard]:
    """Make the copies of the scene's exhibit, as the work process does, and return them by kind."""
    assert scene.exhibit
    copies.ask(str(scene.exhibit))
    copies.make_copies(scene.exhibit)
    return {c.kind: c for c in copies.copies_of(scene.exhibit)}


def test_after_sealing_a_recording_gets_its_record_and_copies_and_each_is_an_entry(
    cast: Cast, a_film: bytes
) -> None:
    scene = filmed(cast, a_film)
    found = made(scene)
    assert {k: c.state for k, c in found.items()} == dict.fromkeys(
        ("poster", "thumbs", "waveform", "proxy"), "made"
    )
    (card,) = queries.exhibits_of(cast.alice, scene.case)
    assert (card.technical["frames"], card.technical["is"]) == (40, "video")
    assert card.sha256 == hashlib.sha256(a_film).hexdigest()
    for copy in found.values():
        with vault().open(copy.sha256) as stream:
            assert len(stream.read()) == copy.size
        assert copy.recipe["input_sha256"] == card.sha256
    entries = {e.body["copy"]: e.body for e in Entry.objects.filter(act="exhibit.prepared")}
    assert {k: e["copy_sha256"] for k, e in entries.items()} == {k: c.sha256 for k, c in found.items()}
    assert all(e["recipe_sha256"] == recipes.digest(found[k].recipe) for k, e in entries.items())
    assert Entry.objects.filter(act="exhibit.examined").count() == 1


def test_making_them_again_changes_nothing(cast: Cast, a_film: bytes) -> None:
    scene = filmed(cast, a_film)
    first = made(scene)
    entries = Entry.objects.count()
    assert made(scene) == first
    assert Entry.objects.count() == entries


def test_a_still_is_an_exhibit_with_parent_recipe_and_the_right_frame(
    cast: Cast, a_film: bytes, tmp_path: Path
) -> None:
    scene = filmed(cast, a_film)
    assert scene.exhibit
    new = actions.derive(
        scene.case,
        scene.exhibit,
        task=STILL,
        settings={"at": "17"},
        title="The man at the gate",
        by=cast.alice,
    )
    row = Exhibit.objects.get(pk=new)
    assert (row.label, row.parent_id, row.media_type) == ("AB/2", scene.exhibit, "image/png")
    with vault().open(row.sha256) as stream:
        assert reels.read_number(Image.open(stream)) == 17
    entry = Entry.objects.get(act="exhibit.derived")
    assert entry.body["recipe_sha256"] == recipes.digest(row.recipe)
    assert entry.body["parent_sha256"] == row.recipe["input_sha256"] == hashlib.sha256(a_film).hexdigest()
    assert Exhibit.objects.get(pk=scene.exhibit).material == "unused"
    again = actions.derive(
        scene.case, scene.exhibit, task=STILL, settings={"at": "17"}, title="Once more", by=cast.alice
    )
    assert again == new
