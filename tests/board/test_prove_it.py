"""Published claims: what the files held say to them, decided by computation and nothing else."""

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client

from counterfoil.measures.claims import agrees, judge, together
from counterfoil.measures.queries import Point
from counterfoil.reference import claims as reference
from counterfoil.reference.claims import Claimed


def point(first: str, last: str, value: int | None, state: str = "published") -> Point:
    """Return a figure of a series."""
    return Point(first, last, value, None, None, state, f"crown-open.england-and-wales.{first}_{last}.all")


QUARTERS = (
    point("2023-07", "2023-09", 66299),
    point("2023-10", "2023-12", 67113),
    point("2024-01", "2024-03", None, "missing"),
)


def test_a_claim_with_a_period_is_judged_by_that_period_alone() -> None:
    assert judge(Claimed(Decimal(67113), "2023-10", "2023-12"), QUARTERS) == ("reproduced", QUARTERS[1])
    assert judge(Claimed(Decimal(67573), "2023-10", "2023-12"), QUARTERS) == ("restated", QUARTERS[1])
    assert judge(Claimed(Decimal(66299), "2023-10", "2023-12"), QUARTERS) == ("restated", QUARTERS[1])
    assert judge(Claimed(Decimal(0), "2024-01", "2024-03"), QUARTERS) == ("not-reproducible", None)
    assert judge(Claimed(Decimal(80203), "2025-10", "2025-12"), QUARTERS) == ("not-reproducible", None)


def test_a_claim_without_a_period_is_never_called_restated() -> None:
    assert judge(Claimed(Decimal(66299), "", ""), QUARTERS) == ("reproduced", QUARTERS[0])
    assert judge(Claimed(Decimal(66000), "", ""), QUARTERS) == ("not-reproducible", QUARTERS[0])
    assert judge(Claimed(Decimal(1), "", ""), ()) == ("not-reproducible", None)


def test_a_figure_agrees_as_exactly_as_the_claim_was_written() -> None:
    assert agrees(Decimal("28.24"), Decimal("28.2"))
    assert not agrees(Decimal("28.25"), Decimal("28.2"))
    assert agrees(Decimal("67.4"), Decimal(67))
    assert not agrees(41402, Decimal(41401))


def test_the_weakest_finding_is_the_verdict() -> None:
    assert together(["reproduced", "reproduced"]) == "reproduced"
    assert together(["reproduced", "restated"]) == "restated"
    assert together(["restated", "not-reproducible"]) == "not-reproducible"


def test_the_six_claims_are_there_in_both_languages() -> None:
    six = [c for c in reference.claims() if c.six]
    assert len(six) == 6
    assert {str(v.said) for c in six for v in c.values} >= {
        "41401", "53777", "67", "47", "28.2", "9.5", "412", "631", "8.7", "25.5", "23945", "55008",
    }  # fmt: skip
    assert all(c.text("says") != c.text("says", "cy") for c in reference.claims())


@pytest.mark.django_db
def test_with_nothing_held_nothing_is_claimed_to_be_reproduced(client: Client) -> None:
    page = client.get("/board/prove-it/").content.decode()
    assert page.count("What would settle it:") == len(reference.claims())
    assert page.count('<strong class="cfb-tag">Reproduced</strong>') == 1  # in the list of verdicts
    rows = list(csv.DictReader(io.StringIO(client.get("/board/prove-it.csv").content.decode())))
    assert {r["verdict"] for r in rows} == {"not-reproducible"}
    assert {r["found"] for r in rows} == {""}
