"""No number ever rests on two releases: hundreds of random mixes of files, and every one is pure or refused."""

import random
from pathlib import Path

import pytest
from tests.published import crime, outcome, write

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import Held
from counterfoil.measures import queries, rules
from counterfoil.measures.actions import import_crimes, import_table
from counterfoil.measures.rules import NumberId

pytestmark = pytest.mark.django_db
PUBLIC, CLOCK = Viewer.public(), Viewer.clock()
DAYS = ("", "2021-06-01", "2021-09-01", "2022-04-20")
MONTHS = rules.months("2021-03", "2021-08")


def held(name: str, vintage: str) -> Held:
    """Return a catalogue entry with nothing behind it."""
    return Held(
        name,
        name * 8,
        1,
        "street",
        "x",
        "gwent",
        "2021-03",
        1,
        vintage,
        "2026-11-21T00:00:00Z",
        "x",
        0,
        (),
        "",
    )


def test_files_of_two_releases_are_refused_whatever_the_mix() -> None:
    chance = random.Random(4)
    refused = 0
    for _ in range(500):
        files = [held(f"{n}", chance.choice(DAYS)) for n in range(chance.randint(1, 6))]
        days = {f.vintage for f in files}
        if len(days) == 1:
            assert rules.one_vintage(files) == days.pop()
        else:
            with pytest.raises(BadInput, match="different vintages"):
                rules.one_vintage(files)
            refused += 1
    assert refused > 200


def test_every_number_over_random_mixes_of_releases_rests_on_one(tmp_path: Path) -> None:
    chance = random.Random(5)
    for day in DAYS:
        folder = tmp_path / (day or "unstated")
        for month in chance.sample(MONTHS, 4):
            street = [crime(f"{day}{month}{n}", month) for n in range(chance.randint(1, 9))]
            ended = [outcome(street[0][0], month)] if chance.random() < 0.8 else None
            write(folder, month, "cleveland", street, ended)
        import_crimes([folder], by=CLOCK, vintage=day)
    asked = 0
    for first in MONTHS:
        for last in MONTHS:
            for measure in ("crimes", "charged", "charged-of-outcomes", "outcomes"):
                if first > last:
                    continue
                one = queries.compute(NumberId(measure, "cleveland", first, last))
                assert len({h.edition for h in one.used}) <= 1
                assert one.vintage == (one.used[0].vintage if one.used else "")
                if one.value is not None:
                    # Beside another release nothing is hidden: months that only it holds are said to be missing.
                    gap = one.outcomes if "outcomes" in measure else one.street
                    assert set(gap.missing) | set(gap.held) | set(gap.empty) == set(rules.months(first, last))
                asked += 1
    assert asked == 84


def test_a_sum_across_releases_measures_or_overlaps_is_refused(tmp_path: Path) -> None:
    head = "quarter_end,year,quarter,disposals,open,receipts,net_flow\n"
    line = "{day},2023,Q1,{n},500,{n},2\n"
    quarters = ("2023-03-31", "2023-06-30", "2023-09-30", "2023-12-31")
    chance = random.Random(6)
    releases = {}
    for number, day in enumerate(quarters):
        releases[day] = chance.choice(("2024-01-01", "2024-04-01"))
        path = tmp_path / f"{number}.csv"
        path.write_text(head + line.format(day=day, n=number + 1))
        import_table("courts", [path], by=CLOCK, vintage=releases[day])
    spans = {
        "2023-03-31": "2023-01_2023-03",
        "2023-06-30": "2023-04_2023-06",
        "2023-09-30": "2023-07_2023-09",
        "2023-12-31": "2023-10_2023-12",
    }
    pure = mixed = 0
    for _ in range(300):
        chosen = chance.sample(quarters, chance.randint(2, 4))
        addresses = [f"crown-receipts.england-and-wales.{spans[q]}.all" for q in chosen]
        if len({releases[q] for q in chosen}) == 1:
            assert queries.combine(PUBLIC, addresses) == sum(quarters.index(q) + 1 for q in chosen)
            pure += 1
        else:
            with pytest.raises(BadInput, match="different vintages"):
                queries.combine(PUBLIC, addresses)
            mixed += 1
    assert pure
    assert mixed
    one = "crown-receipts.england-and-wales.2023-01_2023-03.all"
    for others, sentence in (
        ([one], "lie over one another"),
        (["crown-disposals.england-and-wales.2023-04_2023-06.all"], "never added up"),
        (["crown-receipts.england-and-wales.2024-04_2024-06.all"], "not wholly known"),
    ):
        with pytest.raises(BadInput, match=sentence):
            queries.combine(PUBLIC, [one, *others])
    with pytest.raises(BadInput, match="not added up"):
        queries.combine(PUBLIC, ["crown-open.england-and-wales.2023-01_2023-03.all"] * 2)


def test_measures_of_violence_against_women_and_girls_are_never_blended() -> None:
    for names in (["vawg-prevalence", "vawg-recorded"], ["vawg-repeat", "vawg-prevalence", "vawg-recorded"]):
        with pytest.raises(BadInput, match="kept apart"):
            rules.may_add(names)
