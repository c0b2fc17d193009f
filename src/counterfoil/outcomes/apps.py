"""App configuration."""

from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    """How cases ended and why."""

    name = "counterfoil.outcomes"
    label = "outcomes"
