"""Socket `scanner`: ask a virus scanner about bytes. Adapters: none configured, and the ClamAV daemon.

What it says is a mark for people: nothing is deleted, refused or held back from the log because of it. A scanner that
does not answer raises `ScannerDown`; whoever asked marks the file as not scanned and asks again later.
"""

from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from counterfoil.engines.errors import Refusal
from counterfoil.plugs.load import load


class ScannerDown(Refusal):
    """The scanner did not answer, so nothing is known of the file yet."""


@dataclass(frozen=True)
class Finding:
    """What a scanner says: `clean`, `flagged` (with the name it gives), `none` (nobody scans here) or `unscanned`.

    `unscanned` is final for this file and says why, for example that it is bigger than the scanner takes.
    """

    scan: str
    says: str = ""


class Scanner(Protocol):
    """Looks at bytes and says what it thinks of them; changes nothing."""

    @property
    def name(self) -> str:
        """The product and the edition of what it knows; "" when no scanner is configured."""
        ...

    def scan(self, stream: BinaryIO) -> Finding:
        """Read a stream to its end and return what is found; ScannerDown when the scanner does not answer."""
        ...


def scanner() -> Scanner:
    """Return the scanner that the settings name."""
    return cast(Scanner, load("scanner"))
