"""App configuration."""

from django.apps import AppConfig


class CourtsConfig(AppConfig):
    """Charges, bundles and who received them."""

    name = "counterfoil.courts"
    label = "courts"
