"""Gathers what a bundle says from upstream, as the plain values that the bundle engine takes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from counterfoil.accounts import queries as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.courts.disclosure import NOT_CUSTODY, Contents, contents
from counterfoil.courts.models import Bundle, Release
from counterfoil.courts.queries import charges_of
from counterfoil.courts.rules import DECIDERS
from counterfoil.engines import bundle as engine
from counterfoil.engines.bundle import EventFacts
from counterfoil.engines.clock import London
from counterfoil.engines.errors import Corrupt, NotAllowed
from counterfoil.evidence import queries as evidence
from counterfoil.evidence.copies import CopyCard, copies_of_case
from counterfoil.evidence.queries import ExhibitCard
from counterfoil.evidence.rules import declaration, is_redaction, may_derive
from counterfoil.evidence.times import TimesCard, times_of_case
from counterfoil.ledger import queries as ledger
from counterfoil.ledger.queries import CheckpointRow, Line
from counterfoil.plugs.keys import keys, periods, verifiers
from counterfoil.plugs.stores import vault
from counterfoil.plugs.timestamper import timestamper, timestampers
from counterfoil.plugs.witness import witnesses
from counterfoil.reports import queries as reports

# Entries of the case, beside its exhibits' custody, that a court is shown. Reasons stay out: they are for the file.
SHOWN_ACTS = frozenset(
    {"case.opened", "case.recorded", "statement.signed", "suspect.named", "charge.decided"}
)


def _event(line: Line) -> EventFacts:
    if line.index is None:
        raise Corrupt("An entry has no place in the log yet.")
    if line.gone:
        return EventFacts(index=line.index, commitment=line.commitment, erased_by=line.erased_by)
    return EventFacts(index=line.index, salt=line.salt, body=line.body)


def gather(bundle: Bundle, now: datetime, holds: Contents | None = None) -> engine.BundleFacts:
    """Return everything a bundle says about its case as it stands now, for the audience it is made for.

    `holds` is what of the case goes in; nothing of any other item is named, counted or hinted at for the defence.
    """
    holds = holds or contents(bundle)
    defence = bundle.audience == "defence"
    viewer = Viewer(id=str(bundle.asked_by_id))
    case_id = bundle.case_id
    card = cases.cards([case_id])[case_id]
    parties = cases.parties(case_id)
    statements = [s for s in evidence.statements_of(viewer, case_id) if holds.has("statement", s.id)]
    exhibits = [x for x in evidence.exhibits_of(viewer, case_id) if holds.has("exhibit", x.id)]
    lines = [line for line in ledger.entries_of_thread(viewer, case_id) if line.index is not None]
    by_subject: dict[str, list[Line]] = {}
    for line in lines:
        if not (defence and line.act in NOT_CUSTODY):
            by_subject.setdefault(line.subject, []).append(line)
    charges = [c for c in charges_of(viewer, case_id) if c.decision == "charge"]
    charged = {c.party for c in charges}
    held = {f"statement:{s.id}" for s in statements}
    shown = [
        line
        for line in lines
        if line.act in SHOWN_ACTS
        and _concerns(line, charged)
        and (line.act != "statement.signed" or line.subject in held)
    ]
    if not defence:
        signed = {f"schedule:{i}" for i in (holds.mg6c, holds.mg6d)}
        shown += [line for line in lines if line.act == "schedule.signed" and line.subject in signed]
        # Not for the defence: the entry of a report lists the digests of all its files, used or not.
        for report_id in cases.reports_of(case_id):
            shown += [e for e in ledger.entries_of(viewer, "report", report_id) if e.act == "report.accepted"]
    # A derived exhibit names what it was made from only where that is in the bundle or on a schedule in it.
    held_labels = {x.label for x in exhibits}
    named = held_labels | {i.exhibit for s in holds.schedules for i in s.items}

    def origin(x: ExhibitCard) -> str | None:
        """Return the label of what an exhibit was made from, where this bundle's reader may know it with the recipe.

        A redaction's recipe says where something was removed and how long it was, and its input's digest confirms a
        guess at it: the defence gets neither, unless it has the whole anyway.
        """
        known = held_labels if defence and is_redaction(x.recipe) else named
        return x.parent if x.parent in known else None

    copies, noted = copies_of_case(case_id), times_of_case(case_id)
    facts_exhibits = [
        engine.ExhibitFacts(
            label=x.label,
            title=x.title,
            sha256=x.sha256,
            size=x.size,
            media_type=x.media_type,
            original_name=x.original_name,
            produced_by=x.produced_by,
            open=partial(vault().open, x.sha256),
            events=[_event(e) for e in by_subject.get(f"exhibit:{x.id}", [])],
            parent=origin(x),
            recipe=x.recipe if origin(x) else None,
            restricted=not may_derive(x),
            note=_note(x),
            duration_ms=_duration(x),
            recorded=_recorded(noted.get(x.id)),
            working=_working(copies.get(x.id, [])) if may_derive(x) else [],
        )
        for x in exhibits
    ]
    custody = [e for x in exhibits for e in by_subject.get(f"exhibit:{x.id}", [])]
    ids = {line.by for line in [*shown, *custody]} | {str(bundle.asked_by_id)}
    # A court must be able to read who received an exhibit, too.
    ids |= {str(e.body["to"]) for e in custody if "to" in e.body}
    title = card.kind.replace("-", " ")
    builder = accounts.names_of({str(bundle.asked_by_id)})[str(bundle.asked_by_id)]
    return engine.BundleFacts(
        name=bundle.name,
        urn=bundle.urn,
        force=card.force_name,
        built_at=now,
        case_ref=card.crime_number or card.number,
        defendants=[
            engine.DefendantFacts(p.name, "; ".join(v for _, v in p.references))
            for p in parties
            if p.role == "suspect" and p.id in charged
        ],
        charges=[
            engine.ChargeFacts(
                defendant=c.suspect,
                offence_code=c.offence_code,
                wording=c.wording,
                decided_by=f"{c.decider} ({DECIDERS[c.decided_by]})",
                decided_at=c.decided_at,
            )
            for c in charges
        ],
        statements=[
            engine.StatementFacts(
                witness=s.name,
                text=s.text,
                declaration=declaration(s.pages),
                signed_by=s.signed_name,
                signed_at=s.signed_at,
                taken_by=s.taken_by,
                age=s.age,
                read_over_by=s.read_over_by,
                reference=f"S/{s.number}",
            )
            for s in statements
        ],
        exhibits=facts_exhibits,
        outcome=None,
        actors=accounts.names_of(ids),
        titles=evidence.titles_of(case_id, [x.id for x in exhibits]),
        key_history=_history(),
        development=keys().development,
        summary=_summary(card, _received(case_id), title, len(exhibits), len(statements), bool(charges)),
        events=[_event(line) for line in sorted(shown, key=lambda e: e.index or 0)],
        built_by=builder,
        offence=title.capitalize(),
        audience=bundle.audience,
        schedules=[*holds.schedules, *_mg12(facts_exhibits, exhibits, builder, now)],
    )


def gather_again(bundle_id: UUID, now: datetime) -> engine.BundleFacts:
    """Return what a bundle that was built would say if it were made again now."""
    return gather(Bundle.objects.get(pk=bundle_id), now)


def _duration(exhibit: ExhibitCard) -> int | None:
    found = exhibit.technical.get("duration_ms")
    return found if isinstance(found, int) and not exhibit.restricted else None


def _recorded(times: TimesCard | None) -> engine.RecordedFacts | None:
    """Return the separate parts of when a recording was made, or None when nothing was noted."""
    if times is None:
        return None
    return engine.RecordedFacts(
        device_time=times.device_time,
        offset_ms=times.offset_ms,
        measured_by=times.measured_by,
        measured_at=times.measured_at,
        corrected_time=times.corrected,
    )


def _working(copies: Sequence[CopyCard]) -> list[engine.WorkingFacts]:
    """Return the copy that a court can play or look at; pictures of it that only serve our own pages stay here."""
    return [
        engine.WorkingFacts(
            kind=c.kind,
            sha256=c.sha256,
            size=c.size,
            media_type=c.media_type,
            open=partial(vault().open, c.sha256),
            recipe=c.recipe,
        )
        for c in copies
        if c.kind == "proxy" and c.state == "made"
    ]


def _note(exhibit: ExhibitCard) -> str:
    """Return why an exhibit's bytes are not in any bundle, or that it is a redaction; "" for the others."""
    if exhibit.state == "destroyed":
        return "Its bytes were destroyed under an order."
    if exhibit.restricted:
        return "Not copied: this exhibit is restricted, and nothing is made of it."
    return (
        "Redacted: something was removed from it by a person's decision."
        if is_redaction(exhibit.recipe)
        else ""
    )


def _mg12(
    facts: Sequence[engine.ExhibitFacts], cards: Sequence[ExhibitCard], builder: str, now: datetime
) -> list[engine.ScheduleFacts]:
    """Return the list of the exhibits in a bundle: each with who produces it and who holds it."""
    items = [
        engine.ScheduleItem(
            number=n,
            description=f"{x.title}. Produced by {x.produced_by}.",
            location=f"Returned to {card.returned_to}" if card.returned_to else f"Held by {card.holder}",
            exhibit=x.label,
            sha256=x.sha256,
        )
        for n, (x, card) in enumerate(zip(facts, cards, strict=True), 1)
    ]
    return [engine.ScheduleFacts("MG12", 1, items, builder, now, endorsed_nil=not items)]


def _concerns(line: Line, charged: set[UUID]) -> bool:
    """Say whether an entry is about somebody who is charged, or about nobody in particular.

    Who else was suspected, their custody records and decisions not to charge them are not for another's defence.
    """
    if line.act not in ("suspect.named", "charge.decided"):
        return True
    party = line.subject.partition(":")[2] if line.act == "suspect.named" else str(line.body.get("party"))
    return line.body.get("decision") != "no_charge" and party in map(str, charged)


def _received(case_id: UUID) -> datetime:
    """Return when the first report of a case was received: a draft is begun earlier, and is no report yet."""
    return min(reports.report_card(i).received_at for i in cases.reports_of(case_id))


def _summary(
    card: cases.CaseCard, received: datetime, title: str, exhibits: int, statements: int, charged: bool
) -> list[str]:
    when = received.astimezone(London).strftime("%A %-d %B %Y at %H:%M")
    said = [f"A report of {title} was made online and was received by {card.force_name} on {when}."]
    if card.recorded_at:
        said.append(f"It was recorded as a crime under the number {card.crime_number}.")
    said.append(
        f"This bundle holds {exhibits} exhibit{'' if exhibits == 1 else 's'} exactly as received and "
        f"{statements} witness statement{'' if statements == 1 else 's'}."
    )
    if not charged:
        said.append("Nobody has been charged at the time this bundle was built.")
    return said


def _history() -> str:
    return keys().history


def log_facts(
    bundle: Bundle, checkpoint: CheckpointRow, sealed_id: UUID, indexes: Iterable[int]
) -> engine.LogFacts:
    """Return the checkpoint, its timestamps and a proof for every index, once `bundle.sealed` is in the log.

    With them goes what shows that the log only grew from every earlier size that a reader of this bundle may know.
    """
    sealed = ledger.line(sealed_id)
    stamps = ledger.stamps_of(checkpoint)
    if sealed.index is None or not stamps or sealed.index >= checkpoint.size:
        raise Corrupt("The bundle's own entry is not under the checkpoint yet.")
    known = {*ledger.anchored_sizes(checkpoint), *_sizes_given(bundle)}
    return engine.LogFacts(
        checkpoint=ledger.note_of(checkpoint),
        sealed=_event(sealed),
        proofs={i: ledger.proof_of(i, checkpoint.size) for i in {*indexes, sealed.index}},
        tsrs=[engine.StampFacts(s.name, s.tsr, s.chain, s.crls, s.renewals) for s in stamps],
        consistency={
            size: ledger.growth_of(size, checkpoint.size) for size in sorted(known) if size < checkpoint.size
        },
    )


def _sizes_given(bundle: Bundle) -> set[int]:
    """Return the sizes of the log in the earlier bundles of the case that the reader of this one was given.

    For the defence only what was released to it: how often anything was built for others is not its business.
    """
    earlier = Bundle.objects.filter(case_id=bundle.case_id, audience=bundle.audience, state="built")
    if bundle.audience == "defence":
        earlier = earlier.filter(pk__in=Release.objects.filter(kind="defence").values("bundle_id"))
    named = {f"bundle:{pk}" for pk in earlier.exclude(pk=bundle.pk).values_list("pk", flat=True)}
    lines = ledger.entries_of_thread(Viewer(id=str(bundle.asked_by_id)), bundle.case_id) if named else []
    built = [e for e in lines if e.act == "bundle.built" and e.subject in named]
    return {int(e.body["log_size"]) for e in built if "log_size" in e.body}


def identity() -> engine.Identity:
    """Return the sealing identity: development makes its own, production reads `keys/seal/`."""
    folder = Path(settings.COUNTERFOIL_HOME) / "keys" / "seal"
    if not (folder / "key.pem").exists():
        if settings.PRODUCTION:
            raise NotAllowed(
                "There is no sealing identity in keys/seal/ (key.pem, chain.pem, crl.pem). Put one there."
            )
        return engine.make_development_identity(folder, "report seal", timestamping=False, now=timezone.now())
    found = engine.Identity.load_folder(folder)
    if settings.PRODUCTION and found.development:
        raise NotAllowed("Production does not seal with a development identity.")
    return found


def sealer() -> engine.Seal:
    """Return what sealing a report needs."""
    stamper = timestamper()
    return engine.Seal(identity(), stamper.stamp, stamper.chain, stamper.crls)


def policy_text() -> str:
    """Return the court's policy for this installation: the keys a verifier may trust, told outside any bundle.

    C2SP tlog-policy lines: every key that the log ever had (newest first), the witnesses, a group for each operator
    that has several, and the quorum of operators. Then `#counterfoil` lines: who operates which witness, the timestamp
    and sealing roots, the manifest keys, and from when on a key that was rotated out or revoked no longer counts.
    Development witnesses and keys are listed like others, and no verdict counts them.
    """
    found = witnesses()
    lines = [f"log {v.vkey}" for v in reversed(verifiers("log"))]
    lines += [f"witness {n.name} {n.witness.vkey}" for n in found]
    by: dict[str, list[str]] = {}
    for n in found:
        by.setdefault(n.operator, []).append(n.name)
    lines += [f"group {operator} any {' '.join(names)}" for operator, names in by.items() if len(names) > 1]
    members = [operator if len(names) > 1 else names[0] for operator, names in by.items()]
    if members:
        lines += [f"group operators {settings.WITNESS_QUORUM} {' '.join(members)}", "quorum operators"]
    else:
        lines.append("quorum none")
    lines += [f"#counterfoil operator {n.name} {n.operator}" for n in found]
    lines += [f"#counterfoil tsa-root {name} {t.root_sha256}" for name, t in timestampers().items()]
    lines.append(f"#counterfoil tsa-tolerance {settings.STAMP_TOLERANCE}")
    lines.append(f"#counterfoil seal-root seal1 {identity().root_sha256}")
    lines += [f"#counterfoil manifest-key {v.vkey}" for v in reversed(verifiers("manifest"))]
    for p in periods():
        ends = [at for at in (p.end, p.revoked) if at is not None]
        if ends and p.role in ("log", "manifest"):
            name, key_id, _ = p.vkey.split("+", 2)
            lines.append(f"#counterfoil ended {name}+{key_id} {min(ends).strftime('%Y-%m-%dT%H:%M:%SZ')}")
    return "\n".join(lines) + "\n"
