"""Many hands at once on one case: nobody waits for each other in a circle, and nothing is doubled or lost."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone
from tests import scenes
from tests.cast import Cast

from counterfoil.cases.models import Case, CaseReport
from counterfoil.config import promises
from counterfoil.duties import actions as duties
from counterfoil.duties.models import Climb, Duty
from counterfoil.engines.errors import Refusal
from counterfoil.ledger.actions import sequence
from counterfoil.ledger.queries import faults
from counterfoil.reports import actions as reports
from counterfoil.reports.models import Draft, Progress, Report, Upload

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[BaseException]:
    """Do everything at the same moment, each with its own connection; return what went wrong, but no refusals."""
    wrong: list[BaseException] = []
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> None:
        gate.wait()
        try:
            act()
        except Refusal:
            pass
        except BaseException as e:
            wrong.append(e)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    close_old_connections()
    return wrong


def test_a_case_worked_on_while_the_clock_sweeps_it(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    scene = scenes.triaged(cast)
    alice, ines, bruno = cast.alice, cast.ines, cast.id("bruno")
    late = timezone.now() + timedelta(days=20)
    for turn in range(4):
        wrong = at_once(
            lambda: duties.sweep(late),
            lambda: duties.sweep(late),
            lambda: duties.update_sender(scene.case, "We have watched the recording.", by=ines),
            lambda: duties.update_sender(scene.case, "We have spoken to the neighbour.", by=ines),
            lambda: duties.not_a_crime(scene.case, "The bicycle was found in the garage.", by=ines),
            partial(duties.assign_case, scene.case, bruno if turn % 2 else alice.id, by=ines),
            sequence,
        )
        assert wrong == []
    assert "could not help" not in caplog.text
    duties.sweep(late)
    sequence()
    assert faults() == []
    assert promises.broken(late, grace=timedelta(0)) == []
    assert Climb.objects.values("duty", "rung", "actor").distinct().count() == Climb.objects.count()
    # One report: each missed duty is said once.
    assert (
        Progress.objects.filter(what="missed").count() == Duty.objects.filter(missed_at__isnull=False).count()
    )


def test_two_sweeps_open_each_case_once(cast: Cast, settings: Any) -> None:
    settings.FOLLOWERS = False
    for n in range(4):
        scenes.reported(cast, session=str(n), files=())
    settings.FOLLOWERS = True
    assert at_once(duties.sweep, duties.sweep, duties.sweep) == []
    assert Case.objects.count() == CaseReport.objects.count() == 4
    assert sorted(Case.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
    assert Duty.objects.filter(state="live").count() == 12


def test_one_draft_sent_many_times_at_once_is_one_report_with_one_reply(cast: Cast) -> None:
    cast.queue()
    draft = scenes.draft(files=[("a.jpg", scenes.photo(1))])
    replies = []
    sends = [lambda: replies.append(reports.submit(Draft.objects.get(pk=draft.pk)))] * 6
    assert at_once(*sends) == []
    assert len(replies) == 6
    assert len(set(replies)) == 1
    assert Report.objects.count() == 1


def test_sending_at_the_moment_of_tidying_loses_no_file(cast: Cast) -> None:
    cast.queue()
    for n in range(6):
        draft = scenes.draft(files=[("a.jpg", scenes.photo(n))], session=str(n))
        Draft.objects.filter(pk=draft.pk).update(touched_at=timezone.now() - timedelta(days=8))
        old = Draft.objects.get(pk=draft.pk)
        assert at_once(partial(reports.submit, old), lambda: reports.tidy(timezone.now())) == []
    assert promises.broken(grace=timedelta(0)) == []
    assert Upload.objects.filter(report__isnull=False).count() == Report.objects.count()
