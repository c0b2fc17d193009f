"""Restricted and flagged exhibits: restrict, lift after an examiner has looked, open the original with a reason."""

import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from counterfoil.accounts.rules import Viewer
from counterfoil.cases.queries import CaseCard
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import queries as evidence
from counterfoil.evidence import restricting
from counterfoil.evidence.rules import RESTRICTED
from counterfoil.faces.desk import forms
from counterfoil.faces.desk.views.acting import attempt, both, officers, on_case, start, to
from counterfoil.faces.desk.views.case import asked
from counterfoil.faces.kit.page import as_download, gone


@officers
@both
@on_case
def restrict(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Restrict an exhibit that may be an indecent image of a child; every copy of it goes."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    form = start(request, forms.Reasoned)

    def act(data: dict[str, Any]) -> str:
        restricting.restrict(card.id, exhibit, data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-exhibit", card.id, exhibit)
    return asked(request, viewer, card, "restrict", form, exhibit=found)


@officers
@both
@on_case
def lift(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Lift a restriction after an examiner has looked."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    form = start(request, forms.Reasoned)

    def act(data: dict[str, Any]) -> str:
        restricting.lift(card.id, exhibit, data["reason"], by=viewer)
        return "done"

    if request.method == "POST" and attempt(form, act):
        return to("desk-exhibit", card.id, exhibit)
    return asked(request, viewer, card, "lift", form, exhibit=found, how=RESTRICTED.get(found.restricted, ""))


@officers
@both
@on_case
def open_original(request: HttpRequest, viewer: Viewer, card: CaseCard, exhibit: UUID) -> HttpResponseBase:
    """Ask for a restricted or flagged original with a reason, and hand it out once that is an entry."""
    found = evidence.exhibit_for(viewer, card.id, exhibit)
    if found is None:
        return gone(request)
    form = start(request, forms.Reasoned)
    if request.method == "POST" and form.is_valid():
        try:
            opened = restricting.open_guarded(card.id, exhibit, form.cleaned_data["reason"], by=viewer)
        except (BadInput, NotAllowed) as refusal:
            form.refuse(refusal)
        else:
            if opened is None:
                return gone(request)
            return _handed_out(card, *opened)
    return asked(
        request,
        viewer,
        card,
        "open_original",
        form,
        exhibit=found,
        how=RESTRICTED.get(found.restricted, ""),
        needed=restricting.guards(found),
    )


def _handed_out(card: CaseCard, found: evidence.ExhibitCard, stream: Any) -> HttpResponseBase:
    """Return the bytes; a flagged file leaves in a zip whose name warns.

    In a zip, a double click shows a folder and starts nothing, and its name says before that what is in it.
    """
    name = f"{card.number}_{found.label.replace('/', '-')}.{found.extension}"
    if found.scan != "flagged":
        return as_download(stream, name, found.media_type, found.size)
    says = re.sub(r"[^A-Za-z0-9.-]+", "-", found.says)[:60]
    return as_download(Zipped(stream, name, found.size), f"DANGER-{says}-{name}.zip", "application/zip", None)


class _Sink:
    """What a zip is written to, and read from again piece by piece."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Keep nothing back."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self.parts)
        self.parts.clear()
        return data


class Zipped:
    """A stream of a zip (stored) with one member, made while it is read: no copy of the member is ever kept."""

    def __init__(self, stream: Any, name: str, size: int) -> None:
        self._stream, self._blocks = stream, self._made(stream, name, size)

    @staticmethod
    def _made(stream: Any, name: str, size: int) -> Iterator[bytes]:
        sink = _Sink()
        with zipfile.ZipFile(cast(IO[bytes], sink), "w") as packed:
            member = zipfile.ZipInfo(name)
            member.file_size = size
            with packed.open(member, "w", force_zip64=True) as inside:
                while data := stream.read(1 << 18):
                    inside.write(data)
                    yield sink.taken()
        yield sink.taken()

    def read(self, size: int = -1) -> bytes:
        """Return the next piece, of whatever length, and nothing at the end."""
        for block in self._blocks:
            if block:
                return block
        return b""

    def close(self) -> None:
        """Close the stream beneath."""
        self._stream.close()
