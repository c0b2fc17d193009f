"""Kinds of report as dated data: their questions, duties and words, read from `kinds/*.toml`.

>>> burglary = kind("burglary")
>>> burglary.title["en"], burglary.questions[0].id
('A burglary', 'place_type')
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "kinds"
LANGUAGES = ("en", "cy")
TYPES = frozenset(
    "radios checkboxes text textarea date time place phone email yesno files force number position span".split()  # noqa: SIM905
)
Text = dict[str, str]


class UnknownKind(LookupError):
    """Raised when no kind with this id holds on the day asked for."""


@dataclass(frozen=True)
class Option:
    """One choice of a radios or checkboxes question. An `exclusive` choice excludes all others."""

    value: str
    label: Text
    exclusive: bool = False


@dataclass(frozen=True)
class When:
    """A question is asked only when the answer to `question` is, or contains, one of `is_`."""

    question: str
    is_: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One question: what is asked, in what form, and when. Texts are given by language."""

    id: str
    type: str
    title: Text
    hint: Text
    options: tuple[Option, ...]
    required: bool
    unknown: bool
    when: When | None
    section: str
    max_length: int


@dataclass(frozen=True)
class Handover:
    """Reports of this kind go to another service unless one of `reasons` is true."""

    to: str
    reasons: tuple[Option, ...]


@dataclass(frozen=True)
class Kind:
    """One kind of report as it holds from `valid_from` until before `valid_to`.

    `begins` says on which page: `start` (offered to everybody), `appeal` (an officer's appeal) or `camera` (the
    register of cameras, whose answers become a camera and never a report).
    """

    id: str
    valid_from: date
    valid_to: date | None
    source: str
    title: Text
    explain: Text
    danger: Text
    sensitive: bool
    duties: tuple[str, ...]
    outcomes: tuple[int, ...]
    questions: tuple[Question, ...]
    handover: Handover | None
    begins: str = "start"

    def question(self, question_id: str) -> Question:
        """Return the question with this id; raise LookupError when the kind does not ask it."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise LookupError(question_id)


def _text(value: Any, where: str) -> Text:
    if not isinstance(value, dict) or set(value) != set(LANGUAGES) or not all(value.values()):
        raise ValueError(f"{where}: words are needed in both languages (en and cy).")
    return {lang: str(value[lang]) for lang in LANGUAGES}


def _option(row: dict[str, Any], where: str) -> Option:
    label = _text({lang: row.get(lang, "") for lang in LANGUAGES}, f"{where}, option {row.get('value')}")
    return Option(value=str(row["value"]), label=label, exclusive=bool(row.get("exclusive", False)))


def _question(row: dict[str, Any], where: str) -> Question:
    where = f"{where}, question {row.get('id')}"
    if row.get("type") not in TYPES:
        raise ValueError(f"{where}: type must be one of {', '.join(sorted(TYPES))}.")
    if row["type"] in ("radios", "checkboxes") and not row.get("option"):
        raise ValueError(f"{where}: needs options.")
    when = row.get("when")
    hint = row.get("hint")
    return Question(
        id=str(row["id"]),
        type=str(row["type"]),
        title=_text(row.get("title"), where),
        hint=_text(hint, where) if hint else dict.fromkeys(LANGUAGES, ""),
        options=tuple(_option(o, where) for o in row.get("option", ())),
        required=bool(row["required"]),
        unknown=bool(row.get("unknown", False)),
        when=When(str(when["question"]), tuple(map(str, when["is"]))) if when else None,
        section=str(row.get("section", "what")),
        max_length=int(row.get("max_length", 200)),
    )


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _kind(data: dict[str, Any], shared: dict[str, Any], where: str) -> Kind:
    common = {row["id"]: row for row in shared["question"]}
    sensitive = bool(data["sensitive"])
    rows: list[dict[str, Any]] = []
    for row in data["question"]:
        rows.append({**common[row["use"]], **row} if "use" in row else row)
    for question_id in data.get("end", shared["end"]):
        row = common[question_id]
        if sensitive or not row.get("sensitive_only"):
            rows.append(row)
        elif any(r["id"] == "know_who" for r in rows):
            # Whoever knows who did it may share a home or a phone with them, whatever kind of report it is.
            rows.append({**row, "when": {"question": "know_who", "is": ["yes"]}})
    questions = tuple(_question(row, where) for row in rows)
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise ValueError(f"{where}: question {question.id} is asked twice.")
        if question.when and question.when.question not in seen:
            raise ValueError(f"{where}: {question.id} depends on {question.when.question}, not asked before.")
        seen.add(question.id)
    handover = data.get("handover")
    return Kind(
        id=str(data["id"]),
        valid_from=data["valid_from"],
        valid_to=data.get("valid_to"),
        source=str(data["source"]),
        title=_text(data["title"], where),
        explain=_text(data["explain"], where),
        danger=_text(data["danger"], where),
        sensitive=sensitive,
        duties=tuple(data["duties"]),
        outcomes=tuple(int(n) for n in data["outcomes"]),
        questions=questions,
        handover=Handover(handover["to"], tuple(_option(o, where) for o in handover["reason"]))
        if handover
        else None,
        begins=str(data.get("begins", "start")),
    )


@cache
def _all() -> tuple[Kind, ...]:
    shared = _read(FOLDER / "shared.toml")
    return tuple(
        _kind(_read(path), shared, path.name)
        for path in sorted(FOLDER.glob("*.toml"))
        if path.stem != "shared"
    )


# The order in which the public is offered the kinds; a kind not named here comes last.
ORDER = (
    "burglary", "criminal-damage", "antisocial-behaviour", "shop-theft", "online-harassment-or-hate", "fraud",
)  # fmt: skip


def kinds(on: date | None = None) -> tuple[Kind, ...]:
    """Return the kinds that hold on a day (without one: the newest version of each), in the order shown."""
    chosen: dict[str, Kind] = {}
    for one in sorted(_all(), key=lambda k: k.valid_from):
        if on is None or (one.valid_from <= on and (one.valid_to is None or on < one.valid_to)):
            chosen[one.id] = one
    place = {name: n for n, name in enumerate(ORDER)}
    return tuple(sorted(chosen.values(), key=lambda k: (place.get(k.id, len(ORDER)), k.id)))


def offered(on: date) -> tuple[Kind, ...]:
    """Return the kinds that everybody is offered on the first page, in the order shown."""
    return tuple(k for k in kinds(on) if k.begins == "start")


def kind(kind_id: str, on: date | None = None) -> Kind:
    """Return one kind as it holds on a day; raise UnknownKind when there is none."""
    for one in kinds(on):
        if one.id == kind_id:
            return one
    raise UnknownKind(kind_id)


def kind_on(kind_id: str, on: date) -> Kind | None:
    """Return one kind as it holds on a day, or None."""
    try:
        return kind(kind_id, on)
    except UnknownKind:
        return None
