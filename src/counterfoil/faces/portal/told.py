"""What the sender reads about a report: what happened, what comes next and by when, and what we missed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from counterfoil.engines.clock import say_by, say_when
from counterfoil.reference.outcomes import outcome_type
from counterfoil.reference.wording import keys, say
from counterfoil.reports.queries import Step, progress_of

# Which news answers which promise. An outcome answers them all.
ANSWERS = {
    "triaged": {"triage"},
    "recorded": {"triage", "record"},
    "not_crimed": {"triage", "record"},
    "update": {"update"},
    "outcome": {"triage", "record", "update", "charge"},
    "closed_no_crime": {"triage", "record", "update", "charge"},
}


@dataclass(frozen=True)
class Said:
    """One line of a timeline, in words."""

    title: str
    text: str = ""
    when: str = ""
    due: str = ""
    iso: str = ""
    state: str = ""


@dataclass(frozen=True)
class Story:
    """What happened (newest first), what comes (soonest first), and what is late."""

    past: list[Said] = field(default_factory=list)
    coming: list[Said] = field(default_factory=list)
    late: list[Said] = field(default_factory=list)


def story(report_id: UUID, lang: str) -> Story:
    """Return what the sender may know of a report, in `lang`, as it stands now."""
    return tell(progress_of(report_id), timezone.now(), lang)


def moment_of(value: object) -> datetime | None:
    """Return the moment that a text in ISO 8601 names, or None."""
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _title(kind: str, lang: str) -> str:
    return say(f"duty.{kind}", lang, "title") if kind in keys("duty") else ""


def tell(steps: Iterable[Step], now: datetime, lang: str) -> Story:
    """Turn steps, oldest first, into what is read at `now`. Pure, so that its promises can be tested."""
    story = Story()
    waiting: dict[str, datetime | None] = {}
    missed: dict[str, datetime | None] = {}
    promised: set[str] = set()
    previous = ("", "")
    for step in steps:
        for kind in ANSWERS.get(step.what, set()):
            waiting.pop(kind, None)
            missed.pop(kind, None)
        if step.what == "missed":
            kind = str(step.params.get("duty", ""))
            # Where nobody was there to keep it, no time was promised, and none is said to have been.
            due = moment_of(step.params.get("due")) or step.due_at
            missed[kind] = due if kind in promised else None
            waiting.pop(kind, None)
        elif step.next:
            waiting[step.next] = step.due_at
            if step.due_at is not None:
                promised.add(step.next)
        line = _line(step, lang, promised)
        # Several duties start with the same news; the reader needs it once.
        if line is not None and (line.title, line.text) != previous:
            story.past.insert(0, line)
            previous = (line.title, line.text)
    for kind, due in waiting.items():
        if due is not None and due < now:
            missed[kind] = due
    for kind, due in sorted(missed.items(), key=lambda pair: pair[1] or now):
        if due is None:
            story.late.append(Said(_title(kind, lang), say("progress.not_done", lang)))
        else:
            then = say("progress.missed_then", lang, due=say_by(due, now, lang))
            story.late.append(Said(_title(kind, lang), then))
    future = [(due, kind) for kind, due in waiting.items() if due is not None and due >= now]
    for due, kind in sorted(future):
        words = say_by(due, now, lang)
        aim = say("progress.aim", lang, due=words[:1].upper() + words[1:])
        story.coming.append(Said(_title(kind, lang), due=aim, iso=due.isoformat()))
    return story


def _line(step: Step, lang: str, promised: set[str]) -> Said | None:
    if step.what not in keys("progress"):
        return None
    facts = {key: value for key, value in step.params.items() if key not in ("lang", "key", "part")}
    if step.what == "outcome":
        facts["outcome"] = _outcome(step, lang)
    if step.what == "missed":
        due = moment_of(step.params.get("due")) or step.due_at
        if due is None or step.params.get("duty") not in promised:
            text = say("progress.not_done", lang)
        else:
            # Said in the past tense: on its day this was "by 4pm on Tuesday".
            text = say("progress.missed_then", lang, due=say_by(due, step.at, lang))
        what = _title(str(step.params.get("duty", "")), lang)
        text = f"{text} {what}." if what else text
    else:
        text = say(f"progress.{step.what}", lang, **facts)
    state = {"missed": "missed", "outcome": "done", "charged": "done"}.get(step.what, "")
    return Said(
        title=say(f"progress.{'missed_then' if step.what == 'missed' else step.what}", lang, "title"),
        text=text,
        when=say_when(step.at, lang),
        iso=step.at.isoformat(),
        state=state,
    )


def _outcome(step: Step, lang: str) -> str:
    number = step.params.get("outcome") or step.params.get("type") or step.params.get("number")
    try:
        return outcome_type(int(str(number)), on=step.at.date()).plain(lang)
    except (ValueError, LookupError):
        return ""
