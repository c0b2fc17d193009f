"""A witness for development, on this machine: the whole protocol, but DEVELOPMENT in its name, so it never counts.

It remembers the last checkpoint of every log durably before it answers, so that two requests cannot roll it back.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from counterfoil.engines.bundle.identity import write_private
from counterfoil.engines.errors import Corrupt, Refusal
from counterfoil.engines.tlog import (
    CosignSigner,
    Verifier,
    check_consistency,
    open_note,
    parse_checkpoint,
    split_note,
)
from counterfoil.engines.tlog.text import decimal, hash_bytes
from counterfoil.plugs.witness import Consistency, ask

NAME = "counterfoil.example/DEVELOPMENT-witness"


class LocalWitness:
    """Witness with its key (0600) and memory in `folder`, for the logs whose verifier keys are in `logs`."""

    development = True

    def __init__(self, folder: str | Path, logs: Sequence[str] = (), name: str = NAME) -> None:
        """Open the witness in `folder`, making its key on first use; two processes make only one."""
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._logs = {v.name: v for v in map(Verifier.from_vkey, logs)}
        path = self._folder / "witness.key"
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                write_private(path, (CosignSigner.generate(name).to_text() + "\n").encode())
        self._signer = CosignSigner.from_text(path.read_text().strip())

    @property
    def vkey(self) -> str:
        """Return the witness's public key."""
        return self._signer.vkey

    def cosign(self, checkpoint: str, consistency: Consistency) -> str:
        """Return the checkpoint note with this witness's cosignature added."""
        origin = parse_checkpoint(split_note(checkpoint)[0]).origin
        latest = self.latest(sha256(origin.encode()).hexdigest())
        known = parse_checkpoint(split_note(latest)[0]).size if latest else 0
        return ask(
            checkpoint, consistency, self.vkey, lambda body: self.add_checkpoint(body)[::2], known=known
        )

    def latest(self, origin_sha256: str) -> str | None:
        """Return the last checkpoint cosigned for an origin (named by its SHA-256), or None."""
        if not re.fullmatch("[0-9a-f]{64}", origin_sha256):
            return None
        path = self._folder / f"{origin_sha256}.checkpoint"
        return path.read_text() if path.exists() else None

    def add_checkpoint(self, body: bytes) -> tuple[int, str, bytes]:
        """Answer one add-checkpoint request: (HTTP status, content type, body). Never raises for what was sent."""
        try:
            old, proof, note = _parse(body)
            text, _ = split_note(note)
            point = parse_checkpoint(text)
        except Refusal:
            return 400, "text/plain", b"malformed\n"
        log = self._logs.get(point.origin)
        if log is None:
            return 404, "text/plain", b"unknown origin\n"
        try:
            open_note(note, [log])
        except Corrupt:
            return 403, "text/plain", b"no valid signature of the log\n"
        if old > point.size:
            return 400, "text/plain", b"old size is larger than the checkpoint\n"
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            name = sha256(point.origin.encode()).hexdigest()
            latest = self.latest(name)
            last = parse_checkpoint(split_note(latest)[0]) if latest else None
            size = last.size if last else 0
            if old != size:
                return 409, "text/x.tlog.size", f"{size}\n".encode()
            if last and last.size == point.size:
                good = last.root == point.root and not proof
            elif last and last.size:
                good = check_consistency(last.size, point.size, last.root, point.root, proof)
            else:
                good = not proof
            if not good:
                return 422, "text/plain", b"the proof does not show that the log only grew\n"
            line = self._signer.cosign(text, int(datetime.now(UTC).timestamp()))
            self._remember(name, note)
        return 200, "text/plain", line.encode()

    def _remember(self, name: str, note: str) -> None:
        draft = self._folder / f"{name}.part"
        with draft.open("w") as f:
            f.write(note)
            f.flush()
            os.fsync(f.fileno())
        draft.rename(self._folder / f"{name}.checkpoint")
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _parse(body: bytes) -> tuple[int, list[bytes], str]:
    try:
        head, gap, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Corrupt("The request is not text.") from None
    first, *lines = head.split("\n")
    if not gap or not first.startswith("old ") or len(lines) > 63:
        raise Corrupt("The request is not an add-checkpoint request.")
    return decimal(first[4:], "old size"), [hash_bytes(line, "hash in the proof") for line in lines], note
