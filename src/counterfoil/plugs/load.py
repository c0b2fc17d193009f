"""Load the adapter that the settings name for a socket, once for each set of options."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from counterfoil.engines.errors import NotAllowed


def load(socket: str, **more: object) -> Any:
    """Return the adapter of `PLUGS[socket]`; `more` are options given unless the settings give them.

    A socket that is not configured, or whose adapter cannot be loaded, is refused with a sentence.
    """
    entry: dict[str, Any] | None = settings.PLUGS.get(socket)
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
