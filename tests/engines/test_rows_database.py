"""A slow query draws nothing into the answer on standard output."""

import re
import subprocess
import sys
from pathlib import Path

SLOW = """
from counterfoil.engines.rows import database, quiet
with database(threads=1) as db:
    db.execute("SET progress_bar_time = 1")  # draws early, and draws again
    quiet(db)
    db.execute("SELECT sum(sqrt(a.range * b.range)) FROM range(20000) a, range(4000) b").fetchall()
print("answer")
"""


def test_a_slow_query_draws_no_progress_into_the_answer() -> None:
    quiet = subprocess.run([sys.executable, "-c", SLOW], capture_output=True, text=True, check=True)
    assert quiet.stdout == "answer\n"
    loud = SLOW.replace("    quiet(db)\n", "")
    drawn = subprocess.run([sys.executable, "-c", loud], capture_output=True, text=True, check=True)
    assert drawn.stdout != "answer\n", "this query is too fast to tell"


def test_every_engine_opens_its_database_so() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "counterfoil"
    calls = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"duckdb\.(connect|sql|query|execute)\(", path.read_text("utf-8"))
    }
    assert calls == {"engines/rows.py", "engines/measure/figures.py"}
    assert "quiet(cursor)" in (source / "engines" / "measure" / "figures.py").read_text("utf-8")
