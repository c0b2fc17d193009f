"""Quorum of distinct operators, two authorities that agree, and what happens while one of them is away."""

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from tests.ledger.outside import DOWN, REPLIES, Authority, grown, plugs

from counterfoil.adapters.timestamper_local import LocalAuthority
from counterfoil.courts.gather import policy_text
from counterfoil.engines.bundle.identity import YEARS_10, make_development_identity
from counterfoil.engines.bundle.stamp import check_reply
from counterfoil.engines.errors import Corrupt, NotAllowed
from counterfoil.engines.tlog import Policy, open_note
from counterfoil.ledger import actions
from counterfoil.ledger.actions import anchoring as acting
from counterfoil.ledger.models import Checkpoint, Stamp
from counterfoil.ledger.queries import anchoring, faults, note_of, quorum_met, signed_by, stamps_of
from counterfoil.plugs.keys import keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(home: Path, settings: Any) -> Path:
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "south"])}
    settings.WITNESS_QUORUM = 2
    return home


def test_every_witness_cosigns_and_both_authorities_stamp_the_cosigned_note(two: Path) -> None:
    point = actions.witness_checkpoint(grown(3))
    assert signed_by(point) == {"w1": "north", "w2": "south"}
    stamps = stamps_of(point)
    assert [s.name for s in stamps] == ["tsa1", "tsa2"]
    assert point.lacking == ""
    assert anchoring().sentence.startswith("Anchored until ")
    assert "3 of 3 entries" in anchoring().sentence
    assert faults() == []
    judged = Policy.parse(policy_text()).open_checkpoint(note_of(point))
    assert judged.quorum_met
    assert set(judged.witnesses) == {"w1", "w2"}


def test_one_witness_that_is_down_does_not_stop_the_other_and_is_named_until_it_is_back(two: Path) -> None:
    grown()
    DOWN.add("w2")
    point = grown(2)
    with pytest.raises(NotAllowed, match=r"Too few witnesses .* 2 operators .* Lacking: witness:w2"):
        actions.witness_checkpoint(point)
    point.refresh_from_db()
    assert signed_by(point) == {"w1": "north"}
    assert not quorum_met(point)
    assert not Policy.parse(policy_text()).open_checkpoint(note_of(point)).quorum_met
    DOWN.clear()
    point = actions.witness_checkpoint(point)
    assert quorum_met(point)
    assert point.lacking == ""
    assert len(stamps_of(point)) == 2
    assert faults() == []


def test_two_witnesses_of_one_operator_count_once(home: Path, settings: Any) -> None:
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "north", "south"])}
    settings.WITNESS_QUORUM = 2
    grown()
    DOWN.add("w3")
    point = grown()
    with pytest.raises(NotAllowed, match="Too few witnesses"):
        actions.witness_checkpoint(point)
    point.refresh_from_db()
    assert set(signed_by(point)) == {"w1", "w2"}
    policy = Policy.parse(policy_text())
    assert not policy.open_checkpoint(note_of(point)).quorum_met
    DOWN.clear()
    DOWN.add("w2")
    point = actions.witness_checkpoint(grown())
    assert set(signed_by(point)) == {"w1", "w3"}
    assert policy.open_checkpoint(note_of(point)).quorum_met


def test_a_witness_that_hangs_is_waited_for_only_so_long(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from tests.ledger.outside import Witness

    grown()
    point = grown()
    never, really = threading.Event(), Witness.cosign

    def hang(self: Witness, *given: Any) -> str:
        if self.where == "w2":
            never.wait(30)
        return really(self, *given)

    monkeypatch.setattr(Witness, "cosign", hang)
    monkeypatch.setattr(acting, "ASK_LIMIT", 0.5)
    with pytest.raises(NotAllowed, match="Too few witnesses"):
        actions.witness_checkpoint(point)
    never.set()
    point.refresh_from_db()
    assert point.lacking == "witness:w2"
    assert set(signed_by(point)) == {"w1"}


def test_one_authority_that_is_down_is_marked_and_asked_again_by_the_clock(two: Path) -> None:
    DOWN.add("tsa2")
    point = actions.witness_checkpoint(grown())
    assert point.lacking == "timestamper:tsa2"
    assert [s.name for s in stamps_of(point)] == ["tsa1"]
    DOWN.clear()
    acting._tried.clear()
    actions.anchor(timezone.now())
    point.refresh_from_db()
    assert point.lacking == ""
    assert [s.name for s in stamps_of(point)] == ["tsa1", "tsa2"]
    assert Stamp.objects.count() == 3  # every reply is kept
    assert faults() == []


def test_the_clock_cosigns_each_minute_and_stamps_each_hour(two: Path) -> None:
    now = timezone.now()
    first = grown()
    actions.anchor(now)
    second = grown()
    actions.anchor(now)
    second.refresh_from_db()
    assert not second.cosigned  # tried less than a minute ago
    acting._tried.clear()
    actions.anchor(now)
    first.refresh_from_db()
    second.refresh_from_db()
    assert quorum_met(first)
    assert quorum_met(second)
    assert (first.stamps.count(), second.stamps.count()) == (2, 0)
    acting._tried.clear()
    actions.anchor(now + timedelta(hours=2))
    assert second.stamps.count() == 2


def test_without_any_authority_there_is_no_bundle_and_the_reason_is_told(two: Path) -> None:
    DOWN.update({"tsa1", "tsa2"})
    with pytest.raises(NotAllowed, match="No timestamp authority stamped the log"):
        actions.witness_checkpoint(grown())
    assert Checkpoint.objects.get().lacking == "timestamper:tsa1 timestamper:tsa2"


# what an authority sends is checked when it comes


def other_bytes(home: Path) -> bytes:
    return LocalAuthority(home / "tsa2").stamp(hashlib.sha256(b"other bytes").digest())


def test_a_transplanted_token_is_refused_on_receipt_and_not_kept(two: Path) -> None:
    REPLIES["tsa2"] = lambda digest: other_bytes(two)
    point = actions.witness_checkpoint(grown())
    assert point.lacking == "timestamper:tsa2"
    assert [s.name for s in Stamp.objects.all()] == ["tsa1"]


@pytest.mark.parametrize("reply", [b"", b"\x30\x03\x02\x01\x02", b"not a reply"])
def test_what_is_no_stamp_is_refused_on_receipt(two: Path, reply: bytes) -> None:
    REPLIES["tsa2"] = lambda digest: reply
    assert actions.witness_checkpoint(grown()).lacking == "timestamper:tsa2"


def test_a_stamp_by_a_stranger_is_refused_on_receipt(two: Path, tmp_path: Path) -> None:
    stranger = LocalAuthority(tmp_path / "stranger")
    REPLIES["tsa2"] = stranger.stamp
    assert actions.witness_checkpoint(grown()).lacking == "timestamper:tsa2"


def test_two_authorities_that_disagree_about_the_time_stop_the_bundle(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        @staticmethod
        def now(tz: Any = None) -> datetime:
            return datetime.now(tz) - timedelta(minutes=20)

    def late(digest: bytes) -> bytes:
        with monkeypatch.context() as patch:
            patch.setattr("counterfoil.adapters.timestamper_local.datetime", Slow)
            return LocalAuthority(two / "tsa2").stamp(digest)

    from tests.ledger import outside

    outside.Authority(str(two / "tsa1")), outside.Authority(str(two / "tsa2"))
    REPLIES["tsa2"] = late
    monkeypatch.setattr(
        acting, "together", lambda calls, *, limit: {name: call() for name, call in calls.items()}
    )
    with pytest.raises(NotAllowed, match="do not agree about the time"):
        actions.witness_checkpoint(grown())
    assert "timestamper:agreement" in Checkpoint.objects.get().lacking
    assert Stamp.objects.count() == 2
    REPLIES.clear()
    point = actions.witness_checkpoint(Checkpoint.objects.get())
    assert point.lacking == ""
    assert len(stamps_of(point)) == 2


# timestamps in 2036


def short_lived(folder: Path, days: int) -> None:
    """Put an authority into a folder whose certificate expires in so many days."""
    begun = datetime.now(UTC) - YEARS_10 + timedelta(days=days, hours=1)
    make_development_identity(folder, "short-lived authority", timestamping=True, now=begun)


def openssl(data: bytes, tsr: bytes, chain: tuple[str, ...], at: datetime, folder: Path) -> bool:
    """Say whether openssl accepts a stamp at a time."""
    (folder / "data").write_bytes(data)
    (folder / "tsr").write_bytes(tsr)
    (folder / "root.pem").write_text(chain[-1])
    (folder / "chain.pem").write_text("".join(chain))
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", folder / "data", "-in", folder / "tsr", "-CAfile", folder / "root.pem",
         "-untrusted", folder / "chain.pem", "-attime", str(int(at.timestamp()))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def test_a_stamp_is_renewed_before_its_authority_expires_and_both_check_at_their_times(
    home: Path, settings: Any, tmp_path: Path
) -> None:
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "south"])}
    short_lived(home / "tsa1", 30)
    point = actions.witness_checkpoint(grown())
    now = timezone.now()
    assert actions.renew(now) == 1
    assert actions.renew(now) == 0
    first, second = stamps_of(point)
    assert (first.name, len(first.renewals), len(second.renewals)) == ("tsa1", 1, 0)
    note = note_of(point).encode()
    certs = first.chain
    own, other = certs[:2], certs[2:]
    expired, later = now + timedelta(days=60), now + timedelta(days=3000)
    assert openssl(note, first.tsr, own, now, tmp_path)
    assert not openssl(note, first.tsr, own, expired, tmp_path)
    assert openssl(note, first.tsr, own, first.at, tmp_path)  # the documented command
    assert openssl(first.tsr, first.renewals[0], other, later, tmp_path)
    assert not openssl(note, first.renewals[0], other, later, tmp_path)
    assert faults() == []


def test_what_was_not_renewed_in_time_is_told_and_still_checks_for_its_own_time(
    home: Path, settings: Any, tmp_path: Path
) -> None:
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "south"])}
    point = actions.witness_checkpoint(grown())
    Stamp.objects.filter(name="tsa1").update(expires=timezone.now() - timedelta(days=1))
    assert actions.renew(timezone.now()) == 0
    assert [f for f in faults() if "was not renewed" in f and "-attime" in f]
    stamp = stamps_of(point)[0]
    assert openssl(note_of(point).encode(), stamp.tsr, stamp.chain, stamp.at, tmp_path)


def test_an_authority_that_would_not_last_longer_renews_nothing(home: Path, settings: Any) -> None:
    settings.PLUGS = {**settings.PLUGS, **plugs(home, ["north", "south"], ["tsa1"])}
    short_lived(home / "tsa1", 30)
    actions.witness_checkpoint(grown())
    assert actions.renew(timezone.now()) == 0
    assert Stamp.objects.count() == 1


def test_a_certificate_revoked_before_the_stamp_fails_and_without_its_being_revoked_it_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ec.EllipticCurvePrivateKey] = []
    really = ec.generate_private_key

    def generate(curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        made.append(really(curve))
        return made[-1]

    with monkeypatch.context() as patch:
        patch.setattr(ec, "generate_private_key", generate)
        begun = datetime.now(UTC) - timedelta(days=9)
        make_development_identity(tmp_path / "tsa", "authority", timestamping=True, now=begun)
    authority = LocalAuthority(tmp_path / "tsa")
    digest = hashlib.sha256(b"a note").digest()
    stamp = authority.stamp(digest)
    chain = [x509.load_pem_x509_certificate(p.encode()) for p in authority.chain]

    def judge(serial: int, revoked: datetime) -> None:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(revoked).build()
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(chain[-1].subject)
            .last_update(begun)
            .next_update(begun + YEARS_10)
            .add_revoked_certificate(entry)
            .sign(made[0], hashes.SHA256())
        )
        check_reply(stamp, digest, chain=chain, roots=[authority.root_sha256], crls=[crl])

    judge(chain[0].serial_number + 1, begun)  # the negative control: somebody else's certificate
    with pytest.raises(Corrupt, match="revoked"):
        judge(chain[0].serial_number, begun + timedelta(days=1))


def test_a_stamp_changed_in_the_database_is_found(two: Path) -> None:
    actions.witness_checkpoint(grown())
    stamp = Stamp.objects.get(name="tsa2")
    Stamp.objects.filter(pk=stamp.pk).update(tsr=bytes(stamp.tsr)[:-1] + bytes([bytes(stamp.tsr)[-1] ^ 1]))
    assert [f for f in faults() if "tsa2" in f and "does not hold" in f]
    Stamp.objects.filter(pk=stamp.pk).update(tsr=stamp.tsr, at=stamp.at + timedelta(seconds=5))
    assert [f for f in faults() if "another time" in f]


def test_a_cosignature_changed_in_the_database_is_found(two: Path) -> None:
    point = actions.witness_checkpoint(grown())
    lines = point.cosigned.splitlines(keepends=True)
    name, _, line = lines[-1].rpartition(" ")
    forged = name + " " + line[:40] + ("A" if line[40] != "A" else "B") + line[41:]
    Checkpoint.objects.filter(pk=point.pk).update(cosigned="".join([*lines[:-1], forged]))
    assert [f for f in faults() if "bad signature" in f]


def test_what_the_log_key_signed_is_opened_by_whoever_knows_it(two: Path) -> None:
    point = actions.witness_checkpoint(grown())
    assert keys().log.name in open_note(point.cosigned, [keys().log.verifier]).verified
    assert isinstance(Authority(str(two / "tsa1")), LocalAuthority)
    with pytest.raises(Corrupt):
        check_reply(b"", bytes(32), chain=(), roots=())
