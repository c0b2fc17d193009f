"""Stop or fail a process at each single system call of a write path, with strace (Tessera's method).

A worker is forked from a process that has loaded everything, waits, is attached to, and is told to go on. The first
run only lists the calls; each later one injects one fault at one of them. Skips loudly where tracing is forbidden.
"""

import functools
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WRITES = (
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "copy_file_range",
    "sendfile",
    "fallocate",
    "ftruncate",
)
NAMES = (
    "link",
    "linkat",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
)
CALLS = ("openat", *NAMES, *WRITES, "fsync", "fdatasync", "close")
# Where a full disk says so.
NEEDS_ROOM = frozenset(
    {"openat", "link", "linkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", *WRITES}
)
_LINE = re.compile(r"(\d+)\s+(\w+)\((.*)")


@dataclass(frozen=True)
class Call:
    """One system call of a run: its name, which of that name it was (from 1), what it was given, and whether it came
    before the worker said yes."""

    name: str
    when: int
    given: str
    before_yes: bool


@dataclass(frozen=True)
class Fault:
    """What happens at a call: the process is killed before it, or the call fails with an error."""

    call: Call
    what: str  # KILL, EIO or ENOSPC

    @property
    def option(self) -> str:
        """Return it as strace wants it."""
        how = "signal=KILL" if self.what == "KILL" else f"error={self.what}"
        return f"inject={self.call.name}:{how}:when={self.call.when}"

    def __str__(self) -> str:
        return f"{self.what} at {self.call.name} {self.call.when} ({self.call.given[:160]})"


def faults_at(calls: Sequence[Call]) -> list[Fault]:
    """Return every fault that can be injected into a run that makes these calls."""
    found = []
    for call in calls:
        found += [Fault(call, "KILL"), Fault(call, "EIO")]
        if call.name in NEEDS_ROOM:
            found.append(Fault(call, "ENOSPC"))
    return found


@functools.cache
def forbidden() -> str:
    """Return why processes cannot be traced here, or an empty text."""
    if not sys.platform.startswith("linux") or shutil.which("strace") is None:
        return "strace is not installed"
    sleeper = subprocess.Popen(["sleep", "20"])
    try:
        Tracer(sleeper.pid, "").stop()
    except PermissionError as refused:
        return str(refused)
    finally:
        sleeper.kill()
        sleeper.wait()
    return ""


class Tracer:
    """strace, attached to a process and its threads, with one fault to inject or none."""

    def __init__(self, pid: int, option: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="strace-")
        self.listing = Path(self.folder.name) / "calls"
        command = ["strace", "-f", "-y", "-s", "60", "-p", str(pid), "-o", str(self.listing)]
        command += ["-e", "trace=" + ",".join(CALLS), "-e", "signal=none"]
        if option:
            command += ["-e", option]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        said = self.process.stderr.readline()
        if "attached" not in said:
            self.stop()
            raise PermissionError(f"strace could not attach: {said.strip()}")

    def stop(self) -> str:
        """End the tracing and return the listing; a tracer whose process is gone ends by itself."""
        try:
            self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(10)
        assert self.process.stderr
        self.process.stderr.close()
        listing = self.listing.read_text(errors="replace") if self.listing.exists() else ""
        self.folder.cleanup()
        return listing


def calls_in(listing: str, pid: int, home: Path) -> list[Call]:
    """Return the calls of the worker's main thread that touch its home or speak, counted as strace counts them."""
    counts: Counter[str] = Counter()
    found: list[Call] = []
    before_yes = True
    for line in listing.splitlines():
        match = _LINE.match(line)
        if match is None or int(match[1]) != pid:
            continue
        name, given = match[2], match[3]
        counts[name] += 1
        speaks = name == "write" and given.startswith("1<")
        if str(home) in given or speaks:
            found.append(Call(name, counts[name], given, before_yes))
        if speaks and '{\\"done\\"' in given:
            before_yes = False
    return found
