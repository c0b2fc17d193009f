"""Disclosure: the prosecutor gets both schedules, the defence what is disclosed, and nothing that tells of the rest."""

import json
import zipfile
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from tests import scenes
from tests.cast import LENA, Cast

from counterfoil.courts import actions, queries
from counterfoil.courts.models import Bundle, Release
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import material
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db


def files_of(bundle: UUID | Bundle) -> Mapping[str, bytes]:
    row = bundle if isinstance(bundle, Bundle) else Bundle.objects.get(pk=bundle)
    assert row.state == "built", row.error
    with zipfile.ZipFile(vault().path(row.sha256)) as z:
        return {n.split("/", 1)[1]: z.read(n) for n in z.namelist()}


def release(scene: scenes.Scene, by: Any) -> Any:
    assert scene.bundle
    return actions.release_to_defence(
        scene.bundle, LENA.name, "Marsh and Hythe", "Initial details for the first hearing", by=by
    )


def defence_of(scene: scenes.Scene) -> Bundle:
    return Bundle.objects.filter(source_id=scene.bundle).order_by("-number")[0]


def mg6(files: Mapping[str, bytes], form: str) -> Any:
    return json.loads(files[f"data/schedules/{form}.json"])


def test_a_case_is_not_sent_while_an_item_is_undecided_and_the_sentence_lists_them(cast: Cast) -> None:
    scene = scenes.charged(cast)
    bundle = actions.ask_bundle(scene.case, by=scene.by)
    actions.build_bundle(bundle)
    assert not Bundle.objects.filter(audience="defence").exists()
    with pytest.raises(NotAllowed, match=r"3 items of material: AB/1, S/1, File 2\. Decide first"):
        actions.send_to_prosecutor(bundle, cast.id("petra"), by=scene.by)
    assert not Release.objects.exists()


def test_a_case_is_not_sent_with_a_bundle_older_than_its_schedules(cast: Cast) -> None:
    scene = scenes.charged(cast)
    assert scene.exhibit
    old = actions.ask_bundle(scene.case, by=scene.by)
    actions.build_bundle(old)
    other = evidence.seal(scene.case, scene.files[1], "Doorbell recording", by=scene.by)
    for x in (scene.exhibit, other):
        material.decide(scene.case, "exhibit", x, "used", by=scene.by)
    material.decide(scene.case, "statement", scene.statement, "used", by=scene.by)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed, match="MG6C and MG6D are not signed"):
        actions.send_to_prosecutor(old, cast.id("petra"), by=scene.by)
    scenes.signed(scene)
    with pytest.raises(NotAllowed, match="Build a new one"):
        actions.send_to_prosecutor(old, cast.id("petra"), by=scene.by)


def test_the_prosecutor_has_both_schedules_and_the_defence_only_mg6c(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    assert scene.bundle
    prosecutor, defence = files_of(scene.bundle), files_of(defence_of(scene))
    assert {n for n in prosecutor if "schedules" in n} == {
        "data/schedules/MG6C.json",
        "data/schedules/MG6D.json",
        "data/schedules/MG12.json",
    }
    assert {n for n in defence if "schedules" in n} == {
        "data/schedules/MG6C.json",
        "data/schedules/MG12.json",
    }
    assert b"MG6D" not in b"".join(
        v for n, v in defence.items() if not n.endswith((".py", ".html", ".pdf", ".md"))
    )
    assert "exhibit.material" in prosecutor["custody/events.jsonl"].decode()
    for act in ("exhibit.material", "report.accepted", "schedule.signed"):
        assert act not in defence["custody/events.jsonl"].decode()
    assert queries.bundle_for(cast.petra, defence_of(scene).pk)
    assert queries.bundle_for(cast.piers, defence_of(scene).pk) is None


def test_only_the_defences_bundle_is_released_to_the_defence(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    made = release(scene, cast.petra)
    opened = actions.open_link(made.link, made.code)
    assert opened
    found = actions.released_bundle(opened)
    assert found
    assert (found[0].id, found[0].audience) == (defence_of(scene).pk, "defence")
    assert actions.download(scene.bundle, by=cast.petra, pass_id=opened) is None  # type: ignore[arg-type]
    assert {r.kind for r in queries.releases_of(cast.petra, scene.bundle)} == {"prosecutor", "defence"}  # type: ignore[arg-type]


def test_what_the_prosecutor_marks_for_disclosure_is_in_the_next_bundle_for_the_defence(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    assert scene.bundle
    (line,) = material.newest(material.schedules_of(scene.by, scene.case))["MG6C"].lines
    before = files_of(defence_of(scene))
    assert not any("AB-2" in n for n in before)
    with pytest.raises(NotAllowed):
        actions.mark(scene.bundle, "MG6C", line["key"], "D", "", by=cast.piers)
    with pytest.raises(NotAllowed):
        actions.mark(scene.bundle, "MG6C", line["key"], "D", "", by=scene.by)
    with pytest.raises(BadInput):
        actions.mark(scene.bundle, "MG6C", line["key"], "Y", "", by=cast.petra)
    actions.mark(scene.bundle, "MG6C", line["key"], "D", "It may help him.", by=cast.petra)
    assert "help" not in str(Entry.objects.get(act="schedule.marked").body)
    with pytest.raises(NotAllowed, match="Make it again first"):
        release(scene, cast.petra)
    made = actions.ask_defence_bundle(scene.bundle, by=cast.petra)
    actions.build_bundle(made)
    after = files_of(made)
    assert any("exhibits/AB-2/master" in n for n in after)
    assert b"may help him" not in b"".join(after.values())
    assert release(scene, cast.petra)


def test_nothing_that_the_prosecutor_has_not_seen_reaches_the_defence(cast: Cast) -> None:
    scene = scenes.bundled(cast)
    assert scene.bundle
    second = Bundle.objects.get(pk=scene.bundle)
    (unused,) = (i for i in material.items_of(scene.by, scene.case) if i.material == "unused")
    material.decide(scene.case, "exhibit", unused.id, "used", by=scene.by)
    scenes.signed(scene)
    made = actions.ask_defence_bundle(second.pk, by=cast.petra)
    actions.build_bundle(made)
    assert Bundle.objects.get(pk=made).state == "failed"
    assert "The case changed since" in Bundle.objects.get(pk=made).error
