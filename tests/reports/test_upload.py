"""Taking files into quarantine: known by their bytes, never by their names, and refused one at a time."""

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput
from counterfoil.engines.tus import Stop
from counterfoil.plugs.stores import quarantine, vault
from counterfoil.reports import actions, queries, receiving
from counterfoil.reports.models import Draft, Upload
from counterfoil.reports.rules import plain_name

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(cast: Cast) -> Draft:
    cast.queue()
    return scenes.draft()


def test_a_file_is_in_quarantine_under_its_own_digest_before_it_is_listed(draft: Draft) -> None:
    data = scenes.clip(3, 70_000)
    card = actions.add_upload(draft, "VID_1.MP4", io.BytesIO(data), len(data))
    assert card.sha256 == hashlib.sha256(data).hexdigest()
    assert (card.size, card.media_type, card.extension, card.number) == (70_000, "video/mp4", "mp4", 1)
    with quarantine().open(card.sha256) as file:
        assert file.read() == data
    assert not vault().has(card.sha256)
    assert queries.files_of_draft(draft) == (card,)


def test_it_refuses_an_empty_file_with_a_sentence_that_names_it(draft: Draft) -> None:
    with pytest.raises(BadInput, match=r"empty\.jpg is empty") as refused:
        actions.add_upload(draft, "empty.jpg", io.BytesIO(b""), 0)
    assert refused.value.field == "files"
    assert queries.files_of_draft(draft) == ()


def test_it_refuses_a_file_that_is_too_big_before_reading_it(draft: Draft) -> None:
    with pytest.raises(BadInput, match="bigger than 2 GB"):
        actions.add_upload(draft, "long.mp4", io.BytesIO(scenes.clip()), actions.FILE_LIMIT + 1)


def test_a_file_bigger_than_it_said_is_stopped_while_it_streams(
    draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "FILE_LIMIT", 1000)
    with pytest.raises(BadInput):
        actions.add_upload(draft, "long.mp4", io.BytesIO(scenes.clip(1, 5000)))
    assert not Upload.objects.exists()
    assert list(quarantine().all()) == []


def test_it_takes_so_many_files_and_no_more(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "FILES_LIMIT", 2)
    for n in range(2):
        actions.add_upload(draft, f"{n}.jpg", io.BytesIO(scenes.photo(n)))
    with pytest.raises(Stop, match="no more files"):
        actions.add_upload(draft, "3.jpg", io.BytesIO(scenes.photo(3)))


def test_a_file_taken_away_is_not_sent(draft: Draft) -> None:
    first = actions.add_upload(draft, "1.jpg", io.BytesIO(scenes.photo(1)))
    second = actions.add_upload(draft, "2.jpg", io.BytesIO(scenes.photo(2)))
    actions.remove_upload(draft, first.id)
    assert queries.files_of_draft(draft) == (second,)
    accepted = actions.submit(draft)
    assert queries.report_card(accepted.report_id).files == (second,)
    assert first.sha256 not in accepted.receipt


def test_nobody_takes_a_file_off_somebody_elses_draft(cast: Cast, draft: Draft) -> None:
    mine = actions.add_upload(draft, "1.jpg", io.BytesIO(scenes.photo(1)))
    actions.remove_upload(scenes.draft(session="other"), mine.id)
    assert queries.files_of_draft(draft) == (mine,)


def test_the_same_bytes_sent_twice_are_two_files_and_one_object(draft: Draft) -> None:
    cards = [actions.add_upload(draft, f"{n}.jpg", io.BytesIO(scenes.photo(1))) for n in range(2)]
    assert cards[0].sha256 == cards[1].sha256
    assert [c.number for c in cards] == [1, 2]
    assert len(list(quarantine().all())) == 1


@given(st.text(max_size=400))
def test_a_name_from_outside_is_data_without_path_or_control_characters(name: str) -> None:
    shown = plain_name(name)
    assert 1 <= len(shown) <= 255
    assert not set(shown) & set("/\\\x00\r\n\u202e\u200f")
    shown.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\clip.mp4", "clip.mp4"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("\x00", "file"),
        ("..", ".."),
    ],
)
def test_paths_and_turned_letters_leave_a_name(name: str, shown: str) -> None:
    assert plain_name(name) == shown
