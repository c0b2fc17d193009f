"""Every way to read the ledger."""

from counterfoil.ledger.models import Checkpoint as CheckpointRow
from counterfoil.ledger.queries.anchors import (
    Anchoring,
    StampRow,
    anchored_sizes,
    anchoring,
    note_of,
    quorum_met,
    signed_by,
    stamps_of,
)
from counterfoil.ledger.queries.decisions import decisions, decisions_file
from counterfoil.ledger.queries.faults import faults
from counterfoil.ledger.queries.reading import (
    Line,
    Lost,
    Someone,
    checkpoint_of,
    entries_of,
    entries_of_thread,
    first_checkpoint_over,
    growth_of,
    line,
    log_folder,
    log_lock,
    lost,
    newest_checkpoint,
    proof_of,
    recent,
)
from counterfoil.ledger.queries.standing import conflict, halted, outside, published

__all__ = [
    "Anchoring",
    "CheckpointRow",
    "Line",
    "Lost",
    "Someone",
    "StampRow",
    "anchored_sizes",
    "anchoring",
    "checkpoint_of",
    "conflict",
    "decisions",
    "decisions_file",
    "entries_of",
    "entries_of_thread",
    "faults",
    "first_checkpoint_over",
    "growth_of",
    "halted",
    "line",
    "log_folder",
    "log_lock",
    "lost",
    "newest_checkpoint",
    "note_of",
    "outside",
    "proof_of",
    "published",
    "quorum_met",
    "recent",
    "signed_by",
    "stamps_of",
]
