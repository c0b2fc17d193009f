"""A draft on the server: kept at each step, found by session or return code, thrown away when nobody wants it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput
from counterfoil.reports import actions, queries
from counterfoil.reports.models import Draft, Upload

pytestmark = pytest.mark.django_db


def test_a_draft_is_found_by_its_session_which_is_stored_as_a_hash(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft(session="my-session")
    assert queries.draft_for_session("my-session") == draft
    assert queries.draft_for_session("another") is None
    assert queries.draft_for_session(None) is None
    assert "my-session" not in str(Draft.objects.values().get())


def test_a_kind_nobody_takes_is_refused() -> None:
    with pytest.raises(BadInput, match="Choose what you want to report") as refused:
        actions.start_draft("spaceship", "en", "s")
    assert refused.value.field == "kind"


def test_a_return_code_opens_the_draft_and_a_newer_code_replaces_it(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft()
    first = actions.give_return_code(draft)
    assert queries.draft_by_return_code(first.lower().replace("-", " ")) == draft
    second = actions.give_return_code(draft)
    assert queries.draft_by_return_code(first) is None
    assert queries.draft_by_return_code(second) == draft
    assert queries.draft_by_return_code("") is None
    actions.take_over(draft, "elsewhere")
    assert queries.draft_for_session("elsewhere") == draft
    assert queries.draft_for_session("a-session") is None


def test_leaving_cuts_the_tie_between_browser_and_draft(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft()
    code = actions.give_return_code(draft)
    actions.leave_draft("a-session")
    assert queries.draft_for_session("a-session") is None
    assert queries.draft_for_session("") is None
    assert queries.draft_by_return_code(code) == draft


def test_a_draft_untouched_for_a_week_is_thrown_away_and_a_younger_one_kept(cast: Cast) -> None:
    cast.queue()
    old = scenes.draft(files=[("a.jpg", scenes.photo())], session="one")
    young = scenes.draft(session="two")
    now = timezone.now() + timedelta(days=8)
    Draft.objects.filter(pk=young.pk).update(touched_at=now - timedelta(days=1))
    actions.tidy(now)
    assert list(Draft.objects.all()) == [young]
    assert not Upload.objects.filter(draft_id=old.pk).exists()


def test_tidying_never_touches_what_was_sent(cast: Cast) -> None:
    scene = scenes.reported(cast)
    actions.tidy(timezone.now() + timedelta(days=30))
    card = queries.report_card(scene.report)
    assert [f.name for f in card.files] == ["IMG_0042.jpg", "doorbell.mp4"]
