"""What a tus 1.0 request asks for: headers in, plain values out, or `Stop` with the status that tus names.

Source: tus resumable upload protocol 1.0.0, core and the extensions in `EXTENSIONS`.

>>> parse_creation({"upload-length": "100", "upload-metadata": "filename Y2xpcC5tcDQ="}).name
'clip.mp4'
>>> parse_patch({"upload-offset": "-1", "content-type": "application/offset+octet-stream"})
Traceback (most recent call last):
counterfoil.engines.tus.rules.Stop: The header Upload-Offset must be a whole number of bytes.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from counterfoil.engines.errors import Refusal

VERSION = "1.0.0"
EXTENSIONS = (
    "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation"
)
ALGORITHM = "sha256"
OCTETS = "application/offset+octet-stream"
# Nobody has a file of more bytes than a signed 64-bit offset can count.
MOST = (1 << 63) - 1
METADATA_LIMIT = 8192
PARTS_LIMIT = 1000
OVERRIDES = ("PATCH", "HEAD", "DELETE", "OPTIONS", "POST")

SENTENCES = {
    "version": "This server speaks version 1.0.0 of the tus protocol.",
    "header": "The header {name} {must}.",
    "type": "Bytes are sent with the Content-Type application/offset+octet-stream.",
    "offset": "This is not where the upload had got to. Ask how far it is, and go on from there.",
    "checksum": "These bytes changed on the way. Nothing of them was kept; send them again.",
    "too-long": "More bytes came than the file was said to have.",
    "too-big": "This file is too big to be taken here. Tell us you have it, and we will ask for it.",
    "empty": "This file is empty. Choose the file again.",
    "gone": "This upload was left for too long and was thrown away. Send the file again.",
    "busy": "This file is being sent from somewhere else at this moment. Try again in a few seconds.",
    "no-room": "There is no room for this file here now. Send your report without it, and tell us that you have it.",
    "too-many": "You can send no more files here. Tell us about the others and we will ask.",
    "too-much": "Together these files are more than can be taken here. Tell us about the others and we will ask.",
    "closed": "What this file was for was already sent, so nothing can be added to it.",
    "absent": "There is no such upload here.",
    "final": "A joined upload takes no bytes of its own.",
    "parts": "These parts cannot be joined: each must be here and complete.",
    "method": "This address does not answer that kind of request.",
    "corrupt": "What our disk holds is not what you sent, so we do not keep it. Send the file again.",
}
STATUS = {
    "version": 412,
    "header": 400,
    "type": 415,
    "offset": 409,
    "checksum": 460,
    "too-long": 413,
    "too-big": 413,
    "empty": 400,
    "gone": 410,
    "busy": 423,
    "no-room": 507,
    "too-many": 403,
    "too-much": 413,
    "closed": 403,
    "absent": 404,
    "final": 403,
    "parts": 400,
    "method": 405,
    "corrupt": 500,
}


class Stop(Refusal):
    """A request that is not done: `reason` (a key of `SENTENCES`), the HTTP `status`, and `facts` for the sentence."""

    def __init__(self, reason: str, **facts: str) -> None:
        self.reason, self.facts = reason, facts
        self.status = STATUS[reason]
        super().__init__(SENTENCES[reason].format(**facts))


@dataclass(frozen=True)
class Checksum:
    """The SHA-256 that the sender computed over one request's bytes, in lower-case hex."""

    sha256: str


@dataclass(frozen=True)
class Creation:
    """A new upload: its length in bytes (None: told later), what is known of it, and what it is a part or a join of.

    `raw` is the Upload-Metadata header as sent, to be given back. `concat` is "", "partial" or "final"; `parts` are
    the addresses joined by a final one. `checksum` covers bytes sent along, when `brings` says there are some.
    """

    length: int | None
    raw: str = ""
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    concat: str = ""
    parts: tuple[str, ...] = ()
    brings: bool = False
    checksum: Checksum | None = None

    @property
    def name(self) -> str:
        """The file's name as its sender gave it; data from outside, possibly empty."""
        return self.metadata.get("filename", self.metadata.get("name", b"")).decode("utf-8", "replace")


@dataclass(frozen=True)
class Patch:
    """Bytes to append at an offset, with their checksum and the upload's length when they come with it."""

    offset: int
    checksum: Checksum | None = None
    length: int | None = None


def method(asked: str, headers: Mapping[str, str]) -> str:
    """Return the method that a request means: a POST may stand for another one, for clients that can only POST."""
    other = headers.get("x-http-method-override", "").strip().upper()
    if asked != "POST" or not other:
        return asked
    if other not in OVERRIDES:
        raise Stop("header", name="X-HTTP-Method-Override", must="must name a method that uploads use")
    return other


def check_version(headers: Mapping[str, str]) -> None:
    """Stop unless the request speaks our version."""
    if headers.get("tus-resumable", "").strip() != VERSION:
        raise Stop("version")


def number(headers: Mapping[str, str], name: str) -> int:
    """Return a header's whole number of bytes, 0 to 2^63 - 1."""
    text = headers.get(name.lower(), "").strip()
    if not (0 < len(text) <= 19 and text.isascii() and text.isdigit() and int(text) <= MOST):
        raise Stop("header", name=name, must="must be a whole number of bytes")
    return int(text)


def parse_creation(headers: Mapping[str, str]) -> Creation:
    """Return the upload that a POST asks for. `headers` have lower-case names."""
    raw = headers.get("upload-metadata", "").strip()
    metadata = parse_metadata(raw)
    brings = headers.get("content-type", "").partition(";")[0].strip().lower() == OCTETS
    concat, parts = _concat(headers.get("upload-concat"))
    if concat == "final":
        if "upload-length" in headers or "upload-defer-length" in headers:
            raise Stop("header", name="Upload-Length", must="does not belong to an upload joined from parts")
        return Creation(None, raw, metadata, concat, parts)
    deferred = headers.get("upload-defer-length")
    if deferred is not None and (deferred.strip() != "1" or "upload-length" in headers):
        raise Stop("header", name="Upload-Defer-Length", must="must be 1, and without Upload-Length")
    length = None if deferred is not None else number(headers, "Upload-Length")
    checksum = parse_checksum(headers) if brings else None
    return Creation(length, raw, metadata, concat, (), brings, checksum)


def parse_patch(headers: Mapping[str, str]) -> Patch:
    """Return what a PATCH appends. `headers` have lower-case names."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != OCTETS:
        raise Stop("type")
    offset = number(headers, "Upload-Offset")
    length = number(headers, "Upload-Length") if "upload-length" in headers else None
    return Patch(offset, parse_checksum(headers), length)


def parse_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Return the checksum sent along, or None; only SHA-256 is taken."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.strip().partition(" ")
    if algorithm != ALGORITHM:
        raise Stop("header", name="Upload-Checksum", must="must be of sha256")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 32:
        raise Stop("header", name="Upload-Checksum", must="must be sha256 and a digest in Base64")
    return Checksum(digest.hex())


def parse_metadata(raw: str) -> dict[str, bytes]:
    """Return Upload-Metadata as a dictionary: pairs "key base64" with commas between, each key once."""

    def stop() -> Stop:
        return Stop("header", name="Upload-Metadata", must="must be pairs of a key and a value in Base64")

    if len(raw) > METADATA_LIMIT:
        raise Stop("header", name="Upload-Metadata", must="is too long")
    found: dict[str, bytes] = {}
    for pair in raw.split(",") if raw else []:
        key, _, value = pair.strip().partition(" ")
        if not key or not key.isascii() or not key.isprintable() or key in found:
            raise stop()
        try:
            found[key] = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise stop() from None
    return found


def _concat(text: str | None) -> tuple[str, tuple[str, ...]]:
    if text is None:
        return "", ()
    word, _, rest = text.strip().partition(";")
    if word.strip() == "partial" and not rest:
        return "partial", ()
    parts = tuple(rest.split())
    if word.strip() != "final" or not 0 < len(parts) <= PARTS_LIMIT:
        raise Stop("header", name="Upload-Concat", must='must be "partial", or "final;" and the parts')
    return "final", parts
