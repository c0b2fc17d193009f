"""Material: every item has one state, unused items stand on signed schedules, and numbers are never given twice."""

from typing import Any
from uuid import uuid4

import pytest
from tests import scenes
from tests.cast import Cast

from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import actions, material, rules
from counterfoil.evidence.models import Exhibit, Schedule
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db
PLACE = "Evidence vault of the force"


def another(scene: scenes.Scene, title: str = "Second photo of the gate") -> Any:
    return actions.seal(scene.case, scene.files[1], title, by=scene.by)


def numbers(scene: scenes.Scene, form: str) -> list[list[tuple[int, str]]]:
    return [
        [(line["number"], line["reference"]) for line in s.lines]
        for s in material.schedules_of(scene.by, scene.case)
        if s.form == form
    ]


def test_every_item_begins_undecided_a_file_in_quarantine_too(cast: Cast) -> None:
    scene = scenes.stated(cast)
    found = {(i.kind, i.reference, i.material) for i in material.items_of(scene.by, scene.case)}
    assert found == {
        ("exhibit", "AB/1", "undecided"),
        ("statement", "S/1", "undecided"),
        ("upload", "File 2", "undecided"),
    }
    assert "Nothing is decided yet about 3 items of material: AB/1, S/1, File 2" in material.not_ready(
        scene.by, scene.case
    )


def test_a_decision_is_an_entry_without_the_words_and_the_reason_is_kept(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    scenes.sensitive(scene, scene.exhibit, "Photo that shows the house of a neighbour who helped us")
    (item, _) = material.items_of(scene.by, scene.case)
    assert (item.material, item.reason) == ("sensitive", "It names somebody at risk.")
    entry = Entry.objects.get(act="exhibit.material")
    assert entry.body["material"] == "sensitive"
    assert len(entry.body["reason_sha256"]) == 64
    assert "neighbour" not in str(entry.body)
    assert "risk" not in str(entry.body)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"state": "maybe"}, "material"),
        ({"state": "unused", "description": "", "location": PLACE}, "description"),
        ({"state": "unused", "description": "MG11", "location": PLACE}, "description"),
        ({"state": "unused", "description": "Form 1234 A", "location": PLACE}, "description"),
        (
            {"state": "unused", "description": "Printout of the PNB of the officer", "location": PLACE},
            "description",
        ),
        ({"state": "unused", "description": "Photo of the side gate at night", "location": ""}, "location"),
        (
            {"state": "sensitive", "description": "Photo of the side gate at night", "location": PLACE},
            "reason",
        ),
        ({"state": "not_relevant"}, "reason"),
        ({"state": "used", "tags": ["anything"]}, "tags"),
    ],
)
def test_it_refuses_a_decision_that_is_not_whole(cast: Cast, said: dict[str, Any], field: str) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with pytest.raises(BadInput) as refused:
        material.decide(scene.case, "exhibit", scene.exhibit, by=scene.by, **said)
    assert refused.value.field == field
    assert Exhibit.objects.get().material == "undecided"


def test_abbreviations_are_fine_when_written_out_and_labels_are_no_abbreviations() -> None:
    for text in (
        "CCTV of the side gate, exhibit AB/3",
        "Extract of the Police National Computer (PNC) on the caller",
    ):
        assert rules.clean_description(text) == text


def test_two_items_do_not_have_the_same_description(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    scenes.unused(scene, scene.exhibit, "Photo of the side gate at night")
    with pytest.raises(BadInput, match="Say what sets this one apart"):
        scenes.unused(scene, another(scene), "photo of the Side Gate at night")


@pytest.mark.parametrize("who", ["bruno", "dilys", "charlie", "petra", "ada", "sam"])
def test_nobody_outside_the_case_decides_or_signs(cast: Cast, who: str) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with pytest.raises(NotAllowed):
        material.decide(scene.case, "exhibit", scene.exhibit, "used", by=cast.viewer(who))
    with pytest.raises(NotAllowed):
        material.sign_schedules(scene.case, cast.viewer(who).name, by=cast.viewer(who))


def test_an_item_of_another_case_cannot_be_decided(cast: Cast) -> None:
    one, two = scenes.exhibited(cast, session="1"), scenes.exhibited(cast, session="2")
    for kind, item in (
        ("exhibit", two.exhibit),
        ("exhibit", uuid4()),
        ("upload", one.files[1]),
        ("case", one.case),
    ):
        with pytest.raises(NotAllowed, match="no such item on this case"):
            material.decide(one.case, kind, item, "used", by=one.by)  # type: ignore[arg-type]


def test_the_whole_footage_behind_a_clip_is_unused_at_once_unless_something_is_decided(cast: Cast) -> None:
    from django.db import transaction

    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with transaction.atomic():
        assert material.parent_is_unused(scene.exhibit, by=scene.by)
    whole = Exhibit.objects.get()
    assert whole.material == "unused"
    assert "Photo of the side gate" in whole.description
    assert Entry.objects.get(act="exhibit.material").body["material"] == "unused"
    material.decide(scene.case, "exhibit", scene.exhibit, "used", by=scene.by)
    with transaction.atomic():
        assert not material.parent_is_unused(scene.exhibit, by=scene.by)
    assert Exhibit.objects.get().material == "used"


def test_schedules_are_signed_only_when_all_is_decided_by_name_and_nil_is_endorsed(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with pytest.raises(NotAllowed, match=r"AB/1, File 2"):
        scenes.signed(scene)
    scenes.unused(scene, scene.exhibit, "Photo of the side gate at night")
    material.decide(scene.case, "exhibit", another(scene), "used", by=scene.by)
    with pytest.raises(BadInput, match="your own name"):
        material.sign_schedules(scene.case, "Somebody Else", endorse_nil=True, by=scene.by)
    with pytest.raises(BadInput, match="nil MG6D is endorsed"):
        material.sign_schedules(scene.case, scene.by.name, by=scene.by)
    assert not Schedule.objects.exists()
    scenes.signed(scene)
    assert [(s.form, s.issue, s.nil) for s in material.schedules_of(scene.by, scene.case)] == [
        ("MG6C", 1, False),
        ("MG6D", 1, True),
    ]
    assert material.not_ready(scene.by, scene.case) == ""
    assert Entry.objects.filter(act="schedule.signed").count() == 2
    scenes.signed(scene)
    assert Schedule.objects.count() == 2, "nothing changed, so nothing is issued again"


def test_an_item_keeps_its_number_over_issues_and_a_number_is_never_given_to_another(cast: Cast) -> None:
    files = tuple((f"IMG_{n}.jpg", scenes.photo(n)) for n in range(1, 5))
    scene = scenes.recorded(cast, files=files)
    made = [
        actions.seal(scene.case, f, f"Photo number {n}", by=scene.by) for n, f in enumerate(scene.files, 1)
    ]
    for n, x in enumerate(made[:3], 1):
        scenes.unused(scene, x, f"Photo of the side gate, seen from place {n}")
    material.decide(scene.case, "exhibit", made[3], "used", by=scene.by)
    scenes.signed(scene)
    scenes.sensitive(scene, made[1], "Photo in which a neighbour who helped us is seen")
    scenes.unused(scene, made[3], "Photo of the back door, not needed after all")
    assert "MG6C and MG6D are not signed" in material.not_ready(scene.by, scene.case)
    scenes.signed(scene)
    assert numbers(scene, "MG6C") == [
        [(1, "AB/1"), (2, "AB/2"), (3, "AB/3")],
        [(1, "AB/1"), (3, "AB/3"), (4, "AB/4")],
    ]
    assert numbers(scene, "MG6D") == [[], [(1, "AB/2")]]
    scenes.unused(scene, made[1], "Photo of the side gate with a neighbour who agreed to be named")
    scenes.signed(scene)
    assert numbers(scene, "MG6C")[-1] == [(1, "AB/1"), (2, "AB/2"), (3, "AB/3"), (4, "AB/4")]
    assert numbers(scene, "MG6D")[-1] == []


def test_labels_run_through_all_cases_so_a_gap_tells_nothing(cast: Cast) -> None:
    one, two = scenes.recorded(cast, session="1"), scenes.recorded(cast, session="2")
    for scene, n in ((one, 0), (two, 0), (one, 1)):
        actions.seal(scene.case, scene.files[n], "Photo of the gate", by=scene.by)
    labels = [e.label for e in Exhibit.objects.filter(case_id=one.case).order_by("number")]
    assert labels == ["AB/1", "AB/3"]
