"""The Django application of the measures."""

from django.apps import AppConfig


class MeasuresConfig(AppConfig):
    """Measures keeps no rows in the database: published tables lie in immutable files beside it."""

    name = "counterfoil.measures"
    label = "measures"
