"""A random house: people act in any order, the clock runs or stands, followers fail. What must hold, holds.

Hypothesis chooses the actions; the clock is ours. Three things are checked all the time: no open case is ever without
an owner and a live duty (with followers off or failing: once a sweep has run), no byte that was acknowledged is lost,
and every exhibit has one holder. After each sweep, every promise of `config.promises` is.
"""

import hashlib
import inspect
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import argon2
import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests import scenes
from tests.cast import HOME, Cast
from tests.machine.exhibits import COME_TO as DONE_WITH_EXHIBITS
from tests.machine.exhibits import VERBS as WITH_EXHIBITS
from tests.machine.exhibits import Exhibits

from counterfoil.accounts import actions as accounts
from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.cases.models import Case
from counterfoil.config import fsck, promises
from counterfoil.courts import actions as courts
from counterfoil.courts.models import Charge
from counterfoil.duties import actions as duties
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.evidence import actions as evidence
from counterfoil.evidence.models import Exhibit
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.actions import sequence
from counterfoil.ledger.models import Entry
from counterfoil.notices.actions import send_waiting
from counterfoil.outcomes import actions as outcomes
from counterfoil.places import actions as places
from counterfoil.plugs.stores import quarantine, vault
from counterfoil.reports import actions as reports
from counterfoil.reports.models import Draft

FULL_STORIES, FEW_STORIES, STEPS = 400, 12, 60
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
ALWAYS = ("custody", "vault", "quarantine", "once", "same", "nameless", "safe")

# Those who may act do so more often than those who have no business there.
WHO = ("owner", "ines", "owner", "ines", "owner", "alice", "bruno", "dilys", "charlie", "petra")
OFFICERS = ("alice", "bruno", "dilys")
KINDS = ("burglary", "criminal-damage", "shop-theft", "antisocial-behaviour")
REASONS = (scenes.REASON, "Nothing more can be done.", scenes.REASON, "no")
PUBLIC = ("report", "report", "send_again")
STAFF = (
    *("triage", "take", "assign", "record", "not_a_crime", "update", "seal", "seal", "view"),
    *("hand_over", "hand_over", "hand_over"),
    *("take_statement", "charge", "close", "close", "reopen", "reopen", "leave", "post"),
    *WITH_EXHIBITS,
)
MACHINERY = (
    *("time_passes", "time_passes", "sweep", "sweep", "sequence", "send", "tidy"),
    *("followers_on_or_off", "a_follower_fails"),
)
# Every story together must have come to all of these, or it was told too tamely to prove anything.
COME_TO = {
    *(
        "report.accepted",
        "case.opened",
        "case.graded",
        "case.taken",
        "case.assigned",
        "case.recorded",
        "case.closed",
    ),
    *(
        "case.reopened",
        "case.returned",
        "exhibit.sealed",
        "exhibit.moved",
        "exhibit.viewed",
        "statement.signed",
    ),
    *("suspect.named", "charge.decided", "outcome.recorded", "sender.updated", "duty.missed", "duty.climbed"),
    *("duty.done", "duty.ended", "duty.handed_over", "account.suspended", "notice.sent", "notice.held"),
    *DONE_WITH_EXHIBITS,
}


def files_of(receipt: str) -> list[str]:
    """Return the digests that a receipt lists."""
    lines = [line.split(" ") for line in receipt.splitlines()]
    return [words[2] for words in lines if words[0] == "file" and len(words) == 4]


class House(Exhibits, RuleBasedStateMachine):
    """A house with people in it, a clock, and whatever they do next."""

    acts: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="house-"))
        (self.folder / "incoming").mkdir()
        self.patch = pytest.MonkeyPatch()
        self.now = datetime.now().astimezone()
        self.patch.setattr(timezone, "now", self.tick)
        for module in ("actions", "queries"):
            self.patch.setattr(f"counterfoil.reports.{module}.HASHER", CHEAP)
        self.close_to(self.patch)
        self.settings = override_settings(COUNTERFOIL_HOME=self.folder, FOLLOWERS=True)
        self.settings.enable()
        self.story = transaction.atomic()
        self.story._from_testcase = True  # type: ignore[attr-defined]  # so that durable blocks may stand in it
        self.story.__enter__()
        self.sent: list[scenes.Scene] = []
        self.acknowledged: set[str] = set()
        self.followers, self.trouble, self.steps = True, False, 0
        self.owing = False  # something waits for the sweep: an act was not followed, or somebody left
        next_number = cases._next_number

        def numbered(*args: Any) -> int:
            if self.trouble:
                raise RuntimeError("a follower fails")
            return next_number(*args)

        self.patch.setattr(cases, "_next_number", numbered)

    def tick(self) -> datetime:
        """Return the time of this house; it never stands still, so entries keep their order."""
        self.now += timedelta(microseconds=50)
        return self.now

    def teardown(self) -> None:
        """Sweep once more with everything working, then nothing at all may be wrong."""
        try:
            if hasattr(self, "cast"):
                self.trouble = False
                self.acts.update(Entry.objects.values_list("act", flat=True).distinct())
                duties.sweep(self.now)
                sequence()
                assert within([*fsck.fsck(self.now, grace=timedelta(0)), *ledger.faults()]) == []
        finally:
            transaction.set_rollback(True)
            self.story.__exit__(None, None, None)
            self.settings.disable()
            self.patch.undo()
            shutil.rmtree(self.folder, ignore_errors=True)

    @initialize(
        begun=st.sampled_from([scenes.charged, scenes.exhibited, scenes.recorded, scenes.reported, None]),
        safe=st.booleans(),
    )
    def open_the_house(self, begun: Callable[..., scenes.Scene] | None, safe: bool) -> None:
        """Two forces; the home force's desk is staffed, and perhaps a case is under way."""
        self.cast = Cast()
        for name in ("alice", "bruno", "dilys", "ines", "charlie", "petra", "ada"):
            self.cast.id(name)
        accounts.grant(self.cast.id("ines"), "examiner", force=HOME, by=Viewer.clock())
        if begun:
            self.sent.append(begun(self.cast, device_safe=safe))
            self.acknowledged.update(files_of(self.sent[0].accepted.receipt))

    # helpers

    def attempt(self, act: Callable[[], Any]) -> Any:
        """Do something that may be refused; a refusal must leave no trace in the ledger."""
        before = Entry.objects.count()
        try:
            with transaction.atomic():
                return act()
        except (NotAllowed, BadInput):
            assert Entry.objects.count() == before, "a refused act left an entry"
            return None

    def scene(self, n: int) -> scenes.Scene | None:
        """Return one of the reports, if there is one and it has a case."""
        if not self.sent:
            return None
        found = self.sent[n % len(self.sent)]
        return found if case_queries.case_of_report(found.report) else None

    def state(self, scene: scenes.Scene) -> str:
        """Return the state of a report's case; nothing when it has none yet."""
        case = case_queries.case_of_report(scene.report)
        return case_queries.cards([case])[case].state if case else ""

    def viewer(self, name: str, n: int) -> Viewer:
        """Return somebody by name, or the owner of a case (Alice, while it waits in a queue)."""
        scene = self.scene(n)
        if name != "owner" or scene is None:
            return self.cast.viewer("alice" if name == "owner" else name)
        card = case_queries.cards([scene.case])[scene.case]
        return viewer_for(card.owner_actor) if card.owner_actor else self.cast.alice

    def exhibits(self, case: UUID) -> Iterator[Exhibit]:
        """Return the exhibits of a case."""
        yield from Exhibit.objects.filter(case_id=case).order_by("number")

    # the public

    def report(self, kind: str, files: int, safe: bool, away: bool) -> None:
        """Somebody reports, perhaps with files, to either force."""
        if len(self.sent) >= 3:
            return
        n = len(self.sent)
        scene = scenes.reported(
            self.cast,
            kind,
            force="98" if away else HOME,
            staffed=False,
            files=[(f"{n}-{i}.jpg", scenes.photo(n * 3 + i, 1200)) for i in range(files)],
            session=f"session-{n}",
            device_safe=safe,
        )
        self.sent.append(scene)
        self.owing = self.owing or not self.followers or self.trouble
        listed = files_of(scene.accepted.receipt)
        assert len(listed) == files
        self.acknowledged.update(listed)

    def send_again(self, n: int) -> None:
        """The sender presses the button again, and gets the same reply."""
        scene = self.sent[n % len(self.sent)] if self.sent else None
        if scene and Draft.objects.filter(pk=scene.draft.pk).exists():  # a week later the draft is gone
            before = Entry.objects.count()
            again = reports.submit(scene.draft)
            assert (again.report_id, again.reference, again.receipt) == (
                scene.accepted.report_id,
                scene.accepted.reference,
                scene.accepted.receipt,
            )
            assert Entry.objects.count() == before

    def tidy(self) -> None:
        """Drafts are tidied; what was sent stays."""
        reports.tidy(self.now)

    # staff

    def triage(self, n: int, name: str, grade: str, why: str) -> None:
        """Somebody grades a case."""
        if scene := self.scene(n):
            self.attempt(lambda: duties.triage(scene.case, grade, why, by=self.viewer(name, n)))

    def take(self, n: int, name: str) -> None:
        """Somebody takes a case."""
        if scene := self.scene(n):
            self.attempt(lambda: duties.take_case(scene.case, by=self.viewer(name, n)))

    def assign(self, n: int, name: str, to: str) -> None:
        """Somebody gives a case to somebody."""
        if scene := self.scene(n):
            self.attempt(
                lambda: duties.assign_case(scene.case, self.viewer(to, n).id, by=self.viewer(name, n))
            )

    def record(self, n: int, name: str) -> None:
        """Somebody records a crime."""
        if scene := self.scene(n):
            self.attempt(lambda: duties.record_crime(scene.case, by=self.viewer(name, n)))

    def not_a_crime(self, n: int, name: str, why: str) -> None:
        """Somebody says why it is no crime."""
        if scene := self.scene(n):
            self.attempt(lambda: duties.not_a_crime(scene.case, why, by=self.viewer(name, n)))

    def update(self, n: int, name: str, text: str) -> None:
        """Somebody tells the sender how it goes."""
        if scene := self.scene(n):
            self.attempt(lambda: duties.update_sender(scene.case, text, by=self.viewer(name, n)))

    def seal(self, n: int, m: int, name: str) -> None:
        """Somebody takes a file out of quarantine, of this case or of another."""
        scene, other = self.scene(n), self.scene(m)
        if scene and other and other.files:
            upload = other.files[m % len(other.files)]
            made = self.attempt(
                lambda: evidence.seal(scene.case, upload, "Photo of the gate", by=self.viewer(name, n))
            )
            assert made is None or scene.case == other.case

    def hand_over(self, n: int, name: str, to: str) -> None:
        """Somebody hands an exhibit to somebody."""
        if scene := self.scene(n):
            for exhibit in self.exhibits(scene.case):
                self.attempt(
                    lambda e=exhibit: evidence.hand_over(  # type: ignore[misc]
                        scene.case, e.pk, self.viewer(to, n).id, scenes.REASON, by=self.viewer(name, n)
                    )
                )

    def view(self, n: int, name: str) -> None:
        """Somebody looks at an exhibit: refused without an entry, or shown with one."""
        if scene := self.scene(n):
            for exhibit in self.exhibits(scene.case):
                seen = Entry.objects.filter(act="exhibit.viewed").count()
                try:
                    opened = evidence.open_exhibit(scene.case, exhibit.pk, by=self.viewer(name, n))
                except NotAllowed:
                    assert exhibit.restricted or exhibit.state == "destroyed"
                    opened = None
                assert Entry.objects.filter(act="exhibit.viewed").count() == seen + (opened is not None)
                if opened:
                    with opened[1] as stream:
                        assert hashlib.sha256(stream.read()).hexdigest() == exhibit.sha256

    def take_statement(self, n: int, name: str, signed: bool) -> None:
        """Somebody takes a statement, signed or not."""
        if scene := self.scene(n):
            raw = scenes.statement() if signed else scenes.statement(signed_name="")
            self.attempt(lambda: evidence.take_statement(scene.case, raw, by=self.viewer(name, n)))

    def charge(self, n: int, name: str) -> None:
        """Somebody names a suspect and records that a prosecutor decided to charge."""
        scene = self.scene(n)
        if scene is None:
            return
        viewer = self.viewer(name, n)
        suspect = self.attempt(
            lambda: cases.name_suspect(scene.case, "Jonah Vellacott", "custody", "99/CT/01234/26", by=viewer)
        )
        if suspect:
            scene.suspect = suspect
            self.attempt(
                lambda: courts.record_charging_decision(
                    scene.case,
                    suspect,
                    decision="charge",
                    decided_by="prosecutor",
                    decider="Petra Quill",
                    decided_at=self.now - timedelta(minutes=1),
                    offence_code="TH68010",
                    wording=scenes.WORDING,
                    reason=scenes.REASON,
                    by=viewer,
                )
            )

    def close(self, n: int, name: str, type_: str, why: str) -> None:
        """Somebody records an outcome."""
        if scene := self.scene(n):
            self.attempt(lambda: outcomes.record_outcome(scene.case, type_, why, by=self.viewer(name, n)))

    def reopen(self, n: int, name: str, why: str) -> None:
        """Somebody reopens a case: a closed one, when there is one."""
        closed = [i for i, s in enumerate(self.sent) if self.state(s) == "closed"]
        n = closed[n % len(closed)] if closed else n
        if scene := self.scene(n):
            done = self.attempt(lambda: [cases.reopen(scene.case, why, by=self.viewer(name, n))])
            self.owing = self.owing or bool(done and not self.followers)

    def leave(self, name: str) -> None:
        """An officer is suspended."""
        if self.cast.viewer(name).signed_in:
            accounts.suspend(self.cast.id(name), reason_digest="0" * 64, by=self.cast.ada)
            self.owing = True

    def post(self, name: str, posted: bool) -> None:
        """Somebody joins or leaves the desk."""
        if posted:
            places.post(self.cast.id(name), self.cast.queue(), by=self.cast.ada)
        else:
            places.end_posting(self.cast.id(name), self.cast.queue(), by=self.cast.ada)

    # the machinery

    def followers_on_or_off(self, on: bool) -> None:
        """Followers are switched on or off."""
        self.settings.disable()
        self.settings = override_settings(COUNTERFOIL_HOME=self.folder, FOLLOWERS=on)
        self.settings.enable()
        self.followers = on

    def a_follower_fails(self, on: bool) -> None:
        """What opens cases inside a report's transaction fails from now on, or works again."""
        self.trouble = on

    def time_passes(self, hours: float) -> None:
        """Nobody does anything for a while, the clock included."""
        self.now += timedelta(hours=hours)

    def sweep(self) -> None:
        """The clock sweeps: afterwards every promise holds."""
        if self.trouble:
            duties.sweep(self.now)  # what it cannot open it leaves for the next time
            return
        duties.sweep(self.now)
        self.owing = False
        assert promises.broken(self.now, grace=timedelta(0)) == []
        assert all(v == 0 for v in duties.sweep(self.now).values()), "a second sweep found more to do"

    def sequence(self) -> None:
        """The log grows."""
        sequence()
        assert within(ledger.faults()) == []

    def send(self) -> None:
        """The outbox is emptied."""
        send_waiting()

    # One rule for everything: Hypothesis leaves whole rules out of a story and likes small numbers, and then too many
    # stories come to nothing. It chooses a number; the number chooses what happens, and a failure shows both.

    @rule(number=st.integers(0, 2**32 - 1))
    def something_happens(self, number: int) -> None:
        """Somebody does something, whether they may or not; or the clock, the log or the outbox does."""
        dice = random.Random(number)
        what = dice.choice(PUBLIC + STAFF + MACHINERY)
        facts: dict[str, Any] = {
            "n": dice.randrange(3),
            "m": dice.randrange(3),
            "name": dice.choice(OFFICERS if what in ("leave", "post") else WHO),
            "to": dice.choice(WHO),
            "why": dice.choice(REASONS),
            "text": dice.choice(REASONS),
            "kind": dice.choice(KINDS),
            "files": dice.randrange(3),
            "safe": dice.random() < 0.5,
            "away": dice.random() < 0.2,
            "grade": dice.choice(("priority", "scheduled", "whenever")),
            "type_": dice.choice(("18", "1", "1", "16", "0")),
            "signed": dice.random() < 0.7,
            "posted": dice.random() < 0.7,
            "on": dice.random() < 0.6,
            "hours": dice.choice((0.1, 1, 5, 30, 200)),
            "state": dice.choice(("used", "unused", "sensitive", "not_relevant")),
        }
        if dice.random() < 0.6:  # more often than not people do what makes sense
            ended = Charge.objects.filter(case_id=scene.case) if (scene := self.scene(facts["n"])) else None
            facts |= {
                "name": "ines"
                if what in ("assign", "reopen")
                else facts["name"]
                if what in ("leave", "post")
                else "owner",
                "to": dice.choice(OFFICERS),
                "why": scenes.REASON,
                "type_": "1" if ended and ended.exists() else "18",
            }
        act = getattr(self, what)
        told = {name: facts[name] for name in inspect.signature(act).parameters}
        note(f"{what} {told}")
        act(**told)
        if what == "close" and dice.random() < 0.5:
            self.reopen(facts["n"], "ines", scenes.REASON)
        if what in ("update", "report") and dice.random() < 0.5:
            self.send()
        if what in ("seal", "view", "hand_over"):  # what was just in somebody's hands is used
            then = getattr(self, dice.choice(WITH_EXHIBITS))
            more = {name: facts[name] for name in inspect.signature(then).parameters}
            note(f"and {then.__name__} {more}")
            then(**more)

    # what must hold

    @invariant()
    def no_open_case_is_alone(self) -> None:
        """Every open case has an owner and a live duty, unless something still waits for the sweep."""
        if not hasattr(self, "cast") or self.owing:
            return
        for name in ("case", "owner", "duty"):
            self.holds(name)

    @invariant()
    def nothing_else_is_broken(self) -> None:
        """What no sweep has to mend holds at every step; a few of these are looked at each time, in turn."""
        if hasattr(self, "cast"):
            self.steps += 1
            for name in ALWAYS[self.steps % 3 :: 3]:
                self.holds(name)

    @invariant()
    def no_acknowledged_byte_is_lost(self) -> None:
        """Every file that a receipt lists can be read, and is what it was."""
        for digest in self.acknowledged:
            store = quarantine() if quarantine().has(digest) else vault()
            with store.open(digest) as stream:
                assert hashlib.sha256(stream.read()).hexdigest() == digest

    def holds(self, name: str) -> None:
        """Check one promise."""
        (promise,) = [p for p in promises.PROMISES if p.name == name]
        found = list(promise.broken(self.now))
        assert not found, f"{promise.sentence} {found}"


def within(faults: Sequence[str]) -> list[str]:
    """Leave out whether outsiders vouch for the log already: that has gates of its own (tests/ledger)."""
    return [fault for fault in faults if not fault.startswith("Not anchored yet")]


def play(machine: type[House], stories: int, *, shrink: bool = True) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=stories,
            stateful_step_count=STEPS,
            phases=tuple(Phase) if shrink else (Phase.generate,),
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            report_multiple_bugs=False,
        ),
    )


@pytest.mark.faults
@pytest.mark.own_home
@pytest.mark.django_db
def test_whatever_people_do_and_the_clock_does_the_promises_hold(
    full: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    play(House, FULL_STORIES if full else FEW_STORIES, shrink=full)
    assert not Case.objects.exists()
    assert COME_TO - House.acts == set()


class Forgetful(House):
    """The same house where ending a duty forgets to give the next one: the machine must notice."""

    def __init__(self) -> None:
        super().__init__()
        self.patch.setattr(duties, "_give", lambda *_: None)


class Careless(House):
    """The same house where an exhibit moves without its entry."""

    def __init__(self) -> None:
        super().__init__()
        written = evidence.record

        def record(act: str, **facts: Any) -> Any:
            return None if act == "exhibit.moved" else written(act, **facts)

        self.patch.setattr(evidence, "record", record)


class Lossy(House):
    """The same house where tidying throws away bytes that were acknowledged."""

    @rule()
    def tidy_too_much(self) -> None:
        """Remove an object that a receipt lists."""
        for digest in sorted(self.acknowledged)[:1]:
            if quarantine().has(digest):
                quarantine().remove(digest)


@pytest.mark.own_home
@pytest.mark.django_db
@pytest.mark.parametrize("broken", [Forgetful, Careless, Lossy])
def test_the_machine_notices_a_house_that_breaks_its_word(
    broken: type[House], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    with pytest.raises((AssertionError, Refusal, ExceptionGroup)):
        play(broken, 40, shrink=False)
