"""A real browser at a real server: Chromium on the pages, and a stand-in for the weather page next door."""

import datetime
import http.server
import os
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import BrowserContext, FileChooser, Locator, Page, Playwright, sync_playwright
from tests.cast import Cast

# The browser's own loop must not make Django think that it runs inside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
CHROMIUM = os.environ.get("COUNTERFOIL_CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


LOOKED_AT: set[int] = set()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class _Weather(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!DOCTYPE html><title>Weather</title><h1>Weather</h1><p>Cloudy, 9 degrees.</p>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve a page that stands for the weather page, over https, and return its port."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.bbc.co.uk")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2)).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = tmp_path_factory.mktemp("weather") / "pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Weather)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start Playwright once."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def device(playwright: Playwright, weather: int, tmp_path: Path) -> Iterator[Callable[..., BrowserContext]]:
    """Return a maker of browsers, each with a profile folder of its own (`context.folder`), closed at the end."""
    opened: list[BrowserContext] = []

    def make(*, script: bool = True, width: int = 360, height: int = 740) -> BrowserContext:
        folder = tmp_path / f"profile-{len(opened)}"
        context = playwright.chromium.launch_persistent_context(
            str(folder),
            executable_path=CHROMIUM,
            args=[*QUIET, f"--host-resolver-rules=MAP www.bbc.co.uk:443 127.0.0.1:{weather}"],
            java_script_enabled=script,
            ignore_https_errors=True,
            viewport={"width": width, "height": height},
            locale="en-GB",
        )
        context.folder = folder  # type: ignore[attr-defined]
        context.set_default_timeout(30_000)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def checker(playwright: Playwright) -> Iterator[Callable[[bool], Page | None]]:
    """Return a maker of the page in which the accessibility checker looks at what a browser without scripts shows."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))

    def make(script: bool) -> Page | None:
        return None if script else browser.new_page(viewport={"width": 360, "height": 740})

    yield make
    browser.close()


@pytest.fixture
def people(transactional_db: None, home: Path) -> Cast:
    """The people of the story, with the desk staffed."""
    cast = Cast()
    cast.staff_the_desk()
    return cast


@pytest.fixture
def site(people: Cast, live_server: Any) -> str:
    """Return the address of a running installation whose desk is staffed."""
    return str(live_server.url)


class Keys:
    """Somebody who uses nothing but the keyboard, and looks at every page with the accessibility checker."""

    def __init__(self, page: Page, site: str, prefix: str = "", checker: Page | None = None) -> None:
        self.page, self.site, self.prefix, self.checker = page, site, prefix, checker
        self.seen: dict[str, str] = {}
        self.problems: list[str] = []
        self.choosers: list[FileChooser] = []
        page.on("filechooser", lambda chooser: self.choosers.append(chooser))  # noqa: PLW0108

    def open(self, address: str) -> "Keys":
        """Open an address and look at it."""
        self.page.goto(f"{self.site}{self.prefix}{address}")
        return self.look()

    def look(self) -> "Keys":
        """Check the page that is shown, and remember its address and title."""
        self.seen[self.page.url] = self.page.title()
        # The same page, but for its form's token, is looked at once in a run.
        plain = re.sub(r'value="[A-Za-z0-9]{64}"', "", self.page.content())
        same = hash((self.checker is None, plain))
        if self.page.url.startswith(self.site) and same not in LOOKED_AT:
            LOOKED_AT.add(same)
            found = Axe().run(
                self.as_checked(),
                options={
                    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
                },
            )
            for violation in found.response["violations"]:
                nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:2])
                self.problems.append(f"{self.page.url}: {violation['id']}: {violation['help']}: {nodes}")
            wide = self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if wide > 0:
                self.problems.append(f"{self.page.url}: {wide} px wider than the screen")
        return self

    def as_checked(self) -> Page:
        """Return the page for the checker, which needs scripts: without them, the same HTML in a second browser."""
        if self.checker is None:
            return self.page
        address, html = self.page.url, self.page.content()
        self.checker.route(
            address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
        )
        self.checker.goto(address)
        self.checker.unroute(address)
        return self.checker

    def reach(self, target: Locator, limit: int = 80) -> Locator:
        """Press Tab until the target has the focus, and check that it can be seen there."""
        for _ in range(limit):
            if target.evaluate("e => e === document.activeElement"):
                covered = target.evaluate(
                    """e => { const r = e.getBoundingClientRect();
                    const at = document.elementFromPoint(Math.min(r.left + 5, innerWidth - 1), r.top + r.height / 2);
                    return !(at && (at === e || e.contains(at) || at.contains(e) || at.closest('label'))); }"""
                )
                if covered:
                    self.problems.append(f"{self.page.url}: the focus is hidden on {target}")
                return target
            self.page.keyboard.press("Tab")
        raise AssertionError(f"The keyboard does not reach {target} on {self.page.url}")

    def press(self, selector: str, key: str = "Enter") -> "Keys":
        """Reach something and press it, wait for the page that follows, and look at it."""
        target = self.reach(self.page.locator(selector).first)
        assert target
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        return self.look()

    def type(self, selector: str, text: str) -> "Keys":
        """Reach a field and type over what is in it."""
        self.reach(self.page.locator(selector).first)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        return self

    def tick(self, selector: str) -> "Keys":
        """Reach a tick box or a radio group and choose this one."""
        target = self.page.locator(selector).first
        if target.get_attribute("type") == "radio":
            group = self.page.locator(f'input[name="{target.get_attribute("name")}"]')
            chosen = [i for i in range(group.count()) if group.nth(i).is_checked()]
            if chosen:
                self.reach(group.nth(chosen[0]))
            else:
                self.reach(group.first)
            for _ in range(group.count() + 1):
                if target.evaluate("e => e === document.activeElement"):
                    break
                self.page.keyboard.press("ArrowDown")
        else:
            self.reach(target)
        if not target.is_checked():
            self.page.keyboard.press("Space")
        assert target.is_checked()
        return self

    def choose(self, selector: str, *files: Any) -> "Keys":
        """Reach a file field, open it with the keyboard and choose files."""
        self.reach(self.page.locator(selector).first)
        before = len(self.choosers)
        self.page.keyboard.press("Enter")
        for _ in range(300):
            if len(self.choosers) > before:
                break
            self.page.wait_for_timeout(50)
        self.choosers[-1].set_files(list(files))
        return self

    def go_on(self) -> "Keys":
        """Press the page's first button of its own."""
        return self.press("main .govuk-button")

    def words(self) -> str:
        """Return what is read on the page."""
        return " ".join(self.page.locator("body").inner_text().split())

    def start(self, kind: str) -> "Keys":
        """Choose a kind and read on to the first question."""
        self.open("/").press(f'button[value="{kind}"]')
        assert self.page.url.endswith("/before")
        self.go_on().go_on()
        return self.tick('input[value="no"]').go_on()

    def answer(self, text: str = "The back door was forced and a blue bicycle was taken.") -> "Keys":
        """Answer the question on the page with the first thing that fits, and continue."""
        page = self.page
        if page.locator("#answer-day").count():
            self.type("#answer-day", "20").type("#answer-month", "11").type("#answer-year", "2025")
        elif page.locator('input[value="none"]').count():
            self.tick('input[value="none"]')
        elif page.locator(
            'input[name="answer"][type="checkbox"], input[name="answer"][type="radio"]'
        ).count():
            first = page.locator('input[name="answer"]').first
            self.tick(f'input[value="{first.get_attribute("value")}"]')
        elif (
            "9:30pm" in page.locator(".govuk-hint").first.inner_text()
            if page.locator(".govuk-hint").count()
            else False
        ):
            self.type("#answer", "9:30pm")
        elif page.locator("#answer").count():
            self.type("#answer", text)
        return self.press('button[value="next"]')

    def answer_until(self, end: str, limit: int = 40) -> "Keys":
        """Answer up to the page whose address, or a selector on it, is `end`."""
        for _ in range(limit):
            if re.search(re.escape(end) + "$", self.page.url) or (
                end[0] in "#[" and self.page.locator(end).count()
            ):
                return self
            self.answer()
        raise AssertionError(f"Still on {self.page.url}")
