"""A restored backup signs nothing until a person has reconciled it, and a second history is never signed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.outside import DOWN, grown, plugs, write

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.engines.tlog import check_consistency, parse_checkpoint, split_note
from counterfoil.ledger import actions
from counterfoil.ledger.actions import sequencing
from counterfoil.ledger.models import Checkpoint, Entry, Stamp
from counterfoil.ledger.queries import conflict, decisions, faults, halted, log_folder, outside, published
from counterfoil.ledger.queries import lost as lost_in_restores

pytestmark = pytest.mark.django_db
ADA = Viewer(id="0f0e0d0c-0000-4000-8000-00000000000a", name="Ada Mint")
WHY = "The disk failed on Saturday and the newest backup was from the evening before."


@pytest.fixture
def two(home: Path, settings: Any) -> Path:
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "south"])}
    settings.WITNESS_QUORUM = 2
    return home


def restart() -> None:
    """What a process forgets when it ends."""
    sequencing._looked.clear()


def restore(size: int) -> None:
    """Put the database back to an earlier size, as an old backup would; witnesses and tiles stay."""
    Stamp.objects.filter(checkpoint__size__gt=size).delete()
    Checkpoint.objects.filter(size__gt=size).delete()
    Entry.objects.filter(index__gte=size).delete()


def copy_of_log(home: Path) -> Path:
    return Path(shutil.copytree(home / "log", home / "mirror" / "log"))


def test_a_restart_with_the_same_log_goes_on_signing(two: Path) -> None:
    actions.witness_checkpoint(grown(3))
    restart()
    assert grown(2).size == 5
    assert halted() is None
    assert faults() == []


def test_a_restored_database_is_found_by_the_published_files_even_under_a_running_process(two: Path) -> None:
    grown(3)
    grown(4)
    restore(3)
    write(2)
    with pytest.raises(Corrupt, match=r"published log has 7 entries but the database only 3.*old backup"):
        actions.sequence()
    assert Entry.objects.filter(index=None).count() == 2  # accepted, and waiting
    assert halted()
    assert [f for f in faults() if "Nothing is signed" in f]


@pytest.mark.parametrize("kept", ["w1", "w2"])
def test_a_restored_home_is_found_by_a_witness_at_the_start(two: Path, kept: str) -> None:
    actions.witness_checkpoint(grown(3))
    old = copy_of_log(two)
    actions.witness_checkpoint(grown(4))
    restore(3)
    shutil.rmtree(two / "log")
    shutil.copytree(old, two / "log")
    restart()
    DOWN.update({"w1", "w2"} - {kept})
    write(2)
    with pytest.raises(Corrupt, match=f"witness {kept} has 7 entries but the database only 3"):
        actions.sequence()
    assert log_folder().size() == 3
    DOWN.clear()
    with pytest.raises(Corrupt):  # and it stays so, whoever answers
        actions.sequence()
    with pytest.raises(Corrupt):
        actions.witness_checkpoint(Checkpoint.objects.get())


def test_while_too_few_witnesses_answer_at_the_start_nothing_is_signed_and_later_an_outage_is_waited_for(
    two: Path,
) -> None:
    actions.witness_checkpoint(grown(3))
    restart()
    DOWN.update({"w1", "w2"})
    write()
    with pytest.raises(NotAllowed, match="until enough witnesses have told what they saw last"):
        actions.sequence()
    assert halted() is None
    DOWN.remove("w2")
    assert actions.sequence() is not None
    DOWN.add("w2")
    assert grown().size == 5  # F24: seven days without witnesses would go on like this


def test_with_three_operators_and_a_quorum_of_two_one_answer_is_too_few(home: Path, settings: Any) -> None:
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "south", "east"])}
    settings.WITNESS_QUORUM = 2
    actions.witness_checkpoint(grown(3))
    restart()
    DOWN.update({"w1", "w2"})
    write()
    with pytest.raises(NotAllowed, match="until enough"):
        actions.sequence()
    DOWN.remove("w1")
    assert actions.sequence() is not None


def test_a_witness_that_holds_what_this_log_never_signed_is_told_and_stops_nothing(two: Path) -> None:
    from counterfoil.engines.tlog import Signer, checkpoint_text, sign_note
    from counterfoil.plugs.keys import keys

    actions.witness_checkpoint(grown(3))
    forger = Signer.generate(keys().log.name)
    lie = sign_note(checkpoint_text(forger.name, 900, bytes(32)), [forger])
    held = next((two / "w1").glob("*.checkpoint"))
    held.write_text(lie)
    restart()
    found = outside()
    assert "w1" in found.silent
    assert grown().size == 4


def test_a_fork_is_found_and_never_signed(two: Path) -> None:
    actions.witness_checkpoint(grown(3))
    actions.witness_checkpoint(grown(4))
    restore(3)
    shutil.rmtree(two / "log")
    witnesses = {w: (two / w).rename(two / f"{w}-away") for w in ("w1", "w2")}
    restart()
    grown(4)  # nobody remembers: this is how a second history would begin
    for w, away in witnesses.items():
        shutil.rmtree(two / w, ignore_errors=True)
        away.rename(two / w)
    from counterfoil.plugs.load import _make

    _make.cache_clear()
    restart()
    write()
    with pytest.raises(Corrupt, match="there are two logs"):
        actions.sequence()
    found = actions.standing()
    assert not found.possible
    assert "cannot be mended" in " ".join(found.sentences)
    with pytest.raises(NotAllowed, match="went different ways"):
        actions.reconcile(WHY, by=ADA)
    assert Checkpoint.objects.order_by("-size")[0].size == 7


def test_reconciling_takes_the_places_of_lost_entries_back_and_what_is_signed_then_continues_the_log(
    two: Path,
) -> None:
    actions.witness_checkpoint(grown(3))
    lost = actions.witness_checkpoint(grown(4))
    old = parse_checkpoint(split_note(lost.note)[0])
    restore(3)
    restart()
    write(2)
    with pytest.raises(Corrupt):
        actions.sequence()
    said = actions.standing()
    assert (said.have, said.need, said.possible) == (3, 7, True)
    with pytest.raises(BadInput, match="at least"):
        actions.reconcile("because", by=ADA)
    actions.reconcile(WHY, by=ADA)
    assert halted() is None
    newest = Checkpoint.objects.order_by("-size")[0]
    assert newest.size == 10  # 3, four lost, two that waited, and the decision
    proof = log_folder().consistency(7, 10)
    assert check_consistency(7, 10, old.root, bytes(newest.root), proof)
    gone = Entry.objects.filter(act="log.lost")
    assert [e.index for e in gone.order_by("index")] == [3, 4, 5, 6]
    told = lost_in_restores()
    assert told is not None
    assert "What 4 entries of this force's log said was lost" in told.sentence
    assert "one of them may be missing here" in told.sentence
    entry = Entry.objects.get(act="log.reconciled")
    assert (entry.by, entry.body["from_size"], entry.body["to_size"]) == (ADA.id, 3, 7)
    assert decisions("reconciled")[0]["reason"] == WHY
    actions.witness_checkpoint(newest)  # both witnesses accept it as the same log
    assert faults() == []
    with pytest.raises(NotAllowed, match="nothing to decide"):
        actions.reconcile(WHY, by=ADA)


def test_an_entry_that_waited_in_the_backup_gets_its_old_place_with_what_it_said(two: Path) -> None:
    grown(3)
    kept = write()[0]
    actions.witness_checkpoint(grown(2))
    place = Entry.objects.get(pk=kept.pk).index
    Entry.objects.filter(pk=kept.pk).update(index=None)
    restore(3)
    restart()
    with pytest.raises(Corrupt):
        actions.sequence()
    actions.reconcile(WHY, by=ADA)
    again = Entry.objects.get(pk=kept.pk)
    assert again.index == place
    assert again.body["act"] == "thing.done"
    assert faults() == []


def test_a_home_restored_whole_needs_a_copy_of_the_log_or_a_newer_backup(two: Path) -> None:
    actions.witness_checkpoint(grown(3))
    old = copy_of_log(two)
    actions.witness_checkpoint(grown(4))
    mirror = Path(shutil.copytree(two / "log", two / "elsewhere" / "log"))
    restore(3)
    shutil.rmtree(two / "log")
    shutil.copytree(old, two / "log")
    restart()
    with pytest.raises(Corrupt):
        actions.sequence()
    with pytest.raises(NotAllowed, match="Restore a newer backup, or give a copy"):
        actions.reconcile(WHY, by=ADA)
    tile = next((mirror / "tile" / "entries").rglob("*7"))
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(NotAllowed, match="do not continue those of the database"):
        actions.reconcile(WHY, by=ADA, copy=mirror)
    tile.write_bytes(whole)
    actions.reconcile(WHY, by=ADA, copy=mirror)
    assert log_folder().size() == 8
    assert faults() == []


def test_a_halt_whose_cause_is_gone_is_lifted_by_a_person_with_a_reason(two: Path) -> None:
    grown(3)
    grown(4)
    hidden = list(Entry.objects.filter(index__gte=3))
    points = list(Checkpoint.objects.filter(size=7))
    restore(3)
    with pytest.raises(Corrupt):
        actions.sequence()
    Entry.objects.bulk_create(hidden)  # the newer backup was found after all
    for point in points:
        point.pk = None
        point.save()
    assert all(conflict(seen) is None for seen in [published()] if seen)
    with pytest.raises(Corrupt):
        actions.sequence()
    actions.reconcile(WHY, by=ADA)
    assert grown().size == 9
    assert faults() == []


def test_the_halt_says_when_and_why(two: Path) -> None:
    grown(3)
    with pytest.raises(Corrupt):
        sequencing.halt("A reason to stop.")
    said = json.loads((two / "log.halted").read_text())
    assert said["why"] == "A reason to stop."
    write()
    with pytest.raises(Corrupt, match="A reason to stop"):
        actions.sequence()
    with pytest.raises(Corrupt, match="A reason to stop"):
        actions.gather(Checkpoint.objects.get())
