"""A court gets the playable copy, the still and how both were made, and the verifier follows them to the master."""

import json
import zipfile
from pathlib import Path

import pytest
from tests import reels, scenes
from tests.cast import Cast

from counterfoil.courts import actions as courts
from counterfoil.courts.gather import policy_text
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as engine
from counterfoil.evidence import actions, copies, material, rederive
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db


def test_a_bundle_holds_the_playable_copy_and_the_still_and_both_are_made_again_from_it_alone(
    cast: Cast, tmp_path: Path
) -> None:
    film = reels.reel(tmp_path / "a.mp4", 20).read_bytes()
    scene = scenes.charged(cast, files=(("gate.mp4", film),))
    assert scene.exhibit
    copies.ask(str(scene.exhibit))
    copies.make_copies(scene.exhibit)
    still = actions.derive(
        scene.case,
        scene.exhibit,
        task="counterfoil.engines.media.pictures:still",
        settings={"at": "7"},
        title="The man at the gate",
        by=cast.alice,
    )
    assert scene.statement
    for kind, item in (("exhibit", scene.exhibit), ("exhibit", still), ("statement", scene.statement)):
        material.decide(scene.case, kind, item, "used", by=cast.alice)
    scenes.signed(scene)
    asked = courts.ask_bundle(scene.case, by=cast.alice)
    courts.build_bundle(asked)
    bundle = Bundle.objects.get(pk=asked)
    assert bundle.state == "built", vars(bundle)
    path = tmp_path / "bundle.zip"
    with vault().open(bundle.sha256) as stream:
        path.write_bytes(stream.read())
    verdict = engine.verify(path, policy_text())
    assert verdict.word.startswith("VERIFIED"), engine.render(verdict)
    with zipfile.ZipFile(path) as archive:
        names = {n.partition("/")[2]: n for n in archive.namelist()}
        master = next(n for n in names if n.startswith("data/exhibits/AB-1/master/"))
        (tmp_path / "master").write_bytes(archive.read(names[master]))
        for label in ("AB-1", "AB-2"):
            paper = tmp_path / f"{label}.json"
            paper.write_bytes(archive.read(names[f"data/exhibits/{label}/derivation.json"]))
            found = list(rederive.rederive_paper(paper, tmp_path / "master"))
            assert found
            assert [r.sentence() for r in found if not r.agrees] == []
        (working,) = json.loads((tmp_path / "AB-1.json").read_text())["working"]
        assert (working["kind"], working["recipe"]["mode"]) == ("proxy", "remux")
        assert names[working["path"]]
