"""One thing that goes wrong by the clock must not keep it from the others."""

import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from tests import scenes
from tests.cast import AWAY, Cast

from counterfoil import cli
from counterfoil.cases import actions as cases
from counterfoil.cases.queries import case_of_report, reports_without_case
from counterfoil.duties import actions as duties
from counterfoil.duties.models import Duty
from counterfoil.duties.queries import my_duties
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.notices import actions as notices
from counterfoil.notices.models import Notice

pytestmark = pytest.mark.django_db
LATE = timedelta(hours=30)


def test_a_report_whose_case_cannot_be_opened_does_not_keep_the_others_waiting(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FOLLOWERS = False
    bad, good = scenes.reported(cast, session="1"), scenes.reported(cast, session="2")
    settings.FOLLOWERS = True
    really = cases.open_case

    def fails(report: str) -> Any:
        if report == str(bad.report):
            raise RuntimeError("this one cannot be opened")
        return really(report)

    monkeypatch.setattr(cases, "open_case", fails)
    done = duties.sweep()
    assert done["cases_opened"] == 1
    assert case_of_report(good.report)
    assert reports_without_case() == [bad.report]


def test_a_duty_that_cannot_climb_does_not_keep_the_others_down(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = scenes.reported(cast, session="1"), scenes.reported(cast, session="2")
    really = duties._climb

    def fails(duty: Any, case: Any, now: Any) -> int:
        if case == first.case:
            raise RuntimeError("a row that is out of order")
        return really(duty, case, now)

    monkeypatch.setattr(duties, "_climb", fails)
    with caplog.at_level(logging.ERROR):
        assert duties.sweep(timezone.now() + LATE)["rungs_climbed"] > 0
    assert Duty.objects.filter(case_id=second.case, missed_at__isnull=False).exists()
    assert not Duty.objects.filter(case_id=first.case, missed_at__isnull=False).exists()
    assert "the sweep could not help" in caplog.text


def test_a_carrier_that_takes_nothing_is_left_alone_until_the_next_time(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        scene = scenes.reported(cast, session=str(n))
        notices.queue_notice(scene.case, scene.report, "update", by=cast.alice)
    asked = []

    class Hangs:
        def send(self, address: str, subject: str, text: str, key: str) -> str:
            asked.append(key)
            raise TimeoutError

    monkeypatch.setattr(notices, "notifier", Hangs)
    assert notices.send_waiting() == 0
    assert len(asked) == 1
    assert notices.send_waiting() == 0
    assert len(set(asked)) == 2, "the next time another message is tried"
    assert Notice.objects.filter(state="waiting").count() == 1


def test_ended_sessions_and_what_was_typed_in_them_are_not_kept(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.db.close_old_connections", lambda: None)
    Session.objects.create(session_key="a" * 32, session_data="x", expire_date=timezone.now() - LATE)
    Session.objects.create(session_key="b" * 32, session_data="x", expire_date=timezone.now() + LATE)
    cli.tick()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["b" * 32]


def test_a_posting_without_a_role_in_the_force_shows_no_duty(cast: Cast) -> None:
    from counterfoil.accounts.rules import Viewer
    from counterfoil.cases.queries import queue
    from counterfoil.places.actions import post

    scenes.reported(cast)
    post(cast.id("charlie"), cast.queue(), by=Viewer.clock())
    assert cast.charlie.forces("officer") == {AWAY}
    assert my_duties(cast.charlie) == []
    assert queue(cast.charlie) == []


def test_what_is_recorded_as_a_crime_is_not_said_to_be_none(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    with pytest.raises(NotAllowed, match="recorded as a crime already"):
        duties.not_a_crime(scene.case, "The bicycle was found in the garage by its owner.", by=cast.alice)
    assert not Entry.objects.filter(act="case.not_crimed").exists()


def test_a_number_too_long_for_its_column_is_refused_with_a_sentence(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    with pytest.raises(BadInput, match="20 letters or fewer"):
        duties.record_crime(scene.case, by=cast.alice, rms_number="NICHE 99/CF/0000000001/2026")


def test_an_actor_written_otherwise_is_still_one_actor_in_the_log(cast: Cast) -> None:
    scene = scenes.reported(cast)
    duties.assign_case(scene.case, cast.id("bruno").upper(), by=cast.ines)
    assert Entry.objects.get(act="case.assigned").body["to"] == cast.id("bruno")


def test_nobody_grants_themselves_a_role_by_writing_their_id_otherwise(cast: Cast) -> None:
    from counterfoil.accounts.actions import grant

    with pytest.raises(NotAllowed, match="to themselves"):
        grant(cast.id("ada").upper(), "inspector", force="99", by=cast.ada)


def test_development_serves_this_machine_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--host", "0.0.0.0"])
    assert ended.value.code == 2
    assert "this machine only" in capsys.readouterr().err


def test_what_a_killed_process_left_of_an_upload_does_not_lie_about_for_ever(home: Path, db: None) -> None:
    from counterfoil.config.fsck import clear_leftovers

    fresh, old, folder = (home / "incoming" / name for name in ("fresh", "old", "half-a-bundle"))
    fresh.write_bytes(scenes.photo())
    old.write_bytes(scenes.photo())
    folder.mkdir()
    for path in (old, folder):
        os.utime(path, (0, 0))
    assert clear_leftovers() == 2
    assert list((home / "incoming").iterdir()) == [fresh]


@pytest.mark.parametrize(("role", "force"), [("officer", ""), ("officer", "XYZ"), ("prosecutor", "99")])
def test_a_role_without_its_force_is_refused(cast: Cast, role: str, force: str) -> None:
    from counterfoil.accounts.actions import grant
    from counterfoil.accounts.rules import Viewer

    with pytest.raises(BadInput, match="two-character code"):
        grant(cast.id("bruno"), role, force=force, by=Viewer.clock())
