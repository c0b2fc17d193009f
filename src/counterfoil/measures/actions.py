"""Every way to change what the measures rest on: import published tables."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import Held, Tables, file_name
from counterfoil.engines.measure.sheets import SUFFIXES
from counterfoil.ledger.actions import record
from counterfoil.measures import rules
from counterfoil.measures.queries import releases, settle, tables
from counterfoil.reference import forces
from counterfoil.reference import measures as definitions
from counterfoil.reference import tables as table_layouts

POLICE_UK = "data.police.uk"
SEARCHES = re.compile(r"(\d{4}-\d{2})-([a-z][a-z-]*[a-z])-stop-and-search\.csv")
BOUNDARIES_SOURCE = "Office for National Statistics"


@dataclass(frozen=True)
class Imported:
    """What became of every file that was offered."""

    new: tuple[Held, ...]
    already: tuple[Held, ...]
    refused: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    replaced: tuple[tuple[Held, Held], ...]

    @property
    def rows(self) -> int:
        """How many rows the new files hold."""
        return sum(one.rows for one in self.new)

    def sentences(self) -> list[str]:
        """Say in plain sentences what was imported, refused, ignored and replaced, for a terminal."""
        files = "1 file" if len(self.new) == 1 else f"{len(self.new)} files"
        said = [f"{files} imported with {self.rows:,} rows; {len(self.already)} already held byte for byte."]
        said += [f"Refused. {sentence}" for _, sentence in self.refused]
        said += [
            f"{new.name} differs from the file held before (imported {old.imported_at[:10]}): both are kept, "
            "the newer is used and the board says so."
            for old, new in self.replaced
        ]
        for one in self.new:
            strange = sorted({force for force, _, _ in one.parts if not forces.known(force)})
            if strange:
                said.append(
                    f"{one.name} also holds rows of {', '.join(strange)}, which we do not know as a police force of "
                    "England and Wales: they are kept, and no number is given for them."
                )
        if self.ignored:
            shown = ", ".join(self.ignored[:3]) + (" …" if len(self.ignored) > 3 else "")
            said.append(f"Left alone, of a kind not read here: {shown}")
        return said


def _files(paths: Iterable[Path | str], suffixes: tuple[str, ...] = (".csv", ".parquet")) -> list[Path]:
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.name.lower().endswith(suffixes) and p.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput("path", f"There is no file or folder {path}.")
    return found


def _may_import(by: Viewer) -> None:
    if by.id != "clock":
        needs(by, "administrator", "import published tables", second_factor=True)


def import_crimes(paths: Iterable[Path | str], *, by: Viewer, vintage: str = "") -> Imported:
    """Import data.police.uk street and outcome files, or folders of them, exactly as published.

    Each file stands alone: one that cannot be read is refused with a sentence naming the file, the row and what is
    wrong, and the others are still imported. The same bytes again are a no-op. `vintage` is the day the publisher
    released them ("2022-04-20"), when known: of two files for one force and month the newest vintage is used.
    Only an administrator (or the installer, `clock`) may. Raises BadInput when a path does not exist.
    """
    _may_import(by)
    _released(vintage)
    kept = tables()
    now = timezone.now()
    before = {(h.kind, f, m): h for h in kept.held() for f, m, _ in h.pieces}
    new: list[Held] = []
    already: list[Held] = []
    refused: list[tuple[str, str]] = []
    ignored: list[str] = []
    staged: set[tuple[str, str]] = set()
    for order, path in enumerate(_files(paths)):
        said = file_name(path.name)
        searched = SEARCHES.fullmatch(path.name)
        force = said.force if said else searched[2] if searched else ""
        if force and not forces.known(force):
            refused.append(
                (
                    path.name,
                    f"{path.name}: “{force}” is not a police force of England and Wales that we know.",
                )
            )
            continue
        try:
            if searched:
                one, is_new = kept.stage_facts(
                    path.name,
                    path.read_bytes(),
                    [replace(x, where=force) for x in rules.layouts_of("stop-and-search")],
                    rules.place_of,
                    now=now,
                    by=by.id,
                    source=POLICE_UK,
                    vintage=vintage,
                    order=order,
                    force=force,
                    month=searched[1],
                )
            else:
                one, is_new = kept.stage(
                    path.name, path.read_bytes(), now=now, by=by.id, vintage=vintage, order=order
                )
        except BadInput as bad:
            refused.append((path.name, str(bad)))
            continue
        if (one.name, one.sha256) in staged:
            continue
        staged.add((one.name, one.sha256))
        (new if is_new else already).append(one)
    _publish(kept, new, "tables.imported", by)
    replaced: dict[tuple[Held, Held], None] = {}
    for one in new:
        for force, month, _ in one.pieces:
            old = before.get((one.kind, force, month))
            if old is not None:
                replaced[(old, one) if one.age > old.age else (one, old)] = None
            before[one.kind, force, month] = one
    settle()
    return Imported(tuple(new), tuple(already), tuple(refused), tuple(ignored), tuple(replaced))


def import_table(kind: str, paths: Iterable[Path | str], *, by: Viewer, vintage: str = "") -> Imported:
    """Import published tables of one kind (see `reference/tables.toml`): CSV, gzipped CSV, ODS or XLSX.

    Same rules as `import_crimes`: each file stands alone, the same bytes again are a no-op, `vintage` is the day of
    release. Raises BadInput for an unknown kind and for a path that does not exist.
    """
    _may_import(by)
    layouts = rules.layouts(kind)
    if not layouts:
        known = ", ".join(("crimes", *(k for k in table_layouts.kinds() if k != "crimes")))
        raise BadInput("kind", f"“{kind}” is no kind of table that can be imported. There are: {known}.")
    _released(vintage)
    kept, now = tables(), timezone.now()
    new: list[Held] = []
    already: list[Held] = []
    refused: list[tuple[str, str]] = []
    for order, path in enumerate(_files(paths, SUFFIXES)):
        try:
            one, is_new = kept.stage_facts(
                path.name,
                path.read_bytes(),
                layouts,
                rules.place_of,
                now=now,
                by=by.id,
                source=definitions.source(layouts[0].source)["name"],
                vintage=vintage,
                order=order,
            )
        except BadInput as bad:
            refused.append((path.name, str(bad)))
            continue
        (new if is_new else already).append(one)
    _publish(kept, new, "tables.imported", by)
    settle()
    return Imported(tuple(new), tuple(already), tuple(refused), (), ())


def _released(vintage: str) -> None:
    if vintage and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", vintage):
        raise BadInput("vintage", "Give the day of release like 2022-04-20.")


def import_boundaries(path: Path | str, *, by: Viewer, source: str = BOUNDARIES_SOURCE) -> Imported:
    """Import a GeoJSON file of police force areas (WGS 84), from which maps draw a force's outline."""
    _may_import(by)
    kept = tables()
    file = Path(path)
    if not file.is_file():
        raise BadInput("path", f"There is no file {file}.")
    one, is_new = kept.stage_boundaries(
        file.name, file.read_bytes(), now=timezone.now(), by=by.id, source=source
    )
    if is_new:
        _publish(kept, [one], "boundaries.imported", by)
    return Imported((one,) if is_new else (), () if is_new else (one,), (), (), ())


def _publish(kept: Tables, new: list[Held], act: str, by: Viewer) -> None:
    """Write the entry, then list the files: a file in the catalogue always has its line in the ledger."""
    if not new:
        return
    digest = hashlib.sha256("".join(sorted(f"{h.name} {h.sha256}\n" for h in new)).encode()).hexdigest()
    with transaction.atomic():
        record(
            act,
            by=by,
            on=("tables", digest),
            files=[h.sha256 for h in new],
            rows=sum(h.rows for h in new),
        )
    for one in new:
        kept.publish(one)


def release_own(*, by: Viewer) -> releases.Release:
    """Release our own cases up to now as a table that measures are worked out from; one line in the ledger."""
    _may_import(by)
    made, new = releases.make(timezone.now())
    if new:
        with transaction.atomic():
            record(
                "tables.imported",
                by=by,
                on=("tables", made.sha256),
                files=[made.sha256],
                rows=sum(len(ids) for ids in made.cells.values()),
            )
    return made
