"""The installation's own keys: log, receipt and manifest signers, read once from `$COUNTERFOIL_HOME/keys`.

Development makes its own keys on first use, with DEVELOPMENT in their names, so every verifier caps the verdict.
Production never makes keys and refuses development ones: an operator puts them there with `counterfoil keys`.
"""

import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

from counterfoil.engines.errors import NotAllowed
from counterfoil.engines.tlog import Signer


@dataclass(frozen=True)
class Keys:
    """The signers of one installation. `folder` also holds the sealing identity (see engines.bundle)."""

    log: Signer
    receipt: Signer
    manifest: Signer
    folder: Path

    @property
    def development(self) -> bool:
        """Say whether any of the keys is a development key."""
        return any("DEVELOPMENT" in s.name for s in (self.log, self.receipt, self.manifest))


def key_name(purpose: str, *, development: bool) -> str:
    """Return the signed-note name of a key, for example `counterfoil.example/DEVELOPMENT-log`."""
    return f"{settings.COUNTERFOIL_NAME}/{'DEVELOPMENT-' if development else ''}{purpose}"


def write_key(folder: Path, purpose: str, *, development: bool) -> None:
    """Make and durably store a new key, readable by its owner only. An existing one is never replaced."""
    path = folder / f"{purpose}.key"
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    signer = Signer.generate(key_name(purpose, development=development))
    with os.fdopen(fd, "w") as f:
        f.write(signer.to_text() + "\n")
        f.flush()
        os.fsync(f.fileno())
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with (folder / "periods.txt").open("a") as f:
        f.write(f"{purpose} {now} - {signer.vkey}\n")
        f.flush()
        os.fsync(f.fileno())


@cache
def _load(folder: Path, production: bool) -> Keys:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = {}
        for purpose in ("log", "receipt", "manifest"):
            path = folder / f"{purpose}.key"
            if not path.exists():
                if production:
                    raise NotAllowed(
                        f"There is no {purpose} key in {folder.name}/. Make one with: counterfoil keys --new"
                    )
                write_key(folder, purpose, development=True)
            if path.stat().st_mode & 0o077:
                raise NotAllowed(f"{path.name} can be read by others. Run: chmod 600 on it.")
            found[purpose] = Signer.from_text(path.read_text().strip())
    keys = Keys(log=found["log"], receipt=found["receipt"], manifest=found["manifest"], folder=folder)
    if production and keys.development:
        raise NotAllowed(
            "Production does not run on development keys, nor on a log that they signed. Start with an empty "
            "COUNTERFOIL_HOME and run: counterfoil keys --new"
        )
    return keys


def periods() -> list[tuple[str, datetime, datetime | None, str]]:
    """Return which key served in which role from when until when: (role, from, until or None, vkey)."""
    found = []
    for line in (keys().folder / "periods.txt").read_text().splitlines():
        role, start, end, vkey = line.split(" ")
        found.append(
            (role, datetime.fromisoformat(start), None if end == "-" else datetime.fromisoformat(end), vkey)
        )
    return found


def keys() -> Keys:
    """Return this installation's keys, making development ones on first use outside production."""
    return _load(Path(settings.COUNTERFOIL_HOME) / "keys", settings.PRODUCTION)
