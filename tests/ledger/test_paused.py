"""Two sequencers, one of them paused at any moment, past its lock too, and continued: one log, never a fork (F23)."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.faults.cluster import Cluster, open_folder

ROOT = Path(__file__).resolve().parents[2]

WORKER = """
import json, os, random, sys, time
import django
django.setup()
from django.db import close_old_connections, connection, transaction
from counterfoil.accounts.rules import Viewer
from counterfoil.ledger import actions
from counterfoil.ledger.actions import sequencing
really, chance = sequencing.publish, random.Random(os.getpid())
def publish(point):
    time.sleep(chance.random() / 50)  # room for a blow between the commit and the files
    really(point)
sequencing.publish = publish
out = open(sys.argv[2], "a", buffering=1)
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    try:
        with transaction.atomic():
            for n in range(chance.randint(1, 3)):
                actions.record("thing.done", by=Viewer.clock(), on=("thing", str(n)))
        point = actions.sequence()
        print(json.dumps({"size": point.size, "root": bytes(point.root).hex()}), file=out)
    except django.db.Error:
        connection.close()
    close_old_connections()
"""
JUDGE = """
import json, sys
import django
django.setup()
from counterfoil.ledger import actions
from counterfoil.ledger.queries import faults, log_folder, newest_checkpoint
from counterfoil.ledger.queries.standing import our_root
point = actions.sequence()
actions.witness_checkpoint(point)
said = [json.loads(line) for line in open(sys.argv[1])]
wrong = [s for s in said if our_root(s["size"]).hex() != s["root"] or log_folder().root(s["size"]).hex() != s["root"]]
print(json.dumps({"forks": wrong, "faults": faults(), "size": newest_checkpoint().size, "said": len(said)}))
"""


@pytest.mark.own_home
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_sequencer_that_is_paused_and_continued_makes_no_fork(
    database: str, tmp_path: Path, full: bool
) -> None:
    if database == "postgresql" and not full:
        pytest.skip("make faults runs it on PostgreSQL, where a paused sequencer can lose its lock")
    seconds, seed = (60.0 if full else 4.0), 23
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
    env = {
        **kept,
        "COUNTERFOIL_HOME": str(tmp_path / "home"),
        "DJANGO_SETTINGS_MODULE": "counterfoil.config.settings",
    }
    chance, pauses, taken = random.Random(seed), 0, 0
    with ExitStack() as stack:
        cluster = None
        if database == "postgresql":
            folder = stack.enter_context(open_folder("paused-"))
            cluster = Cluster(folder, folder / "data")
            cluster.make()
            cluster.start()
            stack.callback(cluster.stop)
            env["COUNTERFOIL_DATABASE_URL"] = cluster.url
        subprocess.run(
            [sys.executable, "-m", "counterfoil.cli", "migrate"],
            env=env,
            check=True,
            capture_output=True,
            cwd=ROOT,
        )
        outputs = [tmp_path / f"said-{n}" for n in range(2)]
        workers = [
            subprocess.Popen([sys.executable, "-c", WORKER, str(seconds), str(output)], env=env, cwd=ROOT)
            for output in outputs
        ]
        until = time.monotonic() + 60
        while not all(o.exists() for o in outputs) and time.monotonic() < until:
            time.sleep(0.05)
        while all(w.poll() is None for w in workers):
            victim = chance.choice(workers)
            os.kill(victim.pid, signal.SIGSTOP)
            time.sleep(chance.random() * 0.25)
            if cluster is not None and chance.random() < 0.5:
                taken += cluster_takes_the_lock(cluster)
                time.sleep(0.1)
            os.kill(victim.pid, signal.SIGCONT)
            pauses += 1
            time.sleep(chance.random() * 0.1)
        assert [w.wait(60) for w in workers] == [0, 0]
        said = tmp_path / "said"
        said.write_bytes(b"".join(o.read_bytes() for o in outputs))
        judge = subprocess.run(
            [sys.executable, "-c", JUDGE, str(said)], env=env, cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        found = json.loads(judge.stdout)
    assert (found["forks"], found["faults"]) == ([], [])
    assert found["said"] > 10
    assert found["size"] > 20
    assert pauses > 10
    if cluster is not None:
        assert taken > 5
    print(f"{database}: {pauses} pauses, {taken} locks taken, {found['said']} checkpoints, 0 forks")


def cluster_takes_the_lock(cluster: Cluster) -> int:
    """End the connection of whoever holds the sequencer's lock, as a server does with one that is idle for too long."""
    import psycopg

    with psycopg.connect(cluster.url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        ).fetchall()
    return len(rows)
