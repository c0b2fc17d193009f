"""Audit samples: nobody can choose what is looked at, anyone can draw it again, and what follows has an interval."""

import hashlib
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from tests import scenes
from tests.cast import HOME, Cast

from counterfoil.accounts import actions as accounts
from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer
from counterfoil.cases.models import Case, CaseReport
from counterfoil.config import promises
from counterfoil.duties import actions as duties
from counterfoil.engines import sampling
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.actions import record, sequence
from counterfoil.measures import marking, samples
from counterfoil.measures.marking import Looked, Marked
from counterfoil.measures.models import Mark, Sample, SampleItem
from counterfoil.reports.models import Report

REASON = "The account says that a bicycle was taken from a locked shed: theft, on the balance of probability."
DAY = date(2026, 3, 2)


# The draw


def frame(n: int = 200) -> bytes:
    """Return a frame of two strata."""
    return sampling.frame_of((sampling.token(str(i)), "a" if i % 4 else "b") for i in range(n))


def test_the_same_frame_and_statement_draw_the_same_sample_and_others_another() -> None:
    first = sampling.draw(frame(), "statement", 40)
    assert first == sampling.draw(frame(), "statement", 40)
    assert [i.number for i in first] == list(range(1, 41))
    assert {i.token for i in first} != {i.token for i in sampling.draw(frame(), "statement 2", 40)}
    assert {i.token for i in first} != {i.token for i in sampling.draw(frame(201), "statement", 40)}


def test_each_item_of_a_stratum_is_as_likely_as_any_other() -> None:
    times: dict[str, int] = {}
    for k in range(400):
        for item in sampling.draw(frame(60), f"statement {k}", 24):
            times[item.token] = times.get(item.token, 0) + 1
    for stratum, n, of in (("a", 14, 45), ("b", 10, 15)):
        seen = [times[t] for t, s in sampling.read_frame(frame(60)) if s == stratum]
        assert len(seen) == of
        assert abs(np.mean(seen) - 400 * n / of) < 1e-9
        assert np.std(seen) < 3 * np.sqrt(400 * n / of)


def test_a_sample_is_shared_out_so_that_no_stratum_is_forgotten() -> None:
    assert sampling.shared_out({"a": 900, "b": 100}, 60) == {"a": 46, "b": 14}
    assert sampling.shared_out({"a": 900, "b": 4}, 30) == {"a": 26, "b": 4}
    assert sampling.shared_out({"a": 30, "b": 30, "c": 30}, 20) == {"a": 7, "b": 7, "c": 6}
    assert sampling.shared_out({"a": 5}, 20) == {"a": 5}


def test_a_stratum_of_a_few_is_joined_with_another() -> None:
    members = [(sampling.token(str(i)), "x" if i < 3 else "y" if i < 20 else "z") for i in range(100)]
    assert sampling.strata_of(sampling.frame_of(sampling.merged(members))) == {"x or y": 20, "z": 80}


@pytest.mark.parametrize("data", [b"", b"token,stratum", b"a,b\n", b"token,stratum\nx,y,z\n"])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="no frame"):
        sampling.read_frame(data)


@pytest.mark.parametrize(
    ("share", "n", "whole"), [(0.9, 60, 600), (0.97, 100, 300), (0.5, 40, 5000), (1.0, 60, 600)]
)
def test_the_interval_holds_the_truth_in_95_of_100_draws(share: float, n: int, whole: int) -> None:
    rng = np.random.default_rng(1)
    truth = np.zeros(whole, int)
    truth[: round(share * whole)] = 1
    strata = np.arange(whole) % 5 == 0  # of every size of group an equal share of errors
    hit = 0
    for _ in range(300):
        marks = []
        for s, take in ((True, n // 2), (False, n - n // 2)):
            there = rng.choice(np.flatnonzero(strata == s), take, replace=False)
            marks += [(int(truth[i]), float((strata == s).sum() / take)) for i in there]
        found = sampling.estimate(marks)
        assert found is not None
        hit += found.low - 5e-4 <= truth.mean() <= found.high + 5e-4
    assert hit >= 0.93 * 300


def test_a_whole_frame_that_was_looked_at_needs_no_interval_and_none_gives_none() -> None:
    assert sampling.estimate([(1, 1.0)] * 9 + [(0, 1.0)]) == sampling.Estimate(0.9, 0.9, 0.9, 10)
    assert sampling.estimate([]) is None


# Marking


def marked(*said: tuple[bool, bool | None]) -> list[Marked]:
    """Return marks by as many people."""
    return [Marked(str(i), crime, right) for i, (crime, right) in enumerate(said)]


def test_an_error_and_every_fifth_item_are_looked_at_by_two_and_a_third_decides_between_them() -> None:
    good, wrong = (True, True), (True, None)
    assert marking.settled(marked(good), 1, recorded=True) == good
    assert marking.settled(marked(good), 5, recorded=True) is None, "every fifth is marked twice"
    assert marking.settled(marked(wrong), 1, recorded=False) is None, "an error needs a second pair of eyes"
    assert marking.settled(marked(wrong, wrong), 1, recorded=False) == wrong
    assert marking.settled(marked(wrong, (False, None)), 1, recorded=False) is None
    assert marking.settled(marked(wrong, (False, None), (False, None)), 1, recorded=False) == (False, None)
    assert marking.settled(marked((True, False), good, good), 1, recorded=True) == good
    assert marking.settled([], 1, recorded=True) is None


def test_what_follows_is_weighed_by_what_each_item_stands_for() -> None:
    looked = [Looked(10.0, True, True, True, True)] * 20 + [Looked(1.0, False, False, True, None)] * 20
    found = marking.results(looked, [(Marked("a", True, True), Marked("b", True, False))])
    assert found.recorded is not None
    assert found.recorded.share == pytest.approx(200 / 220, abs=1e-3)
    assert found.too_many is not None
    assert found.too_many.share == 0
    assert found.agreement == (0, 1)


# The house


def told(cast: Cast, n: int = 60) -> list[UUID]:
    """Have n reports made in March 2026, every second recorded as a crime (some late), every sixth said to be none."""
    cast.staff_the_desk()
    first = scenes.reported(cast).report
    report, joined = Report.objects.get(pk=first), CaseReport.objects.get(report_id=first)
    case = Case.objects.get(pk=joined.case_id)
    at = timezone.make_aware(timezone.datetime(2026, 3, 2, 9))
    made = []
    for i in range(n):  # copies of one real report: what is sampled is how they were recorded
        when = at + timedelta(hours=6 * i)
        report.pk, report.reference, report._state.adding = None, f"COPY-{i:04d}", True
        report.pk = UUID(int=10_000 + i)
        report.received_at = report.reported_at = when
        report.save(force_insert=True)
        case.pk, case.number, case._state.adding = UUID(int=20_000 + i), 10_000 + i, True
        case.reported_at = case.opened_at = when
        case.recorded_at = when + timedelta(hours=30 if i % 10 == 0 else 5) if i % 2 == 0 else None
        case.crime_number = f"99/CR/{i:05d}/26" if i % 2 == 0 else ""
        case.save(force_insert=True)
        CaseReport.objects.create(case=case, report=report, joined_at=when)
        made.append(report.pk)
    return made


@pytest.fixture
def announced(cast: Cast) -> UUID:
    """A sample of 20 of 60 reports, announced by Ines."""
    told(cast)
    return samples.announce(HOME, DAY, DAY + timedelta(days=20), 20, by=cast.ines)


@pytest.fixture
def drawn(announced: UUID) -> UUID:
    """The same, drawn once the log has spoken."""
    sequence()
    assert samples.draw_waiting() == 1
    return announced


def second(cast: Cast, name: str = "Owena Pryce") -> Viewer:
    """Return another inspector of the home force."""
    username = name.split(maxsplit=1)[0].lower()
    actor = accounts.open_account(username, name, "correct-horse-battery-staple", by=Viewer.clock())
    accounts.grant(actor, "inspector", force=HOME, by=Viewer.clock())
    return viewer_for(actor)


@pytest.mark.django_db
def test_a_sample_is_drawn_only_after_the_log_has_spoken_and_by_no_person(announced: UUID) -> None:
    assert samples.draw_waiting() == 0
    sequence()
    assert samples.draw_waiting() == 1
    assert samples.draw_waiting() == 0, "once"
    sample = Sample.objects.get(pk=announced)
    assert SampleItem.objects.filter(sample=sample).count() == 20
    again = sampling.draw(samples.frame(sample.frame_sha256), sample.note, 20)
    assert [sampling.token(str(i.report_id)) for i in sample.items.order_by("number")] == [
        i.token for i in again
    ]
    entries = {e.act: e for e in ledger.entries_of(Viewer.clock(), "sample", announced)}
    assert entries["sample.announced"].body["frame_sha256"] == sample.frame_sha256
    assert entries["sample.drawn"].by == "clock"
    size = int(sample.note.split("\n")[1])
    assert entries["sample.announced"].index is not None
    assert size > entries["sample.announced"].index
    assert samples.chosen_by_hand() == []


@pytest.mark.django_db
def test_a_day_is_sampled_once_and_only_what_can_be_sampled(cast: Cast, announced: UUID) -> None:
    with pytest.raises(NotAllowed, match="sampled before"):
        samples.announce(HOME, DAY + timedelta(days=1), DAY + timedelta(days=14), 20, by=cast.ines)
    with pytest.raises(BadInput, match="fewer than 50"):
        samples.announce(HOME, DAY - timedelta(days=9), DAY - timedelta(days=5), 20, by=cast.ines)
    with pytest.raises(BadInput, match="two days"):
        samples.announce(HOME, DAY, timezone.localdate(), 20, by=cast.ines)
    with pytest.raises(BadInput, match="between 20"):
        samples.announce(HOME, DAY, DAY, 5, by=cast.ines)
    for who in (cast.alice, cast.gwen, cast.ada):
        with pytest.raises(NotAllowed):
            samples.announce(HOME, date(2026, 1, 1), date(2026, 1, 9), 20, by=who)


@pytest.mark.django_db
def test_a_sample_chosen_by_hand_is_caught(cast: Cast, drawn: UUID) -> None:
    def broken() -> list[str]:
        return [b for b in promises.broken(timezone.now()) if b.startswith("Every audit sample")]

    assert broken() == []
    sample = Sample.objects.get(pk=drawn)
    item = sample.items.order_by("number").first()
    assert item is not None
    kept = item.report_id
    other = CaseReport.objects.exclude(report_id__in=sample.items.values("report_id")).filter(
        case__number__gte=10_000
    )
    SampleItem.objects.filter(pk=item.pk).update(report_id=other.values_list("report_id", flat=True)[0])
    assert broken(), "an item exchanged"
    SampleItem.objects.filter(pk=item.pk).update(report_id=kept)
    assert broken() == []
    text, rest = sample.note.split("\n\n")
    Sample.objects.filter(pk=drawn).update(note=f"{text}\n\n{rest}— friend AAAA\n")
    assert broken(), "a line in the statement that nobody signed"
    Sample.objects.filter(pk=drawn).update(note=sample.note)
    path = samples._folder() / f"{sample.frame_sha256}.csv"
    path.write_bytes(path.read_bytes()[:-80])
    assert broken(), "a frame that was cut"


@pytest.mark.django_db
def test_nobody_marks_what_they_worked_on_or_marks_twice_and_each_mark_is_an_entry(
    cast: Cast, drawn: UUID
) -> None:
    item = samples.item_for(cast.ines, drawn, 1)
    assert item is not None
    assert samples.item_for(cast.alice, drawn, 1) is None
    assert samples.item_for(cast.gwen, drawn, 1) is None
    with pytest.raises(NotAllowed):
        samples.mark(drawn, 1, crime=True, right_class=True, reason=REASON, by=cast.gwen)
    with pytest.raises(BadInput):
        samples.mark(drawn, 1, crime=True, right_class=True, reason="short", by=cast.ines)
    samples.mark(drawn, 1, crime=True, right_class=True, reason=REASON, by=cast.ines)
    with pytest.raises(NotAllowed, match="already"):
        samples.mark(drawn, 1, crime=True, right_class=True, reason=REASON, by=cast.ines)
    mark = Mark.objects.get()
    (entry,) = ledger.entries_of(cast.ines, "mark", mark.pk)
    assert entry.body["number"] == 1
    assert entry.body["reason_sha256"] == hashlib.sha256(REASON.encode()).hexdigest()
    case = SampleItem.objects.get(sample_id=drawn, number=2).case_id
    from django.db import transaction

    with transaction.atomic():
        record("case.graded", by=cast.ines, on=("case", case), thread=case)
    with pytest.raises(NotAllowed, match="worked on this case"):
        samples.mark(drawn, 2, crime=True, right_class=True, reason=REASON, by=cast.ines)


def finish(cast: Cast, sample: UUID) -> samples.SampleCard:
    """Have every item marked by as many people as it takes; every third report that was not recorded was a crime."""
    people = [cast.ines, second(cast), second(cast, "Tegan Lisle")]
    for number, _, _ in samples.progress(cast.ines, sample):
        for who in people:
            item = samples.item_for(who, sample, number)
            assert item is not None
            if not item.why_not:
                crime = item.recorded or number % 3 == 0
                samples.mark(
                    sample, number, crime=crime, right_class=item.recorded or None, reason=REASON, by=who
                )
    (card,) = [s for s in samples.samples_of(cast.ines) if s.id == sample]
    return card


@pytest.mark.django_db
def test_when_all_is_marked_the_estimate_follows_and_is_published_with_what_it_takes_to_draw_again(
    cast: Cast, drawn: UUID, client: Client
) -> None:
    before = client.get("/board/samples/").content.decode()
    assert "0 of 20" in before
    card = finish(cast, drawn)
    assert card.results is not None
    assert card.results.recorded is not None
    assert 0 < card.results.recorded.low < card.results.recorded.share < card.results.recorded.high <= 1
    assert card.results.in_time is not None
    assert card.results.in_time.share < card.results.recorded.share
    assert card.results.right_class is not None
    assert card.results.right_class.share == 1
    page = client.get(f"/board/samples/{drawn}/").content.decode()
    assert card.frame_sha256 in page
    assert card.drawn_sha256 in page
    assert f"{card.results.recorded.share * 100:.1f}%" in page
    given = client.get(f"/board/samples/{drawn}/frame.csv").content
    note = client.get(f"/board/samples/{drawn}/statement.txt").content.decode()
    assert sampling.digest_of(sampling.draw(given, note, card.size)) == card.drawn_sha256
    assert "/cy/board/samples/" in client.get("/cy/board/samples/").content.decode()
    for report in SampleItem.objects.values_list("report_id", flat=True):
        assert str(report).encode() not in given


@pytest.mark.django_db
def test_the_promises_hold_and_a_case_is_not_shown_in_the_log(cast: Cast, drawn: UUID) -> None:
    finish(cast, drawn)
    bodies = [e.body for e in ledger.entries_of(Viewer.clock(), "sample", drawn)]
    assert not any(str(r) in str(bodies) for r in SampleItem.objects.values_list("report_id", flat=True))
    assert duties is not None
