"""A bucket that refuses, is slow, breaks off before or after it has stored, cuts short, or hands out other bytes.

After every operation: what was called stored is there, whole; what is handed out is what was stored or is refused with
a sentence; and nothing is ever overwritten. The server is moto's, and the faults are put in where requests leave.
"""

import hashlib
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from tests.faults.tally import DEEP, SEED, Gate
from tests.plugs.stores import a_bucket, a_server

from counterfoil.engines.disk import DiskFault
from counterfoil.engines.errors import Corrupt

OPERATIONS = 10_000 if DEEP else 200
KINDS = ("503", "slow", "broken before", "broken after", "cut short", "other bytes")


class Raw(io.BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, amount: int = 1024, **_: object) -> Iterator[bytes]:
        while block := self.read(amount):
            yield block


class Faults:
    """Put a fault in the way of some requests of a client."""

    def __init__(self, client: Any, dice: random.Random) -> None:
        self.dice, self.share = dice, 0.0
        self.counted: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.session = URLLib3Session()
        client.meta.events.register("before-send.s3", self)

    def __call__(self, request: Any, **_: object) -> AWSResponse | None:
        if self.dice.random() >= self.share:
            return None
        kind = self.dice.choice(KINDS)
        if request.method != "GET" and kind == "cut short":
            kind = "broken after"
        self.counted[kind] += 1
        if kind == "503":
            return AWSResponse(request.url, 503, {"content-length": "0"}, Raw())
        if kind == "broken before":
            raise EndpointConnectionError(endpoint_url=request.url)
        if kind == "other bytes" and request.method == "PUT":
            return self.session.send(self._bent(request))
        answer = self.session.send(request)
        if kind in ("slow", "broken after"):
            raise ReadTimeoutError(endpoint_url=request.url)
        if request.method != "GET" or answer.status_code >= 300:
            return answer
        data = answer.raw.read() if request.stream_output else answer.content
        whole = len(data)
        if data and kind == "cut short":
            data = data[: self.dice.randrange(whole)]
        elif data:
            place = self.dice.randrange(whole)
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        headers = {**answer.headers, "Content-Length": str(whole)}
        return AWSResponse(request.url, answer.status_code, headers, Raw(data))

    def _bent(self, request: Any) -> Any:
        """Return the request with another body: a server that stores what was not sent, and says yes."""
        body = request.body.read() if hasattr(request.body, "read") else bytes(request.body or b"")
        request.body = bytes(reversed(body)) + b"!"
        request.headers = {
            **{k: v for k, v in request.headers.items() if "checksum" not in k.lower()},
            "Content-Length": str(len(body) + 1),
        }
        return request


# The connections that are broken off here are the gate's own.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.faults
def test_no_answer_of_a_bucket_brings_a_wrong_state(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with (
        a_server() as endpoint,
        Gate("S3: refused, slow, broken, cut and wrong answers", least=OPERATIONS) as gate,
    ):
        store = a_bucket(endpoint, tmp_path)
        faults = Faults(store.client, dice)
        kept: dict[str, bytes] = {}
        bent: set[str] = set()
        yes = no = 0
        for n in range(OPERATIONS):
            faults.share = 0.4
            wrong, lost = [], []
            data = dice.randbytes(dice.choice((1, 300, 5000)))
            known = dice.choice(sorted(kept)) if kept else ""
            what = dice.choice(("add", "add", "read", "ask", "again")) if known else "add"
            name = hashlib.sha256(data).hexdigest() if what == "add" else known
            try:
                if what in ("add", "again"):
                    stored = store.add(io.BytesIO(data if what == "add" else kept[known]))
                    kept[stored.sha256] = data if what == "add" else kept[known]
                elif what == "read":
                    with store.open(known) as file:
                        if file.read() != kept[known]:
                            wrong.append(f"{known} was handed out with other bytes")
                elif not store.has(known) or store.size(known) != len(kept[known]):
                    lost.append(f"acknowledged, and said to be missing or of another size: {known}")
                yes += 1
            except (DiskFault, Corrupt) as refusal:
                no += 1
                if not str(refusal).endswith("."):
                    wrong.append(f"no sentence: {refusal}")
            faults.share = 0.0
            try:
                with store.open(name) as file:
                    if name in kept and file.read() != kept[name]:
                        lost.append(f"{name} was acknowledged and has other bytes")
            except Corrupt as corrupt:
                if name in kept:
                    lost.append(f"acknowledged and gone: {corrupt}")
                elif "does not have the bytes" in str(corrupt):
                    bent.add(name)  # stored bent by the server, refused, and never called stored
            gate.case(f"operation {n} ({what})", lost, wrong)
        faulty = store.fsck([(name, len(data)) for name, data in kept.items()], unknown_is_fault=False)
        gate.case("all of it, read again", [f for f in faulty if not any(name in f for name in bent)])
        assert yes > OPERATIONS // 4
        assert no > OPERATIONS // 20
        gate.extra = f"({yes} yes, {no} refused, {len(kept)} kept, {len(bent)} stored bent and found; {faults.counted})"
