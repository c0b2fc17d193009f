"""Every way to change the ledger: record and erase entries, keep replies, sign the log and have others vouch for it."""

from counterfoil.ledger.actions.anchoring import anchor, gather, renew, witness_checkpoint
from counterfoil.ledger.actions.changing_keys import note_key_changes, revoke_key, rotate_key
from counterfoil.ledger.actions.entries import forget_secret, once, record
from counterfoil.ledger.actions.erasure import erase, replay_erasures
from counterfoil.ledger.actions.reconciling import Standing, reconcile, standing
from counterfoil.ledger.actions.sequencing import publish, refuse_rollback, sequence

__all__ = [
    "Standing",
    "anchor",
    "erase",
    "forget_secret",
    "gather",
    "note_key_changes",
    "once",
    "publish",
    "reconcile",
    "record",
    "refuse_rollback",
    "renew",
    "replay_erasures",
    "revoke_key",
    "rotate_key",
    "sequence",
    "standing",
    "witness_checkpoint",
]
