"""The example that opens each engine runs as printed, and engines import without Django."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import counterfoil.engines
import counterfoil.engines.tlog

MODULES = [
    "counterfoil.engines.errors",
    "counterfoil.engines.vault",
    "counterfoil.engines.clock",
    "counterfoil.engines.flow",
    "counterfoil.engines.forecast",
    "counterfoil.engines.forecast.caseload",
    "counterfoil.engines.forecast.cohorts",
    "counterfoil.engines.forecast.courtroom",
    "counterfoil.engines.forecast.smallarea",
    "counterfoil.engines.forecast.split",
    "counterfoil.engines.refs",
    "counterfoil.engines.sandbox",
    "counterfoil.engines.sniff",
    "counterfoil.engines.tlog",
    "counterfoil.engines.watermark",
    *(f"counterfoil.engines.tlog.{m.name}" for m in pkgutil.iter_modules(counterfoil.engines.tlog.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_example_that_opens_the_engine_runs_as_printed(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0, f"{name} opens without an example"
    assert result.failed == 0


def test_the_engines_import_without_django() -> None:
    code = (
        f"import sys; sys.modules['django'] = None; [__import__(name) for name in {MODULES!r}]; "
        "print(sorted(name for name in sys.modules if name.startswith('django.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
