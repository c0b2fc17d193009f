"""Socket `hashlist`: ask whether a file is on a list of known images. Adapters: none, and a file of digests.

A force that holds such a list keeps it itself; this project has none and its tests use made-up digests only.
"""

from typing import Protocol, cast

from counterfoil.plugs.load import load


class HashList(Protocol):
    """A list of digests of files that only an examiner may look at."""

    @property
    def edition(self) -> str:
        """A token that changes whenever the list does; "" when no list is configured."""
        ...

    def find(self, sha256: str, md5: str) -> str:
        """Return the list's word for a file (at most 80 letters) when it is on the list, else ""."""
        ...


def hashlist() -> HashList:
    """Return the hash list that the settings name."""
    return cast(HashList, load("hashlist"))
