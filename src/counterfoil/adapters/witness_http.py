"""A witness at an address, by the C2SP tlog-witness protocol (`POST <url>/add-checkpoint`)."""

import urllib.error
import urllib.request
from collections.abc import Sequence
from hashlib import sha256

from counterfoil.engines.errors import NotAllowed
from counterfoil.engines.tlog import CosignVerifier, parse_checkpoint, split_note
from counterfoil.plugs.witness import Consistency, ask

MAX_ANSWER = 1 << 16


class HttpWitness:
    """Client of a witness: another installation of this software, or any other that speaks the protocol."""

    def __init__(self, url: str, vkey: str, timeout: float = 20, logs: Sequence[str] = ()) -> None:
        """Take the witness's address and public key; `logs` is not needed by a remote witness."""
        if not url.startswith(("https://", "http://")):
            raise NotAllowed("The witness's address must start with https:// or http://.")
        self._key = CosignVerifier.from_vkey(vkey)
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._known: dict[str, int] = {}

    @property
    def vkey(self) -> str:
        """Return the witness's public key."""
        return self._key.vkey

    @property
    def development(self) -> bool:
        """Say whether the witness calls itself a development one."""
        return "DEVELOPMENT" in self._key.name

    def cosign(self, checkpoint: str, consistency: Consistency) -> str:
        """Return the checkpoint note with the witness's checked cosignature added."""
        point = parse_checkpoint(split_note(checkpoint)[0])
        known = self._known.get(point.origin, 0)
        note = ask(checkpoint, consistency, self.vkey, self._post, known=known)
        self._known[point.origin] = point.size
        return note

    def latest(self, origin: str) -> str | None:
        """Return the last checkpoint that the witness signed for a log, or None; refused if it cannot be asked."""
        status, answer = self._send(f"/{sha256(origin.encode()).hexdigest()}/checkpoint", None)
        if status == 404:
            return None
        if status != 200 or len(answer) > MAX_ANSWER:
            raise NotAllowed(
                f"The witness did not tell its last checkpoint: it answered with status {status}."
            )
        try:
            return answer.decode()
        except UnicodeDecodeError:
            raise NotAllowed(
                "The witness did not tell its last checkpoint: its answer is not text."
            ) from None

    def _post(self, body: bytes) -> tuple[int, bytes]:
        return self._send("/add-checkpoint", body)

    def _send(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        query = urllib.request.Request(  # noqa: S310  (scheme checked at construction)
            self._url + path, data=body, headers={"Content-Type": "text/plain"} if body else {}
        )
        try:
            with urllib.request.urlopen(query, timeout=self._timeout) as answer:  # noqa: S310
                return answer.status, answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(MAX_ANSWER + 1)
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise NotAllowed(f"The witness could not be reached: {error}") from None
