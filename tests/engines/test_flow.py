"""A flow allows the moves of its table, refuses the rest with a sentence, and can be asked what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.errors import NotAllowed
from counterfoil.engines.flow import Flow

CUSTODY = Flow(
    {
        ("received", "seal"): "sealed",
        ("sealed", "move"): "sealed",
        ("sealed", "open"): "opened",
        ("opened", "seal"): "sealed",
        ("opened", "hand_back"): "handed back",
    }
)
WORDS = st.sampled_from(
    ["received", "sealed", "opened", "handed back", "seal", "move", "open", "hand_back", "eat"]
)
TABLES = st.dictionaries(st.tuples(WORDS, WORDS), WORDS, min_size=1)


def test_it_follows_the_table() -> None:
    assert CUSTODY.after("received", "seal") == "sealed"
    assert CUSTODY.moves("opened") == ("seal", "hand_back")
    assert CUSTODY.states == ("received", "sealed", "opened", "handed back")
    assert CUSTODY.ends == ("handed back",)


def test_it_refuses_with_a_sentence_that_lists_what_is_possible() -> None:
    with pytest.raises(NotAllowed) as refused:
        CUSTODY.after("sealed", "hand_back")
    assert (
        str(refused.value)
        == "You cannot hand back this while it is sealed; what can be done now: move, open."
    )


def test_it_says_when_nothing_more_can_be_done() -> None:
    with pytest.raises(NotAllowed, match="what can be done now: nothing more"):
        CUSTODY.after("handed back", "seal")


def test_a_state_that_nobody_declared_is_refused_too() -> None:
    with pytest.raises(NotAllowed):
        CUSTODY.after("eaten", "seal")


@given(TABLES, WORDS, WORDS)
def test_after_answers_exactly_what_moves_offers(
    table: dict[tuple[str, str], str], state: str, move: str
) -> None:
    flow = Flow(table)
    if move in flow.moves(state):
        assert flow.allows(state, move)
        assert flow.after(state, move) in flow.states
    else:
        assert not flow.allows(state, move)
        with pytest.raises(NotAllowed):
            flow.after(state, move)


@given(TABLES, st.data())
def test_any_walk_stays_among_the_reachable_states(
    table: dict[tuple[str, str], str], data: st.DataObject
) -> None:
    flow = Flow(table)
    start = state = data.draw(st.sampled_from(flow.states))
    for _ in range(8):
        if not flow.moves(state):
            assert state in flow.ends
            break
        state = flow.after(state, data.draw(st.sampled_from(flow.moves(state))))
        assert state in flow.reachable(start)


def test_a_table_changed_afterwards_does_not_change_the_flow() -> None:
    table = {("a", "go"): "b"}
    flow = Flow(table)
    table["b", "go"] = "a"
    assert flow.moves("b") == ()


def test_an_empty_table_or_an_unnamed_state_is_a_mistake_of_the_programmer() -> None:
    for table in ({}, {("", "go"): "b"}, {("a", "go"): ""}):
        with pytest.raises(ValueError, match="flow"):
            Flow(table)
