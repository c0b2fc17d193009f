"""The witness service that other installations call, as a process of its own, over HTTP, killed and raced."""

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.engines.go_oracle.oracle import ask as ask_go

from counterfoil.adapters.witness_http import HttpWitness
from counterfoil.config import witness as service
from counterfoil.engines import disk
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.engines.tlog import (
    CosignSigner,
    Frontier,
    Signer,
    checkpoint_text,
    leaf_hash,
    prove_consistency,
    sign_note,
)
from counterfoil.engines.witness import WitnessBook, read_logs, web

LOG = Signer.from_seed("log.example/log", b"\x07" * 32)
ORIGIN = hashlib.sha256(LOG.name.encode()).hexdigest()
LEAVES = [leaf_hash(bytes([n % 256, n // 256])) for n in range(400)]
FORK = [leaf_hash(b"another" + bytes([n % 256])) for n in range(400)]
NAME = "witness.example/w1"


def note(size: int, leaves: list[bytes] = LEAVES, signer: Signer = LOG) -> str:
    root = Frontier.empty().append_all(leaves[:size]).root()
    return sign_note(checkpoint_text(signer.name, size, root), [signer])


def request(old: int, size: int, leaves: list[bytes] = LEAVES, proof: list[bytes] | None = None) -> bytes:
    if proof is None:
        proof = list(prove_consistency(leaves, old, size)) if 0 < old < size else []
    return (
        "\n".join([f"old {old}", *(b64encode(h).decode() for h in proof)]) + "\n\n" + note(size, leaves)
    ).encode()


def send(url: str, body: bytes | None = None, method: str | None = None) -> tuple[int, str, bytes]:
    try:
        with urlopen(Request(url, data=body, method=method), timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


class Service:
    """`counterfoil witness serve` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "counterfoil.cli", "witness", "serve", "--folder", str(folder)]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            env=kept,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                send(self.url + "/")
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the witness did not start")

    def stop(self, how: int = signal.SIGTERM) -> bytes:
        os.killpg(self.process.pid, how)
        said, _ = self.process.communicate(timeout=20)
        return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    service.make_key(tmp_path / "w", NAME)
    (tmp_path / "w" / "logs.txt").write_text(f"# those we witness\nlog {LOG.vkey}\n")
    return tmp_path / "w"


@pytest.fixture
def served(folder: Path) -> Iterator[Service]:
    found = Service(folder)
    yield found
    if found.process.poll() is None:
        found.stop()


def book(folder: Path) -> WitnessBook:
    return service.open_book(folder)


def test_it_serves_the_protocol_and_prints_nothing_about_anybody(served: Service) -> None:
    url = served.url + "/add-checkpoint"
    assert send(f"{served.url}/{ORIGIN}/checkpoint")[0] == 404
    status, _, line = send(url, request(0, 5))
    assert status == 200
    assert line.decode().startswith(f"— {NAME} ")
    assert send(url, request(0, 9)) == (409, "text/x.tlog.size", b"5\n")
    assert send(url, request(5, 9, FORK))[0] == 422
    assert send(url, request(5, 5, FORK))[0] == 422
    assert send(url, request(5, 9, proof=[]))[0] == 422
    assert send(url, request(5, 9, proof=[LEAVES[0]] * 3))[0] == 422
    assert send(url, request(9, 5))[0] == 400
    assert send(url, b"hello")[0] == 400
    assert send(url, ("old 0\n\n" + note(3, signer=Signer.generate("other.example/log"))).encode())[0] == 404
    assert send(url, ("old 5\n\n" + note(9, signer=Signer.generate(LOG.name))).encode())[0] == 403
    assert send(url, b"x" * 70_000)[0] == 413
    assert send(url)[0] == 405
    assert send(url, request(5, 9))[0] == 200
    status, kind, held = send(f"{served.url}/{ORIGIN}/checkpoint")
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    assert held.decode().startswith(note(9))
    said = served.stop().decode()
    assert not [word for word in ("127.0.0.1", LOG.name, "checkpoint", ORIGIN) if word in said]


def test_go_verifies_its_cosignature_and_the_checkpoint_it_serves(folder: Path) -> None:
    status, _, line = book(folder).add_checkpoint(request(0, 70), now=1_800_000_000)
    assert status == 200
    vkey = service.make_key(folder, "")
    whole = note(70) + line.decode()
    questions: list[dict[str, Any]] = [
        {"op": "note", "note": whole, "keys": [LOG.vkey, vkey]},
        {"op": "note", "note": book(folder).latest(ORIGIN), "keys": [LOG.vkey, vkey]},
        {"op": "note", "note": whole.replace("\n70\n", "\n71\n"), "keys": [LOG.vkey, vkey]},
    ]
    answers = ask_go(questions)
    assert [a["ok"] for a in answers] == [True, True, False]
    assert answers[0]["verified"] == [LOG.name, NAME]


def test_what_it_signed_is_on_the_disk_before_the_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    really = disk.replace

    def replace(path: Path, data: bytes) -> None:
        really(path, data)
        synced.append(path.name)

    monkeypatch.setattr(disk, "replace", replace)
    for size in (1, 2, 7, 300):
        one = book(folder)
        old = one.size(LOG.name)
        assert one.add_checkpoint(request(old, size), now=1)[0] == 200
        assert book(folder).size(LOG.name) == size
    assert len(synced) == 4


def test_it_signs_nothing_that_it_cannot_remember(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert book(folder).add_checkpoint(request(0, 5), now=1)[0] == 200

    def full(path: Path, data: bytes) -> None:
        raise disk.DiskFault(disk.NO_ROOM)

    monkeypatch.setattr(disk, "replace", full)
    said: list[str] = []
    body = request(5, 6)

    class Stream:
        def read(self, n: int) -> bytes:
            return body

    environ = {
        "PATH_INFO": "/add-checkpoint",
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": Stream(),
    }
    answer = web(book(folder), lambda: 1)(environ, lambda status, headers: said.append(status))
    assert said == ["503 Service Unavailable"]
    assert "—" not in b"".join(answer).decode()
    assert book(folder).size(LOG.name) == 5


def test_racing_requests_never_roll_it_back(served: Service) -> None:
    """Many clients push different sizes at once; what is signed only ever grows, and nothing is signed twice apart."""
    signed: list[int] = []
    stop = threading.Event()

    def push(seed: int) -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            old = book(served.folder).size(LOG.name)
            size = old + chance.randint(0, 6)
            if size > 300:
                return
            if size and send(served.url + "/add-checkpoint", request(old, size))[0] == 200:
                signed.append(size)

    threads = [threading.Thread(target=push, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    seen, until = 0, time.monotonic() + 6
    while any(t.is_alive() for t in threads) and time.monotonic() < until:
        size = book(served.folder).size(LOG.name)
        assert size >= seen
        seen = size
    stop.set()
    for thread in threads:
        thread.join()
    assert len(signed) > 20
    assert book(served.folder).size(LOG.name) == max(signed)


CHILD = """
import sys
from pathlib import Path
from typing import Any
from tests.witness.test_service import LOG, book, request
folder = Path(sys.argv[1])
one = book(folder)
while one.size(LOG.name) < 390:
    old = one.size(LOG.name)
    if one.add_checkpoint(request(old, old + 1), now=1)[0] == 200:
        print(old + 1, flush=True)
"""


def test_a_kill_at_any_moment_leaves_it_remembering_all_that_it_answered(folder: Path, full: bool) -> None:
    chance = random.Random(3)
    answered = 0
    for _ in range(60 if full else 6):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        for _ in range(chance.randint(1, 5)):
            child.stdout.readline()
        time.sleep(chance.random() / 500)
        child.kill()
        rest, _ = child.communicate()
        told = [int(n) for n in rest.splitlines(keepends=True) if n.endswith("\n") for n in [n.strip()]]
        size = book(folder).size(LOG.name)
        answered = max([answered, *told])
        assert size >= answered
        status, _, _ = book(folder).add_checkpoint(request(size, size + 1), now=1)
        assert status == 200
        answered = size + 1


def test_the_client_asks_it_for_its_last_checkpoint(served: Service) -> None:
    client = HttpWitness(served.url, service.make_key(served.folder, ""))
    assert client.latest(LOG.name) is None
    cosigned = client.cosign(note(5), lambda old, new: list(prove_consistency(LEAVES, old, new)))
    assert client.latest(LOG.name) == cosigned
    served.stop()
    with pytest.raises(NotAllowed, match="could not be reached"):
        client.latest(LOG.name)


def test_a_log_that_changed_its_key_is_accepted_under_both_as_long_as_both_are_listed(folder: Path) -> None:
    new = Signer.generate(LOG.name)
    assert book(folder).add_checkpoint(("old 0\n\n" + note(4, signer=new)).encode(), now=1)[0] == 403
    (folder / "logs.txt").write_text(f"log {LOG.vkey}\nlog {new.vkey}\n")
    assert book(folder).add_checkpoint(request(0, 4), now=1)[0] == 200
    proof = "\n".join(b64encode(h).decode() for h in prove_consistency(LEAVES, 4, 6))
    body = f"old 4\n{proof}\n\n{note(6, signer=new)}".encode()
    assert book(folder).add_checkpoint(body, now=1)[0] == 200
    (folder / "logs.txt").write_text(f"log {new.vkey}\n")
    assert book(folder).add_checkpoint(request(6, 9), now=1)[0] == 403


def test_signatures_of_strangers_are_not_kept(folder: Path) -> None:
    stranger = CosignSigner.generate("a.stranger/with-words-of-their-own")
    text = note(3).split("\n\n")[0] + "\n"
    body = b"old 0\n\n" + (note(3) + stranger.cosign(text, 5)).encode()
    assert book(folder).add_checkpoint(body, now=1)[0] == 200
    assert "stranger" not in (book(folder).latest(ORIGIN) or "stranger")


@pytest.mark.parametrize("text", ["log", "log x", "vkey x+1+2", f"log {LOG.vkey} more"])
def test_a_list_of_logs_that_cannot_be_read_is_refused_as_a_whole(folder: Path, text: str) -> None:
    with pytest.raises(BadInput, match="Line 1"):
        read_logs(text)


def test_a_key_that_others_can_read_is_refused(folder: Path) -> None:
    (folder / "witness.key").chmod(0o644)
    with pytest.raises(NotAllowed, match="chmod 600"):
        book(folder)


def test_its_state_names_each_log_and_a_broken_memory_is_no_memory_of_nothing(folder: Path) -> None:
    book(folder).add_checkpoint(request(0, 5), now=1)
    assert service.state(folder)[0].startswith(f"{LOG.name}: 5 entries")
    (folder / f"{ORIGIN}.checkpoint").write_text("half a")
    with pytest.raises(Corrupt):
        book(folder).add_checkpoint(request(0, 9), now=1)
