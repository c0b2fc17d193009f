"""Hostile bytes get a refusal of ours, never another error: what was read is written back the same."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog import (
    CosignSigner,
    CosignVerifier,
    Frontier,
    LeafTree,
    Policy,
    Signer,
    Verifier,
    checkpoint_text,
    leaf_hash,
    parse_checkpoint,
    parse_tlog_proof,
    sign_note,
    split_note,
    strict_json,
    tlog_proof,
)

LOG = Signer.from_seed("log.example", b"\x01" * 32)
WITNESS = CosignSigner.from_seed("w.example", b"\x02" * 32)
TREE = LeafTree([leaf_hash(bytes([n])) for n in range(5)])
POINT = checkpoint_text(LOG.name, 5, TREE.root(5))
NOTE = sign_note(POINT, [LOG, WITNESS.at(5)])
PROOF = tlog_proof(3, TREE.inclusion(3, 5), NOTE, b"extra")
POLICY = (
    f"log {LOG.vkey}\nwitness w {WITNESS.vkey}\ngroup g 1 w\nquorum g\n#counterfoil tsa-root a {'0f' * 32}\n"
)
EDGE = Frontier.empty().append_all([leaf_hash(bytes([n])) for n in range(5)]).to_text()

Reader = Callable[[Any], object]
TEXTS: list[tuple[Reader, str]] = [
    (split_note, NOTE),
    (parse_checkpoint, POINT),
    (parse_tlog_proof, PROOF),
    (Policy.parse, POLICY),
    (Frontier.from_text, EDGE),
    (Verifier.from_vkey, LOG.vkey),
    (CosignVerifier.from_vkey, WITNESS.vkey),
    (Signer.from_text, LOG.to_text()),
    (CosignSigner.from_text, WITNESS.to_text()),
]
IDS = ["note", "checkpoint", "proof", "policy", "edge", "vkey", "witness-vkey", "key", "witness-key"]


def read(reader: Reader, given: Any) -> None:
    with contextlib.suppress(Corrupt, BadInput):
        reader(given)


@pytest.mark.parametrize(("reader", "good"), TEXTS, ids=IDS)
def test_the_unchanged_text_is_accepted(reader: Reader, good: str) -> None:
    reader(good)


@pytest.mark.parametrize(("reader", "good"), TEXTS, ids=IDS)
@given(st.text(max_size=80))
def test_any_text_at_all_is_read_or_refused(reader: Reader, good: str, text: str) -> None:
    read(reader, text)


@pytest.mark.parametrize(("reader", "good"), TEXTS, ids=IDS)
@given(st.data())
def test_a_cut_spliced_and_doubled_text_is_read_or_refused(
    reader: Reader, good: str, data: st.DataObject
) -> None:
    place = st.integers(0, len(good))
    a, b, c = data.draw(place), data.draw(place), data.draw(place)
    middle = data.draw(
        st.text(max_size=4) | st.sampled_from(["\n", "\n\n", " ", "+", "=", "\ud800", "\x7f", "٣"])
    )
    read(reader, good[:a] + middle + good[min(b, c) : max(b, c)] + good[b:])


@pytest.mark.parametrize(
    "reader", [split_note, parse_checkpoint, parse_tlog_proof, Policy.parse, strict_json]
)
@given(
    st.binary(max_size=120) | st.builds(lambda a, b: NOTE.encode()[:a] + b, st.integers(0, 300), st.binary())
)
def test_any_bytes_at_all_are_read_or_refused(reader: Reader, data: bytes) -> None:
    read(reader, data)


@given(st.data())
def test_a_changed_note_proof_or_checkpoint_that_is_still_read_has_one_spelling(data: st.DataObject) -> None:
    for good in (NOTE, PROOF, POINT):
        place = data.draw(st.integers(0, len(good) - 1))
        text = good[:place] + data.draw(st.characters()) + good[place + 1 :]
        try:
            if good is NOTE:
                body, signatures = split_note(text)
                again = body + "\n" + "".join(s.line for s in signatures)
            elif good is PROOF:
                found = parse_tlog_proof(text)
                again = tlog_proof(found.index, found.proof, found.checkpoint, found.extra)
            else:
                again = parse_checkpoint(text).text
        except Corrupt:
            continue
        assert again == text
