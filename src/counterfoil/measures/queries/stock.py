"""What is held: the newest file for each force and month, and the older ones that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from django.conf import settings

from counterfoil.engines import measure as engine
from counterfoil.engines.measure import Held, Tables
from counterfoil.measures import rules
from counterfoil.reference import forces, outcomes

MONTHLY = ("street", "outcomes")
CHARGED = tuple(w.wording for w in outcomes.wordings() if w.counts_as == "charged")
OTHER_CASE = tuple(w.wording for w in outcomes.wordings() if w.counts_as == "other_case")


def tables() -> Tables:
    """Return the published tables of this installation."""
    return Tables(Path(settings.COUNTERFOIL_HOME) / "tables")


@dataclass(frozen=True)
class Stock:
    """The newest file for each force and month, and the older ones that are kept but not used."""

    used: dict[rules.Key, Held]
    older: tuple[tuple[Held, Held], ...]
    held: tuple[Held, ...]
    tables: Tables

    def of(self, kind: str, force: str) -> dict[str, Held]:
        """Return the used files of one kind and force by month."""
        return dict(self._by_force.get((kind, force), ()))

    @cached_property
    def _by_force(self) -> dict[tuple[str, str], list[tuple[str, Held]]]:
        found: dict[tuple[str, str], list[tuple[str, Held]]] = {}
        for (kind, force, month), one in sorted(self.used.items(), key=lambda i: i[0]):
            found.setdefault((kind, force), []).append((month, one))
        return found

    @cached_property
    def _rows(self) -> dict[rules.Key, int]:
        return {
            (one.kind, force, month): n
            for one in dict.fromkeys(self.used.values())
            for force, month, n in one.pieces
            if self.used[one.kind, force, month] is one
        }

    def rows(self, kind: str, force: str) -> dict[str, int]:
        """Return the rows of the used files of one kind and force by month; a month without a file is not there."""
        return {month: self._rows[kind, force, month] for month in self.of(kind, force)}

    def parts(self, kind: str, force: str, first: str = "", last: str = "9999-12") -> engine.Parts:
        """Return where the rows of one kind and force are, for the months from `first` to `last`."""
        months: dict[Held, list[str]] = {}
        for month, one in self.of(kind, force).items():
            if first <= month <= last:
                months.setdefault(one, []).append(month)
        return tuple(
            engine.Part(str(self.tables.path(one)), force, tuple(m))
            if one.parts
            else engine.Part(str(self.tables.path(one)))
            for one, m in months.items()
        )

    def at(self, edition: str) -> "Stock":
        """Return this stock with the files of one edition only, and what was left out of it as older."""
        return _at(self, edition)

    def edition(self, force: str, kinds: Sequence[str], first: str = "", last: str = "9999-12") -> str:
        """Return the edition that covers most of a force's months in a period; of equals the newest."""
        names = rules.editions(h for h in self.held if h.kind in kinds)
        if len(names) == 1:
            return names[0]
        months = {
            name: sum(
                first <= month <= last
                for h in self.held
                if h.edition == name and h.kind in kinds
                for f, month in {(f, m) for f, m, _ in h.pieces}
                if f == force
            )
            for name in names
        }
        return rules.best([(name, months[name]) for name in names])

    def forces(self) -> tuple[str, ...]:
        """Return the slugs of the forces of which street or outcome files are held."""
        return tuple(sorted({f for k, f, _ in self.used if k in MONTHLY and forces.known(f)}))

    def months(self) -> tuple[str, ...]:
        """Return every month from the first to the last of which street or outcome files are held."""
        found = [m for k, _, m in self.used if k in MONTHLY]
        return rules.months(min(found), max(found)) if found else ()

    def __hash__(self) -> int:
        return hash((self.held, self.tables.root))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stock) and self.held == other.held and self.tables.root == other.tables.root


@lru_cache(maxsize=4)
def _stock(held: tuple[Held, ...], root: Path) -> Stock:
    used, older = rules.current(held)
    return Stock(used, older, held, Tables(root))


@lru_cache(maxsize=32)
def _at(whole: Stock, edition: str) -> Stock:
    held = tuple(h for h in whole.held if h.edition == edition)
    used, _ = rules.current(held)
    older: dict[tuple[Held, Held], None] = {}
    for other in whole.held:
        for force, month, _ in other.pieces if len(whole.held) > len(used) else ():
            one = used.get((other.kind, force, month))
            if one is not None and one is not other:
                older[other, one] = None
    return Stock(used, tuple(older), held, whole.tables)


def stock() -> Stock:
    """Return what is held now."""
    kept = tables()
    return _stock(kept.held(), kept.root)


def boundaries(now: Stock) -> Held | None:
    """Return the boundary file in use."""
    return now.used.get(("boundaries", "", ""))


def settle() -> None:
    """Work out and remember what pages need of every file held; after an import, so that no visitor waits for it."""
    everything = stock()
    for one in everything.held:
        if one.kind in MONTHLY:
            engine.prepare(str(everything.tables.path(one)), one.kind)
    for edition in rules.editions(h for h in everything.held if h.kind in MONTHLY):
        now = everything.at(edition)
        pairs: dict[tuple[str, ...], list[tuple[engine.Parts, engine.Parts]]] = {}
        for force in now.forces():
            street, ended = now.parts("street", force), now.parts("outcomes", force)
            if street:
                files = tuple(p.path for p in (*street, *ended) if p.force)
                pairs.setdefault(files if len(files) == 2 and ended else (), []).append((street, ended))
        for files, found in pairs.items():
            if files:
                engine.prime(found, CHARGED, OTHER_CASE)
            else:
                for street, ended in found:
                    engine.followed(street, ended, CHARGED, OTHER_CASE)
                    engine.repeated(street, engine.Slice("0000-01", "9999-12"))
