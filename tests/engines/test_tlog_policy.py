"""A court's policy says whom to trust; every line counts and a line that is wrong is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.engines.errors import BadInput, Corrupt
from counterfoil.engines.tlog import EMPTY_ROOT, CosignSigner, Policy, Signer, checkpoint_text, sign_note

LOG = Signer.from_seed("counterfoil.example/log", b"\x01" * 32)
OTHER = Signer.from_seed("counterfoil.example/other", b"\x03" * 32)
W = [CosignSigner.from_seed(f"w{n}.example", bytes([10 + n]) * 32) for n in range(5)]
PIN = "0123456789abcdef" * 4
TEXT = f"""# whom this court trusts
log {LOG.vkey} https://log.example/

witness X1 {W[0].vkey}
witness X2 {W[1].vkey}
\twitness  X3 {W[2].vkey}  https://w3.example/
group X-witnesses 2 X1 X2 X3
witness Y1 {W[3].vkey}
witness Y2 {W[4].vkey}
group Y-witnesses any Y1 Y2
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
#counterfoil tsa-root first {PIN}
#counterfoil seal-root force {PIN}
#counterfoil manifest-key {OTHER.vkey}
"""
POLICY = Policy.parse(TEXT)
POINT = checkpoint_text(LOG.name, 0, EMPTY_ROOT)


@pytest.mark.parametrize(
    ("names", "met"),
    [
        ([], False),
        (["X1", "X2"], False),
        (["X1", "Y1"], False),
        (["X1", "X3", "Y2"], True),
        (["X1", "X2", "X3", "Y1", "Y2"], True),
        (["X1", "X1", "Y1"], False),
        (["X-witnesses", "Y1"], False),
        (["X-and-Y"], False),
        (["nobody"], False),
    ],
)
def test_the_quorum_counts_distinct_witnesses_through_groups(names: list[str], met: bool) -> None:
    assert POLICY.satisfied(names) is met


@given(
    st.sets(st.sampled_from(["X1", "X2", "X3", "Y1", "Y2"])), st.sampled_from(["X1", "X2", "X3", "Y1", "Y2"])
)
def test_one_more_witness_never_breaks_a_quorum(names: set[str], more: str) -> None:
    assert POLICY.satisfied(names | {more}) >= POLICY.satisfied(names)


def test_quorum_none_needs_no_witness() -> None:
    assert Policy.parse("quorum none").satisfied([])


def test_it_reads_our_pins_and_other_readers_see_comments() -> None:
    assert [(r.name, r.sha256) for r in POLICY.tsa_roots] == [("first", PIN)]
    assert [(r.name, r.sha256) for r in POLICY.seal_roots] == [("force", PIN)]
    assert POLICY.manifest_keys == (OTHER.verifier,)
    plain = "\n".join(line for line in TEXT.split("\n") if not line.startswith("#"))
    assert Policy.parse(plain).tsa_roots == ()


def test_the_fingerprint_is_that_of_the_exact_bytes() -> None:
    assert POLICY.fingerprint != Policy.parse(TEXT + "\n").fingerprint
    assert POLICY.fingerprint == Policy.parse(TEXT.encode()).fingerprint


def test_it_judges_a_checkpoint_by_log_and_quorum() -> None:
    judged = POLICY.open_checkpoint(sign_note(POINT, [LOG, W[0].at(1), W[2].at(2), W[4].at(3)]))
    assert judged.witnesses == ("X1", "X3", "Y2")
    assert judged.quorum_met
    assert not POLICY.open_checkpoint(sign_note(POINT, [LOG, W[0].at(1)])).quorum_met


def test_witnesses_without_the_log_are_not_enough() -> None:
    with pytest.raises(Corrupt, match="No log that the policy names"):
        POLICY.open_checkpoint(sign_note(POINT, [W[0].at(1), W[2].at(2), W[4].at(3)]))


def test_a_log_cannot_speak_for_another_origin() -> None:
    with pytest.raises(Corrupt, match="under its own name"):
        POLICY.open_checkpoint(sign_note(checkpoint_text("elsewhere.example", 0, EMPTY_ROOT), [LOG]))


def test_a_log_key_that_the_policy_does_not_name_is_refused() -> None:
    with pytest.raises(Corrupt):
        POLICY.open_checkpoint(sign_note(checkpoint_text(OTHER.name, 0, EMPTY_ROOT), [OTHER]))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no quorum"),
        ("quorum none\nquorum none", "line 2: there is already a quorum"),
        ("quorum X", "line 1: nothing called 'X' is defined above"),
        ("quorum none extra", "not a log, witness, group or quorum line"),
        (f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none", "line 2: this key is already named"),
        (f"witness a {W[0].vkey}\nwitness b {W[0].vkey}\nquorum none", "line 2: this key is already named"),
        (f"witness a {W[0].vkey}\nwitness a {W[1].vkey}\nquorum none", "line 2: the name 'a' is taken"),
        (f"witness none {W[0].vkey}\nquorum none", "the name 'none' is taken"),
        (f"witness a {LOG.vkey}\nquorum none", "line 1"),
        (f"log {W[0].vkey}\nquorum none", "line 1"),
        (f"witness a {W[0].vkey}\ngroup g 2 a\nquorum none", "not a number from 1 to 1"),
        (f"witness a {W[0].vkey}\ngroup g 0 a\nquorum none", "not a number from 1 to 1"),
        (f"witness a {W[0].vkey}\ngroup g 01 a\nquorum none", "not a number from 1 to 1"),
        (f"witness a {W[0].vkey}\ngroup g any a a\nquorum none", "already a member"),
        (f"witness a {W[0].vkey}\ngroup g any a\ngroup h any a\nquorum none", "already a member"),
        ("group g any none\nquorum none", "nothing called 'none'"),
        ("group g any g\nquorum none", "nothing called 'g'"),
        ("group g any\nquorum none", "not a log, witness, group or quorum line"),
        ("quorum none\r\n", "control character"),
        ("quorum none\x00", "control character"),
        ("frobnicate\nquorum none", "line 1"),
        (f"#counterfoil tsa-root name {PIN.upper()}\nquorum none", "lower-case"),
        (f"#counterfoil tsa-rot name {PIN}\nquorum none", "#counterfoil line is none of"),
        ("#counterfoil manifest-key x\nquorum none", "line 1"),
    ],
)
def test_a_policy_that_cannot_be_used_names_its_line(text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        Policy.parse(text)
    assert why in str(refused.value)


def test_a_log_may_not_be_its_own_witness() -> None:
    same = CosignSigner.from_seed("w.example", LOG.seed)
    with pytest.raises(BadInput, match="already named"):
        Policy.parse(f"log {LOG.vkey}\nwitness w {same.vkey}\nquorum w")


def test_names_are_opaque_bytes() -> None:
    policy = Policy.parse(
        b"witness K\xe2\x84\xaa\xff " + W[0].vkey.encode() + b"\nquorum K\xe2\x84\xaa\xff\n"
    )
    assert policy.satisfied([policy.witnesses[0].name])
    assert not policy.satisfied(["K"])
