"""Reporting, without JavaScript, in both languages."""

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from tests.cast import Cast
from tests.portal.walk import CLIP, PHOTO, Visitor, upload

from counterfoil.reports import actions, queries
from counterfoil.reports.models import Draft, Report, Upload

pytestmark = pytest.mark.django_db
KINDS = [
    "burglary", "criminal-damage", "antisocial-behaviour", "shop-theft", "online-harassment-or-hate", "fraud",
]  # fmt: skip


@pytest.fixture(autouse=True)
def desk(cast: Cast) -> None:
    cast.staff_the_desk()


@pytest.mark.parametrize("prefix", ["", "/cy"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_reported_in_both_languages(kind: str, prefix: str) -> None:
    someone = Visitor(prefix).start(kind).answer_all().send()
    assert someone.at == f"{prefix}/sent"
    assert Report.objects.get().kind == kind
    assert Report.objects.get().lang == ("cy" if prefix else "en")


def test_the_confirmation_has_reference_words_dates_and_a_receipt_with_each_digest() -> None:
    someone = Visitor().start().until("photos, video")
    someone.press({"then": "next", "files": [upload("clip.mp4", CLIP), upload("door.jpg", PHOTO)]})
    someone.answer_all().send()
    report = queries.report_card(Report.objects.get().pk)
    assert report.reference in someone.words
    assert re.search(r"By \d+(:\d\d)?[ap]m on \w+day \d+ \w+ we aim to: Read your report", someone.words)
    assert [f.name for f in report.files] == ["clip.mp4", "door.jpg"]
    for file in report.files:
        assert file.sha256 in someone.words
    note = someone.client.get("/sent/receipt")
    assert note.content.decode() == report.receipt
    assert note.headers["Cache-Control"] == "no-store"


def test_a_time_is_promised_only_when_somebody_is_there_to_keep_it(cast: Cast) -> None:
    from counterfoil.accounts.rules import Viewer
    from counterfoil.places import actions as places

    for who in ("alice", "bruno", "ines"):
        places.end_posting(cast.id(who), cast.queue(), by=Viewer.clock())
    someone = Visitor().start().answer_all().send()
    assert "we do not promise a time" in someone.words
    assert "we aim to" not in someone.words


def test_sending_twice_gives_the_same_reference_and_makes_one_report() -> None:
    someone = Visitor().start().answer_all()
    check, html = someone.at, someone.page
    first = someone.send().codes
    someone.at, someone.page = check, html
    assert someone.press({"then": "send"}).codes == first
    assert Report.objects.count() == 1


def test_a_file_too_big_and_an_empty_one_fail_alone_and_every_other_is_kept_whatever_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("counterfoil.faces.portal.forms.FILE_LIMIT", 10_000)
    someone = Visitor().start().until("photos, video")
    files = [
        upload("long.mp4", CLIP * 4),
        upload("empty.jpg", b""),
        upload("recorder.exe", b"MZ\x90\x00"),
        upload("clip.mp4", CLIP),
    ]
    at = someone.at
    someone.press({"then": "next", "files": files})
    assert someone.at == at
    assert someone.title.startswith("Error: ")
    assert "long.mp4 is too big. The limit is 9.8 KB." in someone.words
    assert "empty.jpg is empty. Choose the file again." in someone.words
    assert "We have 2 files" in someone.words
    someone.answer_all()
    assert "clip.mp4" in someone.words
    assert "recorder.exe" in someone.words
    assert "empty.jpg" not in someone.words


def test_the_sender_can_have_a_file_kept_apart_and_it_stays_so() -> None:
    someone = (
        Visitor().start().until("photos, video").press({"then": "add", "files": [upload("a.jpg", PHOTO)]})
    )
    chosen = re.search(r'name="file" value="([^"]+)"', someone.html)
    assert chosen
    someone.press({"then": "restrict", "file": chosen[1]})
    assert "Kept apart" in someone.words
    assert "Keep this file apart" not in someone.words
    assert Upload.objects.get().restricted == "reporter"
    someone.answer_all().send()
    assert Upload.objects.get().restricted == "reporter"


def test_a_file_can_be_taken_off_again() -> None:
    someone = (
        Visitor().start().until("photos, video").press({"then": "add", "files": [upload("a.jpg", PHOTO)]})
    )
    chosen = re.search(r'name="file" value="([^"]+)"', someone.html)
    assert chosen
    someone.press({"then": "remove", "file": chosen[1]})
    assert "a.jpg" not in someone.words


def test_a_wrong_answer_is_kept_and_said_at_the_top_at_the_field_and_in_the_title() -> None:
    someone = Visitor().start().answer_all(stop_at="/q/3").answer(day="31", month="2", year="2026")
    assert someone.at == "/q/3"
    assert someone.title == "Error: Question 3 of 11, online service"
    assert someone.words.count("That is not a real date.") == 2
    assert 'href="#answer-day"' in someone.html
    assert re.search(r'id="answer-day"[^>]*value="31"', someone.html)
    assert "Error" not in someone.go("/q/3").title


def test_changing_an_answer_goes_back_to_the_check_page_and_asks_only_what_is_new() -> None:
    someone = Visitor().start().answer_all(Do_you_know_who={"answer": "no"})
    place = re.search(r'href="(/q/\d+/change)">Change<[^>]*> – Do you know', someone.html)
    assert place
    someone.go(place[1]).press({"answer": "yes", "then": "next"})
    assert someone.asked() == "Who do you think it was?"
    someone.press({"answer": "A neighbour, Jonah", "then": "next"})
    assert someone.asked() == "Is this phone or computer safe for you?"
    someone.press({"answer": "yes", "then": "next"})
    assert someone.at == "/check"
    assert "A neighbour, Jonah" in someone.words


def test_whoever_knows_who_did_it_sees_no_receipt_on_a_device_that_is_not_safe() -> None:
    """Damage by a former partner is not a sensitive kind, and yet somebody may look at this phone."""
    someone = Visitor().start("criminal-damage")
    someone.answer_all(
        Do_you_know_who={"answer": "yes"}, Is_this_phone_or_computer_safe={"answer": "no"}
    ).send()
    report = Report.objects.get()
    assert not report.device_safe
    assert report.reference not in someone.html
    assert "receipt" not in someone.words.lower().split("help")[0]


def test_what_was_said_on_a_path_not_taken_is_not_sent() -> None:
    someone = Visitor().start().answer_all()
    place = re.search(r'href="(/q/\d+/change)">Change<[^>]*> – Do you know', someone.html)
    assert place
    someone.go(place[1]).press({"answer": "no", "then": "next"}).send()
    assert "who" not in Report.objects.get().answers


def test_danger_now_leads_to_999_first_and_lets_the_person_carry_on() -> None:
    someone = Visitor().go("/").press({"kind": "burglary"}).go("/fit").press({"answer": "yes"})
    assert someone.at == "/now"
    assert someone.asked() == "Call 999 now"
    assert "press 55" in someone.words
    assert someone.go("/q/1").asked() == "What kind of place was it?"


def test_fraud_is_handed_over_unless_a_reason_keeps_it_here() -> None:
    someone = Visitor().go("/").press({"kind": "fraud"}).go("/fit").press({"answer": "no"})
    assert someone.at == "/here"
    assert "reportfraud.police.uk" in someone.html
    assert someone.go("/q/1").page.status_code == 303
    someone.go("/here").press({})
    assert someone.at == "/here"
    assert someone.title.startswith("Error")
    someone.press({"answer": ["vulnerable"]})
    assert someone.at == "/q/1"
    someone.answer_all().send()
    assert Report.objects.get().answers["handover"] == ["vulnerable"]


def test_the_force_is_asked_only_where_there_is_more_than_one(cast: Cast) -> None:
    questions = [Visitor().start().answer_all(stop_at="/q/3").asked()]
    cast.queue("98")
    questions.append(Visitor().start().answer_all(stop_at="/q/3").asked())
    assert questions == ["What day did it happen?", "Which police force covers that place?"]


def test_on_a_device_that_is_not_safe_nothing_is_shown_that_could_be_found() -> None:
    someone = Visitor().start("online-harassment-or-hate")
    someone.answer_all(Is_this_phone={"answer": "no"}).send()
    report = Report.objects.get()
    assert report.device_safe is False
    assert report.reference not in someone.html
    assert "cf-code" not in someone.html
    assert "receipt.txt" not in someone.html
    assert someone.client.get("/sent/receipt").status_code == 404
    kept = str(Session.objects.get().get_decoded())
    assert report.reference not in kept


def test_for_a_sensitive_kind_the_code_is_shown_only_after_the_person_says_it_is_safe() -> None:
    someone = Visitor().start("online-harassment-or-hate").press({"then": "save"})
    assert someone.at == "/code"
    assert someone.codes == []
    assert someone.press({"then": "show"}).codes


def test_the_code_opens_the_draft_on_another_device_and_closes_it_on_the_first() -> None:
    first = (
        Visitor().start().answer_all(stop_at="/q/5").press({"answer": "The lock was broken.", "then": "save"})
    )
    code = first.codes[0]
    assert first.codes == [code, code]
    other = Visitor("/cy").go("/return").press({"code": f" {code.lower().replace('-', ' ')} "})
    assert other.at == "/cy/q/7"
    assert "The lock was broken." in other.answer_all().words
    assert "Nothing is open here" in first.go("/q/5").words


def test_a_wrong_code_says_so_and_is_kept_for_mending() -> None:
    someone = Visitor().go("/return").press({"code": "NOT-A-CODE"})
    assert someone.title.startswith("Error: ")
    assert 'value="NOT-A-CODE"' in someone.html


def test_the_code_typed_again_is_checked() -> None:
    someone = Visitor().start().press({"then": "save"})
    code = someone.codes[0]
    assert someone.press({"code": "wrong"}).title.startswith("Error")
    assert "You have the code." in someone.press({"code": code.lower()}).words


def test_the_four_words_typed_again_are_checked() -> None:
    someone = Visitor().start().answer_all().send()
    words = someone.codes[1]
    assert someone.press({"words": "one two three four"}).title.startswith("Error")
    assert "You have the words." in someone.press({"words": words.upper()}).words


@pytest.mark.parametrize(
    "address",
    [
        "/before",
        "/safe",
        "/fit",
        "/now",
        "/here",
        "/q/1",
        "/q/4/change",
        "/check",
        "/sent",
        "/code",
        "/progress",
    ],
)
@pytest.mark.parametrize("prefix", ["", "/cy"])
def test_without_a_draft_every_page_is_the_neutral_page(address: str, prefix: str) -> None:
    someone = Visitor(prefix).go(address)
    assert someone.page.status_code == 404
    assert someone.title == ("Gwasanaeth ar-lein" if prefix else "Online service")
    for word in ("police", "heddlu", "999", "Counterfoil", "report", "adroddiad"):
        assert word not in someone.words


def test_every_title_and_address_on_the_way_is_neutral() -> None:
    someone, seen = Visitor().start("online-harassment-or-hate"), []
    while not someone.at.endswith("/check"):
        seen.append((someone.title, someone.at))
        someone.answer()
    for title, address in [*seen, (someone.title, someone.at), (someone.send().title, someone.at)]:
        assert re.fullmatch(r"(Question \d+ of \d+|Check your answers|Sent), online service", title)
        assert re.fullmatch(r"/(q/\d+|check|sent)", address)


def test_no_page_may_be_stored_by_the_browser() -> None:
    someone = Visitor()
    for address in (
        "/",
        "/track",
        "/return",
        "/receipt",
        "/cookies",
        "/privacy",
        "/accessibility",
        "/nothing",
    ):
        assert "no-store" in someone.go(address).page.headers["Cache-Control"]
    someone.start()
    while not someone.at.endswith("/sent"):
        assert "no-store" in someone.page.headers["Cache-Control"]
        someone.send() if someone.at.endswith("/check") else someone.answer()


def test_leaving_ends_the_session_and_the_way_to_the_draft_and_clears_the_browser() -> None:
    someone = Visitor().start().answer_all(stop_at="/q/4")
    cookie = someone.client.cookies["s"].value
    gone = someone.client.get("/leave")
    assert (gone.status_code, gone.headers["Location"]) == (303, "https://www.bbc.co.uk/weather")
    assert gone.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert "no-store" in gone.headers["Cache-Control"]
    assert Session.objects.count() == 0
    assert Draft.objects.get().session_hash == ""
    someone.client.cookies["s"] = cookie
    assert someone.go("/q/3").title == "Online service"
    assert "/q/" not in someone.html


def test_the_report_is_not_made_twice_when_the_page_is_opened_in_two_windows() -> None:
    someone = Visitor().start().answer_all()
    draft = Draft.objects.get()
    first = actions.submit(draft)
    again = actions.submit(Draft.objects.get(pk=draft.pk))
    assert first.reference == again.reference
    assert Report.objects.count() == 1
    assert someone


def test_one_cookie_with_a_neutral_name_without_expiry() -> None:
    someone = Visitor().start()
    (cookie,) = someone.client.cookies.values()
    assert cookie.key == "s"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["expires"]
    assert not cookie["max-age"]


def test_a_lost_session_gives_a_plain_page_when_the_form_comes_back() -> None:
    someone = Visitor().start()
    Session.objects.all().delete()
    page: Any = someone.client.post("/q/1", {"answer": "home"})
    assert page.status_code == 403
    assert "Nothing is open here" in page.content.decode()
