"""Build a bundle in two steps, because the log must hold its payload's digest before the bundle can show the proof.

`payload(facts, seal)` makes everything under data/ and says what to put in the `bundle.sealed` entry; `finish(...)`
adds the log's answer and writes the archive.
"""

import datetime as dt
import hashlib
import io
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography import x509

from counterfoil.engines.bundle import texts
from counterfoil.engines.bundle.archive import CHUNK, safe_path, write_archive
from counterfoil.engines.bundle.facts import (
    BundleFacts,
    EventFacts,
    ExhibitFacts,
    LogFacts,
    Member,
    StampFacts,
)
from counterfoil.engines.bundle.identity import fingerprint, load_crls
from counterfoil.engines.bundle.page import page, program
from counterfoil.engines.bundle.papers import (
    charge,
    derivation,
    recipe_sha256,
    recorded,
    refuse_orphans,
    schedules,
    statements,
    utc,
)
from counterfoil.engines.bundle.report import make_report
from counterfoil.engines.bundle.seal import Seal, seal_pdf
from counterfoil.engines.bundle.stamp import Stamped, check_reply
from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog import (
    AnySigner,
    check_inclusion,
    entry_commitment,
    jcs,
    leaf_hash,
    parse_checkpoint,
    sign_note,
    split_note,
    tlog_proof,
)

FORMAT = "counterfoil/exhibits/v2"
NOTE = "counterfoil/bundle/v1"
STAMP_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
TOLERANCE = 300  # seconds by which two timestamp authorities may differ
UNLISTED = ("manifest.json", "manifest.note", "tagmanifest-sha256.txt")
MAGIC = (
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"AVI ", "avi"),
    (8, b"WAVE", "wav"),
    (0, b"%PDF-", "pdf"),
    (0, b"\x1aE\xdf\xa3", "mkv"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"DHAV", "dav"),
    (4, b"ftypqt", "mov"),
    (4, b"ftyphei", "heic"),
    (4, b"ftypM4A", "m4a"),
    (4, b"ftyp", "mp4"),
)


@dataclass(frozen=True)
class Payload:
    """What goes under data/, and the digest of `manifest-sha256.txt`, which the log must hold before `finish`."""

    facts: BundleFacts
    members: tuple[Member, ...]
    annex: Mapping[str, bytes]
    listing: Mapping[str, Any]
    manifest: bytes
    payload_sha256: str

    @property
    def report(self) -> bytes:
        """Return the sealed report's bytes."""
        with next(m for m in self.members if m.path == "data/report.pdf").open() as f:
            return f.read()


def extension(head: bytes) -> str:
    """Name a file's kind by its first bytes, whatever its name said; `bin` when they tell nothing."""
    for offset, magic, name in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 or not error.start:
            return "bin"
        text = head[: error.start].decode("utf-8")
    return "txt" if text and all(c.isprintable() or c in "\r\n\t" for c in text) else "bin"


def folder_of(label: str) -> str:
    """Return an exhibit's folder name: AB/1 becomes AB-1."""
    name = label.replace("/", "-")
    if "/" in name or not safe_path(name) or name == "bundle":
        raise BadInput("label", f"{label!a} cannot be an exhibit's reference in a bundle.")
    return name


def payload(facts: BundleFacts, seal: Seal, *, reseal: Callable[[bytes, Seal], bytes] = seal_pdf) -> Payload:
    """Make the payload: exhibits read and re-hashed, statements, charge, exhibit list, and the sealed report.

    Raises Corrupt if an exhibit's bytes are not those recorded, BadInput if the facts cannot make a bundle.
    """
    if "/" in facts.name or not safe_path(facts.name):
        raise BadInput("name", "A bundle's name may hold only letters, digits, dots, dashes and underscores.")
    if any(c != texts.one_line(c) for c in (facts.urn, facts.force)):
        raise BadInput("urn", "The URN and the force's name must each be one line of plain text.")
    places = _places(facts)
    titles = {hashlib.sha256(t.encode()).hexdigest(): t for t in [x.title for x in facts.exhibits]}
    titles |= facts.titles
    for digest, text in titles.items():
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise BadInput("titles", "A title is filed under a digest that is not its own.")
    papers = _papers(facts, places)
    annex = {
        "CLAIMS.md": texts.claims(facts.name, development=facts.development),
        "HOWTO.txt": texts.howto(facts.name, [folder_of(x.label) for x in facts.exhibits]),
        "custody/actors.json": jcs(dict(facts.actors)),
        "custody/titles.json": jcs(titles),
        "keys/history.note": facts.key_history.encode(),
        "verify.html": page(),
        "verify.py": program(),
    }
    listing = {
        "format": FORMAT,
        "name": facts.name,
        "urn": facts.urn,
        "force": facts.force,
        "case": facts.case_ref,
        "built_at": utc(facts.built_at),
        "development": facts.development,
        "audience": facts.audience,
        "exhibits": [_row(x, places[x.label], papers) for x in facts.exhibits],
        "events": [commitment(e).hex() for e in facts.events],
        "papers": {p: _sha(c) for p, c in papers.items()},
        "annex": {p: _sha(c) for p, c in annex.items()},
    }
    exhibits_json = jcs(listing)
    shown = {label: place.master or "" for label, place in places.items()}
    report = reseal(make_report(facts, exhibits_json, shown), seal)
    small = {**papers, "data/exhibits.json": exhibits_json, "data/report.pdf": report}
    members = [member(p, c) for p, c in small.items()]
    for x in facts.exhibits:
        place = places[x.label]
        if place.master:
            members.append(Member(place.master, x.size, x.sha256, x.open))
        for path, w in zip(place.working, x.working, strict=True):
            members.append(Member(path, w.size, w.sha256, w.open))
    manifest = bag_manifest({m.path: m.sha256 for m in members})
    return Payload(facts, tuple(members), annex, listing, manifest, _sha(manifest))


def finish(made: Payload, log: LogFacts, manifest_signer: AnySigner, out: Path) -> Path:
    """Write the bundle to `out` (a new file) with the log's proofs, and return its path.

    Refuses (Corrupt) what would make a bundle that no verifier accepts: another payload in the sealed entry, a proof
    that does not lead to the checkpoint, a timestamp over other bytes or earlier than an event.
    """
    members = [*made.members, *tag_members(made, log, manifest_signer)]
    write_archive(out, made.facts.name, members)
    return out


def tag_members(made: Payload, log: LogFacts, manifest_signer: AnySigner) -> list[Member]:
    """Return every file outside data/, after checking what the log gave."""
    facts = made.facts
    events = {e.index: e for e in [*facts.events, *(e for x in facts.exhibits for e in x.events), log.sealed]}
    _check_log(made, log, events)
    tags: dict[str, bytes] = dict(made.annex)
    tags["bagit.txt"] = texts.BAGIT
    oxum = f"{sum(m.size for m in made.members)}.{len(made.members)}"
    tags["bag-info.txt"] = texts.bag_info(made.listing, oxum)
    tags["manifest-sha256.txt"] = made.manifest
    tags["custody/events.jsonl"] = b"".join(
        jcs(_line(e, log.proofs[e.index])) + b"\n" for _, e in sorted(events.items())
    )
    for x in facts.exhibits:
        proved = sealing_event(x)
        tags[f"proofs/{folder_of(x.label)}.tlog-proof"] = _proof(proved, log)
    tags["proofs/bundle.tlog-proof"] = _proof(log.sealed, log)
    tags["log/checkpoint"] = log.checkpoint.encode()
    for size, proof in log.consistency.items():
        lines = "".join(f"{b64encode(h).decode()}\n" for h in proof)
        tags[f"log/consistency-from-{size}.txt"] = lines.encode()
    for stamp in log.tsrs:
        tags[f"tsa/{stamp.name}.tsr"] = stamp.tsr
        for n, pem in enumerate(stamp.chain, 1):
            tags[f"tsa/{stamp.name}/chain/{n:02}.pem"] = pem.encode()
        for n, pem in enumerate(stamp.crls, 1):
            tags[f"tsa/{stamp.name}/chain/crl-{n:02}.pem"] = pem.encode()
        for n, reply in enumerate(stamp.renewals, 1):
            tags[f"tsa/{stamp.name}.renewed-{n}.tsr"] = reply
    digests = {m.path: (m.size, m.sha256) for m in made.members}
    digests |= {p: (len(c), _sha(c)) for p, c in tags.items()}
    tags["manifest.json"] = jcs(
        {
            "format": NOTE,
            "name": facts.name,
            "files": [{"path": p, "size": s, "sha256": h} for p, (s, h) in sorted(digests.items())],
        }
    )
    tags["manifest.note"] = sign_note(
        manifest_text(facts.name, tags["manifest.json"]), [manifest_signer]
    ).encode()
    tags["tagmanifest-sha256.txt"] = bag_manifest({p: _sha(c) for p, c in tags.items()})
    return [member(p, c) for p, c in tags.items()]


def manifest_text(name: str, manifest_json: bytes) -> str:
    """Return the text that the manifest key signs."""
    return f"{NOTE}\n{name}\n{_sha(manifest_json)}\n"


def bag_manifest(digests: Mapping[str, str]) -> bytes:
    """Return a BagIt manifest: one `digest  path` line a file, sorted by path."""
    return "".join(f"{h}  {p}\n" for p, h in sorted(digests.items())).encode()


def _line(e: EventFacts, proof: Sequence[bytes]) -> dict[str, Any]:
    hashes = [b64encode(h).decode() for h in proof]
    if e.erased_by is not None:
        erased = {"by_index": e.erased_by}
        return {"index": e.index, "commitment": e.commitment.hex(), "proof": hashes, "erased": erased}
    return {"index": e.index, "salt": e.salt.hex(), "body": dict(e.body), "proof": hashes}


def commitment(event: EventFacts) -> bytes:
    """Return an event's commitment as the log holds it; of an erased one nothing else is left."""
    if event.erased_by is not None:
        return event.commitment
    return entry_commitment(event.salt, event.body)


def sealing_event(x: ExhibitFacts) -> EventFacts:
    """Return the event that put this exhibit's digest into the log, or refuse the exhibit."""
    for event in x.events:
        if event.body.get("sha256") == x.sha256:
            return event
    raise BadInput(
        "exhibits", f"No event of exhibit {x.label} holds the digest of its file, so nothing proves it."
    )


def member(path: str, content: bytes) -> Member:
    """Return a member whose content is in memory."""
    return Member(path, len(content), _sha(content), lambda: io.BytesIO(content))


def _proof(event: EventFacts, log: LogFacts) -> bytes:
    return tlog_proof(event.index, list(log.proofs[event.index]), log.checkpoint).encode()


def _check_log(made: Payload, log: LogFacts, events: Mapping[int, EventFacts]) -> None:
    if log.sealed.body.get("payload_sha256") != made.payload_sha256:
        raise Corrupt("The sealed entry in the log names another payload. No bundle was made.")
    point = parse_checkpoint(split_note(log.checkpoint)[0])
    for index, event in events.items():
        leaf = leaf_hash(commitment(event))
        if index not in log.proofs or not check_inclusion(
            leaf, index, point.size, list(log.proofs[index]), point.root
        ):
            raise Corrupt(f"Event {index} is not proved to be in the log. No bundle was made.")
    for event in events.values():
        if event.erased_by is not None:
            by = events.get(event.erased_by)
            if by is None or not names_erased(by.body, event.index):
                raise Corrupt(f"Event {event.index} was erased, but the entry that erased it is missing.")
    for size, proof in log.consistency.items():
        if not 0 < size <= point.size:
            raise Corrupt(f"The log was never published with {size} entries before this checkpoint.")
        if len(proof) > 63:
            raise Corrupt("A proof that the log only grew has more hashes than any log needs.")
    if not log.tsrs:
        raise Corrupt("No timestamp covers the log's statement. No bundle was made.")
    times = [_check_stamp(stamp, log.checkpoint, events.values()).at for stamp in log.tsrs]
    if (max(times) - min(times)).total_seconds() > TOLERANCE:
        raise Corrupt("Two timestamp authorities disagree about the time. No bundle was made.")


def _check_stamp(stamp: StampFacts, checkpoint: str, events: Iterable[EventFacts]) -> Stamped:
    if not STAMP_NAME.fullmatch(stamp.name):
        raise BadInput("name", "A timestamp authority's short name holds only a-z, 0-9 and dashes.")
    chain = [x509.load_pem_x509_certificate(p.encode()) for p in stamp.chain]
    crls = [c for p in stamp.crls for c in load_crls(p)]
    # A renewal may come from another authority than the first reply, so each may chain to any root that is shipped.
    roots = [fingerprint(c) for c in chain if c.subject == c.issuer]
    first: Stamped | None = None
    covered = checkpoint.encode()
    for reply in (stamp.tsr, *stamp.renewals):
        stamped = check_reply(reply, hashlib.sha256(covered).digest(), chain=chain, roots=roots, crls=crls)
        first, covered = first or stamped, reply
    assert first is not None  # noqa: S101  (the loop ran at least once)
    if any(not in_time(first.at, event.body) for event in events if event.erased_by is None):
        raise Corrupt(
            "The timestamp is earlier than an event it should cover: this machine's clock runs ahead of the timestamp "
            "authority's. No bundle was made."
        )
    return first


def names_erased(body: Mapping[str, Any], index: int) -> bool:
    """Say whether this entry is one that erased the entry at `index`."""
    entries = body.get("entries")
    return body.get("act") == "exhibit.erased" and isinstance(entries, list | tuple) and index in entries


def in_time(stamped: dt.datetime, body: Mapping[str, Any]) -> bool:
    """Say whether a timestamp is not before an event, to the second (an authority may leave fractions out)."""
    at = event_time(body)
    return stamped.replace(microsecond=0) >= at.replace(microsecond=0)


def event_time(body: Mapping[str, Any]) -> dt.datetime:
    """Return when an event says it happened, UTC; Corrupt if it does not say so in the form the ledger writes."""
    try:
        return dt.datetime.strptime(str(body["at"]), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    except (KeyError, ValueError):
        raise Corrupt("An event does not say when it happened.") from None


@dataclass(frozen=True)
class _Place:
    """Where an exhibit lies in the bundle: its master (None: not copied) and its working copies, in their order."""

    master: str | None
    working: list[str]

    def derivation(self, label: str) -> str:
        return f"data/exhibits/{folder_of(label)}/derivation.json"


def _places(facts: BundleFacts) -> dict[str, _Place]:
    refuse_orphans(facts)
    places: dict[str, _Place] = {}
    for x in facts.exhibits:
        sealing_event(x)
        folder = f"data/exhibits/{folder_of(x.label)}"
        master = None
        if not x.restricted:
            head = _reread(x.open, x.sha256, x.size, f"exhibit {x.label}")
            master = f"{folder}/master/{x.sha256[:16]}.{extension(head)}"
        working = []
        for w in x.working:
            head = _reread(w.open, w.sha256, w.size, f"a working copy of exhibit {x.label}")
            working.append(f"{folder}/working/{w.sha256[:16]}.{extension(head)}")
        if len(set(working)) != len(working):
            raise BadInput("working", f"Two working copies of exhibit {x.label} are the same file.")
        places[x.label] = _Place(master, working)
    if len({folder_of(label).lower() for label in places}) != len(facts.exhibits):
        raise BadInput("exhibits", "Two exhibits have the same reference.")
    return places


def _papers(facts: BundleFacts, places: Mapping[str, _Place]) -> dict[str, bytes]:
    papers = {**statements(facts), "data/charge.json": charge(facts), **schedules(facts)}
    for x in facts.exhibits:
        made = derivation(x, places[x.label].working)
        if made is not None:
            papers[places[x.label].derivation(x.label)] = made
    return papers


def _row(x: ExhibitFacts, place: _Place, papers: Mapping[str, bytes]) -> dict[str, Any]:
    made = place.derivation(x.label)
    return {
        "label": x.label,
        "title": x.title,
        "sha256": x.sha256,
        "size": x.size,
        "media_type": x.media_type,
        "original_name": x.original_name,
        "produced_by": x.produced_by,
        "recorded": recorded(x),
        "duration_ms": x.duration_ms,
        "note": x.note,
        "path": place.master,
        "restricted": x.restricted,
        "parent": x.parent,
        "recipe_sha256": None if x.recipe is None else recipe_sha256(x.recipe),
        "derivation": made if made in papers else None,
        "working": [
            {"path": p, "kind": w.kind, "sha256": w.sha256, "size": w.size, "media_type": w.media_type}
            for p, w in zip(place.working, x.working, strict=True)
        ],
        "events": [commitment(e).hex() for e in x.events],
    }


def _reread(source: Callable[[], BinaryIO], sha256: str, size: int, what: str) -> bytes:
    """Read a file to its end, refuse it if it is not what was recorded, and return its first bytes."""
    digest, count, head = hashlib.sha256(), 0, b""
    stream: BinaryIO
    with source() as stream:
        while chunk := stream.read(CHUNK):
            head = head or chunk[:512]
            digest.update(chunk)
            count += len(chunk)
    if digest.hexdigest() != sha256 or count != size:
        raise Corrupt(f"The bytes of {what} are not those that were recorded. No bundle was made.")
    return head


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
