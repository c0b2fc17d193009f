"""What people decided about the log itself: erasures and reconciliations, in a file beside it that backups do not undo.

One line of JSON a decision, never about anybody: commitments, rule, the deciders' opaque ids, and a reason for a
reconciliation. Every decision is an entry of the log too; this file is how a restored backup learns of it.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings


def decisions_file() -> Path:
    """Return the file of decisions; keep it on another disk than the backups restore (COUNTERFOIL_DECISIONS)."""
    return Path(settings.COUNTERFOIL_DECISIONS or Path(settings.COUNTERFOIL_HOME) / "decisions.jsonl")


def decisions(kind: str) -> list[dict[str, Any]]:
    """Return the decisions of a kind (`erased`, `reconciled`) in order; a last line that was cut short is left out."""
    try:
        text = decisions_file().read_text("utf-8")
    except FileNotFoundError:
        return []
    whole = text.split("\n")[:-1]
    return [one for one in map(json.loads, whole) if one["kind"] == kind]
