"""What the public sends in, as plain values; and how a page remembers what was wrong with it until it is shown again.

Every POST is answered with 303, so a mistake is kept in the session and shown by the page that follows: no form that
was sent ever stands in the browser's history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from counterfoil.faces.kit.language import gettext as _
from counterfoil.faces.kit.language import size as size_words
from counterfoil.reports import rules
from counterfoil.reports.actions import FILE_LIMIT

KEPT = 200_000
"""How many characters of what was typed are kept for showing it again."""

Typed = dict[str, list[str]]
Sent: TypeAlias = "UploadedFile[Any]"


@dataclass(frozen=True)
class Mistake:
    """Something wrong with what was sent: the sentence, and the field it points to."""

    text: str
    href: str = ""


def sent(request: HttpRequest, *names: str) -> Typed:
    """Return what was sent under these names, as lists of text."""
    return {name: [value[:KEPT] for value in request.POST.getlist(name)] for name in names}


def word(request: HttpRequest, name: str) -> str:
    """Return one short text that was sent, tidied; "" when there is none."""
    return rules.tidy(request.POST.get(name, ""))[:500]


def text(request: HttpRequest, name: str) -> str:
    """Return one long text that was sent, tidied, with its line breaks."""
    return rules.tidy(request.POST.get(name, "")[:KEPT], lines=True)


def remember(request: HttpRequest, page: str, mistakes: Iterable[Mistake], typed: Any = None) -> None:
    """Keep the mistakes and what was typed for the next showing of `page`."""
    clean = typed
    if isinstance(typed, dict):
        clean = {k: [rules.tidy(v, lines=True) for v in vs] for k, vs in typed.items()}
    request.session["again"] = {
        "page": page,
        "errors": [[mistake.text, mistake.href] for mistake in mistakes],
        "typed": clean,
    }


def recall(request: HttpRequest, page: str) -> tuple[list[Mistake], Any]:
    """Return the mistakes and typed values kept for `page`, once; nothing for any other page."""
    kept = request.session.get("again")
    if not isinstance(kept, dict) or kept.get("page") != page:
        return [], None
    del request.session["again"]
    return [Mistake(*pair) for pair in kept["errors"]], kept["typed"]


def files_in(request: HttpRequest, name: str) -> list[Sent]:
    """Return the files sent under a name."""
    return list(request.FILES.getlist(name))


def stream_of(file: Sent) -> BinaryIO:
    """Return the bytes of a sent file from their beginning."""
    file.seek(0)
    return cast("BinaryIO", file.file)


def biggest() -> int:
    """Return how many bytes one file may have."""
    return FILE_LIMIT


def file_problem(file: Sent) -> str:
    """Return why a file cannot be taken, in the reader's language; "" when it can."""
    name = rules.tidy((file.name or "").replace("\\", "/").rsplit("/", 1)[-1])[:120] or _("This file")
    if not file.size:
        return _("%(name)s is empty. Choose the file again.") % {"name": name}
    if file.size > FILE_LIMIT:
        words = _("%(name)s is too big. The limit is %(limit)s. Tell us you have it, and we will ask for it.")
        return words % {"name": name, "limit": size_words(FILE_LIMIT)}
    return ""
