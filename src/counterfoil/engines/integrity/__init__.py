"""What is wrong with published crime data: gaps, repeats, contradictions and sudden shifts, each with its size.

A finding is a question for whoever supplied the data, never a verdict: it says what, where, since when, how big, and
which published numbers it touches. Thresholds are on a force's own history and on what the other forces did at the same
time, so that a change that came to everybody is nobody's fault.

>>> import pathlib, tempfile
>>> file = pathlib.Path(tempfile.mkdtemp()) / "crimes.csv"
>>> lines = ["month,force,crime type,lsoa code"]
>>> lines += [f"2024-{m:02},Amberdale,Theft,E0{i % 5}" for m in (1, 2, 3, 5, 6) for i in range(50)]
>>> _ = file.write_text("\\n".join(lines))
>>> [(f.kind, f.where, f.since, f.size) for f in inspect([file])]
[('missing-month', 'Amberdale', '2024-04', 50)]
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from counterfoil.engines.integrity import areas, delays, identifiers, mix, outcomes, supply
from counterfoil.engines.integrity.finding import KINDS, Book, Finding
from counterfoil.engines.integrity.read import load
from counterfoil.engines.rows import database

__all__ = ["KINDS", "Book", "Finding", "inspect"]


def inspect(paths: Sequence[Path], book: Book | None = None) -> list[Finding]:
    """Return every finding in these files, folders or archives of CSV and Parquet, by kind, place and month.

    `book` knows what the numbers' addresses call forces and types, and which forces a whole country has. Raises
    BadInput when there is no such file or none of them is a table of crimes or outcomes.
    """
    book = book or Book()
    with (
        tempfile.TemporaryDirectory() as room,
        database(memory_limit="2GB", temp_directory=room) as db,
    ):
        have = load(db, paths, Path(room), book.names)
        found = [
            book.finding("unreadable-rows", "all", 0, 0, n or 1, sentence) for sentence, n in have.unread
        ]
        tables = have.tables & {"street", "outcomes"}
        for table in sorted(tables):
            found += supply.unusable(db, table, book)
            found += supply.twice(db, table, book)
        found += supply.forces(db, tables, book)
        if "street" in tables:
            found += supply.months(db, "street", book)
            found += supply.types(db, book)
            changed = areas.codes(db, book)
            found += changed
            found += supply.areas(db, book, {f.force for f in changed})
            found += areas.blank(db, book)
            found += areas.trends(db, book)
            found += areas.guests(db, book)
            found += identifiers.repeats(db, book)
            found += identifiers.across(db, book)
            found += identifiers.absent(db, book)
            found += mix.shifts(db, "street", "reclassification", book)
        if "outcomes" in tables:
            found += supply.months(db, "outcomes", book)
            found += outcomes.repeated(db, book)
            found += outcomes.conflicts(db, book)
            found += outcomes.never_used(db, book)
            found += mix.shifts(db, "outcomes", "closure-shift", book)
        if len(tables) == 2:
            again = {f.force for f in found if f.kind == "identifiers-restart"}
            found += identifiers.unmatched(db, book, again)
            found += outcomes.before(db, book)
            again = {f.force for f in found if f.kind == "identifiers-restart"}
            found += outcomes.cohorts(db, book, again)
        if "delays" in have.tables:
            found += delays.heaping(db, book)
    return sorted(found, key=lambda f: (f.kind, f.where, f.since))
