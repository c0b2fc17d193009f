"""The file that names witnesses and timestamp authorities: what it means, and each way it can be wrong."""

import os
from pathlib import Path

import pytest

from counterfoil.config.anchors import development, read

GOOD = Path(__file__).with_name("anchors.toml").read_text(encoding="utf-8")


def test_a_whole_file_names_two_operators_and_two_authorities() -> None:
    found = read(GOOD)
    assert found.quorum == 2
    assert {w["OPERATOR"] for w in found.witness.values()} == {"invented-university", "invented-force"}
    assert list(found.timestamper) == ["first", "second"]
    assert found.tolerance == 300


def test_without_a_file_there_are_two_development_witnesses_of_two_operators_and_two_authorities() -> None:
    found = development(Path(os.devnull))
    assert len({w["OPERATOR"] for w in found.witness.values()}) == found.quorum == 2
    assert len(found.timestamper) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("quorum = 2", "quorum = 3", "from 1 to the 2 operators"),
        ("quorum = 2", "quorum = 0", "from 1 to the 2 operators"),
        ("invented-university", "invented-force", "from 1 to the 1 operators"),
        ("quorum = 2", "quorom = 2", "means nothing there"),
        ('operator = "invented-force"\n', "", "operator is missing"),
        ('"invented-force"', '"An Invented Force"', "small letters"),
        ('"invented-force"', '"university"', "is a witness of one operator and the name of another"),
        ("https://tsa.example/", "ftp://tsa.example", "http or https"),
        ('crls = ["/etc/counterfoil/first-crl.pem"]', "crls = []", "at least one revocation list"),
        ("[witness.neighbour]", "[witness.Neighbour]", "small letters"),
        ("[witness.neighbour]", "[witness.none]", "small letters"),
        ("quorum = 2", "quorum = 2\ntolerance = 9999", "from 1 to 3600"),
        ("quorum = 2", "quorum = [", "not TOML"),
        ('vkey = "witness.force', 'key = "witness.force', "means nothing there"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(old: str, new: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(GOOD.replace(old, new, 1))
