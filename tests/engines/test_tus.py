"""Uploads in pieces, without HTTP: what a request means, and what a stopped process or a failing disk leaves behind."""

import base64
import hashlib
import io
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines import disk
from counterfoil.engines.disk import DiskFault
from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tus import (
    Checksum,
    Partials,
    Stop,
    check_version,
    method,
    number,
    parse_creation,
    parse_metadata,
    parse_patch,
)
from counterfoil.engines.tus import store as stored
from counterfoil.engines.vault import Quarantine

NAME, OTHER = "a" * 32, "b" * 32
OCTETS = {"content-type": "application/offset+octet-stream"}


@pytest.fixture
def store(tmp_path: Path) -> Partials:
    return Partials(tmp_path / "incoming", clock=time.time)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# What a request means


@pytest.mark.parametrize(
    "value", ["", " ", "-1", "+5", "1e3", "0x10", "1_000", "٣", "9" * 20, str(1 << 63), "12 3", "1.0", "NaN"]
)
def test_a_number_that_is_none_is_refused_with_its_headers_name(value: str) -> None:
    with pytest.raises(Stop, match="Upload-Offset") as refused:
        number({"upload-offset": value}, "Upload-Offset")
    assert refused.value.status == 400


def test_numbers_up_to_the_largest_file_are_taken() -> None:
    assert [number({"n": t}, "N") for t in ("0", "007", str((1 << 63) - 1), " 5 ")] == [
        0,
        7,
        (1 << 63) - 1,
        5,
    ]


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "upload-length",
                "upload-offset",
                "upload-metadata",
                "upload-concat",
                "upload-defer-length",
                "upload-checksum",
                "content-type",
                "tus-resumable",
                "x-http-method-override",
            ]
        ),
        st.text(max_size=60),
    )
)
def test_any_headers_are_understood_or_refused_and_nothing_else(headers: dict[str, str]) -> None:
    for parse in (parse_creation, parse_patch, check_version, lambda h: method("POST", h)):
        stop = refusal(lambda parse=parse: parse(headers))  # type: ignore[misc]
        assert stop is None or (400 <= stop.status < 500 and str(stop).endswith("."))


def refusal(act: Callable[[], object]) -> Stop | None:
    """Return the refusal that an act meets, or None."""
    try:
        act()
    except Stop as stop:
        return stop
    return None


def test_metadata_is_pairs_of_key_and_base64() -> None:
    assert parse_metadata("filename Y2xpcC5tcDQ=, empty ,flag") == {
        "filename": b"clip.mp4",
        "empty": b"",
        "flag": b"",
    }
    for wrong in ("a b!", "a YQ==,a YQ==", ", x YQ==", "é YQ==", "a YQ== b", "x " + "A" * 9000):
        with pytest.raises(Stop, match="Upload-Metadata"):
            parse_metadata(wrong)


def test_a_creation_says_its_length_now_or_says_that_it_comes_later() -> None:
    assert parse_creation({"upload-length": "5"}).length == 5
    assert parse_creation({"upload-defer-length": "1"}).length is None
    for wrong in ({}, {"upload-defer-length": "2"}, {"upload-defer-length": "1", "upload-length": "5"}):
        with pytest.raises(Stop):
            parse_creation(wrong)


def test_a_final_upload_names_its_parts_and_has_no_length_of_its_own() -> None:
    asked = parse_creation({"upload-concat": "final;/files/a https://x/files/b"})
    assert (asked.concat, asked.parts) == ("final", ("/files/a", "https://x/files/b"))
    for wrong in ("final", "final;", "partial;x", "both", ""):
        with pytest.raises(Stop, match="Upload-Concat"):
            parse_creation({"upload-concat": wrong, "upload-length": "1"})
    with pytest.raises(Stop):
        parse_creation({"upload-concat": "final;/a", "upload-length": "1"})


def test_only_sha256_is_taken_as_checksum() -> None:
    good = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    assert parse_patch(
        {**OCTETS, "upload-offset": "0", "upload-checksum": f"sha256 {good}"}
    ).checksum == Checksum(sha256(b"x"))
    for wrong in ("sha1 " + good, "sha256", "sha256 !!", "sha256 YQ==", "", good):
        with pytest.raises(Stop, match="Upload-Checksum"):
            parse_patch({**OCTETS, "upload-offset": "0", "upload-checksum": wrong})


def test_a_post_may_stand_for_another_method_and_a_get_may_not() -> None:
    assert method("POST", {"x-http-method-override": "patch"}) == "PATCH"
    assert method("GET", {"x-http-method-override": "DELETE"}) == "GET"
    with pytest.raises(Stop, match="X-HTTP-Method-Override"):
        method("POST", {"x-http-method-override": "TRACE"})


# Where the bytes wait


def test_pieces_become_the_file_that_was_sent(store: Partials, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    store.create(NAME, length=len(data))
    for at in range(0, len(data), 700_000):
        state = store.append(NAME, at, io.BytesIO(data[at : at + 700_000]), sent=min(700_000, len(data) - at))
    assert state.complete
    quarantine = Quarantine(tmp_path / "q")
    with store.finishing(NAME) as whole:
        assert whole.into(quarantine) == (sha256(data), len(data))
        assert whole.into(quarantine) == (sha256(data), len(data))
        assert whole.head == data[: len(whole.head)]
    assert store.drop(NAME)
    assert store.names() == []
    with quarantine.open(sha256(data)) as file:
        assert file.read() == data
    assert quarantine.fsck([(sha256(data), len(data))]) == []


def test_a_wrong_offset_is_409_and_changes_nothing(store: Partials) -> None:
    store.create(NAME, length=10)
    store.append(NAME, 0, io.BytesIO(b"01234"))
    for wrong in (0, 4, 6, 10, 1 << 62):
        with pytest.raises(Stop) as refused:
            store.append(NAME, wrong, io.BytesIO(b"xxxxx"))
        assert refused.value.status == 409
    assert store.append(NAME, 5, io.BytesIO(b"56789")).complete
    with store.finishing(NAME) as whole:
        assert whole.stored.sha256 == sha256(b"0123456789")


def test_bytes_that_changed_on_the_way_are_460_and_are_forgotten(store: Partials) -> None:
    store.create(NAME, length=10)
    store.append(NAME, 0, io.BytesIO(b"01234"))
    with pytest.raises(Stop) as refused:
        store.append(NAME, 5, io.BytesIO(b"5678x"), checksum=Checksum(sha256(b"56789")))
    assert refused.value.status == 460
    state = store.state(NAME)
    assert state is not None
    assert state.offset == 5
    assert (store.root / NAME / "data").read_bytes() == b"01234"
    assert store.append(NAME, 5, io.BytesIO(b"56789"), checksum=Checksum(sha256(b"56789"))).complete


def test_a_body_with_a_checksum_that_ends_early_is_forgotten_and_one_without_is_kept(store: Partials) -> None:
    store.create(NAME, length=10)
    with pytest.raises(Stop, match="changed on the way"):
        store.append(NAME, 0, io.BytesIO(b"012"), sent=5, checksum=Checksum(sha256(b"01234")))
    assert store.append(NAME, 0, io.BytesIO(b"012"), sent=5).offset == 3


class Breaks:
    """A line that breaks after some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int, /) -> bytes:
        if not self.data:
            raise ConnectionError("the line broke")
        got, self.data = self.data[:size], self.data[size:]
        return got


def test_what_came_before_a_line_broke_is_kept(store: Partials) -> None:
    store.create(NAME, length=10)
    with pytest.raises(ConnectionError):
        store.append(NAME, 0, Breaks(b"0123"))
    state = store.state(NAME)
    assert state is not None
    assert state.offset == 4


def test_more_than_was_declared_is_413_and_forgotten(store: Partials) -> None:
    store.create(NAME, length=4)
    for sent in (5, None):
        with pytest.raises(Stop) as refused:
            store.append(NAME, 0, io.BytesIO(b"01234"), sent=sent)
        assert refused.value.status == 413
    assert (store.root / NAME / "data").read_bytes() == b""
    store.create(OTHER, length=None)
    with pytest.raises(Stop, match="More bytes"):
        store.append(OTHER, 0, io.BytesIO(b"01234"), at_most=4)


def test_a_length_that_comes_later_is_told_once(store: Partials) -> None:
    store.create(NAME, length=None)
    assert store.append(NAME, 0, io.BytesIO(b"0123")).length is None
    with pytest.raises(Stop, match="less than"):
        store.append(NAME, 4, io.BytesIO(b""), length=3)
    assert store.append(NAME, 4, io.BytesIO(b"4"), length=6).length == 6
    with pytest.raises(Stop, match="cannot change"):
        store.append(NAME, 5, io.BytesIO(b"5"), length=7)
    assert store.append(NAME, 5, io.BytesIO(b"5"), length=6).complete


def test_bytes_that_were_never_acknowledged_are_cut_off(store: Partials, tmp_path: Path) -> None:
    store.create(NAME, length=10)
    store.append(NAME, 0, io.BytesIO(b"01234"))
    with (store.root / NAME / "data").open("ab") as file:
        file.write(b"what a killed process wrote and nobody was told of")
    with (store.root / NAME / "journal").open("ab") as file:
        file.write(b"S half a record")
    state = store.state(NAME)
    assert state is not None
    assert state.offset == 5
    assert store.append(NAME, 5, io.BytesIO(b"56789")).complete
    with store.finishing(NAME) as whole:
        assert whole.stored == (sha256(b"0123456789"), 10)
        kept = whole.into(Quarantine(tmp_path / "q"))
    assert Quarantine(tmp_path / "q").fsck([kept]) == []


@pytest.mark.parametrize("segments", [1, 3])
def test_a_disk_that_changed_an_acknowledged_byte_is_found_out(store: Partials, segments: int) -> None:
    data = os.urandom(300_000)
    store.create(NAME, length=len(data))
    for n in range(segments):
        step = len(data) // segments
        store.append(NAME, n * step, io.BytesIO(data[n * step : (n + 1) * step]))
    path = store.root / NAME / "data"
    changed = bytearray(path.read_bytes())
    changed[150_000] ^= 1
    path.write_bytes(changed)
    assert len(store.fsck()) == 1
    with pytest.raises(Corrupt, match="are not those that came in"), store.finishing(NAME):
        pass
    path.write_bytes(changed[:100])
    with pytest.raises(Corrupt, match="shorter"), store.finishing(NAME):
        pass


def test_a_body_of_many_seconds_is_recorded_on_the_way(tmp_path: Path) -> None:
    now = [0.0]
    store = Partials(tmp_path, clock=lambda: now[0])
    store.create(NAME, length=200)
    offsets = []

    class Slow:
        sent = 0

        def read(self, size: int, /) -> bytes:
            now[0] += 1.0
            found = store.state(NAME)
            assert found is not None
            offsets.append(found.offset)
            self.sent += 1
            return b"x" if self.sent <= 35 else b""

    assert store.append(NAME, 0, Slow()).offset == 35
    assert sorted(set(offsets)) == [0, 10, 20, 30]


def test_two_writers_never_interleave_and_the_second_is_told_to_wait(store: Partials) -> None:
    store.create(NAME, length=20)
    begun, go_on = threading.Event(), threading.Event()

    class Waits:
        data = [b"0123456789", b"abcdefghij"]

        def read(self, size: int, /) -> bytes:
            if len(self.data) == 1:
                begun.set()
                assert go_on.wait(20)
            return self.data.pop(0) if self.data else b""

    first = threading.Thread(target=lambda: store.append(NAME, 0, Waits()))
    first.start()
    assert begun.wait(20)
    with pytest.raises(Stop) as refused:
        store.append(NAME, 0, io.BytesIO(b"X" * 20))
    assert refused.value.status == 423
    go_on.set()
    first.join()
    with store.finishing(NAME) as whole:
        assert whole.stored.sha256 == sha256(b"0123456789abcdefghij")


def test_a_writer_that_fell_silent_is_taken_over_from_and_writes_nothing_more(store: Partials) -> None:
    store.create(NAME, length=20)
    begun, go_on, ended = threading.Event(), threading.Event(), []

    class Waits:
        data = [b"0123456789", b"abcdefghij"]

        def read(self, size: int, /) -> bytes:
            if len(self.data) == 1:
                begun.set()
                assert go_on.wait(20)
            return self.data.pop(0) if self.data else b""

    def write() -> None:
        try:
            store.append(NAME, 0, Waits())
        except Stop as stop:
            ended.append(stop.reason)

    first = threading.Thread(target=write)
    first.start()
    assert begun.wait(20)
    later = Partials(store.root, clock=lambda: time.time() + stored.SILENCE + 1)
    assert later.append(NAME, 0, io.BytesIO(b"ABCDEFGHIJ")).offset == 10
    go_on.set()
    first.join()
    assert ended == ["busy"]
    assert store.append(NAME, 10, io.BytesIO(b"KLMNOPQRST")).complete
    with store.finishing(NAME) as whole:
        assert whole.stored.sha256 == sha256(b"ABCDEFGHIJKLMNOPQRST")


def test_what_was_given_to_quarantine_is_beyond_a_writer_that_wakes_up(
    store: Partials, tmp_path: Path
) -> None:
    store.create(NAME, length=4)
    begun, go_on, ended = threading.Event(), threading.Event(), []

    class Waits:
        data = [b"0123"]

        def read(self, size: int, /) -> bytes:
            begun.set()
            assert go_on.wait(20)
            return self.data.pop(0) if self.data else b""

    def write() -> None:
        try:
            store.append(NAME, 0, Waits())
        except Stop as stop:
            ended.append(stop.reason)

    first = threading.Thread(target=write)
    first.start()
    assert begun.wait(20)
    later = Partials(store.root, clock=lambda: time.time() + stored.SILENCE + 1)
    later.append(NAME, 0, io.BytesIO(b"abcd"))
    with later.finishing(NAME) as whole:
        kept = whole.into(Quarantine(tmp_path / "q"))
    later.drop(NAME)
    go_on.set()
    first.join()
    assert ended == ["absent"]
    assert Quarantine(tmp_path / "q").fsck([kept]) == []


def test_parts_are_joined_in_the_order_asked_for_and_stay(store: Partials) -> None:
    parts = [c * 32 for c in "cde"]
    for n, part in enumerate(parts):
        store.create(part, length=5)
        store.append(part, 0, io.BytesIO(bytes([65 + n]) * 2))
        store.append(part, 2, io.BytesIO(bytes([65 + n]) * 3))
    assert store.join(NAME, [parts[2], parts[0], parts[2]]).complete
    with store.finishing(NAME) as whole:
        assert whole.stored.sha256 == sha256(b"CCCCCAAAAACCCCC")
    assert set(store.names()) == {NAME, *parts}
    store.create(OTHER, length=5)
    with pytest.raises(Stop, match="cannot be joined"):
        store.join("f" * 32, [OTHER])
    with pytest.raises(Stop):
        store.join("f" * 32, ["9" * 32])


def test_names_from_outside_are_never_paths(store: Partials) -> None:
    for name in ("..", "../" + NAME, NAME.upper(), "", NAME + "\n", "a/b"):
        with pytest.raises(Stop, match="no such upload"):
            store.state(name)


def test_a_disk_that_fails_to_sync_is_not_asked_again_and_nothing_is_acknowledged(
    store: Partials, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(NAME, length=4)
    asked: list[int] = []

    def fails(handle: int) -> None:
        asked.append(handle)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(disk.os, "fsync", fails)
        with pytest.raises(DiskFault):
            store.append(NAME, 0, io.BytesIO(b"abcd"))
    assert len(asked) == 1
    with pytest.raises(DiskFault):
        store.append(NAME, 0, io.BytesIO(b"abcd"))
    state = store.state(NAME)
    assert state is not None
    assert state.offset == 0


def test_a_record_whose_own_sync_fails_keeps_the_bytes_it_tells_of(
    store: Partials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record may stand although its sync failed; were its bytes cut off, the upload could never go on."""
    store.create(NAME, length=8)
    store.append(NAME, 0, io.BytesIO(b"half"))
    asked: list[int] = []
    sync = os.fsync

    def fails(handle: int) -> None:
        asked.append(handle)
        if len(asked) == 2:  # the first is of the bytes, the second of the record
            raise OSError(5, "Input/output error")
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(disk.os, "fsync", fails)
        with pytest.raises(DiskFault):
            store.append(NAME, 4, io.BytesIO(b" pas"))
    assert len(asked) == 2
    monkeypatch.setattr(disk, "_failed", set())  # started again
    again = Partials(store.root, clock=time.time)
    state = again.state(NAME)
    assert state is not None
    offset = state.offset
    assert again.append(NAME, offset, io.BytesIO(b"half pas"[offset:])).offset == 8
    assert (store.root / NAME / "data").read_bytes() == b"half pas"


def test_nothing_is_told_before_the_disk_has_it(store: Partials, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of a piece's system calls: bytes, sync of the bytes, record, sync of the record."""
    store.create(NAME, length=4)
    calls: list[str] = []
    write, sync = os.pwrite, os.fsync

    def said(name: str, real: Callable[..., int | None]) -> Callable[..., int | None]:
        def call(handle: int, *rest: object) -> int | None:
            calls.append(f"{name} {Path(os.readlink(f'/proc/self/fd/{handle}')).name}")
            return real(handle, *rest)

        return call

    monkeypatch.setattr(os, "pwrite", said("write", write))
    monkeypatch.setattr(os, "fsync", said("sync", sync))
    store.append(NAME, 0, io.BytesIO(b"abcd"))
    assert calls == ["write data", "sync data", "write journal", "sync journal"]
