"""App configuration."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """What we told someone and whether it reached them."""

    name = "counterfoil.notices"
    label = "notices"
