"""`make bench-numbers`: every line that the numbers must meet, each topic in a process of its own.

    python -m bench.numbers [TOPIC …]

A topic is a module `bench/numbers_TOPIC.py` whose `main()` prints lines `topic | what | figure | goal | met`, where the
last word is `met`, `not met` or `said` (a figure without a goal). Published tables are read from COUNTERFOIL_DATA, by
default ../shared/data; without them nothing is measured and that is said. What is printed belongs in
docs/figures/numbers.txt.
"""

import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("COUNTERFOIL_DATA", HERE.parents[1] / "shared" / "data"))
VERDICTS = ("met", "not met", "said")


def topics() -> list[str]:
    """Return the topics there are, by name."""
    return sorted(p.stem.removeprefix("numbers_") for p in HERE.glob("numbers_*.py"))


def measure(topic: str, found: Counter[str]) -> bool:
    """Run one topic, print its lines as they come, count its verdicts; say whether it ran to its end."""
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", f"bench.numbers_{topic}"], cwd=HERE.parent, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    lines = 0
    for line in child.stdout:
        print(line, end="", flush=True)
        verdict = line.rsplit("|", 1)[-1].strip()
        if line.count("|") >= 4 and verdict in VERDICTS:
            found[verdict] += 1
            lines += 1
    good = child.wait() == 0 and lines > 0
    print(f"  [{topic}: {time.monotonic() - began:.0f} s{'' if good else '; DID NOT FINISH'}]", flush=True)
    return good


def main(wanted: Sequence[str]) -> int:
    """Run the topics asked for, or all; return 1 when one did not finish."""
    known = topics()
    if unknown := [name for name in wanted if name not in known]:
        print(f"There is no topic {unknown[0]}. Choose from: {', '.join(known)}.")
        return 2
    if not DATA.is_dir():
        print(f"There are no published tables at {DATA}: nothing measured. Set COUNTERFOIL_DATA.")
        return 1
    print(
        f"machine: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    found: Counter[str] = Counter()
    broken = [topic for topic in (wanted or known) if not measure(topic, found)]
    print(f"\n{found['met']} met, {found['not met']} not met, {found['said']} without a goal")
    if broken:
        print(f"Did not finish: {', '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
