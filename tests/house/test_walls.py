"""The import contracts bite: each is broken on purpose in a copy, and must say so by name."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "counterfoil"
UPSTREAM = "A noun knows what is upstream of it"
INSIDE = "Inside an app"
MODELS = "Models stay inside their own app"
FACES = "Faces know the kit and never each other"
KIT = "The kit knows accounts and no other noun"
PORTAL = "The public portal reaches only what it may"
DJANGO = "Engines, reference data and rules import no Django"
ADAPTERS = "Adapters are named in settings and never imported"
CYCLES = "No cycles"

SABOTAGE = [
    (UPSTREAM, "reports/actions.py", "import counterfoil.cases.queries"),
    (UPSTREAM, "engines/refs.py", "import counterfoil.plugs"),
    (UPSTREAM, "people/queries.py", "import counterfoil.reports"),
    (UPSTREAM, "ai/__init__.py", "room = 'a room that nobody decided on'"),
    (INSIDE, "cases/queries.py", "import counterfoil.cases.actions"),
    (INSIDE, "accounts/rules.py", "import counterfoil.accounts.models"),
    (MODELS, "duties/actions.py", "import counterfoil.cases.models"),
    (MODELS, "faces/desk/views.py", "from counterfoil.cases.models import Case"),
    (FACES, "faces/bench/views.py", "import counterfoil.faces.desk"),
    (FACES, "faces/kit/views.py", "import counterfoil.faces.portal"),
    (KIT, "faces/kit/views.py", "import counterfoil.cases.queries"),
    (PORTAL, "faces/portal/views.py", "import counterfoil.people.queries"),
    (PORTAL, "faces/kit/page.py", "import counterfoil.evidence.queries"),  # reached through the kit
    (DJANGO, "engines/refs.py", "from django.utils import timezone"),
    (DJANGO, "reports/rules.py", "import counterfoil.reports.models"),  # reached through models
    (ADAPTERS, "notices/actions.py", "import counterfoil.adapters"),
    (CYCLES, "engines/errors.py", "import counterfoil.engines.refs"),
]


def contracts(folder: Path) -> tuple[int, str]:
    """Run the contracts over the copy in `folder`; return the exit code and what was said, on one line."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package's Python files and of the contracts."""
    keep = shutil.ignore_patterns("__pycache__", "static", "templates", "locale")
    shutil.copytree(PACKAGE, tmp_path / "src" / "counterfoil", ignore=keep)
    shutil.copyfile(ROOT / ".importlinter", tmp_path / ".importlinter")
    return tmp_path


def test_the_house_as_it_stands_keeps_every_contract(copy: Path) -> None:
    code, said = contracts(copy)
    assert code == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize(("contract", "file", "line"), SABOTAGE, ids=lambda value: str(value)[:44])
def test_a_forbidden_import_is_found_and_its_contract_named(
    copy: Path, contract: str, file: str, line: str
) -> None:
    target = copy / "src" / "counterfoil" / file
    target.parent.mkdir(exist_ok=True)
    (target.parent / "__init__.py").touch()
    with target.open("a", encoding="utf-8") as source:
        source.write(f"\n\n{line}\n")
    code, said = contracts(copy)
    assert code != 0
    broken = said.split(contract, 1)[1].split("KEPT", 1)[0]
    assert "BROKEN" in broken or "Missing" in said, said


def rooms(folder: Path) -> set[str]:
    """Return the names of the packages and modules in a folder of the package."""
    found = {p.name for p in folder.iterdir() if (p / "__init__.py").is_file()}
    return found | {p.stem for p in folder.glob("*.py") if not p.stem.startswith("__")}


def listed(contract: str, key: str) -> set[str]:
    """Return the names that a contract lists under a key."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return set(parser[f"importlinter:contract:{contract}"][key].split())


def test_every_app_is_under_the_contract_for_the_inside_of_apps() -> None:
    apps = {f"counterfoil.{room}" for room in rooms(PACKAGE) if (PACKAGE / room / "models.py").is_file()}
    apps |= {f"counterfoil.{room}" for room in rooms(PACKAGE) if (PACKAGE / room / "models").is_dir()}
    assert apps <= listed("inside", "containers")


def test_the_portal_wall_names_every_room_that_is_not_allowed() -> None:
    allowed = {"faces", "reports", "places", "accounts", "ledger", "plugs", "engines", "reference"}
    others = {f"counterfoil.{room}" for room in rooms(PACKAGE) - allowed}
    others |= {f"counterfoil.faces.{face}" for face in rooms(PACKAGE / "faces") - {"kit", "portal"}}
    assert listed("portal", "forbidden_modules") == others


def test_the_kit_contract_names_every_noun_but_accounts() -> None:
    allowed = {"faces", "accounts", "ledger", "plugs", "engines", "reference"}
    others = {f"counterfoil.{room}" for room in rooms(PACKAGE) - allowed}
    assert listed("kit", "forbidden_modules") == others
