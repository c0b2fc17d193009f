"""Forces that became one: what the old ones published is put together, led down to their rows, and marked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from tests.published import crime, outcome, write

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries
from counterfoil.measures.actions import import_crimes
from counterfoil.reference import forces

pytestmark = pytest.mark.django_db
PUBLIC = Viewer.public()


@pytest.fixture
def merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A made-up merger: Cleveland and City of London became Gwent on 1 May 2021, and each published its months."""
    real = forces.forces()
    ends = {"valid_to": date(2021, 4, 30), "successor": "gwent"}
    changed = tuple(
        replace(f, **ends) if f.slug in ("cleveland", "city-of-london")
        else replace(f, valid_from=date(2021, 5, 1)) if f.slug == "gwent" else f
        for f in real
    )  # fmt: skip
    monkeypatch.setattr(forces, "_all", lambda: changed)
    forces._by_slug.cache_clear()
    forces._by_name.cache_clear()
    for month in ("2021-03", "2021-04"):
        for force, n in (("cleveland", 6), ("city-of-london", 4)):
            rows = [crime(f"{force}{month}{i}", month, force=force) for i in range(n)]
            write(tmp_path, month, force, rows, [outcome(f"{force}{month}0", month, force=force)])
    rows = [crime(f"g{i}", "2021-05", force="gwent") for i in range(11)]
    write(tmp_path, "2021-05", "gwent", rows, [outcome("g0", "2021-05", force="gwent")])
    import_crimes([tmp_path], by=Viewer.clock())
    yield
    forces._by_slug.cache_clear()
    forces._by_name.cache_clear()


def test_a_series_of_the_new_force_goes_back_over_the_old_ones_and_marks_the_break(merged: None) -> None:
    found = queries.series(PUBLIC, "crimes", "gwent", "burglary")
    assert [(p.first, p.value, p.state) for p in found.points] == [
        ("2021-03", 10, "published"),
        ("2021-04", 10, "published"),
        ("2021-05", 11, "published"),
    ]
    assert [(b.at, b.kind) for b in found.breaks] == [("2021-05", "boundary")]
    assert "Cleveland" in found.breaks[0].why


def test_a_share_is_divided_once_over_both_and_its_rows_are_those_of_both(merged: None) -> None:
    one = queries.number(PUBLIC, "charged-of-outcomes.gwent.2021-03_2021-04.all")
    assert (one.part, one.whole, one.value) == (4, 4, Decimal("100.0"))
    crimes = queries.number(PUBLIC, "crimes.gwent.2021-03_2021-03.burglary")
    rows = queries.trace(PUBLIC, str(crimes.id))
    assert len(rows) == crimes.value == 10
    assert {r.name for r in rows} == {"2021-03-cleveland-street.csv", "2021-03-city-of-london-street.csv"}
    assert [r.text for r in queries.trace(PUBLIC, str(crimes.id), 3, 4)] == [r.text for r in rows[3:7]]
    assert queries.recompute(PUBLIC, str(crimes.id)).same


def test_a_month_that_one_of_them_never_published_is_missing_and_not_the_others_alone(
    merged: None, tmp_path: Path
) -> None:
    assert queries.number(PUBLIC, "crimes.gwent.2021-02_2021-03.burglary").value is None
    assert queries.number(PUBLIC, "crimes.gwent.2021-02_2021-03.burglary").state in ("partly", "missing")


def test_the_page_says_the_series_breaks(merged: None, client: Client) -> None:
    page = client.get("/board/series/crimes/gwent/burglary/").content.decode()
    assert "The series breaks: do not compare across" in page
    assert "City of London Police" in page
    number = client.get("/board/number/crimes.gwent.2021-03_2021-03.burglary/").content.decode()
    assert "/board/number/crimes.cleveland.2021-03_2021-03.burglary/" in number
