"""Custody to the end: copied with a reason, returned against a signature, destroyed under an order by two people."""

from typing import Any
from uuid import uuid4

import pytest
from tests import scenes
from tests.cast import Cast

from counterfoil.config import promises
from counterfoil.courts import actions as courts
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import actions, custody, rules
from counterfoil.evidence.models import Copy, Destruction, Exhibit
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import quarantine, vault

ORDER = "T20260012"
WHY = "The court ordered it when the case had ended."


def acts() -> list[str]:
    return list(Entry.objects.filter(subject_kind="exhibit").order_by("at").values_list("act", flat=True))


def asked(scene: scenes.Scene) -> Any:
    assert scene.exhibit
    return custody.ask_destruction(scene.case, scene.exhibit, "court-order", ORDER, WHY, by=scene.by)


def destroyed(scene: scenes.Scene) -> None:
    asked(scene)
    assert scene.exhibit
    custody.destroy(scene.case, scene.exhibit, by=scene.cast.ines)


@pytest.mark.django_db(transaction=True)
def test_a_copy_is_taken_out_with_a_reason_and_its_entry_comes_first(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with pytest.raises(BadInput):
        custody.copy_out(scene.case, scene.exhibit, "no", by=scene.by)
    assert "exhibit.copied" not in acts()
    found = custody.copy_out(scene.case, scene.exhibit, "For the laboratory in Exampleton.", by=scene.by)
    assert found
    assert acts()[-1] == "exhibit.copied"
    with found[1] as file:
        assert file.read() == scenes.photo()
    assert "laboratory" not in str(Entry.objects.get(act="exhibit.copied").body)
    assert custody.copy_out(scene.case, scene.exhibit, WHY, by=cast.charlie) is None
    assert custody.copy_out(scene.case, uuid4(), WHY, by=scene.by) is None


@pytest.mark.django_db
def test_what_is_returned_is_signed_for_and_is_looked_at_but_no_more(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    give = {"reason": "The owner needs it back.", "by": scene.by}
    with pytest.raises(BadInput, match="signs by typing"):
        custody.give_back(scene.case, scene.exhibit, "Rhys Tannerwood", "R. T.", **give)
    with pytest.raises(NotAllowed):
        custody.give_back(
            scene.case, scene.exhibit, "Rhys Tannerwood", "Rhys Tannerwood", give["reason"], by=cast.charlie
        )
    custody.give_back(scene.case, scene.exhibit, "Rhys Tannerwood", "rhys tannerwood", **give)
    row = Exhibit.objects.get()
    assert (row.state, row.returned_to) == ("returned", "Rhys Tannerwood")
    assert "Tannerwood" not in str(Entry.objects.get(act="exhibit.returned").body)
    with pytest.raises(NotAllowed, match="while it is returned"):
        actions.hand_over(scene.case, scene.exhibit, cast.id("bruno"), WHY, by=scene.by)
    with pytest.raises(NotAllowed, match="while it is returned"):
        custody.copy_out(scene.case, scene.exhibit, WHY, by=scene.by)
    assert rules.CUSTODY.moves("returned") == ("view", "destroy")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "order", "field"),
    [("whim", ORDER, "rule"), ("retention-ended", ORDER, "rule"), ("court-order", "at once", "order")],
)
def test_it_is_destroyed_only_under_a_rule_and_an_order(
    cast: Cast, rule: str, order: str, field: str
) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with pytest.raises(BadInput) as refused:
        custody.ask_destruction(scene.case, scene.exhibit, rule, order, WHY, by=scene.by)
    assert refused.value.field == field
    assert not Destruction.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["alice", "bruno", "charlie", "gwen", "petra", "ada"])
def test_whoever_asked_and_whoever_is_no_inspector_of_the_force_does_not_destroy(
    cast: Cast, who: str
) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    with pytest.raises(NotAllowed):
        custody.destroy(scene.case, scene.exhibit, by=cast.ines)
    asked(scene)
    with pytest.raises(NotAllowed):
        custody.destroy(scene.case, scene.exhibit, by=cast.viewer(who))
    assert vault().has(Exhibit.objects.get().sha256)


@pytest.mark.django_db
def test_an_inspector_who_asked_is_not_the_second_person(cast: Cast) -> None:
    from counterfoil.accounts import actions as accounts
    from counterfoil.accounts.rules import Viewer

    accounts.grant(cast.id("ines"), "officer", force="99", by=Viewer.clock())
    scene = scenes.exhibited(cast)
    scene.by = cast.ines
    asked(scene)
    with pytest.raises(NotAllowed, match="You asked for it yourself"):
        custody.destroy(scene.case, scene.exhibit, by=cast.ines)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_bytes_go_from_vault_and_quarantine_and_the_record_its_entries_and_proofs_stay(cast: Cast) -> None:
    from counterfoil.ledger.actions import sequence
    from counterfoil.ledger.queries import entries_of, proof_of

    scene = scenes.exhibited(cast)
    assert scene.exhibit
    sequence()
    before = [(e.commitment, e.body, e.index) for e in entries_of(scene.by, "exhibit", scene.exhibit)]
    sha256 = Exhibit.objects.get().sha256
    destroyed(scene)
    assert not vault().has(sha256)
    assert not quarantine().has(sha256)
    assert Exhibit.objects.get().state == "destroyed"
    entry = Entry.objects.get(act="exhibit.destroyed")
    assert entry.body["rule"] == "court-order"
    assert entry.body["order"] == ORDER
    assert entry.body["approved_by"] == [cast.id("alice"), cast.id("ines")]
    after = [(e.commitment, e.body, e.index) for e in entries_of(scene.by, "exhibit", scene.exhibit)]
    assert after[: len(before)] == before
    point = sequence()
    assert point
    assert all(proof_of(i, point.size) for _, _, i in before if i is not None)
    with pytest.raises(NotAllowed, match="destroyed"):
        actions.open_exhibit(scene.case, scene.exhibit, by=scene.by)
    for verb in (actions.retitle, custody.copy_out):
        with pytest.raises(NotAllowed, match="nothing more"):
            verb(scene.case, scene.exhibit, "A title or a reason", by=scene.by)
    assert not Copy.objects.exists()
    assert promises.broken() == []


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_in_another_case_stay(cast: Cast) -> None:
    one, two = scenes.exhibited(cast, session="1"), scenes.exhibited(cast, session="2")
    destroyed(one)
    sha256 = Exhibit.objects.get(pk=two.exhibit).sha256
    assert vault().has(sha256)
    assert quarantine().has(sha256)
    assert promises.broken() == []


@pytest.mark.django_db
def test_what_a_stopped_process_left_of_destroyed_bytes_is_swept(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    destroyed(scene)  # inside the test's transaction nothing runs after commit
    sha256 = Exhibit.objects.get().sha256
    assert vault().has(sha256)
    assert any("destroyed" in s for s in promises.broken())
    assert custody.sweep_destroyed() == 1
    assert not vault().has(sha256)
    assert promises.broken() == []
    assert custody.sweep_destroyed() == 0


@pytest.mark.django_db
def test_a_file_whose_exhibit_was_destroyed_is_not_taken_again_and_the_sentence_says_why(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert actions.seal(scene.case, scene.files[0], "Photo of the gate", by=scene.by) == scene.exhibit
    destroyed(scene)
    custody.sweep_destroyed()
    with pytest.raises(NotAllowed, match="taken as exhibit AB/1, and destroyed under an order"):
        actions.seal(scene.case, scene.files[0], "Photo of the gate", by=scene.by)
    assert promises.broken() == []


@pytest.mark.django_db
def test_a_second_person_may_keep_it_and_it_can_be_asked_again(cast: Cast) -> None:
    scene = scenes.exhibited(cast)
    assert scene.exhibit
    asked(scene)
    with pytest.raises(NotAllowed, match="already asked"):
        asked(scene)
    custody.refuse_destruction(scene.case, scene.exhibit, "The appeal is still open.", by=cast.ines)
    (card,) = custody.destructions_of(scene.by, scene.case, scene.exhibit)
    assert (card.state, card.decided_by) == ("refused", "Ines Farrow")
    asked(scene)


@pytest.mark.django_db
def test_a_bundle_lists_a_destroyed_exhibit_and_does_not_copy_it(cast: Cast) -> None:
    from tests.courts.test_disclosure import files_of

    scene = scenes.disclosed(cast)
    destroyed(scene)
    custody.sweep_destroyed()
    bundle = courts.ask_bundle(scene.case, by=scene.by)
    courts.build_bundle(bundle)
    files = files_of(bundle)
    assert not any("AB-1/master" in n for n in files)
    assert b"destroyed under an order" in files["data/exhibits.json"]
