"""The desk's pages of disclosure and custody, as an officer goes through them; and a case with fifty exhibits."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from tests import scenes
from tests.cast import Cast
from tests.desk.signing import signed_in

from counterfoil.evidence import actions as evidence
from counterfoil.evidence import material
from counterfoil.evidence.models import Exhibit, Schedule, Title
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db


def test_an_officer_decides_and_signs_on_the_pages(cast: Cast) -> None:
    scene = scenes.stated(cast)
    alice = signed_in(cast, "alice")
    page = f"/desk/cases/{scene.case}/disclosure"
    text = alice.get(page).content.decode()
    assert "Nothing is decided yet about 3 items of material" in text
    assert "Take as exhibit" in text
    other = evidence.seal(scene.case, scene.files[1], "Doorbell recording", by=scene.by)
    decide = f"/desk/cases/{scene.case}/material/exhibit/{other}"
    wrong = alice.post(decide, {"material": "sensitive", "description": "PNC", "location": "Vault"})
    assert wrong.status_code == 400
    assert ">PNC</textarea>" in wrong.content.decode().replace("\n", "")
    sent = {
        "material": "unused",
        "description": "Doorbell recording of an empty street",
        "location": "Evidence vault",
        "tags": ["contemporaneous-records"],
    }
    assert alice.post(decide, sent).status_code == 303
    for kind, item in (("exhibit", scene.exhibit), ("statement", scene.statement)):
        assert (
            alice.post(f"/desk/cases/{scene.case}/material/{kind}/{item}", {"material": "used"}).status_code
            == 303
        )
    text = alice.get(page).content.decode()
    assert "MG6C and MG6D are not signed" in text
    assert "Presumed to be disclosed: Record made at the time" in text
    signing = f"/desk/cases/{scene.case}/schedules/sign"
    assert alice.post(signing, {"signed_name": "Alice Bevan"}).status_code == 400
    assert alice.post(signing, {"signed_name": "alice bevan", "endorse_nil": "yes"}).status_code == 303
    assert "Everything is decided" in alice.get(page).content.decode()
    for schedule in Schedule.objects.all():
        assert (
            schedule.form in alice.get(f"/desk/cases/{scene.case}/schedules/{schedule.pk}").content.decode()
        )
    assert alice.get(f"/desk/cases/{scene.case}/schedules/{uuid4()}").status_code == 404
    assert alice.get(f"/desk/cases/{scene.case}/material/upload/{scene.files[0]}").status_code == 404


def test_several_items_are_decided_at_once_with_one_reason_or_none_of_them_is(cast: Cast) -> None:
    scene = scenes.stated(cast)
    assert scene.exhibit
    other = evidence.seal(scene.case, scene.files[1], "Doorbell recording of an empty street", by=scene.by)
    alice = signed_in(cast, "alice")
    page = f"/desk/cases/{scene.case}/disclosure"
    both = [f"exhibit:{scene.exhibit}", f"exhibit:{other}"]
    assert alice.get(page).content.decode().count('name="item"') == 3
    for typed, said in (
        ({"material": "used"}, "Tick the items"),
        ({"item": both}, "Choose what the item is"),
        ({"item": both, "material": "not_relevant", "reason": "no"}, "reason"),
        ({"item": [*both, f"exhibit:{uuid4()}"], "material": "used"}, "Tick the items"),
    ):
        refused = alice.post(page, typed)
        assert refused.status_code == 400
        assert said in refused.content.decode()
        assert refused.content.decode().count(" checked>") >= len(typed.get("item", [])[:2])
    assert set(Exhibit.objects.values_list("material", flat=True)) == {"undecided"}
    same = Title.objects.get(exhibit_id=other)
    Title.objects.filter(exhibit_id=scene.exhibit).update(text=same.text)
    refused = alice.post(page, {"item": both, "material": "unused", "location": "Evidence vault"})
    assert "AB/2: Another item has this very description" in refused.content.decode()
    assert set(Exhibit.objects.values_list("material", flat=True)) == {"undecided"}, "all or none"
    why = {"item": both, "material": "not_relevant", "reason": "They show another street on another day."}
    assert alice.post(page, why).status_code == 303
    entries = Entry.objects.filter(act="exhibit.material")
    assert {e.body["material"] for e in entries} == {"not_relevant"}
    assert len({e.body["reason_sha256"] for e in entries}) == 1


def test_the_disclosure_officers_report_lists_what_is_presumed_to_be_disclosed(cast: Cast) -> None:
    scene = scenes.disclosed(cast)
    alice = signed_in(cast, "alice")
    item = next(i for i in material.items_of(scene.by, scene.case) if i.material == "unused")
    material.decide(
        scene.case, "exhibit", item.id, "unused", description=item.description, location=item.location,
        tags=["incident-logs"], by=scene.by,
    )  # fmt: skip
    scenes.signed(scene)
    at = f"/desk/cases/{scene.case}/disclosure/report"
    page = alice.get(at).content.decode()
    assert "Incident log" in page
    assert "MG6D issue 1: nil" in page
    told = alice.get(f"{at}?as=json").json()
    assert told["form"] == "MG6E"
    assert [(line["form"], line["number"], line["presumed"]) for line in told["lines"]] == [
        ("MG6C", 1, ["incident-logs"])
    ]


@pytest.mark.django_db(transaction=True)
def test_an_exhibit_is_shared_copied_returned_and_destroyed_on_the_pages(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    alice, ines = signed_in(cast, "alice"), signed_in(cast, "ines")
    exhibit = f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}"
    page = alice.post(
        f"{exhibit}/shares", {"recipient": "Lena Marshgate", "organisation": "", "purpose": "To look at"}
    )
    text = page.content.decode()
    assert page.status_code == 200
    assert re.search(r'id="link">http://testserver/bench/open/[^<]+<', text)
    code = re.search(r'id="code">([^<]+)<', text)
    assert code
    listed = alice.get(f"{exhibit}/shares").content.decode()
    assert "Lena Marshgate" in listed
    assert code[1] not in listed
    end = re.search(rf'action="({exhibit}/shares/[^"]+/end)"', listed)
    assert end
    assert alice.post(end[1]).status_code == 303
    assert "Ended" in alice.get(f"{exhibit}/shares").content.decode()
    assert alice.post(f"{exhibit}/copy", {"reason": ""}).status_code == 400
    copy = alice.post(f"{exhibit}/copy", {"reason": "For the laboratory in Exampleton."})
    assert copy.getvalue() == scenes.photo()
    evidence.retitle(scene.case, scene.exhibit, "Photo under its new title", by=scene.by)  # type: ignore[arg-type]
    alice.get(f"{exhibit}/file").getvalue()
    watched = alice.get(f"{exhibit}/watched").content.decode()
    rows = re.findall(r"<tr><td>.*?</tr>", watched, re.DOTALL)
    assert len(rows) == 3
    assert "Photo under its new title" in rows[0]
    assert "Photo of the side gate" in rows[1], "the title that it had then"
    assert "For the laboratory" in rows[1]
    assert "Lena Marshgate" in rows[2]
    back = {"to": "Rhys Tannerwood", "signed_name": "Rhys Tannerwood", "reason": "He needs it back."}
    assert alice.post(f"{exhibit}/return", {**back, "signed_name": "x"}).status_code == 400
    assert alice.post(f"{exhibit}/return", back).status_code == 303
    assert "Returned to Rhys Tannerwood" in alice.get(exhibit).content.decode()
    ask = {"rule": "court-order", "order": "T20260012", "reason": "The court ordered it."}
    assert alice.post(f"{exhibit}/destruction", ask).status_code == 303
    assert "You asked" not in alice.get(f"{exhibit}/destruction").content.decode()
    assert alice.post(f"{exhibit}/destruction", {"step": "destroy"}).status_code == 400
    assert ines.post(f"{exhibit}/destruction", {"step": "destroy"}).status_code == 303
    assert "Destroyed under an order" in alice.get(exhibit).content.decode()
    assert alice.get(f"{exhibit}/file").status_code in (403, 409, 400)
    assert "Destroyed exhibit AB/1 under T20260012" in alice.get(exhibit).content.decode()


def fifty(scene: scenes.Scene) -> None:
    """Give a case fifty exhibits, each with its title and entry, without uploading fifty files."""
    first = Exhibit.objects.get()
    for n in range(2, 51):
        row = Exhibit.objects.get(pk=first.pk)
        row.pk, row.number, row.upload_id = uuid4(), n, None
        row.save(force_insert=True)
        Title.objects.create(
            exhibit=row, text=f"Photo {n} of the yard", sha256=f"{n:064x}", by=scene.by.id, at=timezone.now()
        )


def test_a_case_with_fifty_exhibits_shows_in_twenty_queries_and_any_is_two_clicks_away(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    scene = scenes.charged(cast)
    fifty(scene)
    alice, case = signed_in(cast, "alice"), scene.case
    cases = alice.get("/desk/cases").content.decode()
    assert f'href="/desk/cases/{scene.case}"' in cases, "the first click"
    alice.get(f"/desk/cases/{case}")
    with django_assert_max_num_queries(20):
        page = alice.get(f"/desk/cases/{case}")
    text = page.content.decode()
    for x in Exhibit.objects.all():
        assert f'href="/desk/cases/{scene.case}/exhibits/{x.pk}"' in text, "the second click"
    with django_assert_max_num_queries(20):
        assert alice.get(f"/desk/cases/{case}/disclosure").status_code == 200
    assert len(material.undecided(scene.by, scene.case)) == 52
    assert Entry.objects.filter(act="exhibit.sealed").count() == 1
