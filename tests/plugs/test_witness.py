"""One contract for every witness: the local development one, and the HTTP client in front of a server."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.plugs.test_timestamper import Server

from counterfoil.adapters.witness_http import HttpWitness
from counterfoil.adapters.witness_local import LocalWitness
from counterfoil.engines import disk
from counterfoil.engines.errors import Corrupt, NotAllowed, Refusal
from counterfoil.engines.tlog import (
    CosignVerifier,
    Frontier,
    Signer,
    checkpoint_text,
    leaf_hash,
    open_note,
    prove_consistency,
    sign_note,
)
from counterfoil.plugs.keys import keys
from counterfoil.plugs.witness import Witness, witnesses

LOG = Signer.generate("counterfoil.example/DEVELOPMENT-log")
LEAVES = [leaf_hash(bytes([n])) for n in range(200)]
FORK = [leaf_hash(bytes([255 - n])) for n in range(200)]


def note(size: int, leaves: list[bytes] = LEAVES, signer: Signer = LOG) -> str:
    """Return a signed checkpoint of the first `size` entries."""
    return sign_note(
        checkpoint_text(signer.name, size, Frontier.empty().append_all(leaves[:size]).root()), [signer]
    )


def grown(old: int, new: int) -> list[bytes]:
    """Return an honest consistency proof."""
    return list(prove_consistency(LEAVES, old, new))


@pytest.fixture
def behind(tmp_path: Path) -> LocalWitness:
    """The witness itself."""
    return LocalWitness(tmp_path / "witness", [LOG.vkey])


@pytest.fixture
def server(behind: LocalWitness) -> Iterator[Server]:
    """A server that fronts it."""
    found = Server(behind.add_checkpoint)
    yield found
    found.close()


@pytest.fixture(params=["local", "http"])
def adapter(request: pytest.FixtureRequest, behind: LocalWitness, server: Server) -> Witness:
    """Each adapter in turn."""
    return behind if request.param == "local" else HttpWitness(server.url, behind.vkey)


# ---- the contract


def test_it_cosigns_a_log_that_grows(adapter: Witness) -> None:
    for size in (1, 2, 3, 64, 65, 65, 200):
        cosigned = adapter.cosign(note(size), grown)
        key = CosignVerifier.from_vkey(adapter.vkey)
        assert key.name in open_note(cosigned, [key]).verified
        assert cosigned.startswith(note(size))


def test_it_refuses_a_fork_and_remembers_the_true_log(adapter: Witness, behind: LocalWitness) -> None:
    adapter.cosign(note(50), grown)
    with pytest.raises(NotAllowed, match="did not only grow"):
        adapter.cosign(note(60, FORK), lambda old, new: list(prove_consistency(FORK, old, new)))
    with pytest.raises(NotAllowed, match="did not only grow"):
        adapter.cosign(note(50, FORK), grown)
    assert (behind.latest(LOG.name) or "").startswith(note(50))
    adapter.cosign(note(60), grown)


def test_it_refuses_to_go_back(adapter: Witness) -> None:
    adapter.cosign(note(50), grown)
    with pytest.raises(Refusal, match=r"old backup|could not read"):
        adapter.cosign(note(40), grown)


def test_it_refuses_an_unknown_log_and_a_forged_signature(adapter: Witness) -> None:
    stranger = Signer.generate("elsewhere.example/log")
    with pytest.raises(NotAllowed, match="does not know this log"):
        adapter.cosign(note(5, signer=stranger), grown)
    with pytest.raises(NotAllowed, match="does not accept the log's signature"):
        adapter.cosign(note(5, signer=Signer.generate(LOG.name)), grown)


def test_a_development_witness_says_so(adapter: Witness) -> None:
    assert adapter.development
    assert "DEVELOPMENT" in adapter.vkey


# ---- the local witness


def test_it_has_written_before_it_answers(behind: LocalWitness, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, data: bytes) -> None:
        raise OSError("no space left")

    behind.cosign(note(5), grown)
    monkeypatch.setattr(disk, "replace", broken)
    with pytest.raises(OSError, match="no space"):
        behind.cosign(note(6), grown)
    assert (behind.latest(LOG.name) or "").startswith(note(5))


def test_it_remembers_after_a_restart(behind: LocalWitness) -> None:
    behind.cosign(note(50), grown)
    again = LocalWitness(behind.book.folder, [LOG.vkey])
    assert again.vkey == behind.vkey
    with pytest.raises(Corrupt, match="old backup"):
        again.cosign(note(40), grown)
    assert (behind.book.folder / "witness.key").stat().st_mode & 0o777 == 0o600


def test_racing_requests_never_roll_it_back(behind: LocalWitness) -> None:
    sizes = list(range(1, 60))

    def push(size: int) -> None:
        for _ in range(40):
            status, _, answer = behind.add_checkpoint(body_of(behind, size))
            if status in (200, 400, 422):
                return
            assert status == 409, answer

    threads = [threading.Thread(target=push, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    seen = 0
    while any(thread.is_alive() for thread in threads):
        size = behind.book.size(LOG.name)
        assert size >= seen
        seen = size
        for thread in threads:
            thread.join(0.001)


def body_of(behind: LocalWitness, size: int) -> bytes:
    """Return a request from whatever the witness has now."""
    from base64 import b64encode

    old = behind.book.size(LOG.name)
    proof = grown(old, size) if 0 < old < size else []
    return (
        "\n".join([f"old {old}", *(b64encode(h).decode() for h in proof)]).encode()
        + b"\n\n"
        + note(size).encode()
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"old 0\n\nnot a note", 400),
        (b"old -1\n\n" + note(5).encode(), 400),
        (b"old 01\n\n" + note(5).encode(), 400),
        (b"old 6\n\n" + note(5).encode(), 400),
        (b"old 0\nAAAA\n\n" + note(5).encode(), 400),
        (b"old 3\n\n" + note(5).encode(), 409),
        (b"old 0\n" + b"A" * 43 + b"=\n\n" + note(5).encode(), 422),
        (b"old 0\n\n" + note(5).encode(), 200),
    ],
)
def test_it_answers_each_request_as_the_protocol_says(behind: LocalWitness, body: bytes, status: int) -> None:
    found, kind, answer = behind.add_checkpoint(body)
    assert found == status
    if status == 409:
        assert (kind, answer) == ("text/x.tlog.size", b"0\n")


# ---- the client


def test_a_slippery_witness_is_left_after_a_few_tries(server: Server, behind: LocalWitness) -> None:
    sizes = itertools.count(1)
    server.answer = lambda body: (409, "text/x.tlog.size", f"{next(sizes)}\n".encode())
    with pytest.raises(NotAllowed, match="changing its mind"):
        HttpWitness(server.url, behind.vkey).cosign(note(100), grown)
    assert next(sizes) <= 5


@pytest.mark.parametrize("answer", [b"", b"hello", b"\xff", b"x" * 100_000, "— wrong/name AAAA\n".encode()])
def test_an_answer_that_is_no_cosignature_is_refused(
    server: Server, behind: LocalWitness, answer: bytes
) -> None:
    server.answer = lambda body: (200, "text/plain", answer)
    with pytest.raises(Refusal):
        HttpWitness(server.url, behind.vkey).cosign(note(5), grown)


def test_a_cosignature_of_another_checkpoint_is_refused(
    server: Server, behind: LocalWitness, tmp_path: Path
) -> None:
    other = behind.add_checkpoint(b"old 0\n\n" + note(4).encode())[2]
    server.answer = lambda body: (200, "text/plain", other)
    with pytest.raises(Corrupt):
        HttpWitness(server.url, behind.vkey).cosign(note(5), grown)


@pytest.mark.parametrize("size", [b"x\n", b"-1\n", b"01\n", b"", b"9" * 40])
def test_a_size_that_is_no_number_is_refused(server: Server, behind: LocalWitness, size: bytes) -> None:
    server.answer = lambda body: (409, "text/x.tlog.size", size)
    with pytest.raises(Refusal):
        HttpWitness(server.url, behind.vkey).cosign(note(5), grown)


def test_a_witness_that_is_not_there_is_a_refusal(behind: LocalWitness) -> None:
    with pytest.raises(NotAllowed, match="could not be reached"):
        HttpWitness("http://127.0.0.1:9", behind.vkey, timeout=1).cosign(note(5), grown)


# ---- the socket


def test_the_settings_name_several_with_their_operators_and_a_local_one_learns_the_log(
    home: Path, settings: Any
) -> None:
    found = witnesses()
    assert [(n.name, n.operator) for n in found] == [
        ("north", "northmoor-demonstration"),
        ("south", "southmere-demonstration"),
    ]
    signer = keys().log
    text = sign_note(checkpoint_text(signer.name, 1, LEAVES[0]), [signer])
    for n in found:
        assert n.witness.cosign(text, grown).count("—") == 2
    assert len({n.witness.vkey for n in found}) == 2
    settings.PLUGS = {}
    assert witnesses() == []
