"""Numbers from our own cases: released whole, protected for all, exact only with the cases that one may see."""

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import HOME, Cast

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.measures import queries
from counterfoil.measures.actions import release_own
from counterfoil.measures.queries import own, releases

pytestmark = pytest.mark.django_db
PUBLIC, CLOCK = Viewer.public(), Viewer.clock()
SLUG = "demonstration"  # the home force of the cast


@pytest.fixture
def release(cast: Cast) -> Callable[[], releases.Release]:
    """The home force is there; give what makes a release two months from now, when this month has ended."""
    cast.queue()
    when = timezone.now() + timedelta(days=62)

    def make() -> releases.Release:
        with patch("counterfoil.measures.actions.timezone.now", return_value=when):
            return release_own(by=CLOCK)

    return make


def address(measure: str, kind: str = "all") -> str:
    """Return the address of a measure in this month at the home force."""
    month = timezone.localtime().strftime("%Y-%m")
    return f"{measure}.{SLUG}.{month}_{month}.{kind}"


def invent(cases: int, *, hours: float = 2.0, outcome: str = "") -> None:
    """Write the log of so many burglaries, each recorded after some hours, as the acts themselves write it."""
    now = timezone.now() - timedelta(minutes=5)
    for _ in range(cases):
        report, case = uuid4(), uuid4()
        lines = [
            ("report.accepted", "report", report, None, now, {"force": HOME, "kind": "burglary"}),
            ("case.opened", "case", case, case, now, {"report": str(report)}),
            ("duty.done", "duty", uuid4(), case, now + timedelta(hours=1), {"kind": "triage"}),
            ("case.recorded", "case", case, case, now + timedelta(hours=hours), {}),
        ]
        if outcome:
            lines.append(
                ("outcome.recorded", "outcome", uuid4(), case, now + timedelta(hours=60), {"type": outcome})
            )
        for act, kind, subject, thread, at, body in lines:
            Entry.objects.create(
                act=act, by="clock", subject_kind=kind, subject_id=str(subject), thread=thread, at=at, body=body,
                salt=b"s" * 32, commitment=uuid4().bytes * 2,
            )  # fmt: skip


def test_without_a_release_there_is_no_table_and_never_nought(cast: Cast) -> None:
    cast.queue()
    found = queries.number(PUBLIC, address("own-cases"))
    assert (found.value, found.state, found.needs) == (None, "no-table", "own")


def test_few_cases_are_protected_and_never_shown_as_nought(
    cast: Cast, release: Callable[[], releases.Release]
) -> None:
    scenes.closed(cast)
    made = release()
    assert sum(len(ids) for ids in made.cells.values()) == 1
    for measure in (
        "own-cases",
        "recorded-within-24h",
        "own-charge-rate",
        "own-response-in-time",
        "own-outcomes",
    ):
        found = queries.number(PUBLIC, address(measure))
        assert (found.value, found.part, found.whole, found.state) == (None, None, None, "protected")


def test_an_officer_reaches_exactly_the_cases_they_may_see(
    cast: Cast, release: Callable[[], releases.Release]
) -> None:
    scene = scenes.closed(cast)
    release()
    for measure in (
        "own-cases",
        "recorded-within-24h",
        "own-charge-rate",
        "own-response-in-time",
        "own-outcomes",
    ):
        found = own.exact(cast.alice, address(measure))
        assert (found.part, found.whole, found.all_seen) == (1, 1, True)
        assert [c.id for c in found.cases] == [scene.case]
    for stranger in (PUBLIC, CLOCK, Viewer(id=str(uuid4()), roles=frozenset({("officer", "17")}))):
        nothing = own.exact(stranger, address("own-cases"))
        assert (nothing.part, nothing.whole, nothing.cases, nothing.all_seen) == (0, 0, (), False)


def test_many_cases_are_rounded_and_their_bounds_hold_the_truth(
    release: Callable[[], releases.Release],
) -> None:
    invent(43)
    invent(21, hours=30, outcome="18")
    invent(16, outcome="1")
    release()
    every = queries.number(PUBLIC, address("own-cases"))
    assert every.value is not None
    assert every.value % 5 == 0
    assert every.low is not None
    assert every.high is not None
    assert every.low <= 80 <= every.high
    in_day = queries.number(PUBLIC, address("recorded-within-24h"))
    assert in_day.low is not None
    assert in_day.high is not None
    assert in_day.low <= 100 * 59 / 80 <= in_day.high
    charged = queries.number(PUBLIC, address("own-charge-rate", "burglary"))
    assert charged.part == 15
    assert queries.number(PUBLIC, address("own-outcomes", "outcome-18")).part == 20
    assert queries.series(PUBLIC, "own-cases", every.id.force).points[0].value == every.value
    with pytest.raises(BadInput, match="no such kind"):
        queries.number(PUBLIC, address("own-cases", "piracy"))


def test_the_event_log_gives_the_same_cells_bit_for_bit(
    cast: Cast, release: Callable[[], releases.Release]
) -> None:
    scenes.closed(cast)
    invent(12)
    made = release()
    assert own.again(address("own-cases"))
    assert release().sha256 == made.sha256
    Entry.objects.filter(act="case.recorded").delete()
    assert not own.again(address("own-cases"))


def test_cases_that_come_later_change_no_number_until_the_next_release(
    release: Callable[[], releases.Release],
) -> None:
    invent(40)
    release()
    before = queries.number(PUBLIC, address("own-cases"))
    invent(40)
    assert queries.number(PUBLIC, address("own-cases")).value == before.value


def test_a_month_that_has_not_ended_is_not_released(cast: Cast) -> None:
    scenes.reported(cast)
    assert releases.make(timezone.now())[0].cells == {}


def test_a_release_is_no_public_file(release: Callable[[], releases.Release]) -> None:
    invent(12)
    made = release()
    assert queries.published_file(PUBLIC, made.sha256) is None
    assert queries.files(PUBLIC) == ()
    assert Entry.objects.filter(act="tables.imported").count() == 1
    with pytest.raises(NotAllowed):
        release_own(by=PUBLIC)


def test_patrols_and_named_officers_are_counted_from_the_log_and_the_postings(
    cast: Cast, release: Callable[[], releases.Release]
) -> None:
    now = timezone.now()
    for minutes in (15, 20):
        Entry.objects.create(
            act="patrols.logged", by="clock", subject_kind="patrols", subject_id=HOME, thread=None, at=now,
            body={"plan": "x", "area": "E01000001", "minutes": minutes, "day": now.strftime("%Y-%m-%d")},
            salt=b"s" * 32, commitment=uuid4().bytes * 2,
        )  # fmt: skip
    made = release()
    month = now.strftime("%Y-%m")
    done = queries.number(PUBLIC, f"own-patrols.{SLUG}.{month}_{month}.all")
    assert (done.value, done.state) == (35, "published")
    assert [p.value for p in queries.series(PUBLIC, "own-patrols", SLUG).points] == [35]
    here = made.day[:7]
    named = queries.number(PUBLIC, f"own-named-officer.{SLUG}.{here}_{here}.all")
    assert (named.value, named.state) == (
        None,
        "missing",
    )  # a force without neighbourhoods has no share of them
