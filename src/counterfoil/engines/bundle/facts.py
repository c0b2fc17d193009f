"""What a bundle is made from: plain values, gathered by the courts app and handed over here."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO


@dataclass(frozen=True)
class EventFacts:
    """One entry of the log: its index, its 32-byte salt and its body (identifiers, digests and times only)."""

    index: int
    salt: bytes
    body: Mapping[str, Any]


@dataclass(frozen=True)
class ExhibitFacts:
    """One exhibit: `label` like AB/1, lower-case SHA-256, size in bytes, and a way to read its bytes.

    `events` is its whole custody in log order; the first event whose body holds the file's digest under the key
    `sha256` is the one proved in `proofs/<LABEL>.tlog-proof`.
    """

    label: str
    title: str
    sha256: str
    size: int
    media_type: str
    original_name: str
    produced_by: str
    open: Callable[[], BinaryIO]
    events: Sequence[EventFacts]
    duration_ms: int | None = None
    recorded: str = ""
    note: str = ""


@dataclass(frozen=True)
class DefendantFacts:
    """A defendant as named in the file, with the records system's reference if there is one."""

    name: str
    reference: str = ""


@dataclass(frozen=True)
class ChargeFacts:
    """One charge: who, the offence code, its wording, and who decided it when."""

    defendant: str
    offence_code: str
    wording: str
    decided_by: str
    decided_at: dt.datetime
    statute: str = ""
    rationale: str = ""


@dataclass(frozen=True)
class StatementFacts:
    """The front of a witness statement (never the back: address, contacts and dates to avoid stay out).

    `age` is given only for a witness under 18. `text` is what was signed, word for word.
    """

    witness: str
    text: str
    declaration: str
    signed_by: str
    signed_at: dt.datetime
    taken_by: str = ""
    age: int | None = None
    read_over_by: str = ""
    reference: str = ""


@dataclass(frozen=True)
class OutcomeFacts:
    """How the case ended: the outcome type's number and title, the reason, who decided it when."""

    number: str
    title: str
    reason: str
    decided_by: str
    decided_at: dt.datetime


@dataclass(frozen=True)
class BundleFacts:
    """Everything the report says and the data folder holds. `name` becomes the archive's one top folder."""

    name: str
    urn: str
    force: str
    built_at: dt.datetime
    case_ref: str
    defendants: Sequence[DefendantFacts]
    charges: Sequence[ChargeFacts]
    statements: Sequence[StatementFacts]
    exhibits: Sequence[ExhibitFacts]
    outcome: OutcomeFacts | None
    actors: Mapping[str, str]
    titles: Mapping[str, str]
    key_history: str
    development: bool
    summary: Sequence[str] = ()
    events: Sequence[EventFacts] = ()
    built_by: str = ""
    marking: str = "OFFICIAL"
    offence: str = ""


@dataclass(frozen=True)
class LogFacts:
    """What the log said after the `bundle.sealed` entry: one checkpoint, its timestamp, and a proof for every index.

    `sealed` is that entry; its body holds `payload_sha256`. `checkpoint` is the cosigned note exactly as stamped.
    """

    checkpoint: str
    sealed: EventFacts
    proofs: Mapping[int, Sequence[bytes]]
    tsr: bytes
    tsa_chain: Sequence[str]
    tsa_crls: Sequence[str] = ()


@dataclass(frozen=True)
class Member:
    """One file of the payload: its path under the top folder, size, SHA-256, and a way to read it."""

    path: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO] = field(repr=False)
