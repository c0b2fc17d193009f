"""One contract for every timestamper: the local development authority, and the HTTP client in front of a server."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from counterfoil.adapters.timestamper_local import LocalAuthority
from counterfoil.adapters.timestamper_rfc3161 import Rfc3161
from counterfoil.engines.bundle.stamp import check_reply, request
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed, Refusal
from counterfoil.plugs.timestamper import Timestamper, timestamper

DIGEST = hashlib.sha256(b"a checkpoint").digest()
Answer = Callable[[bytes], tuple[int, str, bytes]]
REPLY = "application/timestamp-reply"


class Server:
    """A real HTTP server on loopback that answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append((self.path, self.headers["Content-Type"], body))
                status, kind, content = outer.answer(body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    """The authority behind the server."""
    return LocalAuthority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def server(authority: LocalAuthority) -> Iterator[Server]:
    """A server that fronts the authority."""
    found = Server(lambda body: (200, REPLY, authority.answer(body)))
    yield found
    found.close()


@pytest.fixture(scope="module")
def client(authority: LocalAuthority, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Rfc3161:
    """The HTTP client, pinned to the authority's root."""
    folder = tmp_path_factory.mktemp("pinned")
    (folder / "root.pem").write_text(authority.chain[-1])
    (folder / "crl.pem").write_text("".join(authority.crls))
    return Rfc3161(server.url, str(folder / "root.pem"), [str(folder / "crl.pem")])


@pytest.fixture(params=["local", "http"])
def stamper(request: pytest.FixtureRequest, authority: LocalAuthority, client: Rfc3161) -> Timestamper:
    """Each adapter in turn."""
    return authority if request.param == "local" else client


# ---- the contract


def test_its_stamp_holds_for_what_was_stamped_and_for_nothing_else(stamper: Timestamper) -> None:
    stamp = stamper.stamp(DIGEST)
    assert stamper.holds(DIGEST, stamp)
    assert not stamper.holds(hashlib.sha256(b"another").digest(), stamp)


def test_a_stamp_with_any_byte_changed_or_added_does_not_hold(stamper: Timestamper) -> None:
    stamp = stamper.stamp(DIGEST)
    assert not stamper.holds(DIGEST, stamp + b"\0")
    assert not stamper.holds(DIGEST, stamp[:-1])
    assert not stamper.holds(DIGEST, b"")
    held = [
        at
        for at in range(0, len(stamp), 7)
        if stamper.holds(DIGEST, stamp[:at] + bytes([stamp[at] ^ 1]) + stamp[at + 1 :])
    ]
    assert not held


def test_every_stamp_is_new(stamper: Timestamper) -> None:
    assert stamper.stamp(DIGEST) != stamper.stamp(DIGEST)


def test_it_names_its_chain_its_lists_and_its_root(stamper: Timestamper) -> None:
    assert len(stamper.chain) == 2
    assert all(pem.startswith("-----BEGIN CERTIFICATE-----") for pem in stamper.chain)
    assert all(pem.startswith("-----BEGIN X509 CRL-----") for pem in stamper.crls)
    assert len(stamper.root_sha256) == 64


def test_a_development_authority_says_so(stamper: Timestamper) -> None:
    assert stamper.development


@pytest.mark.parametrize("digest", [b"", b"x" * 31, b"x" * 33, b"a whole checkpoint, not its digest" * 9])
def test_it_stamps_only_a_digest(stamper: Timestamper, digest: bytes) -> None:
    with pytest.raises(BadInput, match="exactly 32 bytes"):
        stamper.stamp(digest)


def test_the_stamp_of_another_authority_does_not_hold(stamper: Timestamper, tmp_path: Path) -> None:
    assert not stamper.holds(DIGEST, LocalAuthority(tmp_path).stamp(DIGEST))


# ---- the local authority


def test_it_keeps_its_key_from_others_and_uses_it_again(tmp_path: Path) -> None:
    one = LocalAuthority(tmp_path / "tsa")
    two = LocalAuthority(tmp_path / "tsa")
    assert one.root_sha256 == two.root_sha256
    assert two.holds(DIGEST, one.stamp(DIGEST))
    assert (tmp_path / "tsa/key.pem").stat().st_mode & 0o777 == 0o600
    assert "DEVELOPMENT" in two._identity.chain[0].subject.rfc4514_string()


def test_it_refuses_a_key_that_others_can_read(tmp_path: Path) -> None:
    LocalAuthority(tmp_path)
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(NotAllowed, match="chmod 600"):
        LocalAuthority(tmp_path)


@pytest.mark.parametrize("asked", [b"", b"\x30\x00", b"hello", b"\x30\x82\xff\xff"])
def test_a_request_it_cannot_read_is_rejected_in_the_protocols_own_words(
    authority: LocalAuthority, asked: bytes
) -> None:
    with pytest.raises(Corrupt):
        check_reply(authority.answer(asked), DIGEST, chain=[], roots=[])


# ---- the client


def test_it_asks_as_the_protocol_says(client: Rfc3161, server: Server) -> None:
    client.stamp(DIGEST)
    _, kind, body = server.asked[-1]
    assert kind == "application/timestamp-query"
    assert DIGEST in body


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("another nonce", "Nonce"),
        ("an old reply", "other bytes"),
        ("a refusal", "cannot be read|granted|GRANTED"),
        ("a web page", "not a timestamp reply"),
        ("an endless answer", "not a timestamp reply"),
        ("trailing bytes", "not a timestamp reply"),
        ("an error", "could not be reached"),
    ],
)
def test_it_hands_out_no_reply_that_it_has_not_checked(
    client: Rfc3161, server: Server, authority: LocalAuthority, story: str, words: str
) -> None:
    honest = server.answer
    answers: dict[str, Answer] = {
        "another nonce": lambda body: (200, REPLY, authority.answer(request(DIGEST)[1])),
        "an old reply": lambda body: (200, REPLY, authority.stamp(hashlib.sha256(b"old").digest())),
        "a refusal": lambda body: (200, REPLY, authority.answer(b"nonsense")),
        "a web page": lambda body: (200, "text/html", b"<h1>Welcome</h1>"),
        "an endless answer": lambda body: (200, REPLY, b"\x30" * (1 << 20)),
        "trailing bytes": lambda body: (200, REPLY, authority.answer(body) + b"\0"),
        "an error": lambda body: (500, "text/plain", b"sorry"),
    }
    server.answer = answers[story]
    try:
        with pytest.raises(Refusal, match=words):
            client.stamp(DIGEST)
    finally:
        server.answer = honest


def test_a_server_that_is_not_there_is_a_refusal(authority: LocalAuthority, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(authority.chain[-1])
    with pytest.raises(NotAllowed, match="could not be reached"):
        Rfc3161("http://127.0.0.1:9", str(tmp_path / "root.pem"), timeout=1).stamp(DIGEST)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", ""])
def test_it_speaks_only_http(url: str, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="https://"):
        Rfc3161(url, str(tmp_path / "root.pem"))


def test_it_refuses_to_start_without_a_pinned_root(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="cannot be read"):
        Rfc3161("http://127.0.0.1:9", str(tmp_path / "root.pem"))


# ---- the socket


def test_the_settings_name_the_adapter(settings: Any, tmp_path: Path) -> None:
    settings.PLUGS = {
        "timestamper": {
            "BACKEND": "counterfoil.adapters.timestamper_local.LocalAuthority",
            "OPTIONS": {"folder": str(tmp_path)},
        }
    }
    assert timestamper().holds(DIGEST, timestamper().stamp(DIGEST))
    settings.PLUGS = {"timestamper": {"BACKEND": "counterfoil.adapters.nothing.Nothing", "OPTIONS": {}}}
    with pytest.raises(NotAllowed, match="cannot be loaded"):
        timestamper()
    settings.PLUGS = {}
    with pytest.raises(NotAllowed, match="No timestamper"):
        timestamper()
