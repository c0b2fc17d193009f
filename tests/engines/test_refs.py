"""Numbers that people copy by hand: every slip of one character and every swap is found."""

import contextlib
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput
from counterfoil.engines.refs import (
    ALPHABET,
    ExhibitLabel,
    crime_number,
    exhibit_label,
    new_passphrase,
    new_reference,
    parse_exhibit_label,
    parse_passphrase,
    parse_reference,
    urn,
    words,
)


def plain(reference: str) -> str:
    return reference.replace("-", "")


def found(text: str) -> bool:
    try:
        parse_reference(text)
    except BadInput:
        return True
    return False


def test_a_new_reference_has_five_groups_and_reads_back_as_itself() -> None:
    for _ in range(200):
        reference = new_reference()
        assert re.fullmatch(rf"([{ALPHABET}]{{5}}-){{4}}[{ALPHABET}]", reference)
        assert parse_reference(reference) == reference


def test_every_single_wrong_character_is_found() -> None:
    for _ in range(20):
        good = plain(new_reference())
        for place in range(len(good)):
            for wrong in ALPHABET.replace(good[place], ""):
                assert found(good[:place] + wrong + good[place + 1 :])


def test_every_swap_of_two_characters_is_found_neighbours_or_not() -> None:
    for _ in range(50):
        good = plain(new_reference())
        for a in range(len(good)):
            for b in range(a + 1, len(good)):
                if good[a] != good[b]:
                    swapped = good[:a] + good[b] + good[a + 1 : b] + good[a] + good[b + 1 :]
                    assert found(swapped), (good, a, b)


def test_the_proof_holds_for_all_references_because_the_weights_are_distinct_and_not_zero() -> None:
    """The check is linear: it is enough that single characters have distinct, nonzero, invertible weights."""
    from counterfoil.engines.refs import _check, _times

    weights = [_check([int(n == place) for n in range(20)]) for place in range(20)] + [1]
    assert len(set(weights)) == 21
    assert 0 not in weights
    for weight in weights:
        assert len({_times(weight, value) for value in range(32)}) == 32
    pick = random.Random(1)
    for _ in range(200):
        a, b = ([pick.randrange(32) for _ in range(20)] for _ in range(2))
        assert _check(a) ^ _check(b) == _check([x ^ y for x, y in zip(a, b, strict=True)])


@pytest.mark.parametrize("weights", [(1,) * 21, (2, 1) * 10 + (1,)])
def test_a_weaker_check_would_be_caught_by_these_tests(weights: tuple[int, ...]) -> None:
    """The negative control: equal weights miss every swap, alternating ones miss swaps at a distance."""
    from counterfoil.engines.refs import _times

    good = [3, 7, 9] + [0] * 18
    swapped = [9, 7, 3] + [0] * 18

    def total(values: list[int]) -> int:
        result = 0
        for weight, value in zip(weights, values, strict=True):
            result ^= _times(weight, value)
        return result

    assert total(good) == total(swapped)


def test_it_forgives_spaces_case_hyphens_and_letters_that_look_like_digits() -> None:
    good = "7K3QF-X0M8Z-14TW9-02BCE-8"
    for typed in (good.lower(), f"  {good} ", good.replace("-", " "), plain(good), good.replace("-", "–")):
        assert parse_reference(typed) == good
    assert parse_reference(good.replace("0", "O").replace("1", "l")) == good
    assert parse_reference(good.replace("0", "o").replace("1", "I")) == good


@pytest.mark.parametrize(
    "text", ["", "7K3QF", "7K3QF-X0M8Z-14TW9-02BCE-88", "U" * 21, "٣" * 21, "ı" * 21, "\x00" * 21]
)
def test_what_is_no_reference_is_refused_with_its_shape(text: str) -> None:
    with pytest.raises(BadInput, match="21 letters and numbers") as refused:
        parse_reference(text)
    assert refused.value.field == "reference"


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reader in (parse_reference, parse_passphrase, parse_exhibit_label):
        with contextlib.suppress(BadInput):
            reader(text)


def test_the_words_are_many_plain_and_hard_to_mistake() -> None:
    """At least 2,048; none becomes another by one wrong, missing or swapped letter."""
    known = set(words())
    assert len(known) == len(words()) >= 2048
    assert list(words()) == sorted(words())
    for word in known:
        assert re.fullmatch(r"[a-z]{4,10}", word)
        for place in range(len(word)):
            assert word[:place] + word[place + 1 :] not in known
            swapped = word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]
            assert swapped == word or swapped not in known
            for letter in "abcdefghijklmnopqrstuvwxyz":
                other = word[:place] + letter + word[place + 1 :]
                assert other == word or other not in known


def test_a_passphrase_is_four_of_our_words_and_forgives_how_it_is_typed() -> None:
    for _ in range(50):
        phrase = new_passphrase()
        assert len(phrase.split(" ")) == 4
        assert parse_passphrase("  " + phrase.upper().replace(" ", " - ")) == phrase
    with pytest.raises(BadInput, match="four words"):
        parse_passphrase("only three words")
    with pytest.raises(BadInput, match="four words"):
        parse_passphrase("qwertz qwertz qwertz qwertz")


def test_crime_numbers_and_urns_are_written_as_forces_write_them() -> None:
    assert crime_number("17", "A1", 42, 26) == "17/A1/00042/26"
    assert urn("17", "A1", 42, 2026) == "17A10004226"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        (("1", "A1", 42, 26), "force"),
        (("17", "a1", 42, 26), "unit"),
        (("17", "A1", 0, 26), "number"),
        (("17", "A1", 100_000, 26), "number"),
        (("17", "A1", 1, -1), "year"),
    ],
)
def test_a_part_that_does_not_fit_is_named(parts: tuple[str, str, int, int], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        crime_number(*parts)
    assert refused.value.field == field


@given(st.from_regex(r"[A-Za-z]{2,4}", fullmatch=True), st.integers(1, 99_999))
def test_exhibit_labels_are_written_and_read_back(initials: str, n: int) -> None:
    if not initials.isascii():
        return
    label = exhibit_label(initials, n)
    assert parse_exhibit_label(f" {label.lower().replace('/', ' / ')} ") == ExhibitLabel(initials.upper(), n)
    assert str(parse_exhibit_label(label)) == label


@pytest.mark.parametrize(
    "text", ["", "AB", "1/AB", "A/1", "ABCDE/1", "AB/0", "AB/01", "AB/1/2", "AB-1", "ÄB/1", "AB/٣"]
)
def test_what_is_no_exhibit_label_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="like AB/1"):
        parse_exhibit_label(text)
