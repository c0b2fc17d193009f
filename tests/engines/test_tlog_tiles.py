"""The log's folder is laid out as C2SP tlog-tiles says, survives a stopped writer and never rewrites its past."""

import os
import random
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tlog import (
    Checkpoint,
    LeafTree,
    Signer,
    TileDir,
    check_consistency,
    check_inclusion,
    checkpoint_text,
    leaf_hash,
    sign_note,
    tile_path,
)
from counterfoil.engines.tlog.tiles import layout

FEW = min(settings().max_examples // 2, 200)  # each example syncs many files
LOG = Signer.from_seed("counterfoil.example/log", b"\x01" * 32)
ENTRIES = [sha256(f"commitment {n}".encode()).digest() for n in range(1000)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
TREE = LeafTree(LEAVES)


def note(size: int, tree: LeafTree = TREE) -> str:
    return sign_note(checkpoint_text(LOG.name, size, tree.root(size)), [LOG])


def point(size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, TREE.root(size))


def made(path: Path, *sizes: int) -> TileDir:
    tiles = TileDir(path / "log")
    old = 0
    for size in sizes:
        tiles.append(old, ENTRIES[old:size])
        tiles.publish_checkpoint(note(size))
        old = size
    return tiles


def files(tiles: TileDir) -> dict[str, bytes]:
    return {
        str(path.relative_to(tiles.path)): path.read_bytes()
        for path in sorted(tiles.path.rglob("*"))
        if path.is_file()
    }


def test_a_tile_number_is_written_in_groups_of_three() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 5, 7) == "tile/entries/005.p/7"
    assert tile_path(2, 0, 256) == "tile/2/000"
    assert tile_path(1, 1000) == "tile/1/x001/000"


def test_a_log_of_70000_has_the_tiles_of_the_specification(tmp_path: Path) -> None:
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(70_000)]
    tiles = TileDir(tmp_path / "log")
    tiles.write_tiles(0, leaves)
    names = set(files(tiles))
    assert names == {tile_path(*tile) for tile in layout(70_000)}
    kinds = Counter((name.split("/")[1], ".p/" in name) for name in names)
    assert kinds == {("0", False): 273, ("0", True): 1, ("1", False): 1, ("1", True): 1, ("2", True): 1}
    assert {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"} <= names
    sizes = {name: len(data) for name, data in files(tiles).items()}
    assert sizes["tile/0/000"] == sizes["tile/1/000"] == 8192
    assert sizes["tile/0/273.p/112"] == 112 * 32
    tree = LeafTree(leaves)
    root = tiles.root(70_000)
    assert root == tree.root(70_000)
    for i in (0, 255, 256, 65_535, 65_536, 69_999):
        assert tiles.inclusion(i, 70_000) == tree.inclusion(i, 70_000)
    assert tiles.consistency(65_537, 70_000) == tree.consistency(65_537, 70_000)
    assert tiles.fsck(Checkpoint("log", 70_000, root)) == []


def test_an_entry_bundle_holds_each_commitment_after_its_length(tmp_path: Path) -> None:
    tiles = made(tmp_path, 3)
    told = b"".join(b"\x00\x20" + entry for entry in ENTRIES[:3])
    assert files(tiles)["tile/entries/000.p/3"] == told
    assert tiles.entries(1, 3) == ENTRIES[1:3]


def test_an_entry_longer_than_65535_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match="log commitments, not files"):
        TileDir(tmp_path / "log").append(0, [bytes(65_536)])


@settings(max_examples=FEW)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_growing_in_any_portions_gives_the_same_full_tiles_and_proofs(
    tmp_path_factory: pytest.TempPathFactory, portions: list[int]
) -> None:
    sizes, total = [], 0
    for portion in portions:
        total = min(total + portion, len(ENTRIES))
        if total not in sizes:
            sizes.append(total)
    tiles = made(tmp_path_factory.mktemp("tiles"), *sizes)
    at_once = made(tmp_path_factory.mktemp("tiles"), total)
    grown = files(tiles)
    assert {name: grown.get(name) for name in files(at_once)} == files(at_once)
    assert tiles.size() == total
    assert tiles.leaf_hashes(0, total) == LEAVES[:total]
    assert tiles.entries(0, total) == ENTRIES[:total]
    for old in sizes:
        assert tiles.root(old) == TREE.root(old)
        proof = tiles.consistency(old, total)
        assert check_consistency(old, total, TREE.root(old), TREE.root(total), proof)
        proof = tiles.inclusion(old - 1, old)
        assert check_inclusion(LEAVES[old - 1], old - 1, old, proof, TREE.root(old))
    assert tiles.fsck(point(total)) == []


def test_partial_tiles_go_once_the_full_tile_is_published(tmp_path: Path) -> None:
    tiles = made(tmp_path, 5, 200, 300)
    names = set(files(tiles))
    assert "tile/0/000" in names
    assert not any(name.startswith(("tile/0/000.p", "tile/entries/000.p")) for name in names)
    assert tiles.root(200) == TREE.root(200)


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_fsck_names_each_damaged_tile_and_rebuild_mends_it(tmp_path: Path, damage: str) -> None:
    tiles = made(tmp_path, 600)
    whole = files(tiles)
    for name in whole:
        if name == "checkpoint":
            continue
        path = tiles.path / name
        if damage == "remove":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(whole[name][:-1])
        else:
            path.write_bytes(bytes([whole[name][40] ^ 1]).join([whole[name][:40], whole[name][41:]]))
        faults = tiles.fsck(point(600))
        assert faults, f"{damage} of {name} was not found"
        if damage != "flip" or not name.startswith("tile/0"):
            assert any(name in fault for fault in faults) or "entry bundle" in faults[0]
        tiles.rebuild(LEAVES[:600], ENTRIES[:600])
        assert files(tiles) == whole
        assert tiles.fsck(point(600)) == []


def test_fsck_compares_with_the_checkpoint_it_is_given_not_with_the_folders_own(tmp_path: Path) -> None:
    tiles = made(tmp_path, 300)
    assert tiles.fsck(Checkpoint(LOG.name, 300, LEAVES[0]))
    assert tiles.fsck(point(301))


def test_a_rewritten_past_is_refused_at_every_door(tmp_path: Path) -> None:
    tiles = made(tmp_path, 300)
    changed = [*ENTRIES[:7], b"rewritten" * 3, *ENTRIES[8:300]]
    other = LeafTree([leaf_hash(entry) for entry in changed])
    whole = files(tiles)
    with pytest.raises(Corrupt, match="never rewritten"):
        tiles.append(0, changed)
    with pytest.raises(Corrupt, match="not those of the checkpoint"):
        tiles.rebuild([leaf_hash(entry) for entry in changed], changed)
    with pytest.raises(Corrupt, match="do not give the root"):
        tiles.publish_checkpoint(note(300, other))
    with pytest.raises(Corrupt, match="rewrite"):
        tiles.publish_checkpoint(note(299))
    assert files(tiles) == whole


def test_another_logs_checkpoint_is_not_published(tmp_path: Path) -> None:
    tiles = made(tmp_path, 3)
    with pytest.raises(Corrupt, match="another log"):
        tiles.publish_checkpoint(sign_note(checkpoint_text("other", 3, TREE.root(3)), [LOG]))


def test_a_checkpoint_whose_tiles_were_not_written_is_not_published(tmp_path: Path) -> None:
    tiles = made(tmp_path, 3)
    with pytest.raises(Corrupt, match="missing"):
        tiles.publish_checkpoint(note(4))
    assert tiles.size() == 3


def test_entries_that_do_not_match_their_leaf_hashes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match="do not have these leaf hashes"):
        TileDir(tmp_path / "log").write_tiles(0, LEAVES[:2], ENTRIES[1:3])


class Stopped(BaseException):
    """Stands for a process kill: nothing that a program would catch."""


@pytest.mark.parametrize("start", [0, 250, 255, 256])
def test_a_writer_stopped_at_any_step_leaves_a_log_that_is_whole_and_can_go_on(
    tmp_path: Path, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop at each single fsync and rename in turn; readers see the old or the new log, and a repeat finishes."""
    end, step, ended = start + 10, 0, False
    real_sync, real_replace = os.fsync, Path.replace
    while not ended:
        tiles = made(tmp_path / str(step), *([start] if start else []))
        left = step

        def count() -> None:
            nonlocal left
            if left == 0:
                raise Stopped
            left -= 1

        def sync(handle: int) -> None:
            count()
            real_sync(handle)

        def rename(self: Path, target: Path) -> Path:
            count()
            return real_replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", sync)
            patch.setattr(Path, "replace", rename)
            try:
                tiles.append(start, ENTRIES[start:end])
                tiles.publish_checkpoint(note(end))
                ended = True
            except Stopped:
                pass
        again = TileDir(tiles.path)
        size = again.size()
        assert size in (start, end)
        assert again.root(size) == TREE.root(size)
        again.append(start, ENTRIES[start:end])
        again.publish_checkpoint(note(end))
        faults = again.fsck(point(end))
        assert all("left behind by a writer that stopped" in fault for fault in faults), faults
        assert again.sweep() == len(faults)
        assert again.fsck(point(end)) == []
        step += 1
    assert step > 8


def test_tiles_are_durable_before_the_checkpoint_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file and folder of the new tiles is synced before the rename of `checkpoint`, and that after it."""
    happened: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(handle: int) -> None:
        happened.append("sync " + os.readlink(f"/proc/self/fd/{handle}"))
        real_sync(handle)

    def rename(self: Path, target: Path) -> Path:
        happened.append(f"rename {self} {target}")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)
    tiles = made(tmp_path, 257)
    published = next(i for i, what in enumerate(happened) if what.endswith(f" {tiles.path / 'checkpoint'}"))
    before, after = happened[:published], happened[published + 1 :]
    for name in files(tiles):
        if name == "checkpoint":
            continue
        renamed = next(i for i, what in enumerate(before) if what.endswith(f" {tiles.path / name}"))
        assert before[renamed - 1] == "sync " + before[renamed].split(" ")[1]
        folder = (tiles.path / name).parent
        while folder != tiles.path.parent:
            assert f"sync {folder}" in before[renamed:], f"{folder} was not synced before publishing"
            folder = folder.parent
    assert f"sync {tiles.path}" in after
    assert f"sync {tiles.path.parent}" in before


class RecklessTileDir(TileDir):
    """Publishes whatever it is given: the negative control for the gate in publish_checkpoint."""

    def publish_checkpoint(self, note: str) -> None:
        (self.path / "checkpoint").write_text(note)


def test_without_the_gate_a_wrong_checkpoint_would_be_published_and_fsck_finds_it(tmp_path: Path) -> None:
    made(tmp_path, 300)
    reckless = RecklessTileDir(tmp_path / "log")
    wrong = checkpoint_text(LOG.name, 300, LEAVES[0])
    reckless.publish_checkpoint(sign_note(wrong, [LOG]))
    assert reckless.fsck(wrong) == ["The log's 300 leaf hashes do not give the root hash of its checkpoint."]


def test_random_reads_agree_with_a_tree_in_memory(tmp_path: Path) -> None:
    tiles, pick = made(tmp_path, 1000), random.Random(7)
    for _ in range(200):
        size = pick.randint(1, 1000)
        i, old = pick.randrange(size), pick.randint(1, size)
        assert tiles.inclusion(i, size) == TREE.inclusion(i, size)
        assert tiles.consistency(old, size) == TREE.consistency(old, size)
