"""Erasing what custody entries say: asked by a data-protection officer, decided by somebody else, kept by its rule."""

import pytest
from tests import scenes
from tests.cast import Cast
from tests.desk.signing import signed_in

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as cases
from counterfoil.cases.models import Note
from counterfoil.config import promises
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import actions, custody, erasing
from counterfoil.evidence.models import Erasure
from counterfoil.ledger.actions import sequence
from counterfoil.ledger.models import Entry
from counterfoil.ledger.queries import faults

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "The person asked, and the copy was never needed."


@pytest.fixture
def officer(cast: Cast) -> Viewer:
    """Iona, the data-protection officer of the home force: she sees no case."""
    found: Viewer = cast.iona
    return found


@pytest.fixture
def watched(cast: Cast) -> scenes.Scene:
    """Alice sealed a photo, looked at it, and took a copy out with a reason."""
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    looked = actions.open_exhibit(scene.case, scene.exhibit, by=scene.by)
    assert looked
    looked[1].close()
    taken = custody.copy_out(scene.case, scene.exhibit, "For the insurer of Mrs Pomfrey.", by=scene.by)
    assert taken
    taken[1].close()
    sequence()
    return scene


def entries(scene: scenes.Scene, *acts: str) -> list[str]:
    found = Entry.objects.filter(subject_kind="exhibit", subject_id=str(scene.exhibit), act__in=acts)
    return [str(pk) for pk in found.values_list("pk", flat=True)]


def test_two_people_erase_what_entries_say_and_every_promise_and_proof_holds(
    cast: Cast, officer: Viewer, watched: scenes.Scene
) -> None:
    assert watched.exhibit
    chosen = entries(watched, "exhibit.viewed", "exhibit.copied")
    erasing.ask_erasure(watched.exhibit, chosen, "right-to-erasure", REASON, by=officer)
    with pytest.raises(NotAllowed, match="A second person decides"):
        erasing.erase(watched.exhibit, by=officer)
    with pytest.raises(NotAllowed, match="Only a data-protection officer or an inspector"):
        erasing.erase(watched.exhibit, by=cast.viewer("ines", second_factor=False))
    with pytest.raises(NotAllowed, match="no such exhibit"):
        erasing.erase(watched.exhibit, by=cast.viewer("gwen", second_factor=True))
    assert Note.objects.filter(text="For the insurer of Mrs Pomfrey.").exists()
    inspector = cast.viewer("ines", second_factor=True)
    erasing.erase(watched.exhibit, by=inspector)
    sequence()
    gone = Entry.objects.filter(pk__in=chosen)
    assert {(bytes(e.salt), e.by, str(e.body)) for e in gone} == {(b"", "", "{}")}
    said = Entry.objects.get(act="exhibit.erased")
    assert said.body["rule"] == "right-to-erasure"
    assert set(said.body["approved_by"]) == {officer.id, inspector.id}
    assert said.body["entries"] == sorted(e.index for e in gone if e.index is not None)
    assert not Note.objects.filter(text="For the insurer of Mrs Pomfrey.").exists(), "its reason goes with it"
    assert Note.objects.filter(text=REASON).exists(), "why it was erased is kept"
    assert faults() == []
    assert promises.broken() == []


def test_what_ties_the_bytes_to_the_log_is_never_erased_and_nothing_is_without_a_rule_and_a_reason(
    cast: Cast, officer: Viewer, watched: scenes.Scene
) -> None:
    assert watched.exhibit
    sealed, viewed = entries(watched, "exhibit.sealed"), entries(watched, "exhibit.viewed")
    for chosen, rule, reason, field in (
        (sealed, "right-to-erasure", REASON, "entry"),
        ([], "right-to-erasure", REASON, "entry"),
        (viewed, "because-i-say-so", REASON, "rule"),
        (viewed, "right-to-erasure", "short", "reason"),
    ):
        with pytest.raises(BadInput) as refused:
            erasing.ask_erasure(watched.exhibit, chosen, rule, reason, by=officer)
        assert refused.value.field == field
    with pytest.raises(NotAllowed, match="Only a data-protection officer can"):
        erasing.ask_erasure(watched.exhibit, viewed, "right-to-erasure", REASON, by=cast.alice)
    assert not Erasure.objects.exists()


def test_the_pages_ask_decide_and_say_of_an_erased_entry_that_it_was(
    cast: Cast, officer: Viewer, watched: scenes.Scene
) -> None:
    iona = signed_in(cast, "iona")
    card = cases.cards([watched.case])[watched.case]
    wrong = iona.post("/desk/erasures", {"case": card.number, "label": "AB/99"})
    assert wrong.status_code == 400
    assert "no such exhibit" in wrong.content.decode()
    found = iona.post("/desk/erasures", {"case": card.number.lower(), "label": " ab/1 "})
    assert found.headers["Location"] == f"/desk/erasures/{watched.exhibit}"
    assert iona.get(f"/desk/cases/{watched.case}").status_code == 403, "she sees no case"
    page = f"/desk/erasures/{watched.exhibit}"
    shown = iona.get(page).content.decode()
    assert shown.count('name="entry"') == 2
    chosen = entries(watched, "exhibit.viewed")
    refused = iona.post(page, {"entry": chosen, "rule": "right-to-erasure", "reason": "no"})
    assert refused.status_code == 400
    assert f'value="{chosen[0]}" aria-label="Erase entry' in refused.content.decode()
    assert " checked>" in refused.content.decode(), "what was ticked stays ticked"
    asked = iona.post(page, {"entry": chosen, "rule": "right-to-erasure", "reason": REASON})
    assert asked.status_code == 303
    ines = signed_in(cast, "ines")
    assert "Waits" in ines.get("/desk/erasures").content.decode()
    assert ines.post(page, {"step": "erase"}).status_code == 303
    alice = signed_in(cast, "alice")
    said = alice.get(f"/desk/cases/{watched.case}/exhibits/{watched.exhibit}").content.decode()
    assert "Erased, with two people’s approval" in said
    assert "Somebody who has left" not in said


def test_the_second_person_may_keep_the_entries_and_says_why(
    cast: Cast, officer: Viewer, watched: scenes.Scene
) -> None:
    assert watched.exhibit
    viewed = entries(watched, "exhibit.viewed")
    erasing.ask_erasure(watched.exhibit, viewed, "right-to-erasure", REASON, by=officer)
    inspector = cast.viewer("ines", second_factor=True)
    erasing.refuse_erasure(watched.exhibit, "The trial is next week.", by=inspector)
    assert not Entry.objects.filter(act="exhibit.erased").exists()
    erasing.ask_erasure(watched.exhibit, viewed, "right-to-erasure", REASON, by=officer)
    assert Erasure.objects.filter(state="asked").count() == 1
