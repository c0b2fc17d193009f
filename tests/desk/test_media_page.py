"""The page on which a recording is watched: it works without scripts, in parts, and every look is an entry."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from tests import reels, scenes
from tests.cast import Cast
from tests.desk.signing import signed_in

from counterfoil.evidence import actions, copies, extracts, times
from counterfoil.evidence.models import Exhibit, Extract
from counterfoil.faces.desk.views.media import offset_of, offset_words
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def watched(cast: Cast, tmp_path: Path) -> tuple[scenes.Scene, Client, str]:
    """Alice sealed a recording, its copies were made, and she is signed in."""
    data = reels.reel(tmp_path / "a.mp4", 30, sound=True).read_bytes()
    scene = scenes.recorded(cast, files=(("gate.mp4", data),))
    scene.exhibit = actions.seal(scene.case, scene.files[0], "Recording of the side gate", by=scene.by)
    copies.ask(str(scene.exhibit))
    copies.make_copies(scene.exhibit)
    return scene, signed_in(cast, "alice"), f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}"


def fetched(client: Client, path: str, **headers: str) -> tuple[Any, bytes]:
    """Return an answer and all its bytes, read to the end so that its file is let go."""
    answer: Any = client.get(path, headers=headers)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer, body


def looks() -> int:
    return Entry.objects.filter(act="exhibit.viewed").count()


def test_the_page_shows_player_sheet_record_and_forms_and_is_one_entry(
    watched: tuple[scenes.Scene, Client, str], cast: Cast
) -> None:
    scene, client, at = watched
    page = client.get(f"{at}/media").content.decode()
    for wanted in (
        "<video",
        "poster=",
        'class="m-sheet"',
        "30, of them",
        "no manifest",
        'name="at"',
        'name="start"',
    ):
        assert wanted in page, wanted
    assert looks() == 1
    assert scene.exhibit
    by_kind = {c.kind: c for c in copies.copies_of(scene.exhibit)}
    for c in by_kind.values():
        answer, body = fetched(client, f"{at}/copies/{c.id}")
        assert (answer.status_code, len(body)) == (200, c.size)
    assert looks() == 1, "the page's entry names every copy that it shows"
    for who in ("charlie", "bruno"):
        other = signed_in(cast, who)
        nothing = other.get(f"{at}/copies/999999")
        for path in ("media", f"copies/{by_kind['proxy'].id}"):
            assert other.get(f"{at}/{path}").content == nothing.content
    assert looks() == 1


def test_a_player_gets_the_part_it_asks_for(watched: tuple[scenes.Scene, Client, str]) -> None:
    scene, client, at = watched
    assert scene.exhibit
    proxy = next(c for c in copies.copies_of(scene.exhibit) if c.kind == "proxy")
    _, whole = fetched(client, f"{at}/copies/{proxy.id}")
    part, some = fetched(client, f"{at}/copies/{proxy.id}", range="bytes=100-199")
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 100-199/{proxy.size}")
    assert some == whole[100:200]
    assert part.headers["Content-Type"] == "video/mp4"
    beyond, _ = fetched(client, f"{at}/copies/{proxy.id}", range=f"bytes={proxy.size}-")
    assert beyond.status_code == 416


def asked(client: Client, address: str, **typed: str) -> str:
    """Ask for a still or clip on the page, and return the address where its making is followed."""
    done = client.post(address, typed)
    assert done.status_code == 303, done.content.decode()
    return done.headers["Location"]


def made(address: str) -> None:
    """Do what the work process does with what was asked for."""
    extracts.make_extract(UUID(address.rsplit("/", 1)[-1]))


def test_a_still_and_a_clip_are_asked_for_on_the_page_and_made_in_the_background(
    watched: tuple[scenes.Scene, Client, str],
) -> None:
    scene, client, at = watched
    wrong = client.post(f"{at}/still", {"at": "99", "title": "The man at the gate"})
    assert wrong.status_code == 400
    assert "the last one is frame 29" in wrong.content.decode()
    assert "The man at the gate" in wrong.content.decode()
    still_page = asked(client, f"{at}/still", at="7", title="The man at the gate")
    clip_page = asked(client, f"{at}/clip", start="5", end="0:01.5", how="exact", title="He comes and goes")
    assert not Exhibit.objects.filter(parent_id=scene.exhibit).exists(), "nothing is made inside the request"
    page = client.get(still_page).content.decode()
    assert "Waiting for its turn" in page
    assert 'http-equiv="refresh"' in page
    assert "Still: The man at the gate" in client.get(f"{at}/media").content.decode()
    again = asked(client, f"{at}/still", at="7", title="The man at the gate")
    assert again == still_page, "the same wish is the same still"
    for address in (still_page, clip_page, clip_page):
        made(address)
    still, clip = Exhibit.objects.filter(parent_id=scene.exhibit).order_by("number")
    assert still.recipe["facts"]["frame"] == 7
    assert (clip.recipe["facts"]["first_frame"], clip.recipe["facts"]["last_frame"]) == (5, 15)
    for address, exhibit in ((still_page, still), (clip_page, clip)):
        page = client.get(address).content.decode()
        assert f"/exhibits/{exhibit.pk}/media" in page
        assert 'http-equiv="refresh"' not in page
    page = client.get(f"{at}/media").content.decode()
    assert "The man at the gate" in page
    assert "He comes and goes" in page
    assert "Being made from it" not in page


def test_what_only_the_recording_can_refuse_is_said_with_all_that_was_typed(
    watched: tuple[scenes.Scene, Client, str],
) -> None:
    scene, client, at = watched
    address = asked(client, f"{at}/clip", start="0:00.5", end="0:59", how="exact", title="He comes and goes")
    made(address)
    page = client.get(address).content.decode()
    assert "The recording ends at 0:00:02.9" in page
    for typed in ('value="0:00.5"', 'value="0:59"', 'value="He comes and goes"'):
        assert typed in page
    assert not Exhibit.objects.filter(parent_id=scene.exhibit).exists()
    assert "Not made" in client.get(f"{at}/media").content.decode()


def test_a_still_whose_maker_was_stopped_is_asked_for_again_and_made_once(
    watched: tuple[scenes.Scene, Client, str],
) -> None:
    scene, client, at = watched
    address = asked(client, f"{at}/still", at="7", title="The man at the gate")
    made(address)
    # Killed after the exhibit was kept and before that was noted.
    Extract.objects.update(state="making", result=None, touched_at=timezone.now() - timedelta(hours=2))
    assert extracts.sweep(timezone.now()) == 1
    made(address)
    assert Exhibit.objects.filter(parent_id=scene.exhibit).count() == 1
    assert Extract.objects.get().state == "made"


def test_the_recorders_clock_is_noted_and_a_stills_moment_follows_from_it(
    watched: tuple[scenes.Scene, Client, str],
) -> None:
    scene, client, at = watched
    typed = {
        "device_time": "2026-11-20 21:10:00", "offset": "2:05", "direction": "ahead", "measured_by": "PC Bevan",
        "measured_at": "2026-11-20 22:00", "against": "the speaking clock",
    }  # fmt: skip
    wrong = client.post(f"{at}/clock", {**typed, "direction": ""})
    assert "ahead or behind" in wrong.content.decode()
    assert client.post(f"{at}/clock", typed).status_code == 303
    made(asked(client, f"{at}/still", at="20", title="The man at the gate"))
    still = Exhibit.objects.get(parent_id=scene.exhibit)
    page = client.get(f"/desk/cases/{scene.case}/exhibits/{still.pk}/media").content.decode()
    assert "2026-11-20 21:10:02" in page
    assert "20 November 2026, 21:07:57" in page
    assert scene.exhibit
    assert times.times_of(scene.exhibit)[0].offset_ms == 125_000


def test_offsets_are_typed_and_said_in_words() -> None:
    assert [offset_of(t, "ahead") for t in ("125", "2:05", "0:02:05", "125.0 s", "")] == [125_000] * 4 + [
        None
    ]
    assert offset_of("1.5", "behind") == -1500
    assert [offset_words(n) for n in (125_000, -1500, 0, 90_061_000)] == [
        "2 min 5 s ahead",
        "1.5 s behind",
        "right to the second",
        "1 d 1 h 1 min 1 s ahead",
    ]


def test_a_copy_that_is_being_made_shows_how_far_it_is(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    copies.ask(str(scene.exhibit))
    page = signed_in(cast, "alice").get(f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}/media")
    assert "Copies are being made" in page.content.decode()
    assert "<progress" in page.content.decode()
    assert looks() == 0, "nothing was shown yet"
    assert UUID(str(scene.exhibit))
