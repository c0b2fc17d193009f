"""Recording an entry, keeping a reply, and letting downstream apps follow."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import NotAllowed
from counterfoil.engines.tlog import entry_commitment
from counterfoil.ledger import followers
from counterfoil.ledger.actions import once, record
from counterfoil.ledger.models import Entry, Reply
from counterfoil.ledger.rules import body_of

CLOCK = Viewer.clock()


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_never_written_outside_the_transaction_of_its_act() -> None:
    with pytest.raises(NotAllowed, match="never alone"):
        record("thing.done", by=CLOCK, on=("thing", "1"))
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_which_thing_and_commits_to_it() -> None:
    thing, case = uuid4(), uuid4()
    entry = record("thing.done", by=CLOCK, on=("thing", thing), thread=case, sha256="ab" * 32, number=3)
    entry.refresh_from_db()
    assert (entry.act, entry.by, entry.subject_kind, entry.subject_id) == (
        "thing.done",
        "clock",
        "thing",
        str(thing),
    )
    assert entry.body == {
        "act": "thing.done",
        "at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "by": "clock",
        "on": f"thing:{thing}",
        "thread": str(case),
        "sha256": "ab" * 32,
        "number": 3,
    }
    assert bytes(entry.commitment) == entry_commitment(bytes(entry.salt), entry.body)
    assert entry.index is None


@pytest.mark.django_db
def test_two_entries_that_say_the_same_have_different_salts_and_commitments() -> None:
    one, two = (record("thing.done", by=CLOCK, on=("thing", "1")) for _ in range(2))
    assert one.salt != two.salt
    assert one.commitment != two.commitment


@pytest.mark.parametrize(
    "facts",
    [
        {"note": "Rhys Tannerwood"},
        {"note": "rhys@example.com"},
        {"who": ["ok", "two words"]},
        {"note": "line\nbreak"},
        {"size": 1.5},
        {"facts": {"name": "x"}},
        {"by": "somebody-else"},
        {"note": "x" * 201},
        {"note": "naïve"},
        {"note": b"bytes"},
    ],
)
def test_an_entry_refuses_what_could_be_a_name_or_free_text(facts: dict[str, Any]) -> None:
    from django.utils import timezone

    with pytest.raises(NotAllowed):
        body_of("thing.done", "clock", ("thing", "1"), timezone.now(), facts)


@given(st.text(max_size=60))
def test_whatever_is_let_into_an_entry_has_no_space_and_no_letter_beyond_ascii(text: str) -> None:
    from datetime import UTC, datetime

    try:
        body = body_of(
            "thing.done", "clock", ("thing", "1"), datetime(2026, 1, 1, tzinfo=UTC), {"note": text}
        )
    except NotAllowed:
        return
    assert body["note"] == text
    assert text.isascii()
    assert not any(c.isspace() for c in text)


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["Thing.done", "thing", "thing.done.again", "thing done", "thing.Done\n"])
def test_an_act_is_named_noun_dot_verb(act: str) -> None:
    with pytest.raises(NotAllowed, match=r"like exhibit\.sealed"):
        record(act, by=CLOCK, on=("thing", "1"))


@pytest.mark.django_db
def test_a_retry_with_the_same_key_gets_the_same_answer_and_causes_nothing() -> None:
    done: list[int] = []

    def act() -> dict[str, Any]:
        done.append(1)
        return {"n": len(done)}

    assert once("scope", "key", "d", act) == {"n": 1}
    assert once("scope", "key", "d", act) == {"n": 1}
    assert done == [1]
    assert once("other", "key", "d", act) == {"n": 2}


@pytest.mark.django_db
def test_the_same_key_with_other_content_is_refused_with_a_sentence() -> None:
    once("scope", "key", "d", lambda: {"n": 1})
    with pytest.raises(NotAllowed, match="already sent with other answers"):
        once("scope", "key", "e", lambda: {"n": 2})


@pytest.mark.django_db
def test_an_act_that_fails_keeps_no_key_so_it_can_be_tried_again() -> None:
    def fail() -> dict[str, Any]:
        raise NotAllowed("Not now.")

    with pytest.raises(NotAllowed, match="Not now"):
        once("scope", "key", "d", fail)
    assert not Reply.objects.exists()
    assert once("scope", "key", "d", lambda: {"n": 1}) == {"n": 1}


@pytest.mark.django_db
def test_a_follower_that_fails_inside_leaves_the_cause_standing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def fails(subject: str) -> None:
        Reply.objects.create(scope="s", key="k", digest="", answer={}, at=Entry.objects.get().at)
        raise RuntimeError("broken follower")

    monkeypatch.setattr(followers, "_followers", [])
    followers.follow("thing.done", fails, within=True)
    followers.follow("thing.done", seen.append, within=True)
    with transaction.atomic():
        record("thing.done", by=CLOCK, on=("thing", "1"))
    assert Entry.objects.count() == 1
    assert not Reply.objects.exists()
    assert seen == ["1"]
    assert "the sweep will do its work" in caplog.text


@pytest.mark.django_db
def test_followers_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    seen: list[str] = []
    monkeypatch.setattr(followers, "_followers", [])
    followers.follow("thing.done", seen.append, within=True)
    settings.FOLLOWERS = False
    record("thing.done", by=CLOCK, on=("thing", "1"))
    assert seen == []


@pytest.mark.django_db
def test_a_later_follower_runs_after_commit_only(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(followers, "_followers", [])
    followers.follow("thing.done", seen.append)
    followers.follow("thing.done", seen.append)
    with django_capture_on_commit_callbacks(execute=True):
        record("thing.done", by=CLOCK, on=("thing", "1"))
        assert seen == []
    assert seen == ["1"]


def test_only_the_one_chain_runs_inside_its_cause() -> None:
    within = sorted(f"{f.act} > {f.name}" for f in followers.followers() if f.within)
    assert within == [
        # An answer to an appeal joins a case and becomes somebody's duty in the same breath.
        "case.joined > counterfoil.duties.actions.look_at_answer",
        "case.opened > counterfoil.duties.actions.give_opening_duties",
        "case.reopened > counterfoil.duties.actions.give_opening_duties",
        "report.accepted > counterfoil.cases.actions.open_case",
    ]
