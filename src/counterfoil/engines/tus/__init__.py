"""Resumable upload in the exact terms of tus 1.0: what a request means (`rules`), and where its bytes wait (`store`).

>>> import io, tempfile, time
>>> folder = tempfile.TemporaryDirectory()
>>> store = Partials(Path(folder.name), clock=time.time)
>>> store.create("a" * 32, length=11)
>>> store.append("a" * 32, 0, io.BytesIO(b"hello ")).offset
6
>>> store.append("a" * 32, 3, io.BytesIO(b"world"))
Traceback (most recent call last):
counterfoil.engines.tus.rules.Stop: This is not where the upload had got to. Ask how far it is, and go on from there.
>>> store.append("a" * 32, 6, io.BytesIO(b"world")).offset
11
>>> with store.finishing("a" * 32) as whole:
...     whole.stored.size, whole.stored.sha256[:8]
(11, 'b94d27b9')
>>> folder.cleanup()

The store knows nothing of HTTP. "Resumable Uploads for HTTP" (the IETF draft) needs an offset that is acknowledged
only when durable, append at that offset, a declared length that may come late, and cancelling: the same verbs. Its
headers (`Upload-Offset`, `Upload-Complete`) would be a second module beside `rules`, on this store unchanged.
"""

from pathlib import Path

from counterfoil.engines.tus.rules import (
    ALGORITHM,
    EXTENSIONS,
    VERSION,
    Checksum,
    Creation,
    Patch,
    Stop,
    check_version,
    method,
    number,
    parse_creation,
    parse_metadata,
    parse_patch,
)
from counterfoil.engines.tus.store import Partials, State, Whole

__all__ = [
    "ALGORITHM",
    "EXTENSIONS",
    "VERSION",
    "Checksum",
    "Creation",
    "Partials",
    "Patch",
    "Path",
    "State",
    "Stop",
    "Whole",
    "check_version",
    "method",
    "number",
    "parse_creation",
    "parse_metadata",
    "parse_patch",
]
