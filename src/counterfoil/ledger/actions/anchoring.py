"""Have others vouch for the log: cosignatures of witnesses, timestamps of authorities, and their renewal in time."""

import hashlib
import logging
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.db import transaction

from counterfoil.engines.bundle.identity import load_crls
from counterfoil.engines.bundle.stamp import check_reply, embedded_certificates
from counterfoil.engines.errors import Corrupt, NotAllowed, Refusal
from counterfoil.engines.tlog import add_signatures, split_note
from counterfoil.ledger.actions.sequencing import halt, publish, refuse_rollback
from counterfoil.ledger.models import Checkpoint, Stamp
from counterfoil.ledger.queries import (
    anchoring,
    log_folder,
    newest_checkpoint,
    note_of,
    quorum_met,
    signed_by,
)
from counterfoil.ledger.queries.anchors import agreeing, note_digest
from counterfoil.ledger.queries.standing import conflict, read_seen
from counterfoil.plugs.keys import keys
from counterfoil.plugs.timestamper import Timestamper, timestampers
from counterfoil.plugs.together import together
from counterfoil.plugs.witness import witnesses

log = logging.getLogger(__name__)
ASK_LIMIT = 30.0
EVERY, STAMP_EVERY = 60.0, timedelta(hours=1)
RENEW_BEFORE = timedelta(days=90)
AT_ONCE = 200
_tried: dict[Path, float] = {}


def witness_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Have a checkpoint, or a newer one that covers it, cosigned by a quorum and timestamped; keep all of it.

    All witnesses and authorities are asked at once, outside any transaction; one that is down does not stop the
    others, and is named in `lacking`. Raises NotAllowed when fewer operators than the quorum cosigned, no authority
    stamped, or two authorities disagree about the time; what was gathered is kept and the clock asks again.
    """
    point = gather(checkpoint)
    if not quorum_met(point):
        raise NotAllowed(
            f"Too few witnesses cosigned the log: {settings.WITNESS_QUORUM} operators are needed. "
            f"{anchoring().sentence}"
        )
    if "timestamper:agreement" in point.lacking.split():
        raise NotAllowed("The timestamp authorities do not agree about the time. It will be tried again.")
    if not agreeing(point):
        raise NotAllowed("No timestamp authority stamped the log. It will be tried again.")
    return point


def gather(checkpoint: Checkpoint, *, stamps: bool = True) -> Checkpoint:
    """Ask every witness and (unless `stamps` is false) every authority that is lacking, and keep what they gave."""
    refuse_rollback()
    point = _cosign(checkpoint)
    if stamps:
        _stamp(point)
    publish(point)
    return point


def _cosign(point: Checkpoint) -> Checkpoint:
    have = signed_by(point)
    missing = {n.name: n for n in witnesses() if n.name not in have}
    if not missing:
        return point
    answers = together(
        {
            name: partial(n.witness.cosign, point.note, lambda old, new: log_folder().consistency(old, new))
            for name, n in missing.items()
        },
        limit=ASK_LIMIT,
    )
    given, lacking = [], []
    for name, answer in answers.items():
        if isinstance(answer, Refusal):
            newer = _superseded(point, name)
            if newer is not None:
                return _cosign(newer)
            log.warning("the witness %s did not cosign: %s", name, answer)
            lacking.append(f"witness:{name}")
        else:
            given += [s.line for s in split_note(answer)[1]]
    return _keep(point, given, "witness:", lacking)


def _superseded(point: Checkpoint, name: str) -> Checkpoint | None:
    """Return the newer checkpoint of ours that a witness has, None if it has none; halt if it is not ours."""
    witness = next(n.witness for n in witnesses() if n.name == name)
    answer = together({name: lambda: witness.latest(keys().log.name)}, limit=ASK_LIMIT)[name]
    if answer is None or isinstance(answer, Refusal):
        return None
    try:
        seen = read_seen(f"the witness {name}", answer)
    except Corrupt as corrupt:
        log.warning("the witness %s holds something that this log never signed: %s", name, corrupt)
        return None
    said = conflict(seen)
    if said is not None:
        halt(said)
    newest = newest_checkpoint()
    return newest if seen.size > point.size and newest is not None and newest.size > point.size else None


def _keep(point: Checkpoint, lines: list[str], kind: str, lacking: list[str]) -> Checkpoint:
    """Add signature lines and replace what is said to lack of one kind."""
    with transaction.atomic():
        row = Checkpoint.objects.select_for_update().get(pk=point.pk)
        row.cosigned = add_signatures(note_of(row), lines) if lines else row.cosigned
        rest = [one for one in row.lacking.split() if not one.startswith(kind)]
        row.lacking = " ".join([*rest, *lacking])
        row.save(update_fields=["cosigned", "lacking"])
    return row


def _stamp(point: Checkpoint) -> None:
    """Have every authority stamp the note anew unless all have and agree: only stamps made together can agree."""
    authorities = timestampers()
    if {s.name for s in agreeing(point)} >= set(authorities):
        return
    digest = note_digest(point)
    answers = together({name: partial(t.stamp, digest) for name, t in authorities.items()}, limit=ASK_LIMIT)
    lacking = []
    for name, answer in answers.items():
        try:
            _receive(point, name, authorities[name], digest, answer)
        except Refusal as refusal:
            log.warning("the timestamp authority %s gave no stamp: %s", name, refusal)
            lacking.append(f"timestamper:{name}")
    got = len(authorities) - len(lacking)
    if got > len(agreeing(point)):
        lacking.append("timestamper:agreement")
    point.lacking = _keep(point, [], "timestamper:", lacking).lacking


def _receive(
    point: Checkpoint,
    name: str,
    authority: Timestamper,
    digest: bytes,
    reply: bytes | Refusal,
    renews: Stamp | None = None,
) -> Stamp:
    """Check a reply completely and keep it; raise a Refusal otherwise. Never trust that the adapter has checked it."""
    if isinstance(reply, Refusal):
        raise reply
    pems, lists = list(authority.chain), list(authority.crls)
    chain = [x509.load_pem_x509_certificate(p.encode()) for p in pems]
    found = check_reply(
        reply,
        digest,
        chain=chain,
        roots=[authority.root_sha256],
        crls=[c for p in lists for c in load_crls(p)],
    )
    return Stamp.objects.create(
        checkpoint=point,
        name=name,
        digest=digest.hex(),
        tsr=reply,
        at=found.at,
        expires=embedded_certificates(reply)[0].not_valid_after_utc,
        chain="".join([*pems, *lists]),
        renews=renews,
    )


def anchor(now: datetime) -> None:
    """What the clock does: each minute the newest checkpoint to the witnesses, each hour to the authorities.

    What was lacking is asked for again, and what goes on lacking is told by `ledger.queries.anchoring`.
    """
    home = Path(settings.COUNTERFOIL_HOME)
    newest = newest_checkpoint()
    if newest is None or time.monotonic() - _tried.get(home, -EVERY) < EVERY:
        return
    _tried[home] = time.monotonic()
    last = Stamp.objects.filter(renews=None).order_by("-at").select_related("checkpoint").first()
    due = last is None or now - last.at >= STAMP_EVERY or "timestamper:" in last.checkpoint.lacking
    gather(newest, stamps=due)


def renew(now: datetime) -> int:
    """Stamp again the newest stamps whose authority's certificate expires within 90 days; return how many.

    The reply before is what is stamped, so the old signature is shown to have existed while it could be trusted. An
    authority whose own certificate would not last longer is passed over for the next one.
    """
    soon = Stamp.objects.filter(renewed=None, expires__lt=now + RENEW_BEFORE, expires__gt=now)
    done = 0
    authorities = timestampers()
    for old in soon.select_related("checkpoint").order_by("expires")[:AT_ONCE]:
        order = sorted(authorities, key=lambda name: name != old.name)
        if any(_renewed(old, authorities[name]) for name in order):
            done += 1
        else:
            log.warning(
                "no authority could renew the stamp of %s over checkpoint %s", old.name, old.checkpoint.size
            )
    return done


def _renewed(old: Stamp, authority: Timestamper) -> bool:
    digest = hashlib.sha256(bytes(old.tsr)).digest()
    try:
        ends = x509.load_pem_x509_certificate(authority.chain[0].encode()).not_valid_after_utc
        if ends <= old.expires:
            return False
        _receive(old.checkpoint, old.name, authority, digest, authority.stamp(digest), renews=old)
    except Refusal as refusal:
        log.warning("a stamp could not be renewed: %s", refusal)
        return False
    return True
