"""Hash a Merkle tree and prove what is in it, to the letter of RFC 6962 and RFC 9162.

>>> leaves = [leaf_hash(b"first"), leaf_hash(b"second"), leaf_hash(b"third")]
>>> tree = LeafTree(leaves)
>>> proof = tree.inclusion(2, 3)
>>> check_inclusion(leaves[2], 2, 3, proof, tree.root(3))
True
>>> check_inclusion(leaves[1], 2, 3, proof, tree.root(3))
False
>>> check_consistency(2, 3, tree.root(2), tree.root(3), tree.consistency(2, 3))
True
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256

from counterfoil.engines.errors import Corrupt

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry: SHA-256(0x00 ‖ entry), RFC 6962 section 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees: SHA-256(0x01 ‖ left ‖ right), RFC 6962 section 2.1."""
    return sha256(b"\x01" + left + right).digest()


def _split(n: int) -> int:
    """Return the largest power of two smaller than n (n ≥ 2)."""
    return 1 << ((n - 1).bit_length() - 1)


class ProvingTree(ABC):
    """Give roots and proofs to whoever can look up the hash of a complete subtree."""

    @abstractmethod
    def complete(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree number `index` of 2^level leaves; Corrupt if missing."""

    @abstractmethod
    def _limit(self) -> int:
        """Return how many leaves can be looked up."""

    def _span(self, low: int, high: int) -> bytes:
        """Hash the leaves low..high-1, where low starts a subtree of the RFC 6962 shape."""
        peaks = []
        while low < high:
            level = (high - low).bit_length() - 1
            peaks.append(self.complete(level, low >> level))
            low += 1 << level
        result = peaks.pop()
        while peaks:
            result = node_hash(peaks.pop(), result)
        return result

    def _need(self, ok: bool, sentence: str) -> None:
        if not ok:
            raise Corrupt(sentence)

    def root(self, size: int) -> bytes:
        """Return the root hash (32 bytes) of the first `size` leaves; Corrupt if there are fewer."""
        self._need(0 <= size <= self._limit(), f"The log holds {self._limit()} entries, not {size}.")
        return self._span(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove that leaf `index` is in the tree of `size` leaves: sibling hashes, lowest first (RFC 6962 2.1.1)."""
        self._need(0 <= size <= self._limit(), f"The log holds {self._limit()} entries, not {size}.")
        self._need(0 <= index < size, f"There is no entry {index} in a log of {size} entries.")
        path: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._span(middle, high))
                high = middle
            else:
                path.append(self._span(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the tree of `old` leaves is the start of the tree of `new` leaves (RFC 6962 2.1.2).

        The proof is empty for old = 0 and for old = new.
        """
        self._need(0 <= new <= self._limit(), f"The log holds {self._limit()} entries, not {new}.")
        self._need(0 <= old <= new, f"A log of {old} entries cannot be the start of one of {new}.")
        if old in (0, new):
            return []
        path: list[bytes] = []
        low, high = 0, new
        while high != old:
            middle = low + _split(high - low)
            if old <= middle:
                path.append(self._span(middle, high))
                high = middle
            else:
                path.append(self._span(low, middle))
                low = middle
        if low:
            path.append(self._span(low, high))
        return path[::-1]


class LeafTree(ProvingTree):
    """Prove over a sequence of leaf hashes held in memory; interior hashes are kept once computed."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves
        self._known: dict[tuple[int, int], bytes] = {}

    def _limit(self) -> int:
        return len(self._leaves)

    def complete(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree number `index` of 2^level leaves."""
        if not level:
            return self._leaves[index]
        known = self._known.get((level, index))
        if known is None:
            known = node_hash(self.complete(level - 1, 2 * index), self.complete(level - 1, 2 * index + 1))
            self._known[level, index] = known
        return known


def prove_inclusion(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree of the first `size` leaf hashes."""
    return LeafTree(leaves).inclusion(index, size)


def prove_consistency(leaves: Sequence[bytes], old: int, new: int) -> list[bytes]:
    """Prove that the first `old` leaf hashes are the start of the tree of the first `new`."""
    return LeafTree(leaves).consistency(old, new)


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether the proof leads from this leaf hash at this index to this root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != 32 or any(len(h) != 32 for h in proof):
        return False
    place, last, result = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return False
        if place & 1 or place == last:
            result = node_hash(sibling, result)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and result == root


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows the old tree to be the start of the new one (RFC 9162 2.1.4.2)."""
    if not 0 <= old <= new or any(len(h) != 32 for h in proof):
        return False
    if old == new:
        return not proof and old_root == new_root and (old > 0 or old_root == EMPTY_ROOT)
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if not old & (old - 1):
        path.insert(0, old_root)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
