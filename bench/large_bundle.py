"""Judge a large bundle three ways: how long each takes and how much memory. `python -m bench.large_bundle [GIB]`

The bundle holds one film-like exhibit of so many GiB (random bytes behind a film's head). It is judged by
`counterfoil verify`'s own checks, by the verify.py that ships in it, and by verify.html in Chromium with the network
off; the browser's memory is that of all its processes above what they have before the bundle is chosen.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.engines.bundle import facts as maker

from counterfoil.engines import bundle as engine

MIB = 1 << 20
CHROMIUM = os.environ.get("COUNTERFOIL_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


def film(path: Path, mib: int) -> str:
    """Write a file that begins as a film does and cannot be compressed; return its SHA-256."""
    whole = hashlib.sha256()
    with path.open("wb") as file:
        for n in range(mib):
            block = (b"\x00\x00\x00\x18ftypisom" if n == 0 else b"") + os.urandom(MIB)
            file.write(block[:MIB])
            whole.update(block[:MIB])
    return whole.hexdigest()


def build(folder: Path, mib: int) -> tuple[Path, Path]:
    """Build the bundle and return it with the court's policy."""
    keys = maker.make_keys(folder / "keys")
    path = folder / "film"
    sha256 = film(path, mib)
    facts = maker.make_facts(keys)
    small = maker.exhibit("LB/1", "The whole night of the yard's camera", b"?", "video/mp4", "night.mp4", 26)
    events = [
        replace(e, body={**e.body, "sha256": sha256, "size": mib * MIB}) if "sha256" in e.body else e
        for e in small.events
    ]
    large = replace(small, sha256=sha256, size=mib * MIB, open=lambda: path.open("rb"), events=events)
    listed = [*facts.exhibits, large]
    facts = replace(facts, exhibits=listed, schedules=maker.schedules(listed))
    out = maker.make_bundle(keys, folder, facts)
    path.unlink()
    policy = folder / "policy.txt"
    policy.write_text(keys.policy)
    return out, policy


def memory_of(root: int) -> float:
    """Return the memory of a process and all beneath it in MiB, each page counted by its share (PSS)."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(rest[1]), []).append(int(path.parent.name))
    total, wanted = 0, [root]
    while wanted:
        one = wanted.pop()
        wanted += children.get(one, [])
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024


def in_the_page(bundle: Path, policy: Path) -> tuple[str, float, float, float]:
    """Return what verify.html says, its seconds, and the browser's memory before and at most, in MiB."""
    from playwright.sync_api import sync_playwright

    own = bundle.parent / "verify.html"
    own.write_bytes(engine.page())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(offline=True).new_page()
        page.set_default_timeout(0)
        page.goto(own.as_uri())
        time.sleep(2)
        idle = peak = memory_of(os.getpid())
        page.set_input_files("#bundle", str(bundle))
        page.set_input_files("#policy", str(policy))
        started = time.perf_counter()
        page.click("#go", no_wait_after=True)
        while page.query_selector("#result:not([hidden]) #word") is None:
            peak = max(peak, memory_of(os.getpid()))
            if problem := page.inner_text("#problem"):
                return problem, time.perf_counter() - started, idle, peak
            time.sleep(0.5)
        took = time.perf_counter() - started
        word = page.inner_text("#word")
        browser.close()
    return word, took, idle, peak


def main(gib: float = 1.0) -> None:
    """Build the bundle and print each verifier's word, seconds and memory."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        started = time.perf_counter()
        bundle, policy = build(folder, int(gib * 1024))
        size = bundle.stat().st_size
        print(
            f"bundle of {size / (1 << 30):.2f} GiB built in {time.perf_counter() - started:.1f} s", flush=True
        )
        program = folder / "verify.py"
        program.write_bytes(engine.program())
        for what, command in (
            ("counterfoil verify", [sys.executable, "-m", "counterfoil.cli", "verify"]),
            ("verify.py", [sys.executable, "-I", str(program)]),
        ):
            started = time.perf_counter()
            done = subprocess.run(
                [*command, str(bundle), "--policy", str(policy)], capture_output=True, text=True, check=False
            )
            word = done.stdout.split("\n")[0]
            print(f"{what}: {word}, {time.perf_counter() - started:.1f} s", flush=True)
        word, took, idle, peak = in_the_page(bundle, policy)
        print(
            f"verify.html in Chromium: {word}, {took:.1f} s, memory {peak - idle:.0f} MiB above idle ({idle:.0f} MiB)"
        )


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
