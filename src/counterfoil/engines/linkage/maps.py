"""What the columns of a table mean: roles from a TOML map, or guessed from their names and said aloud.

A map is short:

    about = "Half of a table of historical people"
    [roles]
    name = ["full_name", "first_name", "surname"]
    born = ["dob"]
    [guards]
    household = true

Several columns of one role are read together: words are joined, of dates and codes the first that is filled counts. A
column named that the file lacks is passed over and said.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counterfoil.engines.errors import BadInput

WORDS = ("name", "place", "region", "occupation", "sex", "address", "text")
DATES = ("born", "date")
CODES = ("postcode", "identifier", "phone", "email", "vehicle", "handle")
NUMBERS = ("amount",)
ROLES = WORDS + DATES + CODES + NUMBERS
PLAIN = ("given", "family")
"""Columns of these roles are names too; guards look at them apart."""
GUARDING = ("part", "incident", "refuge")
GUARDS = ("household", "parts", "generations")
# Tried in this order on a column's name; the first that fits gives its role.
GUESSES = (
    ("", r"cluster|ground_?truth|label|entity"),
    ("given", r"(first|given|fore|christian).*name|^forename"),
    ("family", r"surname|last.*name|family.*name"),
    ("name", r"name"),
    ("born", r"dob|birth.*date|date.*birth|^born|birth_?day"),
    ("email", r"e-?mail"),
    ("phone", r"phone|mobile|^tel|msisdn"),
    ("vehicle", r"vehicle|vrm|registration|number_?plate|^plate"),
    ("handle", r"handle|user_?name|screen"),
    ("identifier", r"soc_?sec|ssn|national_?ins|nino|passport|licen[cs]e|pnc|nhs"),
    ("postcode", r"post_?code|zip"),
    ("region", r"^state$|county|region"),
    ("address", r"address|street|house"),
    ("place", r"place|city|town|suburb|village|locality"),
    ("occupation", r"occupation|job|profession"),
    ("sex", r"^sex$|gender"),
    ("refuge", r"refuge"),
    ("incident", r"incident|crime_?(no|number|ref)|occurrence"),
    ("part", r"^role$|^part$|involve"),
    ("amount", r"amount|price|value"),
    ("date", r"date"),
    ("text", r"memo|note|text|description|reference"),
)


@dataclass(frozen=True)
class Map:
    """Columns by role, and which guards stand."""

    roles: Mapping[str, tuple[str, ...]]
    guards: frozenset[str] = frozenset()
    bar: float = -1.0
    said: tuple[str, ...] = field(default=(), compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the map as plain values, to be kept with the result."""
        return {
            "roles": {r: list(c) for r, c in self.roles.items()},
            "guards": sorted(self.guards),
            "bar": self.bar,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Map":
        """Return the map that `to_json` gave."""
        return cls(
            {r: tuple(c) for r, c in kept["roles"].items()}, frozenset(kept["guards"]), float(kept["bar"])
        )


def _present(
    wanted: Mapping[str, Sequence[str]], columns: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    by = {c.lower(): c for c in columns}
    roles, lacking = {}, []
    for role, names in wanted.items():
        there = tuple(by[n.lower()] for n in names if n.lower() in by)
        if there:
            roles[role] = there
        elif names:
            lacking.append(f"{role} ({', '.join(names)})")
    return roles, lacking


def read_map(path: Path, columns: Sequence[str]) -> Map:
    """Return the map in a TOML file, for a table with these columns; BadInput when it cannot serve."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise BadInput("--map", f"The map {path} cannot be read: {e}.") from None
    except tomllib.TOMLDecodeError as e:
        raise BadInput("--map", f"The map {path} is not TOML: {e}.") from None
    wanted = raw.get("roles")
    known = (*ROLES, *PLAIN, *GUARDING, "ignore")
    if not isinstance(wanted, dict) or not wanted:
        raise BadInput(
            "--map", f'The map {path} has no [roles]. Give columns by role, for example name = ["surname"].'
        )
    for role, names in wanted.items():
        if role not in known:
            raise BadInput("--map", f"{role!r} is no role. The roles are {', '.join(known)}.")
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise BadInput(
                "--map", f'The role {role} takes a list of columns, for example {role} = ["column"].'
            )
    guards = raw.get("guards", {})
    for guard in guards:
        if guard not in GUARDS:
            raise BadInput("--map", f"{guard!r} is no guard. The guards are {', '.join(GUARDS)}.")
    wanted.pop("ignore", None)
    roles, lacking = _present(wanted, columns)
    if not any(r in roles for r in (*ROLES, *PLAIN)):
        raise BadInput(
            "--map", f"None of the columns of the map {path} is in the file. It has {', '.join(columns)}."
        )
    said = (f"Not in this file: {'; '.join(lacking)}.",) if lacking else ()
    return Map(roles, frozenset(g for g, on in guards.items() if on), float(raw.get("bar", -1.0)), said)


def guess(columns: Sequence[str], *, but: str) -> Map:
    """Return roles guessed from the columns' names, with a sentence that says them; BadInput when none can be.

    >>> guess(["id", "First Name", "surname", "dob", "cluster"], but="id").said[0]
    'No map was given. Guessed: given = First Name; family = surname; born = dob.'
    """
    roles: dict[str, tuple[str, ...]] = {}
    for c in columns:
        if c == but:
            continue
        name = re.sub(r"[^a-z0-9]+", "_", c.lower())
        for role, pattern in GUESSES:
            if re.search(pattern, name):
                if role:
                    roles[role] = (*roles.get(role, ()), c)
                break
    if not any(r in roles for r in (*ROLES, *PLAIN)):
        raise BadInput(
            "--map",
            f"What the columns mean cannot be guessed from their names ({', '.join(columns)}). Give a --map.",
        )
    guards = (
        {"household", "generations"} if "address" in roles and "born" in roles and "given" in roles else set()
    )
    if "part" in roles and "incident" in roles:
        guards.add("parts")
    said = "No map was given. Guessed: " + "; ".join(f"{r} = {', '.join(c)}" for r, c in roles.items()) + "."
    return Map(roles, frozenset(guards) if "incident" in roles else frozenset(), said=(said,))
