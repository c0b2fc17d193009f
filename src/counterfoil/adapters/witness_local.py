"""A witness for development, on this machine: the whole protocol, but DEVELOPMENT in its name, so it never counts."""

import fcntl
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from counterfoil.engines.disk import place
from counterfoil.engines.tlog import CosignSigner, parse_checkpoint, split_note
from counterfoil.engines.witness import Answer, WitnessBook
from counterfoil.plugs.witness import Consistency, ask

NAME = "counterfoil.example/DEVELOPMENT-witness"


class LocalWitness:
    """Witness with its key (0600) and memory in `folder`, for the logs whose verifier keys are in `logs`."""

    development = True

    def __init__(self, folder: str | Path, logs: Sequence[str] = (), name: str = NAME) -> None:
        """Open the witness in `folder`, making its key on first use; two processes make only one."""
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = where / "witness.key"
        with (where / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                place(path, (CosignSigner.generate(name).to_text() + "\n").encode())
        self.book = WitnessBook(where, CosignSigner.from_text(path.read_text().strip()), lambda: logs)

    @property
    def vkey(self) -> str:
        """Return the witness's public key."""
        return self.book.signer.vkey

    def cosign(self, checkpoint: str, consistency: Consistency) -> str:
        """Return the checkpoint note with this witness's cosignature added."""
        known = self.book.size(parse_checkpoint(split_note(checkpoint)[0]).origin)
        return ask(
            checkpoint, consistency, self.vkey, lambda body: self.add_checkpoint(body)[::2], known=known
        )

    def latest(self, origin: str) -> str | None:
        """Return the last checkpoint that this witness signed for a log, or None."""
        return self.book.latest(sha256(origin.encode()).hexdigest())

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one add-checkpoint request: (HTTP status, content type, body)."""
        return self.book.add_checkpoint(body, now=int(datetime.now(UTC).timestamp()))
