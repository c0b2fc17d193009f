"""What findings about published data are called, and what each asks of whoever supplied the data.

>>> kinds()["missing-month"].said("en")
('Months missing', 'Why are there no crimes for these months?')
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("integrity.toml")


@dataclass(frozen=True)
class FindingKind:
    """A kind of finding in words: its title and its question, in English and Welsh."""

    id: str
    title: str
    title_cy: str
    asks: str
    asks_cy: str

    def said(self, language: str) -> tuple[str, str]:
        """Return title and question in `language` ("en" or "cy")."""
        return (self.title_cy, self.asks_cy) if language.startswith("cy") else (self.title, self.asks)


@cache
def kinds() -> dict[str, FindingKind]:
    """Return every kind by its id, in the order in which a report lists them."""
    with FILE.open("rb") as stream:
        return {row["id"]: FindingKind(**row) for row in tomllib.load(stream)["kind"]}
