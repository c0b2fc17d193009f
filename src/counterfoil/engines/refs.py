"""Make and read the numbers that people copy by hand, so that a slip of the pen is noticed.

>>> parse_reference("7k3qf-x0m8z-l4tw9-o2bce-8")
'7K3QF-X0M8Z-14TW9-02BCE-8'
>>> parse_reference("7k3qf-x0m8z-l4tw9-o2bec-8")
Traceback (most recent call last):
    ...
counterfoil.engines.errors.BadInput: This reference is not right. Check each character and their order.
>>> crime_number("17", "A1", 42, 2026), urn("17", "A1", 42, 2026), exhibit_label("AB", 1)
('17/A1/00042/26', '17A10004226', 'AB/1')

The check character is a weighted sum over the field of 32 elements, each place with a weight of its own. It
therefore finds every single wrong character and every swap of any two characters, neighbours or not, and is
itself one of the same 32 characters.
"""

import re
import secrets
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from counterfoil.engines.errors import BadInput

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 20
_VALUE = {character: value for value, character in enumerate(ALPHABET)} | {"I": 1, "L": 1, "O": 0}
_LABEL = re.compile(r"([A-Za-z]{2,4})\s*[/ ]\s*([1-9][0-9]{0,4})", re.ASCII)


def _times(a: int, b: int) -> int:
    """Multiply in the field of 32 elements, GF(2)[x] / (x^5 + x^2 + 1)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= 0b100101
        b >>= 1
    return product


def _check(values: list[int]) -> int:
    """Return the check value: place i from the right weighs x^i, i = 1, 2, …; the check itself weighs 1."""
    total = 0
    for value in values:
        total = _times(total ^ value, 2)
    return total


def _grouped(characters: str) -> str:
    return "-".join(characters[place : place + 5] for place in range(0, len(characters), 5))


def new_reference() -> str:
    """Make a public reference of 100 random bits and a check character, in five groups."""
    values = [secrets.randbelow(32) for _ in range(LENGTH)]
    return _grouped("".join(ALPHABET[value] for value in [*values, _check(values)]))


def parse_reference(text: str) -> str:
    """Read a reference as people type it and return its one right spelling; BadInput otherwise.

    Forgives spaces, hyphens, lower case, O for 0 and I or L for 1.
    """
    typed = re.sub(r"[\s\-\u2010-\u2015]", "", text)
    characters = typed.upper() if typed.isascii() else ""
    if len(characters) != LENGTH + 1 or any(c not in _VALUE for c in characters):
        raise BadInput(
            "reference",
            f"A reference has {LENGTH + 1} letters and numbers, in groups of five and one at the end.",
        )
    values = [_VALUE[c] for c in characters]
    if _check(values[:-1]) != values[-1]:
        raise BadInput(
            "reference",
            "This reference is not right. Check each character and their order.",
        )
    return _grouped("".join(ALPHABET[value] for value in values))


@cache
def words() -> tuple[str, ...]:
    """Return the words that passphrases are made of, in order."""
    return tuple((files("counterfoil.engines") / "words.txt").read_text("ascii").split())


def new_passphrase() -> str:
    """Make a passphrase of four words that we choose, at least 44 random bits, separated by spaces."""
    return " ".join(secrets.choice(words()) for _ in range(4))


def parse_passphrase(text: str) -> str:
    """Read a passphrase as people type it and return its one right spelling; BadInput unless four of our words."""
    typed = re.sub(r"[^a-z]+", " ", text.lower()).split()
    if len(typed) != 4 or not set(typed) <= set(words()):
        raise BadInput("passphrase", "Enter the four words that you were given with your reference.")
    return " ".join(typed)


def _pair(text: str, field: str, what: str) -> str:
    if not re.fullmatch(r"[0-9A-Z]{2}", text, re.ASCII):
        raise BadInput(field, f"The {what} is two capital letters or digits.")
    return text


def _number(n: int, year: int) -> tuple[int, int]:
    if not 1 <= n <= 99_999:
        raise BadInput("number", "The number is from 1 to 99999 in each year.")
    if not 0 <= year <= 9999:
        raise BadInput("year", "The year is written with two or four digits.")
    return n, year % 100


def crime_number(force: str, unit: str, n: int, year: int) -> str:
    """Write a crime number, `FF/UU/NNNNN/YY`; the year may have two or four digits."""
    n, yy = _number(n, year)
    return f"{_pair(force, 'force', 'force code')}/{_pair(unit, 'unit', 'unit code')}/{n:05d}/{yy:02d}"


def urn(force: str, unit: str, n: int, year: int) -> str:
    """Write a unique reference number for the prosecution, eleven characters `FFUUNNNNNYY`."""
    return crime_number(force, unit, n, year).replace("/", "")


class ExhibitLabel(NamedTuple):
    """An exhibit's label: the initials of who produces it and a running number."""

    initials: str
    number: int

    def __str__(self) -> str:
        return f"{self.initials}/{self.number}"


def exhibit_label(initials: str, n: int) -> str:
    """Write an exhibit label like `AB/1`; initials are two to four letters, the number runs from 1."""
    if not re.fullmatch(r"[A-Za-z]{2,4}", initials, re.ASCII):
        raise BadInput("initials", "Initials are two to four letters, like AB.")
    if not 1 <= n <= 99_999:
        raise BadInput("number", "An exhibit's number is from 1 to 99999.")
    return f"{initials.upper()}/{n}"


def parse_exhibit_label(text: str) -> ExhibitLabel:
    """Read an exhibit label as people type it (`ab / 1`, `AB 1`); BadInput otherwise."""
    found = _LABEL.fullmatch(text.strip())
    if found is None:
        raise BadInput("label", "An exhibit label is written like AB/1.")
    return ExhibitLabel(found[1].upper(), int(found[2]))
