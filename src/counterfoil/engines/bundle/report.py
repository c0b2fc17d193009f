"""Make the court's report: one PDF/A-3a and PDF/UA-1 file from the facts, the same bytes every time.

Everything a person wrote goes into typst as JSON data read by the template, never as markup, so no statement can
become code. Characters that the built-in typefaces cannot draw are shown as [U+XXXX]; the exact text is in data/.
"""

import datetime as dt
import json
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst

from counterfoil.engines.bundle.facts import BundleFacts, EventFacts, ExhibitFacts, ScheduleFacts
from counterfoil.engines.bundle.papers import recipe_sha256
from counterfoil.engines.bundle.words import NOT_PROVED, PROVED
from counterfoil.engines.errors import BadInput

LONDON = ZoneInfo("Europe/London")
TEMPLATE = Path(__file__).with_name("report.typ")
# Code points (hexadecimal) that the built-in typefaces draw, found by setting each one alone. Scripts written from
# right to left are left out: some of their characters bring the typesetter down.
DRAWN = (
    "21-7e a0-ac ae-377 37a-37f 384-38a 38c 38e-3a1 3a3-4ff 510-513 51a-51d 531-556 559-58a 58d-58f "
    "1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fc4 "
    "1fc6-1fd3 1fd6-1fdb 1fdd-1fef 1ff2-1ff4 1ff6-1ffe 2000-200a 2010-2027 202f-2040 2042 2044-2052 "
    "2054-205f 20a0-20c0 2100-211e 2120 2122 2124 2126-2151 2153-2184 2189 2190-23ff 2422-2423 2460-2606 "
    "2609-262f 2638-268b 2690-269c 26a0-26a7 26aa-26af 26b2 2701-2704 2706-2709 270c-2714 2717-2726 "
    "272a-274b 274d 274f-2752 2756 2758-275e 2761-277f 2794 2798-27af 27b1-27ff "
)


def make_report(facts: BundleFacts, exhibits_json: bytes, paths: Mapping[str, str]) -> bytes:
    """Return the unsealed PDF. `paths` gives each exhibit's place in the bundle; `exhibits_json` is attached as it is.

    The same facts give byte-identical output.
    """
    view = json.dumps(_view(facts, paths), ensure_ascii=False, sort_keys=True)
    try:
        return _compile(view, exhibits_json, facts.built_at)
    except BaseException as error:
        # A combination that the typesetter cannot draw, or that brings it down (its panic is not an Exception):
        # set the report once more with everything beyond ASCII written out.
        if not isinstance(error, typst.TypstError) and type(error).__name__ != "PanicException":
            raise
    plain = "".join(c if ord(c) < 0x7F else _spelt(c) for c in view)
    try:
        return _compile(plain, exhibits_json, facts.built_at)
    except typst.TypstError as error:
        raise BadInput("report", f"The report could not be set: {str(error).splitlines()[0]}") from None


def _compile(view: str, exhibits_json: bytes, built_at: dt.datetime) -> bytes:
    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
        timestamp=built_at.astimezone(dt.UTC),
        sys_inputs={"facts": view, "exhibits": exhibits_json.decode()},
    )
    assert isinstance(made, bytes)  # noqa: S101  (one PDF, no output path)
    return made


def _spelt(c: str) -> str:
    return f"[U+{ord(c):04X}]"


@cache
def _drawn() -> frozenset[int]:
    spans = [span.partition("-") for span in DRAWN.split()]
    return frozenset(n for a, _, b in spans for n in range(int(a, 16), int(b or a, 16) + 1))


def shown(text: str) -> str:
    """Return a text as the report can print it; hidden, reordering and undrawable characters are written [U+XXXX]."""
    out = []
    for c in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        if c == "\n":
            out.append(c)
        elif c == "\t":
            out.append("    ")
        else:
            out.append(c if c == " " or ord(c) in _drawn() else _spelt(c))
    return "".join(out)


def moment(at: dt.datetime) -> str:
    """Return a time as people read it, in London: `Tuesday 24 November 2026, 16:05 GMT`."""
    local = at.astimezone(LONDON)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} {local.tzname()}"


def short_moment(at: dt.datetime) -> str:
    """Return a time for a table, in London: `24 Nov 2026 16:05:09 GMT`."""
    local = at.astimezone(LONDON)
    return f"{local.day} {local:%b %Y %H:%M:%S} {local.tzname()}"


def size(count: int) -> str:
    """Return a size in bytes for people: `1,234,567 bytes (1.2 MB)`."""
    text = f"{count:,} bytes"
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= step:
            return f"{text} ({count / step:.1f} {unit})"
    return text


def duration(ms: int | None) -> str:
    """Return a duration for people, or nothing when it is not known."""
    if ms is None:
        return ""
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes:02} min {seconds:02}.{rest // 100} s"
        if hours
        else f"{minutes} min {seconds:02}.{rest // 100} s"
    )


def _view(facts: BundleFacts, paths: Mapping[str, str]) -> dict[str, Any]:
    every = sorted(
        {(e.index): e for e in [*facts.events, *(e for x in facts.exhibits for e in x.events)]}.values(),
        key=lambda e: e.index,
    )
    holder = {e.index: x.label for x in facts.exhibits for e in x.events}
    view: dict[str, Any] = {
        "name": facts.name,
        "urn": facts.urn,
        "force": facts.force,
        "marking": facts.marking,
        "case_ref": facts.case_ref,
        "offence": facts.offence,
        "built": moment(facts.built_at),
        "built_by": facts.built_by,
        "date": [facts.built_at.year, facts.built_at.month, facts.built_at.day],
        "development": facts.development,
        "defendants": [{"name": d.name, "reference": d.reference} for d in facts.defendants],
        "summary": [p for text in facts.summary for p in text.split("\n\n") if p.strip()],
        "charges": [
            {
                "defendant": c.defendant,
                "code": c.offence_code,
                "wording": c.wording,
                "statute": c.statute,
                "rationale": c.rationale,
                "decided_by": c.decided_by,
                "decided_at": moment(c.decided_at),
            }
            for c in facts.charges
        ],
        "statements": [
            {
                "witness": s.witness,
                "age": f"{s.age}" if s.age is not None else "Over 18",
                "text": [p for p in s.text.split("\n") if p.strip()],
                "declaration": s.declaration,
                "signed_by": s.signed_by,
                "signed_at": moment(s.signed_at),
                "taken_by": s.taken_by,
                "read_over_by": s.read_over_by,
                "reference": s.reference,
            }
            for s in facts.statements
        ],
        "exhibits": [_exhibit(x, paths[x.label], facts.actors) for x in facts.exhibits],
        "outcome": None
        if facts.outcome is None
        else {
            "number": facts.outcome.number,
            "title": facts.outcome.title,
            "reason": facts.outcome.reason,
            "decided_by": facts.outcome.decided_by,
            "decided_at": moment(facts.outcome.decided_at),
        },
        "schedules": [_schedule(s) for s in sorted(facts.schedules, key=lambda s: (s.form, s.number))],
        "timeline": [{**_event(e, facts.actors), "exhibit": holder.get(e.index, "")} for e in every],
        "proved": list(PROVED),
        "not_proved": list(NOT_PROVED),
    }
    clean = _clean(view)
    assert isinstance(clean, dict)  # noqa: S101
    return clean


def _exhibit(x: ExhibitFacts, path: str, actors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "label": x.label,
        "title": x.title,
        "sha256": x.sha256,
        "size": size(x.size),
        "duration": duration(x.duration_ms),
        "media_type": x.media_type,
        "original_name": x.original_name,
        "produced_by": x.produced_by,
        **_recorded(x),
        "note": x.note,
        "path": path or "Not copied: restricted images are never copied into a bundle",
        "parent": x.parent or "",
        "recipe": "" if x.recipe is None else recipe_sha256(x.recipe),
        "events": [_event(e, actors) for e in x.events],
    }


def _recorded(x: ExhibitFacts) -> dict[str, str]:
    r = x.recorded
    if r is None:
        return {"device_time": "", "offset": "", "corrected": ""}
    offset = ""
    if r.offset_ms is not None:
        seconds, way = abs(r.offset_ms) / 1000, "fast" if r.offset_ms > 0 else "slow"
        offset = f"{seconds:g} s {way}" if r.offset_ms else "none"
        offset += f", measured by {r.measured_by}" if r.measured_by else ""
        offset += f" on {moment(r.measured_at)}" if r.measured_at else ""
    return {
        "device_time": r.device_time,
        "offset": offset,
        "corrected": short_moment(r.corrected_time) if r.corrected_time else "",
    }


def _schedule(s: ScheduleFacts) -> dict[str, Any]:
    return {
        "form": s.form,
        "issue": str(s.number),
        "signed_by": s.signed_by,
        "signed_at": moment(s.signed_at),
        "nil": s.endorsed_nil,
        "items": [
            {
                "number": str(i.number),
                "what": f"{i.exhibit}: {i.description}" if i.exhibit else i.description,
                "where": i.location,
                "reason": i.reason,
                "decision": i.decision,
                "comment": i.comment,
            }
            for i in s.items
        ],
    }


def _event(event: EventFacts, actors: Mapping[str, str]) -> dict[str, Any]:
    if event.erased_by is not None:
        left = f"by event {event.erased_by}; only its digest is left"
        return {"index": event.index, "at": "", "who": "", "act": "Erased under a rule", "facts": left}
    body = event.body
    at = dt.datetime.fromisoformat(str(body["at"]))
    by = str(body.get("by", ""))
    facts = [
        f"{name.replace('_', ' ')} {_brief(actors.get(value, value) if isinstance(value, str) else value)}"
        for name, value in sorted(body.items())
        if name not in ("act", "at", "by", "on", "thread") and value is not None
    ]
    act = str(body["act"])
    return {
        "index": event.index,
        "at": short_moment(at),
        "who": actors.get(by, by),
        "act": act.replace(".", " ").replace("_", " ").capitalize(),
        "facts": "; ".join(facts),
    }


def _brief(value: object) -> str:
    text = (
        ", ".join(str(v) for v in value)
        if isinstance(value, Sequence) and not isinstance(value, str)
        else str(value)
    )
    return text if len(text) <= 36 else f"{text[:12]}…"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list):
        return [_clean(v) for v in value]
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items()}
    return value
