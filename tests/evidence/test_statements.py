"""Statements: everything Criminal Procedure Rules 16.2 asks for, then a fixed text with its digest in the log."""

import json
from typing import Any

import pytest
from tests import scenes
from tests.cast import NESTA, Cast

from counterfoil.engines.errors import BadInput
from counterfoil.evidence import actions, queries, rules
from counterfoil.evidence.models import WitnessDetails
from counterfoil.ledger.models import Entry

pytestmark = pytest.mark.django_db


def test_a_signed_statement_is_fixed_and_its_entry_holds_only_digests(cast: Cast) -> None:
    scene = scenes.stated(cast)
    (card,) = queries.statements_of(cast.alice, scene.case)
    assert (card.number, card.name, card.signed_name, card.pages) == (1, NESTA.name, NESTA.name, 1)
    entry = Entry.objects.get(act="statement.signed")
    assert entry.body["sha256"] == card.sha256
    assert entry.body["declaration_sha256"] == rules.DECLARATION_SHA256
    assert "Pomfrey" not in json.dumps(entry.body)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"age": 18}, "age"),
        ({"age": 0}, "age"),
        ({"age": "nine"}, "age"),
        ({"text": "Too short."}, "text"),
        ({"text": scenes.STATEMENT + "\x00"}, "text"),
        ({"declared": False}, "declared"),
        ({"cannot_read": True}, "read_over_by"),
        ({"signed_name": ""}, "signed_name"),
        ({"signed_name": "Somebody Else"}, "signed_name"),
    ],
)
def test_it_refuses_to_sign_what_is_not_whole_and_names_the_field(
    cast: Cast, changed: dict[str, Any], field: str
) -> None:
    scene = scenes.recorded(cast)
    with pytest.raises(BadInput) as refused:
        actions.take_statement(scene.case, scenes.statement(**changed), by=cast.alice)
    assert refused.value.field == field
    assert not Entry.objects.filter(act="statement.signed").exists()


def test_a_child_gives_an_age_and_somebody_who_cannot_read_names_the_reader(cast: Cast) -> None:
    scene = scenes.recorded(cast)
    raw = scenes.statement(age=11, cannot_read=True, read_over_by="Alice Bevan")
    actions.take_statement(scene.case, raw, by=cast.alice)
    (card,) = queries.statements_of(cast.alice, scene.case)
    assert (card.age, card.read_over_by) == (11, "Alice Bevan")


def test_two_statements_by_one_witness_are_one_party(cast: Cast) -> None:
    from counterfoil.cases.queries import parties

    scene = scenes.stated(cast)
    actions.take_statement(scene.case, scenes.statement(), by=cast.alice)
    assert [s.number for s in queries.statements_of(cast.alice, scene.case)] == [1, 2]
    assert [p.name for p in parties(scene.case)] == [NESTA.name]


def test_the_back_page_is_kept_and_never_on_the_front(cast: Cast) -> None:
    scene = scenes.stated(cast)
    assert NESTA.phone in WitnessDetails.objects.get().contact
    (card,) = queries.statements_of(cast.alice, scene.case)
    assert NESTA.phone not in repr(card)


def test_the_declaration_is_the_one_we_meant() -> None:
    # A changed word is a new version, made on purpose: change this digest with it.
    assert rules.DECLARATION_SHA256 == "a2e65e29945a56508bec5fa59f1da5a8907924cb2b7aa34302edf2957f2f88a6"
    assert "consisting of 1 page each" in rules.declaration(1)
    assert "consisting of 3 pages each" in rules.declaration(3)


def test_hearsay_is_pointed_out_and_never_stops_the_signature(cast: Cast) -> None:
    text = scenes.STATEMENT + " My neighbour told me that he had seen it too, and I think he was right."
    assert rules.warnings(text) == ["i think", "told me that"]
    scene = scenes.recorded(cast)
    assert actions.take_statement(scene.case, scenes.statement(text=text), by=cast.alice)


def test_reading_the_back_page_is_an_entry_and_nobody_outside_the_case_can(cast: Cast) -> None:
    """The back page never leaves the case; each reading of it is on the timeline, without its words."""
    scene = scenes.triaged(cast)
    raw = scenes.statement(contact="Telephone in the evening only", needs="A hearing loop")
    statement = actions.take_statement(scene.case, raw, by=cast.alice)
    assert actions.read_back_page(scene.case, statement, by=cast.charlie) is None
    assert not Entry.objects.filter(act="statement.back_page_read").exists()
    found = actions.read_back_page(scene.case, statement, by=cast.alice)
    assert found is not None
    assert found.contact == "Telephone in the evening only"
    entry = Entry.objects.get(act="statement.back_page_read")
    assert "Telephone" not in str(entry.body)
