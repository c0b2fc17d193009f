"""What the board's front and force pages show."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from counterfoil.accounts.rules import Viewer
from counterfoil.engines import measure as engine
from counterfoil.engines.errors import BadInput
from counterfoil.engines.measure import ALL, AreaCount, Held, Slice
from counterfoil.measures import rules
from counterfoil.measures.queries.numbers import Number, compute, type_names
from counterfoil.measures.queries.stock import MONTHLY, Stock, boundaries, stock
from counterfoil.measures.rules import Gaps, NumberId
from counterfoil.reference import forces, outcomes
from counterfoil.reference import measures as definitions
from counterfoil.reference.measures import CrimeType


@dataclass(frozen=True)
class ForceLine:
    """One force on the front of the board: the state and rows of each month, for street and outcome files."""

    slug: str
    force: forces.Force
    street: tuple[tuple[str, str, int], ...]
    outcomes: tuple[tuple[str, str, int], ...]
    rows: int
    missing_street: tuple[str, ...]
    empty_street: tuple[str, ...]
    missing_outcomes: tuple[str, ...]
    empty_outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """What is held and what is missing, over every force."""

    months: tuple[str, ...]
    lines: tuple[ForceLine, ...]
    absent: tuple[forces.Force, ...]
    older: tuple[tuple[Held, Held], ...]
    files: int
    rows: int
    newest: str
    boundaries: Held | None


def board(viewer: Viewer) -> Board:
    """Return which forces and months are held and which are missing; reads the catalogue only."""
    now = stock()
    months = now.months()
    lines = []
    for slug in now.forces():
        s_rows, o_rows = now.rows("street", slug), now.rows("outcomes", slug)
        lines.append(
            ForceLine(
                slug=slug,
                force=forces.force(slug),
                street=tuple((m, rules.state(s_rows.get(m)), s_rows.get(m, 0)) for m in months),
                outcomes=tuple((m, rules.state(o_rows.get(m)), o_rows.get(m, 0)) for m in months),
                rows=sum(s_rows.values()),
                missing_street=rules.gaps(months, s_rows).missing,
                empty_street=rules.gaps(months, s_rows).empty,
                missing_outcomes=rules.gaps(months, o_rows).missing,
                empty_outcomes=rules.gaps(months, o_rows).empty,
            )
        )
    present = set(now.forces())
    files = [h for h in now.held if h.kind != "boundaries"]
    return Board(
        months=months,
        lines=tuple(sorted(lines, key=lambda one: one.force.name)),
        absent=tuple(f for f in forces.forces() if f.slug not in present),
        older=now.older,
        files=len(files),
        rows=sum(sum(now.rows("street", slug).values()) for slug in now.forces()),
        newest=max((h.imported_at for h in files), default=""),
        boundaries=boundaries(now),
    )


@dataclass(frozen=True)
class TypeLine:
    """One crime type over the months of a force page; None in a month stands for `not published`."""

    type: CrimeType
    counts: tuple[int | None, ...]
    total: int
    charged: Number | None


@dataclass(frozen=True)
class OutcomeLine:
    """One published outcome wording, how often it was printed, and the outcome types it may stand for."""

    wording: outcomes.Wording
    rows: int


@dataclass(frozen=True)
class ForcePage:
    """Everything a force's page shows."""

    force: forces.Force
    months: tuple[str, ...]
    first: str
    last: str
    chosen: CrimeType | None
    totals: tuple[int | None, ...]
    street: Gaps
    outcome_gaps: Gaps
    outcome_months: tuple[str, str]
    period: tuple[str, str] | None
    crimes: Number
    charged: Number | None
    of_outcomes: Number | None
    types: tuple[TypeLine, ...]
    outcomes: tuple[OutcomeLine, ...]
    areas: tuple[AreaCount, ...]
    classes: tuple[rules.Class, ...]
    blank: int
    older: tuple[tuple[Held, Held], ...]
    notes: dict[str, int]


def _of_one_edition(slug: str) -> tuple[Stock, tuple[str, ...]]:
    """Return the stock of the edition that holds most of a force's months, and every month of the board."""
    now = stock()
    return now.at(now.edition(slug, MONTHLY)), now.months()


def headline(viewer: Viewer, slug: str) -> tuple[Number, Number | None]:
    """Return a force's count of rows over every month held, and its share charged where one can be given."""
    now, months = _of_one_edition(slug)
    period = rules.charge_period(now.of("street", slug), now.of("outcomes", slug))
    charged = compute(NumberId("charged", slug, period[0], period[1])) if period else None
    return compute(NumberId("crimes", slug, months[0], months[-1])), charged


def force_page(viewer: Viewer, slug: str, type_slug: str = ALL) -> ForcePage:
    """Return the figures of one force, for all types or one; raises BadInput for an unknown force or type."""
    if not forces.known(slug):
        raise BadInput("force", "There is no police force of this name.")
    now, months = _of_one_edition(slug)
    street, ended = now.of("street", slug), now.of("outcomes", slug)
    if not street and not ended:
        raise BadInput("force", "Nothing is held for this police force.")
    types = type_names(slug)
    if type_slug != ALL and type_slug not in types:
        raise BadInput("type", "There is no crime type of this name.")
    first, last = months[0], months[-1]
    s_rows = now.rows("street", slug)
    by_month: dict[tuple[str, str], int] = {}
    totals: dict[str, int] = defaultdict(int)
    for month, name, n in engine.counts(now.parts("street", slug)):
        one = definitions.crime_type_named(name)
        by_month[(one.slug, month)] = n
        if type_slug in (ALL, one.slug):
            totals[month] += n
    period = rules.charge_period(street, ended)
    lines = []
    for one in sorted(types.values(), key=lambda t: t.name):
        counted = tuple(by_month.get((one.slug, m), 0) if m in s_rows else None for m in months)
        charged = (
            compute(NumberId("charged", slug, period[0], period[1], one.slug))
            if period and one.crime
            else None
        )
        lines.append(TypeLine(one, counted, sum(n or 0 for n in counted), charged))
    mix: dict[str, int] = defaultdict(int)
    for _, wording, n in engine.outcome_counts(now.parts("outcomes", slug)):
        mix[wording] += n
    chosen = types.get(type_slug)
    name = chosen.name if chosen else ALL
    found = engine.areas(now.parts("street", slug), Slice(first, last, name))
    placed = tuple(a for a in found if a.code != "none")
    crimes = compute(NumberId("crimes", slug, first, last, type_slug))
    return ForcePage(
        force=forces.force(slug),
        months=months,
        first=first,
        last=last,
        chosen=chosen,
        totals=tuple(totals[m] if m in s_rows else None for m in months),
        street=rules.gaps(months, s_rows),
        outcome_gaps=rules.gaps(months, now.rows("outcomes", slug)),
        outcome_months=(min(ended, default=first), max(ended, default=last)),
        period=period,
        crimes=crimes,
        charged=compute(NumberId("charged", slug, period[0], period[1], type_slug)) if period else None,
        of_outcomes=compute(NumberId("charged-of-outcomes", slug, min(ended), max(ended))) if ended else None,
        types=tuple(lines),
        outcomes=tuple(
            OutcomeLine(outcomes.published(w), n) for w, n in sorted(mix.items(), key=lambda i: (-i[1], i[0]))
        ),
        areas=placed,
        classes=rules.classes([a.rows for a in placed]),
        blank=sum(a.rows for a in found if a.code == "none"),
        older=tuple(pair for pair in now.older if pair[1].force == slug),
        notes=_notes(street.values()),
    )


def _notes(files: Iterable[Held]) -> dict[str, int]:
    """Add up the notes of the import over files: repeated identifiers, blank areas, files without rows."""
    found: dict[str, int] = defaultdict(int)
    for one in files:
        for note in one.notes:
            key, _, value = note.partition("=")
            found[key] += int(value) if value.isdigit() else 1
    return dict(found)
