"""The corpus that ships with the project: the three verifiers and the command say of each bundle what is expected."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import pytest
from tests.engines.bundle.conftest import PageChecks

from counterfoil import cli
from counterfoil.engines.bundle import corpus, verify

FOLDER = Path(__file__).parents[3] / "docs" / "corpus"


def test_three_verifiers_agree_on_the_corpus(standalone: ModuleType, page_checks: PageChecks) -> None:
    rows = corpus.read(FOLDER)
    assert len(rows) >= 50
    assert {row.word for row in rows} == set(standalone.SENTENCES)
    with corpus.unpacked(FOLDER) as out:
        assert {p.name for p in out.iterdir()} == {n for r in rows for n in (r.bundle, r.policy) if n}
        for row in rows:
            policy = (out / row.policy).read_text() if row.policy else None
            ours = verify(out / row.bundle, policy)
            page = page_checks(out / row.bundle, policy)
            said = [(ours.word, ours.exit_code, ours.failed), (page["word"], page["exit"], page["failed"])]
            word, failed, _ = standalone.verify(str(out / row.bundle), row.policy and str(out / row.policy))
            said.append((word, standalone.SENTENCES[word][0], failed))
            assert said == [(row.word, row.exit, row.failed)] * 3, row.story


def test_the_command_judges_a_corpus_and_notices_one_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / corpus.ARCHIVE).write_bytes((FOLDER / corpus.ARCHIVE).read_bytes())
    few = corpus.read(FOLDER)[5:9]
    (tmp_path / corpus.EXPECTED).write_text(json.dumps([asdict(r) for r in few]))
    assert ran(tmp_path) == 0
    (tmp_path / corpus.EXPECTED).write_text(json.dumps([asdict(replace(few[0], failed="seal"))]))
    assert ran(tmp_path) == 1
    assert "DIFFERS" in capsys.readouterr().out
    assert ran(tmp_path / "nowhere") == 5


def ran(folder: Path) -> object:
    with pytest.raises(SystemExit) as ended:
        cli.main(["verify", "--corpus", str(folder)])
    return ended.value.code
