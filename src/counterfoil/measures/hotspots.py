"""Where reports by the public will cluster, and patrols of it. Off until a force switches it on; places, never people.

A surface is worked out from the published tables held, for one force and one type of report. What officers find (drugs,
weapons, searches) is no input. It points nowhere for staff until an inspector of the force has looked at who lives
where it points, said so and given a reason; new months ask for another look. Switching, plans and visits are entries in
the ledger; the documents they name by digest lie beside the tables.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases.rules import clean_reason
from counterfoil.engines import disk
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.engines.hotspots import fair, held
from counterfoil.engines.measure import Held, sheets
from counterfoil.engines.patrols import Spot as Place
from counterfoil.engines.patrols import Unit, Visit, dosage, plan, wdd
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.actions import record
from counterfoil.measures.queries.outlines import outline
from counterfoil.measures.queries.stock import stock, tables
from counterfoil.places import queries as places

SHARE = 0.02
"""The share of a force's small areas that is pointed to."""
STAFF = ("officer", "inspector")
FIFTHS = ("1 (most deprived)", "2", "3", "4", "5 (least deprived)")
KNOWN_LEAST = 0.9
"""The share of patrol time that must fall on areas whose people are known before anything can be said of them."""


@dataclass(frozen=True)
class Equality:
    """Who lives where a surface points, by fifth of deprivation; or why that is not known. `digest`: what was seen."""

    shares: tuple[fair.Share, ...]
    why_not: str
    digest: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say what differs by more than chance."""
        return tuple(
            f"Fifth {s.group} has {100 * s.pointed:.0f} % of the patrol time and {100 * s.living:.0f} % of the people."
            for s in self.shares
            if s.differs
        )


@dataclass(frozen=True)
class Hotspots:
    """One type of report in one force: whether it is switched on, the surface (None while it is off), and the rest."""

    force: str
    force_name: str
    slug: str
    kind: str
    kinds: tuple[str, ...]
    month: str
    state: str
    on: bool
    surface: held.Surface | None
    equality: Equality | None
    why_not: str
    files: tuple[Held, ...]


@dataclass(frozen=True)
class PlanCard:
    """A patrol plan as plain values: its visits, the minutes planned and logged by area, and its trial so far."""

    id: UUID
    force: str
    kind: str
    month: str
    made_at: datetime
    visits: tuple[Visit, ...]
    names: Mapping[str, str]
    gap: float
    minutes: int
    planned: Mapping[str, int]
    logged: Mapping[str, int]
    trial: str


def _folder(name: str) -> Path:
    return Path(settings.COUNTERFOIL_HOME) / "tables" / name


def _keep(document: Mapping[str, Any]) -> str:
    data = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    digest = hashlib.sha256(data).hexdigest()
    folder = _folder("hotspots")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk.replace(folder / f"{digest}.json", data)
    return digest


def document(sha256: str) -> dict[str, Any]:
    """Return what an entry names by its digest; raises Corrupt when it is gone or has changed."""
    try:
        data = (_folder("hotspots") / f"{sha256}.json").read_bytes()
    except FileNotFoundError:
        raise Corrupt(f"The document {sha256[:16]} of a patrol is not on the disk.") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Corrupt(f"The document {sha256[:16]} of a patrol no longer has the bytes it had.")
    found: dict[str, Any] = json.loads(data)
    return found


# Who lives where


def import_people(path: Path, *, by: Viewer) -> int:
    """Hold a table of who lives in each small area: code, decile (or fifth) of deprivation, population.

    Its headings are found by their words, on one sheet or two, as in the English indices of deprivation. Returns areas.
    """
    if by.id != "clock":
        needs(by, "administrator", "import published tables", second_factor=True)
    data, found = path.read_bytes(), dict[str, dict[str, float]]()
    wanted = {
        "decile": ("index of multiple deprivation (imd) decile", "decile"),
        "fifth": ("fifth", "quintile"),
        "people": ("total population", "population", "people"),
    }
    for sheet in sheets.read(path.name, data):
        if not sheet.rows:
            continue
        heads = [c.strip().lower() for c in sheet.rows[0].cells]
        code = next((i for i, h in enumerate(heads) if "code" in h and ("lsoa" in h or "area" in h)), None)
        if code is None:
            continue
        at = {
            name: next((i for w in words for i, h in enumerate(heads) if h.startswith(w)), None)
            for name, words in wanted.items()
        }
        for row in sheet.rows[1:]:
            for name, i in at.items():
                if i is not None and i < len(row.cells) and row.cells[i].strip():
                    try:
                        value = float(row.cells[i])
                    except ValueError:
                        continue
                    found.setdefault(row.cells[code].strip(), {})[name] = value
    people = {
        area: [int((v["decile"] + 1) // 2) if "decile" in v else int(v["fifth"]), int(v["people"])]
        for area, v in found.items()
        if "people" in v and ("decile" in v or "fifth" in v)
    }
    if not people:
        raise BadInput(
            "path",
            f"{path.name} has no area with a decile (or fifth) of deprivation and a population. Its headings should "
            "say area code, decile and population.",
        )
    digest = hashlib.sha256(data).hexdigest()
    tables().raw.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk.replace(tables().raw / digest, data)
    _folder("people").mkdir(parents=True, exist_ok=True, mode=0o700)
    with transaction.atomic():
        record("people.imported", by=by, on=("tables", digest), areas=len(people))
        text = json.dumps(
            {"name": path.name, "at": timezone.now().isoformat(), "people": people}, sort_keys=True
        )
        disk.replace(_folder("people") / f"{digest}.json", text.encode())
    return len(people)


def _people() -> tuple[str, dict[str, list[int]]]:
    newest: tuple[str, str, dict[str, list[int]]] = ("", "", {})
    for file in sorted(_folder("people").glob("*.json")) if _folder("people").is_dir() else ():
        one = json.loads(file.read_bytes())
        newest = max(newest, (one["at"], file.stem, one["people"]), key=lambda n: n[:2])
    return newest[1], newest[2]


def equality(surface: held.Surface) -> Equality:
    """Return who lives where a surface points, were time spent in proportion to what is expected."""
    held_by, people = _people()
    weights = {s.code: s.expected for s in surface.spots}
    digest = hashlib.sha256(json.dumps([held_by, surface.last, sorted(weights.items())]).encode()).hexdigest()
    known = sum(w for code, w in weights.items() if code in people)
    if known < KNOWN_LEAST * sum(weights.values()):
        return Equality(
            (),
            "Who lives in these areas is not held, so nobody can look at whom this points to. Import a table of areas "
            "with their deprivation and population (counterfoil import people FILE).",
            digest,
        )
    # The people compared with are those of the force's areas: a table may hold a whole country.
    codes = [c for c in surface.codes if c in people]
    minutes = np.array([weights.get(c, 0.0) for c in codes])
    counts = np.array([float(people[c][1]) for c in codes])
    groups = [FIFTHS[people[c][0] - 1] for c in codes]
    return Equality(tuple(fair.shares(minutes, counts, groups)), "", digest)


# Looking


@lru_cache(maxsize=16)
def _areas(slug: str, kind: str, files: tuple[str, ...]) -> held.Areas | None:
    parts = stock().parts("street", slug)
    return held.areas([(p.path, p.force, p.months) for p in parts], kind)


@lru_cache(maxsize=64)
def _surface(slug: str, kind: str, files: tuple[str, ...]) -> held.Surface | None:
    found = _areas(slug, kind, files)
    return None if found is None else held.surface(found, SHARE)


def _files(slug: str) -> tuple[Held, ...]:
    return tuple(dict.fromkeys(stock().of("street", slug).values()))


def force_of(viewer: Viewer) -> str:
    """Return the force whose places the viewer may look at, or an empty text."""
    return min(viewer.forces(*STAFF), default="")


def kinds_of(slug: str) -> tuple[str, ...]:
    """Return the types of report that may be foretold: what officers find is none."""
    from counterfoil.engines import measure as engine

    parts = stock().parts("street", slug)
    found = {row[1] for row in engine.counts(parts)} if parts else set()
    return tuple(sorted(k for k in found if k and k.lower() not in fair.FOUND))


def look(viewer: Viewer, kind: str = "") -> Hotspots | None:
    """Return one type of report in the viewer's force; None when the viewer works for none.

    While it is off nothing says where it points: an inspector sees who lives there, others that it is off.
    """
    code = force_of(viewer)
    card = places.force(code) if code else None
    if card is None:
        return None
    kinds = kinds_of(card.slug)
    if kind and kind not in kinds:
        return None
    kind = kind or next((k for k in ("Robbery", "Burglary", *kinds) if k in kinds), "")
    files = _files(card.slug)
    made = _surface(card.slug, kind, tuple(f.sha256 for f in files)) if kind else None
    facts: dict[str, Any] = {
        "force": code,
        "force_name": card.name,
        "slug": card.slug,
        "kind": kind,
        "kinds": kinds,
        "files": files,
    }
    if made is None:
        why = "No published table of this force with a report of this type is held. Import street-level crimes first."
        return Hotspots(**facts, month="", state="", on=False, surface=None, equality=None, why_not=why)
    state, month = _state(viewer, code, kind)
    on = state == "on" and month == made.last
    sees = on or viewer.has("inspector", code)
    return Hotspots(
        **facts,
        month=made.last,
        state="again" if state == "on" and not on else state,
        on=on,
        surface=made if on else None,
        equality=equality(made) if sees else None,
        why_not="",
    )


def _state(viewer: Viewer, force: str, kind: str) -> tuple[str, str]:
    lines = ledger.entries_of(viewer, "hotspots", _subject(force, kind))
    if not lines:
        return "off", ""
    return ("on" if lines[-1].act == "hotspots.switched_on" else "off"), str(lines[-1].body.get("month", ""))


def _subject(force: str, kind: str) -> str:
    return f"{force}:{kind}"


def _may_switch(viewer: Viewer, what: str) -> str:
    needs(viewer, "inspector", what)
    return min(viewer.forces("inspector"))


# Switching


@transaction.atomic
def switch_on(kind: str, *, seen: str, looked: bool, reason: str, by: Viewer) -> None:
    """Switch one type of report on for the inspector's force, for the newest month held.

    Refused unless who lives where it points is known, is what the inspector saw (`seen`, its digest), was said to have
    been looked at, and a reason is given.
    """
    force = _may_switch(by, "switch hotspots on")
    found = look(by, kind)
    if found is None or found.equality is None:
        raise NotAllowed("There is nothing to switch on: no table of this force and type is held.")
    if found.equality.why_not:
        raise NotAllowed(found.equality.why_not)
    if seen != found.equality.digest:
        raise NotAllowed(
            "The figures have changed since you looked. Look again at who lives where it points."
        )
    if not looked:
        raise BadInput("looked", "Look at who lives where it points, and say that you have.")
    text = clean_reason(reason, least=20)
    shares = [[s.group, round(1e6 * s.pointed), round(1e6 * s.living)] for s in found.equality.shares]
    kept = _keep({"kind": kind, "force": force, "month": found.month, "reason": text, "shares": shares})
    record(
        "hotspots.switched_on",
        by=by,
        on=("hotspots", _subject(force, kind)),
        month=found.month,
        equality=found.equality.digest,
        document=kept,
    )


@transaction.atomic
def switch_off(kind: str, *, reason: str, by: Viewer) -> None:
    """Switch one type of report off for the inspector's force; its plans can no longer be made."""
    force = _may_switch(by, "switch hotspots off")
    text = clean_reason(reason)
    if _state(by, force, kind)[0] != "on":
        raise NotAllowed("It is off already.")
    kept = _keep({"kind": kind, "force": force, "reason": text})
    record("hotspots.switched_off", by=by, on=("hotspots", _subject(force, kind)), document=kept)


# Patrols


@transaction.atomic
def make_plan(kind: str, *, spots: int, units: int, minutes: int, by: Viewer) -> UUID:
    """Plan patrols of the first places of a surface that is switched on; return the plan's id."""
    force = _may_switch(by, "plan patrols")
    found = look(by, kind)
    if found is None or found.surface is None:
        raise NotAllowed(
            "Hotspots are off for this type of report. An inspector of the force switches them on."
        )
    if not 1 <= spots <= len(found.surface.spots):
        raise BadInput("spots", f"Choose from 1 to {len(found.surface.spots)} places.")
    if not 1 <= units <= 20:
        raise BadInput("units", "Give 1 to 20 pairs of officers.")
    if not 30 <= minutes <= 600:
        raise BadInput("minutes", "Give from 30 to 600 minutes for each pair.")
    chosen = found.surface.spots[:spots]
    turn = float(np.cos(np.radians(np.median([s.lat for s in chosen]))))
    asked = [
        Place(s.code, s.lon * held.EARTH_M * turn, s.lat * held.EARTH_M, round(s.expected, 3)) for s in chosen
    ]
    made = plan(asked, [Unit(f"Pair {k + 1}", minutes) for k in range(units)], speed=DRIVE, seconds=2.0)
    kept = _keep(
        {
            "kind": kind,
            "force": force,
            "month": found.month,
            "visits": [asdict(v) for v in made.visits],
            "names": {s.code: s.name for s in chosen},
            "compared": [s.code for s in found.surface.next[:spots]],
            "gap": f"{made.gap:.4f}",
            "minutes": made.minutes,
        }
    )
    made_id = uuid4()
    record("patrols.planned", by=by, on=("patrols", force), plan=str(made_id), document=kept)
    return made_id


DRIVE = 300.0
"""Metres a minute between small areas, by car through a town."""


def plans_of(viewer: Viewer) -> tuple[tuple[UUID, str, str, datetime], ...]:
    """Return the plans of the viewer's force, newest first: id, type, month of the surface, when made."""
    found = []
    for line in ledger.entries_of(viewer, "patrols", force_of(viewer)):
        if line.act == "patrols.planned" and not line.gone:
            kept = document(line.body["document"])
            found.append((UUID(line.body["plan"]), str(kept["kind"]), str(kept["month"]), line.at))
    return tuple(reversed(found))


def _plan(viewer: Viewer, plan_id: UUID) -> tuple[str, list[ledger.Line], ledger.Line] | None:
    for force in sorted(viewer.forces(*STAFF)):
        lines = [
            one for one in ledger.entries_of(viewer, "patrols", force) if one.body.get("plan") == str(plan_id)
        ]
        made = next((one for one in lines if one.act == "patrols.planned"), None)
        if made is not None:
            return force, lines, made
    return None


def plan_for(viewer: Viewer, plan_id: UUID) -> PlanCard | None:
    """Return a plan of a force the viewer works for, with what was logged of it and its trial; None otherwise."""
    found = _plan(viewer, plan_id)
    if found is None:
        return None
    force, lines, made = found
    kept = document(made.body["document"])
    visits = tuple(Visit(**v) for v in kept["visits"])
    planned = dosage(visits)
    logged = dict.fromkeys(planned, 0)
    for line in lines:
        if line.act == "patrols.logged":
            logged[line.body["area"]] = logged.get(line.body["area"], 0) + int(line.body["minutes"])
    return PlanCard(
        id=plan_id,
        force=force,
        kind=kept["kind"],
        month=kept["month"],
        made_at=made.at,
        visits=visits,
        names=kept["names"],
        gap=float(kept["gap"]),
        minutes=int(kept["minutes"]),
        planned=planned,
        logged=logged,
        trial=_trial(force, kept, sum(logged.values())),
    )


@transaction.atomic
def log_visit(plan_id: UUID, area: str, minutes: int, day: date, *, by: Viewer) -> None:
    """Log a visit that was made: where, on which day, for how many minutes. Nothing is written of anybody met there."""
    found = _plan(by, plan_id)
    if found is None:
        raise NotAllowed("There is no such plan for you.")
    if area not in document(found[2].body["document"])["names"]:
        raise BadInput("area", "Choose a place of the plan.")
    if not 1 <= minutes <= 240:
        raise BadInput("minutes", "Give from 1 to 240 minutes.")
    if day > timezone.localdate() or day < timezone.localdate(found[2].at):
        raise BadInput("day", "Give a day from when the plan was made until today.")
    record(
        "patrols.logged",
        by=by,
        on=("patrols", found[0]),
        plan=str(plan_id),
        area=area,
        minutes=minutes,
        day=str(day),
    )


def _trial(force: str, kept: Mapping[str, Any], done: int) -> str:
    """Say whether patrols worked: the months since the surface's last against as many before, beside the next areas."""
    card = places.force(force)
    found = _areas(card.slug, kept["kind"], tuple(f.sha256 for f in _files(card.slug))) if card else None
    if found is None:
        return "Its tables are no longer held."
    since = [m for m in held.months(found) if m > kept["month"]]
    before = [m for m in held.months(found) if m <= kept["month"]][-len(since) :] if since else []
    if not since or len(before) < len(since):
        return "No month since the plan is held yet: whether it worked cannot be said."
    if not done:
        return "No visit was logged, so there is nothing whose effect could be asked."
    treated, compared = list(kept["names"]), kept["compared"]

    def n(codes: Sequence[str], of: Sequence[str]) -> int:
        return held.between(found, codes, of[0], of[-1])

    result = wdd(
        before=n(treated, before),
        after=n(treated, since),
        control_before=n(compared, before),
        control_after=n(compared, since),
    )
    spans = f"{len(since)} month{'s' * (len(since) > 1)} since, against as many before"
    return f"{result.sentence} {spans}, beside the next {len(compared)} areas."


def rings(viewer: Viewer, slug: str) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the outline of a force's area in degrees, or nothing when no boundaries are held."""
    found = outline(viewer, slug)
    return found.rings if found else ()
