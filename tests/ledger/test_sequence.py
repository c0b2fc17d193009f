"""Giving indexes, signing checkpoints, publishing tiles, and finding what was changed afterwards."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import Corrupt
from counterfoil.engines.tlog import check_inclusion, leaf_hash, open_note, parse_checkpoint
from counterfoil.ledger.actions import publish, record, sequence
from counterfoil.ledger.models import Checkpoint, Entry
from counterfoil.ledger.queries import faults, log_folder, newest_checkpoint, proof_of
from counterfoil.plugs.keys import keys

pytestmark = pytest.mark.django_db


def write(n: int) -> list[Entry]:
    with transaction.atomic():
        return [record("thing.done", by=Viewer.clock(), on=("thing", str(i))) for i in range(n)]


def test_an_empty_log_has_no_checkpoint_and_no_faults() -> None:
    assert sequence() is None
    assert newest_checkpoint() is None
    assert faults() == []


def test_entries_get_dense_indexes_and_every_one_is_proved_to_the_signed_root() -> None:
    write(5)
    sequence()
    write(300)
    point = sequence()
    assert point is not None
    assert point.size == 305
    entries = list(Entry.objects.order_by("index"))
    assert [e.index for e in entries] == list(range(305))
    opened = open_note(point.note, [keys().log.verifier])
    signed = parse_checkpoint(opened.text)
    for e in entries[::17]:
        assert e.index is not None
        leaf = leaf_hash(bytes(e.commitment))
        assert check_inclusion(leaf, e.index, signed.size, proof_of(e.index, signed.size), signed.root)
    assert faults() == []


def test_nothing_new_means_no_new_checkpoint() -> None:
    write(2)
    assert sequence() == sequence()
    assert Checkpoint.objects.count() == 1


def test_an_entry_that_was_committed_late_still_gets_an_index() -> None:
    late = write(1)[0]
    Entry.objects.filter(pk=late.pk).update(at=timezone.now() - timedelta(days=1))
    write(2)
    Entry.objects.filter(pk=late.pk).update(index=None)
    sequence()
    assert Entry.objects.filter(index=None).count() == 0


def test_tiles_lost_after_the_commit_are_written_again_by_the_next_run(home: Path) -> None:
    write(3)
    point = sequence()
    assert point is not None
    write(4)
    folder = home / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("counterfoil.ledger.actions.sequencing.publish", lambda checkpoint: None)
        sequence()
    assert log_folder().size() == 3
    write(1)
    sequence()
    assert log_folder().size() == 8
    assert (folder / "checkpoint").is_file()
    assert faults() == []


def test_a_changed_entry_is_found_and_named() -> None:
    write(4)
    sequence()
    victim = Entry.objects.get(index=2)
    victim.body["on"] = "thing:9"
    victim.save(update_fields=["body"])
    found = faults()
    assert any("Entry 2 (thing.done) was changed" in f for f in found)
    assert any("columns do not say" in f for f in found)


def test_a_waiting_entry_that_was_changed_is_found() -> None:
    entry = write(1)[0]
    entry.body["more"] = "x"
    entry.save(update_fields=["body"])
    assert any("waiting entry" in f for f in faults())


def test_a_removed_entry_is_found() -> None:
    write(4)
    sequence()
    Entry.objects.filter(index=1).delete()
    assert any("gap" in f for f in faults())


def test_a_forged_entry_with_a_good_commitment_is_found_by_the_root() -> None:
    write(3)
    sequence()
    first, second = Entry.objects.order_by("index")[:2]
    for e in (first, second):
        Entry.objects.filter(pk=e.pk).update(index=None)
    Entry.objects.filter(pk=first.pk).update(index=1)
    Entry.objects.filter(pk=second.pk).update(index=0)
    assert any("root differs" in f for f in faults())


def test_a_checkpoint_by_another_key_is_found() -> None:
    from counterfoil.engines.tlog import Signer, checkpoint_text, sign_note

    write(2)
    point = sequence()
    assert point is not None
    other = Signer.generate(keys().log.name)
    point.note = sign_note(checkpoint_text(other.name, 2, bytes(point.root)), [other])
    point.save(update_fields=["note"])
    assert any("checkpoint of size 2" in f for f in faults())


def test_a_damaged_tile_is_found(home: Path) -> None:
    write(3)
    sequence()
    tile = next((home / "log" / "tile" / "0").rglob("*.p/3"))
    tile.write_bytes(b"\x00" + tile.read_bytes()[1:])
    assert faults()


def test_an_old_backup_of_the_database_signs_nothing_more() -> None:
    write(2)
    early = sequence()
    assert early is not None
    write(2)
    sequence()
    Checkpoint.objects.filter(size=4).delete()
    Entry.objects.filter(index__gte=2).delete()
    with pytest.raises(Corrupt, match="old backup"):
        publish(early)
    assert any("longer than the database" in f for f in faults())
    write(1)
    with pytest.raises(Corrupt):
        sequence()


def test_an_old_backup_that_grew_to_the_same_size_is_found() -> None:
    write(2)
    sequence()
    write(2)
    sequence()
    Checkpoint.objects.filter(size=4).delete()
    Entry.objects.filter(index__gte=2).delete()
    write(2)
    with pytest.raises(Corrupt):
        sequence()
    assert faults()


def test_a_published_checkpoint_that_is_not_on_record_is_found(home: Path) -> None:
    from counterfoil.engines.tlog import Signer, checkpoint_text, sign_note

    write(2)
    point = sequence()
    assert point is not None
    other = Signer.generate(keys().log.name)
    forged = sign_note(checkpoint_text(other.name, 2, bytes(point.root)), [other])
    (home / "log" / "checkpoint").write_text(forged)
    assert faults() == ["The published checkpoint is not one that is on record."]


def test_what_a_killed_writer_left_is_swept_by_the_next_one(home: Path) -> None:
    write(2)
    sequence()
    (home / "log" / "tile" / ".tmp-0123456789abcdef").write_bytes(b"half a tile")
    assert any("left behind" in f for f in faults())
    write(1)
    sequence()
    assert faults() == []
