"""Write JSON in one way only, read it strictly, and commit to it with a salt.

>>> jcs({"b": 1, "a": ["x", None, True]})
b'{"a":["x",null,true],"b":1}'
>>> entry_commitment(bytes(32), {"act": "exhibit.sealed"}).hex()[:16]
'9b807a07a0ef221e'
>>> strict_json(b'{"a":1,"a":2}')
Traceback (most recent call last):
    ...
counterfoil.engines.errors.Corrupt: The JSON names "a" twice in one object.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from counterfoil.engines.errors import BadInput, Corrupt

MAX_INT = 2**53 - 1
MAX_DEPTH = 64
COMMITMENT_PREFIX = b"counterfoil/entry/v1\x00"


def _fault(value: object, depth: int) -> str | None:
    """Say why a value has no canonical form here, or return None."""
    if depth >= MAX_DEPTH and isinstance(value, list | dict):
        return f"It is nested more than {MAX_DEPTH} deep."
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -MAX_INT <= value <= MAX_INT else "A whole number is outside ±(2^53 - 1)."
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return "A text holds half a surrogate pair."
        return None
    if isinstance(value, list):
        return next((fault for item in value if (fault := _fault(item, depth + 1))), None)
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                return "A key is not ASCII text."
            if fault := _fault(item, depth + 1):
                return fault
        return None
    return f"A value of type {type(value).__name__} has no canonical form."


def jcs(value: Any) -> bytes:
    """Write JSON in the canonical form of RFC 8785, for the part of JSON that we use.

    Text, whole numbers within ±(2^53 - 1), true, false, null, lists and objects with ASCII keys. Floats,
    tuples, lone surrogates and anything else raise BadInput.
    """
    if fault := _fault(value, 0):
        raise BadInput("body", f"This cannot be written as canonical JSON. {fault}")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise Corrupt(f'The JSON names "{ascii(key)[1:-1]}" twice in one object.')
        result[key] = value
    return result


def _no_float(text: str) -> Any:
    raise Corrupt("The JSON holds a number that is not whole.")


def strict_json(data: bytes) -> Any:
    """Read JSON and refuse what two readers could understand differently; raises Corrupt.

    Refused: duplicate keys, numbers that are not whole or beyond ±(2^53 - 1), NaN, lone surrogates, keys that
    are not ASCII, a byte order mark, bytes that are not UTF-8, nesting beyond 64.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float
        )
    except (ValueError, RecursionError):
        raise Corrupt("This is not JSON in UTF-8.") from None
    if fault := _fault(value, 0):
        raise Corrupt(f"This JSON is refused. {fault}")
    return value


def canonical_json(data: bytes) -> Any:
    """Read JSON that must already be in canonical form, byte for byte; raises Corrupt."""
    value = strict_json(data)
    if jcs(value) != data:
        raise Corrupt("This JSON is not in its canonical form.")
    return value


def entry_commitment(salt: bytes, body: Mapping[str, Any]) -> bytes:
    """Commit to an entry: SHA-256("counterfoil/entry/v1" ‖ 0x00 ‖ salt ‖ JCS(body)), 32 bytes.

    The salt is 32 random bytes kept beside the body; erase both and the commitment says nothing about either.
    """
    if len(salt) != 32:
        raise BadInput("salt", "An entry's salt must have 32 bytes.")
    return sha256(COMMITMENT_PREFIX + salt + jcs(dict(body))).digest()
