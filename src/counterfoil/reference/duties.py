"""Loader of the duties that a case brings with it, from `duties.toml`."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Rung:
    """One step of a ladder: so long after the due time, somebody else hears of it."""

    after: str
    to: str


@dataclass(frozen=True)
class DutyKind:
    """A kind of duty: what, within what time (a rule of `engines.clock`), and its ladder.

    `told` says whether senders of the case's reports are told when it is missed.
    """

    id: str
    valid_from: date
    title: str
    title_cy: str
    within: str
    on: str
    repeats: bool
    next_words: str
    source: str
    uncertain: bool
    told: bool
    ladder: tuple[Rung, ...]


@cache
def duty_kinds() -> dict[str, DutyKind]:
    """Return every kind of duty by its id."""
    raw = tomllib.loads((files("counterfoil.reference") / "duties.toml").read_text(encoding="utf-8"))
    return {
        name: DutyKind(
            id=name,
            valid_from=d["valid_from"],
            title=d["title"],
            title_cy=d["title_cy"],
            within=d["within"],
            on=d["on"],
            repeats=d.get("repeats", False),
            next_words=d["next_words"],
            source=d["source"],
            uncertain=d["uncertain"],
            told=d.get("told", True),
            ladder=tuple(Rung(r["after"], r["to"]) for r in d["ladder"]),
        )
        for name, d in raw.items()
    }
