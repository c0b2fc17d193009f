"""Remember figures on the disk under what they were worked out from, so that a cold page finds them at once.

A figure's name is the digest of how it is worked out, from which rows (whose files are named by their content) and with
which words; so a remembered figure cannot be stale, and deleting them all costs nothing but time. Each file begins
with the digest of the rest: one that was changed is worked out again.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     first = remember(Path(folder), ("example", 1), lambda: [["2021-03", 5]])
...     again = remember(Path(folder), ("example", 1), lambda: [["never", 0]])
>>> again
[['2021-03', 5]]
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

VERSION = 1  # of how any figure is worked out: one more forgets every remembered figure


def name_of(what: Any) -> str:
    """Return the name under which a figure is remembered."""
    text = json.dumps([VERSION, what], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def remember(folder: Path, what: Any, work_out: Callable[[], list[Any]]) -> list[Any]:
    """Return the figure remembered for `what`, or work it out and remember it. Rows are lists of text and numbers."""
    path = folder / f"{name_of(what)}.json"
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() == digest:
            return list(json.loads(body))
    except FileNotFoundError:
        pass
    found = [list(row) if isinstance(row, tuple) else row for row in work_out()]
    store(folder, what, found)
    return found


def store(folder: Path, what: Any, rows: list[Any]) -> None:
    """Remember a figure that was worked out together with others."""
    body = json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()
    write(folder / f"{name_of(what)}.json", hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; it may be lost with the power, and is worked out again then."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
