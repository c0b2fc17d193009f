"""What cases do when something upstream happens."""

from counterfoil.cases.actions import open_case
from counterfoil.ledger.followers import follow


def register() -> None:
    """Follow `report.accepted`: the case opens in the report's own transaction."""
    follow("report.accepted", open_case, within=True)
