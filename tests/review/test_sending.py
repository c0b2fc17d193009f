"""What was acknowledged is in the report, or the sender is told that it is not; never forgotten in silence."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import Cast

from counterfoil.engines.errors import NotAllowed
from counterfoil.engines.sniff import sniff
from counterfoil.plugs.stores import quarantine
from counterfoil.reports import actions, queries
from counterfoil.reports.models import Draft, Report, Upload

pytestmark = pytest.mark.django_db
PHOTO = ("a.jpg", scenes.photo(1))


def test_an_answer_changed_in_another_window_while_sending_is_not_lost(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft()
    other_window = Draft.objects.get(pk=draft.pk)
    actions.save_answer(other_window, "what", "They are still in the house.")
    with pytest.raises(NotAllowed, match="changed while it was being sent"):
        actions.submit(draft)
    assert not Report.objects.exists()
    report = actions.submit(Draft.objects.get(pk=draft.pk))
    assert "still in the house" in str(queries.report_card(report.report_id).answers)


def test_a_file_taken_in_while_sending_is_not_left_behind(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.queue()
    draft = scenes.draft(files=[PHOTO])
    really = queries.files_of_draft

    def and_then_another(found: Draft) -> object:
        files = really(found)
        data = scenes.photo(2)
        actions.add_upload(found, "b.jpg", io.BytesIO(data), len(data))
        return files

    with monkeypatch.context() as patch:
        patch.setattr(actions, "files_of_draft", and_then_another)
        with pytest.raises(NotAllowed, match="changed while it was being sent"):
            actions.submit(draft)
    report = actions.submit(draft)
    assert len(queries.report_card(report.report_id).files) == 2


def test_no_file_is_taken_in_for_a_report_that_was_sent_meanwhile(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.queue()
    draft = scenes.draft()
    really = sniff

    def sent_meanwhile(head: bytes) -> object:
        actions.submit(Draft.objects.get(pk=draft.pk))
        return really(head)

    monkeypatch.setattr(actions, "sniff", sent_meanwhile)
    with pytest.raises(NotAllowed, match="already sent"):
        actions.add_upload(draft, *PHOTO[:1], io.BytesIO(PHOTO[1]))
    assert not Upload.objects.exists()


def test_the_return_code_of_a_sent_report_opens_nothing(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft()
    code = actions.give_return_code(draft)
    assert queries.draft_by_return_code(code) == draft
    sent = actions.submit(draft)
    assert queries.draft_by_return_code(code) is None
    assert actions.submit(draft) == sent, "the sender's own retry still gets the reply"


def test_tidying_spares_a_draft_touched_at_the_last_moment(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft(files=[PHOTO])
    seen = Draft.objects.get(pk=draft.pk)
    week_later = timezone.now() + timedelta(days=8)
    Draft.objects.filter(pk=draft.pk).update(touched_at=week_later - timedelta(seconds=1))
    actions.discard_draft(seen, untouched_since=week_later - actions.DRAFT_LIFE)
    assert Upload.objects.filter(draft=draft).exists()
    actions.tidy(week_later)
    assert quarantine().has(Upload.objects.get().sha256)


def test_tidying_takes_no_file_of_a_report_whose_draft_is_old(cast: Cast) -> None:
    scene = scenes.reported(cast, files=[PHOTO])
    actions.tidy(timezone.now() + timedelta(days=30))
    assert not Draft.objects.exists()
    assert quarantine().has(Upload.objects.get(report_id=scene.report).sha256)
