"""One honest bundle for all the tests of this folder, and the verifier that ships inside it, loaded as a module."""

import importlib.util
import json
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.engines.bundle import facts as maker
from tests.engines.bundle import forgery

from counterfoil.engines import bundle

PAGE = Path(bundle.__file__).parent / "standalone" / "page"
STANDALONE = Path(bundle.__file__).parent / "standalone" / "verify.py"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> forgery.World:
    """An honest bundle, its keys, and a stranger's keys."""
    folder = tmp_path_factory.mktemp("bundle")
    keys = maker.make_keys(folder / "keys")
    stranger = maker.make_keys(folder / "stranger", who="stranger.example/DEVELOPMENT-")
    path = maker.make_bundle(keys, folder)
    top, files = forgery.unpack(path)
    return forgery.World(folder, keys, stranger, path, top, files)


@pytest.fixture(scope="session")
def standalone() -> ModuleType:
    """The shipped verify.py as a module."""
    spec = importlib.util.spec_from_file_location("standalone_verify", STANDALONE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["standalone_verify"] = module
    spec.loader.exec_module(module)
    return module


class PageChecks:
    """The checks of verify.html, run by node in one process that lives as long as the tests."""

    def __init__(self) -> None:
        """Start node; the browser's own run of the same page is in tests/journeys."""
        node = shutil.which("node")
        assert node, "Node is needed to run the page's checks by the thousand (see tools/frontend.py)."
        driver = Path(__file__).with_name("drive.js")
        self._run = subprocess.Popen(
            [node, str(driver), str(PAGE / "checks.js"), str(PAGE / "words.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __call__(self, path: Path, policy: str | None) -> dict[str, Any]:
        """Return what the page says of a bundle."""
        asked = {"path": str(path), "policy": None if policy is None else b64encode(policy.encode()).decode()}
        assert self._run.stdin
        assert self._run.stdout
        self._run.stdin.write(json.dumps(asked).encode() + b"\n")
        self._run.stdin.flush()
        said: dict[str, Any] = json.loads(self._run.stdout.readline())
        assert said["word"] != "CRASH", said["failed"]
        assert not said["unworded"], said["unworded"]
        return said

    def close(self) -> None:
        """Stop node."""
        assert self._run.stdin
        assert self._run.stdout
        self._run.stdin.close()
        self._run.stdout.close()
        self._run.wait(10)


@pytest.fixture(scope="session")
def page_checks() -> Iterator[PageChecks]:
    """The third verifier."""
    checks = PageChecks()
    yield checks
    checks.close()
