"""Loader of what is presumed to be disclosed, from `disclosure.toml`."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Presumed:
    """A kind of material that is presumed to be disclosed, from when, by which text, and whether that was checked."""

    id: str
    valid_from: date
    title: str
    source: str
    uncertain: bool


@cache
def presumed() -> dict[str, Presumed]:
    """Return every kind of material that is presumed to be disclosed, by its id."""
    text = (files("counterfoil.reference") / "disclosure.toml").read_text(encoding="utf-8")
    raw: dict[str, dict[str, Any]] = tomllib.loads(text)
    return {k: Presumed(id=k, **v) for k, v in raw.items()}
