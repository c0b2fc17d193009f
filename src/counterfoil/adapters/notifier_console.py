"""Notifier for development: keeps each message as a file in the home folder and prints one neutral line."""

import hashlib
import os
import sys
from pathlib import Path

from django.conf import settings


class Console:
    """Writes messages to `$COUNTERFOIL_HOME/outbox/` instead of sending them."""

    def send(self, address: str, subject: str, text: str, key: str) -> str:
        """Keep the message in a file named by its key and say on standard error that there is one."""
        folder = Path(settings.COUNTERFOIL_HOME) / "outbox"
        folder.mkdir(exist_ok=True, mode=0o700)
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        path = folder / f"{name}.txt"
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write(f"To: {address}\nSubject: {subject}\n\n{text}\n")
        print(f"outbox: message {name} kept, not sent (development)", file=sys.stderr)
        return f"console:{name}"
