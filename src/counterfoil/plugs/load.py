"""Load the adapter that the settings name for a socket, once for each set of options."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from counterfoil.engines.errors import NotAllowed


def named(socket: str) -> dict[str, dict[str, Any]]:
    """Return the settings of a socket that takes several products, each under its name."""
    entry: dict[str, Any] = settings.PLUGS.get(socket) or {}
    return {f"{socket}1": entry} if "BACKEND" in entry else entry


def load(socket: str, name: str = "", **more: object) -> Any:
    """Return the adapter of `PLUGS[socket]`; `more` are options given unless the settings give them.

    `name` picks one of a socket that takes several. A socket that is not configured, or whose adapter cannot be
    loaded, is refused with a sentence.
    """
    entry: dict[str, Any] | None = named(socket).get(name) if name else settings.PLUGS.get(socket)
    if not entry:
        raise NotAllowed(f"No {socket} is configured: set PLUGS[{socket!r}].")
    options = {**more, **entry.get("OPTIONS", {})}
    return _make(socket, entry["BACKEND"], json.dumps(options, sort_keys=True, default=str))


@cache
def _make(socket: str, backend: str, options: str) -> Any:
    try:
        adapter = import_string(backend)
    except ImportError as error:
        raise NotAllowed(f"The {socket} {backend} cannot be loaded: {error}") from None
    return adapter(**json.loads(options))
