"""A disk that can lose its power: ext4 on a loop image, copied while its writers stand still (needs root).

The copy is what the drive had been given; what was only in memory is gone. A drive that lies about flushing is not
modelled, nor are torn sectors.
"""

import contextlib
import fcntl
import functools
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.forks import Forks

# Where mkfs and its kin live may be off the path of whoever runs this.
TOOLS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


@functools.cache
def forbidden() -> str:
    """Return why no disk can be made here, or an empty text."""
    if os.geteuid() != 0:
        return "only root can mount a loop image"
    missing = [tool for tool in ("mkfs.ext4", "mount", "umount") if shutil.which(tool, path=TOOLS) is None]
    if missing:
        return f"{', '.join(missing)} is not installed"
    with tempfile.TemporaryDirectory(prefix="loop-") as folder:
        try:
            with Disk(Path(folder), megabytes=8):
                return ""
        except subprocess.CalledProcessError as error:
            return f"no loop image can be mounted: {(error.stderr or b'').decode(errors='replace').strip()}"


def _do(*command: str | Path) -> None:
    subprocess.run(
        [str(c) for c in command], check=True, capture_output=True, env={**os.environ, "PATH": TOOLS}
    )


def settle(folder: Path) -> None:
    """Write everything on a disk down: what was there before its writers began is old."""
    _do("sync", "-f", folder)


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """Mount an image, playing its journal back as after any power cut, and unmount it in the end."""
    at.mkdir(parents=True, exist_ok=True)
    # Nothing but what programs sync is written back while they run: 300 s between commits of the journal.
    _do("mount", "-o", "loop,commit=300", image, at)
    try:
        yield at
    finally:
        for _ in range(50):
            with contextlib.suppress(subprocess.CalledProcessError):
                _do("umount", at)
                break
            time.sleep(0.1)
        else:
            _do("umount", "--lazy", at)


class Disk:
    """A small ext4 disk in a file, mounted at `at` for as long as this lasts."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.image, self.at = folder / "disk.img", folder / "disk"
        with self.image.open("wb") as file:
            file.truncate(megabytes << 20)
        _do("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)

    def __enter__(self) -> "Disk":
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(mounted(self.image, self.at))
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def cut(self, pids: Callable[[], Sequence[int]], to: Path, heard: Callable[[], None]) -> None:
        """Copy the disk as it is at this instant, with its writers standing still; `heard` waits for what they said."""
        still: set[int] = set()
        while new := set(pids()) - still:  # a process may have made another just now
            for pid in new:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            for pid in new:
                _stands_still(pid)
            still |= new
        try:
            heard()
            _do("cp", "--sparse=always", self.image, to)
        finally:
            for pid in still:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def _stands_still(pid: int) -> None:
    """Wait until a process is stopped; one in the middle of a sync finishes that first."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            states = [
                (task / "stat").read_text().rsplit(")", 1)[1].split()[0]
                for task in Path(f"/proc/{pid}/task").iterdir()
            ]
        except (FileNotFoundError, ProcessLookupError):
            return
        if all(state in "TtZX" for state in states):
            return
        time.sleep(0.002)
    raise AssertionError(f"process {pid} does not stand still")


class Writer:
    """A worker at work, listened to from a thread of its own, so that it can be stopped meanwhile."""

    def __init__(self, forks: Forks, command: dict[str, Any]) -> None:
        self.forks, self.said = forks, list[dict[str, Any]]()
        self.thread = threading.Thread(target=self._listen, args=(command,), daemon=True)
        self.error: BaseException | None = None
        self.thread.start()
        until = time.monotonic() + 30
        while not self.pid and time.monotonic() < until:
            time.sleep(0.005)

    def _listen(self, command: dict[str, Any]) -> None:
        try:
            for words in self.forks.listen({**command, "tolerant": True}):
                self.said.append(words)
        except BaseException as error:
            self.error = error

    @property
    def pid(self) -> int:
        """Return the worker's process id, or 0 before it is known."""
        return next((w["pid"] for w in list(self.said) if "pid" in w), 0)

    @property
    def alive(self) -> bool:
        """Say whether it is still at work."""
        return not any("dead" in w for w in list(self.said))

    def heard(self) -> None:
        """Wait until everything that was said before now has been heard."""
        pipe = self.forks.process.stdout
        assert pipe
        for _ in range(3):
            while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]:
                time.sleep(0.002)
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once."""
        if self.alive and self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.thread.join(30)
        assert self.error is None, self.error
