"""Judge a bundle from its own bytes and a policy that came from outside it; fail closed.

The checks run in the order of `words.CHECKS` and stop at the first that fails. `standalone/verify.py` makes the same
checks a second time, written apart from this file with the standard library and openssl; tests hold the two together.
"""

import datetime as dt
import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509

from counterfoil.engines.bundle import texts
from counterfoil.engines.bundle.archive import Found, read_archive, read_folder
from counterfoil.engines.bundle.build import (
    FORMAT,
    NOTE,
    TOLERANCE,
    UNLISTED,
    bag_manifest,
    event_time,
    folder_of,
    in_time,
    manifest_text,
    names_erased,
)
from counterfoil.engines.bundle.history import KeyPeriod, read_history
from counterfoil.engines.bundle.identity import fingerprint, load_crls
from counterfoil.engines.bundle.papers import AUDIENCES, FORMS
from counterfoil.engines.bundle.seal import Report
from counterfoil.engines.bundle.stamp import check_reply
from counterfoil.engines.bundle.words import CHECKS, Check, Verdict, conclude
from counterfoil.engines.errors import BadInput, Corrupt, Refusal
from counterfoil.engines.tlog import (
    Checkpoint,
    OpenedNote,
    Policy,
    Verifier,
    canonical_json,
    check_consistency,
    check_inclusion,
    entry_commitment,
    jcs,
    leaf_hash,
    open_note,
    parse_checkpoint,
    split_note,
    tlog_proof,
)

SMALL, LARGE, REPORT = 1 << 20, 1 << 26, 1 << 29
MAX_EVENTS = 200_000
NOT_PROVED, OK = "not-proved", "ok"
LISTING = {
    "format",
    "name",
    "urn",
    "force",
    "case",
    "built_at",
    "development",
    "audience",
    "exhibits",
    "events",
    "papers",
    "annex",
}
ROW = {
    "label",
    "title",
    "sha256",
    "size",
    "media_type",
    "original_name",
    "produced_by",
    "recorded",
    "duration_ms",
    "note",
    "path",
    "restricted",
    "parent",
    "recipe_sha256",
    "derivation",
    "working",
    "events",
}
ITEM = {"number", "description", "location", "exhibit", "sha256", "reason", "decision", "comment"}
STAMP_FILE = re.compile(r"tsa/([a-z0-9][a-z0-9-]{0,31})(?:\.renewed-([1-9]\d?))?\.tsr", re.ASCII)
CHAIN_FILE = re.compile(r"tsa/([a-z0-9][a-z0-9-]{0,31})/chain/(crl-)?\d\d\.pem", re.ASCII)
CONSISTENCY_FILE = re.compile(r"log/consistency-from-([1-9]\d{0,17})\.txt", re.ASCII)
Result = tuple[str, str] | None


class Event:
    """One line of custody/events.jsonl."""

    def __init__(self, line: bytes) -> None:
        value = canonical_json(line)
        shapes = ({"index", "salt", "body", "proof"}, {"index", "commitment", "proof", "erased"})
        if not isinstance(value, dict) or set(value) not in shapes:
            raise Corrupt("A custody event is not in the form we know.")
        index, body, proof = value["index"], value.get("body", {}), value["proof"]
        if type(index) is not int or index < 0 or not isinstance(body, dict) or not isinstance(proof, list):
            raise Corrupt("A custody event is not in the form we know.")
        self.index: int = index
        self.body: dict[str, Any] = body
        self.proof = [_base64(h) for h in proof]
        self.erased_by: int | None = None
        if "erased" in value:
            by = value["erased"]
            if not isinstance(by, dict) or set(by) != {"by_index"} or type(by["by_index"]) is not int:
                raise Corrupt("An erased event does not say which event erased it.")
            self.erased_by = by["by_index"]
            self.commitment = _hex(value["commitment"], 32)
        else:
            self.commitment = entry_commitment(_hex(value["salt"], 32), body)


class Case:
    """One bundle under judgement: what earlier checks read is here for the later ones."""

    def __init__(self, path: Path, policy_text: str | bytes | None) -> None:
        self.path = path
        self.policy_text = policy_text
        self.policy: Policy | None = None
        self.top = ""
        self.files: dict[str, Found] = {}
        self.events: list[Event] = []
        self.sealed: Event | None = None
        self.point: Checkpoint | None = None
        self.log: Verifier | None = None
        self.manifest_key: Verifier | None = None
        self.stamped: dt.datetime | None = None
        self.opened: OpenedNote | None = None
        self.development = False
        self.witnessed = False

    def read(self, path: str, limit: int = SMALL) -> bytes:
        """Return a file's content, or raise Corrupt if it is missing or too long."""
        if path not in self.files:
            raise Corrupt(f"The bundle has no {path}.")
        return self.files[path].read(limit)

    @cached_property
    def listing(self) -> dict[str, Any]:
        """The exhibit list, in its one form."""
        value = canonical_json(self.read("data/exhibits.json", LARGE))
        if not isinstance(value, dict) or set(value) != LISTING or value["format"] != FORMAT:
            raise Corrupt("data/exhibits.json is not in the form we know.")
        if any(not isinstance(x, dict) or set(x) != ROW for x in value["exhibits"]):
            raise Corrupt("A line of the exhibit list is not in the form we know.")
        return value

    @cached_property
    def history(self) -> tuple[KeyPeriod, ...]:
        """The key history's periods."""
        return read_history(self.read("keys/history.note"))

    @cached_property
    def report(self) -> Report:
        """The sealed report."""
        return Report(self.read("data/report.pdf", REPORT))

    def own_keys(self, role: str) -> list[Verifier]:
        """Keys that only the bundle itself names."""
        keys = {p.vkey: Verifier.from_vkey(p.vkey) for p in self.history if p.role == role}
        return list(keys.values())


def check_container(case: Case) -> Result:
    """Read the archive or folder safely; every byte of an archive must follow from its files."""
    if case.path.is_dir() and not case.path.is_symlink():
        case.top, case.files = read_folder(case.path)
    else:
        case.top, case.files = read_archive(case.path)
    return None


def check_manifest(case: Case) -> Result:
    """Read manifest.json in its one form: canonical JSON, sorted, each file once."""
    value = canonical_json(case.read("manifest.json", LARGE))
    if not isinstance(value, dict) or set(value) != {"format", "name", "files"} or value["format"] != NOTE:
        raise Corrupt("manifest.json is not in the form we know.")
    if case.top and value["name"] != case.top:
        raise Corrupt("manifest.json names another bundle than the archive's folder.")
    for row in value["files"]:
        if set(row) != {"path", "size", "sha256"} or type(row["size"]) is not int:
            raise Corrupt("A line of manifest.json is not in the form we know.")
    paths = [row["path"] for row in value["files"]]
    if paths != sorted(set(paths)):
        raise Corrupt("manifest.json does not list its files once each, in order.")
    return None


def check_files(case: Case) -> Result:
    """Compare every listed size and digest with the files, and refuse any file that is not listed."""
    listed = {
        r["path"]: (r["size"], r["sha256"])
        for r in canonical_json(case.read("manifest.json", LARGE))["files"]
    }
    for path, (size, digest) in listed.items():
        if path not in case.files:
            raise Corrupt(f"{path} is listed but missing{_where(path)}.")
        if (case.files[path].size, case.files[path].sha256) != (size, digest):
            raise Corrupt(f"{path} is not the file that was listed{_where(path)}.")
    extra = sorted(set(case.files) - set(listed) - set(UNLISTED))
    if extra or any(name in listed for name in UNLISTED):
        raise Corrupt(
            f"{(extra or ['manifest.json'])[0]!a} is in the bundle but should not be listed, or is not."
        )
    return None


def check_bag(case: Case) -> Result:
    """Recompute the BagIt manifests from the files and compare bytes."""
    data = {p: f.sha256 for p, f in case.files.items() if p.startswith("data/")}
    tags = {p: f.sha256 for p, f in case.files.items() if p not in data and p != "tagmanifest-sha256.txt"}
    for name, wanted in (
        ("bagit.txt", texts.BAGIT),
        ("manifest-sha256.txt", bag_manifest(data)),
        ("tagmanifest-sha256.txt", bag_manifest(tags)),
    ):
        if case.read(name, LARGE) != wanted:
            raise Corrupt(f"{name} is not what the files give.")
    return None


def check_exhibits(case: Case) -> Result:
    """Compare the exhibit list with the files: nothing missing, nothing that it does not account for."""
    listing = case.listing
    if listing["name"] != canonical_json(case.read("manifest.json", LARGE))["name"]:
        raise Corrupt("The exhibit list belongs to another bundle.")
    expected = {"data/exhibits.json", "data/report.pdf", *listing["papers"]}
    folders = set()
    for x in listing["exhibits"]:
        label, path, digest = x["label"], x["path"], x["sha256"]
        folder = folder_of(label)
        places = [(path, "master", digest, x["size"])] if not x["restricted"] else []
        places += [(w["path"], "working", w["sha256"], w["size"]) for w in x["working"]]
        if folder.lower() in folders or (x["restricted"] and (path is not None or places)):
            raise Corrupt(f"Exhibit {label!a} is listed twice, or is restricted and yet copied.")
        folders.add(folder.lower())
        for place, kind, sha256, size in places:
            if not re.fullmatch(
                f"data/exhibits/{re.escape(folder)}/{kind}/{sha256[:16]}\\.[a-z0-9]{{1,5}}", place, re.ASCII
            ):
                raise Corrupt(f"Exhibit {label!a} is not where its digest says it should be.")
            expected.add(place)
            found = case.files.get(place)
            if found is None or found.sha256 != sha256 or found.size != size:
                raise Corrupt(
                    f"The file of exhibit {label} is not the one that the exhibit list names: {title_of(x)}"
                )
    for path, digest in {**listing["papers"], **listing["annex"]}.items():
        if path not in case.files or case.files[path].sha256 != digest:
            raise Corrupt(f"{path!a} is not the one that the exhibit list names.")
    if set(listing["papers"]) & set(listing["annex"]) or any(p.startswith("data/") for p in listing["annex"]):
        raise Corrupt("The exhibit list names a paper twice.")
    data = {p for p in case.files if p.startswith("data/")}
    if data != expected:
        raise Corrupt("The data folder holds a file that the exhibit list does not account for.")
    oxum = f"{sum(case.files[p].size for p in data)}.{len(data)}"
    if case.read("bag-info.txt") != texts.bag_info(listing, oxum):
        raise Corrupt("bag-info.txt is not what the exhibit list gives.")
    fixed = {*UNLISTED, "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "custody/events.jsonl"}
    fixed |= {"log/checkpoint"}
    fixed |= {"proofs/bundle.tlog-proof", *listing["annex"]}
    fixed |= {f"proofs/{folder_of(x['label'])}.tlog-proof" for x in listing["exhibits"]}
    for path in set(case.files) - data - fixed:
        if not any(form.fullmatch(path) for form in (STAMP_FILE, CHAIN_FILE, CONSISTENCY_FILE)):
            raise Corrupt(f"{path!a} has no place in a bundle.")
    case.development |= bool(listing["development"])
    _check_titles(case)
    return None


def _check_titles(case: Case) -> None:
    titles = canonical_json(case.read("custody/titles.json", LARGE))
    canonical_json(case.read("custody/actors.json", LARGE))
    for digest, text in titles.items():
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise Corrupt("A title is filed under a digest that is not its own.")
    if any(hashlib.sha256(x["title"].encode()).hexdigest() not in titles for x in case.listing["exhibits"]):
        raise Corrupt("An exhibit's title is not among the titles of the bundle.")


def check_custody(case: Case) -> Result:
    """Recompute every event's commitment; the list sealed in the payload must be met exactly, and in order."""
    lines = case.read("custody/events.jsonl", LARGE).split(b"\n")
    if lines.pop() != b"" or not lines or len(lines) > MAX_EVENTS:
        raise Corrupt("custody/events.jsonl is empty, cut short or too long.")
    case.events = [Event(line) for line in lines]
    indexes = [e.index for e in case.events]
    if indexes != sorted(set(indexes)):
        raise Corrupt("The custody events are not in the order of the log, or one is there twice.")
    by_commitment = {e.commitment.hex(): e for e in case.events}
    wanted = set(case.listing["events"])
    for x in case.listing["exhibits"]:
        mine = [by_commitment.get(c) for c in x["events"]]
        if None in mine:
            raise Corrupt(f"A custody event of exhibit {x['label']} is missing or was altered.")
        order = [e.index for e in mine if e is not None]
        if order != sorted(set(order)):
            raise Corrupt(f"The custody events of exhibit {x['label']} are out of order.")
        if not any(e is not None and e.body.get("sha256") == x["sha256"] for e in mine):
            raise Corrupt(f"No custody event of exhibit {x['label']} holds the digest of its file.")
        wanted |= set(x["events"])
    if not wanted <= set(by_commitment):
        raise Corrupt("A custody event of the case is missing or was altered.")
    rest = [e for c, e in by_commitment.items() if c not in wanted]
    if len(rest) != 1 or rest[0].body.get("act") != "bundle.sealed" or len(by_commitment) != len(case.events):
        raise Corrupt(
            "Besides the events of the exhibit list there must be one more: the sealing of this bundle."
        )
    case.sealed = rest[0]
    by_index = {e.index: e for e in case.events}
    for event in case.events:
        if event.erased_by is None:
            event_time(event.body)
            continue
        by = by_index.get(event.erased_by)
        if by is None or not names_erased(by.body, event.index):
            raise Corrupt(
                f"Event {event.index} is said to be erased, but no erasure under a rule names it: it is missing."
            )
    return None


def check_derivations(case: Case) -> Result:
    """Follow each derived exhibit and working copy to what it was made from, by digest and by the log's entry."""
    listing = case.listing
    by_commitment = {e.commitment.hex(): e for e in case.events}
    whole = {
        i["exhibit"]: i["sha256"] for s in schedules_of(case).values() for i in items_of(s) if i["exhibit"]
    }
    rows = {x["label"]: x for x in listing["exhibits"]}
    papers = {p for p in listing["papers"] if p.startswith("data/exhibits/")}
    for label, x in rows.items():
        place = f"data/exhibits/{folder_of(label)}/derivation.json"
        told = place if x["parent"] is not None or x["working"] else None
        if x["derivation"] != told or (x["parent"] is None) is not (x["recipe_sha256"] is None):
            raise Corrupt(f"Exhibit {label} does not say how it, or a copy of it, was made.")
        if told is None:
            continue
        papers.discard(place)
        made = canonical_json(case.read(place, LARGE))
        recipe = made["recipe"]
        if (
            made
            != {
                "format": "counterfoil/derivation/v1",
                "label": label,
                "sha256": x["sha256"],
                "parent": x["parent"],
                "recipe": recipe,
                "working": made["working"],
            }
            or [w["path"] for w in made["working"]] != [w["path"] for w in x["working"]]
            or any(w["recipe"]["input_sha256"] != x["sha256"] for w in made["working"])
        ):
            raise Corrupt(f"The account of how exhibit {label} was made belongs to something else.")
        if x["parent"] is None:
            continue
        parent = rows.get(x["parent"])
        digest = parent["sha256"] if parent else whole.get(x["parent"])
        if digest is None:
            raise Corrupt(
                f"Exhibit {label} was made from {x['parent']}, which is neither an exhibit here nor on a schedule."
            )
        if recipe["input_sha256"] != digest or (parent and parent["restricted"]):
            raise Corrupt(f"Exhibit {label} was not made from {x['parent']}: the digests differ.")
        recorded = hashlib.sha256(jcs(recipe)).hexdigest()
        logged = {by_commitment[c].body.get("recipe_sha256") for c in x["events"]}
        if x["recipe_sha256"] != recorded or recorded not in logged:
            raise Corrupt(f"The log does not hold the recipe by which exhibit {label} was made.")
    if papers:
        raise Corrupt("There is an account of how something was made that is not in the exhibit list.")
    return None


def schedules_of(case: Case) -> dict[str, Any]:
    """Read every schedule of the bundle by its form."""
    paths = [p for p in case.listing["papers"] if p.startswith("data/schedules/")]
    return {p[15:-5]: canonical_json(case.read(p, LARGE)) for p in paths}


def items_of(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of all issues of a schedule, in order."""
    return [item for issue in schedule["issues"] for item in issue["items"]]


def check_schedules(case: Case) -> Result:
    """Check that schedules are numbered on without a gap, and that no sensitive one went to the defence."""
    found = schedules_of(case)
    audience = case.listing["audience"]
    if audience not in AUDIENCES or (audience != "prosecutor" and "MG6D" in found):
        raise Corrupt("A schedule of sensitive material is in a bundle that is not for the prosecutor.")
    if audience == "prosecutor" and "MG6C" in found and "MG6D" not in found:
        raise Corrupt("The prosecutor's bundle has no MG6D, not even one endorsed nil.")
    for form, schedule in found.items():
        if set(schedule) != {"format", "form", "issues"} or form not in FORMS or schedule["form"] != form:
            raise Corrupt("A schedule is not in the form we know.")
        if schedule["format"] != "counterfoil/schedule/v1" or not schedule["issues"]:
            raise Corrupt("A schedule is not in the form we know.")
        for n, issue in enumerate(schedule["issues"], 1):
            if (
                set(issue) != {"number", "signed_by", "signed_at", "endorsed_nil", "items"}
                or issue["number"] != n
            ):
                raise Corrupt(f"The issues of {form} are not numbered 1, 2, 3: one is missing.")
            if issue["endorsed_nil"] is not (not issue["items"]):
                raise Corrupt(f"Issue {n} of {form} is empty but not endorsed nil, or the other way round.")
        things: dict[int, str] = {}
        for issue in schedule["issues"]:
            numbers = [item["number"] for item in issue["items"]]
            if any(set(item) != ITEM or (item["reason"] and form != "MG6D") for item in issue["items"]):
                raise Corrupt(f"A line of {form} holds what that form has no place for.")
            if numbers != sorted(set(numbers)):
                raise Corrupt(f"The items of issue {issue['number']} of {form} are not in order.")
            for item in issue["items"]:
                if things.setdefault(item["number"], item["exhibit"]) != item["exhibit"]:
                    raise Corrupt(
                        f"Item {item['number']} of {form} is one thing in one issue and another later."
                    )
        gap = next((n for n, number in enumerate(sorted(things), 1) if n != number), None)
        if gap:
            raise Corrupt(f"Item {gap} of {form} is missing: its items are not numbered without a gap.")
        if form == "MG12":
            rows = sorted((x["label"], x["sha256"]) for x in case.listing["exhibits"])
            if sorted((i["exhibit"], i["sha256"]) for i in schedule["issues"][-1]["items"]) != rows:
                raise Corrupt("The MG12 does not list exactly the exhibits of this bundle.")
    return None


def check_policy(case: Case) -> Result:
    """Read the policy from outside."""
    if case.policy_text is None:
        return NOT_PROVED, "No policy from outside the bundle was given, so it is not known whose keys count."
    case.policy = Policy.parse(case.policy_text)
    return (
        OK,
        f"Policy with fingerprint {case.policy.fingerprint}: compare it with the one the court published.",
    )


def check_manifest_note(case: Case) -> Result:
    """Check the one signature over the list of files."""
    note = case.read("manifest.note")
    text, signatures = split_note(note)
    if text != manifest_text(
        canonical_json(case.read("manifest.json", LARGE))["name"], case.read("manifest.json", LARGE)
    ):
        raise Corrupt("manifest.note was signed for another list of files.")
    if len(signatures) != 1:
        raise Corrupt("manifest.note must carry exactly one signature.")
    pinned = case.policy.manifest_keys if case.policy else ()
    opened = open_note(note, pinned or case.own_keys("manifest"))
    key = opened.verified_by[0]
    assert isinstance(key, Verifier)  # noqa: S101  (only Verifiers were offered)
    case.manifest_key = key
    case.development |= "DEVELOPMENT" in key.name
    return (
        None
        if pinned
        else (NOT_PROVED, f"The list of files is signed by {key.name}, which no policy vouches for.")
    )


def check_checkpoint(case: Case) -> Result:
    """Check the log's own signature over the checkpoint."""
    note = case.read("log/checkpoint")
    if case.policy:
        judged = case.policy.open_checkpoint(note)
        case.point, case.log, case.opened = judged.checkpoint, judged.log, judged.note
        result: Result = None
    else:
        case.opened = open_note(note, case.own_keys("log"))
        case.point = parse_checkpoint(case.opened.text)
        log = next((v for v in case.opened.verified_by if v.name == case.point.origin), None)
        if not isinstance(log, Verifier):
            raise Corrupt("The log's statement is not signed by the log it names.")
        case.log = log
        result = NOT_PROVED, f"The log's statement is signed by {log.name}, which no policy vouches for."
    case.development |= "DEVELOPMENT" in case.log.name
    _check_published(case)
    return result


def _check_published(case: Case) -> None:
    """Compare with what the log is known to have said: the same size has the same root, a larger log grew from it."""
    assert case.point is not None  # noqa: S101  (set by the caller)
    for known in case.policy.published if case.policy else ():
        if known.origin != case.point.origin or known.size > case.point.size:
            continue
        path = f"log/consistency-from-{known.size}.txt"
        if known.size == case.point.size:
            grew = known.root == case.point.root
        elif path in case.files:
            lines = case.read(path).decode("ascii", "replace").split("\n")
            if lines.pop() != "" or len(lines) > 63:
                raise Corrupt(f"{path} is malformed.")
            proof = [_base64(line) for line in lines]
            grew = known.size > 0 and check_consistency(
                known.size, case.point.size, known.root, case.point.root, proof
            )
        else:
            continue
        if not grew:
            raise Corrupt(
                f"This is not the log that was published when it had {known.size} entries: it was rewritten since."
            )


def check_in_log(case: Case) -> Result:
    """Follow every event's proof to the checkpoint's root; the proof files must say the same."""
    assert case.point is not None  # noqa: S101  (set by an earlier check)
    assert case.sealed is not None  # noqa: S101
    for event in case.events:
        leaf = leaf_hash(event.commitment)
        if not check_inclusion(leaf, event.index, case.point.size, event.proof, case.point.root):
            raise Corrupt(f"Event {event.index} is not in the log that the checkpoint describes.")
    note = case.read("log/checkpoint").decode()
    by_commitment = {e.commitment.hex(): e for e in case.events}
    proofs = {"bundle": case.sealed}
    for x in case.listing["exhibits"]:
        own = [by_commitment[c] for c in x["events"]]
        proofs[folder_of(x["label"])] = next(e for e in own if e.body.get("sha256") == x["sha256"])
    for name, event in proofs.items():
        if case.read(f"proofs/{name}.tlog-proof") != tlog_proof(event.index, event.proof, note).encode():
            raise Corrupt(f"proofs/{name}.tlog-proof is not the proof of that entry in this log.")
    return None


def check_payload(case: Case) -> Result:
    """Compare the payload with the digest that was put in the log when the bundle was sealed."""
    assert case.sealed is not None  # noqa: S101
    if case.sealed.body.get("payload_sha256") != case.files["manifest-sha256.txt"].sha256:
        raise Corrupt("The log holds the sealing of another payload than this one.")
    return None


def check_key_history(case: Case) -> Result:
    """Check that the log key signed the key history and that it names the keys used, at the time of building."""
    assert case.log is not None  # noqa: S101
    assert case.manifest_key is not None  # noqa: S101
    open_note(case.read("keys/history.note"), [case.log])
    try:
        built = dt.datetime.strptime(case.listing["built_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise Corrupt("The exhibit list does not say when the bundle was built.") from None
    assert case.stamped is not None  # noqa: S101
    at = case.stamped.replace(microsecond=0)
    ended = {(e.name, e.key_id): e.at for e in case.policy.ended} if case.policy else {}
    for role, key in (("log", case.log), ("manifest", case.manifest_key)):
        mine = [p for p in case.history if p.role == role and p.vkey == key.vkey]
        if not any(p.covers(built) and p.covers(at) for p in mine):
            raise Corrupt(
                f"The key history does not name {key.name} as the {role} key when the bundle was built."
            )
        gone = next((p for p in mine if p.revoked is not None and p.revoked <= at), None)
        if gone:
            raise Corrupt(
                f"The {role} key {key.name} had been revoked ({gone.reason}) before this was signed."
            )
        if ended.get((key.name, key.key_id), at + dt.timedelta(1)) <= at:
            raise Corrupt(f"The policy says that the {role} key {key.name} had ended before this was signed.")
    return None


def check_witnesses(case: Case) -> Result:
    """Count the policy's witnesses that cosigned; development ones do not count."""
    if not case.policy:
        return NOT_PROVED, "Without a policy no witness is known."
    assert case.opened is not None  # noqa: S101
    cosigned = [w for w in case.policy.witnesses if w.key in case.opened.verified_by]
    real = [w.name for w in cosigned if "DEVELOPMENT" not in w.key.name]
    if case.policy.quorum == "none":
        return NOT_PROVED, "The policy asks for no witness, so none vouches for the log."
    if case.policy.satisfied(real):
        case.witnessed = True
        return OK, f"Cosigned by {', '.join(real)}: the policy's quorum."
    if case.policy.satisfied(w.name for w in cosigned):
        return NOT_PROVED, "Only a development witness cosigned, which does not count."
    raise Corrupt(
        f"The force's own signatures fit, but too few of the independent witnesses that the policy requires saw this "
        f"log ({len(cosigned)} of {len(case.policy.witnesses)} signed). A log that the force rewrote looks like this."
    )


def check_timestamp(case: Case) -> Result:
    """Check each RFC 3161 reply over the checkpoint's exact bytes, and each renewal over the reply before it."""
    stamps = sorted({m[1] for p in case.files if (m := STAMP_FILE.fullmatch(p)) and not m[2]})
    if {m[1] for p in case.files if (m := STAMP_FILE.fullmatch(p) or CHAIN_FILE.fullmatch(p))} != set(stamps):
        raise Corrupt("A file beside the timestamps belongs to none of them.")
    pinned = [r.sha256 for r in case.policy.tsa_roots] if case.policy else []
    times = {name: _check_stamp(case, name, pinned) for name in stamps}
    if not times:
        raise Corrupt("The bundle holds no timestamp over the log's statement.")
    tolerance = case.policy.tsa_tolerance if case.policy else TOLERANCE
    case.stamped = min(times.values())
    if (max(times.values()) - case.stamped).total_seconds() > tolerance:
        raise Corrupt(f"Two timestamp authorities disagree about the time by more than {tolerance} seconds.")
    when = f"{case.stamped:%Y-%m-%d %H:%M:%S} UTC"
    if not pinned:
        return NOT_PROVED, f"The timestamp says {when}, but no policy vouches for the authority that gave it."
    return OK, f"The log's statement existed at {when}, after every event in it ({', '.join(times)})."


def _check_stamp(case: Case, name: str, pinned: list[str]) -> dt.datetime:
    """Return the first time that one authority gave; each authority whose timestamp is here must hold."""
    names = sorted(p for p in case.files if (m := CHAIN_FILE.fullmatch(p)) and m[1] == name)
    try:
        chain = [x509.load_pem_x509_certificate(case.read(p)) for p in names if "crl-" not in p]
        crls = [c for p in names if "crl-" in p for c in load_crls(case.read(p, LARGE).decode())]
    except ValueError:
        raise Corrupt("A certificate or revocation list of the timestamp authority cannot be read.") from None
    roots = pinned or [fingerprint(c) for c in chain if c.issuer == c.subject]
    renewals = sorted(
        int(m[2]) for p in case.files if (m := STAMP_FILE.fullmatch(p)) and m[1] == name and m[2]
    )
    if renewals != list(range(1, len(renewals) + 1)):
        raise Corrupt("A renewal of the timestamp is missing.")
    covered, first = case.read("log/checkpoint"), None
    last: dt.datetime | None = None
    for path in [f"tsa/{name}.tsr", *(f"tsa/{name}.renewed-{n}.tsr" for n in renewals)]:
        reply = case.read(path)
        stamped = check_reply(reply, hashlib.sha256(covered).digest(), chain=chain, roots=roots, crls=crls)
        if last is not None and stamped.at < last:
            raise Corrupt("A renewal of the timestamp is older than what it renews.")
        case.development |= stamped.development
        first, covered, last = first or stamped, reply, stamped.at
    assert first is not None  # noqa: S101  (the loop ran at least once)
    late = next((e for e in case.events if e.erased_by is None and not in_time(first.at, e.body)), None)
    if late:
        raise Corrupt(f"The timestamp is earlier than event {late.index}, which it should cover.")
    return first.at


def check_report(case: Case) -> Result:
    """Check that the report is exactly what was sealed, with nothing after it."""
    case.report.check_whole()
    return None


def check_attachment(case: Case) -> Result:
    """Compare the exhibit list inside the report with the one beside it."""
    if case.report.attached() != case.read("data/exhibits.json", LARGE):
        raise Corrupt("The exhibit list inside the report is not the one in the bundle.")
    return None


def check_seal(case: Case) -> Result:
    """Judge the report's seal under the policy's roots."""
    seals = [r.sha256 for r in case.policy.seal_roots] if case.policy else []
    stamps = [r.sha256 for r in case.policy.tsa_roots] if case.policy else []
    sealed = case.report.check_seal(seals or None, stamps or None)
    case.development |= sealed.development
    if not seals or not stamps:
        return NOT_PROVED, "The report's seal holds, but no policy vouches for the authority behind it."
    return OK, f"Sealed {sealed.at:%Y-%m-%d %H:%M:%S} UTC under an authority that the policy names."


STEPS: dict[str, Callable[[Case], Result]] = {
    "container": check_container,
    "manifest": check_manifest,
    "files": check_files,
    "bag": check_bag,
    "exhibits": check_exhibits,
    "custody": check_custody,
    "derivations": check_derivations,
    "schedules": check_schedules,
    "policy": check_policy,
    "manifest-note": check_manifest_note,
    "checkpoint": check_checkpoint,
    "inclusion": check_in_log,
    "payload": check_payload,
    "witnesses": check_witnesses,
    "timestamp": check_timestamp,
    "key-history": check_key_history,
    "report": check_report,
    "attachment": check_attachment,
    "seal": check_seal,
}


def verify(path: Path | str, policy_text: str | bytes | None) -> Verdict:
    """Judge the bundle at `path` (zip or unpacked folder) under a policy from outside it, or under none.

    Never raises for anything in the bundle: a check that meets something it cannot make sense of has failed. A policy
    that cannot be read makes the verdict NOT-VERIFIABLE.
    """
    case = Case(Path(path), policy_text)
    checks: list[Check] = []
    stopped = False
    for name, meaning in CHECKS:
        if stopped:
            checks.append(Check(name, "not-run", "Not reached."))
            continue
        try:
            state, sentence = STEPS[name](case) or (OK, meaning)
        except BadInput as refusal:
            state = "not-run" if name == "policy" else "failed"
            sentence = str(refusal)
        except Refusal as refusal:
            state, sentence = "failed", str(refusal)
        except (OSError, MemoryError, RecursionError) as error:
            state, sentence = "not-run", f"This check could not run here: {type(error).__name__}."
            if name == "container" and isinstance(error, FileNotFoundError | NotADirectoryError):
                sentence = "There is no bundle at this path."
        except Exception as error:
            state, sentence = "failed", f"What this check met makes no sense ({type(error).__name__})."
        stopped = state in ("failed", "not-run")
        checks.append(Check(name, state, sentence))
    witnessed = case.witnessed and not case.development
    return conclude(checks, policy=policy_text is not None, witnessed=witnessed)


def title_of(x: dict[str, Any]) -> str:
    """Return an exhibit's title for a sentence."""
    return f"{x['title']}."


def _where(path: str) -> str:
    """Say of which exhibit a file is, by its folder, before the exhibit list is known to be good."""
    found = re.match(r"data/exhibits/([^/]+)/", path)
    return f" (exhibit {found[1]})" if found else ""


def _hex(text: object, length: int) -> bytes:
    if not isinstance(text, str) or not re.fullmatch(f"[0-9a-f]{{{2 * length}}}", text):
        raise Corrupt("A salt is not written as it should be.")
    return bytes.fromhex(text)


def _base64(text: object) -> bytes:
    import base64

    try:
        data = base64.b64decode(str(text), validate=True)
    except ValueError:
        raise Corrupt("A hash in a proof is not base64.") from None
    if b64encode(data).decode() != text or len(data) != 32:
        raise Corrupt("A hash in a proof is not written as it should be.")
    return data
