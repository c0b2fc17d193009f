"""PostgreSQL killed under its writers, cut off from power, and its connections dropped around COMMIT.

The gates bring a server of their own: what was acknowledged is there when it is back, nothing is doubled, and the
same key gives the same answer.
"""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.faults import power
from tests.faults.cluster import Cluster, DroppingProxy, open_folder
from tests.faults.forks import Forks
from tests.faults.power import Disk, Writer, mounted
from tests.faults.tally import DEEP, SEED, Gate

KILLS = 50 if DEEP else 5
KILLS_A_HOUSE = 10
CUTS = 20 if DEEP else 1
SENT = (1000, 20) if DEEP else (8, 20)
WRITERS = 4


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """A furnished house and database on a server that stays up; its data folder is what the others begin with."""
    with open_folder("counterfoil-pg-") as folder:
        cluster = Cluster(folder / "socket", folder / "data")
        cluster.make()
        cluster.start()
        try:
            with Forks(folder / "forks", cluster.url) as found:
                found.cluster = cluster  # type: ignore[attr-defined]
                yield found
        finally:
            cluster.stop()


@pytest.fixture(scope="module")
def judges(forks: Forks) -> Iterator[Forks]:
    """Another forking process, to judge while a worker of the first is still at work."""
    with open_folder("counterfoil-judges-") as folder, Forks(folder, forks.url, furnish=False) as found:
        yield found


@contextmanager
def a_server(forks: Forks, folder: Path, *settings: str) -> Iterator[tuple[Cluster, dict[str, str]]]:
    """Start a server whose database is furnished, with its home, in this folder."""
    made: Cluster = forks.cluster  # type: ignore[attr-defined]
    made.stop()  # a data folder is copied while nobody writes in it
    shutil.copytree(made.data, folder / "data")
    shutil.copytree(forks.first, folder / "home")
    if made.user:
        for path in [folder / "data", *(folder / "data").rglob("*")]:
            shutil.chown(path, made.user)
    made.start()
    cluster = Cluster(folder.parent / f"{folder.name}-socket", folder / "data", *settings)
    cluster.start()
    where = {"home": str(folder / "home"), "database": forks.furnished, "host": str(cluster.folder)}
    try:
        yield cluster, where
    finally:
        cluster.stop()


def judge(judges: Forks, said: list[dict[str, Any]], where: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return what was acknowledged and is lost, and what else is wrong, in a house whose database is back."""
    home = Path(where["home"])
    with (home / "said.jsonl").open("w") as kept:
        kept.writelines(json.dumps(w) + "\n" for w in said)
    found: list[dict[str, Any]] = []
    command = {"do": "judge", "said": str(home / "said.jsonl"), "everything": False, **where}
    for words in judges.listen(command):
        found.append(words)
        if "repeated" in words or "done" in words:
            said.append(words)
    verdict = next((w for w in found if "judged" in w), None)
    if verdict is None:  # a database that is too broken to answer
        return [], ["the house could not be judged: its database starts and does not answer"]
    lost = [s for s in verdict["wrong"] if "acknowledged" in s]
    return lost, [s for s in verdict["wrong"] if s not in lost]


def busy(writer: Writer, dice: random.Random, least: int = 3) -> None:
    """Let the writers work for a moment, and until something new was acknowledged."""
    before = sum("done" in w for w in list(writer.said))
    time.sleep(dice.uniform(0.2, 1.0))
    until = time.monotonic() + 20
    while sum("done" in w for w in list(writer.said)) < before + least and time.monotonic() < until:
        time.sleep(0.01)


def members(writer: Writer) -> list[int]:
    """Return the process ids of a crowd that are still there."""
    pids = [w["member"] for w in list(writer.said) if "member" in w] + [writer.pid]
    return [pid for pid in pids if pid and Path(f"/proc/{pid}").exists()]


@pytest.mark.faults
def test_nothing_acknowledged_is_lost_when_postgresql_is_killed_under_its_writers(
    forks: Forks, judges: Forks
) -> None:
    acknowledged = 0
    with Gate("PostgreSQL process tree kills", least=KILLS) as gate:
        for n in range(0, KILLS, KILLS_A_HOUSE):
            dice = random.Random(SEED + n)
            with open_folder("counterfoil-kills-") as folder:
                (folder / "house").mkdir()
                with a_server(forks, folder / "house") as (cluster, where):
                    said: list[dict[str, Any]] = [{"alice": forks.alice}]
                    for kill in range(n, min(n + KILLS_A_HOUSE, KILLS)):
                        command = {
                            "do": "crowd",
                            "alice": forks.alice,
                            "seed": SEED + kill,
                            "writers": WRITERS,
                        }
                        writer = Writer(forks, {**command, **where})
                        busy(writer, dice, WRITERS)
                        cluster.kill()
                        writer.thread.join(60)  # each of them finds that its database is gone
                        assert not writer.alive
                        broken = [w["error"] for w in writer.said if "error" in w and "broke" not in w]
                        acknowledged += sum("done" in w for w in writer.said)
                        said += writer.said
                        cluster.start()
                        lost, wrong = judge(judges, said, where)
                        gate.case(f"kill {kill}", lost, [*wrong, *broken])
        gate.extra = f"({acknowledged} acknowledged by {WRITERS} writers)"


@pytest.mark.faults
@pytest.mark.skipif(bool(power.forbidden()), reason=f"NO POWER WAS CUT: {power.forbidden()}")
def test_nothing_acknowledged_is_lost_when_the_power_of_postgresql_is_cut(
    forks: Forks, judges: Forks
) -> None:
    with Gate("power cuts: product on PostgreSQL", least=CUTS) as gate:
        for n in range(0, CUTS, 5):
            for k, (lost, wrong) in enumerate(cuts(forks, judges, SEED + n, min(5, CUTS - n))):
                gate.case(f"cut {n + k}", lost, wrong)


@pytest.mark.skipif(
    bool(power.forbidden()) or not DEEP,
    reason=f"NO POWER WAS CUT: {power.forbidden() or 'only in make faults'}",
)
@pytest.mark.faults
def test_a_database_that_does_not_sync_loses_what_was_acknowledged(forks: Forks, judges: Forks) -> None:
    """The negative control: of eight cuts one must lose something, however soon the system writes by itself."""
    with closing(cuts(forks, judges, SEED, 8, "fsync=off")) as found:
        assert any(lost or wrong for lost, wrong in found), "these cuts look away"


def cuts(
    forks: Forks, judges: Forks, seed: int, number: int, *settings: str
) -> Iterator[tuple[list[str], list[str]]]:
    """Have writers work on a disk with a server of its own, cut the power some times, and judge each copy."""
    dice = random.Random(seed)
    with open_folder("counterfoil-cuts-") as folder, Disk(folder, megabytes=768) as disk:
        disk.at.chmod(0o755)
        (disk.at / "house").mkdir()
        with a_server(forks, disk.at / "house", *settings) as (cluster, where):
            command = {"do": "crowd", "alice": forks.alice, "seed": seed, "writers": 2}
            power.settle(disk.at)
            writer = Writer(forks, {**command, **where})
            everybody: Callable[[], list[int]] = lambda: [*members(writer), *cluster.pids()]  # noqa: E731
            try:
                for k in range(number):
                    busy(writer, dice)
                    copy, said = folder / f"copy-{k}.img", [{"alice": forks.alice}]

                    def heard(said: list[dict[str, Any]] = said) -> None:
                        writer.heard()
                        said += writer.said

                    disk.cut(everybody, copy, heard)
                    with mounted(copy, folder / f"after-{k}") as after:
                        again = Cluster(folder / f"after-{k}-socket", after / "house" / "data")
                        try:
                            again.start()
                            there = {
                                **where,
                                "home": str(after / "house" / "home"),
                                "host": str(again.folder),
                            }
                            yield judge(judges, said, there)
                        except AssertionError as error:
                            yield [], [f"the database does not start: {error}"]
                        finally:
                            again.stop()
                    copy.unlink()
            finally:
                for pid in members(writer):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                writer.thread.join(30)


@pytest.mark.faults
@pytest.mark.parametrize("line", ["whole", "dropped around COMMIT"])
def test_a_report_sent_twenty_times_at_once_is_one_report_with_one_answer(forks: Forks, line: str) -> None:
    reports, sends = SENT if line == "whole" else (SENT[0] // 2, SENT[1])
    with (
        open_folder("counterfoil-sends-") as folder,
        Gate(f"sent {sends} times at once, line {line}") as gate,
    ):
        (folder / "house").mkdir()
        with (
            a_server(forks, folder / "house") as (cluster, where),
            DroppingProxy(folder / "line", cluster.folder, 0.6 if line != "whole" else 0, SEED) as proxy,
        ):
            through = {**where, "host": str(proxy.folder)}
            command = {"do": "send", "seed": SEED, "reports": reports, "sends": sends, **through}
            said = list(forks.listen(command))
            (count,) = [w for w in forks.listen({"do": "count", **where}) if "reports" in w]
            found = [w for w in said if "sent" in w]
            answers = 0
            for words in found:
                different = {tuple(a) for a in words["answers"]}
                answers += len(words["answers"])
                wrong = []
                if len(different) != 1:
                    wrong.append(f"{len(different)} different answers")
                if len(words["answers"]) != sends:
                    wrong.append(f"{len(words['answers'])} answers to {sends} sends")
                if line == "whole" and words["broken"]:
                    wrong.append(f"{words['broken']} sends were told that something went wrong")
                gate.case(f"draft {words['sent']}", wrong=wrong)
            gate.case(
                "the count",
                wrong=[]
                if (count["reports"], count["entries"]) == (reports, reports)
                else [f"{count} where {reports} were sent"],
            )
            assert line == "whole" or proxy.dropped > reports // 4, "the line was hardly ever dropped"
            gate.extra = f"({reports} reports, {answers} answers, {proxy.commits} commits, {proxy.drops})"
