"""The invented force, people and queue of the demonstration, made with the same verbs an administrator uses."""

import secrets
from dataclasses import dataclass

from counterfoil.accounts import actions as accounts
from counterfoil.accounts.rules import Viewer
from counterfoil.places import actions as places

FORCE = "99"


@dataclass
class Player:
    """Somebody with an account: the password is made new each time; the key is read off the set-up page."""

    username: str
    name: str
    what: str
    password: str
    id: str = ""
    key: str = ""


def build() -> dict[str, Player]:
    """Make the force, its staffed triage desk and the accounts; return the players by user name."""
    clock = Viewer.clock()
    places.load_force(
        FORCE, "demonstration", "Demonstration Constabulary", by=clock, name_cy="Heddlu Arddangos"
    )
    queue = places.open_queue(FORCE, "triage", "Triage desk", by=clock)
    players: dict[str, Player] = {}
    for username, name, what, role in (
        ("alice", "Alice Bevan", "police officer at the triage desk", "officer"),
        ("ines", "Ines Carew", "duty inspector", "inspector"),
        ("priya", "Priya Dale", "prosecutor", "prosecutor"),
    ):
        player = Player(username, name, what, f"{username}-{secrets.token_urlsafe(9)}")
        player.id = accounts.open_account(username, name, player.password, by=clock)
        accounts.grant(player.id, role, force="" if role == "prosecutor" else FORCE, by=clock)
        players[username] = player
    places.post(players["alice"].id, queue, by=clock)
    places.post(players["ines"].id, queue, by=clock, role="duty_inspector")
    return players
