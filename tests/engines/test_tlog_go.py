"""Go's own note and tlog packages, a foreign implementation, judge what our log writes."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.engines.go_oracle.oracle import ask, b64, b64s

from counterfoil.engines.tlog import (
    CosignSigner,
    LeafTree,
    Signer,
    TileDir,
    checkpoint_text,
    leaf_hash,
    sign_note,
    split_note,
)

SIZES = range(1, 301)
LOG = Signer.from_seed("counterfoil.example/log", b"\x01" * 32)
WITNESS = CosignSigner.from_seed("witness.example/w1", b"\x02" * 32)
ENTRIES = [n.to_bytes(4, "big") * 8 for n in range(max(SIZES) + 1)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
TREE = LeafTree(LEAVES)


def every_size() -> Iterator[dict[str, Any]]:
    for size in SIZES:
        yield {"op": "grow", "entries": [b64(ENTRIES[size - 1])]}
        yield {
            "op": "size",
            "size": size,
            "inclusions": [b64s(TREE.inclusion(i, size)) for i in range(size)],
            "consistencies": [b64s(TREE.consistency(old, size)) for old in range(1, size + 1)],
        }


def test_go_computes_our_roots_and_accepts_every_proof_of_every_size_from_1_to_300() -> None:
    answers = ask(every_size())
    for size in SIZES:
        grown, judged = answers[2 * size - 2], answers[2 * size - 1]
        assert grown["root"] == b64(TREE.root(size)), f"the root of size {size}"
        assert judged["ok"], f"size {size}: {judged}"
        assert judged["accepted"] == 2 * size


def wrong_inclusions(size: int, pick: random.Random) -> Iterator[dict[str, Any]]:
    i = pick.randrange(size)
    good = {
        "op": "inclusion",
        "proof": b64s(TREE.inclusion(i, size)),
        "index": i,
        "size": size,
        "leaf": b64(LEAVES[i]),
        "root": b64(TREE.root(size)),
    }
    yield good
    yield good | {"leaf": b64(LEAVES[i + 1])}
    yield good | {"root": b64(TREE.root(size - 1))}
    yield good | {"index": size}
    yield good | {"proof": [*good["proof"], b64(LEAVES[0])]}
    if size > 1:
        yield good | {"proof": good["proof"][1:]}
        yield good | {"index": (i + 1) % size}
        flipped = bytearray(TREE.inclusion(i, size)[0])
        flipped[pick.randrange(32)] ^= 1 << pick.randrange(8)
        yield good | {"proof": [b64(bytes(flipped)), *good["proof"][1:]]}


def wrong_consistencies(size: int, pick: random.Random) -> Iterator[dict[str, Any]]:
    old = pick.randrange(1, size)
    good = {
        "op": "consistency",
        "proof": b64s(TREE.consistency(old, size)),
        "old": old,
        "size": size,
        "old_root": b64(TREE.root(old)),
        "root": b64(TREE.root(size)),
    }
    yield good
    yield good | {"old_root": b64(LEAVES[-1])}
    yield good | {"root": b64(TREE.root(size + 1) if size + 1 <= len(LEAVES) else LEAVES[-1])}
    yield good | {"old": size + 1}
    yield good | {"proof": good["proof"][:-1]}
    yield good | {"proof": [*good["proof"], b64(LEAVES[0])]}
    flipped = bytearray(TREE.consistency(old, size)[-1])
    flipped[pick.randrange(32)] ^= 1 << pick.randrange(8)
    yield good | {"proof": [*good["proof"][:-1], b64(bytes(flipped))]}


def test_go_refuses_wrong_leaves_sizes_roots_and_proofs_at_every_size() -> None:
    pick = random.Random(20261121)
    asked = [list(wrong_inclusions(size, pick)) for size in SIZES]
    asked += [list(wrong_consistencies(size, pick)) for size in SIZES if size > 1]
    answers = iter(ask(question for group in asked for question in group))
    for group in asked:
        assert next(answers)["ok"], group[0]
        for question in group[1:]:
            assert not next(answers)["ok"], question


def test_go_opens_our_checkpoints_with_their_cosignatures_and_refuses_changed_ones() -> None:
    keys = [LOG.vkey, WITNESS.vkey]
    questions, expected = [], []
    for size in SIZES:
        text = checkpoint_text(LOG.name, size, TREE.root(size))
        note = sign_note(text, [LOG, WITNESS.at(1_795_000_000 + size)])
        other = sign_note(checkpoint_text(LOG.name, size + 1, TREE.root(size)), [LOG, WITNESS.at(7)])
        transplanted = text + "\n" + other.split("\n\n")[1]
        log, witness = split_note(note)[1]
        later = text + "\n" + log.line + replace(witness, signature=bytes(8) + witness.signature[8:]).line
        for made, good in ((note, True), (note.replace(f"\n{size}\n", f"\n{size + 1}\n"), False)):
            questions.append({"op": "note", "note": made, "keys": keys})
            expected.append(good)
        for made in (transplanted, later):
            questions.append({"op": "note", "note": made, "keys": keys})
            expected.append(False)
    answers = ask(questions)
    assert [answer["ok"] for answer in answers] == expected
    assert answers[0]["verified"] == [LOG.name, WITNESS.name]


@pytest.mark.parametrize("size", [2, 255, 256, 257, 300])
def test_go_proves_entries_from_our_tiles_and_refuses_a_tile_with_a_flipped_bit(
    size: int, tmp_path: Path
) -> None:
    tiles = TileDir(tmp_path / "log")
    tiles.append(0, ENTRIES[:size])
    questions = [
        {
            "op": "tiles",
            "dir": str(tmp_path / "log"),
            "size": size,
            "root": b64(TREE.root(size)),
            "index": i,
            "leaf": b64(LEAVES[i]),
            "old": i + 1,
            "old_root": b64(TREE.root(i + 1)),
        }
        for i in {0, size // 2, size - 1}
    ]
    assert all(answer["ok"] for answer in ask(questions))
    tile = next(path for path in (tmp_path / "log/tile/0").rglob("*") if path.is_file())
    data = bytearray(tile.read_bytes())
    data[0] ^= 1
    tile.write_bytes(data)
    assert not ask([questions[0] | {"index": 0, "leaf": b64(LEAVES[0])}])[0]["ok"]
