"""What a bundle shows of others, what it says of times, and two bundles at once."""

import pytest
from django.db import transaction
from django.utils import timezone
from tests import scenes
from tests.cast import Cast

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import actions as cases
from counterfoil.courts import actions as courts
from counterfoil.courts.gather import gather
from counterfoil.courts.models import Bundle
from counterfoil.engines import bundle as engine
from counterfoil.engines.bundle import BundleFacts
from counterfoil.engines.errors import Corrupt
from counterfoil.evidence import actions as evidence
from counterfoil.ledger.actions import record, sequence, witness_checkpoint
from counterfoil.ledger.models import Checkpoint, Entry
from counterfoil.reports.models import Report

pytestmark = pytest.mark.django_db
OTHER = "99/CT/05678/26"


def facts_of(scene: scenes.Scene) -> BundleFacts:
    bundle = courts.ask_bundle(scene.case, by=scene.by)
    sequence()
    return gather(Bundle.objects.get(pk=bundle), timezone.now())


def test_how_far_a_bundle_is_fits_its_column() -> None:
    import inspect
    import re

    room = Bundle._meta.get_field("stage").max_length
    sentences = re.findall(r'stage\("([^"]*)"', inspect.getsource(courts._build))
    assert len(sentences) == 6
    assert room is not None
    assert max(map(len, sentences)) <= room


def test_who_else_was_suspected_is_not_shown_to_the_defence(cast: Cast) -> None:
    scene = scenes.charged(cast)
    other = cases.name_suspect(scene.case, "Osian Trevarthen", "custody", OTHER, by=scene.by)
    courts.record_charging_decision(
        scene.case,
        other,
        decision="no_charge",
        decided_by="prosecutor",
        decider="Petra Quill",
        decided_at=timezone.now(),
        offence_code="",
        wording="",
        reason="Nothing places him there and the recording shows one man.",
        by=scene.by,
    )
    facts = facts_of(scene)
    said = str([e.body for e in facts.events])
    assert OTHER not in said
    assert str(other) not in said
    assert "no_charge" not in said
    assert [e.body["act"] for e in facts.events].count("suspect.named") == 1
    assert [e.body["act"] for e in facts.events].count("charge.decided") == 1


def test_it_says_when_the_report_was_received_not_when_it_was_begun(cast: Cast) -> None:
    scene = scenes.charged(cast)
    Report.objects.update(received_at="2026-03-29T00:30:00Z", reported_at="2026-03-20T12:00:00Z")
    assert (
        "received by Demonstration Constabulary on Sunday 29 March 2026 at 00:30"
        in facts_of(scene).summary[0]
    )
    Report.objects.update(received_at="2026-03-29T01:30:00Z")
    assert "at 02:30" in facts_of(scene).summary[0]


def test_a_court_can_read_who_received_an_exhibit(cast: Cast) -> None:
    scene = scenes.charged(cast)
    assert scene.exhibit
    evidence.hand_over(
        scene.case, scene.exhibit, cast.id("dilys"), "She takes it to the laboratory.", by=scene.by
    )
    assert facts_of(scene).actors[cast.id("dilys")] == "Dilys Edevane"


def test_two_bundles_at_once_are_no_sign_of_a_restored_backup() -> None:
    def write() -> Checkpoint:
        with transaction.atomic():
            record("thing.done", by=Viewer.clock(), on=("thing", "1"))
        point = sequence()
        assert point is not None
        return point

    first, second = write(), write()
    assert witness_checkpoint(second).cosigned
    assert witness_checkpoint(first).pk == second.pk
    # A witness that saw more than we have is still a sign of one.
    third = write()
    witness_checkpoint(third)
    third.stamps.all().delete()
    third.delete()
    Entry.objects.filter(index=2).update(index=None)
    second.refresh_from_db()
    Checkpoint.objects.filter(pk=second.pk).update(cosigned="")
    second.refresh_from_db()
    with pytest.raises(Corrupt, match="old backup was restored"):
        witness_checkpoint(second)


def test_a_bundle_called_failed_is_not_called_built_afterwards(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = scenes.charged(cast)
    bundle = courts.ask_bundle(scene.case, by=scene.by)
    really = engine.verify

    def given_up_meanwhile(*given: object) -> object:
        courts._fail(Bundle.objects.get(pk=bundle), "Building it stopped half way. Ask for it again.")
        return really(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "verify", given_up_meanwhile)
    courts.build_bundle(bundle)
    assert Bundle.objects.get().state == "failed"
    assert not Entry.objects.filter(act="bundle.built").exists()


def test_whatever_the_sender_is_told_has_words(cast: Cast) -> None:
    from counterfoil.reference.wording import keys
    from counterfoil.reports.models import Progress

    scene = scenes.bundled(cast)
    other = cases.name_suspect(scene.case, "Osian Trevarthen", "custody", OTHER, by=scene.by)
    courts.record_charging_decision(
        scene.case,
        other,
        decision="no_charge",
        decided_by="police",
        decider="Ines Farrow",
        decided_at=timezone.now(),
        offence_code="",
        wording="",
        reason="Nothing places him there and the recording shows one man.",
        by=scene.by,
    )
    told = set(Progress.objects.values_list("what", flat=True))
    assert {"bundle_sent", "not_charged", "charged", "exhibit_taken"} <= told
    assert told <= set(keys("progress"))
