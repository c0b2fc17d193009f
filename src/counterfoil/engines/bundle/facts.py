"""What a bundle is made from: plain values, gathered by the courts app and handed over here."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO


@dataclass(frozen=True)
class EventFacts:
    """One entry of the log: its index, its 32-byte salt and its body (identifiers, digests and times only).

    An erased entry has neither salt nor body: it gives its `commitment`, and in `erased_by` the index of the
    `exhibit.erased` entry, which must be among the bundle's events and whose body must name this index in `entries`.
    """

    index: int
    salt: bytes = b""
    body: Mapping[str, Any] = field(default_factory=dict)
    commitment: bytes = b""
    erased_by: int | None = None


@dataclass(frozen=True)
class RecordedFacts:
    """When a recording was made, in its separate parts: nothing here is computed by the bundle.

    `device_time`: what the device showed at the first frame, as text without a zone. `offset_ms`: how far the device
    was ahead of true time, as measured by `measured_by` at `measured_at`. `corrected_time`: the start, corrected.
    """

    device_time: str = ""
    offset_ms: int | None = None
    measured_by: str = ""
    measured_at: dt.datetime | None = None
    corrected_time: dt.datetime | None = None


@dataclass(frozen=True)
class WorkingFacts:
    """A working copy of an exhibit (proxy, poster, …): not an exhibit itself, and made from it by `recipe`."""

    kind: str
    sha256: str
    size: int
    media_type: str
    open: Callable[[], BinaryIO]
    recipe: Mapping[str, Any]


@dataclass(frozen=True)
class ScheduleItem:
    """One line of a schedule. `exhibit` and `sha256` name the thing where it has a reference and a digest.

    `reason` (why sensitive) is for MG6D only; `decision` is the prosecutor's: "", "D", "ND" or "Inspect".
    """

    number: int
    description: str
    location: str = ""
    exhibit: str = ""
    sha256: str = ""
    reason: str = ""
    decision: str = ""
    comment: str = ""


@dataclass(frozen=True)
class ScheduleFacts:
    """One issue of a schedule: `form` MG6C, MG6D or MG12, `number` of the issue from 1, its items and who signed it.

    An issue is the whole schedule as signed, and the newest counts. An item keeps its number in every issue, new ones
    go on: over all issues the numbers are 1, 2, 3 … without a gap. A schedule without items is endorsed nil.
    MG6D goes into a prosecutor's bundle only.
    """

    form: str
    number: int
    items: Sequence[ScheduleItem]
    signed_by: str
    signed_at: dt.datetime
    endorsed_nil: bool = False


@dataclass(frozen=True)
class ExhibitFacts:
    """One exhibit: `label` like AB/1, lower-case SHA-256, size in bytes, and a way to read its bytes.

    `events` is its whole custody in log order; the first event whose body holds the file's digest under the key
    `sha256` is the one proved in `proofs/<LABEL>.tlog-proof`.

    A derived exhibit gives its `parent`'s label and its `recipe`, whose `input_sha256` is the parent's digest; the
    parent is another exhibit of the bundle or an item of its schedules. Its `exhibit.derived` entry holds
    `recipe_sha256`, the SHA-256 of the recipe as canonical JSON. A `restricted` exhibit is listed, never copied.
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
    recorded: RecordedFacts | None = None
    note: str = ""
    parent: str | None = None
    recipe: Mapping[str, Any] | None = None
    restricted: bool = False
    working: Sequence[WorkingFacts] = ()


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
    audience: str = "defence"
    schedules: Sequence[ScheduleFacts] = ()


@dataclass(frozen=True)
class StampFacts:
    """One authority's timestamp over the checkpoint's bytes: its short `name`, the whole reply, certificates, CRLs.

    `renewals` are later replies, each over the bytes of the reply before it (the first over `tsr`); certificates and
    lists that they need are among `chain` and `crls`.
    """

    name: str
    tsr: bytes
    chain: Sequence[str]
    crls: Sequence[str] = ()
    renewals: Sequence[bytes] = ()


@dataclass(frozen=True)
class LogFacts:
    """What the log said after the `bundle.sealed` entry: one checkpoint, its timestamps, a proof for every index.

    `sealed` is that entry; its body holds `payload_sha256`. `checkpoint` is the cosigned note exactly as stamped, and
    `tsrs` what one or more authorities stamped it with. `consistency` shows, for sizes published earlier, that the log
    only grew since (RFC 9162 consistency proofs from that size to the checkpoint's).
    """

    checkpoint: str
    sealed: EventFacts
    proofs: Mapping[int, Sequence[bytes]]
    tsrs: Sequence[StampFacts]
    consistency: Mapping[int, Sequence[bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """One file of the payload: its path under the top folder, size, SHA-256, and a way to read it."""

    path: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO] = field(repr=False)
