"""App configuration."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Exhibits and statements."""

    name = "counterfoil.evidence"
    label = "evidence"

    def ready(self) -> None:
        """Follow what becomes an exhibit, so that working copies are made."""
        from counterfoil.evidence import follow

        follow.register()
