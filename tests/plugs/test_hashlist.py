"""One contract for every hash list; the digests are of made-up bytes only."""

import hashlib
from pathlib import Path

import pytest

from counterfoil.adapters.hashlist_file import FileList
from counterfoil.adapters.hashlist_none import NoList
from counterfoil.engines.errors import BadInput
from counterfoil.plugs.hashlist import HashList, hashlist

LISTED, OTHER = b"made-up bytes that stand for a listed file", b"any other bytes"


def _digests(data: bytes) -> tuple[str, str]:
    return hashlib.sha256(data).hexdigest(), hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture(params=["none", "sha256", "md5"])
def one(request: pytest.FixtureRequest, tmp_path: Path) -> HashList:
    if request.param == "none":
        return NoList()
    path = tmp_path / "list.txt"
    digest = _digests(LISTED)[request.param == "md5"]
    path.write_text(f"# a remark\n\n{digest.upper()}  Category A, test\n{'0' * 64}\n")
    return FileList(str(path))


def test_a_listed_file_is_found_by_either_digest_and_another_is_not(one: HashList) -> None:
    assert bool(one.find(*_digests(LISTED))) == bool(one.edition)
    assert one.find(*_digests(OTHER)) == ""


def test_its_word_is_one_token_so_that_it_can_stand_in_an_entry(one: HashList) -> None:
    if one.edition:
        assert one.find(*_digests(LISTED)) == "Category-A-test"


def test_a_list_that_changes_has_another_edition_and_other_answers(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(_digests(OTHER)[0])
    one = FileList(str(path))
    before = one.edition
    assert one.find(*_digests(LISTED)) == ""
    path.write_text(f"{_digests(OTHER)[0]}\n{_digests(LISTED)[1]}\n")
    assert one.find(*_digests(LISTED)) == "listed"
    assert one.edition != before


@pytest.mark.parametrize("line", ["not a digest", "ab" * 20, "zz" * 32])
def test_a_line_that_is_no_digest_refuses_the_whole_list_and_names_the_line(
    line: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{'0' * 64}\n{line}\n")
    with pytest.raises(BadInput, match="Line 2 of the hash list"):
        FileList(str(path)).find("0" * 64, "")


def test_a_list_that_is_not_there_is_refused_and_never_taken_for_empty(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        _ = FileList(str(tmp_path / "none.txt")).edition


def test_without_a_setting_there_is_none_and_it_has_no_edition() -> None:
    assert hashlist().edition == ""
