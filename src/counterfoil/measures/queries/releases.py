"""Releases of our own cases: counted from the log for months that have ended, kept, and never live.

A number that is asked for again and again while cases come in would give away, by where its rounding turns, what each
case added. So all own-case measures are worked out from a release of a whole table, made by `counterfoil import own`,
and the release is not a public file: it holds true counts and which case is in which cell.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from counterfoil.engines.clock import London
from counterfoil.engines.errors import Corrupt
from counterfoil.engines.measure.memory import write
from counterfoil.ledger.queries.acts import Event, events
from counterfoil.measures.queries.stock import tables
from counterfoil.places import queries as places

ACTS = ("report.accepted", "case.opened", "case.recorded", "case.not_crimed", "duty.done", "outcome.recorded")
IN_DAY, RESPONSE = timedelta(hours=24), timedelta(hours=4)
Cell = tuple[str, str, str, str, str, str]  # force, kind, month, recording, response, outcome


@dataclass
class _Case:
    report: str = ""
    force: str = ""
    kind: str = "erased"
    received: datetime | None = None
    recorded: datetime | None = None
    no_crime: bool = False
    responded: datetime | None = None
    outcome: str = ""

    def cell(self, received: datetime) -> Cell:
        recording = "no-crime" if self.no_crime and self.recorded is None else "open"
        if self.recorded is not None:
            recording = "in-day" if self.recorded - received <= IN_DAY else "late"
        response = "open"
        if self.responded is not None:
            response = "in-time" if self.responded - received <= RESPONSE else "late"
        month = received.astimezone(London).strftime("%Y-%m")
        return (self.force, self.kind, month, recording, response, self.outcome)


@dataclass(frozen=True)
class Release:
    """One release: the day it was made, the moment up to which the log was read, and the cases in each cell.

    areas: for each force, how many of its neighbourhoods had an officer posted to them that day, and how many it has.
    patrols: for each force and month, the minutes of planned patrols that officers logged as done.
    """

    sha256: str
    day: str
    until: datetime
    cells: Mapping[Cell, tuple[UUID, ...]]
    areas: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    patrols: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def months(self) -> tuple[str, ...]:
        """Return the months of which cases are counted."""
        return tuple(sorted({cell[2] for cell in self.cells}))


def count(until: datetime) -> dict[Cell, tuple[UUID, ...]]:
    """Count the cases in the log before a moment, by cell, for months that ended at least two days earlier.

    A case stands in the month in which its first report was received, by London's clock. Only the log is read.
    """
    reports: dict[str, tuple[str, str, datetime]] = {}
    cases: dict[UUID, _Case] = {}
    for e in events(ACTS, until):
        if e.act == "report.accepted":
            reports[e.subject] = (str(e.body.get("force", "")), str(e.body.get("kind", "erased")), e.at)
        elif e.thread is not None:
            _happened(cases.setdefault(e.thread, _Case()), e)
    slugs = {f.code: f.slug for f in places.forces(until)}
    for case in cases.values():
        if case.received is not None:
            code, case.kind, case.received = reports.get(case.report, ("", "erased", case.received))
            case.force = slugs.get(code, "")
    ended = (until - timedelta(days=2)).astimezone(London).strftime("%Y-%m")
    found: dict[Cell, list[UUID]] = {}
    for id, case in sorted(cases.items(), key=lambda i: i[0].hex):
        if case.received is None or not case.force:
            continue
        cell = case.cell(case.received)
        if cell[2] < ended:
            found.setdefault(cell, []).append(id)
    return {cell: tuple(ids) for cell, ids in sorted(found.items())}


def patrols(until: datetime) -> dict[tuple[str, str], int]:
    """Add up the minutes of patrols logged before a moment, by force and month."""
    slugs = {f.code: f.slug for f in places.forces(until)}
    found: dict[tuple[str, str], int] = {}
    for e in events(("patrols.logged",), until):
        key = slugs.get(e.subject, ""), str(e.body.get("day", ""))[:7]
        if all(key):
            found[key] = found.get(key, 0) + int(e.body["minutes"])
    return dict(sorted(found.items()))


def _happened(case: _Case, e: Event) -> None:
    """Take one event of a case into account; events come oldest first."""
    if e.act == "case.opened":
        case.report, case.received = str(e.body.get("report", "")), e.at
    elif e.act == "case.recorded":
        case.recorded = case.recorded or e.at
    elif e.act == "case.not_crimed":
        case.no_crime = True
    elif e.act == "duty.done":
        case.responded = case.responded or (e.at if e.body.get("kind") == "triage" else None)
    elif e.act == "outcome.recorded":
        case.outcome = str(e.body.get("type", "erased"))


def make(until: datetime) -> tuple[Release, bool]:
    """Make and keep a release of the log up to a moment; return it and whether it is new. `until` is aware."""
    cells = count(until)
    areas = {f.slug: places.neighbourhoods(f.code, until) for f in places.forces(until)}
    body = json.dumps(
        {
            "day": until.astimezone(London).strftime("%Y-%m-%d"),
            "until": until.isoformat(),
            "cells": [[*cell, [str(i) for i in ids]] for cell, ids in cells.items()],
            "areas": areas,
            "patrols": [[*key, n] for key, n in patrols(until).items()],
        },
        separators=(",", ":"),
    ).encode()
    digest = hashlib.sha256(body).hexdigest()
    path = _folder() / f"{until.strftime('%Y%m%dT%H%M%S')}-{digest}.json"
    if new := not path.exists():
        write(path, body)
        path.chmod(0o400)
    return _load(path), new


def _folder() -> Path:
    return tables().root / "own"


@lru_cache(maxsize=8)
def _load(path: Path) -> Release:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    if not path.stem.endswith(digest):
        raise Corrupt(f"The release {path.name} no longer has the bytes it had when it was made.")
    found: dict[str, Any] = json.loads(body)
    return Release(
        digest,
        found["day"],
        datetime.fromisoformat(found["until"]),
        {tuple(row[:6]): tuple(UUID(i) for i in row[6]) for row in found["cells"]},
        {slug: (int(a), int(b)) for slug, (a, b) in found["areas"].items()},
        {(slug, month): int(n) for slug, month, n in found["patrols"]},
    )


def releases() -> Iterator[Release]:
    """Yield the releases held, newest first."""
    folder = _folder()
    if folder.is_dir():
        for path in sorted((p for p in folder.iterdir() if p.suffix == ".json"), reverse=True):
            yield _load(path)


def newest() -> Release | None:
    """Return the newest release, or None while there is none."""
    return next(releases(), None)
