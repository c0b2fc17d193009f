"""Socket `notifier`: how a message leaves the house. Adapters: console (development) and SMTP."""

from typing import Protocol, cast

from counterfoil.plugs.load import load


class Notifier(Protocol):
    """Sends one message and returns the carrier's receipt; raises when it was not taken."""

    def send(self, address: str, subject: str, text: str, key: str) -> str:
        """Send one message; `key` is the same for every attempt at the same message."""
        ...


def notifier() -> Notifier:
    """Return the configured notifier."""
    return cast(Notifier, load("notifier"))
