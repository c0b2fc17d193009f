"""Counting and following: whole numbers only, the same every time, each led back to its rows."""

from datetime import UTC, datetime
from pathlib import Path

from tests.published import OUTCOMES, crime, outcome, text, two_forces

from counterfoil.engines import measure as engine
from counterfoil.engines.measure import Slice, Tables

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CHARGED, OTHER = ("Suspect charged",), ("Suspect charged as part of another case",)
ASB = ("Anti-social behaviour",)
YEAR = Slice("2021-01", "2021-12")


def paths(folder: Path, force: str, kind: str) -> engine.Parts:
    """Import the small country and return the Parquet files of one force and kind."""
    tables = Tables(folder / "tables")
    for path in sorted(two_forces(folder / "files").rglob("*.csv")):
        tables.add(path.name, path.read_bytes(), now=NOW, by="x")
    return engine.parts(*(str(tables.path(h)) for h in tables.held() if (h.force, h.kind) == (force, kind)))


def one(folder: Path, street: list[tuple[str, ...]], outcomes: list[tuple[str, ...]]) -> engine.Followed:
    """Follow the crimes of one made-up month of one type."""
    tables = Tables(folder)
    s, _ = tables.add("2021-03-cleveland-street.csv", text(street), now=NOW, by="x")
    found = []
    for month in sorted({o[1] for o in outcomes}):
        rows = [o for o in outcomes if o[1] == month]
        kept, _ = tables.add(f"{month}-cleveland-outcomes.csv", text(rows, head=OUTCOMES), now=NOW, by="x")
        found.append(str(tables.path(kept)))
    (answer,) = engine.followed(engine.parts(str(tables.path(s))), engine.parts(*found), CHARGED, OTHER)
    return answer


def test_rows_are_counted_by_month_and_type(tmp_path: Path) -> None:
    found = engine.counts(paths(tmp_path, "cleveland", "street"))
    assert ("2021-03", "Burglary", 10) in found
    assert ("2021-03", "Drugs", 2) in found
    assert sum(n for _, _, n in found) == 45


def test_a_crime_is_followed_to_a_charge_of_the_same_month_or_later(tmp_path: Path) -> None:
    found = engine.followed(
        paths(tmp_path, "cleveland", "street"), paths(tmp_path, "cleveland", "outcomes"), CHARGED, OTHER
    )
    burglary = {f.month: (f.crimes, f.charged) for f in found if f.crime_type == "Burglary"}
    assert burglary == {"2021-03": (10, 3), "2021-04": (10, 3), "2021-05": (10, 2)}


def test_an_outcome_dated_before_the_crime_is_not_its_outcome(tmp_path: Path) -> None:
    found = one(tmp_path, [crime("a")], [outcome("a", "2021-02")])
    assert (found.charged, found.any_outcome) == (0, 0)


def test_a_charge_in_another_case_is_shown_apart_unless_the_crime_was_charged_too(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        [crime("a"), crime("b")],
        [outcome("a", wording=OTHER[0]), outcome("b", wording=OTHER[0]), outcome("b")],
    )
    assert (found.charged, found.other_case) == (1, 1)


def test_a_crime_with_two_different_outcomes_is_counted_once(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        [crime("a")],
        [outcome("a"), outcome("a", wording="Unable to prosecute suspect"), outcome("a")],
    )
    assert (found.crimes, found.charged, found.any_outcome) == (1, 1, 1)


def test_rows_without_an_identifier_are_counted_apart(tmp_path: Path) -> None:
    found = one(tmp_path, [crime(""), crime("a")], [outcome("a"), outcome("")])
    assert (found.crimes, found.without_id, found.charged) == (1, 1, 1)


def test_rows_with_one_identifier_are_each_counted_and_said(tmp_path: Path) -> None:
    street = paths(tmp_path, "cleveland", "street")
    assert engine.repeated(street, YEAR) == 2
    assert engine.repeated(street, Slice("2021-04", "2021-05")) == 0


def test_areas_add_up_to_all_rows_and_blank_ones_are_their_own_line(tmp_path: Path) -> None:
    street = paths(tmp_path, "cleveland", "street")
    found = engine.areas(street, YEAR)
    assert sum(a.rows for a in found) == 45
    assert {a.code for a in found} == {"E01011954", "E01011955", "none"}
    assert next(a for a in found if a.code == "none").lon_e6 is None
    assert (found[0].lon_e6, found[0].lat_e6) == (-1235446, 54711190)


def test_every_page_of_rows_joins_to_the_whole_without_repeats(tmp_path: Path) -> None:
    street = paths(tmp_path, "cleveland", "street")
    pages = [engine.rows(street, YEAR, skip=s, take=7) for s in range(0, 49, 7)]
    flat = [place for page in pages for place in page]
    assert len(flat) == len(set(flat)) == 45
    assert flat == engine.rows(street, YEAR, skip=0, take=100)


def test_the_rows_behind_a_share_are_as_many_as_it_says(tmp_path: Path) -> None:
    street, ended = paths(tmp_path, "cleveland", "street"), paths(tmp_path, "cleveland", "outcomes")
    found = [f for f in engine.followed(street, ended, CHARGED, OTHER) if f.crime_type not in ASB]
    charged = engine.charged_rows(street, ended, CHARGED, YEAR, ASB, skip=0, take=100)
    crimes = engine.crimes_with_ids(street, YEAR, ASB, skip=0, take=100)
    assert (
        (len(charged), len(crimes))
        == (sum(f.charged for f in found), sum(f.crimes for f in found))
        == (10, 33)
    )
    assert {place for place, _ in charged} <= set(crimes)


def test_nothing_held_is_nothing_counted() -> None:
    assert engine.counts(()) == engine.outcome_counts(()) == engine.areas((), YEAR) == ()
    assert engine.followed((), (), CHARGED, OTHER) == ()
    assert engine.rows((), YEAR, skip=0, take=5) == []
