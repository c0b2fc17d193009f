"""The installation's own keys: log, receipt and manifest signers, read from `$COUNTERFOIL_HOME/keys`.

Development makes its own keys on first use, with DEVELOPMENT in their names, so every verifier caps the verdict.
Production never makes keys and refuses development ones: an operator puts them there with `counterfoil keys`.

`history.note` tells which key served in which role from when until when, and which were revoked. It is signed by the
log's key, and at each change by the old and the new key, so that whoever trusts the one learns of the other. Replacing
it is what makes a change happen: a key that is not yet, or no longer, its role's current one signs nothing.
"""

import fcntl
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings

from counterfoil.engines import disk
from counterfoil.engines.bundle.history import ROLES, KeyPeriod, key_history, read_history
from counterfoil.engines.disk import place
from counterfoil.engines.errors import BadInput, Corrupt, NotAllowed
from counterfoil.engines.tlog import Signer, Verifier, open_note

REASONS = ("lost", "stolen", "superseded", "mistake")


@dataclass(frozen=True)
class Keys:
    """The current signers of one installation. `folder` also holds the sealing identity (see engines.bundle)."""

    log: Signer
    receipt: Signer
    manifest: Signer
    folder: Path
    history: str

    @property
    def development(self) -> bool:
        """Say whether any of the keys is a development key."""
        return any("DEVELOPMENT" in s.name for s in (self.log, self.receipt, self.manifest))


@dataclass(frozen=True)
class Change:
    """What a change of keys did: the role, the key that no longer signs, and the one that signs now."""

    role: str
    old: str
    new: str
    at: datetime


def _folder() -> Path:
    return Path(settings.COUNTERFOIL_HOME) / "keys"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _name(role: str) -> str:
    return f"{settings.COUNTERFOIL_NAME}/{'' if settings.PRODUCTION else 'DEVELOPMENT-'}{role}"


def make_missing() -> list[str]:
    """Make the keys that no role has yet, and return their roles. An existing key is never replaced."""
    folder = _folder()
    with _locked(folder):
        return _make_missing(folder)


def _make_missing(folder: Path) -> list[str]:
    """Make the missing keys; the history follows, so a kill between the two is made good by the next call."""
    made = [role for role in ROLES if not (folder / f"{role}.key").exists()]
    if "log" in made and (folder / "history.note").exists():
        raise NotAllowed(
            "The log's key is gone though its history is there. Put it back from where it is kept; "
            "a new log needs a new COUNTERFOIL_NAME and an empty COUNTERFOIL_HOME."
        )
    for role in made:
        signer = Signer.generate(_name(role))
        place(folder / f"{role}.key", (signer.to_text() + "\n").encode())
    disk.sync_folder(folder, folder)
    have = _periods(folder)
    known = {p.vkey for p in have}
    signers = {role: _read(folder / f"{role}.key") for role in ROLES}
    fresh = [KeyPeriod(role, s.vkey, _now()) for role, s in signers.items() if s.vkey not in known]
    if fresh:
        new = {p.role for p in fresh}
        have = [replace(p, end=_now()) if p.role in new and p.end is None else p for p in have]
        _write_history(folder, [*have, *fresh], [signers["log"]])
    return made


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _read(path: Path) -> Signer:
    if path.stat().st_mode & 0o077:
        raise NotAllowed(f"{path.name} can be read by others. Run: chmod 600 on it.")
    return Signer.from_text(path.read_text().strip())


def _periods(folder: Path) -> list[KeyPeriod]:
    path = folder / "history.note"
    return list(read_history(path.read_text("utf-8"))) if path.exists() else []


def _write_history(folder: Path, found: Sequence[KeyPeriod], signers: Sequence[Signer]) -> None:
    disk.replace(folder / "history.note", key_history(found, signers).encode())


@cache
def _load(folder: Path, production: bool, version: tuple[int, int]) -> Keys:
    """Read the keys that go with one version of the history's file."""
    with _locked(folder):
        _finish(folder)
        found = {role: _read(folder / f"{role}.key") for role in ROLES}
        history = (folder / "history.note").read_text("utf-8")
    if found["log"].verifier not in open_note(history, [found["log"].verifier]).verified_by:
        raise Corrupt("The history of the keys is not signed by the log's key.")
    current = {(p.role, p.vkey) for p in read_history(history) if p.end is None}
    if current != {(role, s.vkey) for role, s in found.items()}:
        raise Corrupt("The keys in use are not those that the history of the keys names.")
    keys = Keys(found["log"], found["receipt"], found["manifest"], folder, history)
    if production and keys.development:
        raise NotAllowed(
            "Production does not run on development keys, nor on a log that they signed. Start with an empty "
            "COUNTERFOIL_HOME and run: counterfoil keys --new"
        )
    return keys


def keys() -> Keys:
    """Return this installation's current keys, making development ones on first use outside production.

    A change of keys by another process is noticed at once: what was read is tied to the history's file.
    """
    folder = _folder()
    missing = [role for role in ROLES if not (folder / f"{role}.key").exists()]
    if missing and settings.PRODUCTION:
        raise NotAllowed(
            f"There is no {missing[0]} key in {folder.name}/. Make one with: counterfoil keys --new"
        )
    if missing or not (folder / "history.note").exists():
        make_missing()
    stat = (folder / "history.note").stat()
    return _load(folder, settings.PRODUCTION, (stat.st_ino, stat.st_mtime_ns))


def periods() -> tuple[KeyPeriod, ...]:
    """Return which key served in which role from when until when, and which were revoked."""
    return read_history(keys().history)


def verifiers(role: str) -> list[Verifier]:
    """Return every key that a role ever had, for reading what was signed before a change."""
    return [Verifier.from_vkey(p.vkey) for p in periods() if p.role == role]


def signed_in_time(role: str, vkey: str, at: datetime) -> bool:
    """Say whether a key of a role was not revoked at a time; a key that was only rotated out keeps what it signed."""
    return any(p.role == role and p.vkey == vkey and (p.revoked is None or at < p.revoked) for p in periods())


# Changing keys


def rotate(role: str) -> Change:
    """Give a role a new key; the old one's private half is destroyed, and what it signed stays good.

    The new key is durable first; then the history, signed by both, takes its place; then the key file follows. A kill
    anywhere leaves the old state or the new one, and the next start finishes the new one.
    """
    return _change(role, None)


def revoke(role: str, key_id: str, reason: str, since: datetime | None = None) -> Change:
    """Say that nothing a key signed from `since` (default: now) counts; the current key is replaced at the same time.

    `key_id`: eight hex digits, as in the verifier key. `reason` is one of REASONS. Returns what changed, with `new`
    empty when the key had been rotated out before.
    """
    if reason not in REASONS:
        raise BadInput("reason", f"Why a key is revoked is one of: {', '.join(REASONS)}.")
    match = [p for p in periods() if p.role == role and p.vkey.split("+")[1] == key_id]
    if not match:
        raise BadInput("key", f"The {role} role never had a key {key_id}.")
    if match[0].revoked is not None:
        raise NotAllowed(f"The key {key_id} was revoked before.")
    # Times are whole seconds: "now" is the end of this one, so that what was signed before the decision still counts.
    now = _now() + timedelta(seconds=1)
    at = since.astimezone(UTC).replace(microsecond=0) if since else now
    if not match[0].start <= at <= now:
        raise BadInput("since", "A key is revoked from a time between its first use and now.")
    return _change(role, replace(match[0], revoked=at, reason=reason))


def _change(role: str, revoked: KeyPeriod | None) -> Change:
    if role not in ROLES:
        raise BadInput("role", f"A key's role is one of {', '.join(ROLES)}.")
    had = keys()
    folder, old = had.folder, getattr(had, role)
    with _locked(folder):
        found = _periods(folder)
        if old.vkey not in {p.vkey for p in found if p.end is None}:
            raise NotAllowed("Somebody else changed this key a moment ago. Look at it again.")
        now, fresh, signers = _now(), None, [had.log]
        if revoked is None or revoked.end is None:
            fresh = Signer.generate(_name(role))
            (folder / f"{role}.key.next").unlink(missing_ok=True)
            place(folder / f"{role}.key.next", (fresh.to_text() + "\n").encode())
            disk.sync_folder(folder, folder)
            found = [replace(p, end=now) if p.vkey == old.vkey and p.role == role else p for p in found]
            found.append(KeyPeriod(role, fresh.vkey, now))
            signers += [s for s in (old, fresh) if s.vkey != had.log.vkey]
        if revoked is not None:
            found = [
                replace(p, revoked=revoked.revoked, reason=revoked.reason)
                if p.vkey == revoked.vkey and p.role == role
                else p
                for p in found
            ]
        _write_history(folder, found, signers)
        _finish(folder)
    _load.cache_clear()
    gone = revoked.vkey if revoked else old.vkey
    return Change(role, gone, fresh.vkey if fresh else "", now)


def _finish(folder: Path) -> None:
    """Put the key that the history names in place of the one before it, or drop one that it does not name."""
    current = {p.vkey for p in _periods(folder) if p.end is None}
    for path in folder.glob("*.key.next"):
        if _read(path).vkey in current:
            path.replace(folder / path.name.removesuffix(".next"))
        else:
            path.unlink()
        disk.sync_folder(folder, folder)


def key_id(vkey: str) -> str:
    """Return the eight hex digits that name a key within a verifier key."""
    found = re.fullmatch(r"[^+]+\+([0-9a-f]{8})\+.+", vkey)
    if not found:
        raise BadInput("key", "This is not a verifier key.")
    return found[1]
