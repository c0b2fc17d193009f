"""A disk that fills up at random moments of uploading, sending, sealing and sequencing, and is emptied again.

Nothing acknowledged is lost or halved, every refusal is a sentence, the same process goes on by itself when there is
room, and with only the reserve left files are refused and reports in words are still accepted.
"""

import json
import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import power
from tests.faults.forks import Forks
from tests.faults.power import Disk, Writer
from tests.faults.tally import DEEP, SEED, Gate

from counterfoil.faces.kit.middleware import FULL

pytestmark = pytest.mark.skipif(bool(power.forbidden()), reason=f"NO DISK WAS FILLED: {power.forbidden()}")
FILLS = 300 if DEEP else 8
FILLS_A_DISK = 10
REPORTS = 1000 if DEEP else 20


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """One forking process, on SQLite."""
    with Forks(tmp_path_factory.mktemp("full")) as found:
        yield found


def fill(disk: Path, leave: int) -> Path:
    """Take what room there is on a disk but for some bytes."""
    filler, step, size = disk / "filler", 8 << 20, 0
    with filler.open("wb") as file:
        while step >= 4096:
            try:
                os.posix_fallocate(file.fileno(), size, step)
                size += step
            except OSError:
                step //= 2
        file.truncate(max(0, size - leave))
    return filler


def judged(forks: Forks, home: Path, said: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Judge a house that has room again."""
    where = {"home": str(home), "database": str(home / "db.sqlite3")}
    (home / "said.jsonl").write_text("".join(json.dumps(w) + "\n" for w in said))
    command = {"do": "judge", "said": str(home / "said.jsonl"), "everything": True, **where}
    (verdict,) = [w for w in forks.listen(command) if "judged" in w]
    lost = [s for s in verdict["wrong"] if "acknowledged" in s]
    return lost, [s for s in verdict["wrong"] if s not in lost]


def unclear(said: list[dict[str, Any]]) -> list[str]:
    """Return what was said that no person can use."""
    wrong = []
    for words in said:
        sentence = words.get("sentence", "")
        if "refused" in words and (not sentence.endswith(".") or "Errno" in sentence):
            wrong.append(f"no sentence for a person: {sentence!r}")
        # The page turns what a full disk says into a sentence (faces.kit.middleware).
        if "broke" in words and not FULL.search(words["error"]):
            wrong.append(f"{words['broke']} broke: {words['error']}")
    return wrong


@pytest.mark.faults
def test_a_disk_that_fills_up_at_any_moment_damages_nothing_and_work_goes_on_by_itself(
    forks: Forks, tmp_path: Path
) -> None:
    refused = broke = 0
    with Gate("disk full at random moments", least=FILLS) as gate:
        for n in range(0, FILLS, FILLS_A_DISK):
            dice = random.Random(SEED + n)
            folder = tmp_path / str(n)
            folder.mkdir()
            with Disk(folder, megabytes=128) as disk:
                home = disk.at / "home"
                shutil.copytree(forks.first, home)
                where = {"home": str(home), "database": str(home / "db.sqlite3"), "keep_free": 0}
                command = {"do": "path", "path": "under pressure", "alice": forks.alice, "seed": SEED + n}
                writer = Writer(forks, {**command, **where})
                try:
                    until = time.monotonic() + 30
                    while not any("round" in w for w in writer.said) and time.monotonic() < until:
                        time.sleep(0.01)  # its keys are made
                    for k in range(n, min(n + FILLS_A_DISK, FILLS)):
                        before = len(writer.said)
                        time.sleep(dice.uniform(0.05, 0.4))
                        filler = fill(disk.at, dice.choice((0, 0, 4096, 40_000, 300_000)))
                        time.sleep(dice.uniform(0.1, 0.5))
                        filler.unlink()
                        known, until = len(writer.said), time.monotonic() + 20
                        done: list[Any] = []
                        while "submit" not in done and writer.alive and time.monotonic() < until:
                            time.sleep(0.01)
                            done = [w.get("done") for w in writer.said[known:]]
                        wrong = (
                            [] if "submit" in done else ["nothing is accepted although there is room again"]
                        )
                        gate.case(f"fill {k}", wrong=[*wrong, *unclear(writer.said[before:])])
                finally:
                    writer.kill()
                refused += sum("refused" in w for w in writer.said)
                broke += sum("broke" in w for w in writer.said)
                gate.case(f"disk {n}", *judged(forks, home, [{"alice": forks.alice}, *writer.said]))
            shutil.rmtree(folder)
        gate.extra = f"({refused} refused, {broke} refused by the database)"
        assert refused + broke >= FILLS // 3, "the disk was hardly ever full"


@pytest.mark.faults
def test_with_only_the_reserve_left_files_are_refused_and_reports_in_words_accepted(
    forks: Forks, tmp_path: Path
) -> None:
    with (
        Gate("reports in words while only the reserve is free", least=REPORTS) as gate,
        Disk(tmp_path, 160) as disk,
    ):
        home = disk.at / "home"
        shutil.copytree(forks.first, home)
        where = {"home": str(home), "database": str(home / "db.sqlite3"), "keep_free": 100 << 20}
        filler = fill(disk.at, 64 << 20)
        command = {"do": "path", "path": "at the mark", "reports": REPORTS, **where}
        said = list(forks.listen({**command, "tolerant": True}))
        files = [w for w in said if w.get("trying") in ("upload", "tus")]
        refused = [w for w in said if w.get("refused") in ("upload", "tus")]
        wrong = (
            [] if files and len(refused) == len(files) else [f"{len(files)} files, {len(refused)} refused"]
        )
        gate.case("files", wrong=[*wrong, *unclear(refused)])
        accepted = {w["key"] for w in said if w.get("done") == "submit"}
        for words in said:
            if words.get("trying") == "submit":
                lost = [] if words["key"] in accepted else ["a report in words was not accepted"]
                gate.case(words["key"], lost)
        filler.unlink()
        gate.case("the house", *judged(forks, home, [{"alice": forks.alice}, *said]))
