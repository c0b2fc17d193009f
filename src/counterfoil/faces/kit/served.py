"""Handing out bytes: one function, so that no file from outside can ever act as a page of this site.

Whatever a file claims to be, it leaves with a type from our own list, with `nosniff`, in a sandbox of its own without
any source, and for this site only. It is an attachment, unless it is one of our own transformed copies in a type that
holds no scripts. Sources: RFC 6266 and 8187 (names), RFC 9110 section 14 (ranges), OWASP ASVS 5.0 V5.4.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from counterfoil.engines.sniff import KNOWN

NO_STORE = "no-store, max-age=0, private"
# What a browser could take for a page, a script or a stylesheet leaves as plain bytes.
_ACTIVE = {"text/html", "image/svg+xml", "application/xml", "message/rfc822", "text/plain"}
ATTACHED = frozenset(k.media_type for k in KNOWN) - _ACTIVE
# Types in which our own copies may be looked at in the page.
SHOWN = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/webp",
        "video/mp4",
        "video/webm",
        "audio/mp4",
        "audio/webm",
        "audio/ogg",
        "audio/wav",
    }
)
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
BLOCK = 1 << 18


def serve(
    stream: Any,
    name: str,
    media_type: str,
    size: int | None,
    *,
    request: HttpRequest | None = None,
    show: bool = False,
) -> HttpResponseBase:
    """Return bytes as an attachment, or (`show`) one of our own copies for an element of the page.

    `stream` is closed when the answer ends. With `request`, one byte range is answered (206, or 416 when it lies
    outside); a player needs that. A type that is not on the list leaves as application/octet-stream, never shown.
    """
    allowed = SHOWN if show else ATTACHED
    known = media_type if media_type in allowed else "application/octet-stream"
    shown = show and media_type in SHOWN
    first, last, status = 0, (size or 0) - 1, 200
    if request is not None and size is not None and "Range" in request.headers:
        found = _span(request.headers["Range"], size)
        if found == "outside":
            stream.close()
            return _guarded(
                HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}), name, False
            )
        if isinstance(found, tuple):
            (first, last), status = found, 206
    part = _Part(stream, first, None if size is None else last - first + 1)
    response = StreamingHttpResponse(part, status=status)
    response.headers["Content-Type"] = known
    if size is not None:
        response.headers["Content-Length"] = str(last - first + 1)
    if request is not None and size is not None:
        response.headers["Accept-Ranges"] = "bytes"
    if status == 206:
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _guarded(response, name, shown)


def _guarded(response: HttpResponseBase, name: str, shown: bool) -> HttpResponseBase:
    response.headers["Content-Disposition"] = (
        f"{'inline' if shown else 'attachment'}; {disposition_name(name)}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = NO_STORE
    return response


def disposition_name(name: str) -> str:
    """Return a file name as RFC 6266 has it: an ASCII one for old clients, and the whole one in RFC 8187's form.

    Control, direction and separator characters are left out of both: a name is data and says nothing to a program.
    """
    kept = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C")
    kept = kept.replace("/", "_").replace("\\", "_").strip(". ")[:200] or "file"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", kept)
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(kept, safe='')}"


def _span(asked: str, size: int) -> tuple[int, int] | str:
    """Return (first, last) of one byte range, `outside` when there is nothing there, `all` when it is not one range."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]):
        return "all"
    if not found[1]:
        count = min(int(found[2]), size)
        return (size - count, size - 1) if count else "outside"
    first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
    if found[2] and int(found[2]) < first:
        return "all"
    return (first, last) if first < size else "outside"


class _Part:
    """The blocks of a stream from one byte on, so many or to the end; closes the stream, begun or not."""

    def __init__(self, stream: Any, first: int, count: int | None) -> None:
        self._stream, self._left = stream, count
        if first:
            stream.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data: bytes = self._stream.read(BLOCK if self._left is None else min(BLOCK, self._left))
        if not data:
            raise StopIteration
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        """Close the stream beneath."""
        self._stream.close()


def as_part(request: HttpRequest, stream: Any, media_type: str, size: int) -> HttpResponseBase:
    """Return one of our own copies to be shown in a page of ours, whole or in the part that a player asks for."""
    return serve(stream, "copy", media_type, size, request=request, show=True)
