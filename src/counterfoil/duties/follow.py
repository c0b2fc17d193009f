"""What duties do when something upstream happens."""

from counterfoil.cases.queries import learn_holders
from counterfoil.duties.actions import give_opening_duties, look_at_answer
from counterfoil.duties.queries import Holders
from counterfoil.ledger.followers import follow


def register() -> None:
    """Follow opened and reopened cases inside their transactions, and tell cases who holds tasks."""
    follow("case.opened", give_opening_duties, within=True)
    follow("case.reopened", give_opening_duties, within=True)
    follow("case.joined", look_at_answer, within=True)
    learn_holders(Holders())
