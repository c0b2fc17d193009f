"""One contract for every scanner: none configured, a daemon told by us what to say, and the real clamd."""

import contextlib
import io
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterfoil.adapters.scanner_clamd import Clamd
from counterfoil.adapters.scanner_none import NoScanner
from counterfoil.engines.errors import BadInput
from counterfoil.plugs.scanner import Finding, Scanner, ScannerDown, scanner

# The industry's harmless test string, in two halves so that no scanner on a developer's machine takes this file away.
EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").ljust(68)
CLEAN = b"a shopping list: bread, milk" * 50


class Daemon:
    """A clamd that we wrote: it reads what the protocol says and answers as told."""

    def __init__(self, says: Callable[[bytes], bytes], *, most: int = 1 << 20) -> None:
        self._says, self._most = says, most
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError), line.makefile("rb") as heard:
                asked = b""
                while not asked.endswith(b"\0"):
                    asked += heard.read(1)
                if asked == b"zVERSION\0":
                    line.sendall(b"ClamAV 0.0/1/made up\0")
                    continue
                data = b""
                while (size := struct.unpack(">I", heard.read(4))[0]) and len(data) <= self._most:
                    data += heard.read(size)
                if len(data) > self._most:
                    line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                else:
                    line.sendall(self._says(data))

    def close(self) -> None:
        self._socket.close()


def _says(data: bytes) -> bytes:
    return b"stream: Eicar.Test FOUND\0" if EICAR.strip() in data else b"stream: OK\0"


@pytest.fixture(scope="module")
def real_clamd() -> Iterator[str]:
    """The address of a real clamd whose only signatures are two that we wrote: no download, no real malware."""
    program = shutil.which("clamd")
    if program is None:
        pytest.skip("NOT PROVED HERE: clamd is not installed (apt-get install clamav-daemon)")
    with tempfile.TemporaryDirectory(prefix="clamd", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "db").mkdir()
        # An extended signature on the test string's own bytes, anywhere in any file.
        (home / "db" / "test.ndb").write_text(f"Test.Eicar:0:*:{EICAR.strip().hex()}\n")
        (home / "clamd.conf").write_text(
            f"DatabaseDirectory {home}/db\nLocalSocket {home}/socket\nForeground yes\nStreamMaxLength 1M\n"
            f"LogFile {home}/log\nUser {'root' if os.getuid() == 0 else os.environ.get('USER', 'nobody')}\n"
        )
        daemon = subprocess.Popen(
            [program, "-c", str(home / "clamd.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until = time.monotonic() + 60
            while not (home / "socket").exists():
                assert daemon.poll() is None, (home / "log").read_text()
                assert time.monotonic() < until, "clamd did not start"
                time.sleep(0.1)
            yield str(home / "socket")
        finally:
            daemon.terminate()
            daemon.wait(20)


@pytest.fixture(params=["none", "told", "clamd"])
def one(request: pytest.FixtureRequest) -> Iterator[Scanner]:
    if request.param == "none":
        yield NoScanner()
    elif request.param == "told":
        daemon = Daemon(_says)
        yield Clamd(daemon.address, timeout_s=20)
        daemon.close()
    else:
        yield Clamd(request.getfixturevalue("real_clamd"))


def test_a_clean_file_is_clean_or_said_to_be_unscanned_and_never_flagged(one: Scanner) -> None:
    found = one.scan(io.BytesIO(CLEAN))
    assert found.scan == ("clean" if one.name else "none")


def test_the_test_string_is_flagged_with_a_name_where_there_is_a_scanner(one: Scanner) -> None:
    found = one.scan(io.BytesIO(b"a note in front " + EICAR))
    if one.name:
        assert found.scan == "flagged"
        assert "icar" in found.says
    else:
        assert found == Finding("none", "no scanner is configured")


def test_a_file_bigger_than_the_scanner_takes_is_unscanned_and_never_clean(one: Scanner) -> None:
    found = one.scan(io.BytesIO(b"x" * (3 << 20)))
    assert found.scan == ("unscanned" if one.name else "none")


def test_its_words_are_one_token_so_that_they_can_stand_in_an_entry(one: Scanner) -> None:
    assert " " not in one.name
    assert " " not in one.scan(io.BytesIO(EICAR)).says or not one.name


def test_a_scanner_that_is_not_there_is_down_and_says_so_in_a_sentence(tmp_path: Path) -> None:
    for address in (str(tmp_path / "nothing"), "127.0.0.1:9"):
        with pytest.raises(ScannerDown, match=r"does not answer: .+\.$"):
            Clamd(address, timeout_s=2).scan(io.BytesIO(CLEAN))


@pytest.mark.parametrize(
    "answer",
    [b"", b"stream: UNKNOWN COMMAND ERROR\0", b"\xff\xfe\0", b"stream: OK or so\0", b"x" * 100_000],
    ids=["nothing", "an error", "bytes", "almost OK", "too much"],
)
def test_an_answer_it_does_not_know_is_never_taken_for_clean(answer: bytes) -> None:
    daemon = Daemon(lambda data: answer)
    with pytest.raises(ScannerDown):
        Clamd(daemon.address, timeout_s=5).scan(io.BytesIO(CLEAN))
    daemon.close()


def test_a_scanner_that_never_answers_is_down_after_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ScannerDown):
            Clamd(address, timeout_s=0.3).scan(io.BytesIO(CLEAN))


def test_an_address_that_is_neither_path_nor_port_is_refused() -> None:
    with pytest.raises(BadInput, match=r"clamd\.ctl or as host:port"):
        Clamd("clamd")


def test_without_a_setting_there_is_none_and_it_says_so() -> None:
    assert scanner().name == ""
