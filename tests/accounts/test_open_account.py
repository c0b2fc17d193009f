"""Opening accounts, granting roles, suspending: only an administrator with a second factor, never for oneself."""

import pytest
from tests.cast import HOME, PASSWORD, Cast

from counterfoil.accounts import actions, queries
from counterfoil.accounts.models import Actor
from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db


def test_an_administrator_opens_an_account_and_it_is_an_entry_without_the_name(cast: Cast) -> None:
    new = actions.open_account("tess", "Tess Overbury", PASSWORD, by=cast.ada)
    entry = Entry.objects.get(act="account.opened", subject_id=new)
    assert entry.by == cast.ada.id
    assert "Overbury" not in str(entry.body)
    assert queries.actor_card(cast.ada, new) == {
        "id": new,
        "name": "Tess Overbury",
        "username": "tess",
        "initials": "TO",
    }


@pytest.mark.parametrize("who", ["alice", "ines", "petra"])
def test_nobody_but_an_administrator_opens_an_account(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed, match="Only an administrator can open an account"):
        actions.open_account("tess", "Tess Overbury", PASSWORD, by=cast.viewer(who, second_factor=True))
    assert not Actor.objects.filter(username="tess").exists()


def test_an_administrator_without_the_second_factor_is_told_to_use_it(cast: Cast) -> None:
    with pytest.raises(NotAllowed, match="second factor"):
        actions.open_account("tess", "Tess Overbury", PASSWORD, by=cast.viewer("ada", second_factor=False))


def test_a_user_name_is_taken_whatever_its_letters_case(cast: Cast) -> None:
    cast.id("alice")
    with pytest.raises(BadInput, match="taken") as refused:
        actions.open_account("ALICE", "Another Alice", PASSWORD, by=cast.ada)
    assert refused.value.field == "username"


@pytest.mark.parametrize("password", ["short", "password1234", "1q2w3e4r5t6y"])
def test_it_refuses_a_password_that_is_easy_to_guess(cast: Cast, password: str) -> None:
    with pytest.raises(BadInput) as refused:
        actions.open_account("tess", "Tess Overbury", password, by=cast.ada)
    assert refused.value.field == "password"


def test_a_role_holds_in_its_force_only(cast: Cast) -> None:
    assert cast.alice.has("officer", HOME)
    assert not cast.alice.has("officer", "98")
    assert not cast.alice.has("inspector")


def test_nobody_grants_a_role_to_themselves(cast: Cast) -> None:
    with pytest.raises(NotAllowed, match="to themselves"):
        actions.grant(cast.ada.id, "officer", force=HOME, by=cast.ada)
    assert not cast.ada.has("officer")


def test_an_unknown_role_is_refused_with_the_list_of_those_that_exist(cast: Cast) -> None:
    with pytest.raises(BadInput, match="officer"):
        actions.grant(cast.id("alice"), "detective", force=HOME, by=cast.ada)


def test_granting_twice_changes_nothing_and_is_one_entry(cast: Cast) -> None:
    before = Entry.objects.filter(act="role.granted", subject_id=cast.id("alice")).count()
    actions.grant(cast.id("alice"), "officer", force=HOME, by=cast.ada)
    assert Entry.objects.filter(act="role.granted", subject_id=cast.id("alice")).count() == before


def test_a_suspended_officer_is_the_public_from_the_next_look_on(cast: Cast) -> None:
    assert cast.alice.has("officer", HOME)
    actions.suspend(cast.id("alice"), reason_digest="0" * 64, by=cast.ada)
    assert cast.alice == Viewer.public()
    assert not cast.alice.signed_in
    assert Entry.objects.filter(act="account.suspended", subject_id=cast.id("alice")).exists()


def test_only_an_administrator_suspends(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        actions.suspend(cast.id("alice"), reason_digest="0" * 64, by=cast.ines)
    assert cast.alice.signed_in


def test_guessing_is_slowed_by_name_and_address_and_keeps_no_name(cast: Cast) -> None:
    for _ in range(actions.FAILURES_ALLOWED):
        assert not actions.sign_in_blocked("alice", "192.0.2.7")
        actions.note_sign_in("Alice", "192.0.2.7", actor_id=None, factor="password")
    assert actions.sign_in_blocked("ALICE ", "192.0.2.7")
    assert not actions.sign_in_blocked("alice", "192.0.2.8")
    assert not actions.sign_in_blocked("bruno", "192.0.2.7")
    assert not Entry.objects.filter(act="actor.signed_in").exists()


def test_a_sign_in_is_an_entry(cast: Cast) -> None:
    actions.note_sign_in("alice", "192.0.2.7", actor_id=cast.id("alice"), factor="totp")
    entry = Entry.objects.get(act="actor.signed_in")
    assert (entry.by, entry.body["factor"]) == (cast.id("alice"), "totp")


def test_the_public_is_shown_no_colleagues(cast: Cast) -> None:
    cast.staff_the_desk()
    assert queries.colleagues(Viewer.public(), "officer", HOME) == []
    assert [c["name"] for c in queries.colleagues(cast.alice, "officer", HOME)] == [
        "Alice Bevan",
        "Bruno Castell",
    ]
    assert queries.actor_card(Viewer.public(), cast.id("alice")) is None
