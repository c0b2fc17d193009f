"""The two places where bytes are kept: the quarantine for what arrives, the vault for exhibits.

Public code may open only the quarantine. The vault has its own location (`COUNTERFOIL_VAULT` when set).
"""

import os
from pathlib import Path

from django.conf import settings

from counterfoil.engines.vault import Quarantine, Vault


def quarantine() -> Quarantine:
    """Return the store where uploads wait."""
    return Quarantine(Path(settings.COUNTERFOIL_HOME) / "quarantine")


def vault() -> Vault:
    """Return the store where exhibits and bundles are kept for good."""
    where = os.environ.get("COUNTERFOIL_VAULT")
    return Vault(Path(where) if where else Path(settings.COUNTERFOIL_HOME) / "vault")
