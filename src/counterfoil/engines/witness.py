"""Witness other people's logs: sign a checkpoint only if it continues what was seen before (C2SP tlog-witness).

One file for each log holds the last checkpoint signed. It is durable before the answer leaves, under one lock, so that
racing requests, kills and power cuts never roll a log back. Nothing else is kept, and nothing about who asked.

>>> import tempfile
>>> from counterfoil.engines.tlog import Signer, checkpoint_text, EMPTY_ROOT, leaf_hash, open_note, sign_note
>>> log, key = Signer.from_seed("log.example/log", bytes(32)), CosignSigner.from_seed("witness.example/w", bytes(32))
>>> folder = tempfile.TemporaryDirectory()
>>> book = WitnessBook(Path(folder.name), key, lambda: [log.vkey])
>>> note = sign_note(checkpoint_text(log.name, 1, leaf_hash(b"the first entry")), [log])
>>> status, kind, line = book.add_checkpoint(f"old 0\\n\\n{note}".encode(), now=1_800_000_000)
>>> status, book.size(log.name)
(200, 1)
>>> book.add_checkpoint(f"old 0\\n\\n{note}".encode(), now=1_800_000_001)
(409, 'text/x.tlog.size', b'1\\n')
>>> folder.cleanup()
"""

import fcntl
import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from counterfoil.engines import disk
from counterfoil.engines.errors import BadInput, Corrupt, Refusal
from counterfoil.engines.tlog import (
    CosignSigner,
    Verifier,
    check_consistency,
    open_note,
    parse_checkpoint,
    split_note,
)
from counterfoil.engines.tlog.text import decimal, hash_bytes

MAX_REQUEST = 1 << 16
MAX_PROOF = 63
Answer = tuple[int, str, bytes]


def read_logs(text: str) -> list[str]:
    """Return the verifier keys in a witness's list of logs: lines `log VKEY`, and comments after #.

    A log that changed its key has a line for each, under the same name. BadInput names the line that is wrong.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] != "log":
            raise BadInput("logs", f"Line {number} of the list of logs is not: log VKEY")
        try:
            Verifier.from_vkey(words[1])
        except Corrupt as corrupt:
            raise BadInput("logs", f"Line {number} of the list of logs: {corrupt}") from None
        found.append(words[1])
    return found


class WitnessBook:
    """What one witness remembers: for each log, the last checkpoint it signed, as a file in `folder`."""

    def __init__(self, folder: Path, signer: CosignSigner, logs: Callable[[], Sequence[str]]) -> None:
        """Take the folder (made if missing), the witness's key, and a way to ask which logs are accepted now."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.signer = signer
        self._logs = logs

    def latest(self, origin_sha256: str) -> str | None:
        """Return the last checkpoint signed for a log (named by the SHA-256 of its origin), or None."""
        if not re.fullmatch("[0-9a-f]{64}", origin_sha256):
            return None
        try:
            return (self.folder / f"{origin_sha256}.checkpoint").read_text("utf-8")
        except FileNotFoundError:
            return None

    def size(self, origin: str) -> int:
        """Return how many entries of a log this witness has signed for; 0 if none."""
        latest = self.latest(sha256(origin.encode()).hexdigest())
        return parse_checkpoint(split_note(latest)[0]).size if latest else 0

    def add_checkpoint(self, body: bytes, *, now: int) -> Answer:
        """Answer one request: (HTTP status, content type, body). Never raises for what was sent.

        200 with the cosignature; 400 cannot be read; 403 not signed by the log; 404 unknown log; 409 with the size
        that this witness has; 422 the proof does not hold, or this size was signed with another root. `now` is in
        seconds since 1970. Raises DiskFault, and signs nothing, when it cannot remember.
        """
        try:
            old, proof, note = _parse(body)
            text, _ = split_note(note)
            point = parse_checkpoint(text)
        except Refusal:
            return 400, "text/plain", b"malformed\n"
        keys = [v for v in map(Verifier.from_vkey, self._logs()) if v.name == point.origin]
        if not keys:
            return 404, "text/plain", b"unknown origin\n"
        try:
            opened = open_note(note, keys)
        except Corrupt:
            return 403, "text/plain", b"no valid signature of the log\n"
        if old > point.size:
            return 400, "text/plain", b"old size is larger than the checkpoint\n"
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            name = sha256(point.origin.encode()).hexdigest()
            latest = self.latest(name)
            last = parse_checkpoint(split_note(latest)[0]) if latest else None
            size = last.size if last else 0
            if old != size:
                return 409, "text/x.tlog.size", f"{size}\n".encode()
            if last and last.size == point.size:
                good = last.root == point.root and not proof
            elif last and last.size:
                good = check_consistency(last.size, point.size, last.root, point.root, proof)
            else:
                good = not proof
            if not good:
                return 422, "text/plain", b"the proof does not show that the log only grew\n"
            line = self.signer.cosign(text, now)
            known = {(v.name, v.key_id) for v in opened.verified_by}
            own = "".join(s.line for s in opened.signatures if (s.name, s.key_id) in known)
            disk.replace(self.folder / f"{name}.checkpoint", f"{text}\n{own}{line}".encode())
        return 200, "text/plain", line.encode()


def _parse(body: bytes) -> tuple[int, list[bytes], str]:
    if len(body) > MAX_REQUEST:
        raise Corrupt("The request is longer than a request may be.")
    try:
        head, gap, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Corrupt("The request is not text.") from None
    first, *lines = head.split("\n")
    if not gap or not first.startswith("old ") or len(lines) > MAX_PROOF:
        raise Corrupt("The request is not an add-checkpoint request.")
    return decimal(first[4:], "old size"), [hash_bytes(line, "hash in the proof") for line in lines], note


Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
REASONS |= {409: "Conflict", 411: "Length Required", 413: "Content Too Large", 422: "Unprocessable Entity"}
REASONS |= {503: "Service Unavailable"}


def web(book: WitnessBook, clock: Callable[[], int]) -> Wsgi:
    """Return a WSGI application that serves `POST /add-checkpoint` and `GET /<sha256(origin)>/checkpoint`.

    `clock` gives seconds since 1970. A disk that fails is answered with 503, and nothing was signed.
    """

    def answer(environ: dict[str, Any]) -> Answer:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path == "/add-checkpoint":
            if method != "POST":
                return 405, "text/plain", b"use POST\n"
            try:
                length = int(environ.get("CONTENT_LENGTH") or -1)
            except ValueError:
                length = -1
            if length < 0:
                return 411, "text/plain", b"say how long the request is\n"
            if length > MAX_REQUEST:
                return 413, "text/plain", b"longer than a request may be\n"
            try:
                return book.add_checkpoint(environ["wsgi.input"].read(length), now=clock())
            except OSError:
                return 503, "text/plain", b"cannot remember, so nothing was signed\n"
        asked = re.fullmatch("/([0-9a-f]{64})/checkpoint", path)
        latest = book.latest(asked[1]) if asked else None
        if latest is None:
            return 404, "text/plain", b"nothing here\n"
        if method not in ("GET", "HEAD"):
            return 405, "text/plain", b"use GET\n"
        return 200, "text/plain; charset=utf-8", latest.encode()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, kind, body = answer(environ)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start_response(f"{status} {REASONS[status]}", [*headers, ("X-Content-Type-Options", "nosniff")])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    return application
