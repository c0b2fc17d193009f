"""What must always hold, in one place: each promise is a query that must return nothing.

`counterfoil fsck` runs them all, and so do the tests after every process kill and every random story. It stands above
all nouns because it reads them all, and it reads them by name: it is the one place that may.

A promise that the clock keeps (a sweep runs every minute) is asked about what is older than `GRACE`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone

from counterfoil.cases.queries import cases_without_active_owner
from counterfoil.engines.clock import Ladder, rung
from counterfoil.engines.errors import Refusal
from counterfoil.measures.hotspots import document
from counterfoil.measures.samples import chosen_by_hand
from counterfoil.notices.rules import channel_for
from counterfoil.plugs.stores import quarantine, vault
from counterfoil.reference.duties import duty_kinds
from counterfoil.reports.queries import check_receipt

GRACE = timedelta(minutes=5)


def rows(name: str) -> QuerySet[Any]:
    """Return every row of a model, named like `cases.Case`."""
    found: type[Model] = apps.get_model(name)
    return found._default_manager.all()


@dataclass(frozen=True)
class Promise:
    """A promise: its name, what it says, and the query that yields each thing for which it is broken."""

    name: str
    sentence: str
    broken: Callable[[datetime], Iterable[object]]


# Somebody is responsible


def reports_without_case(before: datetime) -> Iterable[object]:
    """Yield reports that no case holds."""
    held = rows("cases.CaseReport").values("report_id")
    return rows("reports.Report").filter(received_at__lte=before).exclude(pk__in=held)


def cases_without_owner(before: datetime) -> Iterable[object]:
    """Yield open cases owned by nobody who works in the force, or by something that is no queue."""
    for pk in cases_without_active_owner():
        yield f"case {pk}: its owner no longer works in the force"
    opened = rows("cases.Case").filter(state="open")
    yield from opened.filter(owner_actor=None, owner_queue=None)
    yield from opened.filter(owner_actor__isnull=False, owner_queue__isnull=False)
    yield from opened.filter(owner_queue__isnull=False).exclude(owner_queue__kind="queue")


def cases_without_duty(before: datetime) -> Iterable[object]:
    """Yield open cases on which nobody has anything to do."""
    live = rows("duties.Duty").filter(state="live").values("case_id")
    return rows("cases.Case").filter(state="open", opened_at__lte=before).exclude(pk__in=live)


def duties_without_owner(before: datetime) -> Iterable[object]:
    """Yield live duties that somebody other than the owner of the case holds, and those of closed cases."""
    live = rows("duties.Duty").filter(state="live").select_related("case")
    yield from live.filter(case__state="closed")
    for duty in live.filter(case__state="open"):
        if (duty.holder_id, duty.queue_id) != (duty.case.owner_actor_id, duty.case.owner_queue_id):
            yield f"duty {duty.pk} ({duty.kind}) is not with the owner of its case"


# What was missed is said and climbs


def duties_missed_in_silence(before: datetime) -> Iterable[object]:
    """Yield overdue duties that were not marked missed, or of which the sender was not told."""
    late = rows("duties.Duty").filter(state="live", due_at__lte=before)
    yield from late.filter(missed_at=None)
    told = {
        (report, params.get("duty"), params.get("due"))
        for report, params in rows("reports.Progress")
        .filter(what="missed")
        .values_list("report_id", "params")
    }
    for duty in rows("duties.Duty").filter(missed_at__isnull=False):
        kind = duty_kinds().get(duty.kind)
        joined = rows("cases.CaseReport").filter(case_id=duty.case_id, joined_at__lte=duty.missed_at)
        if duty.about.startswith("report:"):
            joined = joined.filter(report_id=duty.about.partition(":")[2])
        else:
            joined = joined.filter(answers=False) if kind is None or kind.told else joined.none()
        for report in joined.values_list("report_id", flat=True):
            if (report, duty.kind, duty.due_at.isoformat()) not in told:
                yield f"duty {duty.pk} ({duty.kind}) was missed and report {report} was not told"


def duties_stuck_on_their_ladder(before: datetime) -> Iterable[object]:
    """Yield missed duties that did not climb as far as their ladder says, or reached a rung that nobody noted."""
    climbs = set(rows("duties.Climb").values_list("duty_id", "rung"))
    for duty in rows("duties.Duty").filter(Q(state="live", due_at__lte=before) | Q(rung__gt=0)):
        kind = duty_kinds().get(duty.kind)
        if kind is None:
            yield f"duty {duty.pk} is of an unknown kind {duty.kind}"
            continue
        ladder = Ladder([(step.after, step.to) for step in kind.ladder])
        if duty.state == "live" and duty.rung < rung(ladder, duty.due_at, before):
            yield f"duty {duty.pk} ({duty.kind}) stands on rung {duty.rung}"
        for step in range(1, duty.rung + 1):
            if (duty.pk, step) not in climbs:
                yield f"duty {duty.pk} ({duty.kind}) reached rung {step} and nobody was named"


# Bytes


def exhibits_without_bytes(before: datetime) -> Iterable[object]:
    """Yield exhibits and built bundles whose object is not in the vault with its size."""
    store = vault()
    living = rows("evidence.Exhibit").exclude(state="destroyed")
    kept: list[tuple[str, Any, str, int]] = [
        *(("exhibit", *x) for x in living.values_list("pk", "sha256", "size")),
        *(
            ("share", *x)
            for x in rows("evidence.Share").filter(state="ready").values_list("pk", "sha256", "size")
        ),
        *(
            ("bundle", *x)
            for x in rows("courts.Bundle").filter(state="built").values_list("pk", "sha256", "size")
        ),
    ]
    for what, pk, sha256, size in kept:
        if not store.has(sha256) or store.size(sha256) != size:
            yield f"{what} {pk}: object {sha256[:12]} is not in the vault"


def destroyed_that_are_still_there(before: datetime) -> Iterable[object]:
    """Yield destroyed exhibits whose bytes remain, or that were not destroyed by two people under an order."""
    store, waiting = vault(), quarantine()
    living = set(rows("evidence.Exhibit").exclude(state="destroyed").values_list("sha256", flat=True))
    sent = set(rows("reports.Upload").filter(destroyed_at=None).values_list("sha256", flat=True))
    decided = rows("evidence.Destruction").filter(state="done").values_list("exhibit_id", flat=True)
    two = {
        subject
        for subject, body in rows("ledger.Entry")
        .filter(act="exhibit.destroyed")
        .values_list("subject_id", "body")
        if len(set(body.get("approved_by", ()))) == 2 and body.get("order")
    }
    for pk, sha256 in rows("evidence.Exhibit").filter(state="destroyed").values_list("pk", "sha256"):
        if sha256 not in living and store.has(sha256):
            yield f"exhibit {pk} was destroyed and is still in the vault"
        if sha256 not in sent and waiting.has(sha256):
            yield f"exhibit {pk} was destroyed and is still in quarantine"
        if pk not in set(decided) or str(pk) not in two:
            yield f"exhibit {pk} was destroyed without an order or a second person"


def material_decided_otherwise(before: datetime) -> Iterable[object]:
    """Yield items of material whose state is not the one that their last entry says."""
    last: dict[str, str] = {}
    said = rows("ledger.Entry").filter(act__in=["exhibit.material", "statement.material"])
    for subject, body in said.order_by("at", "id").values_list("subject_id", "body"):
        last[subject] = str(body.get("material")) if body else ""
    for model in ("evidence.Exhibit", "evidence.Statement"):
        for pk, state in rows(model).values_list("pk", "material"):
            if last.get(str(pk), "undecided") not in (state, ""):  # "" was erased
                yield f"{model.partition('.')[2].lower()} {pk} is {state} and the log says otherwise"


def schedules_told_to_the_wrong_side(before: datetime) -> Iterable[object]:
    """Yield what was sent without its schedules, released to the defence from the wrong bundle, or numbered twice."""
    for release in rows("courts.Release").filter(kind="defence").exclude(bundle__audience="defence"):
        yield f"release {release.pk} gave the defence a bundle that is not its own"
    yield from rows("courts.Bundle").filter(audience="defence", mg6d__isnull=False)
    for release in rows("courts.Release").filter(kind="prosecutor", bundle__mg6d__isnull=True):
        yield f"release {release.pk} was sent without signed schedules"
    given: dict[tuple[Any, str, int], str] = {}
    for case, form, lines in (
        rows("evidence.Schedule").order_by("issue").values_list("case_id", "form", "lines")
    ):
        for line in lines:
            if given.setdefault((case, form, line["number"]), line["key"]) != line["key"]:
                yield f"case {case}: number {line['number']} of {form} was given to two items"


def passes_of_nothing(before: datetime) -> Iterable[object]:
    """Yield passes that do not open exactly one thing, and shares that are no entry."""
    opens = [
        *rows("courts.Release").filter(access__isnull=False).values_list("access_id", flat=True),
        *rows("evidence.Share").values_list("access_id", flat=True),
    ]
    for pk in rows("accounts.Pass").values_list("pk", flat=True):
        if opens.count(pk) != 1:
            yield f"pass {pk} opens {opens.count(pk)} things"
    told = {
        b.get("share")
        for b in rows("ledger.Entry").filter(act="exhibit.shared").values_list("body", flat=True)
    }
    for pk in rows("evidence.Share").values_list("pk", flat=True):
        if str(pk) not in told:
            yield f"share {pk} is no entry"


def files_without_bytes(before: datetime) -> Iterable[object]:
    """Yield files that were sent, or wait on a draft, and are not in quarantine with their size."""
    store = quarantine()
    for pk, sha256, size in (
        rows("reports.Upload").filter(removed_at=None, destroyed_at=None).values_list("pk", "sha256", "size")
    ):
        if not store.has(sha256) or store.size(sha256) != size:
            yield f"upload {pk}: object {sha256[:12]} is not in quarantine"


def files_of_officers_without_entry(before: datetime) -> Iterable[object]:
    """Yield files that officers added and that are not one entry with their digest, and entries of no such file."""
    entries: dict[str, list[dict[str, Any]]] = {}
    received = rows("ledger.Entry").filter(act="upload.received")
    for subject, body in received.values_list("subject_id", "body"):
        entries.setdefault(subject, []).append(body)
    for upload in rows("reports.Upload").exclude(owner=""):
        found = entries.pop(str(upload.pk), [])
        if len(found) != 1 or (found[0].get("sha256"), found[0].get("size")) != (upload.sha256, upload.size):
            yield f"upload {upload.pk} has {len(found)} entries, or they say otherwise"
    for subject in entries:
        yield f"entry upload.received names {subject}, which does not exist"


def receipts_that_say_something_else(before: datetime) -> Iterable[object]:
    """Yield reports whose receipt does not check or does not list exactly the files that are kept."""
    files: dict[Any, list[str]] = {}
    sent = rows("reports.Upload").filter(report__isnull=False).order_by("report_id", "number")
    for report, sha256 in sent.values_list("report_id", "sha256"):
        files.setdefault(report, []).append(sha256)
    for pk, note, reference in rows("reports.Report").values_list("pk", "receipt", "reference"):
        check = check_receipt(note)
        if not check.valid or check.reference != reference or list(check.listed) != files.get(pk, []):
            yield f"report {pk}: its receipt does not say what is kept"


def exhibits_that_differ_from_what_was_sent(before: datetime) -> Iterable[object]:
    """Yield exhibits whose bytes are not those of the upload they came from."""
    return (
        rows("evidence.Exhibit")
        .filter(upload__isnull=False)
        .exclude(sha256=F("upload__sha256"), size=F("upload__size"))
    )


def exhibits_held_otherwise(before: datetime) -> Iterable[object]:
    """Yield exhibits whose holder is not the one that their last entry of custody names."""
    last: dict[str, str] = {}
    acts = [*BECAME.split("|"), "exhibit.moved"]
    moves = rows("ledger.Entry").filter(act__in=acts).order_by("at", "id")
    erased = set()
    for act, subject, by, body in moves.values_list("act", "subject_id", "by", "body"):
        last[subject] = str(body.get("to")) if act == "exhibit.moved" else by
        if not body:
            erased.add(subject)
    for pk, holder in rows("evidence.Exhibit").values_list("pk", "holder_id"):
        if last.get(str(pk)) != str(holder) and str(pk) not in erased:
            yield f"exhibit {pk}: the log names another holder"


# The ledger


# The ways in which something becomes an exhibit: out of quarantine, made from another, from another evidence system.
BECAME = "exhibit.sealed|exhibit.derived|exhibit.redacted|exhibit.imported"
# For each thing: the act that made it (or one of several), its subject in the ledger, and columns its entry repeats.
MADE: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("reports.Report", "report.accepted", "report", {"content_sha256": "content_sha256"}),
    ("cases.Case", "case.opened", "case", {}),
    ("cases.Party", "party.added", "party", {"role": "role"}),
    ("duties.Duty", "duty.given", "duty", {"kind": "kind"}),
    ("evidence.Exhibit", BECAME, "exhibit", {"sha256": "sha256", "size": "size"}),
    ("evidence.Extract", "extract.asked", "extract", {"kind": "kind"}),
    ("evidence.Redaction", "redaction.begun", "redaction", {}),
    (
        "evidence.Schedule",
        "schedule.signed",
        "schedule",
        {"sha256": "sha256", "form": "form", "issue": "issue"},
    ),
    ("evidence.Statement", "statement.signed", "statement", {"sha256": "sha256", "number": "number"}),
    ("courts.Charge", "charge.decided", "charge", {"decision": "decision", "reason_sha256": "reason_sha256"}),
    ("courts.Bundle", "bundle.asked", "bundle", {"number": "number"}),
    ("outcomes.Outcome", "outcome.recorded", "outcome", {"type": "type", "reason_sha256": "reason_sha256"}),
    ("people.Person", "person.noted", "person", {}),
    ("reports.Appeal", "appeal.opened", "appeal", {}),
    ("places.Camera", "camera.registered", "camera", {}),
    ("accounts.Actor", "account.opened", "actor", {}),
    ("measures.Sample", "sample.announced", "sample", {"frame_sha256": "frame_sha256", "size": "size"}),
    ("measures.Mark", "sample.marked", "mark", {"reason_sha256": "reason_sha256"}),
)


def samples_chosen_by_hand(before: datetime) -> Iterable[object]:
    """Yield audit samples that are not what their frame and the log's statement draw."""
    yield from chosen_by_hand()


def documents_of_patrols_lost(before: datetime) -> Iterable[object]:
    """Yield entries about hotspots and patrols whose document is gone or has other bytes than its digest says."""
    acts = ("hotspots.switched_on", "hotspots.switched_off", "patrols.planned")
    for pk, body in rows("ledger.Entry").filter(act__in=acts).values_list("id", "body"):
        try:
            if body:
                document(str(body["document"]))
        except Refusal as gone:
            yield f"entry {pk}: {gone}"


def things_without_entry(before: datetime) -> Iterable[object]:
    """Yield things that do not have exactly one entry of the act that made them, or whose entry says otherwise."""
    for model, act, kind, columns in MADE:
        entries: dict[str, list[dict[str, Any]]] = {}
        for subject, body in (
            rows("ledger.Entry")
            .filter(act__in=act.split("|"), subject_kind=kind)
            .values_list("subject_id", "body")
        ):
            entries.setdefault(subject, []).append(body)
        for row in rows(model).values("pk", *columns).iterator():
            found = entries.pop(str(row["pk"]), [])
            if len(found) != 1:
                yield f"{kind} {row['pk']} has {len(found)} entries {act}"
            elif found[0] and any(
                str(found[0].get(said)) != str(row[column]) for column, said in columns.items()
            ):
                yield f"{kind} {row['pk']} is not what its entry {act} says"
        for subject in entries:
            yield f"entry {act} names {kind} {subject}, which does not exist"


def copies_without_entry(before: datetime) -> Iterable[object]:
    """Yield working copies whose making is no entry with their bytes, and those of a restricted exhibit."""
    named = {
        (subject, body.get("copy_sha256"), body.get("copy"))
        for subject, body in rows("ledger.Entry")
        .filter(act="exhibit.prepared")
        .values_list("subject_id", "body")
    }
    erased = {
        subject
        for subject, body in rows("ledger.Entry")
        .filter(act="exhibit.prepared")
        .values_list("subject_id", "body")
        if not body
    }
    made = rows("evidence.Copy").filter(state="made").exclude(exhibit_id__in=erased)
    for pk, exhibit, sha256, kind in made.values_list("pk", "exhibit_id", "sha256", "kind"):
        if (str(exhibit), sha256, kind) not in named:
            yield f"copy {pk} of exhibit {exhibit} was made without an entry"
    yield from made.exclude(exhibit__restricted="")


def redactions_without_review(before: datetime) -> Iterable[object]:
    """Yield redacted exhibits of which no entry says who reviewed that very plan."""
    reviewed = {
        (subject, body.get("plan_sha256"))
        for subject, body in rows("ledger.Entry")
        .filter(act="redaction.reviewed")
        .values_list("subject_id", "body")
        if body
    }
    for pk, plan in (
        rows("evidence.Redaction").filter(state__in=["making", "made"]).values_list("pk", "plan_sha256")
    ):
        if (str(pk), plan) not in reviewed:
            yield f"redaction {pk} was made without a review of its plan"


def bundles_without_seal(before: datetime) -> Iterable[object]:
    """Yield built bundles whose seal is not in the log with the payload's digest, and releases that are no entries."""
    sealed = {
        (subject, body.get("payload_sha256"))
        for subject, body in rows("ledger.Entry")
        .filter(act="bundle.sealed")
        .values_list("subject_id", "body")
    }
    for pk, payload in rows("courts.Bundle").filter(state="built").values_list("pk", "payload_sha256"):
        if (str(pk), payload) not in sealed:
            yield f"bundle {pk} is built and its seal is not in the log"
    released = [
        e.get("release")
        for e in rows("ledger.Entry").filter(act="bundle.released").values_list("body", flat=True)
    ]
    for pk in rows("courts.Release").filter(kind="defence").values_list("pk", flat=True):
        if released.count(str(pk)) != 1:
            yield f"release {pk} is no entry"
    sent = rows("ledger.Entry").filter(act="bundle.sent")
    told = {(subject, body.get("to")) for subject, body in sent.values_list("subject_id", "body")}
    for bundle, actor in (
        rows("courts.Release").filter(kind="prosecutor").values_list("bundle_id", "prosecutor_id")
    ):
        if (str(bundle), str(actor)) not in told:
            yield f"bundle {bundle} was sent to {actor} without an entry"


def keys_with_other_effects(before: datetime) -> Iterable[object]:
    """Yield idempotency keys whose answer names nothing, and reports or exhibits without exactly one key."""
    for scope, answer, model in (
        ("report.submit", "report", "reports.Report"),
        ("exhibit.seal", "exhibit", "evidence.Exhibit"),
    ):
        replies = rows("ledger.Reply").filter(scope=scope)
        named = [str(a.get(answer)) for a in replies.values_list("answer", flat=True)]
        made = rows(model)
        if model == "evidence.Exhibit":
            made = made.filter(upload__isnull=False)
        real = {str(pk) for pk in made.values_list("pk", flat=True)}
        for pk in named:
            if pk not in real:
                yield f"a key of {scope} answers with {pk}, which does not exist"
        for pk in real:
            if named.count(pk) != 1:
                yield f"{answer} {pk} has {named.count(pk)} keys"


# Nobody is put in danger


def notices_to_unsafe_contacts(before: datetime) -> Iterable[object]:
    """Yield notices that were or will be sent where the sender did not say that it is safe."""
    out = rows("notices.Notice").exclude(state="held").select_related("report")
    for notice in out:
        _, address, held = channel_for(notice.report.contact, device_safe=notice.report.device_safe)
        if held or address != notice.address:
            yield f"notice {notice.pk} ({notice.state}) has no safe channel"


OPAQUE = re.compile(
    r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|[a-z_]+:[0-9a-f-]{36}"
)
_JOINS = re.compile(r"[^0-9a-z@]+")


def _plain(text: str) -> str:
    return _JOINS.sub("", text.casefold())


def _names() -> Iterator[str]:
    yield from rows("accounts.Actor").values_list("name", flat=True)
    yield from rows("accounts.Actor").exclude(email="").values_list("email", flat=True)
    yield from rows("people.Person").values_list("name", flat=True)
    yield from rows("evidence.Statement").values_list("signed_name", flat=True)
    yield from rows("courts.Charge").values_list("decider", flat=True)
    yield from rows("courts.Release").values_list("recipient", flat=True)
    yield from rows("evidence.Share").values_list("recipient", flat=True)
    yield from rows("evidence.Exhibit").exclude(returned_to="").values_list("returned_to", flat=True)
    for contact in rows("reports.Report").values_list("contact", flat=True):
        yield str(contact.get("name") or "")
        for channel in contact.values():
            if isinstance(channel, dict):
                yield from (v for v in channel.values() if isinstance(v, str))


def entries_with_a_name(before: datetime) -> Iterable[object]:
    """Yield entries that hold somebody's name, address or number as a token."""
    names = {plain for plain in map(_plain, _names()) if len(plain) > 4}
    for pk, act, body in rows("ledger.Entry").values_list("pk", "act", "body").iterator():
        for value in body.values():
            for token in value if isinstance(value, list) else [value]:
                if isinstance(token, str) and not OPAQUE.fullmatch(token) and _plain(token) in names:
                    yield f"entry {pk} ({act}) holds a name"


PROMISES: tuple[Promise, ...] = (
    Promise("case", "Every report has a case.", reports_without_case),
    Promise("owner", "Every open case has one owner: somebody at work, or a queue.", cases_without_owner),
    Promise("duty", "Every open case has a live duty.", cases_without_duty),
    Promise("holder", "Every live duty is with the owner of its open case.", duties_without_owner),
    Promise("missed", "Every missed duty is said to the sender.", duties_missed_in_silence),
    Promise(
        "climb", "Every missed duty has climbed as far as its ladder says.", duties_stuck_on_their_ladder
    ),
    Promise("vault", "Every exhibit's and every bundle's bytes are in the vault.", exhibits_without_bytes),
    Promise(
        "destroyed", "What was destroyed is gone, by two people and an order.", destroyed_that_are_still_there
    ),
    Promise(
        "material",
        "Every item of material has one state, and the log says the same.",
        material_decided_otherwise,
    ),
    Promise(
        "disclosure",
        "The prosecutor has both schedules; the defence never has the sensitive one.",
        schedules_told_to_the_wrong_side,
    ),
    Promise("pass", "Every pass opens exactly one thing that was given by name.", passes_of_nothing),
    Promise("quarantine", "Every file that was sent is in quarantine.", files_without_bytes),
    Promise("added", "Every file that an officer added is an entry.", files_of_officers_without_entry),
    Promise(
        "receipt", "Every receipt checks and lists the files that are kept.", receipts_that_say_something_else
    ),
    Promise("same", "Every exhibit has the bytes that were sent.", exhibits_that_differ_from_what_was_sent),
    Promise("custody", "Every exhibit has one holder, and the log names the same.", exhibits_held_otherwise),
    Promise(
        "entry", "Everything that was done has one entry, and every entry was done.", things_without_entry
    ),
    Promise("copy", "Every working copy is an entry and of no restricted exhibit.", copies_without_entry),
    Promise(
        "review", "Every redaction was made from a plan that somebody reviewed.", redactions_without_review
    ),
    Promise(
        "sample", "Every audit sample is drawn under the log, and chosen by nobody.", samples_chosen_by_hand
    ),
    Promise(
        "patrol",
        "Every reason and plan that entries about patrols name has its bytes.",
        documents_of_patrols_lost,
    ),
    Promise("seal", "Every built bundle's seal and every release is an entry.", bundles_without_seal),
    Promise("once", "Every key of a repeated request has at most one effect.", keys_with_other_effects),
    Promise("safe", "No notice goes to a contact that is not safe.", notices_to_unsafe_contacts),
    Promise("nameless", "No entry holds a name, an address or a number.", entries_with_a_name),
)


def broken(now: datetime | None = None, *, grace: timedelta = GRACE) -> list[str]:
    """Return a sentence for everything for which a promise does not hold; empty when all hold.

    `grace` is how long the clock has to do its work.
    """
    before = (now or timezone.now()) - grace
    wrong = []
    for promise in PROMISES:
        try:
            wrong += [f"{promise.sentence} Not so: {_say(thing)}." for thing in promise.broken(before)]
        except Refusal as refusal:
            wrong.append(f"{promise.sentence} This cannot be checked: {refusal}")
    return wrong


def _say(thing: object) -> str:
    return f"{thing._meta.model_name} {thing.pk}" if isinstance(thing, Model) else str(thing)
