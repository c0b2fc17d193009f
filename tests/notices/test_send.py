"""The outbox: written with its cause, sent afterwards, and never to a contact that is not safe."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import RHYS, Cast

from counterfoil.ledger.models import Entry
from counterfoil.notices import actions, rules
from counterfoil.notices.models import Notice
from counterfoil.notices.queries import notices_of

pytestmark = pytest.mark.django_db


class Carrier:
    """A carrier that keeps what it was given and refuses while told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, str]] = []
        self.refuses = False

    def send(self, address: str, subject: str, text: str, key: str) -> str:
        if self.refuses:
            raise ConnectionRefusedError("no route")
        self.sent.append((address, subject, text, key))
        return f"taken:{len(self.sent)}"


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> Carrier:
    found = Carrier()
    monkeypatch.setattr(actions, "notifier", lambda: found)
    return found


def queue(scene: scenes.Scene) -> str:
    return actions.queue_notice(scene.case, scene.report, "update", by=scene.by)


def test_a_safe_address_gets_one_neutral_message(cast: Cast, carrier: Carrier) -> None:
    scene = scenes.reported(cast)
    assert queue(scene) == "waiting"
    assert actions.send_waiting() == 1
    assert actions.send_waiting() == 0
    ((address, subject, text, key),) = carrier.sent
    notice = Notice.objects.get()
    assert (address, key) == (RHYS.email, str(notice.pk))
    assert (notice.state, notice.receipt) == ("sent", "taken:1")
    said = f"{subject}\n{text}".casefold()
    for word in (
        "police",
        "crime",
        "burglary",
        "report",
        "case",
        RHYS.name.casefold(),
        scene.accepted.reference.casefold(),
    ):
        assert word not in said, word
    assert {e.act for e in Entry.objects.filter(subject_kind="notice")} == {"notice.queued", "notice.sent"}
    assert RHYS.email not in str([e.body for e in Entry.objects.all()])


@pytest.mark.parametrize(
    "said",
    [
        {"device_safe": False},
        {"said": {"contact_channels": ["none"]}},
        {"said": {"contact_channels": ["call"], "contact_phone": RHYS.phone, "contact_voicemail": "no"}},
    ],
)
def test_it_holds_what_has_no_safe_channel_and_a_person_decides(
    cast: Cast, carrier: Carrier, said: dict[str, Any]
) -> None:
    scene = scenes.reported(cast, **said)
    assert queue(scene) == "held"
    assert actions.send_waiting() == 0
    assert carrier.sent == []
    notice = Notice.objects.get()
    assert notice.address == ""
    assert Entry.objects.filter(act="notice.held").count() == 1


def test_a_welsh_sender_gets_welsh(cast: Cast, carrier: Carrier) -> None:
    cast.staff_the_desk()
    draft = scenes.draft(said=scenes.reachable(), lang="cy")
    from counterfoil.reports.actions import submit

    scene = scenes.Scene(cast, draft, submit(draft))
    queue(scene)
    actions.send_waiting()
    assert carrier.sent[0][1] == rules.SUBJECT["cy"]
    assert "/cy/track" in carrier.sent[0][2]


def test_a_carrier_that_is_down_loses_nothing_and_is_given_up_after_five_tries(
    cast: Cast, carrier: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    carrier.refuses = True
    scene = scenes.reported(cast)
    queue(scene)
    for _ in range(rules.MOST_ATTEMPTS):
        assert actions.send_waiting() == 0
        Notice.objects.filter(state="sending").update(leased_until=timezone.now() - timedelta(seconds=1))
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == ("failed", rules.MOST_ATTEMPTS)
    assert Entry.objects.filter(act="notice.failed").count() == 1
    assert RHYS.email not in caplog.text
    assert "no route" not in caplog.text


def test_a_message_whose_sender_died_is_sent_again_with_the_same_key(cast: Cast, carrier: Carrier) -> None:
    scene = scenes.reported(cast)
    queue(scene)
    Notice.objects.update(state="sending", attempts=1, leased_until=timezone.now() + timedelta(minutes=1))
    assert actions.send_waiting() == 0
    Notice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert actions.send_waiting() == 1
    assert carrier.sent[0][3] == str(Notice.objects.get().pk)


def test_staff_see_that_a_notice_went_and_never_where(cast: Cast, carrier: Carrier) -> None:
    scene = scenes.reported(cast)
    queue(scene)
    (card,) = notices_of(cast.alice, scene.case)
    assert card.state == "waiting"
    assert RHYS.email not in repr(card)


@pytest.mark.parametrize(
    ("contact", "safe", "expected"),
    [
        ({}, True, ("none", "", "no_email")),
        ({"email": {"address": "a@b.example", "safe": False}}, True, ("email", "", "unsafe")),
        ({"email": {"address": "a@b.example", "safe": True}}, False, ("email", "", "unsafe")),
        (
            {"email": {"address": "a@b.example\r\nBcc: x@y.example", "safe": True}},
            True,
            ("email", "", "bad_address"),
        ),
        ({"email": {"address": "a@b.example", "safe": True}}, True, ("email", "a@b.example", "")),
    ],
)
def test_only_a_channel_that_its_owner_called_safe_is_used(
    contact: dict[str, Any], safe: bool, expected: tuple[str, str, str]
) -> None:
    assert rules.channel_for(contact, device_safe=safe) == expected
