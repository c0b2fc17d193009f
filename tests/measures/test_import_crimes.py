"""Importing published tables: each file alone, in plain sentences, with one line in the ledger."""

from pathlib import Path

import pytest
from tests.published import crime, text, two_forces, write

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.measures import queries
from counterfoil.measures.actions import import_boundaries, import_crimes

pytestmark = pytest.mark.django_db
CLOCK = Viewer.clock()


def entries(act: str) -> list[dict[str, object]]:
    """Return the bodies of the entries of one act, oldest first."""
    return [e.body for e in Entry.objects.filter(act=act).order_by("at")]


def test_it_imports_the_sites_folders_and_writes_one_entry(tmp_path: Path) -> None:
    done = import_crimes([two_forces(tmp_path)], by=CLOCK)
    assert (len(done.new), done.already, done.refused, done.ignored) == (10, (), (), ())
    assert done.rows == (45 + 2) + (19 + 1)
    (body,) = entries("tables.imported")
    assert body["by"] == "clock"
    assert sorted(map(str, body["files"])) == sorted(h.sha256 for h in done.new)  # type: ignore[call-overload]
    assert body["rows"] == done.rows


def test_a_bad_file_is_refused_alone_and_the_others_are_imported(tmp_path: Path) -> None:
    write(tmp_path, "2021-03", "cleveland", [crime("a")])
    write(tmp_path, "2021-04", "cleveland", [crime("b", "2021-03")])
    (tmp_path / "2021-03" / "notes.csv").write_text("hello\n")
    done = import_crimes([tmp_path], by=CLOCK)
    assert [h.name for h in done.new] == ["2021-03-cleveland-street.csv"]
    assert [name for name, _ in done.refused] == ["notes.csv", "2021-04-cleveland-street.csv"]
    said = " ".join(done.sentences())
    assert (
        "2021-04-cleveland-street.csv: row 1 is of month “2021-03”, but the file's name says 2021-04." in said
    )
    assert "notes.csv: the name is not like" in said


def test_the_same_bytes_again_are_a_no_op_without_an_entry(tmp_path: Path) -> None:
    import_crimes([two_forces(tmp_path)], by=CLOCK)
    done = import_crimes([tmp_path], by=CLOCK)
    assert (len(done.new), len(done.already)) == (0, 10)
    assert len(entries("tables.imported")) == 1


def test_two_versions_of_a_month_are_both_kept_and_the_newer_is_used_and_said(tmp_path: Path) -> None:
    write(tmp_path / "a", "2021-03", "cleveland", [crime("a")])
    write(tmp_path / "b", "2021-03", "cleveland", [crime("a"), crime("b")])
    import_crimes([tmp_path / "a"], by=CLOCK)
    done = import_crimes([tmp_path / "b"], by=CLOCK)
    assert [(old.rows, new.rows) for old, new in done.replaced] == [(1, 2)]
    assert any("both are kept" in s for s in done.sentences())
    found = queries.number(Viewer.public(), "crimes.cleveland.2021-03_2021-03.all")
    assert (found.value, [(o.rows, n.rows) for o, n in found.older]) == (2, [(1, 2)])
    assert [(h.rows, used) for h, used in queries.files(Viewer.public())] == [(1, False), (2, True)]


def test_an_older_vintage_imported_later_is_kept_and_not_used(tmp_path: Path) -> None:
    write(tmp_path / "a", "2021-03", "cleveland", [crime("a"), crime("b")])
    write(tmp_path / "b", "2021-03", "cleveland", [crime("a")])
    import_crimes([tmp_path / "a"], by=CLOCK, vintage="2022-04-20")
    import_crimes([tmp_path / "b"], by=CLOCK, vintage="2021-05-20")
    assert queries.number(Viewer.public(), "crimes.cleveland.2021-03_2021-03.all").value == 2


def test_a_day_of_release_that_is_no_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="like 2022-04-20"):
        import_crimes([tmp_path], by=CLOCK, vintage="April")


def test_a_force_that_we_do_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2021-03-atlantis-street.csv").write_bytes(text([]))
    done = import_crimes([tmp_path], by=CLOCK)
    assert "“atlantis” is not a police force" in done.refused[0][1]


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file or folder"):
        import_crimes([tmp_path / "nowhere"], by=CLOCK)
    with pytest.raises(BadInput, match="no file"):
        import_boundaries(tmp_path / "nowhere", by=CLOCK)


def test_only_an_administrator_with_a_second_factor_imports(tmp_path: Path) -> None:
    write(tmp_path, "2021-03", "cleveland", [crime("a")])
    officer = Viewer(id="o", roles=frozenset({("officer", "17")}), second_factor=True)
    halfway = Viewer(id="a", roles=frozenset({("administrator", "")}))
    for viewer in (Viewer.public(), officer, halfway):
        with pytest.raises(NotAllowed):
            import_crimes([tmp_path], by=viewer)
        with pytest.raises(NotAllowed):
            import_boundaries(tmp_path / "x", by=viewer)
    assert queries.board(Viewer.public()).files == 0
    whole = Viewer(id="a", roles=frozenset({("administrator", "")}), second_factor=True)
    assert len(import_crimes([tmp_path], by=whole).new) == 1
