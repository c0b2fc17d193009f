"""Exhibits: taken out of quarantine once, titled in versions, held by one person, and never viewed unseen."""

import hashlib
from uuid import uuid4

import pytest
from tests import scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.evidence import actions, queries
from counterfoil.evidence.models import Exhibit, Title
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import quarantine, vault

pytestmark = pytest.mark.django_db


def test_an_upload_becomes_an_exhibit_with_the_same_bytes_and_the_initials_of_who_produces_it(
    cast: Cast,
) -> None:
    scene = scenes.exhibited(cast)
    (card,) = queries.exhibits_of(cast.alice, scene.case)
    assert (card.label, card.holder, card.produced_by) == ("AB/1", "Alice Bevan", "Alice Bevan")
    assert card.sha256 == hashlib.sha256(scenes.photo()).hexdigest()
    with vault().open(card.sha256) as file:
        assert file.read() == scenes.photo()
    entry = Entry.objects.get(act="exhibit.sealed")
    assert (entry.body["sha256"], entry.body["size"]) == (card.sha256, card.size)
    assert entry.body["title_sha256"] == card.title_sha256
    assert entry.thread == scene.case
    assert "gate" not in str(entry.body)
    assert "IMG_0042" not in str(entry.body)


def test_taking_it_again_returns_the_same_exhibit(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    again = actions.seal(scene.case, scene.files[0], "Another title", by=cast.alice)
    assert again == scene.exhibit
    assert Exhibit.objects.count() == 1
    assert Title.objects.count() == 1
    assert Entry.objects.filter(act="exhibit.sealed").count() == 1


def test_what_waits_in_quarantine_is_what_was_sent_and_not_taken(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert [f.name for f in queries.quarantined(cast.alice, scene.case)] == ["doorbell.mp4"]


def test_a_file_of_another_case_cannot_be_taken(cast: Cast) -> None:
    one, two = scenes.recorded(cast, session="1"), scenes.recorded(cast, session="2")
    for upload in (two.files[0], uuid4()):
        with pytest.raises(NotAllowed, match="no such file on this case"):
            actions.seal(one.case, upload, "Not mine to take", by=cast.alice)


def test_bytes_that_changed_in_quarantine_are_refused(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    path = quarantine().path(hashlib.sha256(scenes.photo()).hexdigest())
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Corrupt):
        actions.seal(scene.case, scene.files[0], "Photo of the side gate", by=cast.alice)
    assert not Exhibit.objects.exists()


@pytest.mark.parametrize("title", ["", "ab", "x" * 201, "nul\x00nul"])
def test_a_title_says_what_the_exhibit_is(cast: Cast, title: str) -> None:
    scene = scenes.recorded(cast)
    with pytest.raises(BadInput, match="Say what the exhibit is"):
        actions.seal(scene.case, scene.files[0], title, by=cast.alice)


def test_an_old_title_stays_with_the_events_that_used_it(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    actions.retitle(scene.case, scene.exhibit, "Photo of the back gate", by=cast.alice)
    (card,) = queries.exhibits_of(cast.alice, scene.case)
    assert card.title == "Photo of the back gate"
    texts = queries.titles_of(scene.case)
    acts = Entry.objects.filter(subject_kind="exhibit").order_by("at")
    assert [texts[e.body["title_sha256"]] for e in acts] == [
        "Photo of the side gate",
        "Photo of the back gate",
    ]


def test_an_exhibit_moves_from_one_holder_to_one_other_with_a_reason(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with pytest.raises(BadInput, match="officer of this force"):
        actions.hand_over(scene.case, scene.exhibit, cast.id("charlie"), scenes.REASON, by=cast.alice)
    with pytest.raises(BadInput):
        actions.hand_over(scene.case, scene.exhibit, cast.id("bruno"), "no", by=cast.alice)
    actions.hand_over(scene.case, scene.exhibit, cast.id("bruno"), scenes.REASON, by=cast.alice)
    (card,) = queries.exhibits_of(cast.alice, scene.case)
    assert card.holder == "Bruno Castell"
    with pytest.raises(NotAllowed, match="Only the person who holds"):
        actions.hand_over(scene.case, scene.exhibit, cast.id("alice"), scenes.REASON, by=cast.alice)
    actions.hand_over(scene.case, scene.exhibit, cast.id("alice"), scenes.REASON, by=cast.ines)
    moves = Entry.objects.filter(act="exhibit.moved").order_by("at")
    assert [e.body["to"] for e in moves] == [cast.id("bruno"), cast.id("alice")]


def test_viewing_is_an_entry_before_the_first_byte(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    opened = actions.open_exhibit(scene.case, scene.exhibit, by=cast.alice)
    assert opened is not None
    with opened[1] as stream:
        assert stream.read() == scenes.photo()
    assert Entry.objects.filter(act="exhibit.viewed", by=cast.alice.id).count() == 1

    def full(*_: object, **__: object) -> None:
        raise NotAllowed("The ledger cannot be written.")

    monkeypatch.setattr(actions, "record", full)
    monkeypatch.setattr(
        "counterfoil.engines.vault.Vault.open", lambda *_: pytest.fail("bytes without an entry")
    )
    with pytest.raises(NotAllowed, match="cannot be written"):
        actions.open_exhibit(scene.case, scene.exhibit, by=cast.alice)


@pytest.mark.parametrize("who", ["bruno", "dilys", "charlie", "gwen", "petra", "ada", "sam"])
def test_nobody_else_sees_or_takes_an_exhibit_and_no_entry_is_made(cast: Cast, who: str) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    viewer, before = cast.viewer(who), Entry.objects.count()
    assert actions.open_exhibit(scene.case, scene.exhibit, by=viewer) is None
    assert actions.open_exhibit(scene.case, uuid4(), by=viewer) is None
    assert queries.exhibit_for(viewer, scene.case, scene.exhibit) is None
    for attempt in (
        lambda: actions.seal(scene.case, scene.files[1], "Not mine to take", by=viewer),
        lambda: actions.retitle(scene.case, scene.exhibit, "Not mine to name", by=viewer),
        lambda: actions.hand_over(scene.case, scene.exhibit, viewer.id, scenes.REASON, by=viewer),
        lambda: actions.take_statement(scene.case, scenes.statement(), by=viewer),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert Entry.objects.count() == before


def test_an_exhibit_is_not_reached_through_another_case(cast: Cast) -> None:
    one, two = scenes.exhibited(cast, session="1"), scenes.recorded(cast, session="2")
    assert one.exhibit
    assert actions.open_exhibit(two.case, one.exhibit, by=cast.alice) is None
    with pytest.raises(NotAllowed):
        actions.retitle(two.case, one.exhibit, "By the wrong door", by=cast.alice)


def test_nothing_is_added_to_a_closed_case(cast: Cast) -> None:
    from counterfoil.cases.actions import close

    scene = scenes.exhibited(cast)
    close(scene.case, by=cast.alice, why_act="outcome.recorded")
    with pytest.raises(NotAllowed, match="closed"):
        actions.seal(scene.case, scene.files[1], "Too late", by=cast.alice)
    with pytest.raises(NotAllowed, match="closed"):
        actions.take_statement(scene.case, scenes.statement(), by=cast.alice)
