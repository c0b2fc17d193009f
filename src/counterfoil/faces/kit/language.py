"""English and Welsh: which one this request speaks, the catalogue, and moments said in words.

The catalogue is `locale/cy/LC_MESSAGES/messages.po`, read as it is (nothing compiled). Each Welsh string carries the
flag `draft` until a qualified translator has read it, then `reviewed`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.utils import timezone

from counterfoil.engines.clock import say_by, say_when

LANGUAGES = {"en": "English", "cy": "Cymraeg"}
LOCALE = Path(__file__).parent / "locale"
PLURALS = 5
_now: ContextVar[str] = ContextVar("language", default="en")


def lang() -> str:
    """Return the language of the request being answered: "en" or "cy"."""
    return _now.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Answer in `language` inside the block."""
    token = _now.set("cy" if language == "cy" else "en")
    try:
        yield
    finally:
        _now.reset(token)


@cache
def catalogue(language: str) -> Catalog:
    """Return the catalogue of a language as read from its file."""
    with (LOCALE / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _messages(language: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for message in catalogue(language):
        if not message.id:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        given = tuple(str(text) for text in texts if text)
        if given:
            found[key] = given
    return found


def gettext(text: str) -> str:
    """Return the text in the language of the request; a string without Welsh stays in English."""
    return text if lang() == "en" else _messages(lang()).get(text, (text,))[0]


def ngettext(one: str, many: str, n: int) -> str:
    """Return the singular or plural text for `n` in the language of the request."""
    if lang() == "en":
        return one if n == 1 else many
    forms = _messages(lang()).get(one)
    if forms is None:
        return one if n == 1 else many
    # The file's own rule (Plural-Forms): 1, 2, 3 and 6 have forms of their own in Welsh, any other number the first.
    return forms[{1: 1, 2: 2, 3: 3, 6: 4}.get(n, 0)] if len(forms) == PLURALS else forms[-1]


def moment(at: datetime) -> str:
    """Return a time and day in London in words: "4pm on Tuesday 24 November 2026"."""
    return say_when(at, lang())


def by(at: datetime) -> str:
    """Return a due time in words: "by 4pm on Tuesday 24 November"."""
    return say_by(at, timezone.now(), lang())


def size(n: int) -> str:
    """Return a number of bytes in words, in steps of 1,024: "3.2 MB"."""
    step, units = float(n), ("bytes", "KB", "MB", "GB")
    for unit in units:
        if step < 1024 or unit == units[-1]:
            break
        step /= 1024
    return (
        f"{step:.0f} {unit}" if unit == "bytes" or step >= 100 or step == int(step) else f"{step:.1f} {unit}"
    )
