"""Take in a folder exported from another evidence system, with its audit kept as an exhibit of its own.

How Axon Evidence and NICE Investigate lay out an export is not public, so nothing here depends on it: every file
becomes an exhibit; a table (CSV or JSON) with file names and checksums is a manifest and is checked first; a file whose
name or columns say that it is an audit is the audit. What none of this recognises is an exhibit like any other.
"""

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import queries as cases
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.sniff import Kind, sniff
from counterfoil.engines.vault import Stored
from counterfoil.evidence.actions import _open_case, _title
from counterfoil.evidence.labels import next_number
from counterfoil.evidence.models import Exhibit
from counterfoil.evidence.restricting import how_restricted
from counterfoil.evidence.rules import clean_title
from counterfoil.ledger.actions import once, record
from counterfoil.plugs.stores import vault

MOST_FILES, MOST_TEXT = 5000, 16 << 20
DIGESTS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
_AUDIT = re.compile(r"audit|chain[ _-]?of[ _-]?custody|access[ _-]?log|evidence[ _-]?history", re.IGNORECASE)
_AUDIT_COLUMNS = re.compile(
    r"user|officer|actor|performed|action|activity|event|time|date|ip|badge", re.IGNORECASE
)
_NAME_COLUMN = re.compile(r"file|name|path|evidence|title", re.IGNORECASE)
_SUM_COLUMN = re.compile(r"check ?sum|hash|digest|sha|md5|fingerprint", re.IGNORECASE)
_SYSTEMS = (
    ("axon", re.compile(r"\baxon\b|evidence\.com", re.IGNORECASE)),
    ("nice", re.compile(r"\bnice\b|evidencentral|investigate", re.IGNORECASE)),
)
_HEX = re.compile(r"[0-9a-fA-F]{32,128}", re.ASCII)


@dataclass(frozen=True)
class Found:
    """One file of the folder, read once: where it was, what it is, its digests and, for a small text, its words."""

    name: str
    path: Path
    kind: Kind
    sha256: str
    size: int
    table: tuple[Mapping[str, str], ...] = ()

    @property
    def is_audit(self) -> bool:
        """Say whether this is the exporting system's audit: by its name, or by columns that only an audit has."""
        if _AUDIT.search(PurePosixPath(self.name).name):
            return True
        columns = {c for row in self.table[:1] for c in row}
        return len({m for c in columns if (m := _AUDIT_COLUMNS.search(c))}) >= 3 and not self.sums

    @property
    def sums(self) -> dict[str, str]:
        """Return the checksums that this file lists, by file name; empty when it is no manifest."""
        listed: dict[str, str] = {}
        for row in self.table:
            name = next(
                (v for k, v in row.items() if _NAME_COLUMN.search(k) and not _SUM_COLUMN.search(k) and v), ""
            )
            digests = [v.strip() for k, v in row.items() if _SUM_COLUMN.search(k)]
            sums = [d for d in digests if _HEX.fullmatch(d) and len(d) in DIGESTS]
            if name and sums:
                listed[name.replace("\\", "/").lstrip("./")] = max(sums, key=len).lower()
        return listed


@dataclass
class Imported:
    """What came of an import: the exhibits by label, which are audits and manifests, and what to tell."""

    exhibits: dict[str, UUID] = field(default_factory=dict)
    audits: list[str] = field(default_factory=list)
    system: str = "unknown"
    checked: int = 0

    def sentences(self) -> list[str]:
        """Say in plain sentences what was taken in."""
        known = {"axon": "Axon Evidence", "nice": "NICE"}.get(self.system, "a system that is not recognised")
        count = len(self.exhibits)
        took = (
            "1 file was taken in as an exhibit" if count == 1 else f"{count} files were taken in as exhibits"
        )
        said = [f"{took}, exported from {known}."]
        said.append(
            f"{self.checked} of them were checked against the export's own checksums, and all agree."
            if self.checked
            else "The export lists no checksums, so nothing could be checked against it."
        )
        said.append(
            f"Its audit is kept as {', '.join(self.audits)}."
            if self.audits
            else "No audit was found in it. Ask the exporting force for the audit of each item."
        )
        return said


def find_case(name: str, by: Viewer) -> UUID:
    """Return the open case of a number like C-2026-000001 that this person works on; BadInput when there is none."""
    found = [c.id for c in cases.my_cases(by, limit=100_000) if name in (c.number, c.crime_number, str(c.id))]
    if len(found) != 1:
        raise BadInput("case", f"You work on no open case {name}.")
    return found[0]


def import_folder(folder: Path, case_id: UUID, *, by: Viewer) -> Imported:
    """Take in every file of an exported folder as exhibits of a case, all or none, and say what was found.

    Nothing is sealed unless every checksum in every manifest agrees with its file and every file listed is there.
    The same folder again changes nothing.
    """
    needs(by, "officer", "take in an exported folder")
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    found = read_folder(folder)
    checked = check_sums(found)
    stored: dict[str, Stored] = {}
    restricted: dict[str, str] = {}
    for f in found:
        with f.path.open("rb") as stream:
            stored[f.name] = vault().add(stream, expected_sha256=f.sha256)
        restricted[f.name] = how_restricted(f.sha256, f.size)
    card = accounts.actor_card(by, by.id)
    letters = card["initials"] if card else "XX"
    system = system_of(found)
    digest = hashlib.sha256("\n".join(f"{f.sha256}  {f.name}" for f in found).encode()).hexdigest()

    def act() -> dict[str, Any]:
        case = _open_case(case_id, by)
        now = timezone.now()
        made: dict[str, str] = {}
        audits: list[str] = []
        # The audit first, so that every other entry can name it.
        audit_ids: list[str] = []
        for f in sorted(found, key=lambda f: (not f.is_audit, f.name)):
            exhibit = Exhibit.objects.create(
                id=uuid4(),
                case=case,
                initials=letters,
                number=next_number(letters),
                produced_by_id=by.id,
                holder_id=by.id,
                sha256=stored[f.name].sha256,
                size=stored[f.name].size,
                media_type=f.kind.media_type,
                extension=f.kind.extension,
                original_name=f.name[-255:],
                received_at=now,
                taken_at=now,
                restricted=restricted[f.name],
            )
            title_sha256 = _title(exhibit, title_of(f), by)
            record(
                "exhibit.imported",
                by=by,
                on=("exhibit", exhibit.pk),
                thread=case.pk,
                label=exhibit.label,
                sha256=exhibit.sha256,
                size=exhibit.size,
                title_sha256=title_sha256,
                restricted=exhibit.restricted,
                system=system,
                folder_sha256=digest,
                audit=f.is_audit,
                audits=list(audit_ids),
                checked=f.name in checked,
            )
            made[exhibit.label] = str(exhibit.pk)
            if f.is_audit:
                audits.append(exhibit.label)
                audit_ids.append(str(exhibit.pk))
        return {"exhibits": made, "audits": audits}

    answer = once("evidence.import", f"{digest[:40]}{str(case_id).replace('-', '')[:20]}", digest, act)
    return Imported(
        exhibits={label: UUID(pk) for label, pk in answer["exhibits"].items()},
        audits=list(answer["audits"]),
        system=system,
        checked=len(checked),
    )


def read_folder(folder: Path) -> list[Found]:
    """Return every plain file below a folder in order of name; BadInput when there is none, too many, or a link."""
    if not folder.is_dir():
        raise BadInput("folder", "Give the folder that was exported. If it is packed, unpack it first.")
    found: list[Found] = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            if path.is_symlink() or not path.is_file():
                raise BadInput(
                    "folder", f"{name} is a link and not a file. Export the folder again without links."
                )
            if not path.stat().st_size:
                continue
            if len(found) >= MOST_FILES:
                raise BadInput(
                    "folder", f"There are more than {MOST_FILES} files in this folder. Take it in parts."
                )
            found.append(_read(path, path.relative_to(folder).as_posix()))
    if not found:
        raise BadInput("folder", "There are no files in this folder.")
    return sorted(found, key=lambda f: f.name)


def _read(path: Path, name: str) -> Found:
    with path.open("rb") as file:
        head = file.read(4096)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    clean = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    size = path.stat().st_size
    table: tuple[Mapping[str, str], ...] = ()
    if path.suffix.lower() in (".csv", ".json", ".txt", ".tsv") and size <= MOST_TEXT:
        table = rows_of(path.read_bytes())
    return Found(clean, path, sniff(head), sha256, size, table)


def rows_of(data: bytes) -> tuple[Mapping[str, str], ...]:
    """Return the rows of a CSV or JSON table as texts by column; none when it is no table."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return ()
    if text.lstrip()[:1] in ("{", "["):
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            return ()
        rows = told if isinstance(told, list) else next((v for v in told.values() if isinstance(v, list)), [])
        return tuple({str(k): str(v) for k, v in r.items()} for r in rows if isinstance(r, dict))
    first = text.partition("\n")[0]
    mark = max((",", ";", "\t"), key=first.count)
    if mark not in first:
        return ()
    try:
        return tuple(
            {str(k): str(v) for k, v in r.items()} for r in csv.DictReader(io.StringIO(text), delimiter=mark)
        )
    except csv.Error:
        return ()


def check_sums(found: list[Found]) -> set[str]:
    """Return the names of the files whose bytes agree with a manifest; BadInput when one differs or is missing."""
    by_name: dict[str, Found] = {}
    for f in found:
        by_name[f.name] = f
        by_name.setdefault(PurePosixPath(f.name).name, f)
    agreed: set[str] = set()
    for manifest in found:
        for name, listed in manifest.sums.items():
            held = by_name.get(name) or by_name.get(PurePosixPath(name).name)
            if held is None:
                raise BadInput(
                    "folder", f"{manifest.name} lists {name}, which is not in the folder. Nothing was taken."
                )
            with held.path.open("rb") as file:
                seen = hashlib.file_digest(file, DIGESTS[len(listed)]).hexdigest()
            if seen != listed:
                raise BadInput(
                    "folder",
                    f"{name} is not what {manifest.name} says: its checksum differs. Nothing was taken. Ask for the "
                    "export again.",
                )
            agreed.add(held.name)
    return agreed


def system_of(found: list[Found]) -> str:
    """Return axon, nice or unknown, from the names of the files and the columns and words of their tables."""
    words = " ".join(
        [*(f.name for f in found), *(f"{k} {v}" for f in found for r in f.table[:20] for k, v in r.items())]
    )
    return next((name for name, mark in _SYSTEMS if mark.search(words)), "unknown")


def title_of(f: Found) -> str:
    """Return what an imported exhibit is called until somebody gives it a better title."""
    what = (
        "Audit of the exporting system"
        if f.is_audit
        else "Manifest of the export"
        if f.sums
        else "Exported file"
    )
    name = "".join(c if c.isprintable() else " " for c in PurePosixPath(f.name).name)
    return clean_title(f"{what}: {name}"[:200])
