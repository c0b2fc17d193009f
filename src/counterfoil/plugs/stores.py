"""The two places where bytes are kept: the quarantine for what arrives, the vault for exhibits.

Public code may open only the quarantine, a folder. The vault is a socket of its own (`plugs.store`).
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from counterfoil.engines.vault import Quarantine
from counterfoil.plugs.store import ErasingStore, Store, erasing, vault

__all__ = ["ErasingStore", "Store", "clearing_out", "erasing", "quarantine", "taking_in", "vault"]


def quarantine() -> Quarantine:
    """Return the store where uploads wait."""
    return Quarantine(Path(settings.COUNTERFOIL_HOME) / "quarantine")


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
