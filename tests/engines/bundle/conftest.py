"""One honest bundle for all the tests of this folder, and the verifier that ships inside it, loaded as a module."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.engines.bundle import facts as maker
from tests.engines.bundle import forgery

from counterfoil.engines import bundle

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
