"""Read the small texts of a log strictly: one spelling for each value, everything else refused.

>>> decimal("70000", "tree size")
70000
>>> base64_bytes("AAA=", "hash")
b'\\x00\\x00'
>>> base64_bytes("AAB=", "hash")
Traceback (most recent call last):
    ...
counterfoil.engines.errors.Corrupt: The hash is not written in canonical base64.
"""

import base64
import re
from binascii import Error as Base64Error

from counterfoil.engines.errors import Corrupt

MAX_SIZE = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


def decimal(text: str, what: str) -> int:
    """Read a decimal from 0 to 2^63 - 1 without sign, space or leading zero; else Corrupt."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise Corrupt(f"The {what} is not a plain decimal number.")
    return int(text)


def base64_text(data: bytes) -> str:
    """Write bytes as standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def base64_bytes(text: str, what: str) -> bytes:
    """Read standard base64 and refuse any spelling that writing it again would not give; else Corrupt."""
    try:
        data = base64.b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise Corrupt(f"The {what} is not base64.") from None
    if base64_text(data) != text:
        raise Corrupt(f"The {what} is not written in canonical base64.")
    return data


def hash_bytes(text: str, what: str) -> bytes:
    """Read a SHA-256 hash (32 bytes) from canonical base64; else Corrupt."""
    data = base64_bytes(text, what)
    if len(data) != 32:
        raise Corrupt(f"The {what} has {len(data)} bytes where a SHA-256 hash has 32.")
    return data


def hex_bytes(text: str, length: int, what: str) -> bytes:
    """Read exactly `length` bytes from lower-case hexadecimal; else Corrupt."""
    if len(text) != 2 * length or not _HEX.fullmatch(text):
        raise Corrupt(f"The {what} is not {2 * length} lower-case hexadecimal digits.")
    return bytes.fromhex(text)


def utf8(data: bytes | str, what: str) -> str:
    """Return text that is valid UTF-8 and has no control character but the newline; else Corrupt."""
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Corrupt(f"The {what} is not UTF-8 text.") from None
    else:
        try:
            data.encode("utf-8")
        except UnicodeEncodeError:
            raise Corrupt(f"The {what} is not UTF-8 text.") from None
    if any(c < " " and c != "\n" for c in data):
        raise Corrupt(f"The {what} holds a control character.")
    return data
