"""Catch us: seven bundles of one case, one as the force gave it and six doctored by people with more and more keys.

    counterfoil demo --story catch-us --out DIR

writes them with the court's policy, the page that judges them offline, and what each is expected to say.
"""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.courts import actions as courts
from counterfoil.courts import queries as court_queries
from counterfoil.courts.gather import gather_again, policy_text, sealer
from counterfoil.demo import doctor
from counterfoil.demo.evidence import make_clip, make_photo
from counterfoil.demo.town import FORCE, build
from counterfoil.duties import actions as duties
from counterfoil.engines import bundle as engine
from counterfoil.engines.bundle.build import commitment
from counterfoil.engines.clock import London
from counterfoil.engines.errors import Refusal
from counterfoil.engines.tlog import (
    Frontier,
    checkpoint_text,
    entry_commitment,
    jcs,
    leaf_hash,
    prove_inclusion,
    sign_note,
)
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import material
from counterfoil.evidence import queries as exhibits
from counterfoil.ledger.queries import log_folder
from counterfoil.plugs.keys import keys
from counterfoil.plugs.stores import vault
from counterfoil.plugs.timestamper import timestampers
from counterfoil.reference.kinds import kind
from counterfoil.reports import actions as reports
from counterfoil.reports import queries as report_queries
from counterfoil.reports import rules as report_rules

CUT = "counterfoil.engines.media.clip:clip"
TITLE = "The man at the side gate, cut from the doorbell's recording"
WORDS = (
    "I live at number four. At about ten past nine in the evening I saw a man in a dark coat force the side gate "
    "and go in. He came out five minutes later with a bag that he did not have before."
)
SAID, NEVER_SAID = "a dark coat", "a light coat"
CHARGE = "On {day} at Exampleton stole a bicycle contrary to section 1(1) of the Theft Act 1968."


@dataclass
class Doctored:
    """One of the seven: its name, what was done by whom, and the words that the page must say of it."""

    name: str
    done: str
    path: Path
    word: str
    failed: str
    says: tuple[str, ...]


@dataclass
class Told:
    """The case, its clean bundle, the court's policy and the seven."""

    by: Viewer
    case: UUID
    folder: Path
    policy: Path
    clip: str
    whole: str
    master: Path
    bundle: UUID
    top: str
    files: doctor.Files
    stories: list[Doctored] = field(default_factory=list)

    def signed(self, name: str, files: doctor.Files) -> Path:
        """Pack what somebody with the key that signs lists would: every list fits and is signed."""
        return doctor.pack(self.folder / name, self.top, doctor.rehash(files, keys().manifest, self.top))


def tell(folder: Path, say: Callable[[str], None] = lambda text: None) -> Told:
    """Build the case with real actions, its bundles, and the six doctored ones, into `folder`."""
    say("A burglary is reported with the doorbell's recording, worked, charged and disclosed …")
    officer, case, items = _case(folder)
    say("The bundles are built, sealed, logged and timestamped …")
    asked = courts.ask_bundle(case, by=officer)
    courts.build_bundle(asked)
    theirs = court_queries.bundle_for(officer, asked)
    ours = court_queries.defence_bundle(officer, asked)
    if theirs is None or ours is None or "failed" in (theirs.state, ours.state):
        raise Refusal(f"The bundles could not be built. {theirs and theirs.error} {ours and ours.error}")
    clean = _stored(ours.sha256, folder / "1-clean.zip")
    other = _stored(theirs.sha256, folder / "prosecutor.zip")
    labels = {x.id: x.label for x in exhibits.exhibits_of(officer, case)}
    policy = folder / "policy.txt"
    policy.write_text(policy_text())
    top, files = doctor.unpack(clean)
    told = Told(
        officer, case, folder, policy, labels[items["cut"]], labels[items["whole"]], folder / "gate.mp4",
        ours.id, top, files,
    )  # fmt: skip
    say("Six are doctored, by people with more and more keys …")
    told.stories += [
        Doctored("clean", "Nothing: this is the bundle as the force gave it.", clean, "VERIFIED-UNWITNESSED", "", ()),
        _frames(told),
        _dropped(told),
        _word(told),
        _transplanted(told, doctor.unpack(other)[1]),
        _revised(told),
        _signed_again(told),
    ]  # fmt: skip
    other.unlink()
    return told


def write(folder: Path, say: Callable[[str], None]) -> bool:
    """Write the seven with everything to check them by, and say whether our own verifier catches each."""
    told = tell(folder, say)
    (folder / "verify.html").write_bytes(engine.page())
    text, right = ABOUT, True
    for n, one in enumerate(told.stories, 1):
        verdict = engine.verify(one.path, told.policy.read_text())
        right &= (verdict.word, verdict.failed or "") == (one.word, one.failed)
        text += f"\n{n}. {one.path.name}\n   What was done: {one.done}\n"
        text += f"   It must say: {verdict.word}. {verdict.sentence}\n"
        if one.failed:
            why = next(c.sentence for c in verdict.checks if c.name == one.failed)
            text += f"   The check that fails: {one.failed}. {why}\n   It names: {'; '.join(one.says)}\n"
        say(f"  {one.path.name:<30} {verdict.word:<22} {verdict.failed or ''}")
    (folder / "READ-ME.txt").write_text(text)
    return right


ABOUT = """Catch us
========

Seven bundles of one invented case. One is as the force gave it to the defence; six were doctored, each by somebody
with more keys than the one before, the last by the force itself with all of them. Which is which?

To check as a court would: cut this machine off from the network, open verify.html in a browser, give it a bundle and
policy.txt, and press "Check the bundle". (Or: counterfoil verify BUNDLE --policy policy.txt, or the verify.py inside
each bundle.)

The keys are demonstration keys and the witness is one of ours, so the best verdict is VERIFIED-UNWITNESSED: that nobody
rewrote the log would rest on the force's word, and the page says so.

gate.mp4 is the whole recording behind the clip: `counterfoil rederive derivation.json --master gate.mp4`, with the
clip's derivation.json from the clean bundle, makes the clip again and compares it byte for byte.

The answers
-----------
"""


# ---------------------------------------------------------------------- the case


def _case(folder: Path) -> tuple[Viewer, UUID, dict[str, UUID]]:
    """Take one case from report to signed schedules, and return the officer, the case and two of its exhibits."""
    players = build()
    officer = viewer_for(players["alice"].id)
    day = datetime.now(London) - timedelta(days=2)
    draft = reports.start_draft("burglary", "en", "catch-us")
    for question, answer in _answers(day.strftime("%Y-%m-%d")).items():
        reports.save_answer(draft, question, answer)
    for path in (make_clip(folder / "gate.mp4"), make_photo(folder / "window.jpg")):
        with path.open("rb") as stream:
            reports.add_upload(draft, path.name, stream, path.stat().st_size)
    (folder / "window.jpg").unlink()
    report = reports.submit(draft, device_safe=True).report_id
    case = case_queries.case_of_report(report)
    assert case is not None  # noqa: S101  (an accepted report has a case)
    film, photo = (f.id for f in report_queries.report_card(report).files)
    duties.triage(case, "scheduled", "The side gate was forced and a camera was running.", by=officer)
    duties.record_crime(case, by=officer)
    whole = evidence.seal(case, film, "Recording of the doorbell camera", by=officer)
    heard = evidence.take_statement(
        case,
        {
            "name": "Nesta Pomfrey", "age": None, "text": WORDS, "declared": True, "cannot_read": False,
            "read_over_by": "", "signed_name": "Nesta Pomfrey", "contact": "Telephone 07700 900456",
            "dates_to_avoid": "", "needs": "",
        },
        by=officer,
    )  # fmt: skip
    suspect = cases.name_suspect(case, "Jonah Vellacott", "custody", "99/CT/01234/26", by=officer)
    courts.record_charging_decision(
        case,
        suspect,
        decision="charge",
        decided_by="prosecutor",
        decider=players["priya"].name,
        decided_at=datetime.now(UTC) - timedelta(minutes=1),
        offence_code="TH68010",
        wording=CHARGE.format(day=day.strftime("%-d %B %Y")),
        reason="There is enough evidence for a realistic prospect of conviction.",
        by=officer,
    )
    settings = {"from": "12", "to": "30", "how": "exact"}
    cut = evidence.derive(case, whole, task=CUT, settings=settings, title=TITLE, by=officer)
    picture = evidence.seal(case, photo, "Photo of the kitchen window", by=officer)
    for what, item in (("exhibit", cut), ("exhibit", picture), ("statement", heard)):
        material.decide(case, what, item, "used", by=officer)
    material.decide(
        case,
        "exhibit",
        whole,
        "unused",
        description="Whole recording of the doorbell camera, from which the clip was cut",
        location="Evidence vault of the force",
        by=officer,
    )
    for _ in range(2):
        looked = evidence.open_exhibit(case, cut, by=officer)
        assert looked  # noqa: S101  (the officer's own exhibit)
        looked[1].close()
    material.sign_schedules(case, officer.name, endorse_nil=True, by=officer)
    return officer, case, {"cut": cut, "whole": whole}


def _answers(day: str) -> dict[str, Any]:
    """Answer every question about a burglary that must be answered: the first choice where nothing is said here."""
    found: dict[str, Any] = {
        "force": FORCE, "name": "Sam Okoro", "contact_channels": ["email"], "contact_email": "sam.okoro@example.com",
        "contact_discreet": "no", "device_safe": "yes",
    }  # fmt: skip
    by_type: dict[str, Any] = {
        "date": day, "time": "21:10", "yesno": "no", "place": "4 Larkspur Yard, Exampleton", "phone": "07700 900123",
    }  # fmt: skip
    while True:
        asked = report_rules.questions_for(kind("burglary"), found)
        missing = [q for q in asked if q.required and q.type != "files" and q.id not in found]
        if not missing:
            return found
        q = missing[0]
        first = [q.options[0].value] if q.type == "checkboxes" else q.options[0].value if q.options else None
        found[q.id] = first or by_type.get(q.type, "The side gate was forced and a bicycle was taken.")


def _stored(sha256: str, path: Path) -> Path:
    with vault().open(sha256) as stream:
        path.write_bytes(stream.read())
    return path


# ---------------------------------------------------------------------- the six


def _clip(told: Told) -> dict[str, Any]:
    return next(x for x in doctor.listing(told.files)["exhibits"] if x["label"] == told.clip)


def _act(told: Told, act: str) -> dict[str, Any]:
    return next(e for e in doctor.events(told.files) if e["body"]["act"] == act)


def _frames(told: Told) -> Doctored:
    row = _clip(told)
    files = {**told.files, row["path"]: doctor.swapped(told.files[row["path"]])}
    path = doctor.pack(told.folder / "2-frame-swapped.zip", told.top, doctor.rehash(files, None, told.top))
    sealed = next(e for e in doctor.events(told.files) if e["body"].get("sha256") == row["sha256"])
    says = (
        f"exhibit {told.clip}",
        TITLE,
        "is not the file that was sealed",
        f"event {sealed['index']} of the log",
    )
    done = "Two frames of the clip were swapped by somebody without a key, who mended every list that is not signed."
    return Doctored("frame-swapped", done, path, "INVALID", "exhibits", says)


def _dropped(told: Told) -> Doctored:
    theirs = set(_clip(told)["events"])
    mine = [
        e
        for e in doctor.events(told.files)
        if entry_commitment(bytes.fromhex(e["salt"]), e["body"]).hex() in theirs
    ]
    lines = b"".join(jcs(e) + b"\n" for e in doctor.events(told.files) if e != mine[1])
    path = told.signed("3-event-dropped.zip", {**told.files, "custody/events.jsonl": lines})
    says = (
        "An event is missing",
        f"exhibit {told.clip}",
        TITLE,
        f"number 2 of {len(mine)}",
        f"event {mine[0]['index']} of the log",
    )
    done = "One event was dropped from the clip's custody, by somebody with the key that signs lists."
    return Doctored("event-dropped", done, path, "INVALID", "custody", says)


def _word(told: Told) -> Doctored:
    path = "data/statements/01.json"
    paper = json.loads(told.files[path])
    paper["text"] = paper["text"].replace(SAID, NEVER_SAID)
    paper["text_sha256"] = hashlib.sha256(paper["text"].encode()).hexdigest()
    made = told.signed("4-word-changed.zip", doctor.relist({**told.files, path: jcs(paper)}))
    says = (
        f"The statement of {paper['witness']}",
        path,
        "is not the text that was signed",
        f"event {_act(told, 'statement.signed')['index']} of the log",
    )
    done = (
        f"In a statement “{SAID}” became “{NEVER_SAID}”, and every list was signed again with a stolen key."
    )
    return Doctored("word-changed", done, made, "INVALID", "payload", says)


def _transplanted(told: Told, theirs: doctor.Files) -> Doctored:
    moved = {p: c for p, c in theirs.items() if p.startswith("tsa/")}
    path = told.signed("5-timestamp-transplanted.zip", {**told.files, **moved})
    event = f"event {_act(told, 'bundle.sealed')['index']} of the log"
    says = ("taken from somewhere else", "the sealing of this bundle", event)
    done = "The timestamps of another bundle of the same force were put in place."
    return Doctored("timestamp-transplanted", done, path, "INVALID", "timestamp", says)


def _revised(told: Told) -> Doctored:
    report = "data/report.pdf"
    files = {**told.files, report: doctor.append_revision(told.files[report])}
    path = told.signed("6-report-revised.zip", doctor.relist(files))
    event = f"event {_act(told, 'bundle.sealed')['index']} of the log"
    says = (report, "was added to after it was sealed", event)
    done = "Other words were put over the report's first page after it was sealed, and every list was signed again."
    return Doctored("report-revised", done, path, "INVALID", "payload", says)


def _signed_again(told: Told) -> Doctored:
    """The force itself changes an exhibit, rewrites its log, and signs, seals and timestamps everything again."""
    facts = gather_again(told.bundle, datetime.now(UTC).replace(microsecond=0))
    x = next(x for x in facts.exhibits if x.label == told.clip)
    with x.open() as stream:
        film = doctor.swapped(stream.read())
    digest = hashlib.sha256(film).hexdigest()

    def again(e: engine.EventFacts) -> engine.EventFacts:
        if e.body.get("sha256") != x.sha256:
            return e
        return replace(e, body={**e.body, "sha256": digest, "size": len(film)})

    mine = [again(e) for e in x.events]
    false = replace(x, sha256=digest, size=len(film), open=lambda: io.BytesIO(film), events=mine, working=[])
    schedules = [
        replace(s, items=[replace(i, sha256=digest) if i.sha256 == x.sha256 else i for i in s.items])
        for s in facts.schedules
    ]
    shown_again = [false if y.label == x.label else y for y in facts.exhibits]
    facts = replace(facts, schedules=schedules, exhibits=shown_again)
    made = engine.payload(facts, sealer())
    tree = log_folder().leaf_hashes(0, log_folder().size())
    shown = [*facts.events, *(e for y in facts.exhibits for e in y.events)]
    for e in shown:
        tree[e.index] = leaf_hash(commitment(e))
    body = {
        "act": "bundle.sealed",
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "by": str(told.by.id),
        "on": f"bundle:{told.bundle}",
        "payload_sha256": made.payload_sha256,
    }
    sealed = engine.EventFacts(len(tree), hashlib.sha256(b"salt").digest(), body)
    tree.append(leaf_hash(commitment(sealed)))
    root = Frontier.empty().append_all(tree).root()
    note = sign_note(checkpoint_text(keys().log.name, len(tree), root), [keys().log])
    stamped = hashlib.sha256(note.encode()).digest()
    log = engine.LogFacts(
        checkpoint=note,
        sealed=sealed,
        proofs={e.index: prove_inclusion(tree, e.index, len(tree)) for e in [*shown, sealed]},
        tsrs=[engine.StampFacts(n, t.stamp(stamped), t.chain, t.crls) for n, t in timestampers().items()],
    )
    path = engine.finish(made, log, keys().manifest, told.folder / "7-signed-again.zip")
    event = next(e for e in mine if e.body.get("sha256") == digest)
    says = (
        "too few of the independent witnesses",
        "A log that the force rewrote and signed again looks like this",
        f"exhibit {told.clip}",
        TITLE,
        f"event {event.index} of the log",
    )
    done = (
        "The force itself swapped the frames, rewrote its log to fit, and signed, sealed and timestamped everything "
        "again with its own keys. Only a witness that it does not own can tell."
    )
    return Doctored("signed-again", done, path, "INVALID", "witnesses", says)
