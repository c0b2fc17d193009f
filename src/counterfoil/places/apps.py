"""App configuration."""

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    """Forces, areas, queues and postings."""

    name = "counterfoil.places"
    label = "places"
