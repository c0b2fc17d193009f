"""Write and read `.tlog-proof` files: one entry's inclusion in a log, checkable without a network.

>>> from counterfoil.engines.tlog.checkpoint import checkpoint_text
>>> from counterfoil.engines.tlog.hashing import leaf_hash
>>> from counterfoil.engines.tlog.notes import Signer, sign_note
>>> leaf = leaf_hash(b"an entry")
>>> log = Signer.from_seed("counterfoil.example/log", bytes(32))
>>> text = tlog_proof(0, [], sign_note(checkpoint_text(log.name, 1, leaf), [log]))
>>> text.splitlines()[:2]
['c2sp.org/tlog-proof@v1', 'index 0']
>>> parse_tlog_proof(text).index
0
"""

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog.checkpoint import parse_checkpoint
from counterfoil.engines.tlog.hashing import check_inclusion
from counterfoil.engines.tlog.notes import MAX_NOTE, split_note
from counterfoil.engines.tlog.text import MAX_SIZE, base64_bytes, base64_text, decimal, hash_bytes, utf8

HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class TlogProof:
    """An entry's index, its inclusion proof, the signed checkpoint as text, and opaque extra data."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def leads_to_root(self, leaf: bytes) -> bool:
        """Say whether the proof leads from this leaf hash to the checkpoint's root; no signature is checked."""
        point = parse_checkpoint(split_note(self.checkpoint)[0])
        return check_inclusion(leaf, self.index, point.size, self.proof, point.root)


def tlog_proof(index: int, proof: Sequence[bytes], checkpoint_note: str, extra: bytes | None = None) -> str:
    """Write a tlog-proof: header, extra data if any, index, hashes, blank line, the signed checkpoint."""
    if not 0 <= index <= MAX_SIZE or any(len(h) != 32 for h in proof):
        raise BadInput("proof", "This index and proof cannot be written as a tlog-proof.")
    head = [HEADER]
    if extra is not None:
        head.append(f"extra {base64_text(extra)}")
    head.append(f"index {index}")
    text = "\n".join([*head, *map(base64_text, proof)]) + "\n\n" + checkpoint_note
    parse_tlog_proof(text)
    return text


def parse_tlog_proof(text: str | bytes) -> TlogProof:
    """Read a tlog-proof, checking its form but no hash or signature; Corrupt for anything else."""
    if len(text) > 2 * MAX_NOTE:
        raise Corrupt("The proof is longer than a proof may be.")
    text = utf8(text, "proof")
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER:
        raise Corrupt("This is not a c2sp.org/tlog-proof@v1 file.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = base64_bytes(lines.pop(0).removeprefix("extra "), "extra data")
    if not lines or not lines[0].startswith("index "):
        raise Corrupt("The proof does not say which entry it proves.")
    index = decimal(lines.pop(0).removeprefix("index "), "index")
    if len(lines) > 63:
        raise Corrupt("The proof has more hashes than any log needs.")
    proof = tuple(hash_bytes(line, "hash in the proof") for line in lines)
    point = parse_checkpoint(split_note(note)[0])
    if index >= point.size:
        raise Corrupt(f"There is no entry {index} in a log of {point.size} entries.")
    return TlogProof(index, proof, note, extra)
