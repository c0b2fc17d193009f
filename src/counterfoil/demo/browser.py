"""A very small browser for the story: it reads real pages and sends their real forms, as a person without JavaScript.

It knows cookies, redirects, forms, links and file uploads, and nothing else. Files are streamed, never held in memory.
"""

import http.client
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from counterfoil.engines.errors import Refusal

BLOCK = 1 << 20


class PageProblem(Refusal):
    """The story met a page it did not expect; the text says which and what it said."""


@dataclass
class Form:
    """A form as it stands on a page: where it goes, what it holds, which fields take files."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.by_id: dict[str, str] = {}
        self.title = ""
        self.refresh = False
        self._form: Form | None = None
        self._select: tuple[str, str | None] | None = None
        self._area: tuple[str, list[str]] | None = None
        self._link: tuple[str, list[str]] | None = None
        self._button: tuple[str, str, list[str]] | None = None
        self._ids: list[tuple[str, str, list[str]]] = []
        self._quiet = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {k: v or "" for k, v in attrs}
        name = a.get("name", "")
        if tag in ("script", "style", "svg"):
            self._quiet += 1
        if tag not in ("a", "abbr", "b", "em", "i", "span", "strong"):
            self.text.append(" ")
        if tag == "title":
            self._in_title = True
        if a.get("id") and tag not in ("input", "br", "img", "meta", "link", "hr"):
            self._ids.append((a["id"], tag, []))
        if tag == "meta" and a.get("http-equiv", "").lower() == "refresh":
            self.refresh = True
        if tag == "a" and "href" in a:
            self._link = (a["href"], [])
        if tag == "form":
            self._form = Form(a.get("action", ""), a.get("method", "get").lower())
            self.forms.append(self._form)
        if self._form is None:
            return
        if tag == "input" and name:
            self._form.names.add(name)
            kind = a.get("type", "text").lower()
            if kind == "file":
                self._form.files.add(name)
            elif kind in ("radio", "checkbox"):
                self._form.choices.setdefault(name, []).append(a.get("value", "on"))
                if "checked" in a:
                    self._form.fields.setdefault(name, []).append(a.get("value", "on"))
            elif kind in ("submit", "button", "image"):
                self._form.buttons.append((name, a.get("value", ""), a.get("value", "")))
            else:
                self._form.fields.setdefault(name, []).append(a.get("value", ""))
        elif tag == "select" and name:
            self._form.names.add(name)
            self._select = (name, None)
        elif tag == "option" and self._select:
            select = self._select[0]
            self._form.choices.setdefault(select, []).append(a.get("value", ""))
            if "selected" in a:
                self._form.fields[select] = [a.get("value", "")]
        elif tag == "textarea" and name:
            self._form.names.add(name)
            self._area = (name, [])
        elif tag == "button":
            self._button = (name, a.get("value", ""), [])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "svg"):
            self._quiet = max(0, self._quiet - 1)
        if tag == "title":
            self._in_title = False
        for i in range(len(self._ids) - 1, -1, -1):
            if self._ids[i][1] == tag:
                key, _, parts = self._ids.pop(i)
                self.by_id[key] = " ".join("".join(parts).split())
                break
        if tag == "a" and self._link:
            self.links.append((self._link[0], " ".join("".join(self._link[1]).split())))
            self._link = None
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = None
        if tag == "textarea" and self._area and self._form:
            self._form.fields.setdefault(self._area[0], []).append("".join(self._area[1]).removeprefix("\n"))
            self._area = None
        if tag == "button" and self._button and self._form:
            self._form.buttons.append(
                (self._button[0], self._button[1], " ".join("".join(self._button[2]).split()))
            )
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        if self._area:
            self._area[1].append(data)
        if self._link:
            self._link[1].append(data)
        if self._button:
            self._button[2].append(data)
        if not self._quiet:
            self.text.append(data)
            for _, _, parts in self._ids:
                parts.append(data)


@dataclass
class Page:
    """A page that came back: its address, status, words, links and forms."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    title: str = ""
    text: str = ""
    links: Sequence[tuple[str, str]] = ()
    forms: Sequence[Form] = ()
    by_id: Mapping[str, str] = field(default_factory=dict)
    refreshes: bool = False

    def form_with(self, *names: str) -> Form:
        """Return the first form that has all these fields."""
        for form in self.forms:
            if all(n in form.names or any(n == b[0] for b in form.buttons) for n in names):
                return form
        raise PageProblem(f"No form with {', '.join(names)} on {self.url} ({self.status}): {self.text[:300]}")

    def form_to(self, part: str) -> Form:
        """Return the first form whose address contains `part`."""
        for form in self.forms:
            if part in urljoin(self.url, form.action):
                return form
        raise PageProblem(f"No form that goes to {part} on {self.url}: {self.text[:300]}")

    def link_with(self, part: str) -> str:
        """Return the first link whose address or words contain `part`."""
        for href, words in self.links:
            if part in href or part in words:
                return urljoin(self.url, href)
        raise PageProblem(f"No link with {part!r} on {self.url}: {self.text[:300]}")


class Browser:
    """One person's visit: keeps cookies and follows redirects within the served address."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}

    def get(self, address: str) -> Page:
        """Open an address."""
        return self._ask("GET", urljoin(self.origin + "/", address))

    def send(
        self,
        page: Page,
        form: Form,
        values: Mapping[str, object] | None = None,
        *,
        files: Mapping[str, Sequence[Path]] | None = None,
        button: str = "",
    ) -> Page:
        """Send a form with some of its fields filled in; `files` streams files into a file field."""
        data = {k: list(v) for k, v in form.fields.items()}
        for name, value in (values or {}).items():
            if name not in form.names:
                raise PageProblem(f"The form on {page.url} has no field {name}; it has {sorted(form.names)}.")
            data[name] = [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
        pressed = (
            next((b for b in form.buttons if b[0] and (button in (b[0], b[1], b[2]))), None)
            if button
            else None
        )
        if pressed:
            data[pressed[0]] = [pressed[1]]
        pairs = [(k, v) for k, many in data.items() for v in many]
        where = urljoin(page.url, form.action or page.url)
        if form.method == "get":
            return self._ask("GET", f"{where.split('?')[0]}?{urlencode(pairs)}")
        if form.files:
            boundary = secrets.token_hex(16)
            length, parts = _multipart(pairs, files or {}, form.files, boundary)
            return self._ask("POST", where, parts, f"multipart/form-data; boundary={boundary}", length)
        body = urlencode(pairs).encode()
        return self._ask("POST", where, iter([body]), "application/x-www-form-urlencoded", len(body))

    def _ask(
        self, method: str, url: str, body: Iterator[bytes] | None = None, kind: str = "", length: int = 0
    ) -> Page:
        for _ in range(12):
            parts = urlsplit(url)
            if not url.startswith(self.origin):
                return Page(url, 0, {}, b"")
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
            headers = {"Accept": "text/html", "Accept-Language": "en-GB"}
            if self.cookies:
                headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            if body is not None:
                headers |= {"Content-Type": kind, "Content-Length": str(length), "Origin": self.origin}
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path or "/", body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, rest = cookie.strip().partition("=")
                value = rest.split(";")[0]
                if value in ("", '""'):
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = value
            connection.close()
            if answer.status in (301, 302, 303, 307, 308):
                url = urljoin(url, answer.headers["Location"])
                method, body = "GET", None
                continue
            return _page(url, answer.status, {k.lower(): v for k, v in answer.headers.items()}, content)
        raise PageProblem(f"{url} redirects in circles.")


def _page(url: str, status: int, headers: Mapping[str, str], body: bytes) -> Page:
    if "text/html" not in headers.get("content-type", ""):
        if status >= 400:
            raise PageProblem(f"{url} answered {status}.")
        return Page(url, status, headers, body)
    reader = _Reader()
    reader.feed(body.decode("utf-8", "replace"))
    words = " ".join("".join(reader.text).split())
    if status >= 400:
        raise PageProblem(f"{url} answered {status}: {words[:300]}")
    return Page(
        url,
        status,
        headers,
        body,
        reader.title,
        words,
        reader.links,
        reader.forms,
        reader.by_id,
        reader.refresh,
    )


def _multipart(
    pairs: Sequence[tuple[str, str]], files: Mapping[str, Sequence[Path]], empty: set[str], boundary: str
) -> tuple[int, Iterator[bytes]]:
    heads: list[tuple[bytes, Path | None]] = []
    for name, value in pairs:
        text = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        heads.append((text.encode(), None))
    for name in sorted(empty):
        for path in files.get(name, ()):
            shown = path.name.replace('"', "%22").replace("\r", " ").replace("\n", " ")
            text = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{shown}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            )
            heads.append((text.encode(), path))
        if not files.get(name):
            text = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename=""\r\n\r\n'
            heads.append((text.encode(), None))
    end = f"--{boundary}--\r\n".encode()
    length = sum(len(h) + 2 + (p.stat().st_size if p else 0) for h, p in heads) + len(end)

    def parts() -> Iterator[bytes]:
        for head, path in heads:
            yield head
            if path:
                with path.open("rb") as f:
                    while block := f.read(BLOCK):
                        yield block
            yield b"\r\n"
        yield end

    return length, parts()
