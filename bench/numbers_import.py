"""Import of every row, numbers on a cold page, and everything worked out again, beside a plain copy of the files.

    python -m bench.numbers_import

Prints lines `topic | what | figure | goal | met/not met`. Seconds are of the clock and, in brackets, of the processor.
On a machine with nothing else to do the goals are judged by the clock, on a busy one (more than two processes a core)
by the processor, and the first line says which. Needs ../shared/data (or COUNTERFOIL_DATA).
"""

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("COUNTERFOIL_DATA", ROOT.parent / "shared" / "data"))
FILES = tuple(DATA / "police_uk" / f"{kind}_2021-03_2022-02.parquet" for kind in ("street", "outcomes"))


def say(what: str, figure: str, goal: str, met: bool | None) -> None:
    """Print one line of the report."""
    print(
        f"import | {what} | {figure} | {goal} | {'said' if met is None else 'met' if met else 'not met'}",
        flush=True,
    )


def child(home: Path, job: str) -> dict[str, float | str | int]:
    """Run one job of this file in a fresh process on an installation of its own; return what it measured."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.numbers_import", job],
        cwd=ROOT,
        env={**os.environ, "COUNTERFOIL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{job} failed:\n{done.stderr}")
    answer: dict[str, float | str | int] = json.loads(done.stdout.splitlines()[-1])
    return answer


def timed(work: Callable[[], object]) -> dict[str, float | str | int]:
    """Measure a piece of work: seconds of the clock and of the processor, and the memory of this process in MB."""
    wall, cpu = time.monotonic(), time.process_time()
    answer = work()
    return {
        "wall": time.monotonic() - wall,
        "cpu": time.process_time() - cpu,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "answer": str(answer),
    }


def job(name: str) -> dict[str, float | str | int]:
    """Do one job in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "counterfoil.config.settings")
    if name == "peer":
        import duckdb

        def copy() -> int:
            with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 2}) as db:
                for path in FILES:
                    target = f"{folder}/{path.stem}.parquet"
                    db.execute(
                        f"COPY (SELECT * FROM '{path}') TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
                    )
                    with open(target, "rb") as out:
                        os.fsync(out.fileno())
            return len(FILES)

        return timed(copy)
    import django

    django.setup()
    from counterfoil.accounts.rules import Viewer
    from counterfoil.measures import queries
    from counterfoil.reference import measures as definitions

    public = Viewer.public()
    if name == "import":
        from django.core.management import call_command

        from counterfoil.measures.actions import import_crimes

        call_command("migrate", verbosity=0)
        return timed(lambda: import_crimes(FILES, by=Viewer.clock()).rows)
    if name == "front":

        def front() -> int:
            return len([queries.headline(public, line.slug) for line in queries.board(public).lines])

        return timed(front)
    if name == "force":
        return timed(lambda: queries.force_page(public, "lancashire").crimes.value)
    if name == "series":
        return timed(
            lambda: [len(queries.series(public, m, "lancashire").points) for m in ("crimes", "charged")]
        )
    if name == "compare":
        return timed(lambda: len(queries.compare(public, "charged", ("2021-03", "2022-02"), "robbery")))
    if name == "trace":
        return timed(lambda: len(queries.trace(public, "charged.lancashire.2021-03_2022-02.robbery")))
    if name == "again":
        return timed(lambda: queries.recompute(public, "charged.lancashire.2021-03_2022-02.robbery").same)
    if name == "all":

        def everything() -> str:
            digest, count = hashlib.sha256(), 0
            types = [t.slug for t in definitions.crime_types()]
            for slug in queries.stock().forces():
                for kind in ("all", *types):
                    for measure in ("crimes", "charged"):
                        for p in queries.series(public, measure, slug, kind).points:
                            digest.update(f"{p.address} {p.state} {p.value} {p.low} {p.high}\n".encode())
                            count += 1
            return f"{count} {digest.hexdigest()}"

        return timed(everything)
    raise SystemExit(f"There is no job {name}.")


def main() -> None:
    """Measure everything and print the report."""
    if not all(path.exists() for path in FILES):
        print(f"import | not measured: {FILES[0]} is not there (set COUNTERFOIL_DATA) | | | not met")
        return
    with tempfile.TemporaryDirectory(prefix="counterfoil-import-") as folder:
        homes = [Path(folder) / str(n) for n in range(2)]
        for home in homes:
            home.mkdir()
        imported = child(homes[0], "import")
        peer = child(homes[0], "peer")
        wall, cpu = float(imported["wall"]), float(imported["cpu"])
        busy = os.getloadavg()[0]
        by = "cpu" if busy > 2 * (os.cpu_count() or 1) else "wall"
        judged = {"cpu": "judged by the processor", "wall": "judged by the clock"}[by]
        say(
            f"processes that wanted one of {os.cpu_count()} cores meanwhile",
            f"{busy:.0f}: {judged}",
            "",
            None,
        )
        say(
            f"import {int(imported['answer']):,} rows: kept raw, checked, hashed, sums remembered",
            f"{wall:.1f} s ({cpu:.1f} s of processor), {imported['mb']} MB",
            "≤ 60 s",
            float(imported[by]) <= 60,
        )
        say(
            "the same two files through DuckDB's COPY",
            f"{peer['wall']:.1f} s ({peer['cpu']:.1f} s)",
            "a peer",
            None,
        )
        say("ratio to that peer, seconds of processor", f"{cpu / float(peer['cpu']):.1f}", "", None)
        for page in ("front", "force", "series", "compare"):
            cold = child(homes[0], page)
            say(
                f"numbers of a cold page: {page}",
                f"{cold['wall']:.2f} s ({cold['cpu']:.2f} s)",
                "≤ 1 s",
                float(cold[by]) <= 1,
            )
        for what, goal in (("trace", ""), ("again", "≤ 5 s")):
            found = child(homes[0], what)
            met = None if not goal else found["answer"] == "True" and float(found[by]) <= 5
            words = {"trace": "down to 50 rows, cold", "again": "one number again from raw bytes"}[what]
            say(words, f"{found['wall']:.1f} s ({found['cpu']:.1f} s): {found['answer']}", goal, met)
        child(homes[1], "import")
        first, second = child(homes[0], "all"), child(homes[1], "all")
        count, digest = str(first["answer"]).split()
        say(
            f"{int(count):,} numbers of two imports from raw, SHA-256 of all",
            f"{digest[:16]} and {str(second['answer']).split()[1][:16]}",
            "bit-identical",
            first["answer"] == second["answer"],
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(job(sys.argv[1])))
    else:
        main()
