"""Ways to falsify a bundle, each with the check that must name it. The forger holds as many keys as the story needs."""

import contextlib
import datetime as dt
import hashlib
import io
import json
import struct
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from tests.engines.bundle import facts as maker

from counterfoil.adapters.timestamper_local import LocalAuthority
from counterfoil.demo.doctor import Files, append_revision, pack, rehash, relist, sha, tag, unpack
from counterfoil.engines.bundle import BundleFacts, KeyPeriod, Payload, build, key_history, payload
from counterfoil.engines.bundle.archive import central_entry, end_record, local_header
from counterfoil.engines.bundle.report import make_report
from counterfoil.engines.bundle.seal import Seal, _Stamper, seal_pdf
from counterfoil.engines.bundle.stamp import request
from counterfoil.engines.tlog import (
    CosignSigner,
    Frontier,
    Signer,
    add_signatures,
    checkpoint_text,
    jcs,
    leaf_hash,
    sign_note,
    split_note,
)


@dataclass
class World:
    """One honest bundle, its keys and a second set of keys that belong to somebody else."""

    folder: Path
    keys: maker.Keys
    stranger: maker.Keys
    bundle: Path
    top: str
    files: Files
    count: int = 0
    made: dict[str, tuple[Path, str]] = field(default_factory=dict)

    def forged(self, story: str) -> tuple[Path, str]:
        """Return the forged bundle of this story, and the policy it is to be judged by; made once."""
        if story not in self.made:
            forge = next(forge for name, _, forge in CASES if name == story)
            result = forge(self)
            self.made[story] = result if isinstance(result, tuple) else (result, self.policy)
        return self.made[story]

    @property
    def policy(self) -> str:
        """The court's policy."""
        return self.keys.policy

    def path(self, suffix: str = ".zip") -> Path:
        """Return a fresh path."""
        self.count += 1
        return self.folder / f"forged-{self.count}{suffix}"

    def pack(self, files: Files, top: str | None = None) -> Path:
        """Write files as one canonical archive."""
        return pack(self.path(), top or self.top, files)

    def raw(self, data: bytes) -> Path:
        """Write bytes as they are."""
        out = self.path()
        out.write_bytes(data)
        return out


def insider(world: World, files: Files) -> Path:
    """Pack what somebody with the manifest key would: every list fits and is signed."""
    return world.pack(rehash(files, world.keys.manifest, world.top))


@contextlib.contextmanager
def builder_off_guard() -> Iterator[None]:
    """Let the builder write what it would refuse."""
    with mock.patch.object(build, "_check_log"):
        yield


def the_force(
    world: World,
    *,
    facts: BundleFacts | None = None,
    keys: maker.Keys | None = None,
    forge: maker.Forge | None = None,
    reseal: Callable[[bytes, Seal], bytes] = seal_pdf,
    payload_hook: Callable[[Payload], Payload] = lambda made: made,
    files_hook: Callable[[Files], Files] = lambda files: files,
) -> Path:
    """Build a bundle with every key of the force, in a log that holds it, but with one thing false."""
    keys = keys or world.keys
    with builder_off_guard():
        made = payload_hook(payload(facts or maker.make_facts(keys), keys.sealing, reseal=reseal))
        log = maker.make_log(keys, made, forge)
        members = [*made.members, *build.tag_members(made, log, keys.manifest)]
        files = {}
        for m in members:
            with m.open() as f:
                files[m.path] = f.read()
    changed = files_hook(files)
    if changed is not files:
        changed = rehash(changed, keys.manifest, world.top)
    return world.pack(changed)


def edit_events(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[World], Path]:
    """Change the lines of custody/events.jsonl, with the manifest key."""

    def forge(world: World) -> Path:
        events = [json.loads(line) for line in world.files["custody/events.jsonl"].splitlines()]
        changed = change(events)
        events = events if changed is None else changed
        lines = b"".join(jcs(e) + b"\n" for e in events)
        return insider(world, {**world.files, "custody/events.jsonl": lines})

    return forge


def edit_policy(old: str, new: Callable[[World], str]) -> Callable[[World], tuple[Path, str]]:
    """Give the verifier another policy, in which the line starting with `old` is another."""

    def forge(world: World) -> tuple[Path, str]:
        lines = [new(world) if line.startswith(old) else line for line in world.policy.splitlines()]
        return world.bundle, "\n".join(lines) + "\n"

    return forge


def zip_with(change: Callable[[zipfile.ZipFile, World], None]) -> Callable[[World], Path]:
    """Rewrite the archive with Python's own zip library, changed."""

    def forge(world: World) -> Path:
        out = world.path()
        with zipfile.ZipFile(out, "w") as z:
            for path, content in sorted(world.files.items()):
                z.writestr(zipfile.ZipInfo(f"{world.top}/{path}"), content)
            change(z, world)
        return out

    return forge


def twin(world: World) -> Path:
    """Add `data/Report.pdf` beside `data/report.pdf`, listed and signed."""
    files = {**world.files, "data/Report.pdf": world.files["data/report.pdf"]}
    return insider(world, files)


def symlink(world: World) -> Path:
    """Mark one member as a symbolic link in the archive's directory."""
    data = bytearray(world.bundle.read_bytes())
    at = data.rindex(b"PK\1\2")
    data[at + 38 : at + 42] = struct.pack("<I", 0o120777 << 16)
    return world.raw(bytes(data))


def written_as_ours(world: World, rows: list[tuple[str, bytes]]) -> Path:
    """Write an archive exactly as ours is written, of whatever names in whatever order."""
    body, directory = b"", b""
    for path, content in rows:
        name, crc = path.encode(), zlib.crc32(content)
        directory += central_entry(name, crc, len(content), len(body))
        body += local_header(name, crc, len(content)) + content
    return world.raw(body + directory + end_record(len(rows), len(directory), len(body)))


def with_member(name: str, content: bytes) -> Callable[[World], Path]:
    """Add one more member, in its place in the order, in an archive otherwise exactly as ours."""

    def forge(world: World) -> Path:
        rows = [(f"{world.top}/{p}", c) for p, c in world.files.items()]
        return written_as_ours(
            world, sorted([*rows, (name.format(top=world.top), content)], key=lambda r: r[0].encode())
        )

    return forge


def unsorted(world: World) -> Path:
    """Write the same members in another order."""
    return written_as_ours(
        world, [(f"{world.top}/{p}", c) for p, c in sorted(world.files.items(), reverse=True)]
    )


def dates(world: World) -> Path:
    """Change every date in the archive, headers and directory alike."""
    data = world.bundle.read_bytes()
    return world.raw(data.replace(struct.pack("<HH", 0, 33), struct.pack("<HH", 0, 34)))


def swap_exhibits(world: World) -> Path:
    """Exchange the bytes of the two exhibits and sign again."""
    a, b, *_ = sorted(p for p in world.files if "/master/" in p)
    return insider(world, {**world.files, a: world.files[b], b: world.files[a]})


def other_statement(world: World) -> Files:
    """Change one word of a statement."""
    path = "data/statements/01.json"
    changed = world.files[path].replace(b"four bottles", b"nine bottles")
    assert changed != world.files[path]
    return {**world.files, path: changed}


def reseal_then(change: Callable[[bytes], bytes]) -> Callable[[bytes, Seal], bytes]:
    """Seal properly, then change the file."""
    return lambda pdf, seal: change(seal_pdf(pdf, seal))


def shadow_and_stamp(world: World) -> Callable[[bytes, Seal], bytes]:
    """Seal, add a revision with other words, then cover it with a fresh, valid document timestamp."""

    def reseal(pdf: bytes, seal: Seal) -> bytes:
        from pyhanko_certvalidator import ValidationContext

        from counterfoil.engines.bundle.seal import _cert, _crl

        changed = append_revision(seal_pdf(pdf, seal))
        out = io.BytesIO()
        context = ValidationContext(
            trust_roots=[_cert(seal.tsa_chain[-1])],
            crls=[_crl(c) for c in seal.tsa_crls],
            allow_fetching=False,
        )
        signers.PdfTimeStamper(_Stamper(seal.stamp)).timestamp_pdf(
            IncrementalPdfFileWriter(io.BytesIO(changed)), "sha256", context, output=out
        )
        return out.getvalue()

    return reseal


def other_attachment(world: World) -> Path:
    """Seal a report whose attached list names another size than the list beside it."""
    honest = maker.make_facts(world.keys)
    listed = payload(honest, world.keys.sealing).members
    paths = {x.label: next((m.path for m in listed if m.sha256 == x.sha256), "") for x in honest.exhibits}

    def reseal(_pdf: bytes, seal: Seal) -> bytes:
        return seal_pdf(make_report(honest, b'{"exhibits":[]}', paths), seal)

    return the_force(world, facts=honest, reseal=reseal)


def forged_log(world: World) -> Path:
    """Keep a second log with own keys, in which an event says something else; ship its keys in the bundle."""
    k = replace(world.keys, log=world.stranger.log, witness=world.stranger.witness)
    k.log = Signer.generate(world.keys.log.name)
    return the_force(world, keys=k)


def old_checkpoint(world: World) -> Path:
    """Put an earlier checkpoint of the same log in place, honestly signed, stamped anew, everything signed again."""
    leaves = [leaf_hash(bytes([n])) for n in range(9)]
    text = checkpoint_text(world.keys.log.name, 9, Frontier.empty().append_all(leaves).root())
    note = sign_note(text, [world.keys.log, world.keys.witness.at(1_780_000_000)])
    proofs = {
        p: c.split(b"\n\n")[0] + b"\n\n" + note.encode()
        for p, c in world.files.items()
        if p.endswith(".tlog-proof")
    }
    tsr = world.keys.tsa.stamp(hashlib.sha256(note.encode()).digest())
    files = {**world.files, **proofs, "log/checkpoint": note.encode(), "tsa/tsa1.tsr": tsr}
    return insider(world, files)


def bad_cosignature(world: World) -> Path:
    """Cosign with a key of the same name and id, but another signature."""
    note = world.files["log/checkpoint"].decode()
    text, signatures = split_note(note)
    broken = [replace(s, signature=s.signature[:-1] + bytes([s.signature[-1] ^ 1])) for s in signatures[1:]]
    note = text + "\n" + signatures[0].line + "".join(s.line for s in broken)
    tsr = world.keys.tsa.stamp(hashlib.sha256(note.encode()).digest())
    return insider(world, {**world.files, "log/checkpoint": note.encode(), "tsa/tsa1.tsr": tsr})


def unstamped(world: World, prefix: str) -> Path:
    """Leave the timestamps out."""
    return insider(world, {p: c for p, c in world.files.items() if not p.startswith(f"{prefix}/")})


def revoked_stamp(world: World) -> tuple[Path, str]:
    """Stamp with an authority that the policy names, but whose certificate its own list says is revoked."""
    numbers, plain = iter((1111, 2222)), x509.CertificateRevocationListBuilder.sign

    def sign(draft: Any, key: Any, algorithm: Any, *more: Any, **named: Any) -> Any:
        when = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
        leaf = x509.RevokedCertificateBuilder().serial_number(2222).revocation_date(when).build()
        return plain(draft.add_revoked_certificate(leaf), key, algorithm, *more, **named)

    with (
        mock.patch.object(x509.CertificateRevocationListBuilder, "sign", sign),
        mock.patch.object(x509, "random_serial_number", side_effect=numbers),
    ):
        bad = LocalAuthority(world.path("-revoked"))
    files = {p: c for p, c in world.files.items() if not p.startswith("tsa/tsa1")}
    files["tsa/tsa1.tsr"] = bad.answer(request(hashlib.sha256(files["log/checkpoint"]).digest())[1])
    files |= {f"tsa/tsa1/chain/{n:02}.pem": pem.encode() for n, pem in enumerate(bad.chain, 1)}
    files |= {f"tsa/tsa1/chain/crl-{n:02}.pem": pem.encode() for n, pem in enumerate(bad.crls, 1)}
    return insider(world, files), world.policy + f"#counterfoil tsa-root bad {bad.root_sha256}\n"


def skipped_renewal(world: World) -> Path:
    """Name the only renewal the second one."""
    files = {p: c for p, c in world.files.items() if "renewed" not in p}
    return insider(world, {**files, "tsa/tsa2.renewed-2.tsr": world.files["tsa/tsa2.renewed-1.tsr"]})


def two_of_one(world: World) -> tuple[Path, str]:
    """Ask for two witnesses and let one operator run both."""
    second = CosignSigner.generate("counterfoil.example/DEVELOPMENT-second")
    note = world.files["log/checkpoint"].decode()
    signed = add_signatures(note, [second.at(1_790_000_000).sign(split_note(note)[0])])
    digest = hashlib.sha256(signed.encode()).digest()
    stamps = {"tsa/tsa1.tsr": world.keys.tsa.stamp(digest), "tsa/tsa2.tsr": world.keys.second.stamp(digest)}
    renewed = world.keys.second.stamp(hashlib.sha256(stamps["tsa/tsa2.tsr"]).digest())
    proofs = {
        p: c.split(b"\n\n")[0] + b"\n\n" + signed.encode()
        for p, c in world.files.items()
        if p.endswith(".tlog-proof")
    }
    files = {**world.files, **proofs, **stamps, "tsa/tsa2.renewed-1.tsr": renewed}
    policy = world.policy.replace(
        "quorum neighbour\n",
        f"witness friend {second.vkey}\ngroup both 2 neighbour friend\nquorum both\n"
        "#counterfoil operator friend another-force\n",
    )
    lines = policy.splitlines()
    lines.sort(key=lambda line: line.startswith("#"))
    return insider(world, {**files, "log/checkpoint": signed.encode()}), "\n".join(lines) + "\n"


def other_key_in_history(world: World) -> Path:
    """Name another manifest key than the one that signed, in a history that the log key signed."""
    start = maker.START.replace(year=2025)
    note = key_history(
        [
            KeyPeriod("log", world.keys.log.vkey, start),
            KeyPeriod("manifest", world.stranger.manifest.vkey, start),
        ],
        [world.keys.log],
    )
    return the_force(world, facts=maker.make_facts(world.keys, key_history=note))


def ended_key_in_history(world: World) -> Path:
    """Sign with a manifest key whose time was over when the bundle was built."""
    start = maker.START.replace(year=2025)
    note = key_history(
        [
            KeyPeriod("log", world.keys.log.vkey, start),
            KeyPeriod("manifest", world.keys.manifest.vkey, start, maker.START.replace(year=2026, month=1)),
        ],
        [world.keys.log],
    )
    return the_force(world, facts=maker.make_facts(world.keys, key_history=note))


def strangers_history(world: World) -> Path:
    """Ship a key history that names the right keys but is signed by a stranger."""
    start = maker.START.replace(year=2025)
    note = key_history(
        [
            KeyPeriod("log", world.keys.log.vkey, start),
            KeyPeriod("manifest", world.keys.manifest.vkey, start),
        ],
        [world.stranger.log],
    )
    return the_force(world, facts=maker.make_facts(world.keys, key_history=note))


def future_event(world: World) -> Path:
    """Date the sealing of the bundle after the timestamp that should cover it."""
    return the_force(world, forge=maker.Forge(sealed_body={"at": "2099-01-01T00:00:00.000000Z"}))


def strangers_stamp(world: World) -> Path:
    """Stamp with a self-made authority and ship its chain."""
    other = world.stranger.tsa
    note = world.files["log/checkpoint"]
    files = {p: c for p, c in world.files.items() if not p.startswith("tsa/tsa1")}
    files |= {f"tsa/tsa1/chain/{n:02}.pem": pem.encode() for n, pem in enumerate(other.chain, 1)}
    files |= {f"tsa/tsa1/chain/crl-{n:02}.pem": pem.encode() for n, pem in enumerate(other.crls, 1)}
    files["tsa/tsa1.tsr"] = other.stamp(hashlib.sha256(note).digest())
    return insider(world, files)


def strangers_seal(world: World) -> Path:
    """Seal the report under a self-made sealing authority."""
    seal = Seal(world.stranger.seal, world.keys.tsa.stamp, world.keys.tsa.chain, world.keys.tsa.crls)
    return the_force(world, reseal=lambda pdf, _: seal_pdf(pdf, seal))


def strangers_archive_stamp(world: World) -> Path:
    """Seal the report with timestamps of a self-made authority."""
    other = world.stranger.tsa
    seal = Seal(world.keys.seal, other.stamp, other.chain, other.crls)
    return the_force(world, reseal=lambda pdf, _: seal_pdf(pdf, seal))


def title_under_wrong_digest(world: World) -> Path:
    """File another title under the digest that the log holds."""

    def hook(made: Payload) -> Payload:
        titles = json.loads(made.annex["custody/titles.json"])
        first = min(titles)
        annex = {**made.annex, "custody/titles.json": jcs({**titles, first: "A harmless picture"})}
        files = {m.path: m for m in made.members}
        with files["data/exhibits.json"].open() as f:
            listing = json.loads(f.read())
        listing["annex"] = {p: sha(c) for p, c in annex.items()}
        files["data/exhibits.json"] = build.member("data/exhibits.json", jcs(listing))
        manifest = build.bag_manifest({p: m.sha256 for p, m in files.items()})
        return replace(
            made,
            members=tuple(files.values()),
            annex=annex,
            listing=listing,
            manifest=manifest,
            payload_sha256=sha(manifest),
        )

    return the_force(world, payload_hook=hook)


def undigested(world: World) -> Path:
    """Log an exhibit whose sealing event holds another digest than its file's."""
    facts = maker.make_facts(world.keys)
    x = facts.exhibits[1]
    events = [replace(x.events[0], body={**x.events[0].body, "sha256": "0" * 64}), *x.events[1:]]
    forged = replace(facts, exhibits=[facts.exhibits[0], replace(x, events=events)])
    with mock.patch.object(build, "sealing_event", lambda x: x.events[0]):
        return the_force(world, facts=forged)


def papered(change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> Callable[[World], Path]:
    """Build with every key of the force, but with papers or the exhibit list changed before sealing.

    `change` gets the papers by path and the exhibit list, and changes either in place; the report is sealed after it.
    """

    def hook(made: Payload, keys: maker.Keys) -> Payload:
        files = {m.path: m for m in made.members}
        papers: dict[str, bytes] = {}
        for path in made.listing["papers"]:
            with files[path].open() as f:
                papers[path] = f.read()
        listing = json.loads(jcs(dict(made.listing)))
        change(papers, listing)
        for path in set(made.listing["papers"]) - set(papers):
            del files[path]
        listing["papers"] = {p: sha(c) for p, c in papers.items()}
        files |= {p: build.member(p, c) for p, c in papers.items()}
        files["data/exhibits.json"] = build.member("data/exhibits.json", jcs(listing))
        places = {x["label"]: x["path"] or "" for x in made.listing["exhibits"]}
        report = seal_pdf(make_report(made.facts, jcs(listing), places), keys.sealing)
        files["data/report.pdf"] = build.member("data/report.pdf", report)
        manifest = build.bag_manifest({p: m.sha256 for p, m in files.items()})
        return replace(
            made,
            members=tuple(files.values()),
            listing=listing,
            manifest=manifest,
            payload_sha256=sha(manifest),
        )

    return lambda world: the_force(world, payload_hook=lambda made: hook(made, world.keys))


def in_paper(path: str, change: Callable[[dict[str, Any]], None]) -> Callable[[World], Path]:
    """Change one paper before sealing."""

    def edit(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
        value = json.loads(papers[path])
        change(value)
        papers[path] = jcs(value)

    return papered(edit)


MG6C, MG12 = "data/schedules/MG6C.json", "data/schedules/MG12.json"
MADE = "data/exhibits/MO-3/derivation.json"


def unscheduled(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """Take the whole recording off the schedule, and every issue with it."""
    del papers[MG6C]


def recooked(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """Give the clip another recipe, everywhere but in the log."""
    made = json.loads(papers[MADE])
    made["recipe"]["settings"]["from_ms"] = 99_000
    papers[MADE] = jcs(made)
    row = next(x for x in listing["exhibits"] if x["label"] == "MO/3")
    row["recipe_sha256"] = sha(jcs(made["recipe"]))


def sensitive(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """Put the schedule of sensitive material into the defence's bundle."""
    value = json.loads(papers[MG6C])
    papers["data/schedules/MG6D.json"] = jcs({**value, "form": "MG6D"})


def unmatched(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """Call the bundle the prosecutor's, without its schedule of sensitive material."""
    listing["audience"] = "prosecutor"


def nobody(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """Make the bundle for somebody else."""
    listing["audience"] = "newspaper"


def underived(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """Pass the clip off as an original."""
    del papers[MADE]
    row = next(x for x in listing["exhibits"] if x["label"] == "MO/3")
    row.update(derivation=None, recipe_sha256=None)


def stray_account(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """Add an account of how an original was made."""
    papers["data/exhibits/MO-2/derivation.json"] = papers[MADE]


def unrestricted(papers: dict[str, bytes], listing: dict[str, Any]) -> None:
    """List a restricted exhibit as an ordinary one whose file is not there."""
    next(x for x in listing["exhibits"] if x["label"] == "MO/5")["restricted"] = False


def _gap(schedule: dict[str, Any]) -> None:
    del schedule["issues"][1]["items"][1]
    del schedule["issues"][0]["items"][1]


def _missing_issue(schedule: dict[str, Any]) -> None:
    del schedule["issues"][0]


def _nil(schedule: dict[str, Any]) -> None:
    schedule["issues"][1]["endorsed_nil"] = True


def _another_thing(schedule: dict[str, Any]) -> None:
    schedule["issues"][1]["items"][1]["exhibit"] = "MO/9"


def _disorder(schedule: dict[str, Any]) -> None:
    schedule["issues"][1]["items"].reverse()


def _reasoned(schedule: dict[str, Any]) -> None:
    schedule["issues"][0]["items"][0]["reason"] = "An informant is named."


def _fewer(schedule: dict[str, Any]) -> None:
    schedule["issues"][0]["items"].pop()


def _other_whole(schedule: dict[str, Any]) -> None:
    for issue in schedule["issues"]:
        issue["items"][0]["sha256"] = "0" * 64


def _other_source(made: dict[str, Any]) -> None:
    made["working"][0]["recipe"]["input_sha256"] = "0" * 64


def _no_eraser(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**e, "erased": {"by_index": 19}} if "erased" in e else e for e in events]


def _erase_another(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Call an awkward event erased, in its own words' place only its commitment."""

    def gone(e: dict[str, Any]) -> dict[str, Any]:
        held = build.entry_commitment(bytes.fromhex(e["salt"]), e["body"])
        return {
            "index": e["index"],
            "commitment": held.hex(),
            "proof": e["proof"],
            "erased": {"by_index": 20},
        }

    return [gone(e) if e["index"] == 14 else e for e in events]


def history_with(**later: Any) -> Callable[[World], Path]:
    """Ship a key history in which the manifest key has another end."""

    def forge(world: World) -> Path:
        start = maker.START.replace(year=2025)
        note = key_history(
            [
                KeyPeriod(
                    "log", world.keys.log.vkey, start, **(later if "log" in later.pop("of", "") else {})
                ),
                KeyPeriod("manifest", world.keys.manifest.vkey, start, **later),
            ],
            [world.keys.log],
        )
        return the_force(world, facts=maker.make_facts(world.keys, key_history=note))

    return forge


def add_line(line: Callable[[World], str]) -> Callable[[World], tuple[Path, str]]:
    """Judge the honest bundle by a policy with one line more."""
    return lambda world: (world.bundle, world.policy + line(world) + "\n")


def key_name(key: Any) -> str:
    """Return a key's name and id, as a policy's `ended` line has them."""
    return f"{key.name}+{key.key_id.hex()}"


def published(world: World, size: int, leaf: bytes) -> str:
    """Return a policy line saying that the log had another root at this size."""
    root = Frontier.empty().append_all([leaf_hash(leaf)] * size).root()
    return f"#counterfoil checkpoint {world.keys.log.name} {size} {b64encode(root).decode()}"


def force_rewrites(world: World) -> Path:
    """Rewrite the log after the event and sign everything again: exhibit, lists, report, log, real timestamps."""
    facts = maker.make_facts(world.keys)
    x = maker.exhibit(
        "MO/2",
        "Photograph of the empty shelf",
        maker.JPEG[:-9] + b"\xff\xd9",
        "image/jpeg",
        "IMG_2041.jpeg",
        7,
    )
    listed = [facts.exhibits[0], x, *facts.exhibits[2:]]
    changed = maker.make_facts(world.keys, exhibits=listed, schedules=maker.schedules(listed))
    return the_force(world, facts=changed, forge=maker.Forge(cosign=False))


def malleable_base64(world: World) -> Path:
    """Write the manifest's signature so that it decodes to the same bytes but reads otherwise."""
    note = world.files["manifest.note"].decode()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = note.rstrip("\n").rstrip("=")
    pad = note.rstrip("\n")[len(body) :]
    assert pad
    other = alphabet[alphabet.index(body[-1]) ^ 1]
    return world.pack(tag({**world.files, "manifest.note": (body[:-1] + other + pad + "\n").encode()}))


def extra_signature(world: World) -> Path:
    """Add a stranger's signature to the manifest's note."""
    text, _ = split_note(world.files["manifest.note"].decode())
    note = add_signatures(world.files["manifest.note"].decode(), [world.stranger.manifest.sign(text)])
    return world.pack(tag({**world.files, "manifest.note": note.encode()}))


def another_bundles_stamp(world: World) -> Path:
    """Take the timestamp of another bundle of the same force."""
    tsr = world.keys.tsa.stamp(hashlib.sha256(b"another checkpoint").digest())
    return insider(world, {**world.files, "tsa/tsa1.tsr": tsr})


def bare_token(world: World) -> Path:
    """Keep only the token of the timestamp reply."""
    from asn1crypto import tsp

    token = tsp.TimeStampResp.load(world.files["tsa/tsa1.tsr"])["time_stamp_token"].dump()
    return insider(world, {**world.files, "tsa/tsa1.tsr": token})


def change_file(path: str, change: Callable[[bytes], bytes]) -> Callable[[World], Path]:
    """Change one file, with the manifest key."""

    def forge(world: World) -> Path:
        changed = change(world.files[path])
        assert changed != world.files[path]
        return insider(world, {**world.files, path: changed})

    return forge


def unfolded(change: Callable[[Path], None]) -> Callable[[World], Path]:
    """Unpack the honest bundle and change the folder."""

    def forge(world: World) -> Path:
        root = world.path("")
        for path, content in world.files.items():
            where = root / path
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content)
        change(root)
        return root

    return forge


def _swap_proofs(events: list[dict[str, Any]]) -> None:
    events[2]["proof"], events[3]["proof"] = events[3]["proof"], events[2]["proof"]


def _edit_body(events: list[dict[str, Any]]) -> None:
    events[3]["body"]["by"] = "actor-0000"


def _edit_salt(events: list[dict[str, Any]]) -> None:
    events[3]["salt"] = "00" * 32


def _same_index(events: list[dict[str, Any]]) -> None:
    events[3]["index"] = events[2]["index"]


def _unheld(leaves: list[bytes]) -> None:
    leaves[14] = leaf_hash(b"what the log held instead")


def link_report(root: Path) -> None:
    """Replace the report by a link to a copy outside."""
    (root / "data/report.pdf").rename(root.parent / f"{root.name}-outside.pdf")
    (root / "data/report.pdf").symlink_to(root.parent / f"{root.name}-outside.pdf")


CASES: list[tuple[str, str, Callable[[World], Path | tuple[Path, str]]]] = [
    ("a byte after the archive", "container", lambda w: w.raw(w.bundle.read_bytes() + b"\0")),
    ("a program before the archive", "container", lambda w: w.raw(b"#!/bin/sh\n" + w.bundle.read_bytes())),
    ("a comment in the archive", "container", zip_with(lambda z, w: setattr(z, "comment", b"hello"))),
    ("a second report.pdf", "container", with_member("{top}/data/report.pdf", b"%PDF-other")),
    ("a path that climbs out", "container", with_member("{top}/../evil", b"x")),
    ("an absolute path", "container", with_member("/etc/evil", b"x")),
    (
        "a compressed bomb",
        "container",
        zip_with(lambda z, w: z.writestr(f"{w.top}/zz", bytes(10**7), zipfile.ZIP_DEFLATED)),
    ),
    ("a symbolic link in the archive", "container", symlink),
    ("files in another order", "container", unsorted),
    ("other dates in the archive", "container", dates),
    ("a twin that differs in capitals", "container", twin),
    ("a file beside the top folder", "container", with_member("zz/file", b"x")),
    ("a hidden file", "container", with_member("{top}/.hidden", b"x")),
    ("an archive cut short", "container", lambda w: w.raw(w.bundle.read_bytes()[:-30])),
    ("a name that is not ASCII", "container", with_member("{top}/re\u0301port", b"x")),
    ("a link in the folder", "container", unfolded(link_report)),
    ("an empty folder", "container", unfolded(lambda root: (root / "data/extra").mkdir())),
    ("another top folder", "manifest", lambda w: w.pack(w.files, "another-bundle-1")),
    (
        "a list with spaces",
        "manifest",
        lambda w: w.pack(tag({**w.files, "manifest.json": w.files["manifest.json"].replace(b":", b": ", 1)})),
    ),
    (
        "a list with a key twice",
        "manifest",
        lambda w: w.pack(tag({**w.files, "manifest.json": w.files["manifest.json"][:-1] + b',"name":"x"}'})),
    ),
    (
        "an exhibit's byte changed",
        "files",
        lambda w: w.pack({p: c[:-1] + b"\0" if "/master/" in p else c for p, c in w.files.items()}),
    ),
    (
        "an exhibit dropped",
        "files",
        lambda w: w.pack({p: c for p, c in w.files.items() if "MO-2/master" not in p}),
    ),
    ("a file nobody listed", "files", lambda w: w.pack(tag({**w.files, "custody/more.jsonl": b"{}\n"}))),
    ("a nested second manifest", "files", lambda w: w.pack(tag({**w.files, "data/manifest.json": b"{}"}))),
    ("an unlisted file in the folder", "files", unfolded(lambda root: (root / "README").write_text("hello"))),
    (
        "no tag manifest",
        "bag",
        lambda w: w.pack({p: c for p, c in w.files.items() if not p.startswith("tagmanifest")}),
    ),
    (
        "another tag manifest",
        "bag",
        lambda w: w.pack({**w.files, "tagmanifest-sha256.txt": w.files["tagmanifest-sha256.txt"][66:]}),
    ),
    ("exhibits swapped and signed", "exhibits", swap_exhibits),
    (
        "a nested bundle, listed and signed",
        "exhibits",
        lambda w: insider(w, {**w.files, "data/inner/manifest.json": w.files["manifest.json"]}),
    ),
    (
        "an actor renamed",
        "exhibits",
        change_file("custody/actors.json", lambda c: c.replace(b"Idris", b"Edris")),
    ),
    ("another verify.py in the bundle", "exhibits", change_file("verify.py", lambda c: c + b"\n# pass\n")),
    (
        "other claims",
        "exhibits",
        change_file("CLAIMS.md", lambda c: c.replace(b"## Not proved", b"## Also proved")),
    ),
    (
        "another organisation in bag-info",
        "exhibits",
        change_file("bag-info.txt", lambda c: c.replace(b"Wharf", b"Warf")),
    ),
    ("a title under the wrong digest", "exhibits", title_under_wrong_digest),
    ("a file without a place, signed", "exhibits", lambda w: insider(w, {**w.files, "log/extra": b"x"})),
    ("an event dropped", "custody", edit_events(lambda e: e.pop(3) and None)),
    ("events in another order", "custody", edit_events(lambda e: e[::-1])),
    ("an event edited", "custody", edit_events(_edit_body)),
    ("a salt changed", "custody", edit_events(_edit_salt)),
    ("two events at one index", "custody", edit_events(_same_index)),
    ("the sealing event dropped", "custody", edit_events(lambda e: e[:-1])),
    ("a digest that the log never held", "custody", undigested),
    (
        "everything re-hashed without the key",
        "manifest-note",
        lambda w: w.pack(rehash(relist(other_statement(w)), None, w.top)),
    ),
    (
        "everything signed by a new manifest key",
        "manifest-note",
        lambda w: w.pack(rehash(w.files, w.stranger.manifest, w.top)),
    ),
    ("an extra signature", "manifest-note", extra_signature),
    ("malleable base64", "manifest-note", malleable_base64),
    ("a forged log with its own key", "checkpoint", forged_log),
    ("a witness's signature broken", "checkpoint", bad_cosignature),
    ("a proof swapped between events", "inclusion", edit_events(_swap_proofs)),
    (
        "an event that the log never held",
        "inclusion",
        lambda w: the_force(w, forge=maker.Forge(leaves=_unheld)),
    ),
    (
        "a grafted proof file",
        "inclusion",
        lambda w: insider(w, {**w.files, "proofs/MO-1.tlog-proof": w.files["proofs/MO-2.tlog-proof"]}),
    ),
    ("an old checkpoint", "inclusion", old_checkpoint),
    (
        "a statement's word changed, all signed again",
        "payload",
        lambda w: insider(w, relist(other_statement(w))),
    ),
    (
        "a report revised after sealing, all signed again",
        "payload",
        lambda w: insider(
            w, relist({**w.files, "data/report.pdf": append_revision(w.files["data/report.pdf"])})
        ),
    ),
    (
        "a sealing event for another payload",
        "payload",
        lambda w: the_force(w, forge=maker.Forge(sealed_body={"payload_sha256": "0" * 64})),
    ),
    ("a history naming another manifest key", "key-history", other_key_in_history),
    ("a manifest key out of its time", "key-history", ended_key_in_history),
    ("a history signed by a stranger", "key-history", strangers_history),
    ("another bundle's timestamp", "timestamp", another_bundles_stamp),
    ("a byte after the timestamp", "timestamp", change_file("tsa/tsa1.tsr", lambda c: c + b"\0")),
    ("only the timestamp's token", "timestamp", bare_token),
    ("a timestamp by a self-made authority", "timestamp", strangers_stamp),
    ("an event after the timestamp", "timestamp", future_event),
    ("a report never sealed", "report", lambda w: the_force(w, reseal=lambda pdf, _: pdf)),
    (
        "a revision after the seal, logged as sealed",
        "report",
        lambda w: the_force(w, reseal=reseal_then(append_revision)),
    ),
    ("a revision after the seal, stamped", "report", lambda w: the_force(w, reseal=shadow_and_stamp(w))),
    (
        "bytes after the report",
        "report",
        lambda w: the_force(w, reseal=reseal_then(lambda pdf: pdf + b"\n% more\n")),
    ),
    ("another exhibit list inside the report", "attachment", other_attachment),
    ("a report sealed by a stranger", "seal", strangers_seal),
    ("a report stamped by a stranger", "seal", strangers_archive_stamp),
    (
        "a policy with another manifest key",
        "manifest-note",
        edit_policy(
            "#counterfoil manifest-key", lambda w: f"#counterfoil manifest-key {w.stranger.manifest.vkey}"
        ),
    ),
    ("a clip whose whole recording is on no schedule", "derivations", papered(unscheduled)),
    ("a clip with a recipe that the log does not hold", "derivations", papered(recooked)),
    ("a clip passed off as an original", "derivations", papered(underived)),
    ("an account of how an original was made", "derivations", papered(stray_account)),
    ("a whole recording with another digest", "derivations", in_paper(MG6C, _other_whole)),
    (
        "a working copy of something else",
        "derivations",
        in_paper("data/exhibits/MO-1/derivation.json", _other_source),
    ),
    ("a restricted exhibit listed as an ordinary one", "exhibits", papered(unrestricted)),
    ("a schedule with a number missing", "schedules", in_paper(MG6C, _gap)),
    ("a schedule whose first issue is missing", "schedules", in_paper(MG6C, _missing_issue)),
    ("a schedule endorsed nil that is not", "schedules", in_paper(MG6C, _nil)),
    ("an item that became another thing", "schedules", in_paper(MG6C, _another_thing)),
    ("items in another order", "schedules", in_paper(MG6C, _disorder)),
    ("a reason on the wrong form", "schedules", in_paper(MG6C, _reasoned)),
    ("an exhibit left off the MG12", "schedules", in_paper(MG12, _fewer)),
    ("sensitive material for the defence", "schedules", papered(sensitive)),
    ("a prosecutor's bundle without an MG6D", "schedules", papered(unmatched)),
    ("a bundle for somebody else", "schedules", papered(nobody)),
    ("an erased event that nothing erased", "custody", edit_events(_no_eraser)),
    ("an awkward event called erased", "custody", edit_events(_erase_another)),
    (
        "a manifest key revoked before",
        "key-history",
        history_with(revoked=maker.START.replace(year=2026, month=2), reason="stolen"),
    ),
    (
        "a log key revoked before",
        "key-history",
        history_with(of="log", revoked=maker.START.replace(year=2026, month=2), reason="lost"),
    ),
    (
        "a key that ended, says the policy",
        "key-history",
        add_line(lambda w: f"#counterfoil ended {key_name(w.keys.manifest)} 2026-01-01T00:00:00Z"),
    ),
    (
        "a log key that ended, says the policy",
        "key-history",
        add_line(lambda w: f"#counterfoil ended {key_name(w.keys.log)} 2026-01-01T00:00:00Z"),
    ),
    (
        "another log published at this size",
        "checkpoint",
        add_line(lambda w: published(w, maker.SIZE, b"other")),
    ),
    (
        "another log published earlier",
        "checkpoint",
        add_line(lambda w: published(w, maker.EARLIER, b"other")),
    ),
    ("no timestamp at all", "timestamp", lambda w: unstamped(w, "tsa")),
    ("a timestamp by a revoked authority", "timestamp", revoked_stamp),
    ("a renewal dropped from the middle", "timestamp", skipped_renewal),
    (
        "a renewal of something else",
        "timestamp",
        lambda w: insider(
            w,
            {
                **w.files,
                "tsa/tsa2.renewed-1.tsr": w.keys.second.stamp(hashlib.sha256(b"other").digest()),
            },
        ),
    ),
    (
        "the second authority's timestamp transplanted",
        "timestamp",
        lambda w: insider(w, {**w.files, "tsa/tsa2.tsr": w.files["tsa/tsa2.renewed-1.tsr"]}),
    ),
    (
        "certificates of no timestamp",
        "timestamp",
        lambda w: insider(w, {**w.files, "tsa/tsa9/chain/01.pem": w.files["tsa/tsa1/chain/01.pem"]}),
    ),
    (
        "no witness that the policy asks for",
        "witnesses",
        lambda w: the_force(w, forge=maker.Forge(cosign=False)),
    ),
    ("the force rewrites its log and signs everything", "witnesses", force_rewrites),
    ("two witnesses of one operator", "witnesses", two_of_one),
    ("a policy with another log", "checkpoint", edit_policy("log ", lambda w: f"log {w.stranger.log.vkey}")),
    (
        "a policy with another timestamp root",
        "timestamp",
        edit_policy("#counterfoil tsa-root", lambda w: f"#counterfoil tsa-root x {'0' * 64}"),
    ),
    (
        "a policy with another sealing root",
        "seal",
        edit_policy("#counterfoil seal-root", lambda w: f"#counterfoil seal-root x {'0' * 64}"),
    ),
]

__all__ = ["CASES", "CosignSigner", "World", "insider", "rehash", "relist", "tag", "the_force", "unpack"]
