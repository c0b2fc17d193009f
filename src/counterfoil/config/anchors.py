"""Who vouches for the log from outside: the file of witnesses and timestamp authorities that an operator writes.

quorum = 2                                    # so many different operators must have cosigned

[witness.university]
operator = "example-university"
url = "https://witness.example.ac.uk"
vkey = "witness.example.ac.uk+1234abcd+BA…"

[timestamper.first]
url = "https://tsa.example"
root = "/etc/counterfoil/first-root.pem"
crls = ["/etc/counterfoil/first-crl.pem"]
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
Plugs = dict[str, dict[str, object]]
KNOWN = {"witness": {"operator", "url", "vkey"}, "timestamper": {"url", "root", "crls"}}


@dataclass(frozen=True)
class Anchors:
    """The settings of both sockets, the quorum (distinct operators) and the tolerance of timestamps in seconds."""

    witness: Plugs
    timestamper: Plugs
    quorum: int
    tolerance: int = 300


def development(home: Path) -> Anchors:
    """Return two local witnesses of two invented operators and two local authorities, none of which ever counts."""
    return Anchors(
        witness={
            name: {
                "BACKEND": "counterfoil.adapters.witness_local.LocalWitness",
                "OPERATOR": operator,
                "OPTIONS": {
                    "folder": str(home / "keys" / f"development-witness-{name}"),
                    "name": f"counterfoil.example/DEVELOPMENT-witness-{name}",
                },
            }
            for name, operator in (("north", "northmoor-demonstration"), ("south", "southmere-demonstration"))
        },
        timestamper={
            name: {
                "BACKEND": "counterfoil.adapters.timestamper_local.LocalAuthority",
                "OPTIONS": {"folder": str(home / "keys" / f"development-{name}")},
            }
            for name in ("tsa1", "tsa2")
        },
        quorum=2,
    )


def read(text: str) -> Anchors:
    """Read the operator's file; ValueError says in a sentence what is wrong."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it is not TOML ({error})") from None
    odd = set(said) - {"quorum", "tolerance", *KNOWN}
    if odd:
        raise ValueError(f"{min(odd)!r} means nothing there")
    witness: Plugs = {
        name: {
            "BACKEND": "counterfoil.adapters.witness_http.HttpWitness",
            "OPERATOR": _word(one.get("operator"), f"witness.{name}: operator"),
            "OPTIONS": {"url": one["url"], "vkey": _text(one.get("vkey"), f"witness.{name}: vkey")},
        }
        for name, one in _tables(said, "witness").items()
    }
    timestamper: Plugs = {
        name: {
            "BACKEND": "counterfoil.adapters.timestamper_rfc3161.Rfc3161",
            "OPTIONS": {
                "url": one["url"],
                "root": _text(one.get("root"), f"timestamper.{name}: root"),
                "crls": [_text(c, f"timestamper.{name}: crls") for c in _list(one.get("crls"), name)],
            },
        }
        for name, one in _tables(said, "timestamper").items()
    }
    operators = {str(w["OPERATOR"]) for w in witness.values()}
    both = sorted(operators & set(witness) - {n for n, w in witness.items() if w["OPERATOR"] == n})
    if both:
        raise ValueError(f"{both[0]!r} is a witness of one operator and the name of another")
    quorum = said.get("quorum", min(2, len(operators)))
    if type(quorum) is not int or not min(1, len(operators)) <= quorum <= len(operators):
        raise ValueError(f"the quorum is a number from 1 to the {len(operators)} operators there are")
    tolerance = said.get("tolerance", 300)
    if type(tolerance) is not int or not 1 <= tolerance <= 3600:
        raise ValueError("the tolerance is a number of seconds from 1 to 3600")
    return Anchors(witness, timestamper, quorum, tolerance)


def _tables(said: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = said.get(kind, {})
    if not isinstance(found, dict):
        raise ValueError(f"{kind} is not a table")
    for name, one in found.items():
        if not NAME.fullmatch(name) or name in ("none", "quorum"):
            raise ValueError(f"{kind}.{name}: a name is small letters, digits and dashes")
        if not isinstance(one, dict) or set(one) - KNOWN[kind]:
            raise ValueError(f"{kind}.{name} says something that means nothing there")
        if not str(one.get("url", "")).startswith(("https://", "http://")):
            raise ValueError(f"{kind}.{name}: url must be an http or https address")
    return found


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} is missing")
    return value


def _word(value: object, what: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError(f"{what} is missing, or not small letters, digits and dashes")
    return value


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"timestamper.{name}: crls must name at least one revocation list")
    return value
