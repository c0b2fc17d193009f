"""Gate G8 in a real browser: every address that hands out hostile files is opened every way, and nothing runs."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Dialog, Request, sync_playwright
from tests import scenes
from tests.cast import Cast
from tests.desk.signing import signed_in
from tests.hostile.corpus import Aims, corpus
from tests.hostile.test_sandbox import Tripwires

from counterfoil.evidence import actions as evidence
from counterfoil.evidence.models import Exhibit

# The browser's own loop must not make Django think that it runs inside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
CHROMIUM = os.environ.get("COUNTERFOIL_CHROMIUM", "/usr/bin/chromium")
# What a browser would rather run: the suite opens these, the full depth all.
ACTIVE = {
    "plain.html",
    "script.js",
    "script.svg",
    "gif.js",
    "pdf.html",
    "javascript.pdf",
    "saved.mhtml",
    "xslt.xsl",
    "css.css",
}


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
            accept_downloads=True,
        )
        context.set_default_timeout(15_000)
        yield context
        context.close()


@pytest.mark.journey
@pytest.mark.slow
def test_no_file_acts_as_a_page_however_its_address_is_opened(
    transactional_db: None, home: Path, live_server: Any, browser: BrowserContext, full: bool, tmp_path: Path
) -> None:
    """As a page, a frame, a script, a picture, a style, an object and by fetch: 0 dialogs, 0 canary requests."""
    wires = Tripwires(tmp_path)
    aims = Aims(http=f"http://127.0.0.1:{wires.tcp4}/canary")
    files = [h for h in corpus(aims) if len(h.data) < 2 << 20 and (full or h.name in ACTIVE)]
    cast = Cast()
    cast.staff_the_desk()
    addresses = []
    for start in range(0, len(files), 30):
        some = files[start : start + 30]
        scene = scenes.recorded(cast, files=[(h.name, h.data) for h in some], session=f"s{start}")
        for upload in scene.files:
            exhibit = evidence.seal(scene.case, upload, "A file that was sent", by=scene.by)
            addresses.append(f"{live_server.url}/desk/cases/{scene.case}/exhibits/{exhibit}")
    cookie = signed_in(cast, "alice").cookies[settings.SESSION_COOKIE_NAME].value
    browser.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])

    dialogs: list[str] = []
    outside: list[str] = []

    def heard(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    def asked(request: Request) -> None:
        if not request.url.startswith((live_server.url, "blob:", "data:", "about:")):
            outside.append(request.url)

    def watch(page: Any) -> None:
        page.on("dialog", heard)
        page.on("request", asked)

    browser.on("page", watch)
    desk = browser.new_page()
    downloads: list[str] = []
    desk.on("download", lambda d: downloads.append(d.suggested_filename))
    for address in addresses:
        desk.goto(address)
        assert desk.evaluate("document.title").startswith("Exhibit")
        ran = desk.evaluate(EMBED, f"{address}/file")
        assert ran == {"frame": "no document", "script": "refused"}, address
        with desk.expect_download():
            desk.evaluate("address => { location.href = address }", f"{address}/file")
        assert desk.url == address
    assert len(downloads) >= len(addresses)
    assert not any(c in name for name in downloads for c in "/\\\u202e\x00")
    desk.wait_for_timeout(500)
    wires.close()
    assert dialogs == []
    assert outside == []
    assert wires.hits == []
    assert Exhibit.objects.count() == len(files)


EMBED = """
async (address) => {
  const settled = (node, to) => new Promise((done) => {
    node.onload = () => done("loaded"); node.onerror = () => done("refused");
    setTimeout(() => done("nothing"), 1500); to.append(node);
  });
  const found = {};
  const frame = document.createElement("iframe");
  frame.src = address;
  document.body.append(frame);
  await new Promise((done) => setTimeout(done, 150));
  let inside = null;
  try { inside = frame.contentDocument; } catch (error) { inside = null; }
  found.frame = inside && inside.body && inside.body.innerHTML ? "document" : "no document";
  const script = document.createElement("script");
  script.src = address;
  found.script = await settled(script, document.head);
  const image = new Image();
  image.src = address;
  await settled(image, document.body);
  const style = Object.assign(document.createElement("link"), {rel: "stylesheet", href: address});
  await settled(style, document.head);
  for (const kind of ["object", "embed"]) {
    const node = document.createElement(kind);
    node.setAttribute(kind === "object" ? "data" : "src", address);
    document.body.append(node);
  }
  await new Promise((done) => setTimeout(done, 100));
  return found;
}
"""
