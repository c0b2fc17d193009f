"""The witness socket: have an independent party cosign the log's checkpoints (C2SP tlog-witness).

Settings: `PLUGS = {"witness": {NAME: {"BACKEND": "counterfoil.adapters.witness_http.HttpWitness", "OPERATOR": "…",
"OPTIONS": {…}}}}`. Each witness has a name and an operator; several of one operator count once.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from counterfoil.engines.errors import Corrupt, NotAllowed
from counterfoil.engines.tlog import CosignVerifier, add_signatures, open_note, parse_checkpoint, split_note
from counterfoil.plugs.keys import keys, verifiers
from counterfoil.plugs.load import load, named

Consistency = Callable[[int, int], Sequence[bytes]]
Exchange = Callable[[bytes], tuple[int, bytes]]
TRIES = 3


class Witness(Protocol):
    """Cosign checkpoints, after checking that the log only ever grew."""

    @property
    def vkey(self) -> str:
        """The witness's public key, as a policy's `witness` line gives it."""
        ...

    @property
    def development(self) -> bool:
        """Say whether this is a development witness, which no verdict counts."""
        ...

    def cosign(self, checkpoint: str, consistency: Consistency) -> str:
        """Return the checkpoint note with this witness's cosignature added, checked; or raise a Refusal.

        `consistency(old, new)` gives the proof that the log of size `new` extends that of size `old`.
        """
        ...

    def latest(self, origin: str) -> str | None:
        """Return the last checkpoint that it signed for a log, or None; a Refusal if it cannot be asked."""
        ...


@dataclass(frozen=True)
class Named:
    """A witness of this installation: our short name for it, who runs it, and the way to ask it."""

    name: str
    operator: str
    witness: Witness


def witnesses() -> list[Named]:
    """Return the witnesses that the settings name; a local one is told this installation's log keys."""
    keys()
    logs = [v.vkey for v in verifiers("log")]
    return [
        Named(name, str(entry.get("OPERATOR") or name), load("witness", name, logs=logs))
        for name, entry in named("witness").items()
    ]


def ask(checkpoint: str, consistency: Consistency, vkey: str, exchange: Exchange, *, known: int = 0) -> str:
    """Ask a witness for its cosignature by the add-checkpoint protocol, and check the answer before returning it.

    `exchange` sends a request body and returns (HTTP status, answer body). `known` is the size the witness is thought
    to have; it may correct us, but only a few times, so that a slippery witness cannot keep us busy.
    """
    text, _ = split_note(checkpoint)
    point = parse_checkpoint(text)
    old = min(known, point.size)
    for _ in range(TRIES):
        proof = consistency(old, point.size) if 0 < old < point.size else []
        lines = [f"old {old}", *(b64encode(h).decode() for h in proof)]
        status, answer = exchange(("\n".join(lines) + "\n\n" + checkpoint).encode())
        if status == 200:
            return _with_cosignature(checkpoint, answer, vkey)
        if status != 409:
            raise NotAllowed(f"The witness did not cosign the checkpoint: {_why(status)}.")
        said, old = old, _size(answer)
        if old == said:
            raise NotAllowed(f"The witness did not cosign the checkpoint: {_why(422)}.")
        if old > point.size:
            raise Corrupt(
                f"The witness has seen {old} entries and this checkpoint has only {point.size}: an old backup was "
                "restored, or there are two logs. Nothing more is signed until this is explained."
            )
    raise NotAllowed("The witness keeps changing its mind about how long the log was.")


def _why(status: int) -> str:
    return {
        400: "it could not read the request",
        403: "it does not accept the log's signature",
        404: "it does not know this log",
        422: "it finds that the log did not only grow",
    }.get(status, f"it answered with status {status}")


def _size(answer: bytes) -> int:
    text = answer[:32].decode("ascii", "replace").removesuffix("\n")
    if not text.isdecimal() or (text != "0" and text.startswith("0")) or len(text) > 19:
        raise NotAllowed("The witness answered with a size that is not a number.")
    return int(text)


def _with_cosignature(checkpoint: str, answer: bytes, vkey: str) -> str:
    if len(answer) > 1 << 16:
        raise Corrupt("The witness's answer is longer than a cosignature may be.")
    try:
        lines = answer.decode()
    except UnicodeDecodeError:
        raise Corrupt("The witness's answer is not text.") from None
    key = CosignVerifier.from_vkey(vkey)
    mine = [line for line in lines.splitlines() if line.startswith(f"— {key.name} ")]
    if not mine:
        raise Corrupt(f"The witness did not sign with the key of {key.name}.")
    note = add_signatures(checkpoint, mine)
    open_note(note, [key])
    return note
