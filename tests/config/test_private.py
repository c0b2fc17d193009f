"""Names, numbers and addresses that were planted in a story are not in the ledger, the log, log lines or addresses."""

import io
import json
import logging
import re
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone
from tests import scenes
from tests.cast import JONAH, LENA, NESTA, PARTS, RHYS, Cast
from tests.house.test_access import browser

from counterfoil.config.logs import Plain
from counterfoil.duties import actions as duties
from counterfoil.ledger.actions import sequence
from counterfoil.ledger.models import Entry
from counterfoil.notices import actions as notices
from counterfoil.reports import actions as reports

pytestmark = pytest.mark.django_db
PUBLIC = (RHYS, JONAH, NESTA, LENA)
# Surnames nobody else has, numbers, addresses, file names and words from what was told.
PLANTED = sorted(
    {o.name.split()[-1] for o in PUBLIC}
    | {part.name.split()[-1] for part in PARTS.values()}
    | {v for o in PUBLIC for v in (o.email, o.phone, o.phone.replace(" ", ""), o.address) if v}
    | {"IMG_0042", "doorbell.mp4", "Larkspur", "forced and a bicycle", "dark coat", "realistic prospect"}
)


def told_in(text: str) -> list[str]:
    """Return which of the planted words a text holds, whatever their case and however they are quoted."""
    plain = f"{text}\n{unquote_plus(text)}".casefold()
    return [word for word in PLANTED if word.casefold() in plain]


def story(cast: Cast) -> scenes.Scene:
    """Tell everything there is to tell, missed duties, notices and an outcome included."""
    from counterfoil.evidence import actions as evidence
    from counterfoil.outcomes.actions import record_outcome

    scene = scenes.charged(
        cast, said={"contact_channels": ["call", "email"], "know_who": "yes", "who": JONAH.name}
    )
    assert scene.exhibit
    duties.update_sender(scene.case, f"We have spoken to {NESTA.name}.", by=scene.by)
    notices.send_waiting()
    evidence.retitle(scene.case, scene.exhibit, f"Photo of {RHYS.name}'s gate", by=scene.by)
    evidence.hand_over(scene.case, scene.exhibit, cast.id("bruno"), f"{RHYS.name} asked for it.", by=scene.by)
    duties.sweep(timezone.now() + timedelta(days=30))
    record_outcome(
        scene.case, "1", f"{JONAH.name} was charged by the prosecutor.", charge_id=scene.charge, by=scene.by
    )
    return scene


def test_the_net_catches_what_it_is_for() -> None:
    assert told_in(f"/find?q={RHYS.email.replace('@', '%40')}") == ["Tannerwood", RHYS.email]
    assert told_in("JONAH+VELLACOTT") == ["Vellacott"]
    assert told_in("/desk/cases/1eab6f5b-a950-460b-b547-890164275dc5") == []


def test_no_entry_and_no_tile_of_the_log_says_who(cast: Cast, home: Path) -> None:
    story(cast)
    sequence()
    bodies = [json.dumps(b) for b in Entry.objects.values_list("body", flat=True)]
    assert len(bodies) > 40
    assert [b for b in bodies if told_in(b)] == []
    published = b"".join(p.read_bytes() for p in (home / "log").rglob("*") if p.is_file())
    assert published
    assert told_in(published.decode("latin-1")) == []


def test_a_message_says_nothing_about_anybody(cast: Cast, home: Path) -> None:
    story(cast)
    notices.send_waiting()
    messages = [p.read_text() for p in (home / "outbox").glob("*.txt")]
    assert len(messages) == 2
    for message in messages:
        address, rest = message.split("\n", 1)
        assert address == f"To: {RHYS.email}"
        assert told_in(rest) == []


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged from INFO up, as the product writes it."""
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    handler.setFormatter(Plain())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield sink
    root.removeHandler(handler)
    root.setLevel(level)


def test_log_lines_about_what_goes_wrong_name_nobody(
    cast: Cast, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = f"{RHYS.name} {RHYS.email} {RHYS.phone} {JONAH.name} doorbell.mp4 {scenes.STATEMENT}"

    def breaks(*_: Any, **__: Any) -> Any:
        raise IntegrityError(f"Failing row contains ({whole})")

    # A follower, the sweep, a carrier and a page break, each with an exception that repeats what it was given.
    with monkeypatch.context() as patch:
        patch.setattr("counterfoil.cases.actions._next_number", breaks)
        scene = scenes.reported(cast)
        duties.sweep()
    duties.sweep()
    duties.update_sender(scene.case, f"We have spoken to {NESTA.name}.", by=cast.alice)
    with monkeypatch.context() as patch:
        patch.setattr(notices, "notifier", type("Carrier", (), {"send": breaks}))
        notices.send_waiting()
    with monkeypatch.context() as patch:
        patch.setattr("counterfoil.duties.actions.triage", breaks)
        alice = browser(cast, "alice")
        alice.raise_request_exception = False
        answer = alice.post(f"/desk/cases/{scene.case}/triage", {"grade": "priority", "reason": whole})
    assert answer.status_code == 500
    assert told_in(answer.content.decode()) == []
    alice.get(f"/desk/cases/{RHYS.name}")
    said = lines.getvalue()
    for witness in (
        "follower",
        "the sweep could not help",
        "was not taken by the carrier",
        "Internal Server Error",
    ):
        assert witness in said, f"nothing was logged about {witness}, so this proves nothing"
    assert told_in(said.replace(f"/desk/cases/{RHYS.name}", "")) == []


LINK = re.compile(r"""(?:href|src|action|formaction)=["']([^"']*)["']""")


def crawl(client: Client, start: str, most: int = 120) -> dict[str, set[str]]:
    """Follow every link from a page as far as this site goes, and return each page with the addresses in it."""
    seen: dict[str, set[str]] = {}
    waiting = deque([start])
    while waiting and len(seen) < most:
        path = waiting.popleft()
        if path in seen or "sign-out" in path or "leave" in path:
            continue
        answer = client.get(path)
        assert answer.status_code < 500, path
        if answer.streaming:
            for _ in answer:
                pass
        found = {answer.headers["Location"]} if "Location" in answer.headers else set()
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            found |= {unescape(link) for link in LINK.findall(answer.content.decode())}
        seen[path] = found
        for link in sorted(found):
            parts = urlsplit(link)
            inside = not parts.netloc and parts.path.startswith("/") and not parts.path.startswith("/static/")
            if inside and f"{parts.path}?{parts.query}".rstrip("?") not in seen:
                waiting.append(f"{parts.path}?{parts.query}".rstrip("?"))
    return seen


def test_no_address_that_a_page_leads_to_says_who_or_what(cast: Cast) -> None:
    scene = scenes.bundled(cast, said={"contact_channels": ["call", "email"]})
    words = scene.accepted.passphrase.split()
    sender = Client()
    sender.post("/track", {"reference": scene.accepted.reference, "words": scene.accepted.passphrase})
    pages = 0
    for client, start in (
        (browser(cast, "alice"), "/desk/"),
        (browser(cast, "petra"), "/bench/"),
        (sender, "/progress"),
        (Client(), "/"),
    ):
        seen = crawl(client, start)
        pages += len(seen)
        for page, links in seen.items():
            for link in (page, *links):
                assert told_in(link) == [], f"{page} leads to {link}"
                assert scene.accepted.reference not in link, f"{page} leads to {link}"
                # One of the four words may be a plain word of an address by chance ("update"); two are no chance.
                parts = re.split(r"[/?=&\-]", link)
                assert sum(w in parts for w in words) < 2, f"{page} leads to {link}"
    assert pages > 60


def test_the_four_words_are_forgotten_after_an_hour(cast: Cast) -> None:
    """What the reply kept for a retry is forgotten; the hash stays."""
    from counterfoil.ledger.models import Reply

    scene = scenes.reported(cast)
    reports.tidy(timezone.now() + timedelta(hours=2))
    assert scene.accepted.passphrase not in str(list(Reply.objects.values_list("answer", flat=True)))
