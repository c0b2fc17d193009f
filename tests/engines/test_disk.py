"""A failing disk is told in a sentence, and a store whose sync failed says no until its process starts again."""

import errno
import io
import os
from pathlib import Path

import pytest

from counterfoil.engines import disk
from counterfoil.engines.errors import NotAllowed
from counterfoil.engines.vault import Vault


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_an_error_of_the_disk_becomes_a_sentence(number: int) -> None:
    with pytest.raises(NotAllowed, match=r"othing was saved") as refused, disk.told():
        raise OSError(number, "what the kernel says")
    assert "what the kernel says" not in str(refused.value)
    assert isinstance(refused.value, OSError), "whoever guards against the disk still does"


def test_a_sender_who_went_away_is_no_fault_of_the_disk() -> None:
    with pytest.raises(ConnectionResetError), disk.told():
        raise ConnectionResetError(errno.ECONNRESET, "gone")


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS])
def test_after_a_failed_sync_the_store_is_closed_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    failing, other = Vault(tmp_path / "failing"), Vault(tmp_path / "other")
    with monkeypatch.context() as patch:

        def fail(handle: int) -> None:
            raise OSError(number, "the disk failed")

        patch.setattr(os, "fsync", fail)
        with pytest.raises(disk.DiskFault):
            failing.add(io.BytesIO(b"the doorbell clip"))
    again = Vault(failing.root)  # the disk is well again, or says so: too late
    with pytest.raises(disk.DiskFault, match="Try again later"):
        again.add(io.BytesIO(b"the doorbell clip"))
    assert list(again.all()) == []
    assert other.add(io.BytesIO(b"the doorbell clip")).size == 17


def test_a_sync_that_found_no_room_may_be_tried_again_with_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path / "vault")
    with monkeypatch.context() as patch:

        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, "no space")

        patch.setattr(os, "fsync", full)
        with pytest.raises(disk.DiskFault, match="no room left"):
            vault.add(io.BytesIO(b"the doorbell clip"))
    assert vault.add(io.BytesIO(b"the doorbell clip")).size == 17
