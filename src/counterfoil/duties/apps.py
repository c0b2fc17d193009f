"""App configuration."""

from django.apps import AppConfig


class DutiesConfig(AppConfig):
    """Things someone must do by a time."""

    name = "counterfoil.duties"
    label = "duties"

    def ready(self) -> None:
        """Follow opened cases."""
        from counterfoil.duties import follow

        follow.register()
