"""Anybody takes the page, the program and the policy from the bench's public page, and they are the real ones."""

import hashlib

import pytest
from django.test import Client

from counterfoil.courts.gather import policy_text
from counterfoil.engines.bundle import page, program

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["", "/cy"])
def test_a_visitor_finds_the_three_files_with_their_digests(client: Client, language: str) -> None:
    shown = client.get(f"{language}/bench/verify").content.decode()
    for name, content in (
        ("verify.html", page()),
        ("verify.py", program()),
        ("policy.txt", policy_text().encode()),
    ):
        taken = client.get(f"/bench/verify/{name}")
        assert b"".join(taken) == content  # type: ignore[arg-type]
        assert "attachment" in taken["Content-Disposition"]
        assert hashlib.sha256(content).hexdigest() in shown
    assert client.get("/bench/verify/other.txt").status_code == 404


def test_the_page_allows_nothing_from_outside_itself() -> None:
    html = page().decode()
    head = html[: html.index("<style>")]
    assert "default-src 'none'; script-src 'sha256-" in head
    for outside in (
        "http://",
        "https://",
        "src=",
        "@import",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "innerHTML",
        "eval(",
    ):
        assert outside not in html, outside
