"""One check of everything, for operators, for restores and after every fault: `counterfoil fsck`."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from counterfoil.config import promises
from counterfoil.courts import queries as courts
from counterfoil.engines.errors import Refusal
from counterfoil.engines.sandbox import strength
from counterfoil.evidence import queries as evidence
from counterfoil.ledger import queries as ledger
from counterfoil.measures.queries import tables
from counterfoil.plugs.stores import Store, quarantine, vault
from counterfoil.reports.receiving import store as unfinished_uploads

# What nobody has touched for so long is no upload still under way.
ABANDONED = timedelta(days=1)


def fsck(now: datetime | None = None, *, grace: timedelta = promises.GRACE) -> list[str]:
    """Return a sentence for everything that is wrong; empty when all is well. Changes nothing.

    The promises; every byte of the vault and of the quarantine, read again; the ledger and the published log; and the
    database's own integrity. Objects that no row names are left over from a process that stopped before it said yes:
    they are checked and are not faults.
    """
    wrong: list[str] = []
    parts: tuple[Callable[[], list[str]], ...] = (
        lambda: promises.broken(now, grace=grace),
        lambda: _store("vault", vault(), [*evidence.known_objects(), *courts.known_objects()]),
        lambda: _store("quarantine", quarantine(), _uploads()),
        lambda: [f"Among unfinished uploads: {s}" for s in unfinished_uploads().fsck()],
        ledger.faults,
        _sandbox,
        lambda: [f"Published tables: {s}" for s in tables().fsck()],
        lambda: list(_database()),
    )
    for part in parts:
        try:
            wrong += part()
        except (Refusal, OSError) as refusal:
            wrong.append(f"Something could not be checked: {refusal}")
    return wrong


def clear_leftovers(now: datetime | None = None, *, older: timedelta = ABANDONED) -> int:
    """Remove what stopped writers left in staging and `incoming/`; return how many. Nothing there was acknowledged."""
    limit = ((now or timezone.now()) - older).timestamp()
    removed = sum(store.sweep(older_than=lambda at: at <= limit) for store in (vault(), quarantine()))
    for path in (Path(settings.COUNTERFOIL_HOME) / "incoming").iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime <= limit:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed += 1
    return removed


def _sandbox() -> list[str]:
    """Name the walls that a file would be opened without on this machine."""
    found = strength()
    if found.enough and found.processes and found.calls:
        return []
    cost = "" if found.enough else " No file is opened on this machine until they stand."
    return [f"{found.sentence}{cost}"]


def _uploads() -> Iterable[tuple[str, int]]:
    kept = promises.rows("reports.Upload").filter(removed_at=None, destroyed_at=None)
    return kept.values_list("sha256", "size")


def _store(name: str, store: Store, known: Iterable[tuple[str, int]]) -> list[str]:
    """Read a store again. A leftover in staging is no fault: an upload may be under way."""
    found = store.fsck(known, unknown_is_fault=False)
    return [f"In the {name}: {s}" for s in found if "staging folder holds" not in s]


def _database() -> Iterator[str]:
    """Ask the database about itself: integrity, constraints, and whether its tables are those of this version."""
    plan = MigrationExecutor(connection)
    missing = plan.migration_plan(plan.loader.graph.leaf_nodes())
    if missing:
        yield f"The database lacks {len(missing)} migrations. Run: counterfoil migrate."
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA integrity_check")
            yield from (f"SQLite: {said}" for (said,) in cursor.fetchall() if said != "ok")
            cursor.execute("PRAGMA foreign_key_check")
            yield from (
                f"SQLite: a row of {row[0]} names a row that is missing." for row in cursor.fetchall()
            )
        else:
            cursor.execute(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE NOT convalidated"
            )
            yield from (
                f"PostgreSQL: the rule {rule} of {table} is not enforced."
                for table, rule in cursor.fetchall()
            )
            cursor.execute("SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database")
            (failures,) = cursor.fetchone()
            if failures:
                yield f"PostgreSQL met {failures} pages whose checksum is wrong."
            # Every row is read, so a page that cannot be read is met here and not in court.
            for model in apps.get_models():
                cursor.execute(f"SELECT count(t.*) FROM {connection.ops.quote_name(model._meta.db_table)} t")  # noqa: S608
