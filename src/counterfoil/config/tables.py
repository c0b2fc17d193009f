"""The commands about published numbers: import tables, ask for a measure, trace a number to its bytes."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from counterfoil.engines.errors import BadInput


def import_tables(kind: str, paths: list[str], released: str) -> int:
    """Import published tables and say what became of each file; 1 when one was refused."""
    from counterfoil.accounts.rules import Viewer
    from counterfoil.measures.actions import import_boundaries, import_crimes, import_table, release_own

    clock = Viewer.clock()
    if kind == "own":
        made = release_own(by=clock)
        cases = sum(len(ids) for ids in made.cells.values())
        print(
            f"Our own cases were released as of {made.day}: {cases:,} cases of {len(made.months)} ended months."
        )
        return 0
    if kind == "people":
        from counterfoil.measures.hotspots import import_people

        print(f"Who lives in {import_people(Path(paths[0]), by=clock):,} areas is held.")
        return 0
    if kind == "boundaries":
        result = import_boundaries(paths[0], by=clock)
    elif kind == "crimes":
        result = import_crimes([Path(p) for p in paths], by=clock, vintage=released)
    else:
        result = import_table(kind, [Path(p) for p in paths], by=clock, vintage=released)
    print("\n".join(result.sentences()))
    return 0 if not result.refused else 1


def _value(value: Any) -> Any:
    """Return a number for JSON: whole numbers as such, decimals as text, so that no digit is changed."""
    return value if value is None or isinstance(value, int) else str(value)


def _give(answer: Any, where: str) -> None:
    text = json.dumps(answer, indent=1, ensure_ascii=False, allow_nan=False)
    if where == "-":
        print(text)
    else:
        Path(where).write_text(text + "\n", encoding="utf-8")


def _number(one: Any) -> dict[str, Any]:
    return {
        "number": str(one.id),
        "measure": one.id.measure,
        "version": one.definition.version,
        "place": one.id.force,
        "first": one.id.first,
        "last": one.id.last,
        "kind": one.id.type,
        "state": one.state,
        "value": _value(one.value),
        "low": _value(one.low),
        "high": _value(one.high),
        "part": _value(one.part),
        "whole": _value(one.whole),
        "unit": one.definition.unit,
        "vintage": one.vintage,
        "basis": one.basis,
        "files": [{"name": h.name, "sha256": h.sha256} for h in one.used],
    }


def _month(text: str, option: str) -> str:
    from counterfoil.engines.measure.periods import read_period

    found = read_period(text) if text else None
    if text and (found is None or len(text) != 7):
        raise BadInput(option, f"{option} takes a month like 2021-03.")
    return text


def measure(args: argparse.Namespace) -> int:
    """Print a measure for one place: each period held, and the whole of the period asked for."""
    from counterfoil.accounts.rules import Viewer
    from counterfoil.measures import queries, rules
    from counterfoil.reference import measures as definitions

    if args.list or not args.name:
        for one in definitions.measures():
            print(f"{one.id:34} {one.text('name')}  [{one.table or 'our own cases'}]")
        return 0
    first, last = _month(args.from_, "--from"), _month(args.to, "--to")
    names = args.name.split("+")
    if len(names) > 1:
        rules.may_add(names)
    definition = rules.definition(args.name)
    if not args.force:
        held = ", ".join(p.slug for p in queries.places(Viewer.public(), args.name)) or "none"
        raise BadInput("--force", f"Say for which place: --force NAME. Held for this measure: {held}.")
    found = queries.series(Viewer.public(), args.name, args.force, args.kind)
    points = [p for p in found.points if (not first or p.first >= first) and (not last or p.last <= last)]
    whole = (
        queries.number(Viewer.public(), f"{args.name}.{args.force}.{first}_{last}.{args.kind}")
        if first and last
        else None
    )
    if args.json is None:
        for p in points:
            interval = f" ({p.low} to {p.high})" if p.low is not None else ""
            shown = p.state if p.value is None else f"{p.value}{interval}"
            print(f"{p.first} to {p.last}  {shown}  {p.address}")
        if found.state == "no-table":
            print(f"No table held: counterfoil import {rules.import_kind(definition)} PATH", file=sys.stderr)
        if whole is not None:
            print(f"{first} to {last}  {whole.state if whole.value is None else whole.value}  {whole.id}")
        return 0
    _give(
        {
            "measure": definition.id,
            "version": definition.version,
            "name": definition.text("name"),
            "numerator": definition.text("numerator"),
            "denominator": definition.text("denominator"),
            "excluded": definition.text("excluded"),
            "count_basis": definition.basis,
            "offence_set": definition.offence_set,
            "unit": definition.unit,
            "direction": definition.direction,
            "source": found.source["name"],
            "place": args.force,
            "kind": args.kind,
            "state": found.state,
            "import": rules.import_kind(definition) if found.state == "no-table" else "",
            "breaks": [{"at": b.at, "kind": b.kind, "why": b.why} for b in found.breaks],
            "number": _number(whole) if whole is not None else None,
            "points": [
                {
                    "number": p.address,
                    "first": p.first,
                    "last": p.last,
                    "state": p.state,
                    "value": _value(p.value),
                    "low": _value(p.low),
                    "high": _value(p.high),
                    "part": _value(p.part),
                    "whole": _value(p.whole),
                    "vintage": p.vintage,
                }
                for p in points
            ],
        },
        args.json,
    )
    return 0


def trace(args: argparse.Namespace) -> int:
    """Print the published rows behind a number, each with its file, row and bytes; or work it out again."""
    from counterfoil.accounts.rules import Viewer
    from counterfoil.measures import queries

    public = Viewer.public()
    if args.again:
        done = queries.recompute(public, args.number)
        value = done.shown.state if done.shown.value is None else done.shown.value
        print(f"{value}: {'the same' if done.same else 'NOT THE SAME'} from raw bytes, {done.seconds:.1f} s")
        return 0 if done.same else 1
    one = queries.number(public, args.number)
    found = queries.trace(public, args.number, skip=args.skip, take=args.take, part=args.part)
    if args.json is None:
        print(f"{one.id}: {one.state if one.value is None else one.value}", file=sys.stderr)
        for r in found:
            where = f"sheet {r.sheet} cell {r.cell}" if r.cell else f"row {r.row}"
            print(f"{r.name} {r.sha256[:16]} {where} byte {r.offset}+{r.length}  {r.text}")
        return 0
    answer = _number(one) | {
        "rows": [
            {
                "file": r.name,
                "sha256": r.sha256,
                "sheet": r.sheet,
                "cell": r.cell,
                "row": r.row,
                "byte_offset": r.offset,
                "byte_length": r.length,
                "text": r.text,
            }
            for r in found
        ]
    }
    _give(answer, args.json)
    return 0


def on_engine(args: argparse.Namespace) -> int:
    """Print a measure as the engine asked for works it out; Apache Spark uses nothing that was remembered."""
    if args.engine == "duckdb":
        return measure(args)
    from counterfoil.engines import spark
    from counterfoil.engines.measure import figures

    with figures.elsewhere(spark.run):
        return measure(args)


def add(sub: "argparse._SubParsersAction[argparse.ArgumentParser]", ready: Any) -> None:
    """Add these commands to the command line; `ready` sets up what they need before they run."""
    m = sub.add_parser("measure", help="a measure for one place over time, with its definition and vintage")
    m.add_argument("name", nargs="?", default="", help="a measure's id; --list names them")
    m.add_argument("--list", action="store_true", help="name every measure")
    m.add_argument(
        "--force", default="", metavar="PLACE", help="a force, nation or region, for example cleveland"
    )
    m.add_argument(
        "--from", dest="from_", default="", metavar="MONTH", help="first month, for example 2021-03"
    )
    m.add_argument(
        "--to", default="", metavar="MONTH", help="last month; with --from the whole period is given too"
    )
    m.add_argument("--kind", default="all", help="a kind of crime, outcome, age band … (default: all)")
    m.add_argument("--json", nargs="?", const="-", metavar="FILE", help="as JSON (default: standard output)")
    m.add_argument(
        "--engine",
        choices=("duckdb", "spark"),
        default="duckdb",
        help="what works the figures out (from the rows)",
    )
    m.set_defaults(run=lambda args: ready() or on_engine(args))
    t = sub.add_parser("trace", help="a number down to file, row and byte, or again from raw bytes")
    t.add_argument("number", metavar="NUMBER-ID", help="the address of a number, as `measure` prints it")
    t.add_argument("--part", default="", help="rows (what is counted) or base (what it is divided by)")
    t.add_argument("--skip", type=int, default=0)
    t.add_argument("--take", type=int, default=50)
    t.add_argument("--again", action="store_true", help="work the number out again from the raw files")
    t.add_argument("--json", nargs="?", const="-", metavar="FILE", help="as JSON (default: standard output)")
    t.set_defaults(run=lambda args: ready() or trace(args))
