"""The people of every story. All of them are invented, and so are their forces.

Each is opened by a real action the first time somebody names them: `cast.alice` is a Viewer with the roles that
hold now. Who may see what is said once, here, beside each name.
"""

from dataclasses import dataclass
from typing import Any

from counterfoil.accounts import actions as accounts
from counterfoil.accounts.queries import viewer_for
from counterfoil.accounts.rules import Viewer
from counterfoil.places import actions as places

PASSWORD = "correct-horse-battery-staple"
HOME, AWAY = "99", "98"


@dataclass(frozen=True)
class Part:
    """How somebody is cast: name, roles as (role, force), postings as (force, role), and a second factor or none."""

    name: str
    roles: tuple[tuple[str, str], ...]
    posted: tuple[tuple[str, str], ...] = ()
    second_factor: bool = False


PARTS: dict[str, Part] = {
    # Works the triage desk of the home force. Owns most cases told here.
    "alice": Part("Alice Bevan", (("officer", HOME),), ((HOME, "member"),)),
    # At the same desk: sees what waits in the queue, and nothing of what Alice took, until it is handed over.
    "bruno": Part("Bruno Castell", (("officer", HOME),), ((HOME, "member"),)),
    # An officer of the home force who is posted nowhere: must see nothing of Alice's cases, nor of the queue.
    "dilys": Part("Dilys Edevane", (("officer", HOME),)),
    # Supervises the home force: sees every ordinary case in it, hears of what was missed, assigns and reopens.
    "ines": Part("Ines Farrow", (("inspector", HOME),), ((HOME, "duty_inspector"),)),
    # Of the other force. Charlie must see nothing of Alice's cases.
    "charlie": Part("Charlie Dunmore", (("officer", AWAY),), ((AWAY, "member"),)),
    # The other force's inspector: rank in one force is nothing in another.
    "gwen": Part("Gwen Hale", (("inspector", AWAY),), ((AWAY, "duty_inspector"),)),
    # The prosecutor bundles are sent to. Sees those, and no case.
    "petra": Part("Petra Quill", (("prosecutor", ""),), second_factor=True),
    # A prosecutor to whom nothing was sent: must see nothing.
    "piers": Part("Piers Rook", (("prosecutor", ""),), second_factor=True),
    # The data-protection officer of the home force: sees which entries an exhibit has, and no case.
    "iona": Part("Iona Jessop", (("data-protection", HOME),), second_factor=True),
    # Runs the installation: accounts and postings, and never a case.
    "ada": Part("Ada Mint", (("administrator", ""),), second_factor=True),
    # Was an officer at the same desk and is suspended: must see nothing at once, sessions that are open included.
    "sam": Part("Sam Underhill", (("officer", HOME),), ((HOME, "member"),)),
}


@dataclass(frozen=True)
class Outsider:
    """Somebody without an account."""

    name: str
    email: str = ""
    phone: str = ""
    address: str = ""


# Tells us what happened; never has an account. The numbers are kept free for stories by the regulator.
RHYS = Outsider(
    "Rhys Tannerwood", "rhys.tannerwood@example.com", "07700 900123", "4 Larkspur Yard, Exampleton"
)
# Is said to have done it.
JONAH = Outsider("Jonah Vellacott")
# Saw it from across the road.
NESTA = Outsider("Nesta Pomfrey", phone="07700 900456")
# Defends Jonah, of Marsh and Hythe.
LENA = Outsider("Lena Marshgate", "lena.marshgate@example.net")


class Cast:
    """The people of one test: opened on first mention, by real actions of the installer."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._queues: dict[str, int] = {}

    def queue(self, force: str = HOME) -> int:
        """Return the triage desk of a force, opening force and desk on first mention."""
        if force not in self._queues:
            names = {HOME: ("demonstration", "Demonstration Constabulary", "Heddlu Arddangos")}
            slug, name, name_cy = names.get(force, ("away", "Away Constabulary", "Heddlu Oddi Cartref"))
            places.load_force(force, slug, name, name_cy=name_cy, by=Viewer.clock())
            self._queues[force] = places.open_queue(force, "triage", "Triage desk", by=Viewer.clock())
        return self._queues[force]

    def id(self, who: str) -> str:
        """Return the actor id of somebody, opening the account on first mention."""
        if who not in self._ids:
            part, clock = PARTS[who], Viewer.clock()
            actor = accounts.open_account(who, part.name, PASSWORD, by=clock)
            for role, force in part.roles:
                accounts.grant(actor, role, force=force, by=clock)
            for force, role in part.posted:
                places.post(actor, self.queue(force), role=role, by=clock)
            self._ids[who] = actor
            if who == "sam":
                accounts.suspend(actor, reason_digest="0" * 64, by=self.ada)
        return self._ids[who]

    def viewer(self, who: str, *, second_factor: bool | None = None) -> Viewer:
        """Return somebody as they are now; `second_factor` overrides how they usually sign in."""
        actor = self.id(who)
        proved = PARTS[who].second_factor if second_factor is None else second_factor
        return viewer_for(actor, second_factor=proved)

    def __getattr__(self, who: str) -> Any:
        if who.startswith("_") or who not in PARTS:
            raise AttributeError(who)
        return self.viewer(who)

    def staff_the_desk(self) -> None:
        """Bring in the people without whom the home force's desk is not staffed."""
        for who in ("alice", "bruno", "ines"):
            self.id(who)
