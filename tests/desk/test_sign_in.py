"""Staff sign-in: both factors, the same answer to every wrong try, and sessions that end."""

import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests import scenes
from tests.cast import PASSWORD, Cast
from tests.desk.signing import code, signed_in

from counterfoil.accounts import actions as accounts
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db


def give_password(client: Client, who: str = "alice", password: str = PASSWORD, **more: str) -> object:
    return client.post("/staff/sign-in", {"username": who, "password": password, **more})


def test_a_password_alone_opens_nothing(cast: Cast) -> None:
    cast.id("alice")
    client = Client()
    assert give_password(client).status_code == 302
    for path in ("/desk/", "/desk/queue", "/bench/", "/staff/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/staff/sign-in")


def test_an_officer_without_a_second_factor_sets_it_up_at_the_first_sign_in(cast: Cast) -> None:
    cast.id("alice")
    client = Client()
    give_password(client)
    assert client.get("/staff/second-step")["Location"] == "/staff/second-step/set-up"
    page = client.get("/staff/second-step/set-up").content.decode()
    assert 'id="secret"' in page
    assert "otpauth://totp/" in page
    wrong = client.post("/staff/second-step/set-up", {"code": "000000"})
    assert wrong.status_code == 400
    assert not TOTPDevice.objects.exists()
    key = client.session["password_given"]["key"]
    assert client.post("/staff/second-step/set-up", {"code": code(key)})["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200
    assert (
        Entry.objects.filter(act="actor.signed_in", by=cast.id("alice"), body__factor="totp-set-up").count()
        == 1
    )


def test_a_second_browser_cannot_set_another_second_factor_up(cast: Cast) -> None:
    signed_in(cast, "alice")
    other = Client()
    give_password(other)
    assert other.get("/staff/second-step/set-up")["Location"] == "/staff/second-step"


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(cast: Cast) -> None:
    cast.id("alice")
    pages = []
    for who, password in (
        ("alice", "wrong-but-long-enough"),
        ("nobody", PASSWORD),
        ("alice", PASSWORD + "x"),
    ):
        answer = give_password(Client(), who, password)
        pages.append((answer.status_code, answer.content.replace(who.encode(), b"WHO").split(b"csrf")[0]))
    assert pages[0] == pages[1] == pages[2]
    assert pages[0][0] == 400
    assert b"The user name or the password is not right" in pages[0][1]


def test_a_suspended_account_is_answered_like_a_wrong_password(cast: Cast) -> None:
    cast.id("sam")
    answer = give_password(Client(), "sam")
    assert answer.status_code == 400
    assert "The user name or the password is not right" in answer.content.decode()


def test_guessing_is_stopped_for_ten_minutes_and_says_so(cast: Cast) -> None:
    cast.id("alice")
    client = Client()
    for _ in range(8):
        give_password(client, password="wrong-but-long-enough")
    answer = give_password(client)
    assert answer.status_code == 400
    assert "Wait ten minutes" in answer.content.decode()


def test_a_code_works_once_and_wrong_codes_are_slowed_down(cast: Cast) -> None:
    signed_in(cast, "alice")
    device = TOTPDevice.objects.get()
    client = Client()
    give_password(client)
    used = client.post("/staff/second-step", {"code": code(device.key)})
    assert used.status_code == 400
    soon = client.post("/staff/second-step", {"code": code(device.key, 1)})
    assert soon.status_code == 400
    assert "too soon" in soon.content.decode()
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    following = code(device.key, 1)
    typed = f" {following[:3]} {following[3:]} "
    assert client.post("/staff/second-step", {"code": typed}).status_code == 302


def test_the_session_gets_a_new_key_at_each_step(cast: Cast) -> None:
    cast.id("alice")
    client = Client()
    client.get("/staff/sign-in")
    seen = {client.session.session_key}
    give_password(client)
    seen.add(client.session.session_key)
    client.get("/staff/second-step/set-up")
    client.post("/staff/second-step/set-up", {"code": code(client.session["password_given"]["key"])})
    seen.add(client.session.session_key)
    assert len(seen) == 3


@pytest.mark.parametrize(
    "there",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:1", "desk"],
)
def test_next_leads_only_to_this_site(cast: Cast, there: str) -> None:
    assert signed_in(cast, "alice", at=there).get("/desk/").status_code == 200
    client = Client()
    answer = client.get("/staff/sign-in", {"next": there})
    assert 'name="next"' not in answer.content.decode()


def test_a_page_asked_for_before_signing_in_is_opened_afterwards(cast: Cast) -> None:
    cast.id("alice")
    client = Client()
    there = client.get("/desk/queue")["Location"]
    assert there == "/staff/sign-in?next=%2Fdesk%2Fqueue"
    assert 'value="/desk/queue"' in client.get(there).content.decode()


def age(client: Client, **back: timedelta) -> None:
    session = client.session
    for name, by in back.items():
        session[name] = (timezone.now() - by).timestamp()
    session.save()


def test_a_session_ends_after_fifteen_minutes_without_a_request(cast: Cast) -> None:
    client = signed_in(cast, "alice")
    age(client, seen_at=timedelta(minutes=14, seconds=50))
    assert client.get("/desk/").status_code == 200
    assert time.time() - client.session["seen_at"] < 60, "a request keeps the session alive"
    age(client, seen_at=timedelta(minutes=15, seconds=1))
    answer = client.get("/desk/")
    assert answer["Location"] == "/staff/sign-in?next=%2Fdesk%2F&ended=1"
    assert client.get("/desk/")["Location"] == "/staff/sign-in?next=%2Fdesk%2F"


def test_a_session_ends_after_twelve_hours_whatever_happens(cast: Cast) -> None:
    client = signed_in(cast, "alice")
    age(client, began_at=timedelta(hours=12, seconds=1))
    assert client.get("/desk/").status_code == 302


def test_what_was_typed_when_the_session_ended_is_there_after_signing_in_again(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    client = signed_in(cast, "alice")
    age(client, seen_at=timedelta(minutes=20))
    path = f"/desk/cases/{scene.case}/update"
    words = "We have looked at your doorbell recording.\nA second line, <kept> & whole."
    assert client.post(path, {"text": words, "token": "t"}).status_code == 302
    assert give_password(client).status_code == 302
    TOTPDevice.objects.update(last_t=-1)
    client.post("/staff/second-step", {"code": code(TOTPDevice.objects.get().key)})
    page = client.get(path).content.decode()
    assert "A second line, &lt;kept&gt; &amp; whole." in page
    assert "Nothing that you typed is lost" in page
    assert "A second line" not in client.get(path).content.decode(), "kept once"


def test_what_was_typed_is_not_shown_to_somebody_else_who_signs_in(cast: Cast) -> None:
    scene = scenes.reported(cast)
    signed_in(cast, "bruno")
    client = signed_in(cast, "alice")
    age(client, seen_at=timedelta(minutes=20))
    path = f"/desk/cases/{scene.case}/triage"
    client.post(path, {"reason": "Only Alice wrote this sentence."})
    give_password(client, "bruno")
    device = TOTPDevice.objects.get(user_id=cast.id("bruno"))
    TOTPDevice.objects.update(last_t=-1)
    client.post("/staff/second-step", {"code": code(device.key)})
    page = client.get(path)
    assert page.status_code == 200
    assert "Only Alice wrote" not in page.content.decode()


def test_suspension_works_at_the_next_request(cast: Cast) -> None:
    client = signed_in(cast, "alice")
    assert client.get("/desk/").status_code == 200
    accounts.suspend(cast.id("alice"), reason_digest="0" * 64, by=cast.ada)
    assert client.get("/desk/")["Location"].startswith("/staff/sign-in")


def test_signing_out_asks_first_and_then_ends_the_session(cast: Cast) -> None:
    client = signed_in(cast, "alice")
    assert client.get("/staff/sign-out").status_code == 200
    assert client.get("/desk/").status_code == 200
    client.post("/staff/sign-out")
    assert client.get("/desk/").status_code == 302


def test_each_role_lands_where_it_works(cast: Cast) -> None:
    assert signed_in(cast, "petra").get("/staff/").content.count(b'href="/bench/"') == 1
    ada = signed_in(cast, "ada")
    assert "There are no pages for your role here" in ada.get("/staff/").content.decode()
    assert (ada.get("/desk/").status_code, ada.get("/bench/").status_code) == (403, 403)
