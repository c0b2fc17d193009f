"""Heaping: times that crowd just inside a limit, with a gap after it."""

import duckdb
import numpy as np

from counterfoil.engines.integrity.cube import ask
from counterfoil.engines.integrity.finding import Book, Finding

# The limit in hours, how wide the last stretch before it is, and how it is said.
LIMITS = ((0.25, 1 / 60, "15 minutes"), (1.0, 2 / 60, "an hour"), (24.0, 1.0, "24 hours"), (48.0, 1.0, "48 hours"),
          (72.0, 1.0, "72 hours"), (168.0, 4.0, "seven days"), (672.0, 12.0, "28 days"))  # fmt: skip


def heaping(db: duckdb.DuckDBPyConnection, book: Book) -> list[Finding]:
    """Find times that crowd into the last stretch before a limit, against the stretches around it."""
    rows = ask(
        db,
        "SELECT force, min(year(reported) * 100 + month(reported)), max(year(reported) * 100 + month(reported)), "
        "list(hours ORDER BY reported, hours), list(coalesce(year(reported) * 100 + month(reported), 0) "
        "ORDER BY reported, hours) FROM delays WHERE hours >= 0 AND force IS NOT NULL GROUP BY force ORDER BY force",
    )
    found = []
    for force, first, last, hours, months in rows:
        at, when = np.asarray(hours, dtype=float), np.asarray(months)
        for limit, wide, words in LIMITS:
            last_stretch = (at > limit - wide) & (at <= limit)
            inside = int(last_stretch.sum())
            earlier = int(((at > limit - 4 * wide) & (at <= limit - wide)).sum()) / 3
            after = int(((at > limit) & (at <= limit + 3 * wide)).sum()) / 3
            usual = (earlier + after) / 2
            if inside >= 15 and inside > 1.6 * usual + 5 * np.sqrt(usual + 1) and inside > 1.5 * earlier:
                by = {int(m): int((last_stretch & (when == m)).sum()) for m in np.unique(when) if m}
                many = max(by.values(), default=0)
                since = min((m for m, n in by.items() if n >= 0.4 * many), default=first or 0)
                text = f"{inside:,} fall just inside {words}; about {usual:,.0f} would by what lies on both sides."
                found.append(
                    book.finding(
                        "heaping", force, since, last or 0, inside - usual, text, within=f"within {words}"
                    )
                )
    return found
