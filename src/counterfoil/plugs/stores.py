"""The two places where bytes are kept: the quarantine for what arrives, the vault for exhibits.

Public code may open only the quarantine. The vault has its own location (`COUNTERFOIL_VAULT` when set).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from counterfoil.engines.vault import Quarantine, Vault


def quarantine() -> Quarantine:
    """Return the store where uploads wait."""
    return Quarantine(Path(settings.COUNTERFOIL_HOME) / "quarantine")


def vault() -> Vault:
    """Return the store where exhibits and bundles are kept for good."""
    where = os.environ.get("COUNTERFOIL_VAULT")
    return Vault(Path(where) if where else Path(settings.COUNTERFOIL_HOME) / "vault")


@contextmanager
def taking_in() -> Iterator[Quarantine]:
    """Hold the quarantine open for adding a file and its row; nothing is removed meanwhile."""
    with _lock(fcntl.LOCK_SH):
        yield quarantine()


@contextmanager
def clearing_out() -> Iterator[Quarantine | None]:
    """Hold the quarantine for removing what no row names; None when somebody is adding a file just now."""
    try:
        with _lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield quarantine()
    except BlockingIOError:
        yield None


@contextmanager
def _lock(how: int) -> Iterator[None]:
    with (Path(settings.COUNTERFOIL_HOME) / "quarantine.lock").open("a") as f:
        fcntl.flock(f, how)
        yield
