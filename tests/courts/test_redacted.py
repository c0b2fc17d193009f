"""What was removed from an exhibit stays removed: the defence's bundle tells neither what, nor where, nor how long."""

import hashlib
import json
from uuid import UUID

import pytest
from tests import scenes
from tests.cast import Cast
from tests.courts.test_disclosure import defence_of, files_of, mg6
from tests.engines.bundle.conftest import PageChecks, page_checks  # noqa: F401

from counterfoil.courts import actions as courts
from counterfoil.courts.gather import policy_text
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as engine
from counterfoil.evidence import actions, material, redactions
from counterfoil.evidence.models import Exhibit
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db
NOTE = "At ten past nine {name} of 4 Larkspur Yard saw a man in a dark coat at the side gate.\n"


def told(cast: Cast, name: str, whole: str) -> tuple[scenes.Scene, UUID, bytes]:
    """A note whose maker's name was cut out is used; `whole` is what was decided about the note itself."""
    text = NOTE.format(name=name).encode()
    scene = scenes.charged(cast, files=(("note.txt", text), ("IMG_0042.jpg", scenes.photo())))
    assert scene.exhibit
    assert scene.statement
    redaction = redactions.begin(scene.case, scene.exhibit, by=scene.by)
    redactions.prepare(redaction)
    start = text.decode().index(name)
    redactions.step(
        scene.case, redaction, {"do": "cut", "start": start, "end": start + len(name)}, by=scene.by
    )
    redactions.finish(scene.case, redaction, "Note, a name removed", reviewed=True, by=scene.by)
    redactions.make(redaction)
    made = Exhibit.objects.get(parent_id=scene.exhibit)
    with vault().open(made.sha256) as stream:
        left = stream.read()
    assert name.encode() not in left
    photo = actions.seal(scene.case, scene.files[1], "Photo of the side gate", by=scene.by)
    for kind, item in (("exhibit", made.pk), ("exhibit", photo), ("statement", scene.statement)):
        material.decide(scene.case, kind, item, "used", by=scene.by)
    if whole == "sensitive":
        scenes.sensitive(scene, scene.exhibit, "Note of somebody at risk")
    else:
        scenes.unused(scene, scene.exhibit, "Note of a witness, as it was sent")
    scenes.signed(scene)
    scene.bundle = courts.ask_bundle(scene.case, by=scene.by)
    courts.build_bundle(scene.bundle)
    return scene, made.pk, left


@pytest.mark.parametrize("whole", ["unused", "sensitive"])
def test_the_defence_learns_neither_what_was_removed_nor_where_nor_how_long_it_was(
    cast: Cast, whole: str
) -> None:
    name = "Odette Fairweather"
    scene, _, left = told(cast, name, whole)
    bundle = defence_of(scene)
    files = files_of(bundle)
    row = next(x for x in json.loads(files["data/exhibits.json"])["exhibits"] if x["label"] == "AB/2")
    assert (row["parent"], row["recipe_sha256"], row["derivation"]) == (None, None, None)
    assert row["note"].startswith("Redacted: something was removed")
    assert files[row["path"]] == left
    whole_digest = hashlib.sha256(NOTE.format(name=name).encode()).hexdigest()
    everything = b"\n".join([*files.values(), *(path.encode() for path in files)])
    for secret in (name, whole_digest, str(scene.exhibit), '"cuts":[[', "sheets_sha256"):
        assert secret.encode() not in everything, secret
    if whole == "unused":
        [line] = [i for i in mg6(files, "MG6C")["issues"][-1]["items"] if i["exhibit"] == "AB/1"]
        assert line["sha256"] == "", "with its digest a guess at the name could be confirmed"
    guess = NOTE.format(name="Odette Fairweather").encode()
    assert hashlib.sha256(guess).hexdigest().encode() not in everything


def test_names_of_different_lengths_give_the_defence_the_same_bytes_and_the_same_row(cast: Cast) -> None:
    rows = []
    for name in ("Jo Ely", "Wilhelmina Featherstonehaugh"):
        scene, made, _ = told(cast, name, "unused")
        files = files_of(defence_of(scene))
        label = Exhibit.objects.get(pk=made).label
        row = next(x for x in json.loads(files["data/exhibits.json"])["exhibits"] if x["label"] == label)
        rows.append({k: v for k, v in row.items() if k not in ("events", "label", "path")})
    assert rows[0] == rows[1]


def test_the_prosecutor_gets_the_recipe_and_the_whole_and_all_verifiers_agree(
    cast: Cast,
    page_checks: PageChecks,  # noqa: F811
) -> None:
    scene, _, _ = told(cast, "Odette Fairweather", "unused")
    for bundle in (Bundle.objects.get(pk=scene.bundle), defence_of(scene)):
        path = vault().path(bundle.sha256)
        verdict = engine.verify(path, policy_text())
        assert (verdict.word, verdict.failed) == ("VERIFIED-UNWITNESSED", None)
        assert page_checks(path, policy_text())["word"] == verdict.word
    files = files_of(scene.bundle) if scene.bundle else {}
    row = next(x for x in json.loads(files["data/exhibits.json"])["exhibits"] if x["label"] == "AB/2")
    assert row["parent"] == "AB/1"
    recipe = json.loads(files[row["derivation"]])["recipe"]
    assert len(recipe["settings"]["cuts"]) == 1
