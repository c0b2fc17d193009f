"""Sign notes and check them: the C2SP signed-note format, and witness cosignatures (cosignature/v1).

>>> key = Signer.from_seed("counterfoil.example/log", bytes(32))
>>> note = sign_note("We received 2 files.\\n", [key])
>>> open_note(note, [Verifier.from_vkey(key.vkey)]).text
'We received 2 files.\\n'
>>> open_note(note.replace("2 files", "1 file"), [key.verifier])
Traceback (most recent call last):
    ...
counterfoil.engines.errors.Corrupt: The signature of counterfoil.example/log does not fit this note.
"""

import secrets
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog.text import base64_bytes, base64_text, hex_bytes, utf8

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
MAX_SIGNATURES = 100
MAX_NOTE = 1 << 20
_PRIVATE = "PRIVATE+KEY+"


def _good_name(name: str) -> bool:
    """Say whether a key may be called this: not empty, no space, plus sign or control character."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return bool(name) and not any(c.isspace() or c == "+" or c < " " for c in name)


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode("utf-8") + b"\n" + bytes([kind]) + public).digest()[:4]


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


class AnyVerifier(Protocol):
    """Check one key's signatures."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def check(self, text: str, signature: bytes) -> bool: ...


class AnySigner(Protocol):
    """Make one signature line over a note's text."""

    def sign(self, text: str) -> str: ...


def _read_vkey(vkey: str, kind: int) -> tuple[str, bytes]:
    name, _, rest = vkey.partition("+")
    hexed, plus, coded = rest.partition("+")
    if not _good_name(name) or not plus:
        raise Corrupt("A verifier key is written name+id+key, without spaces.")
    key_id = hex_bytes(hexed, 4, "verifier key's id")
    data = base64_bytes(coded, "verifier key")
    if len(data) != 33 or data[0] != kind:
        wanted = "an Ed25519 log key" if kind == ED25519 else "an Ed25519 witness key (cosignature/v1)"
        raise Corrupt(f"The key of {name} is not {wanted}.")
    if _key_id(name, kind, data[1:]) != key_id:
        raise Corrupt(f"The key of {name} does not fit its own id.")
    return name, data[1:]


@dataclass(frozen=True)
class Verifier:
    """Check Ed25519 signatures by one named key (signature type 0x01)."""

    name: str
    public: bytes
    kind: int = field(default=ED25519, init=False)

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read `name+hex(id)+base64(type ‖ public key)`; Corrupt for anything else."""
        return cls(*_read_vkey(vkey, ED25519))

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return _key_id(self.name, self.kind, self.public)

    @property
    def vkey(self) -> str:
        """The key's public text, `name+hex(id)+base64(type ‖ public key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64_text(bytes([self.kind]) + self.public)}"

    def check(self, text: str, signature: bytes) -> bool:
        """Say whether these bytes are this key's signature of the text."""
        return _holds(self.public, signature, text.encode("utf-8"))


@dataclass(frozen=True)
class CosignVerifier:
    """Check a witness's timestamped cosignatures (signature type 0x04)."""

    name: str
    public: bytes
    kind: int = field(default=COSIGNATURE_V1, init=False)

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read a witness's `name+hex(id)+base64(0x04 ‖ public key)`; Corrupt for anything else."""
        return cls(*_read_vkey(vkey, COSIGNATURE_V1))

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return _key_id(self.name, self.kind, self.public)

    @property
    def vkey(self) -> str:
        """The key's public text."""
        return f"{self.name}+{self.key_id.hex()}+{base64_text(bytes([self.kind]) + self.public)}"

    @staticmethod
    def time(signature: bytes) -> int:
        """Return when the witness says it cosigned, in seconds since 1970; the signature covers it."""
        if len(signature) != 72:
            raise Corrupt("A cosignature has 72 bytes.")
        return int(struct.unpack(">Q", signature[:8])[0])

    def check(self, text: str, signature: bytes) -> bool:
        """Say whether these bytes are this witness's cosignature of the checkpoint text."""
        if len(signature) != 72 or (time := self.time(signature)) >= 2**63:
            return False
        return _holds(self.public, signature[8:], _cosigned(text, time))


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    if len(signature) != 64:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, repr=False)
class _Key:
    name: str
    seed: bytes

    def __post_init__(self) -> None:
        if not _good_name(self.name):
            raise BadInput("name", "A key's name must not be empty or hold a space or a plus sign.")
        if len(self.seed) != 32:
            raise BadInput("key", "An Ed25519 private key has 32 bytes.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a new key of this name."""
        return cls(name, secrets.token_bytes(32))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Make the key that these 32 bytes give."""
        return cls(name, seed)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        return self._private.public_key().public_bytes_raw()

    @classmethod
    def _read(cls, text: str, kind: int) -> Self:
        if not text.startswith(_PRIVATE):
            raise Corrupt("A private key starts with PRIVATE+KEY.")
        name, _, rest = text.removeprefix(_PRIVATE).rstrip("\n").partition("+")
        hexed, _, coded = rest.partition("+")
        data = base64_bytes(coded, "private key")
        if not _good_name(name) or len(data) != 33 or data[0] != kind:
            raise Corrupt("This is not a private key of the kind asked for.")
        key = cls(name, data[1:])
        if hex_bytes(hexed, 4, "private key's id") != _key_id(name, kind, key.public):
            raise Corrupt(f"The private key of {name} does not fit its own id.")
        return key

    def _write(self, kind: int) -> str:
        key_id = _key_id(self.name, kind, self.public)
        return f"{_PRIVATE}{self.name}+{key_id.hex()}+{base64_text(bytes([kind]) + self.seed)}"


class Signer(_Key):
    """Sign notes with a named Ed25519 key (signature type 0x01)."""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read `PRIVATE+KEY+name+hex(id)+base64(type ‖ seed)`; Corrupt for anything else."""
        return cls._read(text, ED25519)

    def to_text(self) -> str:
        """Write the private key as `PRIVATE+KEY+name+hex(id)+base64(type ‖ seed)`."""
        return self._write(ED25519)

    @property
    def skey(self) -> str:
        """The private key's text; the same as `to_text()`."""
        return self.to_text()

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.public)

    @property
    def vkey(self) -> str:
        """The public half as text."""
        return self.verifier.vkey

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return self.verifier.key_id

    def sign(self, text: str) -> str:
        """Return the signature line over a note's text, with its newline."""
        _check_text(text)
        return _line(self.name, self.key_id, self._private.sign(text.encode("utf-8")))


class CosignSigner(_Key):
    """Cosign checkpoints as a witness (signature type 0x04)."""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a witness's private key as `to_text` wrote it; Corrupt for anything else."""
        return cls._read(text, COSIGNATURE_V1)

    def to_text(self) -> str:
        """Write the private key as `PRIVATE+KEY+name+hex(id)+base64(0x04 ‖ seed)`."""
        return self._write(COSIGNATURE_V1)

    @property
    def verifier(self) -> CosignVerifier:
        """The public half."""
        return CosignVerifier(self.name, self.public)

    @property
    def vkey(self) -> str:
        """The public half as text."""
        return self.verifier.vkey

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return self.verifier.key_id

    def cosign(self, text: str, time: int) -> str:
        """Return the cosignature line over a checkpoint's text at `time`, in seconds since 1970."""
        from counterfoil.engines.tlog.checkpoint import parse_checkpoint

        parse_checkpoint(text)
        if not 0 <= time < 2**63:
            raise BadInput("time", "A cosignature's time must be a number of seconds since 1970.")
        signature = struct.pack(">Q", time) + self._private.sign(_cosigned(text, time))
        return _line(self.name, self.key_id, signature)

    def at(self, time: int) -> "_CosignNow":
        """Return a signer for `sign_note` that cosigns at this time, in seconds since 1970."""
        return _CosignNow(self, time)


@dataclass(frozen=True)
class _CosignNow:
    signer: CosignSigner
    time: int

    def sign(self, text: str) -> str:
        return self.signer.cosign(text, self.time)


def _line(name: str, key_id: bytes, signature: bytes) -> str:
    return f"— {name} {base64_text(key_id + signature)}\n"


def _check_text(text: str) -> None:
    utf8(text, "note")
    if not text.endswith("\n"):
        raise BadInput("text", "The text of a note must end with a new line.")


@dataclass(frozen=True)
class Signature:
    """One signature line as read: who, which key, the raw bytes."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, with its newline."""
        return _line(self.name, self.key_id, self.signature)


@dataclass(frozen=True)
class OpenedNote:
    """A note whose known signatures all hold; `verified` and `unknown` are key names in the order of lines."""

    text: str
    signatures: tuple[Signature, ...]
    verified_by: tuple[AnyVerifier, ...]
    unknown: tuple[str, ...]

    @property
    def verified(self) -> tuple[str, ...]:
        """Names of the keys whose signatures were checked and hold."""
        return tuple(verifier.name for verifier in self.verified_by)

    @property
    def cosigned_at(self) -> dict[str, int]:
        """When each verified witness cosigned, by key name, in seconds since 1970."""
        ids = {(v.name, v.key_id) for v in self.verified_by if isinstance(v, CosignVerifier)}
        return {
            s.name: CosignVerifier.time(s.signature) for s in self.signatures if (s.name, s.key_id) in ids
        }


def split_note(note: str | bytes) -> tuple[str, tuple[Signature, ...]]:
    """Split a signed note into its text and its signature lines, checking form only; raises Corrupt."""
    if len(note) > MAX_NOTE:
        raise Corrupt("The note is longer than a note may be.")
    note = utf8(note, "note")
    head, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise Corrupt("The note has no signatures.")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Corrupt(f"The note has more than {MAX_SIGNATURES} signatures.")
    signatures = []
    for line in lines:
        name, space, coded = line.removeprefix("— ").partition(" ")
        if not line.startswith("— ") or not space or not _good_name(name):
            raise Corrupt("A signature line of the note is malformed.")
        data = base64_bytes(coded, f"signature of {name}")
        if len(data) < 5:
            raise Corrupt(f"The signature of {name} is too short.")
        signatures.append(Signature(name, data[:4], data[4:]))
    if len({(s.name, s.key_id) for s in signatures}) != len(signatures):
        raise Corrupt("The note carries two signatures by one key.")
    return head + "\n", tuple(signatures)


def sign_note(text: str, signers: Iterable[AnySigner]) -> str:
    """Sign a text (which ends with a new line) with each signer, in order, and return the note."""
    _check_text(text)
    lines = [signer.sign(text) for signer in signers]
    if not lines:
        raise BadInput("signers", "A note needs at least one signature.")
    note = text + "\n" + "".join(lines)
    if split_note(note)[0] != text:
        raise BadInput("text", "This text cannot be told apart from its signatures.")
    return note


def add_signatures(note: str, lines: Iterable[str]) -> str:
    """Return the note with more signature lines; a line that is already there is not added again."""
    text, signatures = split_note(note)
    have = [signature.line for signature in signatures]
    for line in lines:
        whole = line if line.endswith("\n") else line + "\n"
        if whole not in have:
            have.append(whole)
    result = text + "\n" + "".join(have)
    if split_note(result)[0] != text:
        raise Corrupt("A signature line of the note is malformed.")
    return result


def open_note(note: str | bytes, verifiers: Sequence[AnyVerifier]) -> OpenedNote:
    """Check a note against known keys and return it; raises Corrupt.

    Signatures by unknown keys are named in `unknown` and otherwise ignored. If a known key's signature fails,
    or no known key signed, the note is refused (C2SP signed-note).
    """
    text, signatures = split_note(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified, unknown = [], []
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            unknown.append(signature.name)
        elif verifier.check(text, signature.signature):
            verified.append(verifier)
        else:
            raise Corrupt(f"The signature of {signature.name} does not fit this note.")
    if not verified:
        raise Corrupt("No key that we know has signed this note.")
    return OpenedNote(text, signatures, tuple(verified), tuple(unknown))
