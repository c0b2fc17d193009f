"""Walk a kind's questions and check answers: plain values in, plain values out, no clock and no database.

An answer is a string or a list of strings. A date is "2026-11-20" or "unknown", a time is "21:30", yes and no are
"yes" and "no". Files are not answers; they are uploads of the draft.

>>> from counterfoil.reference.kinds import kind
>>> burglary = kind("burglary")
>>> [q.id for q in questions_for(burglary, {})][:3]
['place_type', 'where', 'force']
>>> clean_answer(burglary.question("when"), {"day": ["27"], "month": ["3"], "year": ["2026"]})
'2026-03-27'
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from counterfoil.engines.clock import London
from counterfoil.engines.errors import BadInput
from counterfoil.reference.kinds import Kind, Question
from counterfoil.reference.wording import MONTHS, say

Answer = str | list[str]
Answers = Mapping[str, Answer]
Raw = Mapping[str, Sequence[str]]
# Answers given outside the questions: danger now ("yes"/"no") and why a handed-over kind is reported here (a list).
BESIDE = ("danger", "handover")

LINE_BREAKS = re.compile(r"\r\n?|\u2028|\u2029")
EMAIL = re.compile(r"[^@\s<>\"',;:]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}")
POSITION = re.compile(r"(-?\d{1,2}(?:\.\d{1,10})?)\s*°?\s*[,; ]\s*(-?\d{1,2}(?:\.\d{1,10})?)\s*°?")
SPAN = re.compile(
    r"(?:(\d{1,4})\s*(?:h|hours?|awr))?\s*(?:(\d{1,5})\s*(?:m|mins?|minutes?|munud))?"
    r"\s*(?:and|a)?\s*(?:(\d{1,6})\s*(?:s|secs?|seconds?|eiliad))?"
)
CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|yb|yh)?", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line of the summary: the question, and its answer as a person reads it."""

    id: str
    section: str
    title: str
    answer: str
    given: bool


def applies(question: Question, answers: Answers) -> bool:
    """Say whether a question is to be asked, given the answers so far."""
    if question.when is None:
        return True
    given = answers.get(question.when.question, "")
    held = given if isinstance(given, list) else [given]
    return any(value in question.when.is_ for value in held)


def questions_for(kind: Kind, answers: Answers) -> tuple[Question, ...]:
    """Return the questions to ask, in order. A question whose condition no longer holds asks nothing further."""
    asked: dict[str, Question] = {}
    for question in kind.questions:
        if question.when is not None and question.when.question not in asked:
            continue
        if applies(question, answers):
            asked[question.id] = question
    return tuple(asked.values())


def next_question(kind: Kind, answers: Answers, current: str) -> Question | None:
    """Return the question that follows `current`, or None when it was the last."""
    asked = questions_for(kind, answers)
    for place, question in enumerate(asked):
        if question.id == current:
            return asked[place + 1] if place + 1 < len(asked) else None
    return asked[0] if asked else None


def tidy(text: str, *, lines: bool = False) -> str:
    """Return typed text with unprintable characters, lone surrogates and outer spaces removed, in NFC.

    `lines` keeps line breaks (as a single newline each); otherwise they become spaces.
    """
    text = LINE_BREAKS.sub("\n", text)
    kept: list[str] = []
    for letter in text:
        if letter in "\n\t":
            kept.append(letter if lines else " ")
        elif unicodedata.category(letter) not in ("Cc", "Cs"):
            kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def plain_name(name: str) -> str:
    """Return a file's name as data: composed form, no path, no control or direction characters, at most 255."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    return kept.strip()[:255] or "file"


def _one(raw: Raw, name: str, *, lines: bool = False) -> str:
    values = raw.get(name) or [""]
    return tidy(str(values[-1]), lines=lines)


def _whole(text: str, digits: int) -> int | None:
    text = text.replace(" ", "")
    return int(text) if 0 < len(text) <= digits and text.isascii() and text.isdigit() else None


def clean_answer(
    question: Question,
    raw: Raw,
    *,
    lang: str = "en",
    today: date | None = None,
    forces: Collection[str] = (),
) -> Answer:
    """Return the answer in its stored form, or raise BadInput with a sentence in `lang` saying how to mend it.

    `raw` holds what was sent for this question: "answer" (all types), "day", "month", "year" and "unknown" (dates).
    An answer that may be left out comes back as "" (or [] for checkboxes). A date after `today` is refused. A force
    must be one of the codes in `forces`.
    """

    def no(key: str, **facts: int) -> BadInput:
        return BadInput(question.id, say(f"error.{key}", lang, "text", **facts))

    if question.type == "checkboxes":
        return _clean_checkboxes(question, raw, lang)
    if question.type in ("radios", "yesno"):
        value = _one(raw, "answer")
        if not value and not question.required:
            return ""
        if value not in choices(question):
            raise no("choose")
        return value
    if question.type == "date":
        return _clean_date(question, raw, lang, today)
    if question.type == "force":
        value = _one(raw, "answer")
        if value not in forces:
            raise no("force")
        return value
    value = _one(raw, "answer", lines=question.type == "textarea")
    if len(value) > question.max_length:
        raise no("long", limit=question.max_length, used=len(value))
    if question.type == "time":
        return _clean_time(question, value, lang)
    if question.type in ("number", "position", "span") and value:
        try:
            return _MEASURES[question.type](value)
        except BadInput:
            raise no(f"{question.type}-wrong") from None
    if not value:
        if question.required:
            raise no({"email": "email-wrong", "phone": "phone-wrong"}.get(question.type, "empty"))
        return ""
    if question.type == "email" and not EMAIL.fullmatch(value):
        raise no("email-wrong")
    if question.type == "phone" and not 7 <= sum(c.isdigit() for c in value) <= 15:
        raise no("phone-wrong")
    return value


def clean_number(text: str) -> str:
    """Return a whole number from 1 to 9999 in its plain form; BadInput otherwise."""
    found = _whole(text.replace(",", ""), 4)
    if not found:
        raise BadInput("number", "Give a whole number.")
    return str(found)


def clean_position(text: str) -> str:
    """Return "latitude,longitude" in degrees as a map app copies them, six decimals; BadInput outside Great Britain.

    >>> clean_position(" 54.574200 , -1.234900 ")
    '54.574200,-1.234900'
    """
    found = POSITION.fullmatch(text.strip(" ()"))
    lat, lon = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if not (49.5 <= lat <= 61.5 and -9 <= lon <= 2.5):
        raise BadInput(
            "position", "Give the two numbers that a map shows for the place, for example 54.5742, -1.2349."
        )
    return f"{lat:.6f},{lon:.6f}"


def clean_span(text: str) -> str:
    """Return a length of time in seconds, from "3 minutes 20 seconds", "3:20", "1:02:03" or "20 s"; else BadInput.

    >>> clean_span("3 min 20 s"), clean_span("1:02:03")
    ('200', '3723')
    """
    colons = text.strip().split(":")
    if len(colons) in (2, 3) and all(_whole(c, 3) is not None for c in colons):
        total = 0
        for part in colons:
            total = total * 60 + int(part)
    else:
        words = SPAN.fullmatch(text.strip().lower())
        if words is None or not any(words.groups()):
            raise BadInput("span", "Give a length of time, for example 3 minutes 20 seconds.")
        total = sum(int(n) * unit for n, unit in zip(words.groups(), (3600, 60, 1), strict=True) if n)
    if total > 366 * 86_400:
        raise BadInput("span", "That is longer than a year. Check it.")
    return str(total)


_MEASURES = {"number": clean_number, "position": clean_position, "span": clean_span}


def clean_appeal(raw: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return the facts of an appeal from what an officer typed, or BadInput at the field that is wrong.

    `raw` has place, position, starts and ends ("2026-11-20T21:00", London time), wanted, wanted_cy (may be empty) and
    closes (a date; the page is open to the end of that day).
    """
    place = tidy(raw.get("place", ""))
    if not 3 <= len(place) <= 200:
        raise BadInput("place", "Say where it was, as people there know it: a street and what is near.")
    lat, lon = (round(float(n) * 1e6) for n in clean_position(raw.get("position", "")).split(","))
    starts, ends = (_moment(raw.get(name, ""), name) for name in ("starts", "ends"))
    if ends <= starts:
        raise BadInput("ends", "The end must be after the start.")
    if starts > now:
        raise BadInput("starts", "The start has not come yet. Ask about a time that has passed.")
    if ends - starts > timedelta(days=14):
        raise BadInput("ends", "Ask about 14 days or less, so that people can look through what they have.")
    wanted = tidy(raw.get("wanted", ""), lines=True)
    if not 20 <= len(wanted) <= 2000:
        raise BadInput("wanted", "Say in 20 to 2,000 letters what you ask people to look for. Name nobody.")
    try:
        day = date.fromisoformat(raw.get("closes", ""))
    except ValueError:
        raise BadInput("closes", "Give the day on which the page closes.") from None
    closes = datetime.combine(day, time(23, 59), London)
    if not now < closes <= now + timedelta(days=367):
        raise BadInput("closes", "The page closes today or later, and within a year.")
    return {
        "place": place,
        "lat_e6": lat,
        "lon_e6": lon,
        "starts_at": starts,
        "ends_at": ends,
        "wanted": wanted,
        "wanted_cy": tidy(raw.get("wanted_cy", ""), lines=True)[:2000],
        "closes_at": closes,
    }


def _moment(text: str, field: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(field, "Give a day and a time.") from None
    if not 2000 <= found.year <= 2200:
        raise BadInput(field, "Give a day and a time of this century.")
    return found if found.tzinfo else found.replace(tzinfo=London)


def choices(question: Question) -> tuple[str, ...]:
    """Return the values that a question with choices takes."""
    if question.type == "yesno":
        return ("yes", "no", "unknown") if question.unknown else ("yes", "no")
    return tuple(option.value for option in question.options)


def _clean_checkboxes(question: Question, raw: Raw, lang: str) -> list[str]:
    sent = {tidy(str(v)) for v in raw.get("answer") or ()}
    chosen = [option for option in question.options if option.value in sent]
    alone = [option for option in chosen if option.exclusive]
    if not chosen and question.required:
        key = "channel-none" if question.id == "contact_channels" else "choose-some"
        raise BadInput(question.id, say(f"error.{key}", lang))
    if alone and len(chosen) > 1:
        raise BadInput(question.id, say("error.exclusive", lang, option=alone[0].label[lang].rstrip(".")))
    return [option.value for option in chosen]


def _clean_date(question: Question, raw: Raw, lang: str, today: date | None) -> str:
    def no(key: str) -> BadInput:
        return BadInput(question.id, say(f"error.{key}", lang))

    typed = [_one(raw, part) for part in ("day", "month", "year")]
    if not any(typed):
        if question.unknown and _one(raw, "unknown"):
            return "unknown"
        if question.required:
            raise no("date-empty")
        return ""
    day, month, year = _whole(typed[0], 2), _month(typed[1]), _whole(typed[2], 4)
    if day is None or month is None or year is None:
        raise no("date-wrong")
    try:
        found = date(year, month, day)
    except ValueError:
        raise no("date-wrong") from None
    if found.year < 1920:
        raise no("date-old")
    if today is not None and found > today:
        raise no("date-future")
    return found.isoformat()


def _month(text: str) -> int | None:
    number = _whole(text, 2)
    if number is not None or len(text) < 3:
        return number
    for names in MONTHS.values():
        for place, name in enumerate(names, start=1):
            if name.lower().startswith(text.lower()):
                return place
    return None


def _clean_time(question: Question, value: str, lang: str) -> str:
    if not value and not question.required:
        return ""
    words = {
        "noon": "12:00",
        "midday": "12:00",
        "midnight": "00:00",
        "canol dydd": "12:00",
        "canol nos": "00:00",
    }
    if value.lower() in words:
        return words[value.lower()]
    found = CLOCK.fullmatch(value.strip())
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (99, 99)
    half = (found[3] or "").lower() if found else ""
    if half:
        hour = hour % 12 + (12 if half in ("pm", "yh") else 0) if 1 <= hour <= 12 else 99
    elif found and not found[2]:
        hour = 99  # "9" alone could be morning or evening
    if hour > 23 or minute > 59:
        raise BadInput(question.id, say("error.time-wrong", lang))
    return f"{hour:02d}:{minute:02d}"


def shown(
    question: Question, answer: Answer | None, lang: str, forces: Mapping[str, str] | None = None
) -> str:
    """Return an answer in words, as the person who gave it would say it; "" when nothing was given.

    `forces` gives each force's name by its code.
    """
    if not answer:
        return ""
    if question.type == "force":
        return (forces or {}).get(str(answer), str(answer))
    if question.type == "yesno":
        return say(f"label.{answer}", lang)
    if question.type in ("radios", "checkboxes"):
        held = answer if isinstance(answer, list) else [answer]
        words = [option.label[lang] for option in question.options if option.value in held]
        return "\n".join(words)
    if question.type == "span":
        return f"{int(str(answer)) // 60} min {int(str(answer)) % 60} s"
    if question.type == "date":
        if answer == "unknown":
            return say("label.unknown", lang)
        day = date.fromisoformat(str(answer))
        return f"{day.day} {MONTHS[lang][day.month - 1]} {day.year}"
    return "\n".join(answer) if isinstance(answer, list) else answer


def summary(
    kind: Kind, answers: Answers, lang: str, forces: Mapping[str, str] | None = None
) -> tuple[Line, ...]:
    """Return every question asked with its answer in words, in order, for the page that checks and the officer."""
    lines: list[Line] = []

    def beside(key: str, answer: str) -> None:
        lines.append(Line(key, "what", say(f"label.{key}", lang, "title"), answer, True))

    if answers.get("danger") == "yes":
        beside("danger", say("label.danger", lang))
    if kind.handover and answers.get("handover"):
        reasons = [r.label[lang] for r in kind.handover.reasons if r.value in answers["handover"]]
        beside("handover", "\n".join(reasons))
    for question in questions_for(kind, answers):
        if question.type == "files":
            continue
        words = shown(question, answers.get(question.id), lang, forces)
        given = words or say("label.not-given", lang)
        lines.append(Line(question.id, question.section, question.title[lang], given, bool(words)))
    return tuple(lines)


def kept(kind: Kind, answers: Answers) -> dict[str, Answer]:
    """Return only the answers that count: those beside the questions and those to questions still asked.

    Somebody who goes back and takes another path does not send what they wrote on the first.
    """
    asked = {question.id for question in questions_for(kind, answers)}
    return {key: value for key, value in answers.items() if key in asked or key in BESIDE}


def unanswered(kind: Kind, answers: Answers) -> list[str]:
    """Return the ids of the questions that must be answered before sending and are not."""
    return [
        question.id
        for question in questions_for(kind, answers)
        if question.required and question.type != "files" and not answers.get(question.id)
    ]


def contact_of(kind: Kind, answers: Answers) -> dict[str, Any]:
    """Return how the sender may be reached, as plain values; a channel that is absent must never be used.

    Shape: {"name", "times": [...], "code_word", "say_police": bool} and, for each channel chosen,
    "email": {"address", "safe"}, "phone": {"number", "safe", "call", "text", "voicemail"}, "post": {"address", "safe"}.
    A channel is safe because its owner chose it; police are not mentioned unless the sender said that they may be.
    """
    counted = kept(kind, answers)

    def one(name: str) -> str:
        value = counted.get(name, "")
        return value if isinstance(value, str) else ""

    def many(name: str) -> list[str]:
        value = counted.get(name, [])
        return value if isinstance(value, list) else []

    channels = many("contact_channels")
    contact: dict[str, Any] = {
        "name": one("name"),
        "times": many("contact_times"),
        "code_word": one("contact_code_word"),
        "say_police": one("contact_discreet") == "no",
    }
    if "email" in channels:
        contact["email"] = {"address": one("contact_email"), "safe": True}
    if "call" in channels or "text" in channels:
        contact["phone"] = {
            "number": one("contact_phone"),
            "safe": True,
            "call": "call" in channels,
            "text": "text" in channels,
            "voicemail": "call" in channels and one("contact_voicemail") == "yes",
        }
    if "post" in channels:
        contact["post"] = {"address": one("contact_address"), "safe": True}
    return contact


def device_is_safe(kind: Kind, answers: Answers) -> bool:
    """Say whether a reference, words, receipt or code may be shown on this device.

    No, until the sender says that it is safe, when the kind is sensitive or they know who did it; else yes.
    """
    asked = any(q.id == "device_safe" for q in questions_for(kind, answers))
    return not asked or answers.get("device_safe") == "yes"
