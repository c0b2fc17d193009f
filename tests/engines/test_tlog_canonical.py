"""Commitments rest on one spelling of JSON, and strict reading refuses what two readers could take differently."""

import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog import canonical_json, entry_commitment, jcs, strict_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_back_equal_and_has_one_spelling(value: object) -> None:
    data = jcs(value)
    assert strict_json(data) == value
    assert canonical_json(data) == value
    assert jcs(json.loads(data)) == data


def test_it_writes_strings_as_rfc_8785_does() -> None:
    assert (
        jcs({"s": '\u20ac$\x0f\nA\'B"\\\\"/\x7f'}) == '{"s":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"}'.encode()
    )


@pytest.mark.parametrize(
    "value", [1.5, 2**53, -(2**53), float("nan"), ("a",), {1: 2}, {"é": 1}, "\ud800", b"x", {1, 2}]
)
def test_it_refuses_to_write_what_has_no_canonical_form_and_says_why(value: object) -> None:
    with pytest.raises(BadInput, match="cannot be written as canonical JSON"):
        jcs({"k": value} if not isinstance(value, dict) else value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"1.0",
        b"1e3",
        b"NaN",
        b"-Infinity",
        b"9007199254740992",
        b'"\\ud800"',
        b'{"\xc3\xa9":1}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"",
        b"{} {}",
        b"[" * 100_000,
        b"[" * 65 + b"]" * 65,
        b"1" * 5000,
    ],
)
def test_it_refuses_json_that_two_readers_could_take_differently(data: bytes) -> None:
    with pytest.raises(Corrupt):
        strict_json(data)


@pytest.mark.parametrize("data", [b'{"b":1,"a":2}', b'{"a": 1}', b'"\\u0041"', b"{}\n", b'"\\/"', b"-0"])
def test_it_refuses_json_that_is_not_in_its_canonical_form(data: bytes) -> None:
    strict_json(data)
    with pytest.raises(Corrupt, match="canonical"):
        canonical_json(data)


@given(st.binary(max_size=60))
def test_reading_hostile_bytes_raises_nothing_but_corrupt(data: bytes) -> None:
    with contextlib.suppress(Corrupt):
        strict_json(data)


def test_the_commitment_is_the_one_that_was_published() -> None:
    salt, body = bytes(range(32)), {"act": "exhibit.sealed", "n": 7}
    told = b"counterfoil/entry/v1\x00" + salt + b'{"act":"exhibit.sealed","n":7}'
    assert entry_commitment(salt, body) == hashlib.sha256(told).digest()


@given(st.dictionaries(KEYS, TEXT, max_size=3), st.binary(min_size=32, max_size=32))
def test_another_salt_or_body_gives_another_commitment(body: dict[str, str], salt: bytes) -> None:
    other = bytes([salt[0] ^ 1]) + salt[1:]
    assert entry_commitment(salt, body) != entry_commitment(other, body)
    assert entry_commitment(salt, body) != entry_commitment(salt, body | {"more": "x"} | {"k": "v"})


def test_a_salt_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(BadInput, match="32 bytes"):
        entry_commitment(bytes(16), {})
