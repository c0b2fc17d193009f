"""Keep the vault in a folder: `where`, or `vault/` in the installation's home. Nothing else is needed."""

from pathlib import Path

from counterfoil.engines.vault import Quarantine


class Files(Quarantine):
    """The file vault, with the verb that carries out an order to destroy."""

    def __init__(self, home: str, where: str = "") -> None:
        super().__init__(Path(where) if where else Path(home) / "vault")
