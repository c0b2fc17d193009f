"""The commands about numbers: each reads somebody's file, prints JSON on standard output and all else on the other."""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from counterfoil.engines.errors import BadInput


def say(text: str) -> None:
    """Print a line of progress or explanation where it does not mix with the answer."""
    print(text, file=sys.stderr, flush=True)


def give(answer: Any, where: str) -> None:
    """Write an answer as JSON to a file, or to standard output for `-`."""
    text = json.dumps(answer, indent=1, allow_nan=False)
    if where == "-":
        print(text)
    else:
        Path(where).write_text(text + "\n", encoding="utf-8")


def _list(text: str, option: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(
            option, f"{option} takes numbers with commas between them, for example 100,200,400."
        ) from None


def plane(x: Any, y: Any, crs: str) -> tuple[Any, Any]:
    """Return coordinates of a projection in metres."""
    import pyproj

    try:
        known = pyproj.CRS.from_user_input(f"EPSG:{crs}" if crs.isdigit() else crs)
    except pyproj.exceptions.CRSError:
        raise BadInput(
            "--crs", f"{crs!r} is no coordinate system. Give its EPSG number, for example 27700."
        ) from None
    if known.is_geographic:
        return None, None
    metres = known.axis_info[0].unit_conversion_factor
    return x * metres, y * metres


def knox(args: argparse.Namespace) -> int:
    """Print Knox's table of near repeats."""
    from counterfoil.engines import knox as engine
    from counterfoil.engines.rows import read

    rows = read(Path(args.file), time=args.time, numbers=(args.x, args.y), where=args.where or "")
    if rows.finest == "month":
        raise BadInput("--time", engine.MONTHS_ONLY)
    x, y, degrees = rows.numbers[args.x], rows.numbers[args.y], True
    if args.crs:
        in_metres = plane(x, y, args.crs)
        if in_metres[0] is not None:
            (x, y), degrees = in_metres, False
    if rows.left_out:
        say(f"{rows.left_out:,} rows lack a time or a place and are left out.")
    say(f"{len(x):,} events, times by the {rows.finest}; {args.permutations} permutations.")
    cells = engine.knox(
        x,
        y,
        rows.minutes,
        metres=_list(args.metres, "--metres"),
        days=_list(args.days, "--days"),
        permutations=args.permutations,
        degrees=degrees,
        seed=args.seed,
        on_progress=lambda n: say(f"{n} of {args.permutations} permutations"),
    )
    give(
        [
            {
                "metres": list(c.metres),
                "days": list(c.days),
                "observed": c.observed,
                "expected": c.expected,
                "ratio": c.ratio,
                "p": c.p,
            }
            for c in cells
        ],
        args.json,
    )
    return 0


def _counted(args: argparse.Namespace, folder: Path) -> Path:
    """Return the rows of a file as Spark counted them by the columns that `hotspots` asks for."""
    from counterfoil.engines import spark
    from counterfoil.engines.hotspots.load import PLACES
    from counterfoil.engines.linkage import columns

    asked = {c.casefold() for c in (args.time, args.area, args.x, args.y) if c}
    asked |= {c.casefold() for pair in PLACES for c in pair[:2]} if args.area else set()
    words = {w.casefold() for w in re.findall(r"\w+", args.where or "")}
    there = columns(Path(args.file))
    wanted = [
        c for c in there if c.casefold() in asked | words or c.casefold() in (args.where or "").casefold()
    ]
    return spark.counted(Path(args.file), wanted, folder)


def hotspots(args: argparse.Namespace) -> int:
    """Print how a choice of places did: hits, PAI, PEI*."""
    from counterfoil.engines.hotspots import forecast
    from counterfoil.engines.hotspots.fair import FOUND
    from counterfoil.engines.hotspots.load import load
    from counterfoil.engines.rows import minute_of

    if bool(args.area) == bool(args.x and args.y):
        raise BadInput("--area", "Say where events are: either --area COL, or --x COL --y COL --cell SIZE.")
    if args.x and not args.cell:
        raise BadInput("--cell", "Give the width of a cell, in the unit of x and y.")
    until, test = minute_of(args.train_until, "--train-until"), minute_of(args.test_until, "--test-until")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(args.file) if args.engine == "duckdb" else _counted(args, Path(folder))
        loaded = load(
            source,
            time=args.time,
            area=args.area or "",
            x=args.x or "",
            y=args.y or "",
            crs=args.crs or "",
            cell=args.cell or 0.0,
            where=args.where or "",
            plane=plane,
        )
    say(loaded.sentence)
    if any(kind in (args.where or "").lower() for kind in FOUND):
        say("Records of this kind come mostly of what officers look for: they show where officers were, too.")
    model = {"auto": ""}.get(args.model, args.model)
    found = forecast(
        loaded.events,
        train_until=until / 1440,
        test_until=test / 1440,
        share=args.share,
        model=model,
    )
    if found.why:
        say(found.why)
    give(
        {
            "model": found.model,
            "areas": found.areas,
            "hits": found.hits,
            "n": found.n,
            "best_possible": found.best_possible,
            "pai": found.pai,
            "pei": found.pei,
        },
        args.json,
    )
    if args.out:
        each = zip(found.chosen, found.expected, found.low, found.high, strict=True)
        lines = [f"{loaded.names[i]},{mean:.2f},{low:.0f},{high:.0f}" for i, mean, low, high in each]
        Path(args.out).write_text("\n".join(["area,expected,low,high", *lines]) + "\n", encoding="utf-8")
    return 0


def integrity(args: argparse.Namespace) -> int:
    """Print what looks wrong with files of published crime data."""
    from counterfoil.engines.integrity import Book, inspect
    from counterfoil.reference import forces, measures

    known = forces.forces()
    book = Book(
        forces={n.casefold(): f.slug for f in known for n in (f.slug, f.name, *f.aliases)},
        types={n.casefold(): t.slug for t in measures.crime_types() for n in (t.slug, t.name)},
        expected=tuple(f.slug for f in known if f.valid_to is None),
    )
    found = inspect([Path(p) for p in args.paths], book)
    for f in found:
        say(f"{f.kind}: {f.where}, {f.since}: {f.says}")
    say(
        f"{len(found)} finding{'' if len(found) == 1 else 's'}. Each is a question for who supplied the data."
    )
    give(
        [
            {"kind": f.kind, "where": f.where, "since": f.since, "size": f.size, "affects": list(f.affects)}
            for f in found
        ],
        args.json,
    )
    return 0


def redraw(args: argparse.Namespace) -> int:
    """Draw an audit sample again from its frame and the log's statement, and print it with its digest."""
    from counterfoil.engines import sampling

    for name in (args.frame, args.statement):
        if not Path(name).is_file():
            raise BadInput("FILE", f"There is no file {name}.")
    items = sampling.draw(Path(args.frame).read_bytes(), Path(args.statement).read_text("utf-8"), args.size)
    say(f"sample {sampling.digest_of(items)}")
    give([{"number": i.number, "token": i.token, "stratum": i.stratum} for i in items], args.json)
    return 0


def link(args: argparse.Namespace) -> int:
    """Write which records are the same; or add to, take back or explain an earlier answer."""
    from datetime import UTC, datetime

    from counterfoil.engines import linkage

    store = linkage.Store(Path(args.out), Path(args.events) if args.events else None)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if args.undo:
        answer = store.undo(args.undo, at=at)
        for name, (was, now) in answer.pop("numbers_changed").items():
            say(
                f"Worked out again: {name} {now:,}, before {was:,}. Whatever quoted the old number is out of date."
            )
        say("; ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in answer.items()))
        return 0
    if args.file and (args.add or not (args.explain and store.there())):
        if not args.id:
            raise BadInput("--id", "Say which column identifies a record: --id COL.")
        path = Path(args.file)
        if args.add:
            answer = store.add(path, args.id, at=at, say=say)
        else:
            there = linkage.columns(path)
            m = linkage.read_map(Path(args.map), there) if args.map else linkage.guess(there, but=args.id)
            for sentence in m.said:
                say(sentence)
            answer = store.link(path, args.id, m, at=at, say=say, on_spark=args.engine == "spark")
        say("; ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in answer.items()))
    elif not args.explain:
        raise BadInput("IN", "Give a table to link: a CSV or Parquet file.")
    if args.explain:
        print("\n".join(store.explain(*args.explain)))
    return 0


def add(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
    k = sub.add_parser("knox", help="near repeats: do events cluster in space and time?")
    k.add_argument("file", metavar="IN", help="CSV or Parquet")
    k.add_argument("--time", required=True, metavar="COL")
    k.add_argument("--x", required=True, metavar="COL", help="easting, or longitude in degrees")
    k.add_argument("--y", required=True, metavar="COL", help="northing, or latitude in degrees")
    k.add_argument("--crs", metavar="EPSG", help="what x and y are; without it they are degrees")
    k.add_argument("--where", metavar="SQL", help="only rows for which this holds")
    k.add_argument("--metres", default="100,200,400", help="upper ends of the distance bands")
    k.add_argument("--days", default="7,14,21,28", help="upper ends of the time bands")
    k.add_argument("--permutations", type=int, default=999)
    k.add_argument("--seed", type=int, default=20261121)
    k.add_argument(
        "--json", default="-", metavar="FILE", help="where the answer goes (default: standard output)"
    )
    k.set_defaults(run=knox)
    h = sub.add_parser(
        "hotspots", help="where reports will cluster next, and how good that was: places, never people"
    )
    h.add_argument("file", metavar="IN", help="CSV or Parquet")
    h.add_argument("--time", required=True, metavar="COL")
    h.add_argument("--area", metavar="COL", help="the area each event is in")
    h.add_argument("--x", metavar="COL")
    h.add_argument("--y", metavar="COL")
    h.add_argument("--crs", metavar="EPSG", help="what x and y are; without it they are degrees")
    h.add_argument("--cell", type=float, metavar="SIZE", help="width of a cell, in the unit of x and y")
    h.add_argument("--where", metavar="SQL", help="only events for which this holds are foretold")
    h.add_argument("--train-until", required=True, metavar="DAY", help="events before this day are known")
    h.add_argument(
        "--test-until", required=True, metavar="DAY", help="events from then until before this day count"
    )
    h.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb", help="what reads and counts")
    h.add_argument("--share", type=float, required=True, help="share of the areas seen in training to choose")
    h.add_argument(
        "--model",
        default="auto",
        help="baseline, recency, smoothed, kernel, regression, selfexciting, or auto",
    )
    h.add_argument(
        "--out",
        metavar="FILE",
        help="write the chosen areas here, best first, each with the count to expect and its 90 %% bounds",
    )
    h.add_argument(
        "--json", default="-", metavar="FILE", help="where the answer goes (default: standard output)"
    )
    h.set_defaults(run=hotspots)
    n = sub.add_parser(
        "link", help="which records are the same person: id and cluster, learnt from the table itself"
    )
    n.add_argument("file", metavar="IN", nargs="?", help="CSV or Parquet")
    n.add_argument("--id", metavar="COL", help="the column that identifies a record")
    n.add_argument(
        "--map", metavar="MAP.toml", help="what the columns mean; without it that is guessed and said"
    )
    n.add_argument(
        "--out", required=True, metavar="OUT.parquet", help="the answer; what later runs need lies beside it"
    )
    n.add_argument(
        "--add", action="store_true", help="IN holds new records: group them with the answer in OUT"
    )
    n.add_argument(
        "--events", metavar="FILE", help="the log of merges and splits (default: OUT.events.jsonl)"
    )
    n.add_argument(
        "--engine", choices=("duckdb", "spark"), default="duckdb", help="what finds and weighs the pairs"
    )
    n.add_argument("--undo", metavar="N", help="take back event N, or the last addition: `last`")
    n.add_argument("--explain", nargs=2, metavar="ID", help="say why two records are, or are not, together")
    n.set_defaults(run=link)
    i = sub.add_parser(
        "integrity", help="what looks wrong with published crime data: gaps, repeats, sudden shifts"
    )
    i.add_argument("paths", metavar="PATH", nargs="+", help="files or folders of CSV or Parquet")
    i.add_argument(
        "--json", default="-", metavar="FILE", help="where the answer goes (default: standard output)"
    )
    i.set_defaults(run=integrity)
    r = sub.add_parser("redraw", help="draw an audit sample again from its published frame")
    r.add_argument("frame", metavar="FRAME", help="the frame as published: frame.csv")
    r.add_argument("statement", metavar="STATEMENT", help="the log's statement as published: statement.txt")
    r.add_argument("--size", type=int, required=True, help="how many were drawn")
    r.add_argument(
        "--json", default="-", metavar="FILE", help="where the answer goes (default: standard output)"
    )
    r.set_defaults(run=redraw)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of these commands by itself, for those who want no more of the house."""
    top = argparse.ArgumentParser(prog="counterfoil")
    add(top.add_subparsers(dest="command", required=True))
    args = top.parse_args(argv)
    return int(args.run(args))
