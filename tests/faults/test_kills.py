"""Process kills at random instants of submit and accept-exhibit, in a real process on this run's database.

What was acknowledged must be there, `fsck` must be clean, and the sender's retry must get the same reply and cause
nothing twice. 10 kills in the suite; COUNTERFOIL_KILLS (300 in `make faults`) for more. Each kind of broken product
in `tests/sabotage` must be caught, or these kills prove nothing.
"""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import sabotage
from tests.faults.forks import Forks

DEEP = os.environ.get("COUNTERFOIL_DEPTH") == "full"
KILLS = int(os.environ.get("COUNTERFOIL_KILLS", "300" if DEEP else "10"))
A_HOUSE = 25  # so many kills in one house, then a new one: a check reads everything again
SEED = int(os.environ.get("COUNTERFOIL_SEED", "20261121"))
AIMS = ("submit", "accept")
LOG_KILLS = 60 if DEEP else 3


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """One forking process for all the killing."""
    with Forks(tmp_path_factory.mktemp("kills"), os.environ.get("COUNTERFOIL_DATABASE_URL", "")) as found:
        yield found


class House:
    """A house of its own for the killing: a copy of the furnished home and database, and what was said about it."""

    def __init__(self, forks: Forks, folder: Path, seed: int) -> None:
        self.forks, self.dice, self.seed = forks, random.Random(seed), seed
        self.took: dict[str, list[float]] = {aim: [] for aim in (*AIMS, "sequence")}
        shutil.copytree(forks.first, folder)
        self.said = folder / "said.jsonl"
        self.said.write_text(json.dumps({"alice": forks.alice}) + "\n")
        self.where = {
            "home": str(folder),
            "database": forks.database(forks.furnished) or str(folder / "db.sqlite3"),
        }
        for _ in range(2):  # untouched, to learn how long things take
            self.strike(aim=None)

    def listen(self, command: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Have a worker do something here, keep what it says, and yield it."""
        for words in self.forks.listen({**command, **self.where}):
            with self.said.open("a") as kept:
                kept.write(json.dumps(words) + "\n")
            yield words

    def strike(self, aim: str | None, broken: str | None = None) -> bool:
        """Let a worker work and kill it in the middle of what is aimed at; say whether it was silent about that."""
        self.seed += 1
        at = self.dice.randint(1, 6 if aim == "accept" else 3)
        command = {
            "do": "work",
            "alice": self.forks.alice,
            "seed": self.seed,
            "sabotage": broken,
            "linger": 5 if aim else 0,
        }
        pid, started, key, silent = 0, 0.0, "", False
        for words in self.listen(command):
            pid = words.get("pid", pid)
            if words.get("trying") in self.took:
                started = time.monotonic()
            if words.get("done") in self.took and aim is None:
                self.took[words["done"]].append(time.monotonic() - started)
            if words.get("done") == aim and words.get("key") == key:
                silent = False
            if words.get("trying") == aim and aim:
                at -= 1
                if at == 0:
                    key, silent = words["key"], True
                    usual = sorted(self.took[aim])[len(self.took[aim]) // 2]
                    # Half of the blows fall anywhere, half around the commit, near the end.
                    first = self.dice.choice((0.0, 0.7)) * usual
                    time.sleep(self.dice.uniform(first, 1.3 * usual + (sabotage.A_MOMENT if broken else 0)))
                    os.kill(pid, signal.SIGKILL)
        return silent

    def judge(self, *, everything: bool = False) -> dict[str, Any]:
        """Return what is wrong with the house now, and how much was done that nobody was told."""
        command = {"do": "judge", "said": str(self.said), "everything": everything}
        (verdict,) = [w for w in self.listen(command) if "judged" in w]
        return verdict


@pytest.mark.faults
def test_nothing_acknowledged_is_lost_or_doubled_by_a_kill(forks: Forks, tmp_path: Path) -> None:
    silent = unsaid = struck = 0
    for n in range(0, KILLS, A_HOUSE):
        house = House(forks, tmp_path / f"house-{n}", SEED + 1000 * n)
        for kill in range(n, min(n + A_HOUSE, KILLS)):
            aim = AIMS[kill % 2]
            silent += house.strike(aim)
            struck += 1
            verdict = house.judge()
            assert verdict["wrong"] == [], f"after kill {kill} ({aim}, seed {SEED})"
            unsaid += verdict["committed_unsaid"]
        assert house.judge(everything=True)["wrong"] == []
    print(
        f"\n{struck} process kills: {silent} before the answer was given, {unsaid} of those after the commit"
    )
    assert struck == KILLS
    # Kills that all came too late would prove nothing.
    assert silent >= KILLS // 5


@pytest.mark.faults
def test_a_log_that_was_being_written_grows_on_from_where_it_was(forks: Forks, tmp_path: Path) -> None:
    """Kills in the middle of giving indexes, signing, writing tiles and publishing the checkpoint."""
    silent = 0
    for n in range(0, LOG_KILLS, A_HOUSE):
        house = House(forks, tmp_path / f"house-{n}", SEED + 7 + n)
        for kill in range(n, min(n + A_HOUSE, LOG_KILLS)):
            silent += house.strike("sequence")
            assert house.judge()["wrong"] == [], f"after kill {kill} of the log, seed {SEED}"
    print(f"\n{LOG_KILLS} process kills of the log: {silent} before it was published")
    assert silent


@pytest.mark.parametrize("broken", sorted(sabotage.NAMED))
def test_a_product_that_breaks_its_word_is_caught(forks: Forks, tmp_path: Path, broken: str) -> None:
    aim = "accept" if broken in ("key_after_effect", "row_before_bytes") else "submit"
    house = House(forks, tmp_path / "house", SEED)
    for _ in range(30):
        house.strike(aim, broken)
        if house.judge()["wrong"]:
            return
    pytest.fail(f"30 kills did not catch {broken}: these kills look away")
