"""A new key of the same log signs on, old evidence stays good, and a revoked key's later signatures do not count."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from tests.ledger.outside import grown

from counterfoil.accounts.rules import Viewer
from counterfoil.courts.gather import policy_text
from counterfoil.engines.bundle import read_history
from counterfoil.engines.disk import place
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.engines.tlog import Policy, Signer, Verifier, checkpoint_text, open_note, sign_note
from counterfoil.ledger import actions
from counterfoil.ledger.models import Checkpoint, Entry
from counterfoil.ledger.queries import faults, note_of, quorum_met
from counterfoil.plugs import keys as plug
from counterfoil.plugs.keys import key_id, keys, periods, verifiers

pytestmark = pytest.mark.django_db
BY = Viewer.clock()


def test_a_new_log_key_signs_on_under_the_same_name_and_the_history_is_signed_by_both(home: Path) -> None:
    old = keys().log
    first = actions.witness_checkpoint(grown(3))
    change = actions.rotate_key("log", by=BY)
    new = keys().log
    assert (change.old, change.new) == (old.vkey, new.vkey)
    assert new.name == old.name
    second = actions.witness_checkpoint(grown(2))
    assert new.verifier in open_note(second.note, [new.verifier]).verified_by
    assert quorum_met(second)  # the witnesses know both keys
    history = keys().history
    assert set(open_note(history, [old.verifier, new.verifier]).verified_by) == {old.verifier, new.verifier}
    policy = Policy.parse(policy_text())
    assert policy.open_checkpoint(note_of(first)).log == old.verifier
    assert policy.open_checkpoint(note_of(second)).log == new.verifier
    assert f"#counterfoil ended {old.name}+{key_id(old.vkey)} " in policy_text()
    entry = Entry.objects.get(act="key.rotated")
    assert (entry.body["role"], entry.body["old"], entry.body["new"]) == ("log", old.vkey, new.vkey)
    assert faults() == []


def test_the_old_private_key_is_gone(home: Path) -> None:
    secret = keys().log.to_text()
    actions.rotate_key("log", by=BY)
    assert not [p for p in (home / "keys").rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
    assert not list((home / "keys").glob("*.next"))


def test_another_process_notices_the_new_key_at_once(home: Path) -> None:
    before = keys()
    actions.rotate_key("log", by=BY)
    assert before.log.vkey != keys().log.vkey
    assert grown().note.count(f"— {keys().log.name} ") == 1
    assert (
        keys().log.verifier
        in open_note(Checkpoint.objects.get(size=2).note, [keys().log.verifier]).verified_by
    )


def test_rotating_twice_keeps_the_whole_history(home: Path) -> None:
    for role in ("log", "log", "manifest", "receipt", "log"):
        grown()
        actions.rotate_key(role, by=BY)
    assert [p.role for p in periods()].count("log") == 4
    assert [p.role for p in periods() if p.end is None] == ["manifest", "receipt", "log"]
    actions.witness_checkpoint(grown())
    assert faults() == []


@pytest.mark.parametrize("role", ["receipt", "manifest"])
def test_another_role_changes_under_the_signatures_of_the_log_the_old_and_the_new_key(
    home: Path, role: str
) -> None:
    old = getattr(keys(), role)
    actions.rotate_key(role, by=BY)
    new = getattr(keys(), role)
    verifiers_ = [keys().log.verifier, old.verifier, new.verifier]
    assert list(open_note(keys().history, verifiers_).verified_by) == verifiers_


def test_a_revoked_key_is_replaced_and_what_it_signs_afterwards_is_a_fault(home: Path) -> None:
    thief = keys().log
    actions.witness_checkpoint(grown(2))
    actions.revoke_key("log", key_id(thief.vkey), "stolen", by=BY)
    assert keys().log.vkey != thief.vkey
    good = grown(2)
    assert faults() == []
    period = next(p for p in read_history(keys().history) if p.vkey == thief.vkey)
    assert period.reason == "stolen"
    assert period.revoked is not None
    forged = sign_note(checkpoint_text(thief.name, good.size, bytes(good.root)), [thief])
    Checkpoint.objects.filter(pk=good.pk).update(note=forged, at=timezone.now() + timedelta(seconds=2))
    assert [f for f in faults() if "a key that was revoked before" in f]
    assert {e.act for e in Entry.objects.filter(act__startswith="key.")} == {"key.rotated", "key.revoked"}


def test_a_key_that_was_rotated_out_can_be_revoked_later_back_to_a_time(home: Path) -> None:
    old = keys().manifest
    actions.rotate_key("manifest", by=BY)
    since = datetime.now(UTC)
    change = actions.revoke_key("manifest", key_id(old.vkey), "lost", by=BY, since=since)
    assert change.new == ""
    assert next(p for p in periods() if p.vkey == old.vkey).revoked == since.replace(microsecond=0)
    with pytest.raises(NotAllowed, match="revoked before"):
        actions.revoke_key("manifest", key_id(old.vkey), "lost", by=BY)


@pytest.mark.parametrize(
    ("role", "key", "reason", "since", "said"),
    [
        ("log", "00000000", "lost", None, "never had a key"),
        ("log", "", "because", None, "is one of"),
        ("log", "own", "lost", datetime(2001, 1, 1, tzinfo=UTC), "between its first use and now"),
        ("log", "own", "lost", datetime(2201, 1, 1, tzinfo=UTC), "between its first use and now"),
    ],
)
def test_a_revocation_that_makes_no_sense_is_refused(
    home: Path, role: str, key: str, reason: str, since: datetime | None, said: str
) -> None:
    name = key_id(keys().log.vkey) if key == "own" else key
    with pytest.raises(BadInput, match=said):
        actions.revoke_key(role, name, reason, by=BY, since=since)


def test_receipts_of_the_old_key_still_check_and_those_dated_after_it_was_stolen_do_not(home: Path) -> None:
    from counterfoil.reports.queries import check_receipt

    old = keys().receipt

    def receipt(at: datetime) -> str:
        text = f"counterfoil/receipt/v1\nreference AAAAA\nreceived {at.strftime('%Y-%m-%dT%H:%M:%SZ')}\n"
        return sign_note(text, [old])

    before, after = receipt(datetime.now(UTC)), receipt(datetime.now(UTC) + timedelta(hours=1))
    assert check_receipt(before).valid
    actions.rotate_key("receipt", by=BY)
    assert check_receipt(before).valid
    assert old.vkey != keys().receipt.vkey
    actions.revoke_key("receipt", key_id(old.vkey), "stolen", by=BY, since=datetime.now(UTC))
    assert check_receipt(receipt(periods()[1].start - timedelta(seconds=1))).valid
    refused = check_receipt(after)
    assert not refused.valid
    assert "no longer good when it was given" in refused.sentence


CHILD = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "counterfoil.config.settings"
django.setup()
from counterfoil.plugs import keys as plug
from counterfoil.engines import disk
steps = int(sys.argv[1])
real_replace, real_rename = disk.replace, type(plug.Path()).replace
def count():
    global steps
    steps -= 1
    if steps < 0:
        os._exit(9)
def replace(path, data):
    count(); real_replace(path, data); count()
def rename(self, target):
    if self.name.endswith(".next"):
        count()
    return real_rename(self, target)
plug.keys()
disk.replace = replace
type(plug.Path()).replace = rename
plug.rotate("log")
"""


@pytest.mark.own_home
def test_a_kill_anywhere_in_a_rotation_leaves_the_old_key_or_the_new_one(tmp_path: Path) -> None:
    from django.test import override_settings

    outcomes = set()
    for steps in range(5):
        home = tmp_path / str(steps)
        home.mkdir(mode=0o700)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DJANGO_"))}
        with override_settings(COUNTERFOIL_HOME=home):
            first = keys().log.vkey
            done = subprocess.run(
                [sys.executable, "-c", CHILD, str(steps)],
                env={**env, "COUNTERFOIL_HOME": str(home)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode in (0, 9), done.stderr
            plug._load.cache_clear()  # a start of the next process
            now = keys()
            assert Verifier.from_vkey(now.log.vkey) in open_note(now.history, verifiers("log")).verified_by
            assert not list((home / "keys").glob("*.next"))
            outcomes.add((done.returncode, now.log.vkey == first))
            plug.rotate("log")
    assert outcomes >= {(9, True), (9, False), (0, False)}


def test_a_history_that_is_not_the_logs_or_not_that_of_the_keys_is_refused(home: Path) -> None:
    folder = keys().folder
    good = (folder / "history.note").read_text()
    other = Signer.generate(keys().log.name)
    text = good.split("\n\n")[0] + "\n"
    (folder / "history.note").write_text(sign_note(text, [other]))
    with pytest.raises(Corrupt):
        keys()
    (folder / "history.note").write_text(good)
    (folder / "receipt.key").unlink()
    place(folder / "receipt.key", (Signer.generate("a.example/receipt").to_text() + "\n").encode())
    (folder / "history.note").touch()
    with pytest.raises(Corrupt, match="not those that the history"):
        keys()


def test_a_change_without_its_entry_is_a_fault_and_the_clock_makes_it_good(home: Path) -> None:
    grown()
    plug.rotate("log")
    assert [f for f in faults() if "was replaced and no entry says so" in f]
    assert actions.note_key_changes(by=BY) == 1
    assert actions.note_key_changes(by=BY) == 0
    assert faults() == []


def test_a_lost_log_key_is_not_silently_replaced(home: Path) -> None:
    folder = keys().folder
    (folder / "log.key").unlink()
    with pytest.raises(NotAllowed, match="The log's key is gone"):
        keys()
