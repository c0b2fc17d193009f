"""Judge large logs with Go's own note and tlog packages, and measure how fast ours makes and proves them.

Run alone: `python -m bench.tlog_large`. Sizes where tiles begin and end: 255, 256, 257, 65,535, 65,536, 65,537 and
70,000. For each: our checkpoint, a spread of inclusion and consistency proofs read from our tiles, and the same
changed; Go must accept all of the first and none of the second.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.engines.go_oracle.oracle import ask, b64, b64s, build

from counterfoil.engines.tlog import (
    CosignSigner,
    LeafTree,
    Signer,
    TileDir,
    checkpoint_text,
    leaf_hash,
    sign_note,
)

SIZES = (255, 256, 257, 65_535, 65_536, 65_537, 70_000)
PROOFS = 200
LOG = Signer.from_seed("counterfoil.example/log", b"\x01" * 32)
WITNESS = CosignSigner.from_seed("witness.example/w1", b"\x02" * 32)


def questions(tiles: TileDir, leaves: list[bytes], folder: Path) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Yield (should Go accept it, question) for every size."""
    pick = random.Random(70_000)
    done = 0
    for size in SIZES:
        yield True, {"op": "grow", "entries": [b64(n.to_bytes(32, "big")) for n in range(done, size)]}
        done = size
        root = tiles.root(size)
        note = sign_note(checkpoint_text(LOG.name, size, root), [LOG, WITNESS.at(1_795_000_000)])
        keys = [LOG.vkey, WITNESS.vkey]
        yield True, {"op": "note", "note": note, "keys": keys}
        changed = note.replace(f"\n{size}\n", f"\n{size + 1}\n")
        yield False, {"op": "note", "note": changed, "keys": keys}
        places = {0, 1, 254, size // 2, size - 2, size - 1, *(pick.randrange(size) for _ in range(PROOFS))}
        for i in sorted(places):
            good = {
                "op": "inclusion",
                "proof": b64s(tiles.inclusion(i, size)),
                "index": i,
                "size": size,
                "leaf": b64(leaves[i]),
                "root": b64(root),
            }
            yield True, good
            yield False, good | {"leaf": b64(leaves[i - 1])}
            yield False, good | {"index": (i + 1) % size}
            yield False, good | {"root": b64(leaves[0])}
            yield False, good | {"proof": good["proof"][:-1]}
        olds = {1, 128, 255, size - 1, size, *(s for s in SIZES if s <= size)}
        for old in sorted(olds | {pick.randint(1, size) for _ in range(PROOFS)}):
            if old > size:
                continue
            good = {
                "op": "consistency",
                "proof": b64s(tiles.consistency(old, size)),
                "old": old,
                "size": size,
                "old_root": b64(tiles.root(old)),
                "root": b64(root),
            }
            yield True, good
            yield False, good | {"old_root": b64(leaves[7])}
            yield False, good | {"root": b64(leaves[7])}
            yield False, good | {"proof": [*good["proof"], b64(leaves[7])]}
        for i in (0, size - 1):
            yield (
                True,
                {
                    "op": "tiles",
                    "dir": str(folder),
                    "size": size,
                    "root": b64(root),
                    "index": i,
                    "leaf": b64(leaves[i]),
                },
            )


def main() -> dict[str, float]:
    """Print what Go said and how fast our side was; return the numbers. Ends the program if Go disagreed."""
    build()
    entries = [n.to_bytes(32, "big") for n in range(max(SIZES))]
    started = time.perf_counter()
    leaves = [leaf_hash(entry) for entry in entries]
    root = LeafTree(leaves).root(len(leaves))
    hashing = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        # Go's reader asks for the exact partial tile of each size; publishing lets go of those that became full.
        tiles, kept, done = TileDir(Path(folder) / "log"), TileDir(Path(folder) / "kept"), 0
        started = time.perf_counter()
        for size in SIZES:
            tiles.append(done, entries[done:size])
            tiles.publish_checkpoint(sign_note(checkpoint_text(LOG.name, size, tiles.root(size)), [LOG]))
            done = size
        writing = time.perf_counter() - started
        for old, size in pairwise((0, *SIZES)):
            kept.append(old, entries[old:size])
        assert tiles.root(max(SIZES)) == root
        started = time.perf_counter()
        asked = list(questions(tiles, leaves, kept.path))
        proving = time.perf_counter() - started
        answers = ask(question for _, question in asked)
        grown = [
            answer["root"]
            for (_, question), answer in zip(asked, answers, strict=True)
            if question["op"] == "grow"
        ]
        assert grown == [b64(tiles.root(size)) for size in SIZES], "Go computes other roots"
    wrong = [
        (expected, question["op"], question.get("size"), answer)
        for (expected, question), answer in zip(asked, answers, strict=True)
        if answer["ok"] is not expected
    ]
    accepted = sum(expected for expected, _ in asked)
    print(
        f"tlog: Go accepted {accepted} and refused {len(asked) - accepted} as it should, {len(wrong)} otherwise"
    )
    print(
        f"tlog: {len(leaves):,} entries hashed in {hashing:.2f} s, written as durable tiles in {writing:.2f} s"
    )
    print(f"tlog: {len(asked):,} questions with their proofs made from tiles in {proving:.2f} s")
    if wrong:
        print(*wrong[:10], sep="\n", file=sys.stderr)
        raise SystemExit(1)
    return {"accepted": accepted, "refused": len(asked) - accepted, "hash_s": hashing, "write_s": writing}


if __name__ == "__main__":
    main()
