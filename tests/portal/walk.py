"""A person at the pages: reads what is shown, fills in what is asked, presses buttons. No shortcuts into the code."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8
CLIP = b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 16
# Answers by the shape of the question; a page is answered by what it shows, never by what the test knows of it.
DEFAULTS = {"time": "9:30pm", "email": "rhys@example.com", "phone": "07700 900123"}


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    """Return a file as a browser sends it."""
    return SimpleUploadedFile(name, data)


class Visitor:
    """Somebody with a browser without JavaScript, in one language (`prefix` is "" or "/cy")."""

    def __init__(self, prefix: str = "") -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.prefix = prefix
        self.page: Any = None
        self.at = ""

    @property
    def html(self) -> str:
        """Return the page as it was sent."""
        return str(self.page.content.decode())

    @property
    def words(self) -> str:
        """Return what a person reads on the page."""
        body = re.sub(r"<script.*?</script>|<head>.*?</head>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    @property
    def title(self) -> str:
        """Return the page's title."""
        found = re.search(r"<title[^>]*>(.*?)</title>", self.html, re.DOTALL)
        return unescape(found[1]).strip() if found else ""

    def go(self, address: str) -> "Visitor":
        """Open an address of this language."""
        self.at = address if address.startswith("/cy") and self.prefix else self.prefix + address
        self.page = self.client.get(self.at)
        return self

    def press(self, data: Mapping[str, Any], *, to: str = "") -> "Visitor":
        """Send the page's form and follow where it leads; a POST must be answered with 303."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.html)
        assert token, f"There is no form on {self.at}: {self.words[:200]}"
        data = {**data, "csrfmiddlewaretoken": token[1]}
        if "multipart/form-data" in self.html:
            text = {k: v.decode("utf-8", "replace") if isinstance(v, bytes) else v for k, v in data.items()}
            self.page = self.client.post(to or self.at, text)
        else:
            self.page = self.client.post(
                to or self.at, urlencode(data, doseq=True), content_type="application/x-www-form-urlencoded"
            )
        assert self.page.status_code == 303, f"{self.at} answered {self.page.status_code}: {self.words[:300]}"
        self.at = self.page.headers["Location"]
        self.page = self.client.get(self.at)
        return self

    def start(self, kind: str = "burglary") -> "Visitor":
        """Choose a kind and read on to the first question."""
        self.go("/").press({"kind": kind})
        assert self.at.endswith("/before")
        self.go("/safe").go("/fit").press({"answer": "no"})
        if self.at.endswith("/here"):
            self.press({"answer": ["local"]})
        return self

    def asked(self) -> str:
        """Return the heading of the page."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.html, re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1] if found else "")).split())

    def answer(self, **said: Any) -> "Visitor":
        """Answer the question on the page: with `said`, or with the first thing that fits."""
        if said:
            return self.press({"then": "next", **said})
        choices = re.findall(r'name="answer" type="(?:radio|checkbox)" value="([^"]+)"', self.html)
        options = re.findall(r'<option value="([^"]+)"', self.html)
        if 'name="day"' in self.html:
            return self.press({"then": "next", "day": "20", "month": "11", "year": "2025"})
        if 'name="files"' in self.html:
            return self.press({"then": "next"})
        if choices:
            return self.press({"then": "next", "answer": "none" if "none" in choices else choices[0]})
        if options:
            return self.press({"then": "next", "answer": options[0]})
        kind = re.search(r'id="answer" name="answer" type="(email|tel)"', self.html)
        text = {"email": DEFAULTS["email"], "tel": DEFAULTS["phone"]}.get(kind[1], "") if kind else ""
        if not text:
            text = DEFAULTS["time"] if "9:30pm" in self.html else "Something was taken from the shed."
        return self.press({"then": "next", "answer": text})

    def answer_all(self, stop_at: str = "/check", limit: int = 40, **by_id: Any) -> "Visitor":
        """Answer every question up to an address; `by_id` gives the answer when the page's words contain the key."""
        for _ in range(limit):
            if self.at.endswith(stop_at):
                return self
            special = [said for words, said in by_id.items() if words.replace("_", " ") in self.asked()]
            self.answer(**special[0]) if special else self.answer()
        raise AssertionError(f"Still at {self.at} after {limit} questions")

    def until(self, heading: str, limit: int = 40) -> "Visitor":
        """Answer every question up to the one whose heading contains these words."""
        for _ in range(limit):
            if heading in self.asked():
                return self
            self.answer()
        raise AssertionError(f"Still at {self.at} after {limit} questions")

    def send(self) -> "Visitor":
        """Send the report from the page that checks."""
        assert self.at.endswith("/check"), self.at
        return self.press({"then": "send"})

    @property
    def codes(self) -> list[str]:
        """Return the codes printed large on the page: reference and four words, or the code to come back."""
        return [
            " ".join(unescape(c).split())
            for c in re.findall(r'class="cf-code[^"]*"[^>]*>([^<]+)<', self.html)
        ]
