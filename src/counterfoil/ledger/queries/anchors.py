"""How far others vouch for the log: cosignatures by operators, and timestamps that agree."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings

from counterfoil.engines.bundle.identity import load_crls
from counterfoil.engines.clock import London
from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tlog import CosignVerifier, open_note
from counterfoil.ledger.models import Checkpoint, Stamp
from counterfoil.ledger.queries.reading import newest_checkpoint
from counterfoil.plugs.keys import verifiers
from counterfoil.plugs.timestamper import timestampers
from counterfoil.plugs.witness import witnesses

DAYS_KEPT = timedelta(days=92)
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n"


@dataclass(frozen=True)
class StampRow:
    """One authority's reply over a checkpoint's note, its certificates and lists (PEM), and its renewals in order."""

    name: str
    at: datetime
    tsr: bytes
    chain: tuple[str, ...]
    crls: tuple[str, ...]
    renewals: tuple[bytes, ...]


def note_of(point: Checkpoint) -> str:
    """Return the checkpoint's note with the cosignatures it has."""
    return point.cosigned or point.note


def note_digest(point: Checkpoint) -> bytes:
    """Return what the authorities stamp: the SHA-256 of the note with the cosignatures it has."""
    return hashlib.sha256(note_of(point).encode()).digest()


def signed_by(point: Checkpoint) -> dict[str, str]:
    """Return the witnesses of the settings that cosigned a checkpoint: name to operator. A spoilt note has none."""
    found = witnesses()
    keys = {n.name: CosignVerifier.from_vkey(n.witness.vkey) for n in found}
    try:
        held = open_note(note_of(point), [*verifiers("log"), *keys.values()]).verified_by
    except Corrupt:
        return {}
    return {n.name: n.operator for n in found if keys[n.name] in held}


def quorum_met(point: Checkpoint) -> bool:
    """Say whether witnesses of enough different operators cosigned."""
    return len(set(signed_by(point).values())) >= settings.WITNESS_QUORUM


def agreeing(point: Checkpoint) -> list[Stamp]:
    """Return the newest stamps over the checkpoint's note, one an authority, that lie within the tolerance."""
    best: list[Stamp] = []
    rows = list(point.stamps.filter(digest=note_digest(point).hex(), renews=None).order_by("-at"))
    slack = timedelta(seconds=settings.STAMP_TOLERANCE)
    for last in rows:
        near = {s.name: s for s in reversed(rows) if timedelta(0) <= last.at - s.at <= slack}
        if len(near) > len(best):
            best = list(near.values())
    order = list(timestampers())
    return sorted(best, key=lambda s: (order.index(s.name) if s.name in order else len(order), s.name))


def stamps_of(point: Checkpoint) -> list[StampRow]:
    """Return the stamps over a checkpoint's note that agree, each with its renewals, for a bundle."""
    found = []
    for first in agreeing(point):
        renewals, papers, last = [], [first.chain], first
        while (after := Stamp.objects.filter(renews=last).first()) is not None:
            renewals.append(bytes(after.tsr))
            papers.append(after.chain)
            last = after
        certs, crls = papers_of("".join(papers))
        found.append(StampRow(first.name, first.at, bytes(first.tsr), certs, crls, tuple(renewals)))
    return found


def papers_of(pem: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split PEM text into certificates and revocation lists, each once, in order."""
    parts = [part[part.index(BEGIN) :] + END for part in pem.split(END) if BEGIN in part]
    lists = [c.public_bytes(Encoding.PEM).decode() for c in load_crls(pem)]
    return tuple(dict.fromkeys(parts)), tuple(dict.fromkeys(lists))


def anchored_sizes(before: Checkpoint) -> list[int]:
    """Return the sizes that the log is known by outside, before a checkpoint: what a court may have kept, in order.

    Of the checkpoints that an authority stamped, the last one of each of the 92 UTC days that ended most recently, and
    of each calendar month that ended. They depend on the whole log alone, so they say nothing about any case.
    """
    today = before.at.astimezone(UTC).date()
    kept: dict[tuple[int, ...], int] = {}
    found = Checkpoint.objects.filter(size__lt=before.size, stamps__renews=None, stamps__isnull=False)
    for size, at in found.order_by("size").values_list("size", "at").distinct():
        day = at.astimezone(UTC).date()
        if (day.year, day.month) < (today.year, today.month):
            kept[day.year, day.month] = size
        if timedelta(0) < today - day <= DAYS_KEPT:
            kept[day.year, day.month, day.day] = size
    return sorted(set(kept.values()))


@dataclass(frozen=True)
class Anchoring:
    """Until when others vouch for the log, and who is lacking."""

    until: datetime | None
    size: int
    newest: int
    lacking: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say it for a person."""
        if self.until is None:
            said = f"Not anchored yet: the log has {self.newest} entries that nobody outside vouches for."
        else:
            when = self.until.astimezone(London).strftime("%-d %B %Y at %H:%M")
            said = f"Anchored until {when}: {self.size} of {self.newest} entries."
        return said + (f" Lacking: {', '.join(self.lacking)}." if self.lacking else "")


def anchoring() -> Anchoring:
    """Return how far the log is anchored: the newest checkpoint that a quorum cosigned, and who is lacking since."""
    newest = newest_checkpoint()
    if newest is None:
        return Anchoring(None, 0, 0, ())
    lacking = tuple(newest.lacking.split())
    for point in Checkpoint.objects.exclude(cosigned="").order_by("-size")[:50]:
        if quorum_met(point):
            return Anchoring(point.at, point.size, newest.size, lacking)
    return Anchoring(None, 0, newest.size, lacking)
