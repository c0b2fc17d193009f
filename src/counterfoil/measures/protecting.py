"""The one way out for counts that rest on our own cases or on tables that are not public: protected, with one key.

Pages, CSV, charts, the interface and embeds all read numbers through `measures.queries`; whatever is not public already
was protected there by `protect`, before any of them saw it.
"""

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from counterfoil.engines.disclosure_control import Cell, Protected
from counterfoil.engines.disk import place


def key() -> bytes:
    """Return this installation's secret for protected numbers, made at its first use and then never another.

    It lies with the other keys (`keys/numbers.key`, for the owner only) and must be kept in backups like them: under
    another key the same question would have a second answer, and two answers say more than one.
    """
    path = Path(settings.COUNTERFOIL_HOME) / "keys" / "numbers.key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # of two who make it at once, both read the first one's
            place(path, secrets.token_bytes(32))
    return path.read_bytes()


def protect(cells: Mapping[Cell, int]) -> Protected:
    """Return a table of true counts by cell, of which only protected values can be had.

    Give the whole table cut as finely as it is ever asked for (place, kind, month, ending): totals are then sums of
    the same protected cells whichever way they are asked for. The engine says why nothing below 10 can be recovered.
    """
    return Protected(cells, key=key())
