"""A measure over time and over places: each point a number that can be worked out again, breaks shown."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.published import crime, outcome, two_forces, write

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.measures import queries
from counterfoil.measures.actions import import_crimes

pytestmark = pytest.mark.django_db
PUBLIC = Viewer.public()
CLOCK = Viewer.clock()


@pytest.fixture
def country(tmp_path: Path) -> Path:
    """A small made-up country, imported."""
    two_forces(tmp_path)
    import_crimes([tmp_path], by=CLOCK)
    return tmp_path


def test_a_series_has_a_point_for_every_month_and_a_missing_one_is_not_nought(country: Path) -> None:
    found = queries.series(PUBLIC, "crimes", "city-of-london")
    assert [(p.first, p.value, p.state) for p in found.points] == [
        ("2021-03", 1, "published"),
        ("2021-04", None, "missing"),
        ("2021-05", 1, "published"),
    ]
    assert (found.state, found.breaks, found.source["name"]) == ("published", (), "data.police.uk")


def test_every_point_of_a_series_is_the_number_at_its_address(country: Path) -> None:
    for measure, kind in (("crimes", "burglary"), ("charged", "all"), ("outcomes", "suspect-charged")):
        for point in queries.series(PUBLIC, measure, "cleveland", kind).points:
            one = queries.number(PUBLIC, point.address)
            assert (point.value, point.low, point.high) == (one.value, one.low, one.high)


def test_places_are_compared_in_one_period(country: Path) -> None:
    found = queries.compare(PUBLIC, "crimes", ("2021-03", "2021-05"))
    assert [(n.id.force, n.value, n.state) for n in found] == [
        ("city-of-london", 2, "partly"),
        ("cleveland", 45, "published"),
    ]


def test_where_the_release_changes_the_series_has_a_break(tmp_path: Path) -> None:
    write(tmp_path / "a", "2021-03", "cleveland", [crime("a")])
    write(tmp_path / "b", "2021-04", "cleveland", [crime("b", "2021-04")])
    import_crimes([tmp_path / "a"], by=CLOCK, vintage="2021-05-20")
    import_crimes([tmp_path / "b"], by=CLOCK, vintage="2021-06-20")
    found = queries.series(PUBLIC, "crimes", "cleveland")
    assert [(p.value, p.vintage) for p in found.points] == [(1, "2021-05-20"), (1, "2021-06-20")]
    assert [(b.at, b.kind) for b in found.breaks] == [("2021-04", "vintage")]
    assert "2021-06-20" in found.breaks[0].said("en")
    both = queries.number(PUBLIC, "crimes.cleveland.2021-03_2021-04.all")
    assert (both.value, both.state, both.vintage) == (1, "partly", "2021-06-20")


def test_a_trace_ends_at_file_row_and_byte(country: Path) -> None:
    found = queries.trace(PUBLIC, "crimes.cleveland.2021-03_2021-05.burglary", skip=5, take=10)
    assert len(found) == 10
    for row in found:
        raw = queries.tables().published_bytes(row.sha256)
        assert raw[row.offset : row.offset + row.length] == row.bytes
        assert row.bytes.decode() == row.text
        assert raw[: row.offset].count(b"\n") == row.row


def test_a_number_is_the_same_when_worked_out_again_from_raw_bytes(country: Path) -> None:
    for address in (
        "crimes.cleveland.2021-03_2021-05.all",
        "charged.cleveland.2021-03_2021-05.burglary",
        "crimes.cleveland.2021-03_2021-05.all.E01011954",
        "outcomes.cleveland.2021-03_2021-05.all",
        "crimes.city-of-london.2021-04_2021-04.all",
    ):
        done = queries.recompute(PUBLIC, address)
        assert done.same, address


def test_a_remembered_figure_that_was_changed_is_not_believed(country: Path) -> None:
    before = queries.number(PUBLIC, "charged.cleveland.2021-03_2021-05.all").value
    figures = queries.tables().root / "figures"
    for path in figures.glob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"10", b"11"))
    from counterfoil.engines.measure import figures as engine

    for function in (engine.followed, engine._kept, engine._counts, engine._repeats):
        function.cache_clear()
    after = queries.number(PUBLIC, "charged.cleveland.2021-03_2021-05.all").value
    assert before == after == Decimal("30.3")


def test_an_unknown_measure_is_refused_with_a_sentence(country: Path) -> None:
    with pytest.raises(BadInput, match="There is no measure"):
        queries.series(PUBLIC, "happiness", "cleveland")


def test_crimes_and_outcomes_of_different_releases_never_make_one_share(tmp_path: Path) -> None:
    write(tmp_path / "a", "2021-03", "cleveland", [crime("a")])
    write(tmp_path / "b", "2021-03", "cleveland", None, [outcome("a")])
    import_crimes([tmp_path / "a"], by=CLOCK, vintage="2021-05-20")
    import_crimes([tmp_path / "b"], by=CLOCK, vintage="2021-06-20")
    found = queries.number(PUBLIC, "charged.cleveland.2021-03_2021-03.all")
    assert (found.value, found.state) == (None, "missing")
