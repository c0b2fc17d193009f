"""Build a bundle in two steps, because the log must hold its payload's digest before the bundle can show the proof.

`payload(facts, seal)` makes everything under data/ and says what to put in the `bundle.sealed` entry; `finish(...)`
adds the log's answer and writes the archive.
"""

import datetime as dt
import hashlib
import io
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography import x509

from counterfoil.engines.bundle import texts
from counterfoil.engines.bundle.archive import CHUNK, safe_path, write_archive
from counterfoil.engines.bundle.facts import BundleFacts, EventFacts, ExhibitFacts, LogFacts, Member
from counterfoil.engines.bundle.identity import fingerprint
from counterfoil.engines.bundle.report import make_report
from counterfoil.engines.bundle.seal import Seal, seal_pdf
from counterfoil.engines.bundle.stamp import check_reply
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

FORMAT = "counterfoil/exhibits/v1"
NOTE = "counterfoil/bundle/v1"
VERIFIER = Path(__file__).parent / "standalone" / "verify.py"
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
    paths = _exhibit_paths(facts)
    titles = {hashlib.sha256(t.encode()).hexdigest(): t for t in [x.title for x in facts.exhibits]}
    titles |= facts.titles
    for digest, text in titles.items():
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise BadInput("titles", "A title is filed under a digest that is not its own.")
    statements = {
        f"data/statements/{n:02}.json": jcs(
            {
                "format": "counterfoil/statement/v1",
                "witness": s.witness,
                "age": s.age,
                "declaration": s.declaration,
                "text": s.text,
                "text_sha256": hashlib.sha256(s.text.encode()).hexdigest(),
                "signed_by": s.signed_by,
                "signed_at": _utc(s.signed_at),
                "taken_by": s.taken_by,
                "read_over_by": s.read_over_by,
                "reference": s.reference,
            }
        )
        for n, s in enumerate(facts.statements, 1)
    }
    charge = jcs(_charge(facts))
    annex = {
        "CLAIMS.md": texts.claims(facts.name, development=facts.development),
        "HOWTO.txt": texts.howto(facts.name, [folder_of(x.label) for x in facts.exhibits]),
        "custody/actors.json": jcs(dict(facts.actors)),
        "custody/titles.json": jcs(titles),
        "keys/history.note": facts.key_history.encode(),
        "verify.py": VERIFIER.read_bytes(),
    }
    listing = {
        "format": FORMAT,
        "name": facts.name,
        "urn": facts.urn,
        "force": facts.force,
        "case": facts.case_ref,
        "built_at": _utc(facts.built_at),
        "development": facts.development,
        "exhibits": [
            {
                "label": x.label,
                "title": x.title,
                "sha256": x.sha256,
                "size": x.size,
                "media_type": x.media_type,
                "original_name": x.original_name,
                "produced_by": x.produced_by,
                "recorded": x.recorded,
                "duration_ms": x.duration_ms,
                "note": x.note,
                "path": paths[x.label],
                "events": [commitment(e).hex() for e in x.events],
            }
            for x in facts.exhibits
        ],
        "events": [commitment(e).hex() for e in facts.events],
        "papers": {p: _sha(c) for p, c in {**statements, "data/charge.json": charge}.items()},
        "annex": {p: _sha(c) for p, c in annex.items()},
    }
    exhibits_json = jcs(listing)
    report = reseal(make_report(facts, exhibits_json, paths), seal)
    small = {
        **statements,
        "data/charge.json": charge,
        "data/exhibits.json": exhibits_json,
        "data/report.pdf": report,
    }
    members = [member(p, c) for p, c in small.items()]
    members += [Member(paths[x.label], x.size, x.sha256, x.open) for x in facts.exhibits]
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
        jcs(
            {
                "index": e.index,
                "salt": e.salt.hex(),
                "body": dict(e.body),
                "proof": [b64encode(h).decode() for h in log.proofs[e.index]],
            }
        )
        + b"\n"
        for _, e in sorted(events.items())
    )
    for x in facts.exhibits:
        proved = sealing_event(x)
        tags[f"proofs/{folder_of(x.label)}.tlog-proof"] = _proof(proved, log)
    tags["proofs/bundle.tlog-proof"] = _proof(log.sealed, log)
    tags["log/checkpoint"] = log.checkpoint.encode()
    tags["tsa/checkpoint.tsr"] = log.tsr
    for n, pem in enumerate(log.tsa_chain, 1):
        tags[f"tsa/chain/{n:02}.pem"] = pem.encode()
    for n, pem in enumerate(log.tsa_crls, 1):
        tags[f"tsa/chain/crl-{n:02}.pem"] = pem.encode()
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


def commitment(event: EventFacts) -> bytes:
    """Return an event's commitment as the log holds it."""
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
    chain = [x509.load_pem_x509_certificate(p.encode()) for p in log.tsa_chain]
    stamped = check_reply(
        log.tsr,
        hashlib.sha256(log.checkpoint.encode()).digest(),
        chain=chain,
        roots=[fingerprint(chain[-1])],
    )
    if any(not in_time(stamped.at, event.body) for event in events.values()):
        raise Corrupt(
            "The timestamp is earlier than an event it should cover: this machine's clock runs ahead of the timestamp "
            "authority's. No bundle was made."
        )


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


def _exhibit_paths(facts: BundleFacts) -> dict[str, str]:
    paths: dict[str, str] = {}
    for x in facts.exhibits:
        sealing_event(x)
        head = _reread(x)
        paths[x.label] = f"data/exhibits/{folder_of(x.label)}/master/{x.sha256[:16]}.{extension(head)}"
    if len({p.lower() for p in paths.values()}) != len(facts.exhibits):
        raise BadInput("exhibits", "Two exhibits have the same reference.")
    return paths


def _reread(x: ExhibitFacts) -> bytes:
    """Read an exhibit to its end, refuse it if it is not what was recorded, and return its first bytes."""
    digest, count, head = hashlib.sha256(), 0, b""
    stream: BinaryIO
    with x.open() as stream:
        while chunk := stream.read(CHUNK):
            head = head or chunk[:512]
            digest.update(chunk)
            count += len(chunk)
    if digest.hexdigest() != x.sha256 or count != x.size:
        raise Corrupt(f"The bytes of exhibit {x.label} are not those that were recorded. No bundle was made.")
    return head


def _charge(facts: BundleFacts) -> dict[str, Any]:
    o = facts.outcome
    return {
        "format": "counterfoil/charge/v1",
        "urn": facts.urn,
        "defendants": [{"name": d.name, "reference": d.reference} for d in facts.defendants],
        "charges": [
            {
                "defendant": c.defendant,
                "offence_code": c.offence_code,
                "wording": c.wording,
                "statute": c.statute,
                "rationale": c.rationale,
                "decided_by": c.decided_by,
                "decided_at": _utc(c.decided_at),
            }
            for c in facts.charges
        ],
        "outcome": None
        if o is None
        else {
            "number": o.number,
            "title": o.title,
            "reason": o.reason,
            "decided_by": o.decided_by,
            "decided_at": _utc(o.decided_at),
        },
    }


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
