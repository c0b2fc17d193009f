"""Accepting a report: everything in one transaction, the same reply to a repeat, and a receipt that checks."""

import io
import json
from typing import Any

import pytest
from tests import scenes
from tests.cast import HOME, RHYS, Cast

from counterfoil.cases import queries as cases
from counterfoil.duties import queries as duties
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry, Reply
from counterfoil.reports import actions, queries
from counterfoil.reports.models import Progress, Report

pytestmark = pytest.mark.django_db


def test_from_the_second_it_is_accepted_there_is_a_case_with_an_owner_and_live_duties(cast: Cast) -> None:
    scene = scenes.reported(cast)
    card = cases.case_for(cast.alice, scene.case)
    assert card is not None
    assert (card.state, card.owner, card.force) == ("open", "Triage desk", HOME)
    assert {d.kind for d in duties.duties_of(cast.alice, scene.case)} == {"triage", "record", "update"}
    assert all(d.state == "live" for d in duties.duties_of(cast.alice, scene.case))


def test_sending_the_same_draft_again_gives_the_same_reply_and_makes_nothing(cast: Cast) -> None:
    scene = scenes.reported(cast)
    before = Entry.objects.count()
    assert actions.submit(scene.draft) == scene.accepted
    assert Report.objects.count() == 1
    assert Entry.objects.count() == before
    assert Reply.objects.filter(scope="report.submit").count() == 1


def test_a_draft_that_was_sent_takes_no_more_answers_or_files(cast: Cast) -> None:
    scene = scenes.reported(cast)
    with pytest.raises(NotAllowed):
        actions.save_answer(scene.draft, "what", "Something else altogether.")
    with pytest.raises(NotAllowed):
        actions.add_upload(scene.draft, "late.jpg", io.BytesIO(scenes.photo(9)))
    assert actions.submit(scene.draft) == scene.accepted


def test_the_entry_names_digests_and_no_person(cast: Cast) -> None:
    scene = scenes.reported(cast)
    entry = Entry.objects.get(act="report.accepted")
    card = queries.report_card(scene.report)
    assert entry.by == "public"
    assert entry.body["files"] == [f.sha256 for f in card.files]
    assert RHYS.name.split()[1].casefold() not in json.dumps(entry.body).casefold()


@pytest.mark.parametrize("missing", ["what", "force", "when", "contact_channels"])
def test_an_unanswered_question_is_named_and_nothing_is_lost(cast: Cast, missing: str) -> None:
    cast.queue()
    draft = scenes.draft(files=[("a.jpg", scenes.photo())])
    del draft.answers[missing]
    draft.save(update_fields=["answers"])
    with pytest.raises(BadInput, match="Answer this question") as refused:
        actions.submit(draft)
    assert refused.value.field == missing
    assert not Report.objects.exists()
    assert len(queries.files_of_draft(draft)) == 1
    assert not Reply.objects.exists()


def test_an_unknown_force_is_refused(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft(said={"force": "00"})
    with pytest.raises(BadInput, match="Choose the police force"):
        actions.submit(draft)


def test_only_the_answers_of_the_path_taken_are_sent(cast: Cast) -> None:
    said = {**scenes.reachable(), "know_who": "no", "who": "My neighbour, who I no longer accuse"}
    scene = scenes.reported(cast, said=said)
    assert "who" not in queries.report_card(scene.report).answers


def test_it_promises_a_time_when_the_queue_is_staffed_and_none_when_it_is_not(cast: Cast) -> None:
    staffed = scenes.reported(cast)
    steps = queries.progress_of(staffed.report)
    assert steps[0].what == "received"
    assert all(s.due_at is not None for s in steps if s.what == "queued")
    assert any(s.what == "queued" for s in steps)


def test_an_unstaffed_queue_promises_no_time(cast: Cast) -> None:
    scene = scenes.reported(cast, staffed=False)
    steps = queries.progress_of(scene.report)
    assert {s.what for s in steps} == {"received", "queued_unstaffed"}
    assert all(s.due_at is None for s in steps)
    assert cases.case_of_report(scene.report)


def test_a_force_without_any_queue_still_gets_a_case_with_an_owner(cast: Cast) -> None:
    from counterfoil.accounts.rules import Viewer
    from counterfoil.places.actions import load_force

    load_force("97", "bare", "Bare Constabulary", by=Viewer.clock())
    draft = scenes.draft(force="97")
    accepted = actions.submit(draft)
    case = cases.case_of_report(accepted.report_id)
    assert case
    assert cases.cards([case])[case].owner == "Triage desk"


def test_with_followers_off_the_report_is_accepted_all_the_same(cast: Cast, settings: Any) -> None:
    settings.FOLLOWERS = False
    scene = scenes.reported(cast)
    assert Report.objects.filter(pk=scene.report).exists()
    assert cases.reports_without_case() == [scene.report]


def test_a_case_that_cannot_be_opened_does_not_lose_the_report(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cast.staff_the_desk()

    def broken(*_: object) -> int:
        raise RuntimeError("no numbers left")

    monkeypatch.setattr("counterfoil.cases.actions._next_number", broken)
    scene = scenes.reported(cast)
    assert cases.reports_without_case() == [scene.report]
    assert "the sweep will do its work" in caplog.text
    monkeypatch.undo()
    from counterfoil.duties.actions import sweep

    assert sweep()["cases_opened"] == 1
    assert cases.case_of_report(scene.report)


def test_the_passphrase_is_stored_as_a_hash_and_forgotten_an_hour_later(cast: Cast) -> None:
    from datetime import timedelta

    from django.utils import timezone

    scene = scenes.reported(cast)
    report = Report.objects.get()
    assert report.passphrase_hash.startswith("$argon2id$")
    words = scene.accepted.passphrase
    assert len(words.split()) == 4
    assert Reply.objects.get(scope="report.submit").answer["passphrase"] == words
    actions.tidy(timezone.now() + timedelta(hours=2))
    assert Reply.objects.get(scope="report.submit").answer["passphrase"] == ""
    again = actions.submit(scene.draft)
    assert (again.report_id, again.reference, again.receipt) == (
        scene.report,
        scene.accepted.reference,
        scene.accepted.receipt,
    )


def test_the_receipt_lists_each_file_and_checks(cast: Cast) -> None:
    scene = scenes.reported(cast)
    note = scene.accepted.receipt
    good, other = io.BytesIO(scenes.photo()), io.BytesIO(scenes.photo(2))
    check = queries.check_receipt(note, [("mine.jpg", good), ("other.jpg", other)])
    assert check.valid
    assert check.reference == scene.accepted.reference
    assert [ok for _, _, ok in check.files] == [True, False]
    assert len(check.listed) == 2


def test_a_receipt_survives_being_pasted_and_nothing_else(cast: Cast) -> None:
    note = scenes.reported(cast).accepted.receipt
    assert queries.check_receipt("\r\n" + note.replace("\n", "\r\n").rstrip()).valid
    for place in range(0, len(note) - 1, 7):
        changed = note[:place] + ("X" if note[place] != "X" else "Y") + note[place + 1 :]
        assert not queries.check_receipt(changed).valid, place


def test_tracking_needs_reference_and_passphrase_together(cast: Cast) -> None:
    scene = scenes.reported(cast)
    one = scene.accepted
    found = queries.report_for_tracking(one.reference.lower().replace("-", " "), one.passphrase.upper())
    assert found is not None
    assert found.id == scene.report
    assert queries.report_for_tracking(one.reference, "wrong words right here") is None
    assert queries.report_for_tracking("00000-00000-00000-00000-0", one.passphrase) is None
    assert queries.report_for_tracking("\x00", "\ud800") is None


def test_progress_is_marked_as_seen(cast: Cast) -> None:
    scene = scenes.reported(cast)
    actions.mark_seen(scene.report)
    assert not Progress.objects.filter(seen_at=None).exists()
