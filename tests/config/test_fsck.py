"""`counterfoil fsck`: clean after a story, and loud about bytes, log and database that are not what they were."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests import scenes
from tests.cast import Cast

from counterfoil.config import fsck
from counterfoil.evidence.models import Exhibit
from counterfoil.ledger.actions import sequence
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import quarantine, vault

pytestmark = pytest.mark.django_db


def check() -> list[str]:
    return fsck.fsck(grace=timedelta(0))


def test_a_new_house_and_a_whole_story_are_clean(cast: Cast) -> None:
    assert check() == []
    scenes.charged(cast)
    sequence()
    assert check() == []


def flip(path: Path, place: int = -1) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def test_one_flipped_bit_in_the_vault_is_found_and_located(cast: Cast) -> None:
    scenes.exhibited(cast)
    digest = Exhibit.objects.get().sha256
    flip(vault().path(digest))
    (found,) = check()
    assert found.startswith("In the vault:")
    assert digest in found


def test_one_flipped_bit_in_quarantine_is_found(cast: Cast) -> None:
    scene = scenes.reported(cast)
    del scene
    flip(next(iter(quarantine().root.glob("blobs/sha256/*/*/*"))))
    assert [s.split(":")[0] for s in check()] == ["In the quarantine"]


def test_a_flipped_bit_in_the_log_and_a_changed_entry_are_found(cast: Cast, home: Path) -> None:
    scenes.recorded(cast)
    sequence()
    flip(next(iter((home / "log" / "tile" / "0").rglob("*.p/*"))))
    assert check()
    Entry.objects.filter(index=0).update(by="clocks")
    assert any("Entry 0" in s for s in check())


def test_an_object_left_by_a_process_that_stopped_before_it_said_yes_is_no_fault(cast: Cast) -> None:
    import io

    scenes.reported(cast)
    vault().add(io.BytesIO(b"stored, and then the process was killed"))
    assert check() == []


def test_leftovers_in_staging_are_cleared_when_they_are_old_and_left_while_they_are_young(cast: Cast) -> None:
    scenes.reported(cast)
    staging = quarantine().root / "staging"
    young, old = staging / "young", staging / "old"
    for file in (young, old):
        file.write_bytes(b"half an upload")
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    assert check() == []
    assert fsck.clear_leftovers() == 1
    assert young.exists()
    assert not old.exists()


def test_a_row_that_points_nowhere_is_found_by_the_database_check(cast: Cast) -> None:
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE cases_note ADD CONSTRAINT unchecked CHECK (act <> 'x') NOT VALID")
        assert any("unchecked of cases_note is not enforced" in s for s in check())
        return
    scene = scenes.triaged(cast)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("UPDATE cases_note SET case_id = %s WHERE case_id = %s", ["0" * 32, scene.case.hex])
        assert any("names a row that is missing" in s for s in check())
        cursor.execute("UPDATE cases_note SET case_id = %s", [scene.case.hex])


def test_a_part_that_cannot_be_checked_is_said_and_hides_no_other(cast: Cast, home: Path) -> None:
    scenes.exhibited(cast)
    sequence()
    (home / "keys" / "log.key").write_text("not a key\n")
    from counterfoil.plugs import keys

    keys._load.cache_clear()
    vault().path(Exhibit.objects.get().sha256).unlink()
    found = check()
    assert any("could not be checked" in s for s in found)
    assert any("In the vault" in s for s in found)


def test_a_database_of_an_older_version_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'outcomes'")
    assert any("lacks" in s and "migrations" in s for s in check())
