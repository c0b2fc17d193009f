"""Keep only the right edge of a tree: enough to append to it and to know its root.

>>> edge = Frontier.empty().append_all([leaf_hash(b"first"), leaf_hash(b"second"), leaf_hash(b"third")])
>>> edge.size, len(edge.peaks)
(3, 2)
>>> Frontier.from_text(edge.to_text()) == edge
True
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tlog.hashing import EMPTY_ROOT, leaf_hash, node_hash
from counterfoil.engines.tlog.text import base64_text, decimal, hash_bytes

__all__ = ["Frontier", "leaf_hash"]


@dataclass(frozen=True)
class Frontier:
    """Hold a tree's size and the roots of its complete subtrees, largest (leftmost) first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @classmethod
    def empty(cls) -> Self:
        """Return the edge of a tree with no leaves."""
        return cls()

    def append_all(self, leaves: Iterable[bytes]) -> "Frontier":
        """Return the edge after these leaf hashes (32 bytes each); this one stays as it was."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            if len(leaf) != 32:
                raise Corrupt("A leaf hash must have 32 bytes.")
            size += 1
            carry, peak = size, leaf
            while not carry & 1:
                peak = node_hash(peaks.pop(), peak)
                carry >>= 1
            peaks.append(peak)
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """Return the root hash (32 bytes); the empty tree's is SHA-256 of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        result = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            result = node_hash(peak, result)
        return result

    def to_text(self) -> str:
        """Write the size, then each peak in base64, one to a line."""
        return "".join(f"{line}\n" for line in (self.size, *map(base64_text, self.peaks)))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote; Corrupt for anything else."""
        if not text.endswith("\n"):
            raise Corrupt("The log's edge is cut short.")
        first, *rest = text[:-1].split("\n")
        size = decimal(first, "size of the log's edge")
        if len(rest) != size.bit_count():
            raise Corrupt(
                f"The edge of a log of {size} entries has {size.bit_count()} hashes, not {len(rest)}."
            )
        return cls(size, tuple(hash_bytes(line, "hash on the log's edge") for line in rest))
