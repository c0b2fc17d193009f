"""One contract for every store of the vault: the folder, and a bucket that speaks S3."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.plugs.stores import a_bucket, a_server

from counterfoil.adapters import store_s3
from counterfoil.adapters.store_files import Files
from counterfoil.adapters.store_s3 import S3
from counterfoil.engines.disk import DiskFault
from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.vault import Quarantine, Stored
from counterfoil.plugs.stores import ErasingStore, erasing, vault

CLIP = b"a clip from the doorbell" * 1000
NAME = hashlib.sha256(CLIP).hexdigest()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with a_server() as address:
        yield address


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ErasingStore:
    if request.param == "folder":
        return Files(str(tmp_path))
    return a_bucket(request.getfixturevalue("endpoint"), tmp_path)


@pytest.fixture
def damage(store: Any) -> Callable[[str, bytes], None]:
    """Put other bytes under a name, as a failing disk or its operator would."""

    def put(name: str, data: bytes) -> None:
        if isinstance(store, S3):
            store.client.put_object(Bucket=store.bucket, Key=store._key(name), Body=data)
        else:
            store.path(name).write_bytes(data)

    return put


@pytest.mark.parametrize("size", [0, 1, 3 << 20])
def test_it_gives_back_exactly_what_came_in(store: ErasingStore, size: int) -> None:
    data = bytes(size)
    stored = store.add(io.BytesIO(data))
    assert stored == (hashlib.sha256(data).hexdigest(), size)
    for verify in (True, False):
        with store.open(stored.sha256, verify=verify) as file:
            assert file.read() == data
    assert store.has(stored.sha256)
    assert store.size(stored.sha256) == size
    assert list(store.all()) == [stored.sha256]
    assert store.fsck([stored]) == []


def test_an_opened_object_can_be_read_from_anywhere(store: ErasingStore) -> None:
    store.add(io.BytesIO(CLIP))
    for verify in (True, False):
        with store.open(NAME, verify=verify) as file:
            assert file.seek(0, io.SEEK_END) == len(CLIP)
            file.seek(-10, io.SEEK_END)
            assert file.read(100) == CLIP[-10:]
            file.seek(5)
            assert (file.read(7), file.tell()) == (CLIP[5:12], 12)


def test_the_same_bytes_again_are_kept_once(store: ErasingStore) -> None:
    assert store.add(io.BytesIO(CLIP)) == store.add(io.BytesIO(CLIP)) == (NAME, len(CLIP))
    assert list(store.all()) == [NAME]


def test_bytes_that_are_not_those_announced_or_too_many_are_refused(store: ErasingStore) -> None:
    with pytest.raises(BadInput, match="not the ones that were sent"):
        store.add(io.BytesIO(b"other"), expected_sha256=NAME)
    with pytest.raises(BadInput, match="larger than 100 bytes"):
        store.add(io.BytesIO(CLIP), limit=100)
    assert list(store.all()) == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", NAME.upper(), NAME[:-1], NAME + "0"])
def test_only_64_lower_case_hex_digits_name_an_object(store: ErasingStore, name: str) -> None:
    for ask in (store.has, store.size, store.open):
        with pytest.raises(BadInput):
            ask(name)


def test_what_is_missing_is_said_to_be_missing(store: ErasingStore) -> None:
    assert not store.has(NAME)
    for ask in (store.size, store.open, store.remove):
        with pytest.raises(Corrupt, match="missing"):
            ask(NAME)
    assert [NAME in fault and "missing" in fault for fault in store.fsck([(NAME, 1)])] == [True]


@pytest.mark.parametrize("other", [b"", CLIP[:-1], CLIP + b"x", b"A" + CLIP[1:]])
def test_a_change_is_noticed_on_read_on_add_and_by_fsck_and_is_never_overwritten(
    store: ErasingStore, damage: Callable[[str, bytes], None], other: bytes
) -> None:
    stored = store.add(io.BytesIO(CLIP))
    damage(NAME, other)
    for ask in (lambda: store.open(NAME), lambda: store.add(io.BytesIO(CLIP))):
        with pytest.raises(Corrupt, match=NAME):
            ask()
    with store.open(NAME, verify=False) as file:
        assert file.read() == other, "a damaged object is evidence too"
    assert store.fsck([stored]) == [f"The object {NAME} in the vault does not have the bytes of its name."]


def test_fsck_names_what_nobody_knows_and_what_has_another_size(store: ErasingStore) -> None:
    store.add(io.BytesIO(CLIP))
    assert store.fsck([], unknown_is_fault=False) == []
    assert "nothing on record names" in store.fsck([])[0]
    assert "1 are on record" in store.fsck([Stored(NAME, 1)])[0]


def test_taking_over_from_quarantine_checks_the_bytes(store: ErasingStore, tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    quarantine.add(io.BytesIO(CLIP))
    assert store.copy_from(quarantine, NAME) == (NAME, len(CLIP))
    store.remove(NAME)
    quarantine.path(NAME).write_bytes(b"changed meanwhile")
    with pytest.raises(Corrupt, match="other vault"):
        store.copy_from(quarantine, NAME)
    assert not store.has(NAME)


def test_what_an_order_destroys_is_gone(store: ErasingStore) -> None:
    store.add(io.BytesIO(CLIP))
    store.remove(NAME)
    assert not store.has(NAME)
    assert list(store.all()) == []


def test_large_objects_go_up_in_parts_and_unfinished_ones_are_swept(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_s3, "PART", 5 << 20)  # the least that S3 takes
    store, data = a_bucket(endpoint, tmp_path), bytes(range(256)) * 48_000
    stored = store.add(io.BytesIO(data))
    assert stored == (hashlib.sha256(data).hexdigest(), len(data))
    assert store.fsck([stored]) == []
    store.client.create_multipart_upload(Bucket=store.bucket, Key=store._key(NAME))
    assert store.sweep(older_than=lambda at: False) == 0
    assert store.sweep(older_than=lambda at: True) == 1
    assert store.sweep(older_than=lambda at: True) == 0


def test_a_server_that_is_not_there_is_told_in_a_sentence(tmp_path: Path, endpoint: str) -> None:
    away, nowhere = a_bucket(endpoint, tmp_path), "http://127.0.0.1:9"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        away.client = S3("s3://gone/", str(tmp_path), nowhere, "eu-west-2", wait=1).client
    for ask in (away.has, away.size, away.open):
        with pytest.raises(DiskFault, match="did not answer"):
            ask(NAME)
    with pytest.raises(DiskFault, match="nothing was saved"):
        away.add(io.BytesIO(CLIP))


def test_the_settings_name_the_store_and_the_folder_of_the_home_is_the_default(home: Path) -> None:
    stored = vault().add(io.BytesIO(CLIP))
    assert (home / "vault" / "blobs").is_dir()
    erasing().remove(stored.sha256)
    assert not vault().has(NAME)
