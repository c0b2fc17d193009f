"""Break the product on purpose, one way at a time, and require the gate that guards it to fail.

Each entry of `gates.toml` names a patch (applied with `patch -p1` in a copy of the tree), the gate (pytest node ids)
that must pass without it and fail with it, and why. A gate that does not notice proves nothing.

    python -m tests.sabotage.run            every one
    python -m tests.sabotage.run --sample   those marked `sample = true`
    python -m tests.sabotage.run NAME …     these
"""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LEFT_OUT = (
    ".git",
    ".venv",
    "node_modules",
    "build",
    "dist",
    "*.egg-info",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
)
LONGEST = 900  # seconds for one gate
LANES = 2


@dataclass(frozen=True)
class Sabotage:
    """One way to break the product, and the gate that must notice."""

    name: str
    patch: Path
    gate: tuple[str, ...]
    why: str
    sample: bool = False
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """How a gate ended: its exit code, and how many of its tests passed, failed, broke and were skipped."""

    code: int
    passed: int
    failed: int
    broke: int
    skipped: int
    output: str

    @property
    def good(self) -> bool:
        """Say whether it held: everything passed, and something was tried."""
        return self.code == 0 and self.passed > 0

    @property
    def caught(self) -> bool:
        """Say whether a test failed; a tree that cannot even be loaded is not a catch."""
        return self.code == 1 and self.failed > 0


def sabotages() -> list[Sabotage]:
    """Return every sabotage that is described; a patch that nobody describes is an error."""
    told = tomllib.loads((HERE / "gates.toml").read_text("utf-8"))
    found = []
    for name, entry in told.items():
        unknown = set(entry) - {"patch", "gate", "why", "sample", "environment"}
        if unknown:
            raise SystemExit(f"gates.toml, {name}: nobody knows {', '.join(sorted(unknown))}.")
        found.append(
            Sabotage(
                name=name,
                patch=HERE / entry.get("patch", f"{name}.patch"),
                gate=tuple(entry["gate"].split()),
                why=entry["why"],
                sample=entry.get("sample", False),
                environment={k: str(v) for k, v in entry.get("environment", {}).items()},
            )
        )
    loose = {p.name for p in HERE.glob("*.patch")} ^ {s.patch.name for s in found}
    if loose:
        raise SystemExit(f"gates.toml and the patches differ: {', '.join(sorted(loose))}.")
    return found


class DoesNotApplyError(AssertionError):
    """The product has changed where a patch would break it."""


class Tree:
    """A copy of the tree in which patches come and go."""

    def __init__(self, folder: Path) -> None:
        self.root, self.clock = folder / "tree", itertools.count(1)
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        for name in (".venv", "node_modules"):
            if (ROOT / name).exists():
                (self.root / name).symlink_to((ROOT / name).resolve())
        self.held: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], Run] = {}

    def _patch(self, patch: Path, *options: str) -> None:
        command = ["patch", "-p1", "--batch", "--no-backup-if-mismatch", *options, "-i", str(patch)]
        for dry in (["--dry-run"], []):  # whole or not at all
            done = subprocess.run(
                [*command, *dry], cwd=self.root, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise DoesNotApplyError(
                    f"{patch.name} does not apply any more; write it again.\n{done.stdout}"
                )
        # Python trusts a compiled file by the second and the size of its source: make every change visible.
        at = time.time() + 10 * next(self.clock)
        for line in patch.read_text("utf-8").splitlines():
            if line.startswith("+++ "):
                os.utime(self.root / line[4:].split("\t")[0].split("/", 1)[1], (at, at))

    @contextmanager
    def broken(self, patch: Path) -> Iterator[None]:
        """Apply a patch for as long as this lasts."""
        self._patch(patch)
        try:
            yield
        finally:
            self._patch(patch, "-R")

    def run(self, gate: Sequence[str], more: dict[str, str]) -> Run:
        """Run a gate in this tree as it is now."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_", "PYTEST_"))
        }
        with tempfile.TemporaryDirectory(prefix="sabotage-", ignore_cleanup_errors=True) as home:
            report = Path(home) / "report.xml"
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "--ds=tests.settings",
            ]
            try:
                done = subprocess.run(
                    [*command, f"--junitxml={report}", *gate],
                    cwd=self.root,
                    env={**kept, "COUNTERFOIL_TEST_HOME": home, "PYTHONHASHSEED": "0", **more},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=LONGEST,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Run(-1, 0, 0, 0, 0, f"It was stopped after {LONGEST} seconds.")
            tests = failed = broke = skipped = 0
            if report.is_file():
                for suite in ET.parse(report).getroot().iter("testsuite"):
                    tests += int(suite.get("tests", "0"))
                    failed += int(suite.get("failures", "0"))
                    broke += int(suite.get("errors", "0"))
                    skipped += int(suite.get("skipped", "0"))
        return Run(done.returncode, tests - failed - broke - skipped, failed, broke, skipped, done.stdout)

    def whole(self, one: Sabotage) -> Run:
        """Run the gate of a sabotage in the tree as it should be, once for all that share it."""
        key = one.gate, tuple(sorted(one.environment.items()))
        if key not in self.held:
            self.held[key] = self.run(one.gate, one.environment)
        return self.held[key]


CANNOT = "the gate was skipped: this machine cannot do what it needs"


def judge(tree: Tree, one: Sabotage, *, trust_the_gate: bool = False) -> str:
    """Return what is wrong with a gate, or nothing when it holds whole and catches this sabotage.

    `trust_the_gate` leaves out the run in the whole tree, for a suite that runs the gate itself.
    """
    if not trust_the_gate:
        whole = tree.whole(one)
        if not whole.good:
            said = "was skipped" if whole.skipped and not whole.failed else "fails without the sabotage"
            return f"the gate {said}:\n{whole.output[-2500:]}"
    try:
        with tree.broken(one.patch):
            broken = tree.run(one.gate, one.environment)
    except DoesNotApplyError as changed:
        return str(changed)
    if trust_the_gate and broken.skipped and not broken.failed:
        return CANNOT
    if not broken.caught:
        return f"NOT CAUGHT (pytest exit {broken.code}):\n{broken.output[-2500:]}"
    return ""


def in_two_lanes(chosen: Sequence[Sabotage]) -> list[bool]:
    """Judge these two at a time, those of one gate after one another, print a line each, and return which were missed.

    Each lane has a tree of its own to break.
    """
    missed: list[bool] = []
    turn, groups = threading.Lock(), defaultdict[object, list[Sabotage]](list)
    for one in chosen:
        groups[one.gate, tuple(one.environment.items())].append(one)
    waiting = list(groups.values())

    def lane(tree: Tree) -> None:
        while True:
            with turn:
                if not waiting:
                    return
                group = waiting.pop(0)
            for one in group:
                started = time.monotonic()
                wrong = judge(tree, one)
                took = time.monotonic() - started
                with turn:
                    missed.append(bool(wrong))
                    print(f"{'MISSED' if wrong else 'caught'}  {took:5.0f} s  {one.name}: {one.why}")
                    if wrong:
                        print(wrong)
                    sys.stdout.flush()

    with (
        tempfile.TemporaryDirectory(prefix="sabotage-tree-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(LANES) as lanes,
    ):
        list(lanes.map(lane, [Tree(Path(folder) / str(n)) for n in range(LANES)]))
    return missed


def main(arguments: Sequence[str]) -> int:
    """Run the sabotages that are asked for and print one line for each."""
    if set(arguments) & {"-h", "--help"}:
        print(__doc__)
        return 0
    names = [a for a in arguments if not a.startswith("-")]
    chosen = [
        s for s in sabotages() if (s.name in names if names else s.sample or "--sample" not in arguments)
    ]
    if not chosen:
        raise SystemExit("There is no such sabotage.")
    missed = sum(in_two_lanes(chosen))
    print(f"{len(chosen) - missed} of {len(chosen)} sabotages caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
