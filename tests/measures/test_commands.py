"""The commands: import, measure, trace; JSON on standard output, a refusal is one sentence and code 2."""

import json
from pathlib import Path

import pytest
from tests.published import two_forces

from counterfoil import cli

pytestmark = pytest.mark.django_db
CROWN = "quarter_end,year,quarter,disposals,open,receipts,net_flow\n2023-12-31,2023,Q4,11,510,21,10\n"


@pytest.fixture(autouse=True)
def no_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's database is up to date already."""
    monkeypatch.setattr(cli, "_django", lambda **_: None)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run one command; return its code, standard output and standard error."""
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_a_number_is_imported_asked_for_traced_and_worked_out_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = two_forces(tmp_path / "files")
    assert run(capsys, "import", "crimes", str(folder), "--released", "2021-07-01")[0] == 0
    code, out, _ = run(
        capsys, "measure", "charged", "--force", "cleveland", "--from", "2021-03", "--to", "2021-05", "--json"
    )
    found = json.loads(out)
    assert code == 0
    assert (found["number"]["value"], found["number"]["part"], found["number"]["vintage"]) == (
        "30.3",
        10,
        "2021-07-01",
    )
    assert [p["first"] for p in found["points"]] == ["2021-03", "2021-04", "2021-05"]
    address = found["number"]["number"]
    code, out, _ = run(capsys, "trace", address, "--take", "3", "--json")
    rows = json.loads(out)["rows"]
    assert (code, len(rows)) == (0, 3)
    raw = (folder / rows[0]["file"][:7] / rows[0]["file"]).read_bytes()
    assert raw[rows[0]["byte_offset"] :][: rows[0]["byte_length"]].decode() == rows[0]["text"]
    code, out, _ = run(capsys, "trace", address, "--again")
    assert (code, "the same from raw bytes" in out) == (0, True)


def test_published_tables_come_in_by_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "crown.csv").write_text(CROWN)
    assert run(capsys, "import", "courts", str(tmp_path / "crown.csv"), "--released", "2024-03-28")[0] == 0
    code, out, _ = run(capsys, "measure", "crown-open", "--force", "england-and-wales")
    assert (code, out) == (0, "2023-10 to 2023-12  510  crown-open.england-and-wales.2023-10_2023-12.all\n")
    (tmp_path / "bad.csv").write_text(CROWN.replace("510", "many"))
    code, out, _ = run(capsys, "import", "courts", str(tmp_path / "bad.csv"))
    assert (code, "bad.csv: row 2, column “open”: “many” is not a number." in out) == (1, True)


def test_what_is_not_held_is_said_and_never_nought(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "measure", "vawg-prevalence", "--force", "england-and-wales")
    assert (code, out, err) == (0, "", "No table held: counterfoil import csew PATH\n")
    code, out, _ = run(capsys, "measure", "vawg-prevalence", "--force", "england-and-wales", "--json")
    assert (json.loads(out)["state"], json.loads(out)["import"], json.loads(out)["points"]) == (
        "no-table",
        "csew",
        [],
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("measure", "vawg-prevalence+vawg-recorded", "--force", "cleveland"), "are kept apart"),
        (("measure", "crimes+charged", "--force", "cleveland"), "are different measures"),
        (("measure", "happiness", "--force", "cleveland"), "There is no measure “happiness”"),
        (("measure", "crimes"), "Say for which place"),
        (("measure", "crimes", "--force", "cleveland", "--from", "March"), "takes a month like 2021-03"),
        (("trace", "crimes.cleveland"), "not the address of a number"),
        (("import", "courts", "/nowhere"), "no file or folder"),
        (("import", "courts", "/nowhere", "--released", "April"), "like 2022-04-20"),
    ],
)
def test_a_refusal_is_one_sentence_and_code_two(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_every_measure_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "measure", "--list")
    assert code == 0
    assert {"serious-violence", "charge-rate", "vawg-repeat", "crown-open"} <= {
        line.split()[0] for line in out.splitlines()
    }
