"""Measure building and verifying a bundle beside the `bagit` library on the same 1,000 files of 1 MiB.

Run alone: `python -m bench.bundle_build [FILES] [ROUNDS]`. `bagit` makes a bag in place (SHA-256 only) and validates
it. Ours reads every exhibit again, writes the report, seals it, proves every event in the log and writes the archive;
and verifying checks all of that with the court's policy. The two take turns; medians and ratios are printed.
"""

import hashlib
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import bagit

from counterfoil.adapters.timestamper_local import LocalAuthority
from counterfoil.adapters.witness_local import LocalWitness
from counterfoil.engines import bundle as engine
from counterfoil.engines.tlog import (
    LeafTree,
    Signer,
    checkpoint_text,
    entry_commitment,
    leaf_hash,
    sign_note,
)

MIB = 1 << 20
START = "2026-11-21T10:00:00.000000Z"


def _files(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    made = []
    for n in range(count):
        path = folder / f"clip-{n:04}.bin"
        path.write_bytes(os.urandom(MIB))
        made.append(path)
    return made


class Court:
    """Everything around the files: keys, authority, witness, and a log that holds one event for each file."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        self.log = Signer.generate("bench.example/DEVELOPMENT-log")
        self.manifest = Signer.generate("bench.example/DEVELOPMENT-manifest")
        self.stamper = LocalAuthority(folder / "tsa")
        self.witness = LocalWitness(folder / "witness", logs=[self.log.vkey])
        self.identity = engine.make_development_identity(
            folder / "seal", "bench seal", timestamping=False, now=datetime.now(UTC)
        )
        self.leaves: list[bytes] = []
        self.exhibits = [self._exhibit(n, path) for n, path in enumerate(files, start=1)]

    def _event(self, body: dict[str, object]) -> engine.EventFacts:
        salt = os.urandom(32)
        self.leaves.append(leaf_hash(entry_commitment(salt, body)))
        return engine.EventFacts(index=len(self.leaves) - 1, salt=salt, body=body)

    def _exhibit(self, n: int, path: Path) -> engine.ExhibitFacts:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        title = f"Recording {n}"
        body = {
            "act": "exhibit.sealed", "at": START, "by": "officer", "on": f"exhibit:{n}", "sha256": digest, "size": MIB,
            "title_sha256": hashlib.sha256(title.encode()).hexdigest(),
        }  # fmt: skip
        return engine.ExhibitFacts(
            label=f"AB/{n}", title=title, sha256=digest, size=MIB, media_type="application/octet-stream",
            original_name=path.name, produced_by="Alice Bevan", open=partial(path.open, "rb"),
            events=[self._event(body)],
        )  # fmt: skip

    def build(self, out: Path) -> None:
        """Build one bundle of every file."""
        now = datetime.now(UTC).replace(microsecond=0)
        history = engine.key_history(
            [
                engine.KeyPeriod("log", self.log.vkey, datetime(2026, 1, 1, tzinfo=UTC)),
                engine.KeyPeriod("manifest", self.manifest.vkey, datetime(2026, 1, 1, tzinfo=UTC)),
            ],
            [self.log],
        )
        facts = engine.BundleFacts(
            name="DEMONSTRATION-bench", urn="99BE0000126", force="Demonstration Constabulary", built_at=now,
            case_ref="bench", defendants=[], charges=[], statements=[], exhibits=self.exhibits, outcome=None,
            actors={"officer": "Alice Bevan"}, titles={}, key_history=history, development=True,
        )  # fmt: skip
        seal = engine.Seal(self.identity, self.stamper.stamp, self.stamper.chain, self.stamper.crls)
        made = engine.payload(facts, seal)
        sealed = self._event(
            {
                "act": "bundle.sealed",
                "at": now.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
                "by": "officer",
                "on": "bundle:1",
                "payload_sha256": made.payload_sha256,
            }
        )
        tree = LeafTree(self.leaves)
        size = len(self.leaves)
        note = sign_note(checkpoint_text(self.log.name, size, tree.root(size)), [self.log])
        note = self.witness.cosign(note, tree.consistency)
        log = engine.LogFacts(
            checkpoint=note,
            sealed=sealed,
            proofs={i: tree.inclusion(i, size) for i in [*range(len(self.exhibits)), sealed.index]},
            tsrs=[
                engine.StampFacts(
                    "tsa1",
                    self.stamper.stamp(hashlib.sha256(note.encode()).digest()),
                    self.stamper.chain,
                    self.stamper.crls,
                )
            ],
        )
        engine.finish(made, log, self.manifest, out)

    def policy(self) -> str:
        """Return the policy that trusts these keys."""
        return (
            f"log {self.log.vkey}\nwitness w1 {self.witness.vkey}\nquorum none\n"
            f"#counterfoil tsa-root tsa1 {self.stamper.root_sha256}\n"
            f"#counterfoil seal-root seal1 {self.identity.root_sha256}\n"
            f"#counterfoil manifest-key {self.manifest.vkey}\n"
        )


def main(count: int = 1000, rounds: int = 3) -> dict[str, float]:
    """Print medians and ratios; return them."""
    times: dict[str, list[float]] = {"bagit make": [], "bagit validate": [], "build": [], "verify": []}

    def clocked(name: str, act: object) -> object:
        started = time.perf_counter()
        answer = act()  # type: ignore[operator]
        times[name].append(time.perf_counter() - started)
        return answer

    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        files = _files(folder / "files", count)
        court = Court(folder / "keys", files)
        for n in range(rounds):
            bag_folder = folder / f"bag{n}"
            bag_folder.mkdir()
            for path in files:
                os.link(path, bag_folder / path.name)
            bag = clocked("bagit make", lambda f=bag_folder: bagit.make_bag(str(f), checksums=["sha256"]))
            clocked("bagit validate", bag.validate)  # type: ignore[attr-defined]
            out = folder / f"bundle{n}.zip"
            clocked("build", lambda o=out: court.build(o))
            verdict = clocked("verify", lambda o=out: engine.verify(o, court.policy()))
            if verdict.word != "VERIFIED-UNWITNESSED":  # type: ignore[attr-defined]
                sys.exit(f"The bundle did not verify: {verdict}")
            out.unlink()
    median = {k: statistics.median(v) for k, v in times.items()}
    build = median["build"] / median["bagit make"]
    verify = median["verify"] / median["bagit validate"]
    print(f"bundle: {count} x 1 MiB, medians of {rounds} alternating rounds")
    for k, v in median.items():
        print(f"bundle:   {k:<16} {v:6.2f} s")
    print(f"bundle: build ratio {build:.2f}, verify ratio {verify:.2f} (our time / bagit's time)")
    return {**median, "build_ratio": build, "verify_ratio": verify}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
