"""How published tables are laid out, as versioned data.

>>> [row["id"] for row in layouts("recorded-crime-pfa")]
['recorded-crime-pfa']
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("tables.toml")
CHECKED = ("in hand", "seen", "uncertain")


@cache
def _all() -> tuple[dict[str, Any], ...]:
    with FILE.open("rb") as stream:
        rows = tomllib.load(stream)["layout"]
    seen = set()
    for row in rows:
        if row["id"] in seen:
            raise ValueError(f"tables.toml lays out {row['id']} twice")
        if row["checked"] not in CHECKED:
            raise ValueError(f"tables.toml: {row['id']} does not say how far it was checked")
        seen.add(row["id"])
    return tuple(rows)


def layouts(kind: str) -> tuple[dict[str, Any], ...]:
    """Return the layouts of one kind of import, in the order in which they are tried."""
    return tuple(row for row in _all() if row["kind"] == kind)


def kinds() -> tuple[str, ...]:
    """Return every kind of published table that can be imported."""
    return tuple(dict.fromkeys(str(row["kind"]) for row in _all()))


def checked(layout: str) -> str:
    """Say how far a layout was checked against the published file; blank for an unknown one."""
    return next((str(row["checked"]) for row in _all() if row["id"] == layout), "")


def kind_of(layout: str) -> str:
    """Return the kind of import that a layout belongs to; blank for an unknown one."""
    return next((str(row["kind"]) for row in _all() if row["id"] == layout), "")
