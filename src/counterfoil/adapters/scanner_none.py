"""Scanner for an installation without one: it says so, for every file."""

from typing import BinaryIO

from counterfoil.plugs.scanner import Finding


class NoScanner:
    """Scans nothing and never says that a file is clean."""

    name = ""

    def scan(self, stream: BinaryIO) -> Finding:
        """Return that nobody scans here."""
        return Finding("none", "no scanner is configured")
