"""Power cuts: every byte, record and log entry that was acknowledged before the cut is there when the power returns.

Needs root and loop devices, and skips loudly without. The negative control, the same writers without sync, must lose
what it acknowledged, or these cuts prove nothing.
"""

import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import paths, power
from tests.faults.forks import Forks
from tests.faults.power import Disk, Writer, mounted
from tests.faults.tally import DEEP, SEED, Gate

from counterfoil.engines.errors import Refusal
from counterfoil.engines.tlog import TileDir, split_note
from counterfoil.engines.vault import Vault

pytestmark = pytest.mark.skipif(bool(power.forbidden()), reason=f"NO POWER WAS CUT: {power.forbidden()}")
FILE_CUTS = 40 if DEEP else 3
SQLITE_CUTS = 40 if DEEP else 2
CUTS_A_RUN = 4
Found = tuple[list[str], list[str]]  # what was lost, and what else is wrong


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Another forking process, to judge while the first one's worker is still at work."""
    with Forks(tmp_path_factory.mktemp("judges"), furnish=False) as found:
        yield found


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """One forking process, on SQLite."""
    with Forks(tmp_path_factory.mktemp("cuts")) as found:
        yield found


def what_is_gone(home: Path, said: list[dict[str, Any]]) -> Found:
    """Return which acknowledged clips and log entries are not in a home that lost its power, and what is damaged."""
    lost, wrong = [], []
    store, tiles = Vault(home / "vault"), TileDir(home / "log")
    for words in said:
        if words.get("done") == "vault":
            sha256, size = words["answer"]
            try:
                with store.open(sha256) as file:
                    assert len(file.read()) == size
            except (Refusal, OSError) as refusal:
                lost.append(f"acknowledged and gone: {refusal}")
    wrong += [
        s for s in store.fsck([], unknown_is_fault=False) if "staging folder holds" not in s and not lost
    ]
    told = max((w["answer"] for w in said if w.get("done") == "log"), default=0)
    try:
        size = tiles.size()
        if size < told:
            lost.append(f"the log was published with {told} entries and has {size}")
        if size:
            tiles.sweep()
            wrong += tiles.fsck(split_note(paths.note_of(size))[0])
            tiles.append(size, paths.ENTRIES[size : size + 3])
            tiles.publish_checkpoint(paths.note_of(size + 3))
    except (Refusal, OSError) as refusal:
        wrong.append(f"the log cannot go on: {refusal}")
    return lost, wrong


def cuts_of_files(
    forks: Forks, folder: Path, seed: int, cuts: int, *, careless: bool = False
) -> Iterator[tuple[list[str], list[str]]]:
    """Have a writer store and publish on a disk of its own, cut the power some times, and judge each copy."""
    dice = random.Random(seed)
    folder.mkdir(parents=True)
    with Disk(folder, megabytes=96) as disk:
        home = disk.at / "home"
        home.mkdir()
        command = {"do": "path", "path": "write on", "home": str(home), "database": "none", "seed": seed}
        writer = Writer(forks, {**command, "careless": careless})
        try:
            for n in range(cuts):
                before = len(writer.said)
                time.sleep(dice.uniform(0.1, 0.5))
                # Cut at once after a yes, or the next sync saves what it told of.
                just = ("vault", "log", "piece")[n % 3]
                while (len(writer.said) < before + 3 or writer.said[-1]["done"] != just) and writer.alive:
                    time.sleep(0.002)
                copy = folder / f"copy-{n}.img"
                said: list[dict[str, Any]] = []

                def heard(said: list[dict[str, Any]] = said) -> None:
                    writer.heard()
                    said += writer.said

                disk.cut(lambda: [writer.pid] if writer.alive else [], copy, heard)
                with mounted(copy, folder / f"after-{n}") as after:
                    yield what_is_gone(after / "home", said)
                copy.unlink()
        finally:
            writer.kill()


@pytest.mark.faults
def test_no_acknowledged_file_or_log_entry_is_lost_when_the_power_is_cut(
    forks: Forks, tmp_path: Path
) -> None:
    with Gate("power cuts: vault, log and uploads in pieces", least=FILE_CUTS) as gate:
        for n in range(0, FILE_CUTS, CUTS_A_RUN):
            cuts = min(CUTS_A_RUN, FILE_CUTS - n)
            for k, (lost, wrong) in enumerate(cuts_of_files(forks, tmp_path / str(n), SEED + n, cuts)):
                gate.case(f"cut {n + k}", lost, wrong)
            shutil.rmtree(tmp_path / str(n))


def test_without_sync_the_same_cuts_lose_what_was_acknowledged(forks: Forks, tmp_path: Path) -> None:
    """The negative control."""
    found = list(cuts_of_files(forks, tmp_path / "careless", SEED, 2, careless=True))
    assert all(lost for lost, _ in found), "these cuts look away"


@pytest.mark.faults
def test_no_report_exhibit_or_entry_is_lost_when_the_power_of_the_embedded_database_is_cut(
    forks: Forks, judges: Forks, tmp_path: Path
) -> None:
    """The whole product, database, vault, quarantine and log, on one disk."""
    with Gate("power cuts: product on SQLite", least=SQLITE_CUTS) as gate:
        for n in range(0, SQLITE_CUTS, CUTS_A_RUN):
            folder, dice = tmp_path / str(n), random.Random(SEED + n)
            folder.mkdir()
            with Disk(folder, megabytes=128) as disk:
                home = disk.at / "home"
                shutil.copytree(forks.first, home)
                power.settle(home)
                where = {"home": str(home), "database": str(home / "db.sqlite3")}
                writer = Writer(
                    forks,
                    {
                        "do": "work",
                        "alice": forks.alice,
                        "seed": SEED + n,
                        "stories": 400,
                        "linger": 0,
                        **where,
                    },
                )
                try:
                    for k in range(min(CUTS_A_RUN, SQLITE_CUTS - n)):
                        time.sleep(dice.uniform(0.3, 1.2))
                        until = time.monotonic() + 30
                        while not any("done" in w for w in list(writer.said)) and time.monotonic() < until:
                            time.sleep(0.01)  # on a busy machine the first yes comes late
                        copy, said = folder / f"copy-{k}.img", [{"alice": forks.alice}]

                        def heard(said: list[dict[str, Any]] = said, writer: Writer = writer) -> None:
                            writer.heard()
                            said += writer.said

                        disk.cut(lambda w=writer: [w.pid] if w.alive else [], copy, heard)
                        assert any("done" in w for w in said)
                        gate.case(f"cut {n + k}", *judged(judges, folder / f"after-{k}", copy, said))
                        copy.unlink()
                finally:
                    writer.kill()
            shutil.rmtree(folder)


def judged(judges: Forks, at: Path, image: Path, said: list[dict[str, Any]]) -> Found:
    """Judge a copied disk."""
    with mounted(image, at):
        home = at / "home"
        (home / "said.jsonl").write_text("".join(json.dumps(w) + "\n" for w in said))
        command = {
            "do": "judge",
            "said": str(home / "said.jsonl"),
            "everything": True,
            "home": str(home),
            "database": str(home / "db.sqlite3"),
        }
        (verdict,) = [w for w in judges.listen(command) if "judged" in w]
    lost = [s for s in verdict["wrong"] if "acknowledged" in s]
    return lost, [s for s in verdict["wrong"] if s not in lost]
