"""Forces with dates, queues, and who is posted where."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from tests.cast import AWAY, HOME, Cast

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.places import actions, queries
from counterfoil.places.models import Force

pytestmark = pytest.mark.django_db
CLOCK = Viewer.clock()


def test_a_force_that_has_ended_is_not_offered_any_more() -> None:
    actions.load_force("97", "old", "Old Constabulary", by=CLOCK, valid_to=date(2020, 1, 1))
    actions.load_force(HOME, "demonstration", "Demonstration Constabulary", by=CLOCK)
    assert [f.code for f in queries.forces()] == [HOME]
    assert [f.code for f in queries.forces(timezone.now() - timedelta(days=365 * 10))] == [HOME, "97"]


def test_loading_a_force_again_changes_nothing_and_is_no_second_entry() -> None:
    for _ in range(2):
        actions.load_force(HOME, "demonstration", "Demonstration Constabulary", by=CLOCK)
    assert Force.objects.count() == 1
    assert Entry.objects.filter(act="force.loaded").count() == 1
    actions.load_force(HOME, "demonstration", "Demonstration Police", by=CLOCK)
    assert Entry.objects.filter(act="force.loaded").count() == 2


@pytest.mark.parametrize("who", ["alice", "ines", "petra"])
def test_only_an_administrator_changes_places(cast: Cast, who: str) -> None:
    viewer, queue = cast.viewer(who, second_factor=True), cast.queue()
    for attempt in (
        lambda: actions.load_force("97", "x", "X", by=viewer),
        lambda: actions.open_queue(HOME, "x", "X", by=viewer),
        lambda: actions.post(viewer.id, queue, by=viewer),
        lambda: actions.end_posting(viewer.id, queue, by=viewer),
    ):
        with pytest.raises(NotAllowed, match="Only an administrator"):
            attempt()


def test_a_queue_of_an_unknown_force_is_refused() -> None:
    with pytest.raises(BadInput, match="no force"):
        actions.open_queue("00", "triage", "Triage desk", by=CLOCK)


def test_a_special_queue_takes_its_kinds_before_the_general_one(cast: Cast) -> None:
    general = cast.queue()
    special = actions.open_queue(
        HOME, "hate", "Hate crime desk", by=CLOCK, takes=["online-harassment-or-hate"]
    )
    assert queries.queue_for(HOME, "online-harassment-or-hate") == special
    assert queries.queue_for(HOME, "burglary") == general
    assert queries.queue_for(AWAY, "burglary") is None


def test_a_queue_is_staffed_only_while_somebody_active_is_posted_to_it(cast: Cast) -> None:
    queue = cast.queue()
    assert not queries.queue_is_staffed(HOME, "burglary")
    alice = cast.id("alice")
    assert queries.queue_is_staffed(HOME, "burglary")
    actions.end_posting(alice, queue, by=cast.ada)
    assert not queries.queue_is_staffed(HOME, "burglary")
    actions.post(alice, queue, by=cast.ada)
    assert queries.members(queue) == [alice]


def test_a_suspended_member_does_not_staff_a_queue(cast: Cast) -> None:
    cast.id("sam")
    assert queries.members(cast.queue()) == []
    assert queries.queues_of(cast.sam) == []


def test_posting_twice_is_one_posting(cast: Cast) -> None:
    actions.post(cast.id("alice"), cast.queue(), by=cast.ada)
    assert queries.members(cast.queue()) == [cast.id("alice")]
    assert queries.queues_of(cast.alice) == [cast.queue()]
