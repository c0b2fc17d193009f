"""Technical record, working copies, derived exhibits and times: made from the sealed master, never instead of it."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from tests import reels, scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.evidence import actions, copies, queries, recipes, times
from counterfoil.evidence.models import Exhibit
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
    known = f"{new}\x00{scene.exhibit}"
    assert entry.body["parent_sha256"] == hashlib.sha256(known.encode()).hexdigest()
    assert str(scene.exhibit) not in str(entry.body), "who may not know the parent cannot read it here"
    assert row.recipe["input_sha256"] == hashlib.sha256(a_film).hexdigest()
    assert Exhibit.objects.get(pk=scene.exhibit).material == "unused"
    again = actions.derive(
        scene.case, scene.exhibit, task=STILL, settings={"at": "17"}, title="Once more", by=cast.alice
    )
    assert again == new


def test_a_copy_is_looked_at_only_under_an_entry_that_names_it(
    cast: Cast, a_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = filmed(cast, a_film)
    found = made(scene)
    assert scene.exhibit
    assert copies.look_at(scene.case, scene.exhibit, by=cast.charlie) is None
    assert copies.open_copy(scene.case, scene.exhibit, found["proxy"].id, by=cast.charlie) is None
    assert not Entry.objects.filter(act="exhibit.viewed").exists()
    for _ in range(3):
        opened = copies.open_copy(scene.case, scene.exhibit, found["proxy"].id, by=cast.alice)
        assert opened is not None
        opened[1].close()
    (entry,) = Entry.objects.filter(act="exhibit.viewed")
    assert entry.body["copies"] == [found["proxy"].sha256]
    opened = copies.open_copy(scene.case, scene.exhibit, found["poster"].id, by=cast.alice)
    assert opened is not None
    opened[1].close()
    assert Entry.objects.filter(act="exhibit.viewed").count() == 2

    def full(*_: object, **__: object) -> None:
        raise NotAllowed("The ledger cannot be written.")

    monkeypatch.setattr(copies, "record", full)
    monkeypatch.setattr(
        "counterfoil.engines.vault.Vault.open", lambda *_, **__: pytest.fail("bytes without an entry")
    )
    with pytest.raises(NotAllowed):
        copies.open_copy(scene.case, scene.exhibit, found["thumbs"].id, by=cast.alice)


def test_nothing_is_made_of_a_restricted_exhibit(cast: Cast, a_film: bytes) -> None:
    scene = filmed(cast, a_film)
    Exhibit.objects.filter(pk=scene.exhibit).update(restricted="officer")
    before = set(vault().all())
    assert made(scene) == {}
    assert scene.exhibit
    with pytest.raises(NotAllowed, match="restricted"):
        actions.derive(
            scene.case, scene.exhibit, task=STILL, settings={"at": "1"}, title="A man", by=cast.alice
        )
    assert set(vault().all()) == before
    assert Exhibit.objects.get(pk=scene.exhibit).technical == {}


def test_one_restricted_while_it_is_worked_on_keeps_nothing_of_it(
    cast: Cast, a_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = filmed(cast, a_film)
    real = recipes.carry_out

    def meanwhile(*a: Any, **k: Any) -> recipes.Result:
        result = real(*a, **k)
        Exhibit.objects.filter(pk=scene.exhibit).update(restricted="hash-list")
        return result

    monkeypatch.setattr(recipes, "carry_out", meanwhile)
    before = set(vault().all())
    assert not any(c.state == "made" for c in made(scene).values())
    assert scene.exhibit
    Exhibit.objects.filter(pk=scene.exhibit).update(restricted="")
    with pytest.raises(NotAllowed, match="restricted"):
        actions.derive(
            scene.case, scene.exhibit, task=STILL, settings={"at": "1"}, title="A man", by=cast.alice
        )
    assert set(vault().all()) == before


def test_a_file_that_cannot_be_read_says_so_and_stays_sealed(cast: Cast) -> None:
    scene = filmed(cast, scenes.clip(), "broken.mp4")
    found = made(scene)
    assert {c.state for c in found.values()} == {"refused"}
    (card,) = queries.exhibits_of(cast.alice, scene.case)
    assert "Ask whoever keeps the recorder" in card.technical["refused"]
    assert card.sha256 == hashlib.sha256(scenes.clip()).hexdigest()


def test_the_four_times_stay_apart_and_each_note_is_kept(cast: Cast, a_film: bytes) -> None:
    scene = filmed(cast, a_film)
    assert scene.exhibit
    measured = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    with pytest.raises(BadInput, match="against what"):
        times.measure_clock(
            scene.case,
            scene.exhibit,
            offset_ms=1000,
            measured_by="PC Bevan",
            measured_at=measured,
            by=cast.alice,
        )
    times.measure_clock(scene.case, scene.exhibit, device_time="2026-06-20 21:10", by=cast.alice)
    (first,) = times.times_of(scene.exhibit)
    assert (first.device_time, first.offset_ms, first.corrected) == ("2026-06-20T21:10:00", None, None)
    times.measure_clock(
        scene.case,
        scene.exhibit,
        device_time="2026-06-20 21:10:00",
        offset_ms=125_000,
        measured_by="PC Bevan",
        measured_at=timezone.now() - timedelta(hours=1),
        against="the speaking clock",
        by=cast.alice,
    )
    newest, earlier = times.times_of(scene.exhibit)
    assert earlier == first
    # British Summer Time: 21:10:00 on the recorder, 2 min 5 s fast, is 20:07:55 UTC.
    assert newest.corrected == datetime(2026, 6, 20, 20, 7, 55, tzinfo=UTC)
    assert newest.corrected != queries.exhibits_of(cast.alice, scene.case)[0].received_at
    entry = Entry.objects.filter(act="exhibit.clock_measured").latest("at")
    assert (entry.body["offset_ms"], entry.body["device_time"]) == (125_000, "2026-06-20T21:10:00")
    assert "Bevan" not in str(entry.body)


def test_a_recipe_carried_out_again_in_another_process_gives_the_same_bytes(
    cast: Cast, a_film: bytes, tmp_path: Path
) -> None:
    scene = filmed(cast, a_film)
    found = made(scene)
    master = tmp_path / "master"
    master.write_bytes(a_film)
    for copy in found.values():
        again = recipes.compare(copy.recipe, master)
        assert (again.same_bytes, again.agrees) == (True, True), (copy.kind, again)


def test_a_recipe_that_names_other_bytes_is_found_out(cast: Cast, a_film: bytes, tmp_path: Path) -> None:
    scene = filmed(cast, a_film)
    found = made(scene)["poster"]
    master = tmp_path / "master"
    master.write_bytes(a_film)
    forged = recipes.compare({**found.recipe, "output_sha256": "0" * 64}, master)
    assert not forged.agrees
    assert "not the file that the recipe makes" in forged.sentence() or "something else" in forged.sentence()
    other = recipes.compare({**found.recipe, "version": {}, "output_sha256": "0" * 64}, master)
    assert not other.agrees
    with pytest.raises(Corrupt, match="none of ours"):
        recipes.compare({**found.recipe, "task": "os:system"}, master)
    master.write_bytes(a_film + b"!")
    with pytest.raises(Corrupt, match="not the file"):
        recipes.compare(found.recipe, master)


def test_a_bundle_holds_what_a_court_can_play_and_when_it_was_recorded(cast: Cast, a_film: bytes) -> None:
    from counterfoil.courts.actions import ask_bundle
    from counterfoil.courts.gather import gather
    from counterfoil.courts.models import Bundle

    scene = scenes.suspected(cast, files=(("gate.mp4", a_film),))
    assert scene.exhibit
    found = made(scene)
    times.measure_clock(scene.case, scene.exhibit, device_time="2026-11-20 21:10:00", by=cast.alice)
    bundle = Bundle.objects.get(pk=ask_bundle(scene.case, by=cast.alice))
    from counterfoil.ledger.actions import sequence

    sequence()
    facts = gather(bundle, timezone.now())
    (exhibit,) = [x for x in facts.exhibits if x.label == "AB/1"]
    (working,) = exhibit.working
    assert (working.kind, working.sha256) == ("proxy", found["proxy"].sha256)
    assert working.recipe["input_sha256"] == exhibit.sha256
    assert exhibit.recorded is not None
    assert (exhibit.recorded.device_time, exhibit.recorded.corrected_time) == ("2026-11-20T21:10:00", None)
    assert exhibit.duration_ms == 4000
