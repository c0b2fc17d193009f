"""Notes, checkpoints, proofs and cosignatures: what is signed is what is read, and nothing else passes."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog import (
    EMPTY_ROOT,
    CosignSigner,
    CosignVerifier,
    LeafTree,
    Signer,
    Verifier,
    add_signatures,
    check_inclusion,
    checkpoint_text,
    leaf_hash,
    open_note,
    parse_checkpoint,
    parse_tlog_proof,
    sign_note,
    split_note,
    tlog_proof,
)

LOG = Signer.from_seed("counterfoil.example/log", b"\x01" * 32)
OTHER = Signer.from_seed("counterfoil.example/other", b"\x03" * 32)
WITNESS = CosignSigner.from_seed("witness.example/w1", b"\x02" * 32)
LEAVES = [leaf_hash(bytes([n])) for n in range(9)]
TREE = LeafTree(LEAVES)
POINT = checkpoint_text(LOG.name, 9, TREE.root(9))
NOTE = sign_note(POINT, [LOG, WITNESS.at(1_795_000_000)])
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def test_it_opens_the_example_in_the_documentation_of_gos_note_package() -> None:
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    coded = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    assert open_note(f"{text}\n— PeterNeumann {coded}\n", [Verifier.from_vkey(vkey)]).text == text


@given(st.lists(LINES, min_size=1, max_size=5))
def test_any_text_is_signed_and_read_back(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    opened = open_note(sign_note(text, [LOG, OTHER]), [LOG.verifier])
    assert (opened.text, opened.verified, opened.unknown) == (text, (LOG.name,), (OTHER.name,))


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(0, 7))
def test_every_flipped_bit_of_a_signed_note_is_refused(place: int, bit: int) -> None:
    data = bytearray(NOTE.encode())
    data[place] ^= 1 << bit
    try:
        opened = open_note(bytes(data), [LOG.verifier, WITNESS.verifier])
    except Corrupt:
        return
    # A flip in a signature line's name or key id makes it one by an unknown key; the text itself never changes.
    assert opened.text == POINT
    assert opened.unknown


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(Corrupt, match="No key that we know"):
        open_note(NOTE, [OTHER.verifier])


def test_a_known_key_whose_signature_fails_spoils_the_note_even_beside_a_good_one() -> None:
    stolen = split_note(sign_note("another text\n", [OTHER]))[1][0]
    with pytest.raises(Corrupt, match=r"counterfoil\.example/other does not fit"):
        open_note(NOTE + stolen.line, [LOG.verifier, OTHER.verifier])


def test_a_key_of_the_same_name_but_another_id_is_unknown() -> None:
    namesake = Signer.from_seed(LOG.name, b"\x09" * 32)
    opened = open_note(add_signatures(NOTE, [namesake.sign(POINT)]), [LOG.verifier])
    assert opened.unknown == (WITNESS.name, LOG.name)


def test_the_malleable_last_character_of_base64_is_refused() -> None:
    line = LOG.sign(POINT).rstrip("\n")
    assert line.endswith("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = line.rstrip("=")[-1]
    twin = alphabet[alphabet.index(last) ^ 1]
    padding = len(line) - len(line.rstrip("="))
    bent = line[: -padding - 1] + twin + "=" * padding
    coded, told = bent.split(" ")[2], line.split(" ")[2]
    assert base64.b64decode(coded) == base64.b64decode(told)
    with pytest.raises(Corrupt, match="canonical base64"):
        open_note(NOTE.replace(line, bent), [LOG.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— a\n",
        "text\n\n— a AAAA\n",
        "text\n\n- a AAAAAAAA\n",
        "text\n\n— a AAAAAAAA",
        "text\n\n— a+b AAAAAAAA\n",
        "te\rxt\n\n— a AAAAAAAA\n",
        "te\x00xt\n\n— a AAAAAAAA\n",
        "text\n\n— a AAAAAAAA\n— a AAAAAAAA\n",
        "text\n\n" + "".join(f"— k{n} AAAAAAAA\n" for n in range(101)),
        b"\xff\n\n\xe2\x80\x94 a AAAAAAAA\n",
        "x" * (1 << 21),
    ],
)
def test_a_malformed_note_is_refused(note: str | bytes) -> None:
    with pytest.raises(Corrupt):
        split_note(note)


def test_at_least_sixteen_signatures_are_accepted() -> None:
    signers = [Signer.generate(f"key{n}.example") for n in range(16)]
    assert len(open_note(sign_note(POINT, signers), [s.verifier for s in signers]).verified) == 16


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "tab\tbed", "a\u2003b", "\ud800"])
def test_a_key_with_a_bad_name_is_not_made(name: str) -> None:
    with pytest.raises(BadInput):
        Signer.from_seed(name, bytes(32))


@given(st.binary(min_size=32, max_size=32))
def test_keys_are_written_and_read_back(seed: bytes) -> None:
    key, witness = Signer.from_seed("k.example", seed), CosignSigner.from_seed("k.example", seed)
    assert Signer.from_text(key.to_text()).vkey == key.vkey
    assert CosignSigner.from_text(witness.to_text() + "\n").vkey == witness.vkey
    assert Verifier.from_vkey(key.vkey) == key.verifier
    assert CosignVerifier.from_vkey(witness.vkey) == witness.verifier
    assert key.key_id != witness.key_id
    assert seed.hex() not in repr(key)


def test_a_log_key_is_no_witness_key_and_a_private_key_is_never_shown() -> None:
    with pytest.raises(Corrupt):
        CosignVerifier.from_vkey(LOG.vkey)
    with pytest.raises(Corrupt):
        Verifier.from_vkey(WITNESS.vkey)
    with pytest.raises(Corrupt):
        CosignSigner.from_text(LOG.to_text())
    assert repr(LOG) == "Signer('counterfoil.example/log')"


def test_a_key_with_upper_case_hex_or_a_wrong_id_is_refused() -> None:
    name, key_id, key = LOG.vkey.split("+", 2)
    assert key_id != key_id.upper()
    for bad in (f"{name}+{key_id.upper()}+{key}", f"{name}+00000000+{key}", f"{name}+{key_id}+{key}="):
        with pytest.raises(Corrupt):
            Verifier.from_vkey(bad)


def test_a_cosignature_covers_its_time_and_the_checkpoint() -> None:
    opened = open_note(NOTE, [LOG.verifier, WITNESS.verifier])
    assert opened.cosigned_at == {WITNESS.name: 1_795_000_000}
    log, cosigned = opened.signatures
    moved = replace(cosigned, signature=(1).to_bytes(8, "big") + cosigned.signature[8:])
    with pytest.raises(Corrupt, match=r"witness\.example/w1"):
        open_note(f"{POINT}\n{log.line}{moved.line}", [LOG.verifier, WITNESS.verifier])
    plain = Signer.from_seed(WITNESS.name, WITNESS.seed).sign(POINT)
    assert not WITNESS.verifier.check(POINT, split_note(f"{POINT}\n{plain}")[1][0].signature)


def test_a_witness_cosigns_checkpoints_only() -> None:
    with pytest.raises(Corrupt):
        WITNESS.cosign("I agree to everything.\n", 1)


def test_adding_the_same_cosignature_twice_changes_nothing() -> None:
    line = WITNESS.cosign(POINT, 1_795_000_000)
    assert add_signatures(NOTE, [line]) == NOTE
    with pytest.raises(Corrupt, match="two signatures"):
        add_signatures(NOTE, [WITNESS.cosign(POINT, 1_795_000_001)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n1\n",
        "log\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log\n١\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log\n9223372036854775808\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
        "log\n1\n47DEQpj8HBSa\n",
        "log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
        "log\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Corrupt):
        parse_checkpoint(text)


def test_extension_lines_are_kept() -> None:
    point = parse_checkpoint(f"log\n0\n{base64.b64encode(EMPTY_ROOT).decode()}\nmore\n")
    assert point.extensions == ("more",)
    assert parse_checkpoint(point.text) == point


@given(st.integers(0, 8), st.none() | st.binary(max_size=40))
def test_a_tlog_proof_is_read_back_and_proves_its_entry(index: int, extra: bytes | None) -> None:
    text = tlog_proof(index, TREE.inclusion(index, 9), NOTE, extra)
    found = parse_tlog_proof(text)
    assert (found.index, found.checkpoint, found.extra) == (index, NOTE, extra)
    assert check_inclusion(LEAVES[index], index, 9, found.proof, TREE.root(9))
    assert found.leads_to_root(LEAVES[index])
    assert not found.leads_to_root(LEAVES[index - 1])


def test_a_proof_grafted_onto_another_index_leads_nowhere() -> None:
    grafted = parse_tlog_proof(tlog_proof(3, TREE.inclusion(2, 9), NOTE))
    assert not grafted.leads_to_root(LEAVES[2])
    assert not grafted.leads_to_root(LEAVES[3])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("index 2", "index 02"),
        ("index 2", "index 9"),
        ("index 2", "index -2"),
        ("index 2", "extra AB=="),
        ("index 2\n", "index 2\nAAAA\n"),
        ("index 2\n", ""),
        ("\n\n", "\n"),
    ],
)
def test_a_malformed_tlog_proof_is_refused(old: str, new: str) -> None:
    good = tlog_proof(2, TREE.inclusion(2, 9), NOTE)
    with pytest.raises(Corrupt):
        parse_tlog_proof(good.replace(old, new, 1))
