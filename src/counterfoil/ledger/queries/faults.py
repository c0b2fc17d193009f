"""What is wrong with the ledger and the log, in sentences, for `counterfoil fsck`."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509
from django.db.models import Count, Max
from django.utils import timezone

from counterfoil.engines.bundle.identity import fingerprint, load_crls
from counterfoil.engines.bundle.stamp import check_reply
from counterfoil.engines.errors import Corrupt, Refusal
from counterfoil.engines.tlog import (
    CosignVerifier,
    Frontier,
    TileDir,
    checkpoint_text,
    entry_commitment,
    leaf_hash,
    open_note,
)
from counterfoil.ledger.models import Checkpoint, Entry, Stamp
from counterfoil.ledger.queries.anchors import anchoring, papers_of
from counterfoil.ledger.queries.decisions import decisions
from counterfoil.ledger.queries.reading import log_lock, newest_checkpoint
from counterfoil.ledger.queries.standing import halted, read_seen
from counterfoil.plugs.keys import key_id, keys, periods, signed_in_time, verifiers
from counterfoil.plugs.witness import witnesses

# Longer than this without a quorum is a fault that somebody must look into.
UNANCHORED = timedelta(days=1)


def faults() -> list[str]:
    """Return what is wrong with the ledger and the log, in sentences; empty when all is well.

    Indexes are dense; every commitment recomputes from salt and body, or an entry says why its content is gone; every
    checkpoint's root recomputes, and its signatures, cosignatures and timestamps hold; the history of keys and the file
    of decisions are complete; and the published tiles agree.
    """
    wrong = [*_entries_and_checkpoints(), *_gone(), *_stamps(), *_keys(), *_standing(timezone.now())]
    with log_lock(shared=True) as folder:
        try:
            wrong.extend(_published(folder))
        except Corrupt as e:
            wrong.append(f"The published log cannot be read: {e}")
    return wrong


def _walk(upto: int) -> Iterator[Entry]:
    yield from (
        Entry.objects.filter(index__isnull=False, index__lt=upto).order_by("index").iterator(chunk_size=2000)
    )


def _entries_and_checkpoints() -> Iterator[str]:
    points = {c.size: c for c in Checkpoint.objects.all()}
    newest = max(points, default=0)
    covered = Entry.objects.filter(index__lt=newest).aggregate(n=Count("pk"), top=Max("index"))
    if covered["n"] != newest:
        yield f"The log's indexes have a gap: {covered['n']} entries where {newest} were signed."
    beyond = Entry.objects.filter(index__gte=newest).count()
    if beyond and not Checkpoint.objects.filter(size__gt=newest).exists():
        yield f"The newest checkpoint covers {newest} entries but {newest + beyond} have an index."
    frontier = Frontier.empty()
    for entry in _walk(newest):
        yield from _entry(entry)
        frontier = frontier.append_all([leaf_hash(bytes(entry.commitment))])
        point = points.get(frontier.size)
        if point is None:
            continue
        if frontier.root() != bytes(point.root):
            yield f"The checkpoint of size {point.size} does not match the entries: its root differs."
        yield from _signatures(point)
    for entry in Entry.objects.filter(index__isnull=True).iterator():
        if bytes(entry.commitment) != entry_commitment(bytes(entry.salt), entry.body):
            yield f"A waiting entry ({entry.act}) was changed after it was written."


def _entry(entry: Entry) -> Iterator[str]:
    if entry.gone_by is not None:
        return
    try:
        good = bytes(entry.commitment) == entry_commitment(bytes(entry.salt), entry.body)
    except Exception:
        good = False
    if not good:
        yield f"Entry {entry.index} ({entry.act}) was changed after it was written."
    said = (entry.body.get("act"), entry.body.get("by"), entry.body.get("on"))
    if said != (entry.act, entry.by, f"{entry.subject_kind}:{entry.subject_id}"):
        yield f"Entry {entry.index}: its columns do not say what its body says."


def _signatures(point: Checkpoint) -> Iterator[str]:
    expected = checkpoint_text(keys().log.name, point.size, bytes(point.root))
    ours = verifiers("log")
    others = [CosignVerifier.from_vkey(n.witness.vkey) for n in witnesses()]
    for note in filter(None, (point.note, point.cosigned)):
        try:
            opened = open_note(note, [*ours, *others])
        except Corrupt as e:
            yield f"The checkpoint of size {point.size} has a bad signature: {e}"
            continue
        signed = [v.vkey for v in ours if v in opened.verified_by]
        if opened.text != expected or not signed:
            yield f"The checkpoint of size {point.size} is not signed by this log's key."
        elif not any(signed_in_time("log", vkey, point.at) for vkey in signed):
            yield f"The checkpoint of size {point.size} is signed by a key that was revoked before."


def _gone() -> Iterator[str]:
    """Every entry without content is accounted for by an entry that says why, and by the file of decisions."""
    gone = list(Entry.objects.filter(gone_by__isnull=False).order_by("index"))
    why = {
        bytes(e.commitment): e
        for e in Entry.objects.filter(commitment__in={bytes(g.gone_by or b"") for g in gone})
    }
    listed = {bytes.fromhex(c) for one in decisions("erased") for c in one["commitments"]}
    for entry in gone:
        cause = why.get(bytes(entry.gone_by or b""))
        if cause is None:
            yield f"Entry {entry.index} has no content, and no entry says why."
        elif cause.gone_by is not None:
            continue  # the erasing entry itself was lost in a restore; the file of decisions speaks for it
        elif cause.act == "log.reconciled":
            if not cause.body["from_size"] <= (entry.index or 0) < cause.body["to_size"]:
                yield f"Entry {entry.index} has no content, and the reconciliation does not cover it."
        elif not cause.act.endswith(".erased") or entry.index not in cause.body["entries"]:
            yield f"Entry {entry.index} has no content, and entry {cause.index} does not say that it was erased."
        if cause is not None and cause.act != "log.reconciled" and bytes(entry.commitment) not in listed:
            yield f"Entry {entry.index} was erased but is not in the file of decisions: a restore would bring it back."
    back = Entry.objects.filter(commitment__in=listed, gone_by__isnull=True)
    for entry in back:
        yield f"Entry {entry.index} was erased and its content is back. Run: counterfoil log replay-erasures"


def _stamps() -> Iterator[str]:
    now = timezone.now()
    for stamp in Stamp.objects.select_related("checkpoint", "renews").iterator():
        where = f"The stamp of {stamp.name} over the checkpoint of size {stamp.checkpoint.size}"
        over = bytes.fromhex(stamp.digest)
        if stamp.renews is not None and over != hashlib.sha256(bytes(stamp.renews.tsr)).digest():
            yield f"{where} renews something else than the stamp before it."
        certs, _ = papers_of(stamp.chain)
        try:
            chain = [x509.load_pem_x509_certificate(c.encode()) for c in certs]
            found = check_reply(
                bytes(stamp.tsr),
                over,
                chain=chain,
                roots=[fingerprint(chain[-1])] if chain else [],
                crls=load_crls(stamp.chain),
            )
            if found.at != stamp.at:
                yield f"{where} gives another time than is on record."
        except (Refusal, ValueError) as refusal:
            yield f"{where} does not hold: {refusal}"
        if stamp.expires < now and not Stamp.objects.filter(renews=stamp).exists():
            yield (
                f"{where} was not renewed before its authority's certificate expired on {stamp.expires:%-d %B %Y}. "
                "It can still be checked for the time it states (openssl ts -verify -attime)."
            )


def _keys() -> Iterator[str]:
    told: dict[str, set[str]] = {"key.rotated": set(), "key.revoked": set()}
    for act, body in Entry.objects.filter(act__in=told).values_list("act", "body"):
        told[act].add(str(body.get("old")))
    for p in periods():
        if p.end is not None and p.vkey not in told["key.rotated"]:
            yield f"The {p.role} key {key_id(p.vkey)} was replaced and no entry says so."
        if p.revoked is not None and p.vkey not in told["key.revoked"]:
            yield f"The {p.role} key {key_id(p.vkey)} was revoked and no entry says so."


def _standing(now: datetime) -> Iterator[str]:
    why = halted()
    if why is not None:
        yield f"Nothing is signed since the log was halted: {why}"
    newest, found = newest_checkpoint(), anchoring()
    if newest is None or found.size == found.newest:
        return
    since = found.until or Checkpoint.objects.order_by("size").values_list("at", flat=True)[0]
    if now - since > UNANCHORED:
        yield found.sentence


def _published(folder: TileDir) -> Iterator[str]:
    """Say what is wrong with the published files; the caller keeps writers away meanwhile."""
    note = folder.published()
    if note is None:
        return  # the next run of the sequencer writes everything
    size, newest = folder.size(), newest_checkpoint()
    if newest is None or size > newest.size:
        yield "The published log is longer than the database: an old backup was restored."
        return
    point = Checkpoint.objects.filter(size=size).first()
    try:
        seen = read_seen("the published log", note)
        known = point is not None and seen.root == bytes(point.root)
    except Corrupt:
        known = False
    if point is None or not known:
        yield "The published checkpoint is not one that is on record."
        return
    yield from folder.fsck(checkpoint_text(keys().log.name, size, bytes(point.root)))
