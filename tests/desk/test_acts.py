"""What is done on the desk, through its forms: it happens once, is refused with a sentence, and loses nothing typed."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from tests import scenes
from tests.cast import JONAH, NESTA, Cast
from tests.desk.signing import signed_in

from counterfoil.cases import queries as cases
from counterfoil.courts import queries as courts
from counterfoil.evidence import queries as evidence
from counterfoil.ledger.models import Entry
from counterfoil.outcomes import queries as outcomes
from counterfoil.reports.queries import progress_of

pytestmark = pytest.mark.django_db


def send(client: Client, path: str, **fields: Any) -> Any:
    """Open a page, take its token as a browser does, and send its form."""
    page = client.get(path).content.decode()
    token = page.split('name="token" value="')[1].split('"')[0]
    return client.post(path, {"token": token, **fields})


def acts(case: Any) -> list[str]:
    return list(Entry.objects.filter(thread=case).order_by("at").values_list("act", flat=True))


def test_an_officer_takes_a_case_from_report_to_outcome_by_forms_alone(cast: Cast) -> None:
    scene = scenes.reported(cast)
    alice = signed_in(cast, "alice")
    case = f"/desk/cases/{scene.case}"

    assert scenes.RHYS.name not in alice.get("/desk/queue").content.decode()
    assert send(alice, f"{case}/triage", grade="priority", reason=scenes.REASON)["Location"] == case
    assert send(alice, f"{case}/record", how="ours").status_code == 303
    assert (
        send(alice, f"{case}/files/{scene.files[0]}/seal", title="Photo of the side gate").status_code == 303
    )
    signed = send(
        alice, f"{case}/statements/new", stage="sign", role="witness", name=NESTA.name, text=scenes.STATEMENT,
        declared="yes", signed_name=NESTA.name, contact="Telephone 07700 900456",
    )  # fmt: skip
    assert signed["Location"] == f"{case}#statements"
    named = {"name": JONAH.name, "reference_kind": "custody", "reference": "99/ct/01234/26"}
    assert send(alice, f"{case}/suspects/new", **named).status_code == 303
    suspect = next(p for p in cases.parties(scene.case) if p.role == "suspect")
    decision = {
        "party": str(suspect.id), "decision": "charge", "decided_by": "prosecutor", "decider": "Petra Quill",
        "decided_on": "20/11/2026", "decided_time": "14:05", "offence_code": "TH68010", "wording": scenes.WORDING,
        "reason": "There is enough evidence for a realistic prospect of conviction.",
    }  # fmt: skip
    assert send(alice, f"{case}/charges/new", **decision).status_code == 303
    words = "Somebody has been charged. The court will write to you."
    assert send(alice, f"{case}/update", text=words).status_code == 303
    why = "Charged on the doorbell recording and the statement."
    assert send(alice, f"{case}/outcome", type="1", reason=why).status_code == 303

    viewer = cast.alice
    card = cases.case_for(viewer, scene.case)
    assert card is not None
    assert (card.state, card.grade, bool(card.crime_number)) == ("closed", "priority", True)
    assert [x.label for x in evidence.exhibits_of(viewer, scene.case)] == ["AB/1"]
    assert [s.name for s in evidence.statements_of(viewer, scene.case)] == [NESTA.name]
    charge = courts.charges_of(viewer, scene.case)[0]
    assert (charge.suspect, charge.decided_at.isoformat()) == (JONAH.name, "2026-11-20T14:05:00+00:00")
    assert [o.type for o in outcomes.outcomes_of(viewer, scene.case)] == ["1"]
    told = progress_of(scene.report)
    assert words in [p.params.get("text") for p in told]
    page = alice.get(case).content.decode()
    for seen in ("AB/1", NESTA.name, JONAH.name, "99/CT/01234/26", "TH68010", "Somebody was charged", words):
        assert seen in page, seen
    assert "07700 900456" not in page, "the back page of a statement is not on the case page"


LONG = "A reason that is long enough to keep."
SAID = "The man went in by the side gate at ten past nine."
FRONT = {"role": "witness", "name": "Nesta", "text": SAID}


@pytest.mark.parametrize(
    ("page", "fields", "sentence", "kept"),
    [
        (
            "triage",
            {"grade": "", "reason": "Long enough to be a reason."},
            "Choose a grade.",
            "Long enough to be",
        ),
        ("triage", {"grade": "priority", "reason": "short"}, "at least 10 letters", "short"),
        ("record", {"how": ""}, "Say whether it is recorded here", ""),
        ("record", {"how": "rms", "rms_number": " "}, "Give the number that the records system gave it.", ""),
        ("record", {"how": "rms", "rms_number": "<b>"}, "as it is printed", "&lt;b&gt;"),
        ("record", {"how": "not", "reason": "Because."}, "at least 20 letters", "Because."),
        ("update", {"text": "Hm"}, "at least 10 letters", "Hm"),
        (
            "suspects/new",
            {"name": "Jonah", "reference_kind": "custody", "reference": "?"},
            "as it is printed",
            "Jonah",
        ),
        (
            "suspects/new",
            {"name": "", "reference_kind": "interview", "reference": "VI/22/26"},
            "name",
            "VI/22/26",
        ),
        ("statements/new", {**FRONT, "stage": "check", "name": ""}, "Give the witness&#39;s name", SAID),
        (
            "statements/new",
            {**FRONT, "stage": "check", "text": "Too short"},
            "in their own words",
            "Too short",
        ),
        ("statements/new", {**FRONT, "stage": "check", "age": "44"}, "only if the witness is under 18", SAID),
        ("statements/new", {**FRONT, "stage": "sign", "signed_name": "Nesta"}, "make the declaration", SAID),
        ("statements/new", {**FRONT, "stage": "sign", "declared": "yes"}, "exactly as it stands", SAID),
        ("outcome", {"type": "1", "reason": LONG}, "decision to charge", "long enough to keep"),
        ("outcome", {"type": "15", "reason": LONG}, "Name the suspect first", "long enough"),
        ("outcome", {"type": "99", "reason": LONG}, "Choose an outcome", "long enough"),
        ("outcome", {"type": "²", "reason": LONG}, "Choose an outcome", "long enough"),
        (
            "charges/new",
            {"party": "nobody", "reason": "Kept all the same."},
            "Choose the suspect",
            "Kept all the same.",
        ),
    ],
)
def test_what_is_wrong_is_said_at_the_top_and_at_the_field_and_everything_typed_is_kept(
    cast: Cast, page: str, fields: dict[str, str], sentence: str, kept: str
) -> None:
    scene = scenes.recorded(cast) if page == "outcome" else scenes.triaged(cast)
    alice = signed_in(cast, "alice")
    before = acts(scene.case)
    answer = send(alice, f"/desk/cases/{scene.case}/{page}", **fields)
    text = answer.content.decode()
    assert answer.status_code == 400, text
    assert "There is a problem" in text
    assert "<title>Error: " in " ".join(text.split())
    assert sentence in text
    assert kept in text
    assert acts(scene.case) == before, "nothing happened"


BAD = (
    "\x00",
    "𝕏" * 5000,
    "\u202e<script>alert(1)</script>",
    "{{7*7}}",
    "9" * 400,
    "\ud7ff\ufffe",
    "-1",
    "../..",
)


@pytest.mark.parametrize(
    "page",
    [
        "triage",
        "record",
        "update",
        "suspects/new",
        "statements/new",
        "charges/new",
        "outcome",
        "take",
        "assign",
        "reopen",
    ],
)
def test_no_input_makes_a_page_fail(cast: Cast, page: str) -> None:
    scene = scenes.triaged(cast)
    alice = signed_in(cast, "alice")
    names = (
        "grade", "reason", "how", "rms_number", "text", "name", "reference_kind", "reference", "age", "role",
        "declared", "signed_name", "party", "decision", "decided_on", "decided_time", "decider", "offence_code", "type",
        "charge", "actor", "token", "contact", "dates_to_avoid", "needs", "read_over_by", "cannot_read",
    )  # fmt: skip
    for bad in BAD:
        for stage in ("check", "sign", bad):
            answer = alice.post(
                f"/desk/cases/{scene.case}/{page}", {**dict.fromkeys(names, bad), "stage": stage}
            )
            assert answer.status_code in (200, 303, 400), (bad, answer.status_code)
            assert b"<script>alert(1)" not in answer.content
            if page != "statements/new":
                break


def test_a_form_sent_twice_does_one_thing(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    alice = signed_in(cast, "alice")
    path = f"/desk/cases/{scene.case}/statements/new"
    fields = {
        "token": "the-token-of-this-page", "stage": "sign", "role": "witness", "name": NESTA.name,
        "text": scenes.STATEMENT, "declared": "yes", "signed_name": NESTA.name,
    }  # fmt: skip
    first, again = alice.post(path, fields), alice.post(path, fields)
    assert (first.status_code, again.status_code, first["Location"]) == (303, 303, again["Location"])
    assert len(evidence.statements_of(cast.alice, scene.case)) == 1
    changed = alice.post(path, {**fields, "text": scenes.STATEMENT + " And another thing."})
    assert changed.status_code == 400
    assert "And another thing." in changed.content.decode()


def test_a_statement_is_read_back_with_its_declaration_before_it_is_signed(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    alice = signed_in(cast, "alice")
    path = f"/desk/cases/{scene.case}/statements/new"
    said = "My neighbour told me that the gate was open. I think it was about nine.\n" + "I saw a man. " * 230
    typed = {"role": "witness", "name": "Nesta Pomfrey", "age": "17", "text": said, "contact": "Telephone"}
    page = send(alice, path, stage="check", **typed)
    text = page.content.decode()
    assert page.status_code == 200
    assert "consisting of 2 pages each signed by me" in text
    assert "“told me that”" in text
    assert "“i think”" in text
    assert "aged 17" in text
    assert not evidence.statements_of(cast.alice, scene.case), "nothing is kept before it is signed"
    back = send(alice, path, stage="back", **typed)
    assert "My neighbour told me" in back.content.decode()
    assert "Step 1 of 2" in back.content.decode()


def test_an_exhibit_is_handed_out_as_a_download_that_no_browser_runs_and_the_entry_comes_first(
    cast: Cast,
) -> None:
    scene = scenes.exhibited(cast)
    alice = signed_in(cast, "alice")
    path = f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}"
    assert "exhibit.viewed" not in acts(scene.case)
    answer = alice.get(f"{path}/file")
    # The body has not been read yet, and the entry stands.
    assert acts(scene.case).count("exhibit.viewed") == 1
    assert answer.status_code == 200
    assert hashlib.sha256(answer.getvalue()).hexdigest() == hashlib.sha256(scenes.photo()).hexdigest()
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Disposition"].endswith("_AB-1.jpg")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert alice.head(f"{path}/file").status_code == 405
    assert acts(scene.case).count("exhibit.viewed") == 1
    assert "Viewed exhibit AB/1" in alice.get(path).content.decode()


def test_an_exhibit_gets_a_new_title_and_a_new_holder_with_the_reason(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    alice = signed_in(cast, "alice")
    path = f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}"
    assert send(alice, f"{path}/retitle", title="Photo of the forced side gate").status_code == 303
    refused = send(alice, f"{path}/hand-over", to="", reason="For the identification unit.")
    assert "Choose an officer" in refused.content.decode()
    why = "For the identification unit."
    assert send(alice, f"{path}/hand-over", to=cast.id("bruno"), reason=why).status_code == 303
    page = alice.get(path).content.decode()
    for seen in ("Photo of the forced side gate", "Photo of the side gate", "Bruno Castell", why):
        assert seen in page, seen


def test_only_an_inspector_assigns_and_reopens_and_is_told_so(cast: Cast) -> None:
    scene = scenes.closed(cast)
    case = f"/desk/cases/{scene.case}"
    refused = send(signed_in(cast, "alice"), f"{case}/reopen", reason="A new witness came forward today.")
    assert "Only an inspector of this force can reopen a case." in refused.content.decode()
    ines = signed_in(cast, "ines")
    assert send(ines, f"{case}/reopen", reason="A new witness came forward today.").status_code == 303
    assert send(ines, f"{case}/assign", actor=cast.id("bruno")).status_code == 303
    card = cases.case_for(cast.ines, scene.case)
    assert card is not None
    assert (card.state, card.owner) == ("open", "Bruno Castell")


def whole(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Return everything of an answer that a person could tell apart: status, body, headers but the date."""
    return (
        answer.status_code,
        answer.content,
        sorted((k, v) for k, v in answer.headers.items() if k != "Date"),
    )


READ = ("", "/timeline", "/why", "/exhibits/{x}", "/exhibits/{x}/file", "/statements/{s}")
ACT = (
    *(
        "/triage",
        "/record",
        "/update",
        "/take",
        "/assign",
        "/outcome",
        "/reopen",
        "/bundles/new",
        "/statements/new",
    ),
    *("/suspects/new", "/charges/new", "/exhibits/{x}/retitle", "/exhibits/{x}/hand-over", "/files/{f}/seal"),
)


@pytest.mark.parametrize("who", ["charlie", "dilys", "bruno", "gwen"])
def test_a_case_of_others_looks_exactly_like_a_case_that_is_not_there(cast: Cast, who: str) -> None:
    scene = scenes.stated(cast)
    client = signed_in(cast, who)
    before = acts(scene.case)
    for page in (*READ, *ACT):
        path = page.format(x=scene.exhibit, s=scene.statement, f=scene.files[1])
        theirs, absent = (f"/desk/cases/{i}{path}" for i in (scene.case, uuid4()))
        assert client.get(theirs).status_code == 404, page
        assert whole(client.get(theirs)) == whole(client.get(absent)), page
        if page in ACT:
            assert client.post(theirs, {"reason": LONG}).status_code == 404, page
            assert whole(client.post(theirs, {"reason": LONG})) == whole(
                client.post(absent, {"reason": LONG})
            ), page
    assert acts(scene.case) == before


def test_an_exhibit_of_another_case_is_not_there(cast: Cast) -> None:
    one, two = scenes.exhibited(cast, session="one"), scenes.exhibited(cast, session="two")
    alice = signed_in(cast, "alice")
    assert alice.get(f"/desk/cases/{one.case}/exhibits/{two.exhibit}").status_code == 404
    assert alice.get(f"/desk/cases/{one.case}/exhibits/{two.exhibit}/file").status_code == 404
    assert alice.get(f"/desk/cases/{one.case}/files/{two.files[1]}/seal").status_code == 404


def test_the_page_says_why_it_may_be_seen(cast: Cast) -> None:
    scene = scenes.triaged(cast)
    assert (
        "You own this case." in signed_in(cast, "alice").get(f"/desk/cases/{scene.case}/why").content.decode()
    )
    ines = signed_in(cast, "ines").get(f"/desk/cases/{scene.case}/why").content.decode()
    assert "You are an inspector of the force that holds this case." in ines


def test_what_was_missed_stands_first_in_words(cast: Cast) -> None:
    from counterfoil.duties import actions as duties
    from counterfoil.duties.models import Duty

    first = scenes.reported(cast, session="one")
    scenes.reported(cast, session="two")
    late = Duty.objects.get(case_id=first.case, kind="triage")
    Duty.objects.filter(pk=late.pk).update(due_at=late.due_at - timedelta(hours=30))
    duties.sweep()
    page = signed_in(cast, "alice").get("/desk/").content.decode()
    assert page.index("1 overdue") < page.index("was due ") < page.index("In time")


def test_names_and_files_from_outside_are_shown_as_text_only(cast: Cast) -> None:
    said = {"name": "<img src=x onerror=alert(1)>", "what": "<script>alert(2)</script>{{ 7*7 }}"}
    scene = scenes.reported(cast, said=said, files=[('"><script>alert(3)</script>.jpg', scenes.photo())])
    page = signed_in(cast, "alice").get(f"/desk/cases/{scene.case}").content.decode()
    for bad in ("<img src=x", "<script>alert"):
        assert bad not in page
    assert "&lt;script&gt;alert(2)" in page
    assert "{{ 7*7 }}" in page


def test_lists_and_cases_ask_the_database_no_more_often_when_they_are_longer(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    def grown(n: int) -> None:
        for i in range(n):
            scenes.exhibited(cast, session=f"own-{n}-{i}")
            scenes.reported(cast, session=f"queue-{n}-{i}")

    def asked(path: str) -> int:
        with django_assert_max_num_queries(60) as found:
            assert alice.get(path).status_code == 200
        return len(found)

    grown(2)
    alice = signed_in(cast, "alice")
    pages = ("/desk/", "/desk/queue", "/desk/cases")
    few = {p: asked(p) for p in pages}
    grown(6)
    assert {p: asked(p) for p in pages} == few
    assert max(few.values()) <= 25


def test_a_case_asks_the_database_no_more_often_when_it_has_more_in_it(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    from counterfoil.evidence import actions

    scene = scenes.charged(cast, files=[(f"{i}.jpg", scenes.photo(i)) for i in range(8)])
    alice = signed_in(cast, "alice")
    path = f"/desk/cases/{scene.case}"
    with django_assert_max_num_queries(60) as few:
        alice.get(path)
    for i, upload in enumerate(scene.files[1:6]):
        actions.seal(scene.case, upload, f"Photo number {i}", by=scene.by)
        actions.take_statement(scene.case, scenes.statement(f"Witness Number{i}"), by=scene.by)
    with django_assert_max_num_queries(60) as many:
        alice.get(path)
    assert len(many) == len(few)
