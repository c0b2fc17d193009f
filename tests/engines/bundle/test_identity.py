"""The development identity is made once, whole, whatever stopped an earlier making."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from counterfoil.engines.bundle import identity
from counterfoil.engines.bundle.identity import Identity, make_development_identity
from counterfoil.engines.disk import place

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def made(folder: Path) -> Identity:
    return make_development_identity(folder, "report seal", timestamping=False, now=NOW)


def test_a_second_making_gives_the_same_identity(tmp_path: Path) -> None:
    assert made(tmp_path).root_sha256 == made(tmp_path).root_sha256


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_a_making_that_was_stopped_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    written: list[Path] = []

    def stops(path: Path, content: bytes) -> None:
        if len(written) == whole:
            raise KeyboardInterrupt
        written.append(path)
        place(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(identity, "place", stops)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path)
    assert made(tmp_path).root_sha256 == Identity.load_folder(tmp_path).root_sha256


def test_a_private_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.key"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(OSError, match="Input/output"):
            place(path, b"half")
    assert list(tmp_path.iterdir()) == []
    place(path, b"whole")
    with pytest.raises(FileExistsError):
        place(path, b"other")
    assert path.read_bytes() == b"whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["log.key"]
