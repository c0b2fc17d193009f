"""Measure vault ingest beside the plainest honest copy: read, write, SHA-256, fsync of the same file.

Run alone: `python -m bench.vault_ingest [MiB] [ROUNDS]`. Both take turns on fresh files, in both orders; the
median ratio is printed. The vault does more for its time: link without overwriting, folder syncs, reading back
and hashing again.
"""

import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from counterfoil.engines.vault import Vault

MIB = 1 << 20


def plain(source: Path, target: Path) -> None:
    """Copy with a SHA-256 on the way and one fsync at the end."""
    digest = hashlib.sha256()
    with source.open("rb", buffering=0) as old, target.open("xb", buffering=0) as new:
        while block := old.read(MIB):
            digest.update(block)
            new.write(block)
        os.fsync(new.fileno())


def ingest(source: Path, target: Path) -> None:
    """Add to a vault that is empty."""
    with source.open("rb", buffering=0) as stream:
        Vault(target).add(stream)


def timed(act: Callable[[Path, Path], None], source: Path, target: Path) -> float:
    """Return how many seconds an act takes."""
    started = time.perf_counter()
    act(source, target)
    return time.perf_counter() - started


def main(mib: int = 256, rounds: int = 6, folder: Path | None = None) -> dict[str, float]:
    """Print both medians and their ratio; return them."""
    with tempfile.TemporaryDirectory(dir=folder or Path.cwd()) as name:
        source = Path(name) / "source"
        with source.open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(MIB))
            file.flush()
            os.fsync(file.fileno())
        plains, ingests = [], []
        for n in range(rounds):
            acts = [(plain, plains, f"copy{n}"), (ingest, ingests, f"vault{n}")]
            for act, times, target in acts if n % 2 else reversed(acts):
                times.append(timed(act, source, Path(name) / target))
        ratio = statistics.median(b / a for a, b in zip(plains, ingests, strict=True))
        a, b = statistics.median(plains), statistics.median(ingests)
        print(f"vault: {mib} MiB copied, hashed and synced in {a:.2f} s; taken into the vault in {b:.2f} s")
        print(
            f"vault: ratio {ratio:.2f} (vault time / plain time, median of {rounds} pairs, reading back included)"
        )
        return {"plain_s": a, "vault_s": b, "ratio": ratio}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
