"""Near repeats on Chicago's aggravated assaults 2010-2017: how long, how much memory, and the same as PySAL's.

The command is run in a process of its own and judged by its seconds of processor, all threads together: a quiet machine
takes no longer than that, while the time on the wall also counts who else was at work.
"""

import json
import os
import resource
import subprocess
import sys
import time
import warnings

import numpy as np

from bench.numbers import DATA
from counterfoil.engines import knox
from counterfoil.engines.rows import read

FILE = DATA / "crime_mapping" / "chicago_aggravated_assaults_2010-2017.csv.gz"
METRES, DAYS, PERMUTATIONS = "100,200,400", "7,14,21,28", 999


def line(what: str, figure: str, goal: str, met: bool | None) -> None:
    """Print one line of the report; without a goal it is only said."""
    print(f"knox | {what} | {figure} | {goal} | {'said' if met is None else 'met' if met else 'not met'}")


def whole_city() -> None:
    """Run the command on the whole file and say what it took."""
    began = time.monotonic()
    found = subprocess.run(
        [sys.executable, "-c", "import sys; from counterfoil.cli import main; sys.exit(main(sys.argv[1:]))", "knox",
         str(FILE), "--time", "date", "--x", "longitude", "--y", "latitude", "--metres", METRES, "--days", DAYS,
         "--permutations", str(PERMUTATIONS), "--json", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True,
    )  # fmt: skip
    wall = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cells = json.loads(found.stdout)
    cores = os.cpu_count() or 1
    busy = used.ru_utime + used.ru_stime
    what = f"Chicago 2010-2017, {len(cells)} cells to 400 m, {PERMUTATIONS} permutations"
    line(what, f"{busy:.0f} s of processor, {wall:.0f} s on the wall of {cores} cores", "60 s", busy <= 60)
    line("its memory", f"{used.ru_maxrss / 1e6:.2f} GB", "2 GB", used.ru_maxrss <= 2_000_000)
    for c in cells[:1] + cells[4:5] + cells[8:9]:
        line(
            f"pairs of {c['metres'][0]:.0f}-{c['metres'][1]:.0f} m within {c['days'][1]:.0f} days",
            f"{c['observed']:,} against {c['expected']:,.0f}: ratio {c['ratio']:.2f}, p {c['p']:.3f}",
            "",
            None,
        )


def beside_pysal() -> None:
    """Compare one small cell of one district and year with pointpats."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pointpats.spacetime import Knox
    except ImportError:
        line("the same as pointpats on a small cell", "pointpats is not installed", "within chance", None)
        return
    where = "district = 2 AND date >= '2016-01-01' AND date < '2017-01-01'"
    rows = read(FILE, time="date", numbers=("longitude", "latitude"), where=where)
    middle = float(np.median(rows.numbers["latitude"]))
    x = rows.numbers["longitude"] * 111_320 * np.cos(np.radians(middle))
    y, days = rows.numbers["latitude"] * 110_574, rows.minutes // 1440
    ours = knox.knox(x, y, days * 1440, metres=[200.0], days=[7.0], permutations=999)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(20261121)
        theirs = Knox(np.column_stack((x, y)), days[:, None], delta=200, tau=7, permutations=199, keep=True)
    mean, spread = float(np.mean(theirs.sim)), float(np.std(theirs.sim))
    apart = abs(ours.expected - mean) / (spread * (1 / 999 + 1 / 199) ** 0.5)
    line(
        f"the same as pointpats on {len(x):,} events of one district",
        f"observed {ours.observed} and {int(theirs.statistic_)}; expected {ours.expected:.1f} and {mean:.1f}, "
        f"{apart:.1f} standard errors apart",
        "equal; ≤ 3",
        ours.observed == int(theirs.statistic_) and apart <= 3,
    )


def main() -> None:
    """Measure, or say that there is nothing to measure on."""
    if not FILE.is_file():
        print(f"There is no {FILE}: nothing measured. Set COUNTERFOIL_DATA.")
        sys.exit(1)
    whole_city()
    beside_pysal()


if __name__ == "__main__":
    main()
