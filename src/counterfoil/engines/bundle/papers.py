"""The papers of a bundle as data: statements, charge, schedules of material, and how each derived thing was made."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

from counterfoil.engines.bundle.facts import BundleFacts, ExhibitFacts, ScheduleFacts
from counterfoil.engines.errors import BadInput
from counterfoil.engines.tlog import jcs

FORMS = ("MG12", "MG6C", "MG6D")
AUDIENCES = ("defence", "prosecutor")
DECISIONS = ("", "D", "ND", "Inspect")


def utc(at: dt.datetime) -> str:
    """Write a time to the second, UTC."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def statements(facts: BundleFacts) -> dict[str, bytes]:
    """Return each statement's file by its path."""
    return {
        f"data/statements/{n:02}.json": jcs(
            {
                "format": "counterfoil/statement/v1",
                "witness": s.witness,
                "age": s.age,
                "declaration": s.declaration,
                "text": s.text,
                "text_sha256": hashlib.sha256(s.text.encode()).hexdigest(),
                "signed_by": s.signed_by,
                "signed_at": utc(s.signed_at),
                "taken_by": s.taken_by,
                "read_over_by": s.read_over_by,
                "reference": s.reference,
            }
        )
        for n, s in enumerate(facts.statements, 1)
    }


def charge(facts: BundleFacts) -> bytes:
    """Return data/charge.json."""
    o = facts.outcome
    return jcs(
        {
            "format": "counterfoil/charge/v1",
            "urn": facts.urn,
            "defendants": [{"name": d.name, "reference": d.reference} for d in facts.defendants],
            "charges": [
                {
                    "defendant": c.defendant,
                    "offence_code": c.offence_code,
                    "wording": c.wording,
                    "statute": c.statute,
                    "rationale": c.rationale,
                    "decided_by": c.decided_by,
                    "decided_at": utc(c.decided_at),
                }
                for c in facts.charges
            ],
            "outcome": None
            if o is None
            else {
                "number": o.number,
                "title": o.title,
                "reason": o.reason,
                "decided_by": o.decided_by,
                "decided_at": utc(o.decided_at),
            },
        }
    )


def schedules(facts: BundleFacts) -> dict[str, bytes]:
    """Return each schedule's file by its path, all issues of one form in one file; BadInput if it may not go out.

    MG6D lists sensitive material: it never goes to the defence (AG's Guidelines on Disclosure, Annex A).
    """
    if facts.audience not in AUDIENCES:
        raise BadInput("audience", "A bundle is for the prosecutor or for the defence.")
    by_form: dict[str, list[ScheduleFacts]] = {}
    for s in facts.schedules:
        by_form.setdefault(s.form, []).append(s)
    for form, issues in by_form.items():
        if form not in FORMS:
            raise BadInput("schedules", f"{form!a} is not a schedule that a bundle holds.")
        if form == "MG6D" and facts.audience != "prosecutor":
            raise BadInput("schedules", "The schedule of sensitive material never goes to the defence.")
        _refuse_gaps(form, issues)
    if facts.audience == "prosecutor" and "MG6C" in by_form and "MG6D" not in by_form:
        raise BadInput(
            "schedules",
            "The prosecutor's bundle needs an MG6D, endorsed nil if nothing is sensitive.",
        )
    return {
        f"data/schedules/{form}.json": jcs(
            {
                "format": "counterfoil/schedule/v1",
                "form": form,
                "issues": [_issue(s) for s in sorted(issues, key=lambda s: s.number)],
            }
        )
        for form, issues in by_form.items()
    }


def _refuse_gaps(form: str, issues: list[ScheduleFacts]) -> None:
    ordered = sorted(issues, key=lambda s: s.number)
    if [s.number for s in ordered] != list(range(1, len(ordered) + 1)):
        raise BadInput("schedules", f"The issues of {form} must be numbered 1, 2, 3 without a gap.")
    things: dict[int, str] = {}
    for s in ordered:
        numbers = [i.number for i in s.items]
        if numbers != sorted(set(numbers)):
            raise BadInput("schedules", f"The items of issue {s.number} of {form} are not in order.")
        for i in s.items:
            if things.setdefault(i.number, i.exhibit) != i.exhibit:
                raise BadInput(
                    "schedules", f"Item {i.number} of {form} is one thing in one issue and another later."
                )
    if sorted(things) != list(range(1, len(things) + 1)):
        raise BadInput("schedules", f"The items of {form} must be numbered 1, 2, 3 over all its issues.")
    for s in ordered:
        if s.endorsed_nil is not (not s.items):
            raise BadInput("schedules", f"A {form} without items must be endorsed nil, and only such a one.")
        if any(i.decision not in DECISIONS or (i.reason and form != "MG6D") for i in s.items):
            raise BadInput("schedules", f"A line of {form} holds what that form has no place for.")


def _issue(s: ScheduleFacts) -> dict[str, Any]:
    return {
        "number": s.number,
        "signed_by": s.signed_by,
        "signed_at": utc(s.signed_at),
        "endorsed_nil": s.endorsed_nil,
        "items": [
            {
                "number": i.number,
                "description": i.description,
                "location": i.location,
                "exhibit": i.exhibit,
                "sha256": i.sha256,
                "reason": i.reason,
                "decision": i.decision,
                "comment": i.comment,
            }
            for i in s.items
        ],
    }


def scheduled(facts: BundleFacts) -> dict[str, str]:
    """Return the digest of each thing that a schedule names by its reference."""
    return {i.exhibit: i.sha256 for s in facts.schedules for i in s.items if i.exhibit}


def recipe_sha256(recipe: Mapping[str, Any]) -> str:
    """Return a recipe's digest, as the `exhibit.derived` entry holds it: SHA-256 of its canonical JSON."""
    return hashlib.sha256(jcs(dict(recipe))).hexdigest()


def refuse_orphans(facts: BundleFacts) -> None:
    """Refuse a derived exhibit whose whole original is neither an exhibit here nor on a schedule (BadInput)."""
    labels = {x.label: x for x in facts.exhibits}
    listed = scheduled(facts)
    for x in facts.exhibits:
        if (x.parent is None) is not (x.recipe is None):
            raise BadInput("parent", f"Exhibit {x.label} needs both its parent and its recipe, or neither.")
        if x.restricted and x.working:
            raise BadInput("working", f"Exhibit {x.label} is restricted: no copy of it is ever made.")
        if any(w.recipe.get("input_sha256") != x.sha256 for w in x.working):
            raise BadInput("working", f"A working copy of exhibit {x.label} was made from something else.")
        if x.parent is None or x.recipe is None:
            continue
        whole = labels[x.parent].sha256 if x.parent in labels else listed.get(x.parent)
        if whole is None:
            raise BadInput(
                "parent",
                f"Exhibit {x.label} was made from {x.parent}, which is neither in the bundle nor on a schedule.",
            )
        if x.recipe.get("input_sha256") != whole or (x.parent in labels and labels[x.parent].restricted):
            raise BadInput("parent", f"Exhibit {x.label} was not made from {x.parent} as its recipe says.")
        if not any(e.body.get("recipe_sha256") == recipe_sha256(x.recipe) for e in x.events):
            raise BadInput("recipe", f"No entry in the log holds the recipe of exhibit {x.label}.")


def derivation(x: ExhibitFacts, places: list[str]) -> bytes | None:
    """Return an exhibit's derivation.json, or None if it is an original without working copies."""
    if x.recipe is None and not x.working:
        return None
    return jcs(
        {
            "format": "counterfoil/derivation/v1",
            "label": x.label,
            "sha256": x.sha256,
            "parent": x.parent,
            "recipe": None if x.recipe is None else dict(x.recipe),
            "working": [
                {"path": place, "kind": w.kind, "recipe": dict(w.recipe)}
                for place, w in zip(places, x.working, strict=True)
            ],
        }
    )


def recorded(x: ExhibitFacts) -> dict[str, Any] | None:
    """Return what is known of when a recording was made, each part under its own name."""
    r = x.recorded
    if r is None:
        return None
    return {
        "device_time": r.device_time,
        "offset_ms": r.offset_ms,
        "measured_by": r.measured_by,
        "measured_at": None if r.measured_at is None else utc(r.measured_at),
        "corrected_time": None if r.corrected_time is None else utc(r.corrected_time),
    }
