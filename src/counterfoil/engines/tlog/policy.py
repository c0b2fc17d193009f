"""Read whom a court trusts: the C2SP tlog-policy format, with our pins in comment lines.

>>> from counterfoil.engines.tlog.notes import CosignSigner, Signer
>>> log = Signer.from_seed("counterfoil.example/log", bytes(32))
>>> witness = CosignSigner.from_seed("witness.example/w1", bytes(31) + b"1")
>>> policy = Policy.parse(f'''
... log {log.vkey}
... witness university {witness.vkey}
... group outsiders any university
... quorum outsiders
... #counterfoil tsa-root local {"ab" * 32}
... ''')
>>> policy.satisfied({"university"}), policy.satisfied(set())
(True, False)
>>> policy.tsa_roots
(Root(name='local', sha256='abab...
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import NoReturn

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog.checkpoint import Checkpoint, parse_checkpoint
from counterfoil.engines.tlog.notes import CosignVerifier, OpenedNote, Verifier, open_note
from counterfoil.engines.tlog.text import decimal, hash_bytes, hex_bytes

MAX_POLICY = 1 << 20
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True)
class Log:
    """A log that the policy accepts; its key's name is its origin."""

    key: Verifier
    url: str | None = None


@dataclass(frozen=True)
class Witness:
    """A witness that the policy knows, by the policy's own name for it."""

    name: str
    key: CosignVerifier
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """A group that is satisfied when `needed` of its members are."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Root:
    """A root certificate pinned by the SHA-256 of its DER bytes (64 lower-case hex digits)."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Ended:
    """A key (by name and id) that counts for nothing it signed from `at` on (UTC): rotated out or revoked."""

    name: str
    key_id: bytes
    at: datetime


@dataclass(frozen=True)
class Published:
    """What a log is known to have said, from outside any bundle: its root hash at a size."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class JudgedCheckpoint:
    """A checkpoint signed by a log of the policy, and which of its witnesses cosigned."""

    checkpoint: Checkpoint
    log: Verifier
    witnesses: tuple[str, ...]
    quorum_met: bool
    note: OpenedNote


@dataclass(frozen=True)
class Policy:
    """Whom to trust: logs, witnesses, groups and the quorum, with our own pinned roots and manifest keys."""

    text: str
    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str
    tsa_roots: tuple[Root, ...] = ()
    seal_roots: tuple[Root, ...] = ()
    manifest_keys: tuple[Verifier, ...] = ()
    operators: Mapping[str, str] = field(default_factory=dict)
    ended: tuple[Ended, ...] = ()
    published: tuple[Published, ...] = ()
    tsa_tolerance: int = 300

    @classmethod
    def parse(cls, text: str | bytes) -> "Policy":
        """Read a policy; BadInput names the line that is wrong."""
        return _Reader(text).read()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the policy's exact bytes (64 hex digits), to compare with what is published elsewhere."""
        return sha256(self.text.encode("utf-8", "surrogateescape")).hexdigest()

    def satisfied(self, names: Iterable[str]) -> bool:
        """Say whether the quorum is met when these witnesses, by their names in the policy, have cosigned.

        Of witnesses that one operator runs only the first one named in the policy counts: one hand is one witness.
        """
        given, seen, met = set(names), set(), set()
        for name in (w.name for w in self.witnesses if w.name in given):
            operator = self.operators.get(name)
            if operator is None or operator not in seen:
                met.add(name)
            seen.add(operator)
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.needed:
                met.add(group.name)
        return self.quorum == "none" or self.quorum in met

    def open_checkpoint(self, note: str | bytes) -> JudgedCheckpoint:
        """Check a checkpoint's signatures by this policy; raises Corrupt.

        A log of the policy must have signed, and the origin must be that log's name. Whether the quorum of
        witnesses is met is told in the answer, not enforced.
        """
        opened = open_note(note, [*(log.key for log in self.logs), *(w.key for w in self.witnesses)])
        point = parse_checkpoint(opened.text)
        log = next(
            (v for v in opened.verified_by if isinstance(v, Verifier) and v.name == point.origin), None
        )
        if log is None:
            raise Corrupt("No log that the policy names has signed this checkpoint under its own name.")
        names = tuple(w.name for w in self.witnesses if w.key in opened.verified_by)
        return JudgedCheckpoint(point, log, names, self.satisfied(names), opened)


class _Reader:
    def __init__(self, text: str | bytes) -> None:
        if len(text) > MAX_POLICY:
            raise BadInput("policy", "The policy is longer than a policy may be.")
        self.text = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self.tsa_roots: list[Root] = []
        self.seal_roots: list[Root] = []
        self.manifest_keys: list[Verifier] = []
        self.operators: dict[str, str] = {}
        self.ended: list[Ended] = []
        self.published: list[Published] = []
        self.tolerance: int | None = None
        self.names: set[str] = set()
        self.members: set[str] = set()
        self.keys: set[bytes] = set()
        self.line = 0

    def read(self) -> Policy:
        try:
            self.text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            self.refuse("it is not text")
        if any((c < " " and c not in "\t\n") or c == "\x7f" for c in self.text):
            self.refuse("it holds a control character")
        for number, line in enumerate(self.text.split("\n"), 1):
            self.line = number
            words = [word for word in line.replace("\t", " ").split(" ") if word]
            if words and words[0] == "#counterfoil":
                self.pin(words[1:])
            elif words and not words[0].startswith("#"):
                self.statement(words)
        if self.quorum is None:
            self.refuse("it has no quorum line")
        return Policy(
            self.text,
            tuple(self.logs),
            tuple(self.witnesses),
            tuple(self.groups),
            self.quorum,
            tuple(self.tsa_roots),
            tuple(self.seal_roots),
            tuple(self.manifest_keys),
            self.operators,
            tuple(self.ended),
            tuple(self.published),
            300 if self.tolerance is None else self.tolerance,
        )

    def refuse(self, why: str) -> NoReturn:
        where = f"line {self.line}: " if self.line else ""
        raise BadInput("policy", f"The policy cannot be used; {where}{why}.")

    def need(self, ok: bool, why: str) -> None:
        if not ok:
            self.refuse(why)

    def statement(self, words: list[str]) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self.logs.append(Log(self.fresh(self.log_key(vkey)), url[0] if url else None))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self.define(name)
                try:
                    key = CosignVerifier.from_vkey(vkey)
                except Corrupt as corrupt:
                    raise BadInput(
                        "policy", f"The policy cannot be used; line {self.line}: {corrupt}"
                    ) from None
                self.need(key.public not in self.keys, "this key is already named")
                self.keys.add(key.public)
                self.witnesses.append(Witness(name, key, url[0] if url else None))
            case ["group", name, count, *members] if members:
                self.group(name, count, members)
            case ["quorum", name]:
                self.need(self.quorum is None, "there is already a quorum")
                self.need(
                    name == "none" or name in self.names, f"nothing called {_shown(name)} is defined above"
                )
                self.quorum = name
            case _:
                self.refuse("this is not a log, witness, group or quorum line")

    def group(self, name: str, count: str, members: list[str]) -> None:
        needed = {"all": len(members), "any": 1}.get(count, 0)
        if not needed and count.isascii() and count.isdigit() and len(count) < 6 and count[0] != "0":
            needed = int(count)
        self.need(1 <= needed <= len(members), f"{_shown(count)} is not a number from 1 to {len(members)}")
        for member in members:
            self.need(member in self.names, f"nothing called {_shown(member)} is defined above")
            self.need(member not in self.members, f"{_shown(member)} is already a member of a group")
            self.members.add(member)
        self.define(name)
        self.groups.append(Group(name, needed, tuple(members)))

    def pin(self, words: list[str]) -> None:
        match words:
            case ["tsa-root" | "seal-root" as kind, name, digest]:
                try:
                    hex_bytes(digest, 32, "root's SHA-256")
                except Corrupt:
                    self.refuse("the root's SHA-256 is not 64 lower-case hexadecimal digits")
                (self.tsa_roots if kind == "tsa-root" else self.seal_roots).append(Root(name, digest))
            case ["manifest-key", vkey]:
                self.manifest_keys.append(self.log_key(vkey))
            case ["operator", witness, operator]:
                known = witness in {w.name for w in self.witnesses} and witness not in self.operators
                self.need(
                    known, f"no witness called {_shown(witness)} above, or its operator is named already"
                )
                self.operators[witness] = operator
            case ["tsa-tolerance", seconds]:
                once = bool(re.fullmatch("0|[1-9][0-9]{0,5}", seconds, re.ASCII)) and self.tolerance is None
                self.need(once, "the tolerance is one whole number of seconds, given once")
                self.tolerance = int(seconds)
            case ["ended", key, at]:
                name, _, key_id = key.partition("+")
                good = re.fullmatch("[0-9a-f]{8}", key_id) and TIME.fullmatch(at)
                self.need(bool(good), "a key's end is written NAME+ID TIME, as in 2026-11-21T09:30:00Z")
                self.ended.append(Ended(name, bytes.fromhex(key_id), self.time(at)))
            case ["checkpoint", origin, size, root]:
                try:
                    self.published.append(Published(origin, decimal(size, "size"), hash_bytes(root, "root")))
                except Corrupt as corrupt:
                    self.refuse(str(corrupt))
            case _:
                self.refuse(
                    "this #counterfoil line is none of tsa-root, seal-root, manifest-key, operator, tsa-tolerance, "
                    "ended and checkpoint, or has not the right words after it"
                )

    def time(self, text: str) -> datetime:
        try:
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            self.refuse("there is no such time")

    def log_key(self, vkey: str) -> Verifier:
        try:
            return Verifier.from_vkey(vkey)
        except Corrupt as corrupt:
            raise BadInput("policy", f"The policy cannot be used; line {self.line}: {corrupt}") from None

    def fresh(self, key: Verifier) -> Verifier:
        self.need(key.public not in self.keys, "this key is already named")
        self.keys.add(key.public)
        return key

    def define(self, name: str) -> None:
        self.need(name != "none" and name not in self.names, f"the name {_shown(name)} is taken")
        self.names.add(name)


def _shown(name: str) -> str:
    return ascii(name)
