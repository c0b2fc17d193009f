"""Files in pieces over HTTP: one view for every page that takes files, in the terms of tus 1.0.

The page decides who is asking and for what, and hands over a `Receives`; this turns requests into its four verbs and
its answers into responses. Every answer is a sentence in the reader's language. Changing requests pass Django's CSRF
check like any form: same origin, and the session's token in the header `X-CSRFToken`. Nothing that names a file is in
an address or a log line.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Protocol
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from counterfoil.engines import tus
from counterfoil.engines.disk import NO_ROOM, DiskFault
from counterfoil.engines.tus import Creation, Patch, Stop
from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.served import NO_STORE

METHODS = "POST, HEAD, PATCH, DELETE, OPTIONS"


class Sent(Protocol):
    """An upload as its sender may know it."""

    @property
    def id(self) -> UUID: ...
    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int | None: ...
    @property
    def metadata(self) -> str: ...
    @property
    def concat(self) -> str: ...
    @property
    def expires(self) -> datetime | None: ...


class Receives(Protocol):
    """What a page offers: begin, find, append and drop uploads of one owner; `Stop` or a refusal when it may not be."""

    @property
    def limit(self) -> int: ...
    def begin(self, asked: Creation) -> Sent: ...
    def find(self, upload: UUID) -> Sent | None: ...
    def append(self, upload: UUID, asked: Patch, body: Any, sent: int | None) -> Sent | None: ...
    def drop(self, upload: UUID) -> bool: ...


class Waiting(Protocol):
    """A file that is half here."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def metadata(self) -> str: ...
    @property
    def length(self) -> int | None: ...


def resumable(waiting: Iterable[Waiting]) -> list[dict[str, str | int | None]]:
    """Return what the page's script compares a chosen file with, to go on with one that is half here."""
    return [
        {
            "id": str(one.id),
            "name": tus.parse_metadata(one.metadata).get("filename", b"").decode("utf-8", "replace"),
            "last": tus.parse_metadata(one.metadata).get("last", b"").decode("utf-8", "replace"),
            "length": one.length,
        }
        for one in waiting
    ]


def sentence(stop: Stop) -> str:
    """Return what to tell the person who sends, in their language; a client's own mistakes are told in English."""
    words = {
        "checksum": _("These bytes changed on the way. Nothing of them was kept; send them again."),
        "too-big": _("This file is too big to be taken here. Tell us you have it, and we will ask for it."),
        "empty": _("This file is empty. Choose the file again."),
        "gone": _("This upload was left for too long and was thrown away. Send the file again."),
        "busy": _("This file is being sent from somewhere else at this moment. Try again in a few seconds."),
        "no-room": _(
            "There is no room for this file here now. Send your report without it, and tell us that you have it."
        ),
        "too-many": _("You can send no more files here. Tell us about the others and we will ask."),
        "too-much": _(
            "Together these files are more than can be taken here. Tell us about the others and we will ask."
        ),
        "closed": _("What this file was for was already sent, so nothing can be added to it."),
        "absent": _("There is no such upload here."),
        "corrupt": _("What our disk holds is not what you sent, so we do not keep it. Send the file again."),
    }
    return words.get(stop.reason, str(stop))


def answer(
    request: HttpRequest, upload: UUID | None, receives: Receives | None, at: Callable[[UUID], str]
) -> HttpResponse:
    """Answer one request: about `upload`, or, when that is None, about new ones. `at` gives an upload's address.

    `receives` is None for somebody who has nothing open here; every address is absent then.
    """
    try:
        response = _answer(request, upload, receives, at)
    except Stop as stop:
        response = _say(stop.status, sentence(stop))
        if stop.reason == "version":
            response.headers["Tus-Version"] = tus.VERSION
        if stop.reason == "method":
            response.headers["Allow"] = METHODS
        if stop.reason == "busy":
            response.headers["Retry-After"] = "3"
    except DiskFault as fault:
        response = _say(507 if str(fault) == NO_ROOM else 503, str(fault))
    response.headers["Tus-Resumable"] = tus.VERSION
    response.headers["Cache-Control"] = NO_STORE
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _answer(
    request: HttpRequest, upload: UUID | None, receives: Receives | None, at: Callable[[UUID], str]
) -> HttpResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    method = tus.method(request.method or "", headers)
    if method not in (("POST", "OPTIONS") if upload is None else ("HEAD", "PATCH", "DELETE", "OPTIONS")):
        raise Stop("method")
    if receives is None:
        raise Stop("absent")
    if method == "OPTIONS":
        return _about(receives.limit)
    tus.check_version(headers)
    if upload is None:
        return _begin(request, headers, receives, at)
    if method == "HEAD":
        return _facts(_there(receives.find(upload)), 200, whole=True)
    if method == "DELETE":
        if not receives.drop(upload):
            raise Stop("absent")
        return HttpResponse(status=204)
    asked = tus.parse_patch(headers)
    return _facts(_there(receives.append(upload, asked, *_body(request))), 204)


def _begin(
    request: HttpRequest, headers: Mapping[str, str], receives: Receives, at: Callable[[UUID], str]
) -> HttpResponse:
    asked = tus.parse_creation(headers)
    made = receives.begin(asked)
    if asked.brings:
        stream, sent = _body(request)
        if sent != 0:
            try:
                made = receives.append(made.id, Patch(0, asked.checksum), stream, sent) or made
            except (Stop, DiskFault) as refused:
                # The upload stands, empty; a client that was refused its first bytes learns where to go on.
                if not isinstance(refused, Stop) or refused.reason not in ("checksum", "busy"):
                    receives.drop(made.id)
                raise
    response = _facts(made, 201)
    response.headers["Location"] = at(made.id)
    return response


def _there(sent: Sent | None) -> Sent:
    if sent is None:
        raise Stop("absent")
    return sent


def _body(request: HttpRequest) -> tuple[Any, int | None]:
    """Return the stream of a request's body, unread, and its declared size (None: in chunks, until it ends).

    Django's own stream knows no body without Content-Length, so the server's is read.
    """
    declared = request.META.get("CONTENT_LENGTH") or None
    if declared is None:
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        return request.environ["wsgi.input"], None if chunked else 0  # type: ignore[attr-defined]
    return request.environ["wsgi.input"], tus.number({"content-length": declared}, "Content-Length")  # type: ignore[attr-defined]


def _about(limit: int) -> HttpResponse:
    response = HttpResponse(status=204)
    response.headers["Tus-Version"] = tus.VERSION
    response.headers["Tus-Extension"] = tus.EXTENSIONS
    response.headers["Tus-Checksum-Algorithm"] = tus.ALGORITHM
    response.headers["Tus-Max-Size"] = str(limit)
    return response


def _facts(sent: Sent, status: int, *, whole: bool = False) -> HttpResponse:
    """Say how far an upload is; `whole` with everything else that is known of it."""
    response = HttpResponse(status=status)
    response.headers["Upload-Offset"] = str(sent.offset)
    if sent.expires is not None:
        response.headers["Upload-Expires"] = format_datetime(sent.expires, usegmt=True)
    if whole:
        if sent.length is None:
            response.headers["Upload-Defer-Length"] = "1"
        else:
            response.headers["Upload-Length"] = str(sent.length)
        if sent.metadata:
            response.headers["Upload-Metadata"] = sent.metadata
        if sent.concat:
            response.headers["Upload-Concat"] = sent.concat
    return response


def _say(status: int, text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
