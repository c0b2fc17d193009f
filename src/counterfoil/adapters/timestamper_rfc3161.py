"""Any RFC 3161 timestamp authority, by its address. Its reply is checked completely before anybody relies on it."""

import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.engines.bundle.identity import fingerprint, load_crls
from counterfoil.engines.bundle.stamp import check_reply, der_length, embedded_certificates, request
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed

MAX_REPLY = 1 << 18


class Rfc3161:
    """Timestamper over HTTP.

    `root`: PEM file with the authority's root certificate (and intermediates, if its replies leave them out).
    `crls`: PEM files with its revocation lists, kept fresh by the operator; a sealed report needs them.
    """

    def __init__(self, url: str, root: str, crls: Sequence[str] = (), timeout: float = 20) -> None:
        """Read the pinned root; refuse an address or a root that cannot be used."""
        if not url.startswith(("https://", "http://")):
            raise NotAllowed("The timestamp authority's address must start with https:// or http://.")
        try:
            self._pinned = tuple(x509.load_pem_x509_certificates(Path(root).read_bytes()))
            self._lists = tuple(c for path in crls for c in load_crls(Path(path).read_text()))
        except (OSError, ValueError) as error:
            raise NotAllowed(
                f"The timestamp authority's root or revocation list cannot be read: {error}"
            ) from None
        roots = [c for c in self._pinned if c.issuer == c.subject]
        if len(roots) != 1:
            raise NotAllowed(
                "The file with the timestamp authority's root must hold exactly one root certificate."
            )
        self._root = roots[0]
        self._url = url
        self._timeout = timeout
        self._leaf: x509.Certificate | None = None

    @property
    def development(self) -> bool:
        """Say whether the root is a development one."""
        return "DEVELOPMENT" in self._root.subject.rfc4514_string()

    @property
    def root_sha256(self) -> str:
        """Return the fingerprint of the root, as a policy's `tsa-root` line names it."""
        return fingerprint(self._root)

    @property
    def chain(self) -> tuple[str, ...]:
        """Return the authority's certificates as PEM, leaf first, root last; asks for one stamp to learn the leaf."""
        if self._leaf is None:
            self.stamp(bytes(32))
        assert self._leaf is not None  # noqa: S101  (stamp sets it or raises)
        middle = [c for c in self._pinned if c not in (self._root, self._leaf)]
        return tuple(c.public_bytes(Encoding.PEM).decode() for c in (self._leaf, *middle, self._root))

    @property
    def crls(self) -> tuple[str, ...]:
        """Return the authority's revocation lists as PEM."""
        return tuple(c.public_bytes(Encoding.PEM).decode() for c in self._lists)

    def stamp(self, digest: bytes) -> bytes:
        """Return a checked DER `TimeStampResp` over a SHA-256 digest, or refuse with the reason."""
        nonce, asked = request(digest)
        reply = self._post(asked)
        self._check(digest, reply, nonce)
        self._leaf = embedded_certificates(reply)[0]
        return reply

    def holds(self, digest: bytes, stamp: bytes) -> bool:
        """Say whether `stamp` is a whole, valid reply under the pinned root over `digest`."""
        try:
            self._check(digest, stamp, None)
        except (Corrupt, BadInput):
            return False
        return True

    def _check(self, digest: bytes, reply: bytes, nonce: int | None) -> None:
        check_reply(
            reply, digest, chain=self._pinned, roots=[self.root_sha256], crls=self._lists, nonce=nonce
        )

    def _post(self, asked: bytes) -> bytes:
        query = urllib.request.Request(  # noqa: S310  (scheme checked at construction)
            self._url, data=asked, headers={"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(query, timeout=self._timeout) as answer:  # noqa: S310
                reply: bytes = answer.read(MAX_REPLY + 1)
                kind = answer.headers.get_content_type()
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise NotAllowed(f"The timestamp authority could not be reached: {error}") from None
        if kind != "application/timestamp-reply" or len(reply) > MAX_REPLY or der_length(reply) != len(reply):
            raise Corrupt("The timestamp authority's answer is not a timestamp reply.")
        return reply
