"""Uploads under fire, against the real server: kills, dropped lines, wrong offsets and checksums, two writers.

Each schedule is one file sent by a stubborn client through random mishaps, many at once, while the server is killed
(SIGKILL, all its processes) and started again under them. It ends with the sender's digest in quarantine, listed on the
right draft; no offset that the server ever acknowledged is taken back. 40 schedules in the suite; 1,000 with
COUNTERFOIL_DEPTH=full.
"""

import base64
import contextlib
import hashlib
import http.client
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.uploads.house import House

DEEP = os.environ.get("COUNTERFOIL_DEPTH") == "full"
SCHEDULES = int(os.environ.get("COUNTERFOIL_SCHEDULES", "1000" if DEEP else "16"))
SEED = int(os.environ.get("COUNTERFOIL_SEED", "20261121"))
AT_ONCE = 8
OCTETS = "application/offset+octet-stream"
Answer = tuple[int, dict[str, str]]


class Broken(Exception):
    """The server broke its word; the text says how."""


class Sender:
    """A client that sends one file through whatever happens."""

    def __init__(self, house: House, n: int, tally: Counter[str]) -> None:
        self.house, self.n, self.tally = house, n, tally
        self.dice = random.Random(SEED * 1_000_003 + n)
        self.data = self.dice.randbytes(self.dice.choice((1, 700, 40_000, 400_000, 2_000_000)))
        self.where = ""
        self.acknowledged = 0
        self.done = False
        self.loose = False  # a line of ours was dropped, and the server may still be keeping what came

    def ask(
        self, verb: str, address: str, headers: dict[str, str], body: bytes = b"", cut: int | None = None
    ) -> Answer:
        """Send one request and return status and headers; with `cut`, only so many bytes of the body, and hang up."""
        line = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=30)
        try:
            line.putrequest(verb, address)
            for name, value in {**self.house.sender(self.n), "Tus-Resumable": "1.0.0", **headers}.items():
                line.putheader(name, value)
            line.putheader("Content-Length", str(len(body)))
            line.endheaders()
            if cut is not None:
                line.send(body[:cut])
                time.sleep(self.dice.uniform(0, 0.02))
                raise ConnectionError("hung up on purpose")
            for at in range(0, len(body), 100_000):
                line.send(body[at : at + 100_000])
            answer = line.getresponse()
            answer.read()
            found = {k.lower(): v for k, v in answer.getheaders()}
        finally:
            line.close()
        if answer.status >= 500:
            raise Broken(f"{verb} was answered {answer.status}")
        if "upload-offset" in found:
            self.hear(int(found["upload-offset"]))
        return answer.status, found

    def hear(self, offset: int) -> None:
        if offset < self.acknowledged:
            raise Broken(f"{self.acknowledged} bytes were acknowledged, and now {offset}")
        self.acknowledged = offset

    def send(self) -> None:
        """Send the file to its end."""
        for _ in range(1000):
            try:
                if not self.where:
                    self.begin()
                elif self.step():
                    return
            except (OSError, http.client.HTTPException):
                self.tally["line broke"] += 1
                self.loose = True
                time.sleep(0.3)
        raise Broken(f"no end after 400 steps, at {self.acknowledged} of {len(self.data)}")

    def begin(self) -> None:
        name = base64.b64encode(f"file {self.n}.mp4".encode()).decode()
        headers = {"Upload-Length": str(len(self.data)), "Upload-Metadata": f"filename {name}"}
        first = b""
        if self.dice.random() < 0.3:
            first = self.data[: self.dice.randint(1, len(self.data))]
            headers["Content-Type"] = OCTETS
        status, found = self.ask("POST", "/q/files/", headers, first)
        if status != 201:
            raise Broken(f"a new upload was answered {status}")
        self.where = found["location"]

    def offset(self) -> int:
        status, found = self.ask("HEAD", self.where, {})
        if status != 200 or found.get("cache-control", "").find("no-store") < 0:
            raise Broken(f"HEAD was answered {status}")
        return int(found["upload-offset"])

    def patch(self, at: int, body: bytes, cut: int | None = None, sign: bytes | None = None) -> int:
        headers = {"Upload-Offset": str(at), "Content-Type": OCTETS}
        if sign is not None:
            headers["Upload-Checksum"] = f"sha256 {base64.b64encode(hashlib.sha256(sign).digest()).decode()}"
        return self.ask("PATCH", self.where, headers, body, cut)[0]

    def step(self) -> bool:
        """Do one thing, likely or nasty; say whether the file is there."""
        at = self.offset()
        if at == len(self.data):
            return True
        piece = self.data[at : at + self.dice.randint(1, max(1, len(self.data) // 2))]
        what = self.dice.choices(
            ("piece", "signed", "drop", "duplicate", "wrong offset", "wrong checksum", "two writers"),
            (6, 3, 3, 2, 2, 2, 2),
        )[0]
        self.tally[what] += 1
        if what == "piece":
            self.expect(what, self.patch(at, piece), 204)
        elif what == "signed":
            self.expect(what, self.patch(at, piece, sign=piece), 204)
        elif what == "drop":
            self.loose = True
            with contextlib.suppress(ConnectionError):
                self.patch(
                    at, piece, cut=self.dice.randint(0, len(piece)), sign=self.dice.choice((None, piece))
                )
        elif what == "duplicate":
            first = self.patch(at, piece)
            self.expect(what, first, 204)
            if (
                first == 204
            ):  # else another line of ours was still at work, and this one was the first to be taken
                self.expect(what, self.patch(at, piece), 409)
        elif what == "wrong offset":
            wrong = self.dice.choice([n for n in (0, at - 1, at + 1, len(self.data)) if 0 <= n != at])
            self.expect(what, self.patch(wrong, self.data[wrong : wrong + 1]), 409)
        elif what == "wrong checksum":
            loose, status = self.loose, self.patch(at, piece, sign=piece + b"!")
            self.expect(what, status, 460)
            if not loose and self.offset() != at:
                raise Broken("bytes with a wrong checksum moved the offset")
        else:
            self.twice(at, piece)
        return False

    def expect(self, what: str, status: int, good: int) -> None:
        """Compare an answer with the one that is due, unless an earlier line of ours was still being dealt with."""
        if status == good:
            return
        if status == 423:
            self.tally["busy"] += 1
            time.sleep(0.1)
        elif self.loose and status in (204, 409):
            self.tally["overtaken"] += 1
        else:
            raise Broken(f"{what} was answered {status}")
        self.loose = False

    def twice(self, at: int, piece: bytes) -> None:
        """Send the right bytes and wrong ones (with the checksum of the right ones) at the same time."""
        wrong: list[int] = []

        def other() -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                wrong.append(Sender.patch(twin, at, bytes(b ^ 255 for b in piece), sign=piece))

        twin = Sender.__new__(Sender)
        twin.__dict__.update(self.__dict__)
        twin.acknowledged = 0
        beside = threading.Thread(target=other)
        beside.start()
        try:
            status = self.patch(at, piece)
        finally:
            beside.join()
        if status not in (204, 409, 423) or any(w not in (409, 423, 460) for w in wrong):
            raise Broken(f"two writers were answered {status} and {wrong}")


class Fire:
    """Senders at work, and a server that is killed under them."""

    def __init__(self, house: House, schedules: int, kills: int) -> None:
        self.house, self.kills = house, kills
        self.tally: Counter[str] = Counter()
        self.senders = [Sender(house, n, self.tally) for n in range(schedules)]
        self.left = list(self.senders)
        self.faults: list[str] = []
        self.lock = threading.Lock()

    def work(self) -> None:
        while True:
            with self.lock:
                if not self.left or self.faults:
                    return
                sender = self.left.pop(0)
            try:
                sender.send()
                sender.done = True
            except Broken as broken:
                self.faults.append(f"schedule {sender.n} of seed {SEED}: {broken}")
            except Exception as other:
                self.faults.append(f"schedule {sender.n} of seed {SEED}: {other!r}")

    def burn(self) -> None:
        dice = random.Random(SEED)
        threads = [threading.Thread(target=self.work) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        each = max(1, len(self.senders) // (self.kills + 1))
        while any(t.is_alive() for t in threads):
            time.sleep(0.05)
            finished = sum(s.done for s in self.senders)
            if self.tally["kill"] < self.kills and finished >= each * self.tally["kill"] + each // 2:
                time.sleep(dice.uniform(0, 0.3))
                self.house.kill()
                self.tally["kill"] += 1
                self.house.start()


@pytest.mark.faults
def test_no_schedule_of_mishaps_loses_or_changes_an_acknowledged_byte(tmp_path: Path) -> None:
    kills = max(4, SCHEDULES // 10)
    house = House(tmp_path / "house").furnish(SCHEDULES)
    house.start()
    fire = Fire(house, SCHEDULES, kills)
    try:
        fire.burn()
    finally:
        house.kill()
    assert fire.faults == []
    house.run("clock")
    verdict = house.run("judge")
    assert verdict["wrong"] == []
    sent = {s.where.rpartition("/")[2]: hashlib.sha256(s.data).hexdigest() for s in fire.senders}
    kept = {pk: file["seen"] for pk, file in verdict["files"].items()}
    assert {pk: kept.get(pk) for pk in sent} == sent
    assert all(file["sha256"] == file["seen"] for file in verdict["files"].values())
    print(f"\n{len(sent)} schedules: {dict(sorted(fire.tally.items()))}")
    assert fire.tally["kill"] >= 3
    assert all(
        fire.tally[what] for what in ("drop", "duplicate", "wrong offset", "wrong checksum", "two writers")
    )
