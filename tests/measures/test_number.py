"""A number: recomputable from its address, missing never zero, led down to the rows it rests on."""

import csv
import io
import random
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from tests.published import crime, outcome, two_forces, write

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.measures import queries, rules
from counterfoil.measures.actions import import_crimes
from counterfoil.measures.rules import NumberId

pytestmark = pytest.mark.django_db
PUBLIC = Viewer.public()


@pytest.fixture
def country(tmp_path: Path) -> Path:
    """A small made-up country, imported."""
    two_forces(tmp_path)
    import_crimes([tmp_path], by=Viewer.clock())
    return tmp_path


def value(address: str) -> object:
    """Return the value of the number at an address."""
    return queries.number(PUBLIC, address).value


def test_counts_are_what_the_files_hold(country: Path) -> None:
    assert value("crimes.cleveland.2021-03_2021-05.all") == 45
    assert value("crimes.cleveland.2021-03_2021-05.burglary") == 30
    assert value("crimes.cleveland.2021-03_2021-03.drugs") == 2
    assert value("crimes.cleveland.2021-03_2021-05.all.E01011955") == 12
    assert value("crimes.cleveland.2021-03_2021-05.all.none") == 1


def test_no_row_of_a_type_in_a_published_file_is_nought(country: Path) -> None:
    found = queries.number(PUBLIC, "crimes.cleveland.2021-03_2021-05.shoplifting")
    assert (found.value, found.state) == (0, "published")


def test_a_month_without_a_file_is_not_published_rather_than_nought(country: Path) -> None:
    found = queries.number(PUBLIC, "crimes.city-of-london.2021-04_2021-04.all")
    assert (found.value, found.state, found.street.missing) == (None, "missing", ("2021-04",))


def test_a_period_with_a_gap_counts_what_is_held_and_says_which_month_is_missing(country: Path) -> None:
    found = queries.number(PUBLIC, "crimes.city-of-london.2021-03_2021-05.all")
    assert (found.value, found.state, found.street.missing) == (2, "partly", ("2021-04",))


def test_the_share_charged_names_what_it_leaves_out(country: Path) -> None:
    found = queries.number(PUBLIC, "charged.cleveland.2021-03_2021-05.all")
    assert (found.part, found.whole, found.value) == (10, 33, Decimal("30.3"))
    assert (found.low, found.high) == (Decimal("17.4"), Decimal("47.3"))
    assert (found.not_crimes, found.other_case, found.repeated, found.until) == (12, 1, 2, "2021-05")


def test_a_share_whose_outcome_files_are_missing_is_not_published(country: Path) -> None:
    found = queries.number(PUBLIC, "charged.city-of-london.2021-03_2021-03.all")
    assert (found.value, found.low, found.part, found.state) == (None, None, None, "missing")
    assert found.outcomes.missing == ("2021-04",)


def test_a_share_over_an_outcome_file_without_rows_says_it_may_be_too_low(tmp_path: Path) -> None:
    write(tmp_path, "2021-03", "gwent", [crime("a", force="gwent")], [])
    write(
        tmp_path,
        "2021-04",
        "gwent",
        [crime("b", "2021-04", force="gwent")],
        [outcome("b", "2021-04", force="gwent")],
    )
    import_crimes([tmp_path], by=Viewer.clock())
    found = queries.number(PUBLIC, "charged.gwent.2021-03_2021-04.all")
    assert (found.value, found.state, found.outcomes.empty) == (Decimal("50.0"), "partly", ("2021-03",))


def test_outcome_files_that_never_had_a_row_give_no_share_at_all(tmp_path: Path) -> None:
    write(tmp_path, "2021-03", "gwent", [crime("a", force="gwent")], [])
    import_crimes([tmp_path], by=Viewer.clock())
    assert queries.number(PUBLIC, "charged.gwent.2021-03_2021-03.all").state == "missing"
    assert queries.number(PUBLIC, "charged-of-outcomes.gwent.2021-03_2021-03.all").state == "missing"


def test_crimes_after_the_last_outcome_month_get_no_share(tmp_path: Path) -> None:
    write(tmp_path, "2021-03", "gwent", [crime("a", force="gwent")], [outcome("a", force="gwent")])
    write(tmp_path, "2021-04", "gwent", [crime("b", "2021-04", force="gwent")])
    import_crimes([tmp_path], by=Viewer.clock())
    assert value("charged.gwent.2021-04_2021-04.all") is None
    page = queries.force_page(PUBLIC, "gwent")
    assert page.period == ("2021-03", "2021-03")
    assert page.charged is not None
    assert page.charged.value == Decimal("100.0")


def test_a_call_to_the_police_has_no_share_charged(country: Path) -> None:
    found = queries.number(PUBLIC, "charged.cleveland.2021-03_2021-05.anti-social-behaviour")
    assert (found.value, found.state) == (None, "none")


def test_outcomes_are_counted_by_their_wording(country: Path) -> None:
    assert value("outcomes.cleveland.2021-03_2021-05.all") == 19
    assert value("outcomes.cleveland.2021-03_2021-05.unable-to-prosecute-suspect") == 9
    assert value("outcomes.cleveland.2021-03_2021-05.local-resolution") == 0
    assert value("outcomes.city-of-london.2021-03_2021-03.all") == 0
    assert value("outcomes.city-of-london.2021-04_2021-04.all") is None
    with pytest.raises(BadInput, match="no outcome of this wording"):
        value("outcomes.cleveland.2021-03_2021-05.burglary")


def test_charges_among_outcomes_are_counted_by_the_month_of_the_outcome(country: Path) -> None:
    found = queries.number(PUBLIC, "charged-of-outcomes.cleveland.2021-04_2021-04.all")
    assert (found.part, found.whole, found.value) == (3, 6, Decimal("50.0"))


@pytest.mark.parametrize(
    "address",
    [
        "", "crimes", "guess.cleveland.2021-03_2021-05.all", "crimes.cleveland.2021-05_2021-03.all",
        "crimes.cleveland.2021-13_2021-13.all", "crimes.atlantis.2021-03_2021-05.all",
        "crimes.cleveland.2021-03_2021-05.jaywalking", "charged.cleveland.2021-03_2021-05.all.E01011954",
        "charged-of-outcomes.cleveland.2021-03_2021-05.burglary", "crimes.cleveland.2021-03_2021-05.all\n",
    ],
)  # fmt: skip
def test_an_address_of_nothing_is_refused_with_a_sentence(country: Path, address: str) -> None:
    with pytest.raises(BadInput) as refusal:
        queries.number(PUBLIC, address)
    assert str(refusal.value).endswith(".")


def test_an_address_reads_back_as_it_was_written() -> None:
    for text in (
        "charged.devon-and-cornwall.2021-03_2022-02.all",
        "crimes.btp.2021-03_2021-03.drugs.E01000001",
    ):
        assert str(NumberId.parse(text)) == text


def test_every_number_leads_to_exactly_its_rows(country: Path) -> None:
    for address in (
        "crimes.cleveland.2021-03_2021-05.burglary", "crimes.cleveland.2021-03_2021-05.all.none",
        "charged.cleveland.2021-03_2021-05.all", "charged-of-outcomes.cleveland.2021-03_2021-05.all",
        "crimes.cleveland.2021-03_2021-05.shoplifting", "outcomes.cleveland.2021-03_2021-05.suspect-charged",
        "outcomes.cleveland.2021-03_2021-05.all",
    ):  # fmt: skip
        one = queries.number(PUBLIC, address)
        for part in queries.parts_of(one.id.measure):
            found = queries.behind(PUBLIC, address, part)
            assert found.total == len(found.rows) == queries.rows_in(one, part)
            assert all(
                (country / r.name[:7] / r.name).read_bytes()[r.place.offset :].decode().startswith(r.text)
                for r in found.rows
            )


def test_a_charged_crime_stands_beside_the_outcome_row_that_says_so(country: Path) -> None:
    found = queries.behind(PUBLIC, "charged.cleveland.2021-03_2021-03.burglary", "charged")
    pairs = {(r.text.split(",")[0], r.proof.name if r.proof else "") for r in found.rows}
    assert pairs == {
        ("b00", "2021-03-cleveland-outcomes.csv"),
        ("b01", "2021-03-cleveland-outcomes.csv"),
        ("b02", "2021-04-cleveland-outcomes.csv"),
    }
    assert all(r.proof and r.proof.text.endswith("Suspect charged") for r in found.rows)


def test_a_raw_file_that_was_changed_is_refused_and_never_shown(country: Path) -> None:
    one = queries.number(PUBLIC, "crimes.cleveland.2021-03_2021-03.all")
    raw = queries.tables().raw / one.used[0].sha256
    raw.chmod(0o600)
    raw.write_bytes(raw.read_bytes().replace(b"Burglary", b"Robberyy", 1))
    with pytest.raises(Corrupt, match="no longer has the bytes"):
        queries.behind(PUBLIC, "crimes.cleveland.2021-03_2021-03.all")


def test_the_rows_as_csv_are_the_rows_as_published(country: Path) -> None:
    text = "".join(queries.rows_csv(PUBLIC, "charged.cleveland.2021-03_2021-05.burglary"))
    found = list(csv.DictReader(io.StringIO(text)))
    assert len(found) == 8
    assert all(
        r["Crime ID"] == r["outcome Crime ID"] and r["outcome Outcome type"] == "Suspect charged"
        for r in found
    )


def test_the_files_of_a_number_have_one_digest_that_changes_with_any_of_them(country: Path) -> None:
    march = queries.number(PUBLIC, "crimes.cleveland.2021-03_2021-03.all")
    spring = queries.number(PUBLIC, "crimes.cleveland.2021-03_2021-04.all")
    assert len(march.basis) == 64
    assert march.basis != spring.basis
    assert march.basis == queries.number(PUBLIC, "crimes.cleveland.2021-03_2021-03.drugs").basis


def test_months_run_on_over_the_new_year() -> None:
    assert rules.months("2021-11", "2022-02") == ("2021-11", "2021-12", "2022-01", "2022-02")
    assert rules.months("2022-02", "2021-11") == ()
    assert rules.previous_month("2022-01") == "2021-12"


def test_classes_are_few_part_no_equal_counts_and_hold_every_area() -> None:
    values = [1] * 10 + [2] * 3 + [5, 8, 9, 9, 9, 40]
    found = rules.classes(values)
    assert sum(c.areas for c in found) == len(values)
    assert all(a.high < b.low for a, b in pairwise(found))
    assert 2 <= len(found) <= 5
    assert [rules.class_of(v, found) for v in (1, 40)] == [0, len(found) - 1]
    assert found[-1] == rules.Class(40, 40, 1)
    assert rules.classes([7, 7, 7]) == (rules.Class(7, 7, 3),)
    assert rules.classes([]) == rules.classes([0]) == ()


# -- an independent count: nothing below uses DuckDB, Parquet or our own reader -----------------------------------


def recount(files: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """Count crimes by force, month and type, and those charged, from the raw CSVs with the csv module alone."""
    street, charged, found = [], {}, {}
    for path in files:
        force = path.name[8:].rsplit("-", 1)[0]
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if "Crime type" in row:
                    street.append((force, row["Month"], row["Crime type"], row["Crime ID"]))
                elif row["Outcome type"] == "Suspect charged":
                    key = (force, row["Crime ID"])
                    charged[key] = max(charged.get(key, ""), row["Month"])
    for force, month, kind, crime_id in street:
        slug = {
            "Violence and sexual offences": "violent-crime",
            "Criminal damage and arson": "criminal-damage-arson",
        }.get(kind, kind.lower().replace(" ", "-"))
        for key in (f"{force} {month} {slug}", f"{force} {month} all"):
            n, c = found.get(key, (0, 0))
            done = bool(crime_id) and charged.get((force, crime_id), "") >= month
            found[key] = (n + 1, c + done)
    return found


def agree(folder: Path, sample: int) -> int:
    """Compare random numbers of ours with the independent count; return how many were compared."""
    truth = recount(sorted(folder.rglob("*.csv")))
    keys = random.Random(2).sample(sorted(truth), min(sample, len(truth)))
    for key in keys:
        force, month, slug = key.split(" ")
        n, c = truth[key]
        assert value(f"crimes.{force}.{month}_{month}.{slug}") == n, key
        one = queries.number(PUBLIC, f"charged.{force}.{month}_{month}.{slug}")
        if one.value is not None:
            assert one.part == c, key
            assert one.value == (Decimal(1000 * c) / Decimal(one.whole or 0)).quantize(Decimal(1)) / 10, key
    return len(keys)


def test_every_number_of_the_small_country_equals_an_independent_count(country: Path) -> None:
    assert agree(country, 1000) == 15
