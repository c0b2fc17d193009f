"""Scanner that asks a ClamAV daemon over its own socket: bytes are streamed to it (INSTREAM), no path is told.

`address` is `/run/clamav/clamd.ctl` or `host:port`. clamd takes streams up to its `StreamMaxLength`; a longer one is
reported as not scanned, never as clean. Protocol: clamd(8).
"""

import contextlib
import re
import socket
import struct
from collections.abc import Iterator
from typing import BinaryIO

from counterfoil.engines.errors import BadInput
from counterfoil.plugs.scanner import Finding, ScannerDown

CHUNK = 1 << 18
ANSWER_LIMIT = 4096


class Clamd:
    """A client of one clamd."""

    def __init__(self, address: str, timeout_s: float = 60) -> None:
        host, colon, port = address.rpartition(":")
        if address.startswith("/"):
            self._family: int = socket.AF_UNIX
            self._where: str | tuple[str, int] = address
        elif colon and port.isdigit() and host:
            self._family, self._where = socket.AF_INET, (host, int(port))
        else:
            raise BadInput(
                "address", "Give the scanner's address as a path like /run/clamav/clamd.ctl or as host:port."
            )
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """The versions of the daemon and its signatures, like `ClamAV-1.4.3/27800/…`; ScannerDown without an answer."""
        with self._connected() as line:
            line.sendall(b"zVERSION\0")
            return _plain(_answer(line))

    def scan(self, stream: BinaryIO) -> Finding:
        """Stream bytes to the daemon and return what it says; ScannerDown when it does not answer or has an error."""
        with self._connected() as line:
            cut_off = False
            line.sendall(b"zINSTREAM\0")
            while data := stream.read(CHUNK):
                try:
                    line.sendall(struct.pack(">I", len(data)) + data)
                except (BrokenPipeError, ConnectionResetError):
                    cut_off = True  # it has heard enough; what it says is still to be read
                    break
            if not cut_off:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    line.sendall(struct.pack(">I", 0))
            said = _answer(line)
        if said.startswith("INSTREAM size limit exceeded"):
            return Finding("unscanned", "bigger than the scanner takes")
        found = re.fullmatch(r"stream: (?:(OK)|(.+) FOUND)", said)
        if not found:
            raise ScannerDown(f"The scanner answered: {_plain(said) or 'nothing'}.")
        return Finding("clean") if found[1] else Finding("flagged", _plain(found[2]) or "unnamed")

    @contextlib.contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        try:
            with socket.socket(self._family, socket.SOCK_STREAM) as line:
                line.settimeout(self._timeout_s)
                line.connect(self._where)
                yield line
        except OSError as error:
            raise ScannerDown(
                f"The scanner does not answer: {error.strerror or type(error).__name__}."
            ) from error


def _answer(line: socket.socket) -> str:
    heard = b""
    while b"\0" not in heard and len(heard) < ANSWER_LIMIT:
        data = line.recv(1024)
        if not data:
            break
        heard += data
    return heard.partition(b"\0")[0].decode(errors="replace").strip()


def _plain(text: str) -> str:
    """Return a scanner's word as one short token, so that it can stand in an entry."""
    return re.sub(r"[^A-Za-z0-9_.:/+=-]+", "-", text).strip("-")[:120]
