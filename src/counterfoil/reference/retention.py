"""Loader of the rules of retention under which something may be erased, from `retention.toml`."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class RetentionRule:
    """A rule: from when it holds, what it says, where it comes from, and whether we are unsure of it."""

    id: str
    valid_from: date
    title: str
    keep: str
    source: str
    uncertain: bool


@cache
def retention_rules() -> dict[str, RetentionRule]:
    """Return every rule of retention by its id."""
    raw = tomllib.loads((files("counterfoil.reference") / "retention.toml").read_text(encoding="utf-8"))
    return {name: RetentionRule(id=name, **r) for name, r in raw.items()}
