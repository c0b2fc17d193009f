"""Bring files into three tables, whatever their columns are called: crimes, outcomes, and delays of recording.

Blank strings are no data, whatever stands for blank. What cannot be read or has no month is counted, never dropped
silently.
"""

# ruff: noqa: S608 - the SQL is put together from our own words and from quoted columns of the file

import gzip
import re
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure.policeuk import called
from counterfoil.engines.rows import quoted

# What a column is called in data.police.uk's files and in tables made from them; matched without case, blanks or marks.
NAMES: dict[str, tuple[str, ...]] = {
    "force": (*called("force"), "force", "forcename", "policeforce", "reportedby", "forcearea"),
    "month": (*called("month"), "crimemonth", "yearmonth", "monthrecorded", "period", "date"),
    "id": (*called("id"), "id", "crimereference", "reference"),
    "area": (*called("area"), "lsoa", "lsoa21cd", "lsoa11cd", "area", "areacode"),
    "type": (*called("type"), "type", "offence", "offencegroup", "category", "crimecategory"),
    "outcome": (*called("outcome"), "outcome", "outcomecategory", "outcomegroup"),
    "reported": (
        "reportedat",
        "reported",
        "reporteddate",
        "datereported",
        "reporteddatetime",
        "timereported",
    ),
    "recorded": (
        "recordedat",
        "recorded",
        "recordeddate",
        "daterecorded",
        "recordeddatetime",
        "timerecorded",
    ),
    "hours": ("hours", "hourstorecord", "delayhours", "recordinghours", "hoursdelay"),
    "count": ("count", "rows", "crimes", "offences", "numberofcrimes", "numberofoffences"),
}
BLANKS = (
    "",
    "na",
    "n/a",
    "#n/a",
    "null",
    "none",
    "nan",
    "<na>",
    "nat",
    "nil",
    "-",
    "--",
    ".",
    "?",
    "(blank)",
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".gz")
ARCHIVES = (".zip", ".tar", ".xz", ".tgz", ".bz2")
MOST = 20 << 30


@dataclass(frozen=True)
class Have:
    """Which tables there are, whether they hold identifiers and areas, and how many rows could not be used."""

    tables: frozenset[str]
    unread: tuple[tuple[str, int], ...]


def plain(name: str) -> str:
    """Return a column's name without case, blanks and marks."""
    return "".join(c for c in name.casefold() if c.isalnum())


def load(db: duckdb.DuckDBPyConnection, paths: Sequence[Path], room: Path, forces: Mapping[str, str]) -> Have:
    """Read files or folders into the tables street, outcomes and delays.

    `room` is an empty folder for what unpacks, `forces` gives other names to forces, by name in small letters. Raises
    BadInput when there is no such file, or none of them is a table of crimes or outcomes.
    """
    parts: dict[str, list[str]] = {"street": [], "outcomes": [], "delays": []}
    groups: dict[tuple[tuple[str, ...], str], list[Path]] = {}
    refused: list[str] = []
    for path in _files(paths, room):
        try:
            columns, how = _header(db, path, room)
        except BadInput as bad:
            refused.append(str(bad))
            continue
        groups.setdefault((columns, how), []).append(path)
    several = sum(map(len, groups.values())) > 1
    for (columns, how), files in groups.items():
        _parts(parts, columns, how, files, several=several)
    have = frozenset(name for name, found in parts.items() if found)
    if not have:
        raise BadInput(
            "PATH",
            refused[0]
            if refused
            else "None of these files is a table of crimes (month, force, crime type) or outcomes (outcome type).",
        )
    unread = [(sentence, 0) for sentence in refused]
    for name in sorted(have):
        try:
            if name == "delays":
                db.execute(f"CREATE TEMP TABLE {name} AS {' UNION ALL '.join(parts[name])}")
            else:
                db.execute(f"CREATE TEMP TABLE raw_{name} AS {' UNION ALL '.join(parts[name])}")
                _clean(db, name, forces)
        except duckdb.Error as e:
            raise BadInput("PATH", f"A file cannot be read: {str(e).splitlines()[0][:300]}") from None
    if _rejects(db):
        lost = db.execute(
            "SELECT count(DISTINCT (file_path, line)) FROM reject_errors JOIN reject_scans USING (scan_id, file_id)"
        ).fetchone()
        if lost and lost[0]:
            unread.append(
                (f"{lost[0]} rows cannot be read: they have too many or too few columns.", int(lost[0]))
            )
    return Have(have, tuple(unread))


def _rejects(db: duckdb.DuckDBPyConnection) -> bool:
    return bool(db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone())


def _parts(
    parts: dict[str, list[str]], columns: tuple[str, ...], how: str, files: Sequence[Path], *, several: bool
) -> None:
    """Write the SQL that takes what is wanted from files with the same columns, as it stands there."""
    known = {
        role: next((c for n in names for c in columns if plain(c) == n), "") for role, names in NAMES.items()
    }
    source = how.replace("FILES", "[" + ", ".join("'" + str(f).replace("'", "''") + "'" for f in files) + "]")

    def text(role: str) -> str:
        return f"CAST({quoted(known[role])} AS VARCHAR)" if known[role] else "CAST(NULL AS VARCHAR)"

    force = text("force") if known["force"] else "'all'"
    month = f"CASE WHEN {text('month')} < ':' THEN substr({text('month')}, 1, 10) ELSE {text('month')} END"
    id = f"trim({text('id')})"
    key = f"CASE WHEN {id} IS NULL OR length({id}) < 9 AND lower({id}) IN {BLANKS} THEN NULL ELSE hash({id}) END"
    src = "hash(filename)" if several else "CAST(0 AS UBIGINT)"
    n = f"coalesce(TRY_CAST({text('count')} AS BIGINT), 1)" if known["count"] else "CAST(1 AS BIGINT)"
    facts = f"{force} AS force, {month} AS month, {key if known['id'] else 'CAST(NULL AS UBIGINT)'} AS id, {n} AS n"
    if known["month"] and known["outcome"]:
        parts["outcomes"].append(
            f"SELECT {facts}, {src} AS src, '' AS area, {text('outcome')} AS type FROM {source}"
        )
    if known["month"] and known["type"]:
        parts["street"].append(
            f"SELECT {facts}, {src} AS src, {text('area')} AS area, {text('type')} AS type FROM {source}"
        )
    if known["reported"] and known["recorded"]:
        parts["delays"].append(
            f"SELECT {force} AS force, {_time(text('reported'))} AS reported, "
            f"(epoch({_time(text('recorded'))}) - epoch({_time(text('reported'))})) / 3600 AS hours FROM {source}"
        )
    elif known["hours"]:
        when = _time(text("reported")) if known["reported"] else _time(text("month"))
        parts["delays"].append(
            f"SELECT {force} AS force, {when} AS reported, TRY_CAST({text('hours')} AS DOUBLE) AS hours FROM {source}"
        )


def _time(text: str) -> str:
    return (
        f"coalesce(TRY_CAST({text} AS TIMESTAMP), try_strptime({text}, ['%d/%m/%Y %H:%M', '%d/%m/%Y %H:%M:%S', "
        f"'%d-%m-%Y %H:%M', '%Y-%m']))"
    )


def _clean(db: duckdb.DuckDBPyConnection, name: str, forces: Mapping[str, str]) -> None:
    """Turn a raw table into one whose blanks are NULL and whose months are numbers like 202107.

    Every different value is looked at once. `fid` stands for force and identifier together.
    """
    columns, joins = [], []
    for column in ("force", "month", "area", "type"):
        values = [
            r[0]
            for r in db.execute(f"SELECT DISTINCT {column} FROM raw_{name}").fetchall()
            if r[0] is not None
        ]
        read = month if column == "month" else clean
        pairs = [(v, read(v)) for v in values]
        if column == "force":
            pairs = [(v, forces.get(c.casefold(), c) if isinstance(c, str) else c) for v, c in pairs]
        changed = pairs if column == "month" else [(v, c) for v, c in pairs if v != c]
        if changed:
            kind = "INTEGER" if column == "month" else "VARCHAR"
            db.execute(f"CREATE OR REPLACE TEMP TABLE map_{name}_{column} (was VARCHAR, becomes {kind})")
            arrow = pa.table({"was": [v for v, _ in changed], "becomes": pa.array([c for _, c in changed])})
            db.register("changed", arrow)
            db.execute(f"INSERT INTO map_{name}_{column} SELECT was, CAST(becomes AS {kind}) FROM changed")
            db.unregister("changed")
            joins.append(f"LEFT JOIN map_{name}_{column} m_{column} ON m_{column}.was = r.{column}")
        if column == "month":
            columns.append("m_month.becomes AS month" if changed else "CAST(NULL AS INTEGER) AS month")
        elif changed:
            columns.append(
                f"CASE WHEN m_{column}.was IS NULL THEN r.{column} ELSE m_{column}.becomes END AS {column}"
            )
        else:
            columns.append(f"r.{column} AS {column}")
    db.execute(
        f"CREATE TEMP TABLE {name} AS SELECT *, hash(id, force) AS fid FROM "
        f"(SELECT {', '.join(columns)}, r.id, r.n, r.src FROM raw_{name} r {' '.join(joins)})"
    )
    db.execute(f"DROP TABLE raw_{name}")


def clean(text: str) -> str | None:
    """Return text without blanks around it, or None when it is one of the words for nothing."""
    found = text.strip().strip("\u200b\ufeff").strip()
    return None if found.casefold() in BLANKS else found


def month(text: str) -> int | None:
    """Return a month as 202107 from "2021-07", "202107", a day, "01/07/2021", "Jul-21" or "July 2021", else None."""
    said = text.strip()
    found = re.match(r"(\d{4})[-/]?(\d{2})(?!\d{3})", said)
    if found:
        year, number = int(found[1]), int(found[2])
    elif found := re.match(r"(?:\d{1,2}/)?(\d{1,2})/(\d{4})\b", said):
        year, number = int(found[2]), int(found[1])
    elif found := re.match(r"(?:\d{1,2}[ -])?([a-z]{3})[a-z]*[ -]+(\d{4}|\d{2})\b", said.casefold()):
        number = MONTHS.index(found[1]) + 1 if found[1] in MONTHS else 0
        year = int(found[2]) + (2000 if len(found[2]) == 2 else 0)
    else:
        return None
    return year * 100 + number if 1900 <= year < 2100 and 1 <= number <= 12 else None


def _files(paths: Sequence[Path], room: Path) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            here = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
            tables = [p for p in here if p.suffix.lower() in SUFFIXES]
            packed = [p for p in here if p.suffix.lower() in ARCHIVES]
            found += tables or [f for p in packed for f in _unpacked(p, room)]
        elif path.is_file():
            found += _unpacked(path, room) if path.suffix.lower() in ARCHIVES else [path]
        else:
            raise BadInput("PATH", f"There is no file or folder {path}. Check its name.")
    if not found:
        raise BadInput("PATH", "There is no CSV or Parquet file there.")
    return found


def _unpacked(path: Path, room: Path) -> list[Path]:
    """Unpack the tables of an archive into `room`: plain files by number, so that no name in it can lead elsewhere."""
    found: list[Path] = []
    left = MOST

    def keep(name: str, content: bytes) -> None:
        nonlocal left
        left -= len(content)
        if left < 0:
            raise BadInput("PATH", f"{path.name} unpacks to more than 20 GB; unpack it yourself.")
        target = room / f"{len(list(room.iterdir())):06d}-{Path(name).name}"
        target.write_bytes(content)
        found.append(target)

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as z:
                for info in z.infolist():
                    if Path(info.filename).suffix.lower() in SUFFIXES:
                        keep(info.filename, z.read(info))
        else:
            with tarfile.open(path) as t:
                for member in t:
                    content = t.extractfile(member) if member.isfile() else None
                    if content is not None and Path(member.name).suffix.lower() in SUFFIXES:
                        keep(member.name, content.read())
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError) as e:
        raise BadInput("PATH", f"{path.name} cannot be unpacked: {e}.") from None
    return found


_CSV = "read_csv(FILES, all_varchar=true, header=true, filename=true, null_padding=true{more})"


def _header(db: duckdb.DuckDBPyConnection, path: Path, room: Path) -> tuple[tuple[str, ...], str]:
    """Return a file's columns and how to read it: Parquet, or CSV in one of the usual encodings, strict if possible."""
    with path.open("rb") as f:
        start = f.read(4)
    if start == b"PAR1":
        tries = ["read_parquet(FILES, filename=true)"]
    else:
        more = [encoding for encoding in [_encoding(path, start)] if encoding]
        say = f", encoding='{more[0]}'" if more else ""
        tries = [
            _CSV.format(more=say),
            _CSV.format(more=f", store_rejects=true{say}"),
            _CSV.format(more=f", strict_mode=false, sample_size=-1{say}"),
        ]
    why = ""
    name = "'" + str(path).replace("'", "''") + "'"
    for how in tries:
        source = how.replace("FILES", f"[{name}]")
        try:
            columns = [str(r[0]) for r in db.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
            if len(tries) > 1:  # the first rows tell nothing of the last ones
                db.execute(f"SELECT count(*) FROM {source}").fetchall()
            return tuple(c for c in columns if c != "filename"), how
        except duckdb.Error as e:
            why = str(e).splitlines()[0][:200]
    raise BadInput("PATH", f"{path.name} cannot be read: {why}")


def _encoding(path: Path, start: bytes) -> str:
    """Return the name DuckDB has for a file's encoding; empty for UTF-8. Text that is no UTF-8 is read as Latin-1."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    rest = b""
    with gzip.open(path, "rb") if start[:2] == b"\x1f\x8b" else path.open("rb") as f:
        while block := f.read(1 << 22):
            block = rest + block
            cut = max(block.rfind(b"\n") + 1, 0) or len(block)
            try:
                block[:cut].decode()
            except UnicodeDecodeError:
                return "latin-1"
            rest = block[cut:]
    return ""
