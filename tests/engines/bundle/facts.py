"""Makes one complete bundle from invented facts, with every part replaceable, so that tests can forge any of them."""

import datetime as dt
import hashlib
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from counterfoil.adapters.timestamper_local import LocalAuthority
from counterfoil.engines.bundle import (
    BundleFacts,
    ChargeFacts,
    DefendantFacts,
    EventFacts,
    ExhibitFacts,
    KeyPeriod,
    LogFacts,
    OutcomeFacts,
    Payload,
    RecordedFacts,
    ScheduleFacts,
    ScheduleItem,
    Seal,
    StampFacts,
    StatementFacts,
    WorkingFacts,
    finish,
    key_history,
    payload,
)
from counterfoil.engines.bundle.build import commitment
from counterfoil.engines.bundle.identity import Identity, make_development_identity
from counterfoil.engines.bundle.papers import recipe_sha256
from counterfoil.engines.tlog import (
    CosignSigner,
    Frontier,
    Signer,
    checkpoint_text,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    sign_note,
)

SIZE, SEALED, EARLIER = 40, 38, 22
START = dt.datetime(2026, 11, 16, 21, 4, 11, 250000, tzinfo=dt.UTC)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 12 + b"\xff\xd9"
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + hashlib.sha256(b"clip").digest() * 700
DECLARATION = (
    "This statement is true to the best of my knowledge and belief and I make it knowing that, if it is tendered in "
    "evidence, I shall be liable to prosecution if I have wilfully stated in it anything which I know to be false, or "
    "do not believe to be true."
)
WHOLE = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + hashlib.sha256(b"whole").digest() * 900
PROXY = b"\x1aE\xdf\xa3" + hashlib.sha256(b"proxy").digest() * 200
HIDDEN = b"\xff\xd8\xff\xe0 restricted"
STATEMENT = "\n\n".join(
    [
        ("I am the manager of Brightwater Stores, a shop at the corner of Mill Lane and Staith Street."),
        (
            "On Monday 16 November 2026, at about ten to nine in the evening, I was behind the counter when a man "
            "I did not know came in. He wore a dark blue coat and a grey hat. He took four bottles of whisky from "
            "the shelf by the door and put them in a bag. I said, “Excuse me, you need to pay for those.” He said "
            "nothing and walked out."
        ),
        (
            "The shop's camera covers the door and that shelf. I compared its clock with the speaking clock on "
            "the same evening: the camera was 41 seconds fast. I copied the recording myself and sent it through "
            "the force's online service. I produce it as exhibit MO/1."
        ),
        (
            "I also took a photograph of the empty shelf, which I produce as exhibit MO/2. Nobody had permission "
            "to take anything from the shop without paying. I am willing to go to court."
        ),
    ]
)


SUMMARY = [
    (
        "At about 20:50 on Monday 16 November 2026 a man took four bottles of whisky from a shelf by the door of "
        "Brightwater Stores, Mill Lane, and left without paying. The manager, Mina Okonedo-Hart, spoke to him. He "
        "did not answer.\n\n"
        "The manager reported it online the same evening and sent the camera's recording. Two officers, shown the "
        "recording separately, each named the defendant, whom both had met on duty in October.\n\n"
        "The defendant was interviewed under caution on 17 November and made no comment."
    ),
]


@dataclass
class Keys:
    """Every key of an invented force, its witness, its timestamp authority and its sealing identity."""

    log: Signer
    manifest: Signer
    witness: CosignSigner
    seal: Identity
    tsa: LocalAuthority
    second: LocalAuthority

    @property
    def policy(self) -> str:
        """The court's policy file for these keys."""
        return (
            f"log {self.log.vkey}\n"
            f"witness neighbour {self.witness.vkey}\n"
            "quorum neighbour\n"
            f"#counterfoil operator neighbour another-force\n"
            f"#counterfoil tsa-root local {self.tsa.root_sha256}\n"
            f"#counterfoil tsa-root second {self.second.root_sha256}\n"
            f"#counterfoil seal-root local {self.seal.root_sha256}\n"
            f"#counterfoil manifest-key {self.manifest.vkey}\n"
        )

    @property
    def sealing(self) -> Seal:
        """What `payload` needs to seal."""
        return Seal(self.seal, self.tsa.stamp, self.tsa.chain, self.tsa.crls)


def make_keys(folder: Path, *, who: str = "counterfoil.example/DEVELOPMENT-") -> Keys:
    """Make a whole set of keys in a folder; `who` names the log, manifest and witness keys."""
    now = dt.datetime.now(dt.UTC)
    return Keys(
        log=Signer.generate(f"{who}log"),
        manifest=Signer.generate(f"{who}manifest"),
        witness=CosignSigner.generate(f"{who}witness"),
        seal=make_development_identity(folder / "seal", "seal of Wharfdale", timestamping=False, now=now),
        tsa=LocalAuthority(folder / "tsa"),
        second=LocalAuthority(folder / "tsa2"),
    )


def event(index: int, act: str, minutes: float, by: str, on: str, **facts: Any) -> EventFacts:
    """Return an entry as the ledger writes it; the salt follows from the index so that stories repeat."""
    at = (START + dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    salt = hashlib.sha256(f"salt {index}".encode()).digest()
    return EventFacts(index, salt, {"act": act, "at": at, "by": by, "on": on, **facts})


def exhibit(
    label: str, title: str, content: bytes, media_type: str, name: str, first: int, **more: Any
) -> ExhibitFacts:
    """Return an exhibit with three custody events at log indexes `first`, `first`+4 and `first`+9."""
    sha = hashlib.sha256(content).hexdigest()
    on = f"exhibit:{hashlib.sha256(label.encode()).hexdigest()[:12]}"
    title_digest = hashlib.sha256(title.encode()).hexdigest()
    return ExhibitFacts(
        label=label,
        title=title,
        sha256=sha,
        size=len(content),
        media_type=media_type,
        original_name=name,
        produced_by="Mina Okonedo-Hart",
        open=lambda: io.BytesIO(content),
        events=[
            event(first, "exhibit.sealed", 41 + first / 10, "actor-7f3a", on, sha256=sha, size=len(content)),
            event(first + 4, "exhibit.titled", 43 + first / 10, "actor-7f3a", on, title=title_digest),
            event(first + 9, "exhibit.opened", 95 + first / 10, "actor-c21e", on, purpose="statement"),
        ],
        **more,
    )


def clip(label: str, title: str, parent: str, whole: bytes, content: bytes, first: int) -> ExhibitFacts:
    """Return an exhibit cut from a recording, with its recipe in the log."""
    recipe = {
        "tool": "counterfoil.engines.media",
        "version": "1",
        "task": "cut",
        "settings": {"from_ms": 61_000, "to_ms": 64_000},
        "input_sha256": hashlib.sha256(whole).hexdigest(),
        "streams": {"video": hashlib.sha256(content).hexdigest()},
    }
    made = exhibit(label, title, content, "video/mp4", "clip.mp4", first)
    body = {
        **made.events[0].body,
        "act": "exhibit.derived",
        "parent": parent,
        "recipe_sha256": recipe_sha256(recipe),
    }
    events = [replace(made.events[0], body=body), *made.events[1:]]
    return replace(made, parent=parent, recipe=recipe, events=events, produced_by="Leocadia Funmilayo-Reyes")


def proxy(of: bytes) -> WorkingFacts:
    """Return a playable working copy of an exhibit."""
    recipe = {
        "tool": "counterfoil.engines.media",
        "version": "1",
        "input_sha256": hashlib.sha256(of).hexdigest(),
    }
    return WorkingFacts(
        "proxy",
        hashlib.sha256(PROXY).hexdigest(),
        len(PROXY),
        "video/x-matroska",
        lambda: io.BytesIO(PROXY),
        recipe,
    )


def schedules(exhibits: Sequence[ExhibitFacts]) -> list[ScheduleFacts]:
    """Return an MG6C in two issues, the second with one item more, and the MG12 that fits the exhibits."""
    signed = dt.datetime(2026, 11, 17, 9, 10, tzinfo=dt.UTC)
    whole = ScheduleItem(
        1,
        "Whole recording of the shop's camera, 16 November 2026, 18:00 to 23:00, from which MO/3 was cut",
        "Property store, Wharfdale",
        "MO/4",
        hashlib.sha256(WHOLE).hexdigest(),
    )
    log = ScheduleItem(2, "Incident log of the call, 16 November 2026, two pages", "Case file", decision="D")
    house = ScheduleItem(
        3, "House-to-house enquiry forms, Mill Lane, eleven forms", "Case file", decision="ND"
    )
    listed = [ScheduleItem(n, x.title, "This bundle", x.label, x.sha256) for n, x in enumerate(exhibits, 1)]
    officer = "PC 4417 Idris Calloway-Brandt"
    return [
        ScheduleFacts("MG6C", 1, [whole, log], officer, signed),
        ScheduleFacts("MG6C", 2, [whole, log, house], officer, signed + dt.timedelta(minutes=5)),
        ScheduleFacts("MG12", 1, listed, officer, signed, endorsed_nil=not listed),
    ]


def make_facts(keys: Keys, **changes: Any) -> BundleFacts:
    """Return the invented case: a shop theft, two exhibits, one statement, one charge."""
    exhibits = [
        exhibit(
            "MO/1",
            "CCTV of the shop door, 16 November 2026, 20:40 to 21:00",
            MP4,
            "video/mp4",
            "Kamera 3 – door (copy).MP4",
            5,
            duration_ms=1_200_400,
            recorded=RecordedFacts(
                device_time="2026-11-16 20:40:41",
                offset_ms=41_000,
                measured_by="Mina Okonedo-Hart",
                measured_at=dt.datetime(2026, 11, 16, 21, 20, tzinfo=dt.UTC),
                corrected_time=dt.datetime(2026, 11, 16, 20, 40, tzinfo=dt.UTC),
            ),
        ),
        exhibit("MO/2", "Photograph of the empty shelf", JPEG, "image/jpeg", "IMG_2041.jpeg", 7),
        clip("MO/3", "Three seconds at the shelf, cut from MO/4", "MO/4", WHOLE, MP4[:9_000], 23),
        exhibit(
            "MO/5", "Picture from the suspect's telephone", HIDDEN, "image/jpeg", "x.jpg", 24, restricted=True
        ),
    ]
    exhibits[0] = replace(exhibits[0], working=[proxy(MP4)])
    history = key_history(
        [
            KeyPeriod("log", keys.log.vkey, START - dt.timedelta(days=30)),
            KeyPeriod("manifest", keys.manifest.vkey, START - dt.timedelta(days=30)),
        ],
        [keys.log],
    )
    facts = BundleFacts(
        name="12MK0004126-bundle-1",
        urn="12MK0004126",
        force="Wharfdale Police",
        built_at=dt.datetime(2026, 11, 17, 9, 30, tzinfo=dt.UTC),
        case_ref="12/MK/00041/26",
        defendants=[DefendantFacts("Rhodri Penhallow-Quist", "Custody record WH/2026/00417")],
        charges=[
            ChargeFacts(
                defendant="Rhodri Penhallow-Quist",
                offence_code="TH68010",
                wording="On 16 November 2026 at Brightwater Stores, Mill Lane, stole four bottles of whisky to the "
                "value of £112.00 belonging to Brightwater Stores Limited.",
                statute="Contrary to sections 1(1) and 7 of the Theft Act 1968",
                decided_by="Sergeant Ansel Vreeland-Ng",
                decided_at=dt.datetime(2026, 11, 17, 8, 55, tzinfo=dt.UTC),
                rationale="The recording shows the whole act and the suspect was named by two officers independently. "
                "A prosecution is in the public interest: it is the fourth report at this shop in a month.",
            )
        ],
        statements=[
            StatementFacts(
                witness="Mina Okonedo-Hart",
                text=STATEMENT,
                declaration=DECLARATION,
                signed_by="Mina Okonedo-Hart, signed on screen",
                signed_at=dt.datetime(2026, 11, 16, 22, 48, tzinfo=dt.UTC),
                taken_by="PC 4417 Idris Calloway-Brandt",
                reference="S1",
            )
        ],
        exhibits=exhibits,
        outcome=OutcomeFacts(
            "1",
            "Charged or summonsed",
            "Charged with theft from a shop.",
            "Sergeant Ansel Vreeland-Ng",
            dt.datetime(2026, 11, 17, 9, 2, tzinfo=dt.UTC),
        ),
        actors={
            "actor-7f3a": "PC 4417 Idris Calloway-Brandt",
            "actor-c21e": "Investigator Leocadia Funmilayo-Reyes",
            "actor-90bb": "Sergeant Ansel Vreeland-Ng",
            "public": "A member of the public",
        },
        titles={},
        key_history=history,
        development=True,
        summary=SUMMARY,
        events=[
            event(1, "report.accepted", 20, "public", "report:5f1c"),
            event(2, "case.opened", 20.01, "clock", "case:9a77"),
            EventFacts(13, commitment=hashlib.sha256(b"an entry erased").digest(), erased_by=20),
            event(19, "charge.decided", 711, "actor-90bb", "case:9a77", code="TH68010"),
            event(20, "exhibit.erased", 712, "actor-90bb", "exhibit:5d", entries=[13], rule="court-order"),
        ],
        built_by="Investigator Leocadia Funmilayo-Reyes",
        marking="OFFICIAL-SENSITIVE",
        offence="Theft from a shop, 16 November 2026",
        schedules=schedules(exhibits),
    )
    return replace(facts, **changes)


@dataclass
class Forge:
    """Ways for a test to interfere at each step; every one does nothing unless it is given."""

    proofs: Callable[[dict[int, list[bytes]]], None] = lambda proofs: None
    leaves: Callable[[list[bytes]], None] = lambda leaves: None
    log: Callable[[LogFacts], LogFacts] = lambda log: log
    payload: Callable[[Payload], Payload] = lambda made: made
    sealed_body: Mapping[str, Any] = field(default_factory=dict)
    stamp: Callable[[bytes], bytes] | None = None
    cosign: bool = True


def make_log(keys: Keys, made: Payload, forge: Forge | None = None) -> LogFacts:
    """Put the payload's digest into an invented log of 40 entries, sign, cosign and timestamp its checkpoint."""
    forge = forge or Forge()
    facts = made.facts
    sealed = event(
        SEALED,
        "bundle.sealed",
        720,
        "actor-c21e",
        "bundle:77aa",
        payload_sha256=made.payload_sha256,
        name=facts.name,
    )
    sealed = replace(sealed, body={**sealed.body, **forge.sealed_body})
    events = [*facts.events, *(e for x in facts.exhibits for e in x.events), sealed]
    leaves = [leaf_hash(hashlib.sha256(f"another case {i}".encode()).digest()) for i in range(SIZE)]
    for e in events:
        leaves[e.index] = leaf_hash(commitment(e))
    forge.leaves(leaves)
    proofs = {e.index: list(prove_inclusion(leaves, e.index, len(leaves))) for e in events}
    forge.proofs(proofs)
    text = checkpoint_text(keys.log.name, len(leaves), Frontier.empty().append_all(leaves).root())
    signers: list[Any] = [keys.log]
    if forge.cosign:
        signers.append(keys.witness.at(int(dt.datetime.now(dt.UTC).timestamp())))
    note = sign_note(text, signers)
    stamp = forge.stamp or keys.tsa.stamp
    digest = hashlib.sha256(note.encode()).digest()
    other = keys.second.stamp(digest)
    renewed = keys.second.stamp(hashlib.sha256(other).digest())
    return forge.log(
        LogFacts(
            checkpoint=note,
            sealed=sealed,
            proofs=proofs,
            tsrs=[
                StampFacts("tsa1", stamp(digest), keys.tsa.chain, keys.tsa.crls),
                StampFacts("tsa2", other, keys.second.chain, keys.second.crls, [renewed]),
            ],
            consistency={EARLIER: prove_consistency(leaves, EARLIER, SIZE)},
        )
    )


def make_bundle(keys: Keys, folder: Path, facts: BundleFacts | None = None) -> Path:
    """Build one complete honest bundle in `folder` and return its path."""
    made = payload(facts or make_facts(keys), keys.sealing)
    return finish(made, make_log(keys, made), keys.manifest, folder / f"{made.facts.name}.zip")


def varied(keys: Keys, rng: random.Random) -> tuple[BundleFacts, Forge]:
    """Return an honest case of some other shape: more or fewer exhibits, schedules, papers, authorities, words."""
    facts = make_facts(keys)
    content = rng.randbytes(rng.choice([0, 1, 63, 64, 65, 4096, 70_000]))
    first = exhibit(
        f"AB/{rng.randrange(1, 900)}",
        rng.choice(["Ffilm", "A \u2018quoted\u2019 title", "x" * 90]),
        content,
        "x/y",
        "n",
        26,
    )
    exhibits = [x for x in facts.exhibits if rng.random() < 0.7]
    exhibits += [first] if rng.random() < 0.7 else []
    if rng.random() < 0.5:
        exhibits = [replace(x, working=()) for x in exhibits]
    listed = schedules(exhibits)
    audience = rng.choice(["defence", "prosecutor"])
    if audience == "prosecutor":
        signed = listed[0].signed_at
        nil = ScheduleFacts("MG6D", 1, [], "A. Officer", signed, endorsed_nil=True)
        line = ScheduleItem(1, "Sensitive", reason="It names a source.")
        listed.append(nil if rng.random() < 0.5 else ScheduleFacts("MG6D", 1, [line], "A. Officer", signed))
    elif not any(x.parent for x in exhibits) and rng.random() < 0.5:
        listed = []
    facts = replace(
        facts,
        name=f"case-{rng.randrange(10**9)}",
        exhibits=exhibits,
        schedules=listed,
        audience=audience,
        statements=facts.statements[: rng.randrange(2)],
        charges=facts.charges[: rng.randrange(2)],
        outcome=rng.choice([None, facts.outcome]),
        summary=[rng.choice(["", "One line.", "Un llinell.\n\nTwo."])],
        events=facts.events if rng.random() < 0.8 else [],
    )
    one, bare = rng.random() < 0.3, rng.random() < 0.3

    def log(found: LogFacts) -> LogFacts:
        found = replace(found, tsrs=found.tsrs[:1]) if one else found
        return replace(found, consistency={}) if bare else found

    return facts, Forge(log=log)
