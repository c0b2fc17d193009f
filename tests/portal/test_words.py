"""Both languages whole, plain words, light pages, and a policy that allows no stray script."""

import base64
import gzip
import hashlib
import re
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from tests.cast import Cast
from tests.portal.walk import Visitor

from counterfoil.faces.kit import language
from counterfoil.faces.kit.catalogue import strings
from counterfoil.reference.kinds import kinds, offered
from counterfoil.reference.wording import keys, say
from counterfoil.reports import rules

STATIC = Path(language.__file__).parent / "static" / "kit"


def test_every_string_of_the_portal_and_the_kit_has_welsh_marked_draft_or_reviewed() -> None:
    catalogue = language.catalogue("cy")
    without, unmarked = [], []
    for text, file, _line in strings():
        if not file.startswith(("kit/", "portal/")):
            continue
        message = catalogue.get(text if isinstance(text, str) else text[0])
        texts = (
            [message.string]
            if message and isinstance(message.string, str)
            else list(message.string if message else [])
        )
        if not message or not any(texts):
            without.append(text)
        elif not message.flags & {"draft", "reviewed"}:
            unmarked.append(text)
    assert without == []
    assert unmarked == []


def test_welsh_keeps_every_placeholder() -> None:
    for message in language.catalogue("cy"):
        if isinstance(message.id, str) and isinstance(message.string, str) and message.string:
            names = set(re.findall(r"%\(\w+\)s", message.id))
            assert names == set(re.findall(r"%\(\w+\)s", message.string)), message.id


def test_every_kind_asks_for_safe_contact_and_ends_the_same_way() -> None:
    for kind in offered(date(2026, 11, 21)):
        ids = [q.id for q in kind.questions]
        assert {"where", "what", "files", "contact_channels", "contact_discreet", "force"} <= set(ids)
        # Asked always when the kind is sensitive; else of whoever knows who did it.
        assert "device_safe" in ids
        when = kind.question("device_safe").when
        assert when is None if kind.sensitive else when is not None and when.question == "know_who"


def test_every_kind_asks_whether_it_is_an_emergency_in_both_languages() -> None:
    for kind in kinds():
        assert kind.danger["en"].endswith("?")
        assert kind.danger["cy"].endswith("?")


def test_every_wording_has_both_languages() -> None:
    for group in ("progress", "duty", "error", "label"):
        for name in keys(group):
            for part in ("title", "text"):
                try:
                    english = say(f"{group}.{name}", "en", part)
                except LookupError:
                    continue
                assert say(f"{group}.{name}", "cy", part) != english or "{" in english or english == ""


def syllables(word: str) -> int:
    """Return roughly how many syllables an English word has."""
    word = re.sub(r"(?:[^laeiouy]es|ed|[^laeiouy]e)$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]{1,2}", word)))


def reading_age(sentences: list[str]) -> float:
    """Return the Flesch-Kincaid grade of some sentences plus five, roughly the age at which they can be read."""
    words = [w for s in sentences for w in re.findall(r"[A-Za-z']+", s)]
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    return grade + 5


def test_the_public_pages_can_be_read_at_nine() -> None:
    texts = [t if isinstance(t, str) else t[1] for t, file, _line in strings() if file.startswith("portal/")]
    sentences = [s for t in texts for s in re.split(r"(?<=[.?!:])\s+", t) if len(s.split()) > 3]
    assert reading_age(sentences) <= 9


def test_the_questions_can_be_read_at_nine() -> None:
    texts = [t for k in kinds() for q in k.questions for t in (q.title["en"], q.hint["en"]) if t]
    sentences = [s for t in texts for s in re.split(r"(?<=[.?!])\s+", t) if len(s.split()) > 2]
    assert reading_age(sentences) <= 9


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/cy"])
def test_every_page_weighs_at_most_100_kilobytes_with_its_styles(prefix: str, cast: Cast) -> None:
    cast.staff_the_desk()
    styles = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in (
        "kit.css", "vendor/govuk-frontend.min.css", "vendor/fonts.css",
    ))  # fmt: skip
    someone, heaviest = Visitor(prefix), 0
    for address in ("/", "/track", "/return", "/receipt", "/privacy", "/accessibility"):
        heaviest = max(heaviest, len(gzip.compress(someone.go(address).page.content)))
    someone.start()
    while not someone.at.endswith("/sent"):
        heaviest = max(heaviest, len(gzip.compress(someone.page.content)))
        someone.send() if someone.at.endswith("/check") else someone.answer()
    assert styles + heaviest <= 100_000


@pytest.mark.django_db
def test_the_one_inline_script_is_allowed_by_its_hash_and_nothing_else_is_inline(cast: Cast) -> None:
    cast.staff_the_desk()
    someone = Visitor()
    for address in ("/", "/track", "/receipt", "/nothing"):
        html = someone.go(address).html
        (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" == settings.INLINE_SCRIPT_HASH
        assert settings.INLINE_SCRIPT_HASH in someone.page.headers["Content-Security-Policy"]
        assert "unsafe" not in someone.page.headers["Content-Security-Policy"]
        assert not re.search(r"\sstyle=|<style|\son\w+=", html)


def test_a_text_is_tidied_without_losing_what_was_said() -> None:
    assert rules.tidy("  a\x00b\ud800\r\nc\u2028d  ", lines=True) == "ab\nc\nd"
    assert rules.tidy("one\ntwo") == "one two"
    assert rules.tidy("Siân ŷ") == "Siân ŷ"
