"""Numbers of the board worked out by a short script without anything of ours, from raw CSVs alone: every one agrees."""

import ast
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.published import two_forces

from counterfoil.accounts.rules import Viewer
from counterfoil.measures import queries, rules
from counterfoil.measures.actions import import_crimes
from counterfoil.reference import measures as definitions
from counterfoil.reference import outcomes

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "recompute.py"
PUBLIC = Viewer.public()


def shown(months: tuple[str, ...], forces: tuple[str, ...], wanted: int, seed: int) -> list[queries.Number]:
    """Return random numbers that the board shows, with a value."""
    chance = random.Random(seed)
    types = [t.slug for t in definitions.crime_types()]
    endings = [w.slug for w in outcomes.wordings()]
    found: dict[str, queries.Number] = {}
    while len(found) < wanted:
        first, last = sorted(chance.choices(months, k=2))
        measure = chance.choice(("crimes", "charged", "charged-of-outcomes", "outcomes"))
        kinds = {"crimes": types, "charged": types, "outcomes": endings}.get(measure, [])
        kind = chance.choice(["all", *kinds])
        one = queries.number(PUBLIC, f"{measure}.{chance.choice(forces)}.{first}_{last}.{kind}")
        if one.value is not None:
            found[str(one.id)] = one
    return list(found.values())


def agree(folder: Path, numbers: list[queries.Number]) -> int:
    """Run the script on the raw files and compare; return how many agree."""
    lines = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(folder), *(str(n.id) for n in numbers)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    wanted = [f"{n.id} {n.value} {n.part} {n.whole}" for n in numbers]
    assert lines == wanted
    return len(lines)


def test_the_script_uses_nothing_of_ours_and_is_short() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    names = {
        (n.module or "") if isinstance(n, ast.ImportFrom) else a.name
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.Import | ast.ImportFrom)
        for a in n.names
    }
    assert names == {"csv", "sys", "pathlib", "decimal", "functools"}
    code = text.split('"""')[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 40


def test_forty_numbers_of_the_small_country_agree(tmp_path: Path) -> None:
    import_crimes([two_forces(tmp_path)], by=Viewer.clock())
    numbers = shown(("2021-03", "2021-04", "2021-05"), ("cleveland", "city-of-london"), 40, 1)
    assert agree(tmp_path, numbers) == 40


def test_fifty_random_numbers_of_real_files_agree(police_uk: Path) -> None:
    done = import_crimes([police_uk], by=Viewer.clock())
    assert (len(done.new), done.refused, done.rows) == (48, (), 178_312)
    assert queries.tables().fsck() == []
    numbers = shown(rules.months("2021-03", "2022-02"), ("cleveland", "city-of-london"), 50, 7)
    assert agree(police_uk, numbers) == 50
