"""Process kills at random instants of submit and accept-exhibit, in a real process on this run's database.

What was acknowledged must be there, `fsck` must be clean, and the sender's retry must get the same reply and cause
nothing twice. 20 kills in the suite; COUNTERFOIL_KILLS (300 in `make faults`) for more. Each kind of broken product
in `tests/sabotage` must be caught, or these kills prove nothing.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from tests import sabotage

ROOT = Path(__file__).resolve().parents[2]
DEEP = os.environ.get("COUNTERFOIL_DEPTH") == "full"
KILLS = int(os.environ.get("COUNTERFOIL_KILLS", "300" if DEEP else "20"))
A_HOUSE = 25  # so many kills in one house, then a new one: a check reads everything again
SEED = int(os.environ.get("COUNTERFOIL_SEED", "20261121"))
AIMS = ("submit", "accept")


class House:
    """A house of its own for the killing: a home, a database and a process that forks workers."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.dice = folder, random.Random(seed)
        self.seed, self.took = seed, {aim: [0.02] for aim in AIMS}
        self.said = folder / "said.jsonl"
        self.url, self.database = os.environ.get("COUNTERFOIL_DATABASE_URL", ""), ""

    def __enter__(self) -> "House":
        self.folder.mkdir(parents=True)
        if self.url:
            self.database = f"kills_{uuid4().hex[:12]}"
            self._postgresql(f"CREATE DATABASE {self.database}")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
        url = urlunsplit(urlsplit(self.url)._replace(path=f"/{self.database}")) if self.url else ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env={
                **kept,
                "COUNTERFOIL_HOME": str(self.folder / "home"),
                "COUNTERFOIL_DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
                "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.hear().get("ready")
        (first,) = [w for w in self.order({"do": "prepare"}) if "alice" in w]
        self.alice = first["alice"]
        for _ in range(2):  # untouched, to learn how long things take
            self.strike(aim=None)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        if self.database:
            self._postgresql(f"DROP DATABASE {self.database} WITH (FORCE)")

    def _postgresql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def hear(self) -> dict[str, Any]:
        """Return the next thing that was said, and keep it."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the process that forks workers has died"
        words: dict[str, Any] = json.loads(line)
        assert "error" not in words, words["error"]
        with self.said.open("a") as kept:
            kept.write(line)
        return words

    def order(self, command: dict[str, Any]) -> list[dict[str, Any]]:
        """Have a worker do something and return all it said until its end."""
        return list(self.listen(command))

    def listen(self, command: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Have a worker do something and yield what it says until its end."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        while True:
            words = self.hear()
            yield words
            if "dead" in words:
                return

    def strike(self, aim: str | None, broken: str | None = None) -> bool:
        """Let a worker work and kill it in the middle of what is aimed at; say whether it was silent about that."""
        self.seed += 1
        at = self.dice.randint(1, 3 if aim == "submit" else 6)
        command = {"do": "work", "alice": self.alice, "seed": self.seed, "sabotage": broken}
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
                    time.sleep(self.dice.uniform(0, 1.2 * usual + (sabotage.A_MOMENT if broken else 0)))
                    os.kill(pid, signal.SIGKILL)
        return silent

    def judge(self) -> dict[str, Any]:
        """Return what is wrong with the house now, and how much was done that nobody was told."""
        (verdict,) = [w for w in self.order({"do": "judge", "said": str(self.said)}) if "judged" in w]
        return verdict


@pytest.mark.faults
def test_nothing_acknowledged_is_lost_or_doubled_by_a_kill(tmp_path: Path) -> None:
    silent = unsaid = struck = 0
    for n in range(0, KILLS, A_HOUSE):
        with House(tmp_path / f"house-{n}", SEED + 1000 * n) as house:
            for kill in range(n, min(n + A_HOUSE, KILLS)):
                aim = AIMS[kill % 2]
                silent += house.strike(aim)
                struck += 1
                verdict = house.judge()
                assert verdict["wrong"] == [], f"after kill {kill} ({aim}, seed {SEED})"
                unsaid += verdict["committed_unsaid"]
    print(f"\n{struck} process kills: {silent} before the answer was given, {unsaid} of those after the commit")
    assert struck == KILLS
    # Kills that all came too late would prove nothing.
    assert silent >= KILLS // 3


@pytest.mark.parametrize("broken", sorted(sabotage.NAMED))
def test_a_product_that_breaks_its_word_is_caught(tmp_path: Path, broken: str) -> None:
    aim = "accept" if broken in ("key_after_effect", "row_before_bytes") else "submit"
    with House(tmp_path / "house", SEED) as house:
        for _ in range(30):
            house.strike(aim, broken)
            if house.judge()["wrong"]:
                return
    pytest.fail(f"30 kills did not catch {broken}: these kills look away")
