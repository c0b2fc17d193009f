"""The vault says yes only when the bytes are safe, never overwrites, and notices every change afterwards."""

import contextlib
import errno
import hashlib
import io
import multiprocessing
import os
import random
import signal
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.engines.vault import BLOCK, Quarantine, Stored, Vault

FEW = min(settings().max_examples // 2, 200)  # each example syncs files
CLIP = b"a clip from the doorbell" * 1000
NAME = hashlib.sha256(CLIP).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "home" / "vault")


def staging(vault: Vault) -> list[Path]:
    folder = vault.root / "staging"
    return list(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
def test_it_gives_back_exactly_what_came_in(vault: Vault, size: int) -> None:
    data = random.Random(size).randbytes(size)
    stored = vault.add(io.BytesIO(data))
    assert stored == (hashlib.sha256(data).hexdigest(), size)
    with vault.open(stored.sha256) as file:
        assert file.read() == data
    assert vault.has(stored.sha256)
    assert vault.size(stored.sha256) == size
    assert vault.path(stored.sha256) == (
        vault.root / "blobs/sha256" / stored.sha256[:2] / stored.sha256[2:4] / stored.sha256
    )
    assert staging(vault) == []
    assert vault.fsck([stored]) == []


class Dripping(io.RawIOBase):
    """A stream that hands out a few bytes at a time, as networks do."""

    def __init__(self, data: bytes, seed: int) -> None:
        self.rest, self.pick = io.BytesIO(data), random.Random(seed)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.rest.read(self.pick.randint(1, min(len(buffer), 300_000)))
        buffer[: len(data)] = data
        return len(data)


class ReadOnly:
    """A stream that can only `read`."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


@settings(max_examples=FEW)
@given(st.integers(0, 3 * BLOCK), st.integers())
def test_a_dripping_stream_is_hashed_and_kept_whole(
    tmp_path_factory: pytest.TempPathFactory, size: int, seed: int
) -> None:
    vault, data = Vault(tmp_path_factory.mktemp("v")), random.Random(seed).randbytes(size)
    for stream in (Dripping(data, seed), ReadOnly(data)):
        stored = vault.add(stream)  # type: ignore[arg-type]
        assert stored.sha256 == hashlib.sha256(data).hexdigest()
        with vault.open(stored.sha256) as file:
            assert file.read() == data


def test_a_stream_that_has_nothing_yet_is_not_taken_for_one_that_ended(vault: Vault) -> None:
    class NotYet(io.RawIOBase):
        def readinto(self, buffer: Any) -> None:
            return None

    with pytest.raises(BlockingIOError):
        vault.add(NotYet())  # type: ignore[arg-type]
    assert staging(vault) == []


def test_a_stream_that_breaks_leaves_nothing(vault: Vault) -> None:
    class Broken(Dripping):
        def readinto(self, buffer: Any) -> int:
            if self.rest.tell() > BLOCK:
                raise ConnectionResetError
            return super().readinto(buffer)

    with pytest.raises(ConnectionResetError):
        vault.add(Broken(bytes(3 * BLOCK), 1))  # type: ignore[arg-type]
    assert staging(vault) == []
    assert list(vault.all()) == []


def test_bytes_that_are_not_those_announced_are_refused(vault: Vault) -> None:
    with pytest.raises(BadInput, match="not the ones that were sent"):
        vault.add(io.BytesIO(b"other"), expected_sha256=NAME)
    assert list(vault.all()) == []
    assert staging(vault) == []
    assert vault.add(io.BytesIO(CLIP), expected_sha256=NAME).sha256 == NAME


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(vault: Vault) -> None:
    with pytest.raises(BadInput, match="larger than 100 bytes"):
        vault.add(io.BytesIO(CLIP), limit=100)
    assert staging(vault) == []
    assert vault.add(io.BytesIO(CLIP), limit=len(CLIP)).size == len(CLIP)


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", NAME.upper(), NAME[:-1], NAME + "0", NAME[:-1] + "\n", "٣" * 64]
)
def test_only_64_lower_case_hex_digits_name_an_object(vault: Vault, name: str) -> None:
    for ask in (vault.path, vault.has, vault.size, vault.open):
        with pytest.raises(BadInput):
            ask(name)


def test_the_same_bytes_again_are_kept_once_and_the_file_is_untouched(vault: Vault) -> None:
    vault.add(io.BytesIO(CLIP))
    before = vault.path(NAME).stat()
    assert vault.add(io.BytesIO(CLIP)) == (NAME, len(CLIP))
    after = vault.path(NAME).stat()
    assert (before.st_ino, before.st_mtime_ns, before.st_nlink) == (after.st_ino, after.st_mtime_ns, 1)


@pytest.mark.parametrize("damage", [b"", CLIP[:-1], CLIP + b"x", b"A" + CLIP[1:]])
def test_every_change_on_disk_is_noticed_on_read_on_add_and_by_fsck(vault: Vault, damage: bytes) -> None:
    stored = vault.add(io.BytesIO(CLIP))
    vault.path(NAME).write_bytes(damage)
    with pytest.raises(Corrupt, match=NAME):
        vault.open(NAME)
    with pytest.raises(Corrupt, match=NAME):
        vault.add(io.BytesIO(CLIP))
    assert vault.path(NAME).read_bytes() == damage, "a damaged object is evidence too: it is not overwritten"
    assert vault.fsck([stored]) == [f"The object {NAME} in the vault does not have the bytes of its name."]


@settings(max_examples=FEW)
@given(st.integers(0, len(CLIP) - 1), st.integers(0, 7))
def test_any_single_flipped_bit_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    vault = Vault(tmp_path_factory.mktemp("v"))
    vault.add(io.BytesIO(CLIP))
    data = bytearray(CLIP)
    data[place] ^= 1 << bit
    vault.path(NAME).write_bytes(data)
    with pytest.raises(Corrupt):
        vault.open(NAME)


def test_fsck_lists_what_is_missing_wrong_unknown_left_behind_and_foreign(vault: Vault) -> None:
    good = vault.add(io.BytesIO(CLIP))
    unknown = vault.add(io.BytesIO(b"nobody knows me"))
    bent = vault.add(io.BytesIO(b"bent"))
    vault.path(bent.sha256).write_bytes(b"BENT")
    missing = Stored(hashlib.sha256(b"missing").hexdigest(), 7)
    (vault.root / "staging" / "half").write_bytes(b"half")
    (vault.root / "blobs/sha256/stray").write_bytes(b"")
    (vault.path(good.sha256).parent / ("0" * 64)).symlink_to(vault.path(good.sha256))
    faults = vault.fsck([good, bent, missing, Stored(good.sha256, 1)][:3])
    assert len(faults) == 6
    for told, what in (
        (bent.sha256, "does not have the bytes"),
        (missing.sha256, "is missing"),
        (unknown.sha256, "nothing on record names"),
        ("half", "left behind"),
        ("stray", "not an object"),
        ("0" * 64, "not an object"),
    ):
        assert any(told in fault and what in fault for fault in faults), (told, faults)
    assert not any(good.sha256 in fault for fault in faults)
    assert any("1 are on record" in fault for fault in vault.fsck([Stored(good.sha256, 1)]))
    assert not any("nothing on record" in fault for fault in vault.fsck([good], unknown_is_fault=False))


def test_an_unknown_object_with_wrong_bytes_is_a_fault_either_way(vault: Vault) -> None:
    stored = vault.add(io.BytesIO(b"nobody knows me"))
    vault.path(stored.sha256).write_bytes(b"x")
    assert vault.fsck([], unknown_is_fault=False) == [
        f"The object {stored.sha256} in the vault does not have the bytes of its name."
    ]


def test_taking_over_from_quarantine_checks_the_bytes_and_leaves_the_other_its_own(
    vault: Vault, tmp_path: Path
) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    quarantine.add(io.BytesIO(CLIP))
    assert vault.copy_from(quarantine, NAME) == (NAME, len(CLIP))
    assert quarantine.has(NAME)
    quarantine.path(NAME).write_bytes(b"changed meanwhile")
    other = Vault(tmp_path / "other")
    with pytest.raises(Corrupt, match="other vault"):
        other.copy_from(quarantine, NAME)
    assert list(other.all()) == []


def test_only_the_quarantine_can_remove(vault: Vault, tmp_path: Path) -> None:
    assert not hasattr(vault, "remove")
    quarantine = Quarantine(tmp_path / "quarantine")
    quarantine.add(io.BytesIO(CLIP))
    quarantine.remove(NAME)
    assert not quarantine.has(NAME)
    with pytest.raises(Corrupt, match="missing"):
        quarantine.remove(NAME)


def test_sweeping_staging_spares_a_writer_at_work(vault: Vault) -> None:
    vault.add(io.BytesIO(CLIP))
    for name, when in (("old", 1000), ("new", 2000)):
        path = vault.root / "staging" / name
        path.write_bytes(b"half")
        os.utime(path, (when, when))
    assert vault.sweep(older_than=lambda changed: changed < 1500) == 1
    assert [path.name for path in staging(vault)] == ["new"]


# durability


class Watched:
    """Records every sync, link and unlink, and fails or stops at a chosen one."""

    def __init__(
        self, patch: pytest.MonkeyPatch, fail_at: int | None = None, error: BaseException | None = None
    ):
        self.happened: list[str] = []
        self.fail_at, self.error = fail_at, error
        real_sync, real_link, real_unlink = os.fsync, os.link, Path.unlink

        def sync(handle: int) -> None:
            self.count("sync " + os.readlink(f"/proc/self/fd/{handle}"))
            real_sync(handle)

        def link(old: Path, new: Path) -> None:
            self.count(f"link {new}")
            real_link(old, new)

        def unlink(path: Path, missing_ok: bool = False) -> None:
            self.happened.append(f"unlink {path}")
            real_unlink(path, missing_ok=missing_ok)

        patch.setattr(os, "fsync", sync)
        patch.setattr(os, "link", link)
        patch.setattr(Path, "unlink", unlink)

    def count(self, what: str) -> None:
        if self.fail_at == len(self.happened) and self.error is not None:
            self.happened.append(f"failed {what}")
            raise self.error
        self.happened.append(what)


def test_bytes_then_name_then_every_new_folder_are_synced_before_yes(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.root.parent.mkdir()
    watched = Watched(monkeypatch)
    vault.add(io.BytesIO(CLIP))
    happened, final = watched.happened, vault.path(NAME)
    linked = happened.index(f"link {final}")
    assert any(what.startswith(f"sync {vault.root / 'staging'}/") for what in happened[:linked])
    assert f"sync {final.parent}" in happened[linked:]
    for folder in (final.parent, *final.parent.parents):
        if folder == vault.root.parent:
            break
        assert f"sync {folder.parent}" in happened, f"the name of {folder} is not durable"
    assert happened[-1].startswith("unlink ")


def test_an_error_of_the_disk_at_any_sync_is_never_swallowed_nor_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = 0
    while True:
        vault = Vault(tmp_path / str(step))
        with monkeypatch.context() as patch:
            watched = Watched(patch, step, OSError(errno.EIO, "the disk failed"))
            with contextlib.suppress(OSError):
                vault.add(io.BytesIO(CLIP))
                break
            failed = next(n for n, what in enumerate(watched.happened) if what.startswith("failed "))
            assert all(what.startswith("unlink ") for what in watched.happened[failed + 1 :])
        assert staging(vault) == []
        step += 1
    assert step >= 8


def test_a_full_disk_is_told_in_a_sentence(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, data: Any) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(NotAllowed, match="no room left"):
        vault.add(io.BytesIO(CLIP))
    assert staging(vault) == []


def test_short_writes_lose_nothing(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:1000]))
    stored = vault.add(io.BytesIO(CLIP))
    assert vault.fsck([stored]) == []


class UncheckedVault(Vault):
    """Says yes without reading back: the negative control for the last gate of `add`."""

    def _reread(self, stored: Stored) -> None:
        pass


@pytest.mark.parametrize(("kind", "noticed"), [(Vault, True), (UncheckedVault, False)])
def test_a_disk_that_writes_something_else_is_caught_by_reading_back_and_by_nothing_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Vault], noticed: bool
) -> None:
    real = os.write
    monkeypatch.setattr(
        os, "write", lambda handle, data: real(handle, bytes([data[0] ^ 1]) + bytes(data[1:]))
    )
    vault = kind(tmp_path / "vault")
    if noticed:
        with pytest.raises(Corrupt, match=NAME):
            vault.add(io.BytesIO(CLIP))
    else:
        vault.add(io.BytesIO(CLIP))
    assert len(vault.fsck([(NAME, len(CLIP))])) == 1


class TrustingVault(Vault):
    """Opens without looking: the negative control for the gate of `open`."""

    def open(self, sha256: str, *, verify: bool = True) -> BinaryIO:
        return super().open(sha256, verify=False)


def test_without_the_check_on_reading_wrong_bytes_would_be_served(tmp_path: Path) -> None:
    trusting = TrustingVault(tmp_path / "vault")
    trusting.add(io.BytesIO(CLIP))
    trusting.path(NAME).write_bytes(b"forged")
    with trusting.open(NAME) as file:
        assert file.read() == b"forged"
    with pytest.raises(Corrupt):
        Vault(tmp_path / "vault").open(NAME)


class OverwritingOs:
    """Links by renaming over what is there: the negative control for never overwriting."""

    @staticmethod
    def link(old: Path, new: Path) -> None:
        os.rename(old, new)


def test_without_linking_a_damaged_object_would_be_papered_over(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.add(io.BytesIO(CLIP))
    vault.path(NAME).write_bytes(b"damaged")
    with pytest.raises(Corrupt):
        vault.add(io.BytesIO(CLIP))
    monkeypatch.setattr(os, "link", OverwritingOs.link)
    vault.add(io.BytesIO(CLIP))
    assert vault.path(NAME).read_bytes() == CLIP


def _add_forever(root: str, seed: int, told: str) -> None:
    """Add objects and write each acknowledged name to `told`, until somebody ends this process."""
    vault, pick = Vault(root), random.Random(seed)
    with Path(told).open("a") as out:
        while True:
            data = pick.randbytes(pick.choice([10, 100_000, 2 * BLOCK + 5]))
            stored = vault.add(io.BytesIO(data))
            out.write(f"{stored.sha256} {stored.size}\n")
            out.flush()


@pytest.mark.parametrize("turn", range(3))
def test_nothing_acknowledged_is_lost_when_two_writers_are_killed_at_random(
    tmp_path: Path, turn: int
) -> None:
    context = multiprocessing.get_context("spawn")
    pick = random.Random(turn)
    root = str(tmp_path / "vault")
    writers = [
        context.Process(target=_add_forever, args=(root, turn, str(tmp_path / f"told{n}"))) for n in range(2)
    ]
    for writer in writers:
        writer.start()
    told = [tmp_path / f"told{n}" for n in range(2)]
    while not all(path.exists() and path.stat().st_size for path in told):
        writers[0].join(0.02)
        assert all(writer.is_alive() for writer in writers)
    for writer in writers:
        writer.join(pick.uniform(0, 0.2))
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    known = {}
    for path in told:
        for line in path.read_text().splitlines():
            sha256, size = line.split(" ")
            known[sha256] = int(size)
    vault = Vault(root)
    vault.sweep(older_than=lambda changed: True)
    assert known
    assert vault.fsck(known.items(), unknown_is_fault=False) == []
