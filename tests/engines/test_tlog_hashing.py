"""Roots and proofs are those of RFC 6962: checked against pymerkle, against each other, and by breaking them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tlog import (
    EMPTY_ROOT,
    Frontier,
    LeafTree,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
)

ENTRIES = [f"entry {n}".encode() for n in range(400)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
TREE = LeafTree(LEAVES)
SIZES = st.integers(1, len(LEAVES))
HASHES = st.binary(min_size=32, max_size=32)


def test_pymerkle_gives_the_same_root_at_every_size_from_1_to_300() -> None:
    oracle = InmemoryTree(algorithm="sha256")
    edge = Frontier.empty()
    for size in range(1, 301):
        oracle.append_entry(ENTRIES[size - 1])
        edge = edge.append_all([LEAVES[size - 1]])
        assert oracle.get_root() == TREE.root(size) == edge.root(), f"size {size}"


def test_the_roots_are_those_written_by_hand() -> None:
    a, b, c = LEAVES[:3]
    assert TREE.root(0) == EMPTY_ROOT
    assert TREE.root(1) == a
    assert TREE.root(3) == node_hash(node_hash(a, b), c)


@given(SIZES, st.data())
def test_every_inclusion_proof_checks(size: int, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(LEAVES[:size], i, size)
    assert check_inclusion(LEAVES[i], i, size, proof, TREE.root(size))


@given(SIZES, st.data())
def test_a_changed_inclusion_claim_is_refused(size: int, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, size - 1))
    proof, root = TREE.inclusion(i, size), TREE.root(size)
    other = data.draw(st.integers(-1, size + 1).filter(lambda n: n != i))
    assert not check_inclusion(LEAVES[i], other, size, proof, root)
    assert not check_inclusion(data.draw(HASHES), i, size, proof, root)
    assert not check_inclusion(LEAVES[i], i, size, proof, data.draw(HASHES))
    assert not check_inclusion(LEAVES[i], i, size, [*proof, data.draw(HASHES)], root)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        assert not check_inclusion(LEAVES[i], i, size, proof[:place] + proof[place + 1 :], root)
        bad = [*proof[:place], data.draw(HASHES), *proof[place + 1 :]]
        assert not check_inclusion(LEAVES[i], i, size, bad, root)
        assert not check_inclusion(LEAVES[i], i, size, [h[:31] for h in proof], root)


@given(SIZES, SIZES)
def test_every_consistency_proof_checks(one: int, two: int) -> None:
    old, new = sorted((one, two))
    proof = prove_consistency(LEAVES[:new], old, new)
    assert check_consistency(old, new, TREE.root(old), TREE.root(new), proof)


@given(SIZES, SIZES, st.data())
def test_a_changed_consistency_claim_is_refused(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    proof, before, after = TREE.consistency(old, new), TREE.root(old), TREE.root(new)
    assert not check_consistency(old, new, data.draw(HASHES), after, proof)
    assert not check_consistency(old, new, before, data.draw(HASHES), proof)
    assert not check_consistency(old, new, before, after, [*proof, data.draw(HASHES)])
    assert not check_consistency(new + 1, new, before, after, proof)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        assert not check_consistency(old, new, before, after, proof[:place] + proof[place + 1 :])
        bad = [*proof[:place], data.draw(HASHES), *proof[place + 1 :]]
        assert not check_consistency(old, new, before, after, bad)


@given(SIZES, st.data())
def test_rewriting_any_old_entry_makes_the_two_logs_inconsistent(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    i = data.draw(st.integers(0, old - 1))
    rewritten = LeafTree([*LEAVES[:i], leaf_hash(b"rewritten"), *LEAVES[i + 1 : size]])
    proof = rewritten.consistency(old, size)
    assert not check_consistency(old, size, TREE.root(old), rewritten.root(size), proof)


def test_an_empty_log_is_the_start_of_every_log_and_of_nothing_else() -> None:
    assert check_consistency(0, 5, EMPTY_ROOT, TREE.root(5), [])
    assert not check_consistency(0, 5, TREE.root(1), TREE.root(5), [])
    assert not check_consistency(0, 0, TREE.root(1), TREE.root(1), [])


def test_a_power_of_two_as_old_size_still_needs_its_proof() -> None:
    assert not check_consistency(4, 7, TREE.root(4), TREE.root(4), [])
    assert not check_consistency(4, 7, TREE.root(4), TREE.root(7), [])


@given(st.integers(-5, 500), st.integers(-5, 500))
def test_what_is_not_in_the_log_cannot_be_proved(index: int, size: int) -> None:
    if 0 <= index < size <= len(LEAVES):
        return
    with pytest.raises(Corrupt):
        TREE.inclusion(index, size)


@given(st.lists(st.integers(0, 40), max_size=8))
def test_appending_in_any_portions_gives_the_same_edge(portions: list[int]) -> None:
    edge, done = Frontier.empty(), 0
    for portion in portions:
        edge = edge.append_all(LEAVES[done : done + portion])
        done += portion
    assert edge == Frontier.empty().append_all(LEAVES[:done])
    assert edge.root() == TREE.root(done)
    assert Frontier.from_text(edge.to_text()) == edge


def test_the_edge_is_never_changed_in_place() -> None:
    edge = Frontier.empty().append_all(LEAVES[:5])
    edge.append_all(LEAVES[5:9])
    assert edge.root() == TREE.root(5)


@given(st.text(alphabet="0123456789+/=AZ\n ", max_size=120))
def test_an_edge_that_we_did_not_write_is_refused(text: str) -> None:
    try:
        edge = Frontier.from_text(text)
    except Corrupt:
        return
    assert edge.to_text() == text
