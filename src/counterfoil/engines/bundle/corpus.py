"""The corpus that ships with the project: bundles good and false, and what every verifier must say of each.

A folder holds `corpus.tar.xz` (the bundles and policies) and `expected.json`: a list of `{bundle, policy, word, exit,
failed, story}`, `policy` and `failed` being null where there is none. Anybody may run a verifier of their own on it.
"""

import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from counterfoil.engines.bundle.archive import safe_path
from counterfoil.engines.bundle.verify import verify
from counterfoil.engines.errors import BadInput

ARCHIVE, EXPECTED = "corpus.tar.xz", "expected.json"


@dataclass(frozen=True)
class Expected:
    """One bundle of the corpus, the policy to judge it by, and the right verdict word and failed check."""

    bundle: str
    policy: str | None
    word: str
    exit: int
    failed: str | None
    story: str


def read(folder: Path) -> list[Expected]:
    """Read what is expected; BadInput if this is no corpus."""
    try:
        return [Expected(**row) for row in json.loads((folder / EXPECTED).read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        raise BadInput(
            "corpus", f"There is no corpus in {folder}: it needs {ARCHIVE} and {EXPECTED}."
        ) from None


@contextmanager
def unpacked(folder: Path) -> Iterator[Path]:
    """Unpack the corpus into a temporary folder and return it."""
    with tempfile.TemporaryDirectory() as out:
        with tarfile.open(folder / ARCHIVE, "r:xz") as tar:
            # Older Pythons know no filter; there only plain files with plain names are taken out.
            if hasattr(tarfile, "data_filter"):
                tar.extractall(out, filter="data")
            else:
                tar.extractall(out, [m for m in tar if m.isfile() and safe_path(m.name)])  # noqa: S202
        yield Path(out)


def judge(folder: Path) -> Iterator[tuple[Expected, str, str | None]]:
    """Yield each row with what the library says: (expected, verdict word, failed check)."""
    expected = read(folder)
    with unpacked(folder) as out:
        for row in expected:
            policy = (out / row.policy).read_bytes() if row.policy else None
            verdict = verify(out / row.bundle, policy)
            yield row, verdict.word, verdict.failed
