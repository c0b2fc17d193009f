"""New records into a large table: seconds, memory, agreement with a full run of all, events, and taking it back.

    python -m bench.numbers_topup [RECORDS [NEW [FOLDER]]]    (100,000 and 1,000; the goal's are 1,000,000 and 10,000)

Invented contacts with police (bench/contacts.py, seeded), all guards on. A FOLDER is kept, and what is in it already is
not made again: full runs of a million take long.
"""

import json
import sys
import tempfile
from pathlib import Path

from bench.contacts import make, write
from bench.numbers_linkage import MAPS, answer, command, scores
from bench.numbers_linkage import line as print_line

A_PERSON = 2.5634
"""Contacts of a person, on average."""


def line(what: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    """Print one line of the report."""
    print_line(what, figure, goal, met, topic="topup")


def measure(records: int, new: int, folder: Path) -> None:
    """Link all but the last `new` of `records` contacts, add those, compare with a full run of all, take them back."""
    rows, guarded = make(round((records + new) / A_PERSON), seed=11)
    truth = {r["id"]: r["truth"] for r in rows}
    for file, part in (("most", rows[:-new]), ("new", rows[-new:]), ("all", rows)):
        if not (folder / f"{file}.csv").exists():
            write(part, folder / f"{file}.csv")
    many = len(rows) - new
    del rows
    out, full = folder / "out.parquet", folder / "full.parquet"
    how = ("--id", "id", "--map", str(MAPS / "contacts.toml"))
    if not out.exists():
        wall, busy, mb, _ = command(str(folder / "most.csv"), *how, "--out", str(out))
        line(
            f"full run of {many:,}",
            f"{busy:.0f} s of processor, {wall:.0f} s on the wall, {mb / 1000:.1f} GB",
        )
    if not full.exists():
        wall, busy, mb, _ = command(str(folder / "all.csv"), *how, "--out", str(full))
        line(
            f"full run of {len(truth):,}",
            f"{busy:.0f} s of processor, {wall:.0f} s on the wall, {mb / 1000:.1f} GB",
        )
    before = answer(out)
    wall, busy, mb, _ = command(str(folder / "new.csv"), *how, "--out", str(out), "--add")
    line(
        f"{new:,} new into {many:,}",
        f"{busy:.1f} s of processor, {wall:.1f} s on the wall",
        "30 s",
        busy <= 30,
    )
    line("its memory", f"{mb / 1000:.2f} GB", "4 GB", mb <= 4000)
    after, other = answer(out), answer(full)
    p, r, _ = scores([after[i] for i in after], [other[i] for i in after])
    agree = 1 / (1 / p + 1 / r - 1)
    line("pairs as in a full run of all", f"{agree:.5f} of those together in either", "0.999", agree >= 0.999)
    events = [json.loads(e) for e in out.with_suffix(".events.jsonl").read_text().splitlines()]
    moves = {(v, e["from"], e["to"]) for e in events if "to" in e for v in e["records"]}
    changed = {(v, before.get(v), c) for v, c in after.items() if before.get(v) != c}
    silent = len(changed - moves)
    line("identifiers changed without an event", f"{silent} of {len(changed):,} changed", "0", silent == 0)
    p, r, f = scores(list(after.values()), [truth[i] for i in after])
    line("against the truth, after", f"precision {p:.4f}, recall {r:.4f}, F1 {f:.4f}")
    p, r, f = scores(list(other.values()), [truth[i] for i in other])
    line("against the truth, full run", f"precision {p:.4f}, recall {r:.4f}, F1 {f:.4f}")
    false = sum(after[a] == after[b] for a, b in guarded)
    line("guarded pairs joined falsely, after", f"{false} of {len(guarded):,}", "0", false == 0)
    false = sum(other[a] == other[b] for a, b in guarded)
    line("guarded pairs joined falsely, full run", f"{false} of {len(guarded):,}", "0", false == 0)
    wall, busy, mb, _ = command("--out", str(out), "--undo", "last")
    same = answer(out) == before
    line("taken back: every identifier as before", f"{same}, {busy:.1f} s of processor", "True", same)


def main(words: list[str]) -> int:
    """Measure with the sizes asked for."""
    records, new = (int(words[0]) if words else 100_000), (int(words[1]) if len(words) > 1 else 1_000)
    if len(words) > 2:
        Path(words[2]).mkdir(parents=True, exist_ok=True)
        measure(records, new, Path(words[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(records, new, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
