"""Numbers from our own cases at every way out: page, series, CSV, JSON and card say the same protected figure, and the
exact one is on the desk alone, for those who may see its cases."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from tests import scenes
from tests.cast import HOME, Cast
from tests.desk.signing import signed_in

from counterfoil.accounts.rules import Viewer
from counterfoil.ledger.models import Entry
from counterfoil.measures.actions import release_own

pytestmark = pytest.mark.django_db
SLUG = "demonstration"  # the home force of the cast
TRUE = {"burglary": 43, "criminal-damage": 7, "antisocial": 12, "shop-theft": 3, "harassment": 1}


@pytest.fixture
def release(cast: Cast) -> Callable[[], None]:
    """The home force is there; give what makes a release two months from now, when this month has ended."""
    cast.queue()
    when = timezone.now() + timedelta(days=62)

    def make() -> None:
        with patch("counterfoil.measures.actions.timezone.now", return_value=when):
            release_own(by=Viewer.clock())

    return make


def invent(kind: str, cases: int) -> None:
    """Write the log of so many cases of a kind, as the acts themselves write it."""
    now = timezone.now() - timedelta(minutes=5)
    for _ in range(cases):
        report, case = uuid4(), uuid4()
        for act, subject, thing, thread, body in (
            ("report.accepted", "report", report, None, {"force": HOME, "kind": kind}),
            ("case.opened", "case", case, case, {"report": str(report)}),
        ):
            Entry.objects.create(
                act=act, by="clock", subject_kind=subject, subject_id=str(thing), thread=thread, at=now, body=body,
                salt=b"s" * 32, commitment=uuid4().bytes * 2,
            )  # fmt: skip


def address(kind: str) -> str:
    """Return the address of this month's cases of a kind."""
    month = timezone.localtime().strftime("%Y-%m")
    return f"own-cases.{SLUG}.{month}_{month}.{kind}"


def given(client: Client, kind: str) -> int | None:
    """Ask the open interface for a count."""
    found = json.loads(client.get(f"/board/api/1/number/{address(kind)}.json").content)["data"]
    value: int | None = found["value"]
    assert (value is None) == (found["state"] == "protected")
    return value


def test_every_way_out_gives_the_same_protected_figure(client: Client, release: Callable[[], None]) -> None:
    for kind, cases in TRUE.items():
        invent(kind, cases)
    release()
    for kind in (*TRUE, "all"):
        value = given(client, kind)
        page = client.get(f"/board/number/{address(kind)}/").content.decode()
        card = client.get(f"/board/embed/number/{address(kind)}/").content.decode()
        series = client.get(f"/board/series/own-cases/{SLUG}/{kind}.csv").content.decode()
        (line,) = [r for r in csv.DictReader(io.StringIO(series)) if r["number"] == address(kind)]
        assert line["value"] == ("" if value is None else str(value))
        for shown in (page, card):
            assert ("Fewer than 10: not shown" if value is None else f">{value}<") in shown
        if kind in TRUE:
            assert (value is None) == (TRUE[kind] < 10)
        assert client.get(f"/board/series/own-cases/{SLUG}/{kind}.svg").status_code in (200, 404)


def test_no_subtraction_over_the_open_interface_gives_a_count_below_ten(
    client: Client, release: Callable[[], None]
) -> None:
    for kind, cases in TRUE.items():
        invent(kind, cases)
    release()
    whole, parts = given(client, "all"), {kind: given(client, kind) for kind in TRUE}
    assert whole is not None
    hidden = [kind for kind, value in parts.items() if value is None]
    left = whole - sum(v for v in parts.values() if v is not None)
    # What is left is a sum of symbols, each 0 or 10, whatever the counts are: the engine's tests say what that hides.
    assert left in {10 * n for n in range(len(hidden) + 1)}
    assert left != sum(TRUE[kind] for kind in hidden)


def test_the_desk_gives_the_exact_cases_to_who_may_see_them_and_nothing_to_others(
    cast: Cast, release: Callable[[], None], client: Client
) -> None:
    scenes.closed(cast)
    release()
    public = client.get(f"/board/number/{address('all')}/").content.decode()
    assert "Fewer than 10: not shown" in public
    assert f"/desk/numbers/{address('all')}" in public
    assert client.get(f"/desk/numbers/{address('all')}").status_code == 302
    page = signed_in(cast, "alice").get(f"/desk/numbers/{address('all')}").content.decode()
    assert '<dd class="d-exact">1</dd>' in page
    assert "no case of this number is hidden from you" in page
    assert "The same, cell for cell." in page
    assert page.count("/desk/cases/") >= 1
    other = signed_in(cast, "charlie").get(f"/desk/numbers/{address('all')}").content.decode()
    assert '<dd class="d-exact">0</dd>' in other
    assert "None of the cases counted is one you may see." in other
    alice = signed_in(cast, "alice")
    assert alice.get("/desk/numbers/nothing").status_code == 404
    assert alice.get("/desk/numbers/crimes.cleveland.2021-03_2021-03.all").status_code == 404
