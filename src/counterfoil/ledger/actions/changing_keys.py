"""Change the installation's keys, with an entry for each change."""

from datetime import datetime

from django.db import transaction

from counterfoil.ledger.actions.entries import record
from counterfoil.ledger.models import Entry
from counterfoil.ledger.queries import Someone
from counterfoil.plugs import keys as plug


def rotate_key(role: str, *, by: Someone) -> plug.Change:
    """Give a role (log, receipt, manifest) a new key; what the old one signed stays good."""
    change = plug.rotate(role)
    note_key_changes(by=by)
    return change


def revoke_key(
    role: str, key_id: str, reason: str, *, by: Someone, since: datetime | None = None
) -> plug.Change:
    """Say that nothing a key signed from `since` (default: now) counts; a current key is replaced at the same time."""
    change = plug.revoke(role, key_id, reason, since)
    note_key_changes(by=by)
    return change


@transaction.atomic
def note_key_changes(*, by: Someone) -> int:
    """Write the entries of key changes that have none (a kill may have come between); return how many."""
    told = {
        (act, str(body.get("old")))
        for act, body in Entry.objects.filter(act__in=["key.rotated", "key.revoked"]).values_list(
            "act", "body"
        )
    }
    found = plug.periods()
    done = 0
    for p in found:
        name = ("key", plug.key_id(p.vkey))
        if p.end is not None and ("key.rotated", p.vkey) not in told:
            after = next(
                (q.vkey for q in found if q.role == p.role and q.start >= p.end and q.vkey != p.vkey), ""
            )
            record("key.rotated", by=by, on=name, role=p.role, old=p.vkey, new=after)
            done += 1
        if p.revoked is not None and ("key.revoked", p.vkey) not in told:
            at = p.revoked.strftime("%Y-%m-%dT%H:%M:%SZ")
            record("key.revoked", by=by, on=name, role=p.role, old=p.vkey, since=at, reason=p.reason)
            done += 1
    return done
