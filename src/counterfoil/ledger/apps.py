"""App configuration."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Entries, checkpoints and the replies kept for retries."""

    name = "counterfoil.ledger"
    label = "ledger"
