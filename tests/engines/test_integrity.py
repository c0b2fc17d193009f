"""Integrity of crime data: every kind of injected fault is found where it is, and clean forces raise no alarm."""

import csv
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.invented_crimes import FAULTS, LASTING, Columns, World, world, written

from counterfoil import numbers
from counterfoil.engines.errors import BadInput
from counterfoil.engines.integrity import KINDS, Book, Finding, inspect
from counterfoil.engines.integrity.mix import swaps
from counterfoil.engines.integrity.read import clean, month
from counterfoil.reference.integrity import kinds as words

HEAD = ("Crime ID", "Month", "Falls within", "LSOA code", "Crime type")
BOOK = Book(
    {"calderby": "calderby", "amberdale": "amberdale", "elmshire": "elmshire"}, {"robbery": "robbery"}, ()
)


def crimes(
    folder: Path, rows: Iterable[tuple[str, ...]], name: str = "street.csv", head: tuple[str, ...] = HEAD
) -> Path:
    """Write rows under a heading."""
    with (folder / name).open("w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        out.writerow(head)
        out.writerows(rows)
    return folder


def kinds(found: list[Finding]) -> set[tuple[str, str, str]]:
    """Return what, where and since when."""
    return {(f.kind, f.where, f.since) for f in found}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_of_twelve_injected_faults_is_found_where_it_is(kind: str, tmp_path: Path) -> None:
    facts = world(1)
    FAULTS[kind][0](facts, "Calderby", FAULTS[kind][1])
    found = inspect([written(facts, tmp_path)], BOOK)
    mine = [f for f in found if f.kind == kind and f.force == "Calderby"]
    assert mine, [f"{f.kind} {f.where} {f.since}" for f in found]
    assert all(f.size > 0 and f.affects and f.says for f in mine)
    if kind not in LASTING:
        assert mine[0].since == facts.at
    if kind != "heaping":
        assert all(".calderby." in address for address in mine[0].affects)
    elsewhere = [f for f in found if f.force != "Calderby"]
    assert not elsewhere, elsewhere


@pytest.mark.parametrize("seed", range(2, 5))
def test_clean_forces_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    """The promise is at most one a force and year (bench/numbers_integrity.py counts 200 of them)."""
    assert inspect([written(world(seed, forces=8), tmp_path, csv=True)]) == []


# What others found wrong with data.police.uk; each must be found here.


def steady(
    force: str,
    months: Iterable[str],
    n: Callable[[int], int] = lambda _: 60,
    *,
    kind: str = "Burglary",
    area: str = "E0",
) -> list[tuple[str, ...]]:
    """Return rows of a force that hardly varies: `n` of the month's number, over six areas."""
    rows = []
    for at, said in enumerate(months):
        for i in range(n(at)):
            rows.append((f"{force}-{kind}-{said}-{i}", said, force, f"{area}{i % 6}", kind))
    return rows


YEAR = tuple(f"2024-{m:02}" for m in range(1, 13))


def test_blank_areas_that_turn_a_local_trend_round_are_said(tmp_path: Path) -> None:
    """annual-deprivation-index #58: what looks like a fall in the areas is a rise in rows without one."""
    rows = steady("Amberdale", YEAR, lambda m: 600 + 6 * m)
    rows = [(i, m, f, "" if m > "2024-06" and n % 6 == 0 else a, k) for n, (i, m, f, a, k) in enumerate(rows)]
    found = {f.kind: f for f in inspect([crimes(tmp_path, rows)])}
    assert found["trend-without-blanks"].since == "2024-07"
    assert "+5" in found["trend-without-blanks"].says
    assert "-1" in found["trend-without-blanks"].says
    assert found["blank-areas"].since == "2024-07"
    assert found["blank-areas"].until == "2024-12"


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_month_supplied_in_part_is_not_taken_for_a_whole_one(tmp_path: Path, share: float) -> None:
    """annual-deprivation-index #43: British Transport Police and Devon & Cornwall shown as complete."""
    rows = steady("Amberdale", YEAR, lambda m: round(300 * share) if m == 7 else 300)
    rows += steady("Birchmoor", YEAR, lambda _: 200)
    found = [f for f in inspect([crimes(tmp_path, rows)], BOOK) if f.kind == "partial-month"]
    assert [(f.where, f.since, f.until) for f in found] == [("Amberdale", "2024-08", "2024-08")]
    assert found[0].size == pytest.approx(300 * (1 - share), abs=5)
    assert "crimes.amberdale.2024-08_2024-08.all" in found[0].affects


def test_half_a_year_is_not_a_year(tmp_path: Path) -> None:
    """annual-deprivation-index #35: Greater Manchester's half-year read as a full year."""
    rows = steady("Amberdale", YEAR[:6]) + steady("Birchmoor", YEAR)
    found = [f for f in inspect([crimes(tmp_path, rows)], BOOK) if f.kind == "missing-month"]
    assert [(f.where, f.since, f.until, f.size) for f in found] == [("Amberdale", "2024-07", "2024-12", 360)]
    assert set(found[0].affects) == {f"{m}.amberdale.2024-07_2024-12.all" for m in ("crimes", "charged")}


def test_counting_incidents_as_crimes_hides_growth_and_that_is_said_once(tmp_path: Path) -> None:
    """annual-deprivation-index #61: anti-social behaviour is no crime, and it fell while crime rose."""
    rows = []
    for force in ("Amberdale", "Birchmoor"):
        rows += steady(force, YEAR, lambda m: 200 + 10 * m)
        rows += steady(force, YEAR, lambda m: 200 - 10 * m, kind="Anti-social behaviour")
    found = [f for f in inspect([crimes(tmp_path, rows)]) if f.kind == "trend-with-incidents"]
    assert [f.where for f in found] == ["all forces"]
    assert "+26" in found[0].says


def test_nearly_nothing_from_other_forces_is_not_what_happened_there(tmp_path: Path) -> None:
    """annual-deprivation-index #64: Greater Manchester's “zero” was a railway police's rows."""
    rows = steady("Amberdale", YEAR[:6]) + steady("Birchmoor", YEAR, area="E1")
    rows += steady("Railway", YEAR, lambda _: 6, area="E0")
    found = [f for f in inspect([crimes(tmp_path, rows)]) if f.kind == "rows-of-other-forces"]
    assert [(f.where, f.since, f.until, f.size) for f in found] == [("Amberdale", "2024-07", "2024-12", 36)]


def test_a_force_that_supplied_nothing_is_left_out_of_a_total_and_that_is_said(tmp_path: Path) -> None:
    """annual-deprivation-index #4: the population of a total is that of the forces in it."""
    book = Book(expected=("amberdale", "birchmoor", "calderby", "dunholm"), forces={"amberdale": "amberdale"})
    rows = [r for f in ("amberdale", "birchmoor", "calderby") for r in steady(f, YEAR)]
    found = [f for f in inspect([crimes(tmp_path, rows)], book) if f.kind == "missing-force"]
    assert [f.where for f in found] == ["dunholm"]
    assert "crimes" in found[0].affects
    alone = list(inspect([crimes(tmp_path, steady("amberdale", YEAR))], book))
    assert not [f for f in alone if f.kind == "missing-force"], "one force's files are no country"


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "NA", "null", "None", "nan", "-", "\u200b"])
def test_blank_strings_do_not_pass_as_data(tmp_path: Path, blank: str) -> None:
    """ukpolice #13."""
    rows = [
        (i, m, f, blank if m == "2024-05" and n % 2 else a, k)
        for n, (i, m, f, a, k) in enumerate(steady("Amberdale", YEAR[:8]))
    ]
    assert ("blank-areas", "Amberdale", "2024-05") in kinds(inspect([crimes(tmp_path, rows)]))


@pytest.mark.parametrize(
    ("text", "said"),
    [("2024-05", 202405), ("202405", 202405), ("2024-05-17", 202405), ("17/05/2024", 202405), ("05/2024", 202405),
     ("May-24", 202405), ("May 2024", 202405), ("2024-13", None), ("soon", None), ("1824-05", None)],
)  # fmt: skip
def test_a_month_is_read_as_it_is_usually_written(text: str, said: int | None) -> None:
    assert month(text) == said
    assert clean(f" {text}\u00a0") == text


# What else may be wrong.


def test_a_part_of_a_force_that_falls_silent_is_found(tmp_path: Path) -> None:
    rows = steady("Amberdale", YEAR, lambda _: 300)
    rows = [r for r in rows if not (r[1] == "2024-09" and r[3] == "E03")]
    found = [f for f in inspect([crimes(tmp_path, rows)]) if f.kind == "silent-areas"]
    assert [(f.where, f.since) for f in found] == [("Amberdale", "2024-09")]


def test_a_type_that_stops_and_one_that_never_comes_are_found(tmp_path: Path) -> None:
    rows = []
    for force in ("Amberdale", "Birchmoor", "Calderby", "Dunholm"):
        rows += steady(force, YEAR)
        if force != "Dunholm":
            rows += steady(force, YEAR[:8] if force == "Calderby" else YEAR, lambda _: 20, kind="Robbery")
    found = [f for f in inspect([crimes(tmp_path, rows)], BOOK) if f.kind == "missing-type"]
    assert {(f.where, f.since) for f in found} == {
        ("Calderby: Robbery", "2024-09"),
        ("Dunholm: Robbery", "2024-01"),
    }
    assert (
        "crimes.calderby.2024-09_2024-12.robbery" in next(f for f in found if f.force == "Calderby").affects
    )


def test_identifiers_given_out_anew_each_month_are_a_restart(tmp_path: Path) -> None:
    rows = [(f"{i.rsplit('-', 1)[1]}", m, f, a, k) for i, m, f, a, k in steady("Amberdale", YEAR)]
    found = kinds(inspect([crimes(tmp_path, rows)]))
    assert ("identifiers-restart", "Amberdale", "2024-02") in found
    assert not any(k == "reused-identifier" for k, _, _ in found)


def test_crimes_without_identifiers_and_identifiers_of_another_force_are_found(tmp_path: Path) -> None:
    rows = steady("Amberdale", YEAR)
    rows += [(rows[n][0] if n < 100 else i, m, f, a, k)
             for n, (i, m, f, a, k) in enumerate(steady("Birchmoor", YEAR))]  # fmt: skip
    rows += [("", m, f, a, k) for _, m, f, a, k in steady("Calderby", YEAR)]
    found = {(f.kind, f.where): f.size for f in inspect([crimes(tmp_path, rows)])}
    assert found["identifier-of-another-force", "Amberdale"] == 100
    assert found["no-identifiers", "Calderby"] == 720


def ended(w: World, tmp_path: Path) -> dict[tuple[str, str], Finding]:
    """Inspect a world and return its findings by kind and force."""
    return {(f.kind, f.force): f for f in inspect([written(w, tmp_path)])}


def test_outcomes_that_are_missing_repeated_or_too_early_are_found(tmp_path: Path) -> None:
    w = world(7, forces=10)
    o: Columns = w.outcomes
    f = o["Falls within"]
    first = dict(zip(w.street["Crime ID"], w.street["Month"], strict=True))
    born = np.array([first[i] for i in o["Crime ID"]], object)
    rng = np.random.default_rng(0)
    lost = (f == "Amberdale") & (rng.random(len(f)) < 0.5)  # never published
    lost |= (f == "Birchmoor") & (born == "2024-05") & (rng.random(len(f)) < 0.6)  # of one month's crimes
    lost |= f == "Calderby"  # none at all
    again = np.flatnonzero((f == "Dunholm") & (rng.random(len(f)) < 0.1))
    early = np.flatnonzero((f == "Elmshire") & (born > "2024-06"))[:60]
    o["Month"][early] = "2024-02"
    w.outcomes = {c: np.concatenate([v[~lost], v[again]]) for c, v in o.items()}
    found = ended(w, tmp_path)
    assert found["outcomes-never-published", "Amberdale"].size > 500
    assert found["outcomes-lost", "Birchmoor"].since == "2024-05"
    assert ("outcomes-missing-force", "Calderby") in found
    assert found["repeated-outcomes", "Dunholm"].size == len(again)
    assert found["outcome-before-crime", "Elmshire"].size == 60


def test_an_outcome_that_is_used_no_more_is_found_from_then_on(tmp_path: Path) -> None:
    w = world(8)
    o = w.outcomes
    o["Outcome type"][
        (o["Falls within"] == "Calderby") & (o["Outcome type"] == "Caution") & (o["Month"] >= w.at)
    ] = "Local resolution"
    found = [f for f in inspect([written(w, tmp_path)]) if f.kind == "never-used-outcome"]
    assert [(f.where, f.since) for f in found] == [("Calderby: Caution", w.at)]


def test_two_files_for_one_month_are_read_once_and_crimes_retyped_between_them_are_counted(
    tmp_path: Path,
) -> None:
    """A later release that calls robberies theft shows it crime by crime: no statistics are needed."""
    rows = steady("Amberdale", YEAR, lambda _: 100) + steady("Amberdale", YEAR, lambda _: 40, kind="Robbery")
    crimes(tmp_path, rows, "a.csv")
    later = [
        (i, m, f, a, "Other theft" if k == "Robbery" and m == "2024-12" and n % 20 == 0 else k)
        for n, (i, m, f, a, k) in enumerate(rows)
        if m == "2024-12"
    ]
    crimes(tmp_path, later[:-1], "b.csv")
    found = {f.kind: f for f in inspect([tmp_path], BOOK)}
    assert found["supplied-twice"].since == "2024-12"
    assert found["supplied-twice"].size == 139
    assert found["retyped"].size == 2
    assert set(found) == {"supplied-twice", "retyped"}, "the rows are counted once, so nothing else is wrong"


def test_rows_without_month_force_or_type_are_counted_and_not_dropped_in_silence(tmp_path: Path) -> None:
    rows = steady("Amberdale", YEAR[:6])
    rows += [(f"x{i}", "soon", "Amberdale", "E01", "Burglary") for i in range(7)]
    rows += [(f"y{i}", "2024-03", "", "E01", "Burglary") for i in range(8)]
    rows += [(f"z{i}", "2024-03", "Amberdale", "E01", " ") for i in range(9)]
    found = {f.kind: f.size for f in inspect([crimes(tmp_path, rows)])}
    assert (found["no-month"], found["no-force"], found["no-type"]) == (7, 8, 9)


# Files as they come.


def test_the_same_crimes_are_read_from_any_layout(tmp_path: Path) -> None:
    """Parquet with numbers, another order and other names, Latin-1, UTF-16, semicolons, gzip, an archive."""
    rows = [r for r in steady("Amberdale", YEAR) if r[1] != "2024-04"]
    rows = [(i, m, "Dôlgellau", a, k) for i, m, _, a, k in rows]
    plain = crimes(tmp_path, rows) / "street.csv"
    expect = kinds(inspect([plain]))
    assert ("missing-month", "Dôlgellau", "2024-04") in expect
    text = plain.read_text(encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    for name, data in (
        ("latin.csv", text.encode("latin-1")),
        ("wide.csv", text.encode("utf-16")),
        ("marked.csv", text.encode("utf-8-sig")),
        ("semicolons.csv", text.replace(",", ";").encode()),
        ("tabs.tsv", text.replace(",", "\t").encode()),
        ("names.csv", text.replace("Falls within", "force_name").replace("LSOA code", "lsoa21cd").encode()),
        ("unix.csv", text.replace("\r\n", "\n").encode()),
    ):
        (other / name).write_bytes(data)
        assert kinds(inspect([other / name])) == expect, name
    with zipfile.ZipFile(other / "all.zip", "w") as z:
        z.writestr("../2024-01/street.csv", text)
    assert kinds(inspect([other / "all.zip"])) == expect
    assert not (tmp_path / "2024-01").exists()


def test_counts_already_added_up_are_weighed(tmp_path: Path) -> None:
    rows = [(m, "Amberdale", k, "100") for m in YEAR for k in ("Burglary", "Robbery") if m != "2024-05"]
    crimes(tmp_path, rows, head=("Month", "Force", "Offence group", "Count"))
    found = inspect([tmp_path])
    assert [(f.kind, f.since, f.size) for f in found] == [("missing-month", "2024-05", 200)]


def test_quarters_are_no_gaps(tmp_path: Path) -> None:
    quarters = [f"{y}-{m}" for y in (2022, 2023, 2024) for m in ("03", "06", "09", "12")]
    rows = [(m, "Amberdale", "Burglary", "100") for m in quarters]
    crimes(tmp_path, rows, head=("Month", "Force", "Offence group", "Count"))
    assert inspect([tmp_path]) == []


def test_rows_with_too_many_columns_are_said_and_the_others_are_read(tmp_path: Path) -> None:
    path = crimes(tmp_path, steady("Amberdale", YEAR, lambda _: 2000)) / "street.csv"
    path.write_bytes(path.read_bytes() + b"a,2024-05,Amberdale,E01,Burglary,and,more\r\n" * 6)
    found = inspect([path])
    assert [(f.kind, f.size) for f in found] == [("unreadable-rows", 6)]


@pytest.mark.parametrize(
    ("text", "sentence"), [("a,b\n1,2\n", "None of these"), ("", "None of these|cannot be read")]
)
def test_a_file_that_is_no_table_of_crimes_is_said_to_be_none(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(BadInput, match=sentence):
        inspect([tmp_path])
    with pytest.raises(BadInput, match="no file or folder"):
        inspect([tmp_path / "nothing"])


def test_the_command_prints_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [r for r in steady("Cleveland Police", YEAR) if r[1] != "2024-09"]
    assert numbers.main(["integrity", str(crimes(tmp_path, rows)), "--json", "-"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [set(f) for f in found] == [{"kind", "where", "since", "size", "affects"}]
    assert (found[0]["kind"], found[0]["where"], found[0]["since"]) == (
        "missing-month", "Cleveland Police", "2024-09",
    )  # fmt: skip
    assert "crimes.cleveland.2024-09_2024-09.all" in found[0]["affects"]


def test_every_kind_asks_a_question_and_touches_a_measure() -> None:
    assert all(KINDS.values())
    assert list(words()) == list(KINDS)
    assert all(k.said(lang)[1].endswith("?") for k in words().values() for lang in ("en", "cy"))


def test_a_swap_that_came_to_every_force_is_nobodys_fault() -> None:
    counts = np.tile(np.array([500.0, 300.0, 200.0]), (6, 12, 1))
    counts[:, 7:] += np.array([60.0, -60.0, 0.0])
    rng = np.random.default_rng(3)
    assert swaps(rng.poisson(counts).astype(float)) == []
    counts[2, 7:] += np.array([80.0, -80.0, 0.0])
    found = swaps(rng.poisson(counts).astype(float))
    assert [(s.force, s.at, s.down, s.up) for s in found] == [(2, 7, 1, 0)]
