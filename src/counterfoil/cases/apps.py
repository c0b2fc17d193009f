"""App configuration."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Cases and the parties in them."""

    name = "counterfoil.cases"
    label = "cases"

    def ready(self) -> None:
        """Follow accepted reports."""
        from counterfoil.cases import follow

        follow.register()
