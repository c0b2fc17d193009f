"""Pure decisions about who may do and see what. One function decides and explains: `why`."""

from dataclasses import dataclass, field
from uuid import UUID

from counterfoil.engines.errors import NotAllowed

ROLES = {
    "officer": "Police officer or staff: triages and investigates cases of the force they work for",
    "inspector": "Supervising inspector: sees every ordinary case of the force and receives what was missed",
    "prosecutor": "Prosecutor: receives bundles sent to them and alone releases a bundle to the defence",
    "administrator": "Runs the installation: accounts and postings, never cases",
    "examiner": "Indecent image examiner: approved by name to look at restricted images of cases they work on",
    "analyst": "Digital forensic analyst: may take out files that the virus scanner flagged, of cases they work on",
    "data-protection": "Data-protection officer: asks for entries to be erased under a rule, and sees no case",
}
CALLED = {"data-protection": "data-protection officer"}

# How long a link and its code work, and how many wrong codes end them.
PASS_DAYS = 14
PASS_TRIES = 5


@dataclass(frozen=True)
class Viewer:
    """Who is looking or acting, as plain values.

    `id` is opaque (an actor's UUID, `public`, or `clock`). `roles` are pairs (role, force code); a prosecutor's
    force code is empty. `second_factor` is true when this session proved a second factor.
    """

    id: str
    name: str = ""
    roles: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    second_factor: bool = False

    @staticmethod
    def public() -> "Viewer":
        """Return the viewer that stands for anybody who has not signed in."""
        return Viewer(id="public", name="the public")

    @staticmethod
    def clock() -> "Viewer":
        """Return the viewer that stands for the system acting by the clock."""
        return Viewer(id="clock", name="the clock")

    @property
    def uuid(self) -> UUID | None:
        """The actor's id for a database lookup; None for the public, the clock and the defence."""
        try:
            return UUID(self.id)
        except ValueError:
            return None

    @property
    def signed_in(self) -> bool:
        """Say whether a person with an account is acting."""
        return self.uuid is not None

    def has(self, role: str, force: str | None = None) -> bool:
        """Say whether the viewer holds `role` (in `force`, when one is given)."""
        return any(r == role and (force is None or f == force) for r, f in self.roles)

    def forces(self, *roles: str) -> frozenset[str]:
        """Return the codes of the forces in which the viewer holds one of `roles`."""
        return frozenset(f for r, f in self.roles if r in roles and f)


@dataclass(frozen=True)
class CaseFacts:
    """What `why` needs to know about one case, gathered by `cases.queries`."""

    force: str
    owner_actor: str | None
    owner_queue_members: frozenset[str]
    duty_holders: frozenset[str]
    kind: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether something is allowed, and the reasons in sentences, for the page that explains it."""

    allowed: bool
    reasons: tuple[str, ...]


def why(viewer: Viewer, facts: CaseFacts) -> Verdict:
    """Decide whether `viewer` may see the case and explain why or why not."""
    if not viewer.signed_in:
        return Verdict(False, ("You are not signed in.",))
    reasons: list[str] = []
    posted = viewer.has("officer", facts.force) or viewer.has("inspector", facts.force)
    if posted and facts.owner_actor == viewer.id:
        reasons.append("You own this case.")
    if posted and viewer.id in facts.owner_queue_members:
        reasons.append("You are posted to the queue that owns this case.")
    if posted and viewer.id in facts.duty_holders:
        reasons.append("You hold a duty on this case.")
    if viewer.has("inspector", facts.force):
        reasons.append("You are an inspector of the force that holds this case.")
    if reasons:
        return Verdict(True, tuple(reasons))
    return Verdict(False, ("You have no part in this case: no ownership, posting, duty or supervision.",))


def needs(viewer: Viewer, role: str, what: str, *, second_factor: bool = False) -> None:
    """Refuse with a sentence unless the viewer holds `role` (and proved a second factor when asked).

    `what` completes "… can", for example "release a bundle to the defence".
    """
    if not viewer.has(role):
        raise NotAllowed(f"Only {called(role)} can {what}.")
    if second_factor and not viewer.second_factor:
        raise NotAllowed(f"Sign in with your second factor before you {what}.")


def called(role: str) -> str:
    """Return somebody with a role in words: "an officer", "a data-protection officer"."""
    name = CALLED.get(role, role)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def initials(name: str) -> str:
    """Return the initials used in exhibit references: two to four capital letters, for example `AB`."""
    letters = [
        w[0].upper() for w in name.replace("-", " ").split() if w and w[0].isascii() and w[0].isalpha()
    ]
    found = "".join(letters[:1] + letters[-1:]) if len(letters) > 1 else "".join(letters) * 2
    return found or "XX"
