"""One command carries recipes out again, on an exhibit of ours or on a bundle's papers, and tells what it found."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests import reels, scenes
from tests.cast import Cast

from counterfoil import cli
from counterfoil.engines.errors import BadInput
from counterfoil.evidence import actions, copies, rederive
from counterfoil.evidence.models import Copy, Exhibit

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> int:
    """Run a command and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


def test_an_exhibit_and_its_copies_are_made_again_byte_for_byte_and_a_forgery_is_told(
    cast: Cast, tmp_path: Path, capsys: Any
) -> None:
    film = reels.reel(tmp_path / "a.mp4", 20)
    scene = scenes.recorded(cast, files=(("gate.mp4", film.read_bytes()),))
    scene.exhibit = actions.seal(scene.case, scene.files[0], "Recording of the side gate", by=scene.by)
    copies.ask(str(scene.exhibit))
    copies.make_copies(scene.exhibit)
    task = "counterfoil.engines.media.clip:clip"
    settings = {"from": "3", "to": "9", "how": "exact"}
    new = actions.derive(
        scene.case, scene.exhibit, task=task, settings=settings, title="He comes and goes", by=cast.alice
    )
    clip = Exhibit.objects.get(pk=new)
    assert run("rederive", str(new)) == 0
    assert run("rederive", "AB/1") == 0
    said = capsys.readouterr().out
    assert said.count("the very same bytes") == 4, said
    with pytest.raises(BadInput, match="not one exhibit"):
        rederive.find("AB/77")

    # A bundle's paper, in other hands: no exhibit, no copy, only the file, the master and this program.
    paper = tmp_path / "derivation.json"
    told = {"label": clip.label, "sha256": clip.sha256, "recipe": clip.recipe, "working": []}
    paper.write_text(json.dumps(told))
    assert run("rederive", str(paper), "--master", str(film)) == 0
    paper.write_text(json.dumps({**told, "sha256": "0" * 64}))
    assert run("rederive", str(paper), "--master", str(film)) == 1
    assert "not the file that the recipe makes" in capsys.readouterr().out

    Copy.objects.filter(exhibit=scene.exhibit, kind="poster").update(sha256="1" * 64)
    assert run("rederive", str(scene.exhibit)) == 1


def test_a_folder_is_taken_in_by_the_command(cast: Cast, tmp_path: Path, capsys: Any) -> None:
    from counterfoil.cases.queries import cards

    scene = scenes.recorded(cast)
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(scenes.photo(3))
    number = cards([scene.case])[scene.case].number
    assert run("import", "evidence", str(folder), "--case", number, "--by", "alice") == 0
    assert "1 file was taken in as an exhibit" in capsys.readouterr().out
    assert run("import", "evidence", str(folder), "--case", number, "--by", "charlie") == 2
