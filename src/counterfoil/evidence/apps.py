"""App configuration."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Exhibits and statements."""

    name = "counterfoil.evidence"
    label = "evidence"
