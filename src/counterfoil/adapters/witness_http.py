"""A witness at an address, by the C2SP tlog-witness protocol (`POST <url>/add-checkpoint`)."""

import urllib.error
import urllib.request
from collections.abc import Sequence

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
        self._url = url.rstrip("/") + "/add-checkpoint"
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

    def _post(self, body: bytes) -> tuple[int, bytes]:
        query = urllib.request.Request(self._url, data=body, headers={"Content-Type": "text/plain"})  # noqa: S310
        try:
            with urllib.request.urlopen(query, timeout=self._timeout) as answer:  # noqa: S310
                return answer.status, answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(MAX_ANSWER + 1)
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise NotAllowed(f"The witness could not be reached: {error}") from None
