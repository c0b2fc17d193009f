"""Every way to change courts: record a charging decision, build a bundle, send it, release it, open it."""

import hashlib
import logging
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django_tasks import task

from counterfoil.accounts import passes
from counterfoil.accounts import queries as accounts
from counterfoil.accounts.passes import Issued
from counterfoil.accounts.rules import Viewer, needs
from counterfoil.cases import actions as case_actions
from counterfoil.cases import queries as cases
from counterfoil.cases import rules as case_rules
from counterfoil.cases.queries import CaseCard
from counterfoil.courts import rules
from counterfoil.courts.disclosure import contents, served_count
from counterfoil.courts.gather import gather, log_facts, policy_text, sealer
from counterfoil.courts.models import Bundle, Charge, Mark, Release
from counterfoil.courts.queries import (
    BundleCard,
    bundle_for,
    cards_of,
    defence_bundle,
    is_newest_for_defence,
    marked_since,
)
from counterfoil.engines import bundle as engine
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.engines.refs import urn
from counterfoil.evidence import material, sharing
from counterfoil.evidence.rules import MARKS
from counterfoil.ledger.actions import record, sequence, witness_checkpoint
from counterfoil.plugs.keys import keys
from counterfoil.plugs.stores import vault

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


@transaction.atomic
def record_charging_decision(
    case_id: UUID,
    party_id: UUID,
    *,
    decision: str,
    decided_by: str,
    decider: str,
    decided_at: datetime,
    offence_code: str,
    wording: str,
    reason: str,
    by: Viewer,
) -> UUID:
    """Record who decided to charge a suspect, or not to, when, and in which words; return the decision's id."""
    needs(by, "officer", "record a charging decision")
    if not cases.why(by, case_id).allowed:
        raise NotAllowed("You have no part in this case, so you cannot change it.")
    card = cases.lock_case(case_id)
    if card.state != "open":
        raise NotAllowed("This case is closed. Reopen it before you record a charging decision.")
    suspect = next((p for p in cases.parties(case_id) if p.id == party_id and p.role == "suspect"), None)
    if suspect is None:
        raise BadInput("party", "Choose the suspect the decision is about.")
    now = timezone.now()
    clean = rules.clean_charge(
        decision=decision,
        decided_by=decided_by,
        decider=decider,
        decided_at=decided_at,
        offence_code=offence_code,
        wording=wording,
        reason=reason,
        kind=card.kind,
        now=now,
    )
    digest = case_actions.keep_reason(case_id, "charge.decided", clean["reason"], by=by)
    charge = Charge.objects.create(
        id=uuid4(),
        case_id=case_id,
        party_id=party_id,
        decision=decision,
        decided_by=decided_by,
        decider=clean["decider"],
        decided_at=decided_at,
        offence_code=clean["offence_code"],
        wording=clean["wording"],
        reason_sha256=digest,
        noted_at=now,
        noted_by_id=by.id,
    )
    record(
        "charge.decided",
        by=by,
        on=("charge", charge.pk),
        thread=case_id,
        decision=decision,
        decided_by=decided_by,
        decided_at=decided_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        offence_code=clean["offence_code"],
        wording_sha256=hashlib.sha256(clean["wording"].encode()).hexdigest(),
        reason_sha256=digest,
        party=str(party_id),
    )
    case_actions.tell_reporters(case_id, "charged" if decision == "charge" else "not_charged")
    return charge.pk


@transaction.atomic
def ask_bundle(case_id: UUID, *, by: Viewer) -> UUID:
    """Ask for the bundles of a case as it stands; the work process builds them. Returns the prosecutor's bundle's id.

    When the case is ready to be sent, the defence's is made beside it: it knows nothing of what is sensitive.
    """
    needs(by, "officer", "build a bundle")
    card = cases.case_for(by, case_id)
    if card is None:
        raise NotAllowed("You have no part in this case, so you cannot build its bundle.")
    cases.lock_case(case_id)
    busy = Bundle.objects.filter(case_id=case_id, audience="prosecutor", state="building").first()
    if busy:
        return busy.pk
    bundle = _ask(card, "prosecutor", None, by)
    if not material.not_ready(by, case_id):
        _ask(card, "defence", bundle, by)
    # The task row is written in this same transaction, so an acknowledged wish is never forgotten.
    build.enqueue(str(bundle.pk))
    return bundle.pk


@transaction.atomic
def ask_defence_bundle(bundle_id: UUID, *, by: Viewer) -> UUID:
    """Make the defence's bundle again with the prosecutor's marks as they are now; return its id.

    Only a prosecutor to whom the bundle was sent may. What that prosecutor has not seen does not get in.
    """
    needs(by, "prosecutor", "make the defence's bundle", second_factor=True)
    source = Bundle.objects.filter(pk=bundle_id, audience="prosecutor", state="built").first()
    if source is None or not _was_sent(bundle_id, by):
        raise NotAllowed("There is no such bundle among those sent to you.")
    cases.lock_case(source.case_id)
    busy = Bundle.objects.filter(source=source, state="building").first()
    if busy:
        return busy.pk
    bundle = _ask(cases.cards([source.case_id])[source.case_id], "defence", source, by)
    build.enqueue(str(bundle.pk))
    return bundle.pk


def _was_sent(bundle_id: UUID, by: Viewer) -> bool:
    return Release.objects.filter(bundle_id=bundle_id, kind="prosecutor", prosecutor_id=by.uuid).exists()


def _ask(card: CaseCard, audience: str, source: Bundle | None, by: Viewer) -> Bundle:
    """Make the row of one bundle and its entry; the case is locked.

    The defence's name counts only what the defence was given before, never how often anything was built.
    """
    case_id = card.id
    asked = Bundle.objects.filter(case_id=case_id, audience=audience)
    number = (asked.aggregate(n=Max("number"))["n"] or 0) + 1
    told = f"defence-{served_count(case_id) + 1}" if source else f"bundle-{number}"
    known = next((v for k, v in cases.references(case_id) if k == "urn"), None)
    case = cases.lock_case(case_id)
    reference = known or urn(card.force, *case_rules.unit_and_number(case.number), case.year % 100)
    demo = "DEMONSTRATION-" if keys().development else ""
    bundle = Bundle.objects.create(
        id=uuid4(),
        case_id=case_id,
        audience=audience,
        source=source,
        number=number,
        urn=reference,
        name=f"{demo}{reference.replace('/', '-').replace(' ', '-')}-{told}",
        stage="Waiting for its turn",
        asked_at=timezone.now(),
        asked_by_id=by.id,
    )
    record("bundle.asked", by=by, on=("bundle", bundle.pk), thread=case_id, number=number, audience=audience)
    return bundle


@task()
def build(bundle_id: str) -> None:
    """Build one bundle that was asked for, and the defence's beside it, in the work process."""
    build_bundle(UUID(bundle_id))


def build_bundle(bundle_id: UUID) -> None:
    """Build, seal, log, timestamp, check and store a bundle that was asked for. Idempotent; safe to run again.

    A failure is kept on the bundle as a sentence. Only a bundle that our own verifier accepts is stored.
    """
    bundle = Bundle.objects.select_related("case", "source").get(pk=bundle_id)
    if bundle.state == "building":
        _try(bundle)
    for beside in Bundle.objects.filter(source_id=bundle_id, state="building").order_by("number"):
        build_bundle(beside.pk)


def _try(bundle: Bundle) -> None:
    bundle_id = bundle.pk

    def stage(text: str) -> None:
        Bundle.objects.filter(pk=bundle_id).update(stage=text, stage_at=timezone.now())

    try:
        _build(bundle, stage)
    except Refusal as e:
        _fail(bundle, str(e))
    except Exception:
        log.exception("bundle %s was not built", bundle_id)
        _fail(bundle, "Something went wrong while it was built, and it was noted. Ask for it again.")


@transaction.atomic
def _fail(bundle: Bundle, sentence: str) -> None:
    """Keep why a bundle was not built."""
    changed = Bundle.objects.filter(pk=bundle.pk, state="building").update(
        state="failed", stage="", error=sentence[:300]
    )
    if changed:
        record("bundle.failed", by=Viewer.clock(), on=("bundle", bundle.pk), thread=bundle.case_id)


def sweep_bundles(now: datetime) -> int:
    """Mark bundles whose building stopped half way (the process was killed) as failed; return how many."""
    before = now - rules.STALLED_AFTER
    stuck = [
        b
        for b in Bundle.objects.filter(state="building", asked_at__lt=before)
        if b.stage_at is None or b.stage_at < before
    ]
    for bundle in stuck:
        _fail(bundle, "Building it stopped half way. Ask for it again.")
    return len(stuck)


def _build(bundle: Bundle, stage: Progress) -> None:
    by = Viewer(id=str(bundle.asked_by_id))
    stage("Gathering the case and giving every entry its place in the log (1 of 6)")
    sequence()
    with transaction.atomic():
        cases.lock_case(bundle.case_id)
        holds = contents(bundle)
        facts = gather(bundle, timezone.now().replace(microsecond=0), holds)
    stage("Reading every exhibit again and making the report (2 of 6)")
    made = engine.payload(facts, sealer())
    with transaction.atomic():
        sealed = record(
            "bundle.sealed",
            by=by,
            on=("bundle", bundle.pk),
            thread=bundle.case_id,
            payload_sha256=made.payload_sha256,
        )
    stage("Putting the bundle in the log, with the witness and the timestamp (3 of 6)")
    checkpoint = sequence()
    if checkpoint is None:
        raise NotAllowed("The log is empty, so nothing can be proved yet.")
    checkpoint = witness_checkpoint(checkpoint)
    facts_of_log = log_facts(
        bundle,
        checkpoint,
        sealed.pk,
        [e.index for x in facts.exhibits for e in x.events] + [e.index for e in facts.events],
    )
    with tempfile.TemporaryDirectory(dir=Path(settings.COUNTERFOIL_HOME) / "incoming") as folder:
        out = Path(folder) / f"{bundle.name}.zip"
        stage("Writing the archive (4 of 6)")
        engine.finish(made, facts_of_log, keys().manifest, out)
        stage("Checking it as a court would (5 of 6)")
        verdict = engine.verify(out, policy_text())
        if verdict.failed or verdict.word not in ("VERIFIED-WITNESSED", "VERIFIED-UNWITNESSED"):
            raise NotAllowed(
                f"The bundle did not pass its own check ({verdict.failed or verdict.word}). Nothing was stored."
            )
        stage("Storing it in the vault (6 of 6)")
        with out.open("rb") as f:
            stored = vault().add(f)
    with transaction.atomic():
        # Whoever was first has decided: what was called failed, or was built already, is never replaced.
        built = Bundle.objects.filter(pk=bundle.pk, state="building").update(
            state="built",
            stage="",
            payload_sha256=made.payload_sha256,
            sha256=stored.sha256,
            size=stored.size,
            verdict=verdict.word,
            proved=list(verdict.proved),
            not_proved=list(verdict.not_proved),
            built_at=timezone.now(),
            holds=sorted(holds.keys),
            mg6c_id=holds.mg6c,
            mg6d_id=holds.mg6d,
            served=holds.served,
        )
        if not built:
            return
        record(
            "bundle.built",
            by=by,
            on=("bundle", bundle.pk),
            thread=bundle.case_id,
            sha256=stored.sha256,
            size=stored.size,
            verdict=verdict.word,
            log_size=checkpoint.size,
        )


@transaction.atomic
def send_to_prosecutor(bundle_id: UUID, actor_id: str, *, by: Viewer) -> None:
    """Send a built bundle to a named prosecutor. Sending it again changes nothing."""
    needs(by, "officer", "send a bundle to a prosecutor")
    card = bundle_for(by, bundle_id)
    if card is None or card.state != "built" or card.audience != "prosecutor":
        raise NotAllowed("There is no finished bundle to send.")
    cases.lock_case(card.case)
    lacking = material.not_ready(by, card.case)
    if lacking:
        raise NotAllowed(f"This case cannot be sent to a prosecutor yet. {lacking}")
    standing = {s.id for s in material.newest(material.schedules_of(by, card.case)).values()}
    if set(card.schedules) != standing:
        raise NotAllowed(
            "The schedules were signed after this bundle was built. Build a new one and send that."
        )
    receiver = accounts.viewer_for(actor_id)
    if not receiver.has("prosecutor"):
        raise BadInput("prosecutor", "Choose a prosecutor.")
    _, made = Release.objects.get_or_create(
        bundle_id=bundle_id,
        prosecutor_id=receiver.uuid,
        defaults={
            "kind": "prosecutor",
            "recipient": receiver.name,
            "made_at": timezone.now(),
            "made_by_id": by.id,
        },
    )
    if made:
        record("bundle.sent", by=by, on=("bundle", bundle_id), thread=card.case, to=receiver.id)
        case_actions.tell_reporters(card.case, "bundle_sent")


@transaction.atomic
def mark(bundle_id: UUID, form: str, key: str, decision: str, comment: str, *, by: Viewer) -> None:
    """Mark one line of a schedule as the prosecutor: disclose, not, inspect; on an MG6D whether it is sensitive.

    The last mark counts. A comment stays with the prosecution.
    """
    needs(by, "prosecutor", "mark a schedule", second_factor=True)
    bundle = Bundle.objects.filter(pk=bundle_id, audience="prosecutor", state="built").first()
    if bundle is None or not _was_sent(bundle_id, by):
        raise NotAllowed("There is no such bundle among those sent to you.")
    cases.lock_case(bundle.case_id)
    schedule_id = {"MG6C": bundle.mg6c_id, "MG6D": bundle.mg6d_id}.get(form)
    found = material.schedules([schedule_id]) if schedule_id else []
    line = next((x for s in found for x in s.lines if x["key"] == key), None)
    if line is None or schedule_id is None:
        raise NotAllowed("There is no such line on this schedule.")
    if decision not in MARKS[form]:
        raise BadInput("decision", "Choose one of the marks.")
    said = " ".join(comment.split())
    if len(said) > 400 or "\x00" in said:
        raise BadInput("comment", "Comment in 400 letters or fewer.")
    Mark.objects.create(
        schedule_id=schedule_id, key=key, mark=decision, comment=said, by_id=by.id, at=timezone.now()
    )
    record(
        "schedule.marked",
        by=by,
        on=("schedule", str(schedule_id)),
        thread=bundle.case_id,
        line=int(line["number"]),
        mark=decision,
        comment_sha256=hashlib.sha256(said.encode()).hexdigest() if said else "",
    )


@transaction.atomic
def release_to_defence(bundle_id: UUID, recipient: str, firm: str, purpose: str, *, by: Viewer) -> Issued:
    """Release the defence's bundle, made beside the one a prosecutor received, to a named defence lawyer.

    `bundle_id` is the prosecutor's. Only a prosecutor to whom it was sent may, with a second factor. The bundle with
    the sensitive schedule itself is never released: there is no way to name it here.
    """
    needs(by, "prosecutor", "release a bundle to the defence", second_factor=True)
    sent = bundle_for(by, bundle_id)
    if sent is None or sent.state != "built" or sent.audience != "prosecutor" or not _was_sent(bundle_id, by):
        raise NotAllowed("There is no such bundle among those sent to you.")
    cases.lock_case(sent.case)
    card = defence_bundle(by, bundle_id)
    if card is None or card.state != "built":
        raise NotAllowed("The defence's bundle is not made yet. Make it, then release it.")
    if not is_newest_for_defence(card.id):
        raise NotAllowed("A newer bundle was made for the defence. Release that one.")
    if marked_since(card.id):
        raise NotAllowed("You marked the schedule after the defence's bundle was made. Make it again first.")
    name, house, aim = (" ".join(t.split()) for t in (recipient, firm, purpose))
    if not 3 <= len(name) <= 120:
        raise BadInput("recipient", "Give the name of the person the bundle is for.")
    if len(house) > 120:
        raise BadInput("firm", "Give the firm's name in 120 letters or fewer.")
    if not 3 <= len(aim) <= 200:
        raise BadInput(
            "purpose", "Say what it is released for, for example: initial details for the first hearing."
        )
    issued = passes.issue()
    release = Release.objects.create(
        id=uuid4(),
        bundle_id=card.id,
        kind="defence",
        recipient=name,
        firm=house,
        purpose=aim,
        access_id=issued.id,
        made_at=timezone.now(),
        made_by_id=by.id,
    )
    record(
        "bundle.released",
        by=by,
        on=("bundle", card.id),
        thread=card.case,
        release=str(release.pk),
        recipient_sha256=hashlib.sha256(f"{release.pk}\x00{name}".encode()).hexdigest(),
        expires=issued.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    return issued


@transaction.atomic
def end_release(release_id: UUID, *, by: Viewer) -> None:
    """End a release to the defence before its time. Any prosecutor to whom the bundle was sent may."""
    needs(by, "prosecutor", "end a release", second_factor=True)
    release = (
        Release.objects.select_for_update(of=("self",))
        .select_related("bundle")
        .filter(pk=release_id, kind="defence")
        .first()
    )
    if release is None or bundle_for(by, release.bundle_id) is None or not _end(release):
        raise NotAllowed("There is no such open release of yours.")
    record(
        "release.ended",
        by=by,
        on=("bundle", release.bundle_id),
        thread=release.bundle.case_id,
        release=str(release.pk),
    )


def _end(release: Release) -> bool:
    return release.access_id is not None and passes.end(release.access_id)


def open_link(link: str, code: str) -> UUID | None:
    """Open with its code what a link was given for, a bundle or an exhibit; return the pass's id for this visit.

    None when anything does not fit. Five wrong codes end the link. An unknown link takes as long as a wrong code.
    """

    def opened(pass_id: UUID) -> None:
        release = Release.objects.select_related("bundle").filter(access_id=pass_id).first()
        if release is None:
            sharing.note_opened(pass_id)
            return
        record(
            "release.opened",
            by=DEFENCE,
            on=("bundle", release.bundle_id),
            thread=release.bundle.case_id,
            release=str(release.pk),
        )

    return passes.redeem(link, code, opened)


DEFENCE = Viewer(id="defence", name="The defence, by one-time code")


def released_bundle(pass_id: UUID) -> tuple[BundleCard, str] | None:
    """Return the bundle of an opened release and its recipient's name, while the release is open; None otherwise."""
    release = Release.objects.filter(access_id=pass_id, kind="defence", bundle__audience="defence").first()
    if release is None or not passes.is_open(pass_id):
        return None
    return cards_of([release.bundle_id])[0], release.recipient


def download(
    bundle_id: UUID, *, by: Viewer, pass_id: UUID | None = None
) -> tuple[BundleCard, BinaryIO] | None:
    """Record that a bundle is downloaded, commit, then return it with its bytes; None when refused or absent."""
    release_id = None
    if pass_id is not None:
        opened = released_bundle(pass_id)
        release_id = Release.objects.filter(access_id=pass_id).values_list("pk", flat=True).first()
        card = opened[0] if opened and opened[0].id == bundle_id else None
        by = DEFENCE
    else:
        card = bundle_for(by, bundle_id)
    if card is None or card.state != "built":
        return None
    # durable=True refuses to run inside another transaction, so the entry really is committed first.
    with transaction.atomic(durable=True):
        record(
            "bundle.downloaded",
            by=by,
            on=("bundle", bundle_id),
            thread=card.case,
            sha256=card.sha256,
            release=str(release_id or ""),
        )
    return card, vault().open(card.sha256)
