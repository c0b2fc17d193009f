"""Erasing what an entry says: the salt is gone, every other proof stays, and no restore brings it back."""

import hashlib
import itertools
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from tests.ledger.outside import grown

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.engines.tlog import (
    check_inclusion,
    entry_commitment,
    jcs,
    leaf_hash,
    parse_checkpoint,
    split_note,
)
from counterfoil.ledger import actions
from counterfoil.ledger.models import Checkpoint, Entry, Reply
from counterfoil.ledger.queries import (
    decisions,
    decisions_file,
    entries_of,
    faults,
    line,
    log_folder,
    proof_of,
)

pytestmark = pytest.mark.django_db(transaction=True)
ONE, OTHER = (Viewer(id=f"0f0e0d0c-0000-4000-8000-00000000000{n}") for n in (1, 2))
RULE = "court-order"


def exhibit(title: bytes = b"CCTV of the shop door") -> tuple[Any, Any]:
    """Seal an invented exhibit: two entries about it, one about nothing in particular."""
    subject = uuid4()
    with transaction.atomic():
        sealed = actions.record(
            "exhibit.sealed", by=ONE, on=("exhibit", subject), sha256=hashlib.sha256(title).hexdigest()
        )
        actions.record("exhibit.viewed", by=OTHER, on=("exhibit", subject))
        actions.record("thing.done", by=ONE, on=("thing", "1"))
    grown(3)
    return subject, sealed


@transaction.atomic
def erase(subject: Any, **changed: Any) -> Entry:
    ids = [one.id for one in entries_of(ONE, "exhibit", subject)]
    given: dict[str, Any] = {
        "rule": RULE,
        "approved_by": (ONE, OTHER),
        "by": ONE,
        "on": ("exhibit", subject),
    } | changed
    return actions.erase(given.pop("entries", ids), **given)


def every_proof_holds() -> None:
    point = Checkpoint.objects.order_by("-size")[0]
    signed = parse_checkpoint(split_note(point.note)[0])
    for e in Entry.objects.filter(index__lt=point.size):
        if e.gone_by is None:
            assert bytes(e.commitment) == entry_commitment(bytes(e.salt), e.body)
        assert e.index is not None
        proof = proof_of(e.index, point.size)
        assert check_inclusion(leaf_hash(bytes(e.commitment)), e.index, signed.size, proof, signed.root)


def test_salt_body_and_actor_go_and_the_entry_that_says_so_names_rule_approvers_and_indexes(
    home: Path,
) -> None:
    subject, sealed = exhibit()
    why = erase(subject)
    row = Entry.objects.get(pk=sealed.pk)
    assert (bytes(row.salt), row.body, row.by) == (b"", {}, "")
    assert (row.act, row.index, row.subject_id) == ("exhibit.sealed", 0, str(subject))
    assert why.act == "exhibit.erased"
    assert why.body["rule"] == RULE
    assert why.body["approved_by"] == [ONE.id, OTHER.id]
    assert why.body["entries"] == [0, 1]
    grown()
    assert line(sealed.pk).gone
    assert line(sealed.pk).erased_by == Entry.objects.get(pk=why.pk).index
    every_proof_holds()
    assert faults() == []


def test_whoever_knows_every_value_cannot_tell_what_was_erased(home: Path) -> None:
    """The dictionary attack of reliability.md T36: all the fields are known, and only the salt is not."""
    subject, sealed = exhibit()
    salt, body = bytes(sealed.salt), dict(sealed.body)
    target = bytes(sealed.commitment)
    assert (
        entry_commitment(salt, body) == target
    )  # the negative control: with the salt the guess is confirmed
    erase(subject)
    grown()
    left = b"".join(p.read_bytes() for p in home.rglob("*") if p.is_file() and "keys" not in p.parts)
    assert target in left
    rows = [bytes(e.salt) for e in Entry.objects.all()]
    guesses = [bytes(32), target, *filter(None, rows), *(bytes(e.commitment) for e in Entry.objects.all())]
    times = [body["at"], "2026-01-01T00:00:00.000000Z"]
    for guess, at, by in itertools.product(guesses, times, (ONE.id, OTHER.id, "")):
        assert entry_commitment(guess, {**body, "at": at, "by": by}) != target
    unsalted = b"counterfoil/entry/v1\x00" + jcs(body)
    assert hashlib.sha256(unsalted).digest() != target
    assert salt not in left
    assert salt.hex().encode() not in left


@pytest.mark.skipif("sqlite" not in str(connection.settings_dict["ENGINE"]), reason="reads SQLite's own file")
def test_the_database_file_no_longer_holds_the_salt(home: Path) -> None:
    subject, sealed = exhibit()
    salt = bytes(sealed.salt)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1
    name = Path(str(connection.settings_dict["NAME"]))

    def held() -> bool:
        return any(salt in p.read_bytes() for p in name.parent.glob(f"{name.name}*"))

    if not name.is_file():
        pytest.skip("the test's database is in memory")
    assert held()
    erase(subject)
    assert not held()
    assert sqlite3.sqlite_version


def test_receipts_replies_and_tiles_are_untouched(home: Path) -> None:
    subject, _ = exhibit()
    with transaction.atomic():
        actions.once("form", "k1", "d", lambda: {"id": str(subject)})
    tiles = {p: p.read_bytes() for p in (home / "log").rglob("*") if p.is_file()}
    erase(subject)
    assert {p: p.read_bytes() for p in (home / "log").rglob("*") if p.is_file()} == tiles
    assert Reply.objects.get().answer == {"id": str(subject)}


# who may


def test_nobody_erases_alone(home: Path) -> None:
    subject, sealed = exhibit()
    for few in ((), (ONE,), (ONE, ONE), (ONE, Viewer.clock()), (ONE, Viewer.public())):
        with pytest.raises(NotAllowed, match="Two different people"):
            erase(subject, approved_by=few)
    assert Entry.objects.get(pk=sealed.pk).body


def test_a_rule_that_does_not_exist_or_does_not_hold_yet_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace
    from datetime import date

    from counterfoil.ledger.actions import erasure
    from counterfoil.reference.retention import retention_rules

    subject, _ = exhibit()
    with pytest.raises(BadInput, match="rule"):
        erase(subject, rule="because")
    later = {RULE: replace(retention_rules()[RULE], valid_from=date(2200, 1, 1))}
    monkeypatch.setattr(erasure, "retention_rules", lambda: later)
    with pytest.raises(BadInput, match="rule"):
        erase(subject)


def test_every_rule_has_a_source_and_says_that_it_is_uncertain() -> None:
    from counterfoil.reference.retention import retention_rules

    assert {r.uncertain for r in retention_rules().values()} == {True}
    assert all(r.source and r.keep and r.title for r in retention_rules().values())


def test_what_has_no_place_yet_was_erased_before_or_accounts_for_the_log_is_not_erased(home: Path) -> None:
    subject, sealed = exhibit()
    with transaction.atomic():
        fresh = actions.record("exhibit.viewed", by=ONE, on=("exhibit", subject))
    with pytest.raises(NotAllowed, match="no place in the log yet"):
        erase(subject, entries=[fresh.pk])
    why = erase(subject, entries=[sealed.pk])
    with pytest.raises(NotAllowed, match="gone already"):
        erase(subject, entries=[sealed.pk])
    grown()
    with pytest.raises(NotAllowed, match="never erased"):
        erase(subject, entries=[why.pk])
    with pytest.raises(BadInput, match="do not exist"):
        erase(subject, entries=[uuid4()])
    with pytest.raises(BadInput, match="do not exist"):
        erase(subject, entries=[])


def test_an_erasure_that_is_rolled_back_leaves_everything(home: Path) -> None:
    subject, sealed = exhibit()

    def undone() -> None:
        with transaction.atomic():
            erase(subject)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert Entry.objects.get(pk=sealed.pk).body
    assert decisions("erased") == []
    actions.replay_erasures()
    assert Entry.objects.get(pk=sealed.pk).body


# restores


def test_a_restored_backup_does_not_bring_it_back(home: Path) -> None:
    subject, sealed = exhibit()
    before = Entry.objects.get(pk=sealed.pk)
    why = erase(subject)
    grown()
    Entry.objects.filter(pk=before.pk).update(salt=before.salt, body=before.body, by=before.by, gone_by=None)
    assert [f for f in faults() if "its content is back" in f]
    assert actions.replay_erasures() == 1
    row = Entry.objects.get(pk=sealed.pk)
    assert (bytes(row.salt), row.body, bytes(row.gone_by or b"")) == (b"", {}, bytes(why.commitment))
    assert actions.replay_erasures() == 0
    assert faults() == []


def test_the_commands_that_serve_erase_again_before_they_serve(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from counterfoil import cli

    subject, sealed = exhibit()
    before = Entry.objects.get(pk=sealed.pk)
    erase(subject)
    Entry.objects.filter(pk=before.pk).update(salt=before.salt, body=before.body, by=before.by, gone_by=None)
    monkeypatch.setattr(cli, "tick", lambda: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["clock", "--once"])
    assert ended.value.code == 0
    assert Entry.objects.get(pk=sealed.pk).body == {}


def test_a_kill_between_the_commit_and_the_file_of_decisions_is_made_good(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from counterfoil.ledger.actions import erasure

    subject, _ = exhibit()
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "_tell_file", lambda: None)
        erase(subject)
    assert [f for f in faults() if "a restore would bring it back" in f]
    actions.replay_erasures()
    assert [one["rule"] for one in decisions("erased")] == [RULE]
    assert faults() == []


def test_a_line_of_the_file_of_decisions_that_a_kill_cut_short_is_written_again(home: Path) -> None:
    subject, _ = exhibit()
    erase(subject)
    path = decisions_file()
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert decisions("erased") == []
    actions.replay_erasures()
    assert len(decisions("erased")) == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_of_decisions_says_nothing_about_anybody(home: Path) -> None:
    subject, _ = exhibit()
    erase(subject)
    text = decisions_file().read_text()
    assert str(subject) not in text
    assert set(decisions("erased")[0]) == {"kind", "at", "by", "rule", "approved_by", "commitments"}


# what fsck accounts for


def test_content_that_is_gone_without_an_erasure_is_a_fault(home: Path) -> None:
    subject, sealed = exhibit()
    Entry.objects.filter(pk=sealed.pk).update(salt=b"", body={}, by="", gone_by=b"x" * 32)
    assert [f for f in faults() if "no content, and no entry says why" in f]
    other = Entry.objects.get(act="exhibit.viewed")
    erase(subject, entries=[other.pk])
    why = Entry.objects.get(act="exhibit.erased")
    Entry.objects.filter(pk=sealed.pk).update(gone_by=why.commitment)
    assert [f for f in faults() if "does not say that it was erased" in f]


def test_the_database_holds_no_half_erased_entry(home: Path) -> None:
    from django.db import IntegrityError

    _, sealed = exhibit()
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.filter(pk=sealed.pk).update(gone_by=b"x" * 32)


def test_tiles_can_still_be_built_again_from_the_database(home: Path) -> None:
    import shutil

    subject, _ = exhibit()
    erase(subject)
    grown()
    shutil.rmtree(home / "log")
    grown()
    assert log_folder().size() == Checkpoint.objects.order_by("-size")[0].size
    assert faults() == []
    every_proof_holds()
