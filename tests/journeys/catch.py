"""Seven bundles of one real case: one as the force gave it, and six doctored by people with more and more keys."""

import hashlib
import io
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
from tests import reels, scenes
from tests.cast import Cast
from tests.engines.bundle import forgery

from counterfoil.courts import actions as courts
from counterfoil.courts.gather import gather, policy_text, sealer
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as engine
from counterfoil.engines.bundle.build import commitment
from counterfoil.engines.tlog import Frontier, checkpoint_text, jcs, leaf_hash, prove_inclusion, sign_note
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import material
from counterfoil.evidence import queries as exhibits
from counterfoil.ledger.models import Entry
from counterfoil.plugs.keys import keys
from counterfoil.plugs.stores import vault
from counterfoil.plugs.timestamper import timestampers

CUT = "counterfoil.engines.media.clip:clip"
TITLE = "The man at the side gate, cut from the doorbell's recording"


@dataclass
class Story:
    """One of the seven: what was done, and the words that the page must say of it."""

    name: str
    path: Path
    word: str
    failed: str
    says: tuple[str, ...]


@dataclass
class Told:
    """The case, its clean bundle, the court's policy and the seven stories."""

    scene: scenes.Scene
    folder: Path
    policy: Path
    clip: str
    whole: str
    master: Path
    stories: list[Story]


def tell(people: Cast, folder: Path) -> Told:
    """Build the case with real actions, its bundles, and the six doctored ones."""
    film = reels.reel(folder / "gate.mp4", 60, sound=True).read_bytes()
    scene = scenes.charged(people, files=(("gate.mp4", film), ("IMG_0042.jpg", scenes.photo())))
    assert scene.exhibit
    assert scene.statement
    cut = evidence.derive(
        scene.case,
        scene.exhibit,
        task=CUT,
        settings={"from": "12", "to": "30", "how": "exact"},
        title=TITLE,
        by=scene.by,
    )
    photo = evidence.seal(scene.case, scene.files[1], "Photo of the side gate", by=scene.by)
    for kind, item in (("exhibit", cut), ("exhibit", photo), ("statement", scene.statement)):
        material.decide(scene.case, kind, item, "used", by=scene.by)
    material.decide(
        scene.case,
        "exhibit",
        scene.exhibit,
        "unused",
        description="Whole recording of the doorbell camera, 20 November 2026, from which the clip was cut",
        location="Evidence vault of the force",
        by=scene.by,
    )
    for _ in range(2):
        looked = evidence.open_exhibit(scene.case, cut, by=scene.by)
        assert looked
        looked[1].close()
    scenes.signed(scene)
    scene.bundle = courts.ask_bundle(scene.case, by=scene.by)
    courts.build_bundle(scene.bundle)
    labels = {x.id: x.label for x in exhibits.exhibits_of(scene.by, scene.case)}
    policy = folder / "policy.txt"
    policy.write_text(policy_text())
    clean, other = _stored("defence", folder), _stored("prosecutor", folder)
    top, files = forgery.unpack(clean)
    hand = cast(
        forgery.World,
        SimpleNamespace(
            keys=keys(),
            top=top,
            files=files,
            pack=lambda found: _pack(folder, top, found, len(list(folder.iterdir()))),
        ),
    )
    told = Told(scene, folder, policy, labels[cut], labels[scene.exhibit], folder / "gate.mp4", [])
    told.stories += [
        Story("clean", clean, "VERIFIED-UNWITNESSED", "", ()),
        _frames(hand, told),
        _dropped(hand, told),
        _word(hand),
        _transplanted(hand, other),
        _revised(hand),
        _signed_again(told),
    ]
    return told


def _stored(audience: str, folder: Path) -> Path:
    card = Bundle.objects.get(audience=audience, state="built")
    path = folder / f"{card.name}.zip"
    with vault().open(card.sha256) as stream:
        path.write_bytes(stream.read())
    return path


def _pack(folder: Path, top: str, files: dict[str, bytes], number: int) -> Path:
    from counterfoil.engines.bundle import build
    from counterfoil.engines.bundle.archive import write_archive

    path = folder / f"bundle-{number}.zip"
    write_archive(path, top, [build.member(p, c) for p, c in files.items()])
    return path


def listing(files: dict[str, bytes]) -> dict[str, Any]:
    """Return the exhibit list of an unpacked bundle."""
    found: dict[str, Any] = json.loads(files["data/exhibits.json"])
    return found


def events(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return the custody events of an unpacked bundle."""
    return [json.loads(line) for line in files["custody/events.jsonl"].splitlines()]


def swapped(film: bytes) -> bytes:
    """Return the recording with two of its frames in each other's place, as a player would show it."""
    out = io.BytesIO()
    with av.open(io.BytesIO(film)) as source, av.open(out, "w", format="mp4") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        packets = [p for p in source.demux() if p.dts is not None]
        video = [n for n, p in enumerate(packets) if p.stream.type == "video"]
        a, b = video[3], video[4]
        for n, p in enumerate(packets):
            content = bytes(packets[{a: b, b: a}.get(n, n)])
            packet = av.Packet(content)
            packet.pts, packet.dts, packet.time_base, packet.duration = p.pts, p.dts, p.time_base, p.duration
            packet.is_keyframe = p.is_keyframe
            packet.stream = streams[p.stream.index]
            target.mux(packet)
    return out.getvalue()


def _frames(hand: forgery.World, told: Told) -> Story:
    """Two frames of the clip swapped by somebody without a key, who mends every list that is not signed."""
    row = next(x for x in listing(hand.files)["exhibits"] if x["label"] == told.clip)
    changed = swapped(hand.files[row["path"]])
    assert changed != hand.files[row["path"]]
    path = hand.pack(forgery.rehash({**hand.files, row["path"]: changed}, None, hand.top))
    sealed = next(e for e in events(hand.files) if e["body"].get("sha256") == row["sha256"])
    says = (
        f"exhibit {told.clip}",
        TITLE,
        "is not the file that was sealed",
        f"event {sealed['index']} of the log",
    )
    return Story("frame-swapped", path, "INVALID", "exhibits", says)


def _dropped(hand: forgery.World, told: Told) -> Story:
    """An event dropped from the clip's custody by somebody with the key that signs lists."""
    row = next(x for x in listing(hand.files)["exhibits"] if x["label"] == told.clip)
    mine = [
        e
        for e in events(hand.files)
        if forgery.build.entry_commitment(bytes.fromhex(e["salt"]), e["body"]).hex() in row["events"]
    ]
    gone = mine[1]
    lines = b"".join(jcs(e) + b"\n" for e in events(hand.files) if e != gone)
    path = forgery.insider(hand, {**hand.files, "custody/events.jsonl": lines})
    says = (
        "An event is missing",
        f"exhibit {told.clip}",
        TITLE,
        f"number 2 of {len(mine)}",
        f"event {mine[0]['index']} of the log",
    )
    return Story("event-dropped", path, "INVALID", "custody", says)


def _word(hand: forgery.World) -> Story:
    """A word in a witness's statement changed, every list made and signed again with a stolen key."""
    path = "data/statements/01.json"
    paper = json.loads(hand.files[path])
    signed = next(e for e in events(hand.files) if e["body"]["act"] == "statement.signed")
    paper["text"] = paper["text"].replace("a dark coat", "a light coat")
    paper["text_sha256"] = hashlib.sha256(paper["text"].encode()).hexdigest()
    files = forgery.relist({**hand.files, path: jcs(paper)})
    says = (
        f"The statement of {paper['witness']}",
        path,
        "is not the text that was signed",
        f"event {signed['index']} of the log",
    )
    return Story("word-changed", forgery.insider(hand, files), "INVALID", "payload", says)


def _transplanted(hand: forgery.World, other: Path) -> Story:
    """The timestamps of another bundle of the same force put in place."""
    theirs = forgery.unpack(other)[1]
    moved = {p: c for p, c in theirs.items() if p.startswith("tsa/")}
    sealed = next(e for e in events(hand.files) if e["body"]["act"] == "bundle.sealed")
    says = ("taken from somewhere else", "the sealing of this bundle", f"event {sealed['index']} of the log")
    return Story(
        "timestamp-transplanted", forgery.insider(hand, {**hand.files, **moved}), "INVALID", "timestamp", says
    )


def _revised(hand: forgery.World) -> Story:
    """Other words put over the report's first page after it was sealed, and every list signed again."""
    files = {**hand.files, "data/report.pdf": forgery.append_revision(hand.files["data/report.pdf"])}
    sealed = next(e for e in events(hand.files) if e["body"]["act"] == "bundle.sealed")
    says = ("data/report.pdf", "was added to after it was sealed", f"event {sealed['index']} of the log")
    return Story("report-revised", forgery.insider(hand, forgery.relist(files)), "INVALID", "payload", says)


def _signed_again(told: Told) -> Story:
    """The force itself changes an exhibit, rewrites its log, and signs, seals and timestamps everything again."""
    bundle = Bundle.objects.get(audience="defence", state="built")
    now = datetime.now(UTC).replace(microsecond=0)
    facts = gather(bundle, now, courts.contents(bundle))
    x = next(x for x in facts.exhibits if x.label == told.clip)
    with x.open() as stream:
        film = swapped(stream.read())
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
    facts = replace(
        facts, schedules=schedules, exhibits=[false if y.label == x.label else y for y in facts.exhibits]
    )
    made = engine.payload(facts, sealer())
    leaves = {e.index: leaf_hash(bytes(e.commitment)) for e in Entry.objects.exclude(index=None)}
    shown = [*facts.events, *(e for y in facts.exhibits for e in y.events)]
    leaves |= {e.index: leaf_hash(commitment(e)) for e in shown}
    body = {
        "act": "bundle.sealed",
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "by": str(told.scene.by.id),
        "on": f"bundle:{bundle.pk}",
        "payload_sha256": made.payload_sha256,
    }
    sealed = engine.EventFacts(len(leaves), hashlib.sha256(b"salt").digest(), body)
    tree = [*(leaves[n] for n in range(len(leaves))), leaf_hash(commitment(sealed))]
    root = Frontier.empty().append_all(tree).root()
    note = sign_note(checkpoint_text(keys().log.name, len(tree), root), [keys().log])
    stamped = hashlib.sha256(note.encode()).digest()
    log = engine.LogFacts(
        checkpoint=note,
        sealed=sealed,
        proofs={e.index: prove_inclusion(tree, e.index, len(tree)) for e in [*shown, sealed]},
        tsrs=[engine.StampFacts(n, t.stamp(stamped), t.chain, t.crls) for n, t in timestampers().items()],
    )
    path = engine.finish(made, log, keys().manifest, told.folder / "signed-again.zip")
    event = next(e for e in mine if e.body.get("sha256") == digest)
    says = (
        "too few of the independent witnesses",
        "A log that the force rewrote and signed again looks like this",
        f"exhibit {told.clip}",
        TITLE,
        f"event {event.index} of the log",
    )
    return Story("signed-again", path, "INVALID", "witnesses", says)
