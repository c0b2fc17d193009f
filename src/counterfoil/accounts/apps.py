"""App configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Actors and their roles."""

    name = "counterfoil.accounts"
    label = "accounts"
