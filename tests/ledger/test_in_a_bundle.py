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
from counterfoil.plugs.keys import key_id, keys
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


def test_bundles_from_before_and_after_a_change_of_every_key_verify_and_those_of_a_stolen_one_do_not(
    cast: Cast,
) -> None:
    scene = scenes.disclosed(cast)
    first = built(scene)
    old = keys().log
    before = judged(first, policy_text())
    assert (before.word, before.failed) == ("VERIFIED-UNWITNESSED", None)
    assert said(before, "timestamp")[0] == "ok"
    assert "development" in said(before, "witnesses")[1].lower()
    for role in ("log", "manifest", "receipt"):
        actions.rotate_key(role, by=Viewer.clock())
    second = built(scene)
    for bundle in (first, second):
        verdict = judged(bundle, policy_text())
        assert (verdict.word, verdict.failed) == ("VERIFIED-UNWITNESSED", None), verdict
    actions.revoke_key("log", key_id(keys().log.vkey), "stolen", by=Viewer.clock(), since=None)
    assert keys().log.vkey != old.vkey
    assert judged(built(scene), policy_text()).failed is None
    assert faults() == []


def test_a_case_whose_entries_were_partly_erased_still_gives_a_bundle_that_verifies(cast: Cast) -> None:
    scene = scenes.disclosed(cast)
    assert scene.exhibit
    actions.sequence()
    with transaction.atomic():
        viewed = [e for e in entries_of(scene.by, "exhibit", scene.exhibit) if e.act != "exhibit.sealed"]
        assert viewed
        actions.erase(
            [e.id for e in viewed],
            rule="court-order",
            approved_by=(viewer_for(cast.id("ines")), viewer_for(cast.id("ada"))),
            by=scene.by,
            on=("exhibit", scene.exhibit),
            thread=scene.case,
        )
    bundle = built(scene)
    verdict = judged(bundle, policy_text())
    assert (verdict.word, verdict.failed) == ("VERIFIED-UNWITNESSED", None), verdict
    assert faults() == []
    assert promises.broken(grace=timedelta(0)) == []
