"""What courts are given after the log grew up: two operators and authorities, changed keys, erased entries."""

from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from django.db import transaction
from tests import scenes
from tests.cast import Cast

from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer
from counterfoil.config import promises
from counterfoil.courts import actions as courts
from counterfoil.courts.gather import policy_text
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as engine
from counterfoil.ledger import actions
from counterfoil.ledger.queries import entries_of, faults
from counterfoil.plugs.keys import keys
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db(transaction=True)


def judged(bundle: Bundle, policy: str) -> engine.Verdict:
    with vault().open(bundle.sha256) as stream, NamedTemporaryFile(suffix=".zip") as copy:
        copy.write(stream.read())
        copy.flush()
        return engine.verify(Path(copy.name), policy)


def built(scene: scenes.Scene) -> Bundle:
    asked = courts.ask_bundle(scene.case, by=scene.by)
    courts.build_bundle(asked)
    found = Bundle.objects.get(pk=asked)
    assert found.state == "built", found.error
    return found


def said(verdict: engine.Verdict, check: str) -> tuple[str, str]:
    return next((c.state, c.sentence) for c in verdict.checks if c.name == check)


def test_bundles_from_before_and_after_a_change_of_every_key_and_an_erasure_verify(cast: Cast) -> None:
    scene = scenes.disclosed(cast)
    assert scene.exhibit
    first = built(scene)
    before = judged(first, policy_text())
    assert (before.word, before.failed) == ("VERIFIED-UNWITNESSED", None)
    assert said(before, "timestamp")[0] == "ok"
    assert "development" in said(before, "witnesses")[1].lower()
    old = {keys().log.vkey, keys().manifest.vkey}
    for role in ("log", "manifest", "receipt"):
        actions.rotate_key(role, by=Viewer.clock())
    assert not old & {keys().log.vkey, keys().manifest.vkey}
    with transaction.atomic():
        viewed = [e for e in entries_of(scene.by, "exhibit", scene.exhibit) if e.act == "exhibit.material"]
        assert viewed
        actions.erase(
            [e.id for e in viewed],
            rule="court-order",
            approved_by=(viewer_for(cast.id("ines")), viewer_for(cast.id("ada"))),
            by=scene.by,
            on=("exhibit", scene.exhibit),
            thread=scene.case,
        )
    second = built(scene)
    for bundle in (first, second):
        verdict = judged(bundle, policy_text())
        assert (verdict.word, verdict.failed) == ("VERIFIED-UNWITNESSED", None), verdict
    assert faults() == []
    assert promises.broken(grace=timedelta(0)) == []
