"""Engines, reference data and rules stand without Django and never ask what time it is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "counterfoil"
ALONE = sorted(
    {
        *(p for p in (PACKAGE / "engines").rglob("*.py")),
        *(p for p in (PACKAGE / "reference").rglob("*.py")),
        *(p for p in PACKAGE.glob("*/rules.py")),
        *(p for p in PACKAGE.glob("*/rules/*.py")),
    }
)
IMPORT_WITHOUT_DJANGO = """
import importlib, sys
class NoDjango:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "django_otp", "django_tasks", "csp", "whitenoise", "psycopg"}:
            raise ImportError(f"{name} is not there")
sys.meta_path.insert(0, NoDjango())
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
print(len(sys.argv) - 2)
"""
CLOCKS = {
    "now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime", "localdate", "localtime_ns",
}  # fmt: skip
CLOCK_OWNERS = {"datetime", "date", "time", "timezone", "dt", "_dt"}


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the package."""
    parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def clock_calls(source: str) -> list[int]:
    """Return the lines that ask for the present time."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and isinstance(node.func.value, ast.Name | ast.Attribute)
        and (node.func.value.id if isinstance(node.func.value, ast.Name) else node.func.value.attr)
        in CLOCK_OWNERS
    ]


def test_they_import_where_there_is_no_django() -> None:
    names = [module_name(path) for path in ALONE if "standalone" not in path.parts]
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT_WITHOUT_DJANGO, str(PACKAGE.parent), *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(names) > 10


def test_the_import_blocker_itself_works() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_WITHOUT_DJANGO, str(PACKAGE.parent), "counterfoil.accounts.models"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "is not there" in done.stderr


@pytest.mark.parametrize("path", ALONE, ids=module_name)
def test_it_is_told_the_time_and_never_asks(path: Path) -> None:
    assert clock_calls(path.read_text(encoding="utf-8")) == []


def test_a_question_for_the_time_would_be_found() -> None:
    assert clock_calls("import datetime\nx = datetime.datetime.now()\ny = time.time()") == [2, 3]
