"""Following a report: what happened, what comes, and what we missed."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.cast import Cast
from tests.portal.walk import CLIP, PHOTO, Visitor, upload

from counterfoil.duties import actions as duties
from counterfoil.faces.portal.told import tell
from counterfoil.reports.queries import Step

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def step(hours: int, what: str, following: str = "", in_hours: int | None = None, **params: object) -> Step:
    due = NOW + in_hours * HOUR if in_hours is not None else None
    return Step(NOW + hours * HOUR, what, params, following, due)


def test_what_comes_next_is_said_soonest_first_with_its_time() -> None:
    story = tell(
        [step(-1, "received"), step(-1, "queued", "record", 23), step(-1, "queued", "triage", 3)], NOW, "en"
    )
    assert [s.due for s in story.coming] == [
        "By 3pm on Tuesday 24 November we aim to:",
        "By 11am on Wednesday 25 November we aim to:",
    ]
    assert story.late == []


def test_a_missed_promise_is_said_at_once_even_before_the_clock_has_swept() -> None:
    story = tell([step(-6, "received"), step(-6, "queued", "triage", -2)], NOW, "en")
    assert story.coming == []
    (late,) = story.late
    assert late.text == "We said by 10am on Tuesday 24 November. We did not."


def test_a_missed_promise_is_said_in_welsh() -> None:
    story = tell([step(-6, "queued", "triage", -2)], NOW, "cy")
    assert story.late[0].text.startswith("Fe ddywedon ni erbyn 10am ddydd Mawrth 24 Tachwedd.")


def test_it_stops_being_late_when_it_is_done_and_the_timeline_still_says_it_was_missed() -> None:
    due = (NOW - 2 * HOUR).isoformat()
    steps = [
        step(-6, "queued", "triage", -2),
        step(-1, "missed", "missed_do", duty="triage", due=due),
        step(0, "triaged"),
    ]
    assert len(tell(steps[:2], NOW, "en").late) == 1
    story = tell(steps, NOW, "en")
    assert story.late == []
    assert [s.title for s in story.past][:2] == ["Someone has read your report", "We were late"]
    assert "We did not." in story.past[1].text


def test_an_outcome_is_told_in_plain_words_and_ends_every_promise() -> None:
    story = tell([step(-6, "queued", "update", 9), step(-1, "outcome", outcome=15)], NOW, "en")
    assert story.coming == []
    assert "could not prove it" in story.past[0].text


def test_news_without_words_is_left_out_and_never_breaks_the_page() -> None:
    story = tell([step(-2, "something.internal", "unknown", 3), step(-1, "received")], NOW, "en")
    assert [s.title for s in story.past] == ["We have your report"]


@pytest.mark.django_db
class TestPages:
    """The same through the pages."""

    @pytest.fixture(autouse=True)
    def desk(self, cast: Cast) -> None:
        cast.staff_the_desk()

    @pytest.mark.parametrize("prefix", ["", "/cy"])
    def test_reference_and_words_open_the_progress_page_and_nothing_less_does(self, prefix: str) -> None:
        reference, words = Visitor().start().answer_all().send().codes[:2]
        wrong = Visitor(prefix).go("/track").press({"reference": reference, "words": "wrong words all four"})
        unknown = (
            Visitor(prefix).go("/track").press({"reference": "00000-00000-00000-00000-0", "words": words})
        )
        assert wrong.at == unknown.at == f"{prefix}/track"
        assert wrong.title == unknown.title
        right = (
            Visitor(prefix)
            .go("/track")
            .press({"reference": reference.lower(), "words": f" {words.upper()} "})
        )
        assert right.at == f"{prefix}/progress"
        assert ("We have your report" if not prefix else "Mae eich adroddiad gyda ni") in right.words

    def test_when_the_time_passes_the_page_says_so_and_what_can_be_done(self, cast: Cast) -> None:
        from django.utils import timezone

        reference, words = Visitor().start().answer_all().send().codes[:2]
        duties.sweep(timezone.now() + timedelta(hours=30))
        page = Visitor().go("/track").press({"reference": reference, "words": words})
        assert "We are late" in page.words
        assert page.words.count("We did not. What we should have done:") == 2
        assert "Here is what you can do." in page.words
        assert "Call 101 and give your reference." in page.words

    def test_a_receipt_is_recognised_with_the_file_it_lists_and_not_with_another(self) -> None:
        someone = Visitor().start().until("photos, video")
        someone.press({"then": "next", "files": [upload("clip.mp4", CLIP), upload("door.jpg", PHOTO)]})
        someone.answer_all().send()
        note = someone.client.get("/sent/receipt").content.decode()
        files = [upload("mine.jpg", PHOTO), upload("other.jpg", PHOTO + b"!")]
        page = Visitor().go("/receipt").press({"note": note.replace("\n", "\r\n"), "files": files})
        assert "This is our receipt, and it has not been changed" in page.words
        assert "It lists 2 files." in page.words
        assert "The same file: number 2" in page.words
        assert page.words.count("Not a file on this receipt") == 1
        uploaded = (
            Visitor("/cy").go("/receipt").press({"note": "", "receipt": upload("receipt.txt", note.encode())})
        )
        assert "Dyma ein derbynneb ni" in uploaded.words

    def test_a_changed_receipt_is_not_recognised(self) -> None:
        someone = Visitor().start().answer_all().send()
        note = someone.client.get("/sent/receipt").content.decode()
        changed = note.replace("received 20", "received 19", 1)
        assert changed != note
        assert "We cannot confirm this receipt" in Visitor().go("/receipt").press({"note": changed}).words

    def test_closing_the_page_closes_it(self) -> None:
        someone = Visitor().start().answer_all().send()
        someone.press({}, to="/close")
        assert someone.at == "/closed"
        assert "Nothing is open here" in someone.go("/sent").words
