"""The product's own settings, with a home that is thrown away. Never a folder that somebody uses."""

import atexit
import os
import shutil
import tempfile

if "COUNTERFOIL_TEST_HOME" not in os.environ:
    os.environ["COUNTERFOIL_TEST_HOME"] = tempfile.mkdtemp(prefix="counterfoil-test-")
    atexit.register(shutil.rmtree, os.environ["COUNTERFOIL_TEST_HOME"], ignore_errors=True)
os.environ["COUNTERFOIL_HOME"] = os.environ["COUNTERFOIL_TEST_HOME"]
os.environ["COUNTERFOIL_MODE"] = "development"

from counterfoil.config.settings import *  # noqa: F403

# Nobody's real password is kept by a test: the same hasher with its dials turned down.
PASSWORD_HASHERS = ["tests.cheap.CheapArgon2"]
