"""App configuration."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Drafts, reports, uploads and progress."""

    name = "counterfoil.reports"
    label = "reports"
