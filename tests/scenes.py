"""Situations that tests start from, built only with the product's own actions."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from tests.cast import HOME, JONAH, NESTA, RHYS, Cast

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as cases
from counterfoil.cases import queries as case_queries
from counterfoil.duties import actions as duties
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import material
from counterfoil.reference.kinds import Question, kind
from counterfoil.reports import actions as reports
from counterfoil.reports import rules as report_rules
from counterfoil.reports.models import Draft

REASON = "The side gate was forced and the doorbell camera was running at the time."
STATEMENT = (
    "I live at number four. At about ten past nine in the evening I saw a man in a dark coat force the side gate "
    "and go in. He came out five minutes later with a bag that he did not have before."
)
WORDING = "On 20 November 2026 at Exampleton stole a bicycle contrary to section 1(1) of the Theft Act 1968."


def photo(seed: int = 1, size: int = 2048) -> bytes:
    """Return a small photo of so many bytes that differs by seed (only what begins as one when it must be smaller)."""
    from PIL import Image

    held = io.BytesIO()
    Image.new("RGB", (64, 48), (seed * 37 % 256, 90, 120)).save(held, "JPEG")
    whole = held.getvalue() + bytes((seed * 7 + i * 31) % 256 for i in range(max(0, size - held.tell())))
    return (
        whole
        if len(whole) == size
        else b"\xff\xd8\xff\xe0" + bytes((seed * 7 + i * 31) % 256 for i in range(size - 4))
    )


def clip(seed: int = 1, size: int = 4096) -> bytes:
    """Return bytes that begin as a video does and differ by seed."""
    return b"\x00\x00\x00\x18ftypisom" + bytes((seed * 11 + i * 17) % 256 for i in range(size - 12))


def _answer(question: Question, force: str) -> Any:
    match question.type:
        case "radios":
            return question.options[0].value
        case "checkboxes":
            return [next((o.value for o in question.options if o.exclusive), question.options[0].value)]
        case "date":
            return "2026-11-20"
        case "time":
            return "21:10"
        case "yesno":
            return "yes" if question.id == "device_safe" else "no"
        case "force":
            return force
        case "phone":
            return RHYS.phone
        case "email":
            return RHYS.email
        case "place":
            return RHYS.address
        case _:
            return "The side gate was forced and a bicycle was taken from the shed."


def answers(kind_id: str = "burglary", force: str = HOME, **said: Any) -> dict[str, Any]:
    """Return a whole set of answers to a kind of report; `said` replaces single ones."""
    found: dict[str, Any] = dict(said)
    while True:
        asked = report_rules.questions_for(kind(kind_id), found)
        missing = [q for q in asked if q.required and q.type != "files" and q.id not in found]
        if not missing:
            return found
        found[missing[0].id] = _answer(missing[0], force)


def reachable(*, safe: bool = True) -> dict[str, Any]:
    """Return answers of somebody who may be written to; `safe` says whether the device is their own."""
    return {
        "name": RHYS.name,
        "contact_channels": ["email"],
        "contact_email": RHYS.email,
        "contact_discreet": "no",
        "device_safe": "yes" if safe else "no",
    }


def draft(
    kind_id: str = "burglary",
    *,
    force: str = HOME,
    said: Mapping[str, Any] | None = None,
    files: Sequence[tuple[str, bytes]] = (),
    session: str = "a-session",
    lang: str = "en",
) -> Draft:
    """Return a draft with every question answered and its files taken in."""
    new = reports.start_draft(kind_id, lang, session)
    for question, value in answers(kind_id, **{"force": force, **(said or {})}).items():
        reports.save_answer(new, question, value)
    for name, data in files:
        reports.add_upload(new, name, io.BytesIO(data), len(data))
    return new


@dataclass
class Scene:
    """What has happened so far, by id. Filled in as the story goes on."""

    cast: Cast
    draft: Draft
    accepted: reports.Accepted
    kind: str = "burglary"
    files: tuple[UUID, ...] = ()
    by: Viewer = field(default_factory=Viewer.public)
    exhibit: UUID | None = None
    statement: UUID | None = None
    suspect: UUID | None = None
    charge: UUID | None = None
    bundle: UUID | None = None
    outcome: UUID | None = None

    @property
    def report(self) -> UUID:
        """The report's id."""
        return self.accepted.report_id

    @property
    def case(self) -> UUID:
        """The case's id; a failure when the report has none."""
        found = case_queries.case_of_report(self.report)
        assert found is not None, "the report has no case"
        return found


def reported(
    cast: Cast,
    kind_id: str = "burglary",
    *,
    force: str = HOME,
    staffed: bool = True,
    said: Mapping[str, Any] | None = None,
    files: Sequence[tuple[str, bytes]] = (("IMG_0042.jpg", photo()), ("doorbell.mp4", clip())),
    session: str = "a-session",
    device_safe: bool = True,
) -> Scene:
    """A report with two files was accepted by the home force, whose desk is staffed."""
    cast.queue(force)
    if staffed and force == HOME:
        cast.staff_the_desk()
    told = {**reachable(safe=device_safe), **(said or {})}
    new = draft(kind_id, force=force, said=told, files=files, session=session)
    accepted = reports.submit(new, device_safe=device_safe)
    sent = tuple(f.id for f in _files(accepted.report_id))
    return Scene(cast, new, accepted, kind_id, sent)


def _files(report_id: UUID) -> Sequence[Any]:
    from counterfoil.reports.queries import report_card

    return report_card(report_id).files


def triaged(cast: Cast, **how: Any) -> Scene:
    """Alice graded the case and took it."""
    scene = reported(cast, **how)
    scene.by = cast.alice
    duties.triage(scene.case, "scheduled", REASON, by=scene.by)
    return scene


def recorded(cast: Cast, **how: Any) -> Scene:
    """Alice recorded the crime under our own number."""
    scene = triaged(cast, **how)
    duties.record_crime(scene.case, by=scene.by)
    return scene


def exhibited(cast: Cast, **how: Any) -> Scene:
    """Alice took the first file out of quarantine as exhibit AB/1."""
    scene = recorded(cast, **how)
    scene.exhibit = evidence.seal(scene.case, scene.files[0], "Photo of the side gate", by=scene.by)
    return scene


def statement(name: str = NESTA.name, **changed: Any) -> dict[str, Any]:
    """Return the fields of a whole statement; `changed` replaces single ones."""
    whole = {
        "name": name,
        "age": None,
        "text": STATEMENT,
        "declared": True,
        "cannot_read": False,
        "read_over_by": "",
        "signed_name": name,
        "contact": f"Telephone {NESTA.phone}",
        "dates_to_avoid": "",
        "needs": "",
    }
    return {**whole, **changed}


def stated(cast: Cast, **how: Any) -> Scene:
    """Nesta gave a statement."""
    scene = exhibited(cast, **how)
    scene.statement = evidence.take_statement(scene.case, statement(), by=scene.by)
    return scene


def suspected(cast: Cast, **how: Any) -> Scene:
    """Jonah was named, with the custody record's number."""
    scene = stated(cast, **how)
    scene.suspect = cases.name_suspect(scene.case, JONAH.name, "custody", "99/CT/01234/26", by=scene.by)
    return scene


def charged(cast: Cast, **how: Any) -> Scene:
    """A prosecutor decided to charge Jonah."""
    from counterfoil.courts import actions as courts

    scene = suspected(cast, **how)
    assert scene.suspect
    scene.charge = courts.record_charging_decision(
        scene.case,
        scene.suspect,
        decision="charge",
        decided_by="prosecutor",
        decider="Petra Quill",
        decided_at=timezone.now() - timedelta(hours=1),
        offence_code="TH68010",
        wording=WORDING,
        reason="There is enough evidence for a realistic prospect of conviction.",
        by=scene.by,
    )
    return scene


def closed(cast: Cast, **how: Any) -> Scene:
    """Outcome 1 was recorded and the case closed."""
    from counterfoil.outcomes import actions as outcomes

    scene = charged(cast, **how)
    scene.outcome = outcomes.record_outcome(
        scene.case,
        "1",
        "Charged on the doorbell recording and the statement.",
        charge_id=scene.charge,
        by=scene.by,
    )
    return scene


def disclosed(cast: Cast, **how: Any) -> Scene:
    """Alice took the other file too, decided about every item and signed both schedules: the case can be sent."""
    scene = charged(cast, **how)
    assert scene.exhibit
    assert scene.statement
    material.decide(scene.case, "exhibit", scene.exhibit, "used", by=scene.by)
    material.decide(scene.case, "statement", scene.statement, "used", by=scene.by)
    for n, upload in enumerate(scene.files[1:], 2):
        other = evidence.seal(scene.case, upload, f"Doorbell recording, part {n}", by=scene.by)
        unused(scene, other, f"Doorbell recording of the street, part {n}, which shows nobody")
    signed(scene)
    return scene


def unused(scene: Scene, exhibit: UUID, description: str) -> None:
    """Decide that an exhibit is unused and not sensitive."""
    material.decide(
        scene.case,
        "exhibit",
        exhibit,
        "unused",
        description=description,
        location="Evidence vault of the force",
        by=scene.by,
    )


def sensitive(
    scene: Scene, exhibit: UUID, description: str, reason: str = "It names somebody at risk."
) -> None:
    """Decide that an exhibit is unused and sensitive."""
    material.decide(
        scene.case,
        "exhibit",
        exhibit,
        "sensitive",
        description=description,
        location="Safe of the intelligence unit",
        reason=reason,
        by=scene.by,
    )


def signed(scene: Scene) -> None:
    """Sign both schedules as the disclosure officer; an empty MG6D is endorsed nil."""
    material.sign_schedules(scene.case, scene.by.name, endorse_nil=True, by=scene.by)


def bundled(cast: Cast, **how: Any) -> Scene:
    """The bundles of the charged case were built for real, and the prosecutor's was sent to Petra."""
    from counterfoil.courts import actions as courts

    scene = disclosed(cast, **how)
    scene.bundle = courts.ask_bundle(scene.case, by=scene.by)
    courts.build_bundle(scene.bundle)
    courts.send_to_prosecutor(scene.bundle, cast.id("petra"), by=scene.by)
    return scene
