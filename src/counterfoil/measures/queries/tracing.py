"""From a number down to file, row and byte, and up again: worked out once more from the raw bytes alone."""

import tempfile
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.measure import Place, Tables
from counterfoil.engines.measure.sheets import Spot, locate
from counterfoil.measures import rules
from counterfoil.measures.queries import down
from counterfoil.measures.queries.numbers import Number, compute, number
from counterfoil.measures.queries.stock import MONTHLY, Stock, tables


@dataclass(frozen=True)
class TraceRow:
    """One published row: its file and digest, its number there, its first byte and how many, and those bytes.

    In a spreadsheet `sheet` and `cell` say where, and the bytes are those of the unzipped member that holds the cell.
    """

    name: str
    sha256: str
    row: int
    offset: int
    length: int
    bytes: bytes
    text: str
    sheet: str = ""
    cell: str = ""


def trace(
    viewer: Viewer, address: str, skip: int = 0, take: int = 50, part: str = ""
) -> tuple[TraceRow, ...]:
    """Return the published rows that a number rests on, `take` of them after `skip`, raw files re-hashed on the way.

    `part` is one of `parts_of(measure)`: what is counted (the default) or what it is divided by. Raises BadInput for an
    unknown address or part and Corrupt when a raw file has changed.
    """
    one = number(viewer, address)
    found = down.page_of(one, part, skip=skip, take=take)
    spots = _spots(found)
    rows = []
    for r in found:
        p, spot = r.place, spots.get(r.place)
        if spot is not None:
            rows.append(
                TraceRow(r.name, p.file, p.row, spot.offset, spot.length, spot.bytes, r.text, p.sheet, p.cell)
            )
        else:
            rows.append(TraceRow(r.name, p.file, p.row, p.offset, p.length, r.text.encode(), r.text))
    return tuple(rows)


def _spots(found: list[down.Row]) -> dict[Place, Spot]:
    """Return where the cells among some rows are in the unpacked members of their spreadsheets."""
    by_file: dict[tuple[str, str], list[Place]] = {}
    for r in found:
        if r.place.cell:
            by_file.setdefault((r.name, r.place.file), []).append(r.place)
    spots: dict[Place, Spot] = {}
    for (name, sha256), places in by_file.items():
        cells = [(p.sheet, p.cell) for p in places]
        spots |= dict(zip(places, locate(name, tables().published_bytes(sha256), cells), strict=True))
    return spots


@dataclass(frozen=True)
class Recomputed:
    """A number beside the same number worked out again from raw bytes."""

    shown: Number
    again: Number
    same: bool
    seconds: float

    @property
    def value(self) -> int | Decimal | None:
        """Return the value worked out again."""
        return self.again.value


def recompute(viewer: Viewer, address: str) -> Recomputed:
    """Work a number out again from the raw files: each is re-hashed and read anew, nothing remembered is used."""
    shown = number(viewer, address)
    began = time.monotonic()
    kept = tables()
    with tempfile.TemporaryDirectory(prefix="counterfoil-again-") as folder:
        fresh = Tables(Path(folder))
        for one in shown.used:
            raw = kept.published_bytes(one.sha256)
            if one.kind in MONTHLY:
                fresh.rebuild(one, raw, shown.id.force if not shown.merged else "")
            else:
                layouts = [replace(x, where=one.force or x.where) for x in rules.layouts_of(one.kind)]
                fresh.rebuild_facts(one, raw, layouts, rules.place_of)
        used, older = rules.current(shown.used)
        again = compute(shown.id, Stock(used, older, shown.used, fresh), viewer=viewer)
    same = (shown.value, shown.low, shown.high, shown.part, shown.whole) == (
        again.value,
        again.low,
        again.high,
        again.part,
        again.whole,
    )
    return Recomputed(shown, again, same, time.monotonic() - began)
