"""Hash list kept in a file: one digest a line, SHA-256 or MD5 in hex, and after a space the list's own word for it.

Lines that begin with `#` are remarks. The file is read again when it changes; its edition is the SHA-256 of the file.
A line that is no digest is refused with its number: a list that is half read would be a false safety.
"""

import hashlib
import re
from pathlib import Path

from counterfoil.engines.errors import BadInput

_DIGEST = re.compile(r"([0-9a-f]{64}|[0-9a-f]{32})(?:[\s,]+(.*))?", re.ASCII | re.IGNORECASE)


class FileList:
    """The digests of one file, held in memory as bytes."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read: tuple[int, int] | None = None
        self._words: dict[bytes, str] = {}
        self._edition = ""

    @property
    def edition(self) -> str:
        """SHA-256 of the file as it is now; BadInput when it cannot be read or a line of it is no digest."""
        self._load()
        return self._edition

    def find(self, sha256: str, md5: str) -> str:
        """Return the list's word for a file, or `listed` where it gives none; "" when the file is not listed."""
        self._load()
        for digest in (sha256, md5):
            if digest and bytes.fromhex(digest) in self._words:
                return self._words[bytes.fromhex(digest)] or "listed"
        return ""

    def _load(self) -> None:
        try:
            facts = self._path.stat()
            if self._read == (facts.st_mtime_ns, facts.st_size):
                return
            raw = self._path.read_bytes()
        except OSError as error:
            raise BadInput(
                "hashlist", f"The hash list {self._path} cannot be read: {error.strerror}."
            ) from error
        words: dict[bytes, str] = {}
        for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), start=1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            found = _DIGEST.fullmatch(line)
            if found is None:
                raise BadInput(
                    "hashlist", f"Line {number} of the hash list {self._path} is not a SHA-256 or MD5."
                )
            word = re.sub(r"[^A-Za-z0-9_.:/+=-]+", "-", found[2] or "").strip("-")[:80]
            words[bytes.fromhex(found[1])] = word
        self._words, self._edition = words, hashlib.sha256(raw).hexdigest()
        self._read = (facts.st_mtime_ns, facts.st_size)
