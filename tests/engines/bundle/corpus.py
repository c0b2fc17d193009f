"""Makes docs/corpus anew: `.venv/bin/python -m tests.engines.bundle.corpus` (new keys each time, same stories)."""

import json
import re
import tarfile
import tempfile
from dataclasses import asdict
from pathlib import Path
from unittest import mock

from tests.engines.bundle import facts as maker
from tests.engines.bundle import forgery

from counterfoil.engines.bundle import identity, verify
from counterfoil.engines.bundle.corpus import ARCHIVE, EXPECTED, Expected

OUT = Path(__file__).parents[3] / "docs" / "corpus"
# Stories that share most bytes with the honest bundle, so that it stays small; some seal the report anew.
STORIES = """
a byte after the archive|a program before the archive|a second report.pdf|a path that climbs out|a compressed bomb
a symbolic link in the archive|files in another order|a twin that differs in capitals|another top folder
a list with a key twice|an exhibit's byte changed|an exhibit dropped|a file nobody listed|another tag manifest
exhibits swapped and signed|an actor renamed|another verify.py in the bundle|an event dropped|an event edited
events in another order|a salt changed|an awkward event called erased|an erased event that nothing erased
everything re-hashed without the key|everything signed by a new manifest key|malleable base64|an old checkpoint
a witness's signature broken|a proof swapped between events|a statement's word changed, all signed again
a report revised after sealing, all signed again|another bundle's timestamp|a byte after the timestamp
a timestamp by a self-made authority|a renewal of something else|two witnesses of one operator
a log key that ended, says the policy|another log published at this size|a policy with another sealing root
a schedule with a number missing|a clip whose whole recording is on no schedule|a manifest key revoked before
the force rewrites its log and signs everything|a revision after the seal, logged as sealed
a report sealed by a stranger
""".strip()


def world(folder: Path, who: str) -> forgery.World:
    """Make one honest bundle with its keys, and a stranger's keys."""
    keys = maker.make_keys(folder / "keys", who=who)
    stranger = maker.make_keys(folder / "stranger", who="stranger.example/DEVELOPMENT-")
    path = maker.make_bundle(keys, folder, maker.make_facts(keys, development="DEVELOPMENT" in who))
    top, files = forgery.unpack(path)
    return forgery.World(folder, keys, stranger, path, top, files)


def main() -> None:
    """Make every bundle, ask the library what it says, refuse what a story did not mean, and write the corpus."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "d").mkdir()
        (folder / "p").mkdir()
        (folder / "out").mkdir()
        told = world(folder / "d", "counterfoil.example/DEVELOPMENT-")
        plain = identity._name
        with mock.patch.object(identity, "_name", lambda common: plain(common.replace("DEVELOPMENT ", ""))):
            real = world(folder / "p", "force.example/")
        rows: list[Expected] = []

        def add(story: str, path: Path, policy: str | None, word: str, failed: str | None) -> None:
            number = f"{len(rows):02}-{re.sub('[^a-z0-9]+', '-', story.lower())[:50].strip('-')}"
            (folder / "out" / f"{number}.zip").write_bytes(path.read_bytes())
            if policy is not None:
                (folder / "out" / f"{number}.policy.txt").write_text(policy)
            verdict = verify(path, policy)
            assert (verdict.word, verdict.failed) == (word, failed), (story, verdict)
            rows.append(
                Expected(
                    f"{number}.zip",
                    None if policy is None else f"{number}.policy.txt",
                    word,
                    verdict.exit_code,
                    failed,
                    story,
                )
            )

        add("honest, with real keys and a witness", real.bundle, real.policy, "VERIFIED-WITNESSED", None)
        add(
            "honest, and the policy asks for no witness",
            real.bundle,
            real.policy.replace("quorum neighbour", "quorum none"),
            "VERIFIED-UNWITNESSED",
            None,
        )
        add("honest, with development keys", told.bundle, told.policy, "VERIFIED-UNWITNESSED", None)
        add("honest, without a policy", told.bundle, None, "INTEGRITY-ONLY", None)
        add(
            "honest, with a policy that cannot be read",
            told.bundle,
            "quorum nobody\n",
            "NOT-VERIFIABLE",
            None,
        )
        for story in STORIES.replace("\n", "|").split("|"):
            path, policy = told.forged(story)
            add(story, path, policy, "INVALID", next(check for n, check, _ in forgery.CASES if n == story))
        OUT.mkdir(parents=True, exist_ok=True)
        with tarfile.open(OUT / ARCHIVE, "w:xz", preset=9) as tar:
            # Honest and alike first: each bundle is then mostly a repetition of what came before.
            for path in sorted((folder / "out").iterdir()):
                tar.add(path, path.name, filter=_plain)
        (OUT / EXPECTED).write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n")
        print(f"{len(rows)} bundles, {(OUT / ARCHIVE).stat().st_size:,} bytes")


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o644
    return member


if __name__ == "__main__":
    main()
