"""App configuration."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """People as we know them."""

    name = "counterfoil.people"
    label = "people"
