"""A process kill, an input/output error and a full disk at the system calls of every write path, injected by strace.

What was acknowledged must be there, what was not must not be served, `fsck` must be clean, a repeat must succeed, and
nobody may say yes after a write or a sync that failed. The suite takes a sample of the calls; `make faults` takes
every call of the engines and of the short paths, and a larger sample of a bundle's.
"""

import io
import json
import os
import random
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import paths, strace
from tests.faults.forks import Forks
from tests.faults.strace import WRITES, Call, Fault, Tracer
from tests.faults.tally import DEEP, SEED, Gate

from counterfoil.engines.errors import Refusal
from counterfoil.engines.tlog import TileDir, checkpoint_text, parse_checkpoint, split_note
from counterfoil.engines.vault import Vault

pytestmark = pytest.mark.skipif(
    bool(strace.forbidden()), reason=f"NO FAULT WAS INJECTED: {strace.forbidden()}"
)
# How many faults of each path the suite tries, and how many `make faults` does (None: all there are).
SHARE: dict[str, tuple[int, int | None]] = {
    "vault": (30, None),
    "log": (30, None),
    "upload": (8, None),
    "tus": (12, None),
    "submit": (8, 250),
    "accept": (8, 250),
    "sequence": (8, 250),
    "bundle": (2, 120),
}
# Nobody may have said yes after one of these failed.
NEVER_YES = frozenset({*WRITES, "fsync", "fdatasync"})


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """One forking process, always on SQLite: these are the calls of our own files and of its database's."""
    with Forks(tmp_path_factory.mktemp("calls")) as found:
        house = found.first
        said = [{"alice": found.alice}]
        command = {"do": "furnish", "alice": found.alice, "home": str(house), "database": found.furnished}
        said += found.listen({**command, "database": str(house / "db.sqlite3")})
        (words,) = [w["furnished"] for w in said if "furnished" in w]
        (house / "said.jsonl").write_text("".join(json.dumps(w) + "\n" for w in said))
        found.words = words
        yield found


class Stage:
    """A place to run one write path again and again, each time from the same beginning."""

    def __init__(self, path: str, folder: Path, forks: Forks) -> None:
        self.path, self.folder, self.forks, self.turn = path, folder, forks, 0
        self.first = folder / "first"
        if path in ("vault", "log"):
            self.first.mkdir(parents=True)
            Vault(self.first / "vault").add(io.BytesIO(paths.clip(0)))
            if path == "log":
                tiles = TileDir(self.first / "log")
                tiles.append(0, paths.ENTRIES[: paths.LOG_SIZES[0]])
                tiles.publish_checkpoint(paths.note_of(paths.LOG_SIZES[0]))
        else:
            self.first = forks.first

    def run(self, fault: Fault | None) -> tuple[Path, list[dict[str, Any]], str]:
        """Run the path once, with a fault or untouched; return its home, what was said, and the calls."""
        self.turn += 1
        home = self.folder / f"home-{self.turn}"
        shutil.copytree(self.first, home)
        command = {
            "do": "path",
            "path": self.path,
            "hold": True,
            "home": str(home),
            "database": str(home / "db.sqlite3"),
            **self.forks.words,
        }
        said: list[dict[str, Any]] = []
        tracer: Tracer | None = None
        for words in self.forks.listen(command):
            said.append(words)
            if "pid" in words:
                tracer = Tracer(words["pid"], fault.option if fault else "")
                os.kill(words["pid"], signal.SIGUSR1)
        assert tracer
        return home, said, tracer.stop()

    def calls(self) -> list[Call]:
        """Return the calls that an untouched run makes."""
        home, said, listing = self.run(None)
        assert [w for w in said if "done" in w], said
        assert self.judge(home, said) == ([], [])
        shutil.rmtree(home)
        (pid,) = [w["pid"] for w in said if "pid" in w]
        found = strace.calls_in(listing, pid, home)
        assert any(call.name in ("fsync", "fdatasync") and call.before_yes for call in found), listing[-2000:]
        return found

    def judge(self, home: Path, said: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
        """Return what was acknowledged and is lost, and whatever else is wrong, in a house that was left so."""
        done = {w["key"]: w["answer"] for w in said if "done" in w}
        if self.path == "vault":
            return judge_vault(home, done)
        if self.path == "log":
            return judge_log(home, done)
        with (home / "said.jsonl").open("a") as kept:
            kept.writelines(json.dumps(w) + "\n" for w in said)
        command = {
            "do": "judge",
            "said": str(home / "said.jsonl"),
            "everything": True,
            "home": str(home),
            "database": str(home / "db.sqlite3"),
        }
        (verdict,) = [w for w in self.forks.listen(command) if "judged" in w]
        lost = [s for s in verdict["wrong"] if "acknowledged" in s]
        return lost, [s for s in verdict["wrong"] if s not in lost]


def judge_vault(home: Path, done: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Check a vault after a fault: everything acknowledged is there, nothing half is, and a repeat succeeds."""
    store = Vault(home / "vault")
    store.sweep(older_than=lambda _: True)
    known = [(sha256, size) for sha256, size in done.values()]
    lost = [f"acknowledged and gone: {s}" for s in store.fsck(known, unknown_is_fault=False)]
    wrong = [s for s in Vault(home / "vault").fsck([], unknown_is_fault=False) if not lost]
    for n in (1, 2):
        again = store.add(io.BytesIO(paths.clip(n)))
        if str(n) in done and list(again) != done[str(n)]:
            wrong.append(f"clip {n} was called {done[str(n)]} and is {again}")
    wrong += store.fsck([(name, store.size(name)) for name in store.all()])
    return lost, wrong


def judge_log(home: Path, done: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Check a log after a fault: it is the old one or the new one, whole, and goes on from there."""
    tiles, (old, new) = TileDir(home / "log"), paths.LOG_SIZES
    lost, wrong = [], []
    size = tiles.size()
    if size not in (old, new):
        return [], [f"the log has {size} entries"]
    if str(new) in done and tiles.published() != done[str(new)]:
        lost.append("the checkpoint that was called published is not the one that is there")
    left = tiles.sweep()
    wrong += tiles.fsck(split_note(paths.note_of(size))[0])
    try:
        tiles.append(old, paths.ENTRIES[old:new]) if size == old else None
        tiles.publish_checkpoint(paths.note_of(new))
    except Refusal as refusal:
        wrong.append(f"the log cannot go on after {left} leftovers: {refusal}")
    point = parse_checkpoint(split_note(paths.note_of(new))[0])
    return lost, wrong + tiles.fsck(checkpoint_text(point.origin, point.size, point.root))


def unlike_its_word(fault: Fault, said: list[dict[str, Any]]) -> list[str]:
    """Return what the worker said that it may not say after this fault."""
    if fault.what == "KILL":
        return []
    done = [w for w in said if "done" in w]
    refused = [w for w in said if "refused" in w]
    broke = [w for w in said if "broke" in w or "error" in w]
    wrong = []
    call = fault.call
    # SQLite passes over an error of the one sync of its folder, when its log is first made there (os_unix.c, unixSync).
    sqlites_folder = call.name == "fdatasync" and re.match(r"\d+<[^>]*/home-\d+>\)", call.given)
    # The effect is committed when followers run; what fails in one is done by the sweep, and the judge looks.
    followers = any("follower" in w for w in said)
    innocent = "<pipe:" in call.given or sqlites_folder or followers
    if call.before_yes and call.name in NEVER_YES and not innocent:
        first = next((w["key"] for w in said if "trying" in w), None)
        if any(w["key"] == first for w in done) and not call.given.endswith("2>"):
            wrong.append("somebody said yes after it failed")
        if call.name in ("fsync", "fdatasync") and fault.what == "EIO" and done:
            wrong.append("the process said yes again after a sync that failed")
    for words in refused:
        sentence = words["sentence"]
        if not sentence.endswith(".") or "Errno" in sentence or "Error" in sentence:
            wrong.append(f"no sentence for a person: {sentence!r}")
    if not (done or refused or broke):
        wrong.append("nothing was said")
    return wrong


@pytest.mark.faults
@pytest.mark.parametrize("path", list(SHARE))
def test_no_fault_at_any_system_call_loses_or_halves_anything(
    forks: Forks, tmp_path: Path, path: str
) -> None:
    stage = Stage(path, tmp_path, forks)
    calls = stage.calls()
    faults = strace.faults_at(calls)
    share = int(os.environ.get("COUNTERFOIL_SHARE", "0")) or SHARE[path][DEEP]
    wanted = len(faults) if share is None else min(share, len(faults))
    dice = random.Random(f"{SEED} {path}")
    chosen = dice.sample(faults, len(faults))
    if wanted < len(faults):  # as many kills as errors
        stops = [f for f in chosen if f.what == "KILL"][: wanted // 2]
        chosen = stops + [f for f in chosen if f.what != "KILL"][: wanted - len(stops)]
    kills = errors = missed = 0
    with Gate(f"system calls: {path}", least=wanted * 8 // 10) as gate:
        for fault in chosen:
            home, said, listing = stage.run(fault)
            killed = any(w.get("status") == signal.SIGKILL for w in said)
            if not killed and "(INJECTED)" not in listing:
                missed += 1  # this run made fewer calls of that name than the first one
            else:
                kills, errors = kills + killed, errors + (not killed)
                lost, wrong = stage.judge(home, said)
                gate.case(fault, lost, [*wrong, *unlike_its_word(fault, said)])
            shutil.rmtree(home)
        gate.extra = f"({len(calls)} calls, {kills} kills, {errors} errors, {missed} not reached)"
