"""How the desk says things: a duty's urgency, and each act of the ledger as a line on a timeline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from counterfoil.cases.rules import GRADES, REFERENCES, ROLES
from counterfoil.duties.actions import FOOTAGE
from counterfoil.duties.queries import DutyCard
from counterfoil.engines.clock import London
from counterfoil.evidence.queries import ExhibitCard
from counterfoil.evidence.rules import RESTRICTED
from counterfoil.ledger.queries import Line
from counterfoil.reference.duties import duty_kinds

RUNGS = {
    "owner": "the owner of the case",
    "queue": "everybody at the queue",
    "duty_inspector": "the duty inspector",
    "inspectors": "the inspectors of the force",
}
HELD = {
    "no_email": "no e-mail address was given",
    "unsafe": "the sender did not say that e-mail is safe",
    "bad_address": "the address cannot be used",
}
COPIES = {
    "poster": "poster",
    "thumbs": "thumbnails",
    "waveform": "waveform",
    "proxy": "playable copy",
    "page": "a page",
    "text": "text",
}


@dataclass(frozen=True)
class Event:
    """One line of a timeline: when, who, what, why, and where it stands in the log."""

    at: datetime
    who: str
    what: str
    why: str
    state: str
    index: int | None
    act: str


def guarded(exhibit: ExhibitCard) -> dict[str, str]:
    """Return why an exhibit is restricted, and what the scanner says of it, in words for its page."""
    scan = {
        "waiting": "Not scanned yet",
        "none": "Not scanned: no scanner is configured",
        "clean": "Nothing found",
        "flagged": f"Flagged: {exhibit.says}",
        "unscanned": f"Not scanned: {exhibit.says}",
    }
    return {
        "restricted_words": RESTRICTED.get(exhibit.restricted, ""),
        "scan_words": scan.get(exhibit.scan, "Not scanned yet"),
    }


def urgency(duty: DutyCard, now: datetime) -> str:
    """Return how a duty stands: "overdue", "soon" (less than a quarter of its time is left), "due" or "done"."""
    if duty.state != "live":
        return "done"
    if duty.is_overdue(now):
        return "overdue"
    return "soon" if (duty.due_at - now) * 4 < duty.due_at - duty.given_at else "due"


def when(at: datetime, now: datetime) -> str:
    """Return a moment as short as it can be without doubt: "6:15pm today", "4pm on Tue 24 Nov"; old ones with year."""
    here, today = at.astimezone(London), now.astimezone(London).date()
    hour = f"{here.hour % 12 or 12}{f':{here.minute:02d}' if here.minute else ''}{'am' if here.hour < 12 else 'pm'}"
    named = {0: "today", 1: "yesterday", -1: "tomorrow"}.get((today - here.date()).days)
    if named:
        return f"{hour} {named}"
    day = f"{here:%a} {here.day} {here:%b}"
    return f"{hour} on {day}" if here.year == today.year else f"{hour} on {day} {here.year}"


def exact(at: datetime) -> str:
    """Return a moment to the second, for custody: "21 November 2026, 18:15:03"."""
    here = at.astimezone(London)
    return f"{here.day} {here:%B %Y}, {here:%H:%M:%S}"


def due_words(duty: DutyCard, now: datetime) -> str:
    """Return when a duty is or was due, in words: "by 4pm today", "was due 10:15pm yesterday"."""
    said = when(duty.due_at, now)
    return f"was due {said}" if duty.is_overdue(now) else f"by {said}"


def kind_name(kind_id: str) -> str:
    """Return a kind of case as staff call it: "Burglary", "Shop theft"."""
    return kind_id.replace("-", " ").capitalize()


def waited(since: datetime, now: datetime) -> str:
    """Return how long something has waited, in words: "3 min", "2 h 5 min", "4 days"."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"


def is_id(text: str) -> bool:
    """Say whether a text is an actor's id rather than a word such as `clock`."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def people_in(lines: Iterable[Line]) -> set[str]:
    """Return the ids of the actors that entries name, to look their names up once."""
    found: set[str] = set()
    for entry in lines:
        found.add(entry.by)
        for value in (entry.body.get("to"), *(entry.body.get("hearers") or ())):
            if isinstance(value, str):
                found.add(value)
    return {i for i in found if is_id(i)}


def timeline(
    lines: Iterable[Line], names: Mapping[str, str], things: Mapping[str, str], reasons: Mapping[str, str]
) -> list[Event]:
    """Return entries as lines for people.

    `names` are actors by id, `things` subjects by "kind:ID" (an exhibit as "AB/1"), `reasons` texts by digest.
    """
    shown = {
        "public": "The public",
        "clock": "The clock",
        "defence": "The defence",
        "recipient": "A named recipient",
        **names,
    }
    return [
        Event(
            at=e.at,
            who="–" if e.gone else shown.get(e.by, "Somebody who has left"),
            what=_gone(e) if e.gone else _what(e, shown, things),
            why=_why(e, reasons),
            state=_state(e.act),
            index=e.index,
            act=e.act,
        )
        for e in lines
    ]


def _gone(entry: Line) -> str:
    """Say of an entry without content why it has none: erased by people, or lost with a database that was restored."""
    if entry.act == "log.lost":
        return (
            "Lost: what this entry said was not in the backup that was restored. Its place in the log stays"
        )
    why = f" entry {entry.erased_by} says by which rule" if entry.erased_by is not None else " by a rule"
    return f"Erased, with two people’s approval;{why}. Its place in the log stays"


def _state(act: str) -> str:
    if act in (
        "case.returned",
        "duty.missed",
        "duty.climbed",
        "bundle.failed",
        "notice.failed",
        "notice.held",
    ):
        return "missed"
    return "done" if act in ("duty.done", "exhibit.sealed", "bundle.built", "outcome.recorded") else ""


def _why(entry: Line, reasons: Mapping[str, str]) -> str:
    for name in ("reason_sha256", "text_sha256", "title_sha256"):
        found = reasons.get(str(entry.body.get(name, "")))
        if found:
            return found
    return ""


def _what(entry: Line, names: Mapping[str, str], things: Mapping[str, str]) -> str:
    body = entry.body
    thing = things.get(entry.subject, "")
    kinds = duty_kinds()

    def duty() -> str:
        kind = str(body.get("kind", ""))
        return kinds[kind].title if kind in kinds else kind

    def person(name: str) -> str:
        return names.get(str(body.get(name, "")), "a colleague")

    kind = str(body.get("reference_kind", ""))
    match entry.act:
        case "case.opened":
            return "Opened the case from a report"
        case "case.taken":
            return "Took the case"
        case "case.assigned":
            return f"Gave the case to {person('to')}"
        case "case.returned":
            return "Went back to the queue: its owner can no longer work on it"
        case "case.graded":
            return f"Graded it {GRADES.get(str(body.get('grade')), '?').split(':')[0].lower()}"
        case "case.recorded":
            return f"Recorded the crime as {str(body.get('number', '')).replace('_', ' ')}"
        case "case.not_crimed":
            return "Did not record it as a crime"
        case "case.closed":
            return "Closed the case"
        case "case.reopened":
            return "Reopened the case"
        case "case.joined":
            return "An answer to an appeal came in"
        case "appeal.opened":
            return "Opened an appeal to the public"
        case "appeal.ended":
            return "Closed an appeal"
        case "footage.asked":
            return "Asked for a camera's recording"
        case "footage.settled":
            return f"Asking for a recording ended: {FOOTAGE.get(str(body.get('how')), '').lower()}"
        case "party.added":
            return f"Put a {ROLES.get(str(body.get('role')), 'person').lower()} on the case"
        case "suspect.named":
            reference = str(body.get("reference", "")).replace("_", " ")
            return f"Named a suspect, {REFERENCES.get(kind, 'reference').lower()} {reference}"
        case "duty.given":
            return f"Duty given: {duty()}"
        case "duty.handed_over":
            return f"Duty handed over: {duty()}"
        case "duty.done":
            return f"Duty done{', late' if body.get('late') else ''}: {duty()}"
        case "duty.ended":
            return f"Duty ended with the case: {duty()}"
        case "duty.missed":
            return f"Duty missed: {duty()}"
        case "duty.climbed":
            return f"A missed duty went up to {RUNGS.get(str(body.get('to')), 'the next step')}"
        case "sender.updated":
            return "Updated the sender"
        case "notice.queued":
            return "Message to the sender waits to be sent"
        case "notice.held":
            why = HELD.get(str(body.get("because")), "it may not be safe")
            return f"No message was sent to the sender: {why}"
        case "notice.sent":
            return "The message to the sender was sent"
        case "notice.failed":
            return "The message to the sender could not be sent"
        case "exhibit.sealed":
            return f"Sealed exhibit {body.get('label', thing)}"
        case "exhibit.examined":
            return (
                f"Read the technical record of {thing}"
                if body.get("readable")
                else f"{thing} cannot be played here"
            )
        case "exhibit.prepared":
            return f"Made a copy of {thing} to look at: {COPIES.get(str(body.get('copy')), 'copy')}"
        case "exhibit.derived":
            return f"Made {body.get('label', thing)} from another exhibit"
        case "exhibit.imported":
            return f"Took in {body.get('label', thing)} from another evidence system"
        case "exhibit.clock_measured":
            return f"Noted the clock of the recorder of {thing}"
        case "exhibit.viewed" if "copies" in body:
            return f"Looked at copies of {thing}"
        case "exhibit.viewed" if body.get("guards"):
            return f"Opened the original of exhibit {thing}, which is kept apart"
        case "exhibit.viewed":
            return f"Viewed exhibit {thing}"
        case "exhibit.restricted" if body.get("how") == "lifted":
            return f"Lifted the restriction of exhibit {thing}"
        case "exhibit.restricted":
            return f"Restricted exhibit {thing}: {RESTRICTED.get(str(body.get('how')), '')}".rstrip(": ")
        case "upload.restricted":
            return "A file that was sent is on the hash list, and is restricted"
        case "file.flagged":
            return "The virus scanner flagged a file"
        case "exhibit.redacted":
            return f"Made exhibit {body.get('label', thing)} by redaction"
        case "redaction.begun":
            return "Began to redact an exhibit"
        case "redaction.changed":
            return "Decided or marked something in a redaction"
        case "redaction.reviewed":
            return (
                f"Reviewed a redaction, all {body.get('frames', 0)} frames"
                if body.get("frames")
                else "Reviewed a redaction"
            )
        case "redaction.failed":
            return "A redaction could not be made"
        case "exhibit.titled":
            return f"Gave exhibit {thing} a new title"
        case "exhibit.moved":
            return f"Handed exhibit {thing} to {person('to')}"
        case "exhibit.copied":
            return f"Took a copy of exhibit {thing} out"
        case "exhibit.shared":
            return f"Shared exhibit {thing} with a named person"
        case "exhibit.opened":
            return f"Opened exhibit {thing} with the code"
        case "share.ended":
            return f"Ended a share of exhibit {thing}"
        case "exhibit.returned":
            return f"Returned exhibit {thing}"
        case "exhibit.destruction_asked":
            return f"Asked that exhibit {thing} be destroyed under {str(body.get('order', '')).replace('_', ' ')}"
        case "exhibit.destruction_refused":
            return f"Decided that exhibit {thing} is kept"
        case "exhibit.erasure_asked":
            return f"Asked that entries of exhibit {thing} be erased"
        case "exhibit.erasure_refused":
            return f"Decided that entries of exhibit {thing} stay as they are"
        case "exhibit.erased":
            many = len(body.get("entries", ()))
            return f"Erased what {many} {'entry' if many == 1 else 'entries'} of exhibit {thing} said"
        case "extract.asked":
            return f"Asked for a {'clip' if body.get('kind') == 'clip' else 'still'} from an exhibit"
        case "exhibit.destroyed":
            return f"Destroyed exhibit {thing} under {str(body.get('order', '')).replace('_', ' ')}"
        case "exhibit.material" | "statement.material":
            what = f"exhibit {thing}" if entry.act == "exhibit.material" else "a statement"
            state = str(body.get("material", "")).replace("_", " ")
            return f"Decided that {what} is {state}"
        case "schedule.signed":
            nil = ", endorsed nil" if body.get("nil") else ""
            return f"Signed {body.get('form')} issue {body.get('issue')}{nil}"
        case "schedule.marked":
            return f"Marked item {body.get('line')} of a schedule: {body.get('mark')}"
        case "statement.signed":
            return f"Statement {body.get('number', '')} was signed"
        case "statement.back_page_read":
            return "Read the back page of a statement"
        case "charge.decided":
            decision = "to charge" if body.get("decision") == "charge" else "not to charge"
            return f"Recorded a decision {decision} {body.get('offence_code', '')}".rstrip()
        case "outcome.recorded":
            return f"Recorded outcome {body.get('type', '')}"
        case "bundle.asked":
            return f"Asked for bundle {body.get('number', thing)}"
        case "bundle.sealed":
            return f"Sealed {thing or 'a bundle'} in the log"
        case "bundle.built":
            return f"Built {thing or 'a bundle'}: {body.get('verdict', '')}"
        case "bundle.failed":
            return f"{thing or 'A bundle'} could not be built"
        case "bundle.sent":
            return f"Sent {thing or 'a bundle'} to {person('to')}"
        case "bundle.released":
            return f"Released {thing or 'a bundle'} to the defence"
        case "release.opened":
            return f"Opened {thing or 'a bundle'} with the one-time code"
        case "release.ended":
            return f"Ended a release of {thing or 'a bundle'}"
        case "bundle.downloaded":
            return f"Downloaded {thing or 'a bundle'}"
        case _:
            return entry.act.replace(".", " ").replace("_", " ").capitalize()
