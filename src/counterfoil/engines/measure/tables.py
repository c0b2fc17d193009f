"""Keep published tables: the raw file byte for byte, an immutable Parquet copy of its rows, and a catalogue.

    root/raw/<sha256>                 the file exactly as it was handed over
    root/rows/<sha256>.<kind>.parquet its rows, each with file digest, row number, byte offset and length
    root/catalogue/<name>.<sha256[:16]>.json   what, from whom, when; written last, so a table without an entry
                                      was never imported

Nothing is ever rewritten. Two different files for the same force and month are two entries: the newest is used
and the older is kept and shown.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     Tables(Path(folder)).held()
()
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.engines.disk import place
from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.measure import extract, facts, sheets
from counterfoil.engines.measure.figures import Place
from counterfoil.engines.measure.policeuk import Parsed, read

FORMAT = 1


@dataclass(frozen=True)
class Held:
    """One published file that was imported: an entry of the catalogue."""

    name: str
    sha256: str
    size: int
    kind: str
    source: str
    force: str
    month: str
    rows: int
    vintage: str
    imported_at: str
    imported_by: str
    order: int
    notes: tuple[str, ...]
    table_sha256: str
    parts: tuple[tuple[str, str, int], ...] = ()
    format: int = FORMAT

    @property
    def pieces(self) -> tuple[tuple[str, str, int], ...]:
        """Return (force, month, rows) of all that the file holds; one for a file of one force and month."""
        return self.parts or ((self.force, self.month, self.rows),)

    @property
    def edition(self) -> str:
        """Name what may be counted together: one day of release, and files of one shape (single, or of many forces)."""
        return f"{self.vintage}{'|extract' if self.parts else ''}"

    @property
    def age(self) -> tuple[str, str, int, str]:
        """Sort key: later is newer. The vintage, when one was given, goes before the time of import."""
        return (self.vintage or self.imported_at[:10], self.imported_at, self.order, self.sha256)


class Tables:
    """The published tables in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.raw = root / "raw"
        self.rows = root / "rows"
        self.catalogue = root / "catalogue"

    # -- reading ------------------------------------------------------------------------------------------

    def held(self) -> tuple[Held, ...]:
        """Return every catalogue entry, oldest first."""
        try:
            names = tuple(sorted(e.name for e in os.scandir(self.catalogue) if e.name.endswith(".json")))
        except FileNotFoundError:
            return ()
        return _held(self.catalogue, names)

    def path(self, one: Held) -> Path:
        """Return the Parquet file with the rows of an entry."""
        return self.rows / f"{one.sha256}.{one.kind}.parquet"

    def published_bytes(self, sha256: str) -> bytes:
        """Return a raw file, re-hashed as it is read; raises Corrupt when it is gone or has changed."""
        try:
            data = (self.raw / sha256).read_bytes()
        except FileNotFoundError:
            raise Corrupt(f"The published file {sha256} is in the catalogue but not on the disk.") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Corrupt(f"The published file {sha256} no longer has the bytes it had when it was imported.")
        return data

    def published_rows(self, sha256: str, places: Iterable[tuple[int, int]]) -> list[bytes]:
        """Return the bytes at (offset, length) of a raw file, after checking that the file is unchanged."""
        data = self.published_bytes(sha256)
        return [data[offset : offset + length] for offset, length in places]

    def texts(self, one: Held, places: Sequence[Place]) -> list[str]:
        """Return rows of a table as published (of an extract: as a line of CSV), after checking the raw file."""
        if one.parts:
            found = extract.row_texts(one.name, self.published_bytes(one.sha256), (p.row for p in places))
            return [found[p.row] for p in places]
        if any(p.cell for p in places):
            spots = sheets.locate(
                one.name, self.published_bytes(one.sha256), [(p.sheet, p.cell) for p in places]
            )
            return [s.bytes.decode("utf-8") for s in spots]
        if one.name.lower().endswith(".gz"):
            raw_bytes = sheets.content(one.name, self.published_bytes(one.sha256))
            return [_decoded(raw_bytes[p.offset : p.offset + p.length]) for p in places]
        raw = self.published_rows(one.sha256, [(p.offset, p.length) for p in places])
        return [_decoded(r) for r in raw]

    def fsck(self) -> list[str]:
        """Check every entry against its raw file and its rows; return a sentence for each fault."""
        faults = []
        for one in self.held():
            try:
                self.published_bytes(one.sha256)
            except Corrupt as fault:
                faults.append(f"{one.name}: {fault}")
            if one.kind == "boundaries":
                continue
            path = self.path(one)
            if not path.exists():
                faults.append(f"{one.name}: its rows are missing; import the file again to rebuild them.")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != one.table_sha256:
                faults.append(f"{one.name}: its rows differ from those written at import.")
        return faults

    # -- writing ------------------------------------------------------------------------------------------

    def find(self, name: str, sha256: str) -> Held | None:
        """Return the entry of a file with this name and these bytes, if it was imported before."""
        path = self.catalogue / _entry_name(name, sha256)
        return _load(path) if path.exists() else None

    def stage(
        self,
        name: str,
        data: bytes,
        *,
        now: datetime,
        by: str,
        source: str = "data.police.uk",
        vintage: str = "",
        order: int = 0,
    ) -> tuple[Held, bool]:
        """Keep a file of data.police.uk, or a Parquet extract of many, durably, without listing it in the catalogue.

        Returns its entry and whether it is new; the same name with the same bytes is a no-op. Raises BadInput with a
        sentence when the file cannot be read; nothing of it is kept then. `now` is aware UTC.
        """
        digest = hashlib.sha256(data).hexdigest()
        before = self.find(name, digest)
        if before is not None:
            return before, False
        facts, copy = _rows_of(name, digest, data)
        one = Held(
            name=name,
            sha256=digest,
            size=len(data),
            source=source,
            vintage=vintage,
            imported_at=_instant(now),
            imported_by=by,
            order=order,
            table_sha256=hashlib.sha256(copy).hexdigest(),
            **facts,
        )
        self._keep(one, data, copy)
        return one, True

    def stage_facts(
        self,
        name: str,
        data: bytes,
        layouts: Sequence[facts.Layout],
        place_of: Callable[[str], str],
        *,
        now: datetime,
        by: str,
        source: str,
        vintage: str = "",
        order: int = 0,
        force: str = "",
        month: str = "",
    ) -> tuple[Held, bool]:
        """Keep a published table of one of these layouts; same rules as `stage`. Its kind is the layout's id."""
        digest = hashlib.sha256(data).hexdigest()
        before = self.find(name, digest)
        if before is not None:
            return before, False
        found = facts.parse(name, data, layouts, place_of)
        copy = _written(facts.table(found, digest))
        one = Held(
            name=name,
            sha256=digest,
            size=len(data),
            kind=found.layout.id,
            source=source,
            force=force,
            month=month,
            rows=len(found.facts),
            vintage=vintage,
            imported_at=_instant(now),
            imported_by=by,
            order=order,
            notes=found.notes,
            table_sha256=hashlib.sha256(copy).hexdigest(),
        )
        self._keep(one, data, copy)
        return one, True

    def rebuild_facts(
        self, one: Held, data: bytes, layouts: Sequence[facts.Layout], place_of: Callable[[str], str]
    ) -> None:
        """Write the facts of an entry again from its raw bytes, into this folder."""
        self.rows.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = facts.parse(one.name, data, layouts, place_of)
        self.path(one).write_bytes(_written(facts.table(found, one.sha256)))

    def stage_boundaries(
        self, name: str, data: bytes, *, now: datetime, by: str, source: str, vintage: str = ""
    ) -> tuple[Held, bool]:
        """Keep a GeoJSON file of areas, to draw outlines from; same rules as `stage`."""
        digest = hashlib.sha256(data).hexdigest()
        before = self.find(name, digest)
        if before is not None:
            return before, False
        try:
            features = json.loads(data)["features"]
            count = len(features)
            if not all(f["geometry"]["type"] in ("Polygon", "MultiPolygon") for f in features):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise BadInput(name, f"{name}: this is not a GeoJSON collection of areas.") from None
        one = Held(
            name=name,
            sha256=digest,
            size=len(data),
            kind="boundaries",
            source=source,
            force="",
            month="",
            rows=count,
            vintage=vintage,
            imported_at=_instant(now),
            imported_by=by,
            order=0,
            notes=(),
            table_sha256="",
        )
        self._keep(one, data, None)
        return one, True

    def rebuild(self, one: Held, data: bytes, force: str = "") -> None:
        """Write the rows of an entry again from its raw bytes, into this folder; of an extract one force's only."""
        self.rows.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.path(one).exists():
            self.path(one).write_bytes(_rows_of(one.name, one.sha256, data, force)[1])

    def publish(self, one: Held) -> None:
        """List a staged file in the catalogue; from now on it is held. Doing it twice changes nothing."""
        self.catalogue.mkdir(parents=True, exist_ok=True, mode=0o700)
        entry = json.dumps(asdict(one), indent=1, sort_keys=True, ensure_ascii=False).encode()
        _place(self.catalogue / _entry_name(one.name, one.sha256), entry + b"\n")

    def add(
        self, name: str, data: bytes, *, now: datetime, by: str, vintage: str = "", order: int = 0
    ) -> tuple[Held, bool]:
        """Stage and publish one data.police.uk file at once."""
        one, new = self.stage(name, data, now=now, by=by, vintage=vintage, order=order)
        if new:
            self.publish(one)
        return one, new

    def _keep(self, one: Held, data: bytes, copy: bytes | None) -> None:
        for folder in (self.raw, self.rows):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _place(self.raw / one.sha256, data)
        if copy is not None:
            _place(self.path(one), copy)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _instant(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _entry_name(name: str, sha256: str) -> str:
    return f"{name}.{sha256[:16]}.json"


def _place(path: Path, data: bytes) -> None:
    """Write a file for good; one that is there already stays."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            place(path, data, mode=0o400)


def _rows_of(name: str, digest: str, data: bytes, force: str = "") -> tuple[dict[str, Any], bytes]:
    """Read a file of crimes or outcomes; return what its entry says of it, and its rows as Parquet."""
    if name.lower().endswith(".parquet"):
        out = pa.BufferOutputStream()
        found = extract.copy(name, digest, data, out, force)
        return {
            "kind": found.kind,
            "force": "",
            "month": "",
            "rows": found.rows,
            "notes": found.notes,
            "parts": found.parts,
        }, bytes(out.getvalue().to_pybytes())
    parsed = read(name, data)
    return {
        "kind": parsed.kind,
        "force": parsed.force,
        "month": parsed.month,
        "rows": parsed.rows,
        "notes": parsed.notes,
    }, _parquet(digest, parsed)


def _parquet(digest: str, parsed: Parsed) -> bytes:
    """Write the rows as Parquet in memory, the same bytes for the same rows."""
    file = pa.array([digest] * parsed.rows, pa.string()).dictionary_encode()
    table = parsed.table.add_column(0, "file", file)
    return _written(table)


def _written(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd", use_dictionary=True, write_statistics=True)
    return bytes(out.getvalue().to_pybytes())


@lru_cache(maxsize=8192)
def _load(path: Path) -> Held:
    found = json.loads(path.read_bytes())
    if found.get("format") != FORMAT:
        raise Corrupt(f"{path.name} is a catalogue entry of an unknown format.")
    found["notes"] = tuple(found["notes"])
    found["parts"] = tuple((str(f), str(m), int(n)) for f, m, n in found["parts"])
    return Held(**found)


@lru_cache(maxsize=8)
def _held(folder: Path, names: tuple[str, ...]) -> tuple[Held, ...]:
    return tuple(sorted((_load(folder / name) for name in names), key=lambda h: (h.age, h.name)))
