"""Write and read checkpoints: what a log signs to say how long it is and what its root is.

>>> text = checkpoint_text("counterfoil.example/log", 0, EMPTY_ROOT)
>>> print(text, end="")
counterfoil.example/log
0
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
>>> parse_checkpoint(text).size
0
"""

from dataclasses import dataclass

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog.hashing import EMPTY_ROOT
from counterfoil.engines.tlog.text import MAX_SIZE, base64_text, decimal, hash_bytes, utf8


@dataclass(frozen=True)
class Checkpoint:
    """A log's name, its size in entries and its root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64_text(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Write the text of a checkpoint: origin, size, base64 root hash, each on its line."""
    if not origin or any(c < " " for c in origin):
        raise BadInput("origin", "A log's origin must be one line of text.")
    if not 0 <= size <= MAX_SIZE or len(root) != 32 or (size == 0 and root != EMPTY_ROOT):
        raise BadInput("size", "This size and root hash do not make a checkpoint.")
    return Checkpoint(origin, size, root).text


def parse_checkpoint(text: str | bytes) -> Checkpoint:
    """Read the text of a checkpoint (not its signatures); Corrupt for anything else."""
    text = utf8(text, "checkpoint")
    if not text.endswith("\n"):
        raise Corrupt("The checkpoint is cut short.")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise Corrupt("A checkpoint has an origin, a size and a root hash, each on its line.")
    size, root = decimal(lines[1], "tree size"), hash_bytes(lines[2], "root hash")
    if size == 0 and root != EMPTY_ROOT:
        raise Corrupt("The root hash is not that of an empty log.")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))
