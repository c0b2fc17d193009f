"""Draw an audit sample that nobody can choose, which anyone can draw again, and say what it lets us estimate.

The frame is a CSV of tokens and strata, fixed and published by its digest before the seed exists. The seed comes from
a signed statement of the log that was made afterwards. Within a stratum items are taken in the order of
SHA-256(seed, token): no random number generator, so the draw can be repeated in any language in a few lines.

>>> frame = frame_of([(token(f"report {i}"), "recorded" if i % 3 else "no crime") for i in range(90)])
>>> drawn = draw(frame, "the log's signed statement", 30)
>>> len(drawn), drawn[0].number, strata_of(frame)
(30, 1, {'no crime': 30, 'recorded': 60})
>>> draw(frame, "another statement", 30) == drawn
False
>>> estimate([(1, 2.0)] * 27 + [(0, 2.0)] * 3)
Estimate(share=0.9, low=0.795, high=0.962, marked=30)
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from counterfoil.engines.errors import BadInput

TOKEN, SEED, ORDER = (
    b"counterfoil/sample/token/v1",
    b"counterfoil/sample/seed/v1",
    b"counterfoil/sample/order/v1",
)
HEAD = "token,stratum"
SMALLEST = 10  # fewer than this in a stratum could point at somebody: it joins the next


@dataclass(frozen=True)
class Item:
    """One item of a sample: its place in the order in which it is to be marked, its token and stratum."""

    number: int
    token: str
    stratum: str


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval, to three decimals, and how many marked items it rests on."""

    share: float
    low: float
    high: float
    marked: int


def token(identifier: str) -> str:
    """Return what stands for a thing in a frame: nobody can go back from it to an identifier of 122 random bits."""
    return hashlib.sha256(TOKEN + b"\0" + identifier.encode()).hexdigest()


def merged(members: Iterable[tuple[str, str]], smallest: int = SMALLEST) -> list[tuple[str, str]]:
    """Return (token, stratum) with strata smaller than `smallest` joined, so that none says anything of a few people.

    The smallest joins the next smallest until none is too small; the name of a joined stratum names both.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for one, stratum in members:
        groups[stratum].append(one)
    while len(groups) > 1 and min(map(len, groups.values())) < smallest:
        first, second = sorted(groups, key=lambda s: (len(groups[s]), s))[:2]
        joined = " or ".join(sorted((first, second)))
        groups[joined] = groups.pop(first) + groups.pop(second)
    return [(one, stratum) for stratum, ones in groups.items() for one in ones]


def frame_of(members: Iterable[tuple[str, str]]) -> bytes:
    """Return the bytes of a frame: a heading and a line for each token with its stratum, in the order of tokens.

    Raises BadInput when a token comes twice or a stratum holds a comma or quote.
    """
    rows = sorted(members)
    if len({t for t, _ in rows}) != len(rows):
        raise BadInput("frame", "Something is in the frame twice.")
    if any(c in s for _, s in rows for c in ',"\n'):
        raise BadInput("frame", "The name of a stratum may hold no comma, quote or line end.")
    return "\n".join([HEAD, *(f"{t},{s}" for t, s in rows), ""]).encode()


def read_frame(frame: bytes) -> list[tuple[str, str]]:
    """Return the tokens and strata of a frame; raises BadInput when it is none."""
    lines = frame.decode("utf-8", "replace").split("\n")
    if lines[0] != HEAD or lines[-1] != "" or any(line.count(",") != 1 for line in lines[1:-1]):
        raise BadInput("frame", f"This is no frame: its first line must be “{HEAD}”, then one item a line.")
    return [(t, s) for t, _, s in (line.partition(",") for line in lines[1:-1])]


def strata_of(frame: bytes) -> dict[str, int]:
    """Return how many items each stratum of a frame has."""
    found: dict[str, int] = defaultdict(int)
    for _, stratum in read_frame(frame):
        found[stratum] += 1
    return dict(sorted(found.items()))


def shared_out(strata: dict[str, int], size: int, least: int = 10) -> dict[str, int]:
    """Share a sample out over strata: at least `least` of each (or all of it), the rest in proportion to their sizes.

    Rests of division go to the largest remainders, in the order of names between equals.
    """
    size = min(size, sum(strata.values()))
    given = {s: min(n, least, size) for s, n in strata.items()}
    while sum(given.values()) > size:
        given[max(given, key=lambda s: (given[s], s))] -= 1
    left = size - sum(given.values())
    room = {s: strata[s] - given[s] for s in strata}
    whole = sum(room.values())
    if left and whole:
        for s in strata:
            given[s] += left * room[s] // whole
        rests = sorted(strata, key=lambda s: (-(left * room[s] % whole), s))
        for s in rests[: size - sum(given.values())]:
            given[s] += 1
    return given


def seed_of(frame: bytes, note: str) -> bytes:
    """Return the seed: SHA-256 over the frame's digest and the log's signed statement."""
    return hashlib.sha256(SEED + b"\0" + hashlib.sha256(frame).digest() + note.encode()).digest()


def draw(frame: bytes, note: str, size: int) -> tuple[Item, ...]:
    """Draw `size` items from a frame under the log's signed statement; the same three always give the same items."""
    members, seed = read_frame(frame), seed_of(frame, note)
    order = {t: hashlib.sha256(ORDER + b"\0" + seed + bytes.fromhex(t)).digest() for t, _ in members}
    taken = []
    for stratum, n in shared_out(strata_of(frame), size).items():
        taken += sorted(((t, s) for t, s in members if s == stratum), key=lambda m: order[m[0]])[:n]
    taken.sort(key=lambda m: order[m[0]])
    return tuple(Item(i + 1, t, s) for i, (t, s) in enumerate(taken))


def digest_of(items: Sequence[Item]) -> str:
    """Return the digest of a drawn sample: SHA-256 over its lines "number,token,stratum"."""
    return hashlib.sha256("".join(f"{i.number},{i.token},{i.stratum}\n" for i in items).encode()).hexdigest()


def estimate(marks: Sequence[tuple[int, float]], level: float = 0.95) -> Estimate | None:
    """Return the share of ones among (0 or 1, weight), with its interval; None without any mark.

    A weight is how many things of the frame an item stands for (its stratum's size over how many of it were drawn). The
    interval is Clopper and Pearson's, for the effective number of items: Kish's (sum w)² / sum w², enlarged where much
    of the frame was drawn (finite population). Sources: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934); L. Kish,
    Survey Sampling (1965), 11.7; E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998), 193-201.
    """
    from scipy.stats import beta

    if not marks:
        return None
    total = sum(w for _, w in marks)
    share = sum(x * w for x, w in marks) / total
    drawn = len(marks) / total  # the part of what they stand for that was looked at
    if drawn >= 1 - 1e-9:
        return Estimate(round(share, 3), round(share, 3), round(share, 3), len(marks))
    n = total**2 / sum(w * w for _, w in marks) / (1 - drawn)
    k, tail = share * n, (1 - level) / 2
    low = 0.0 if k <= 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k >= n else float(beta.ppf(1 - tail, k + 1, n - k))
    return Estimate(round(share, 3), round(low, 3), round(high, 3), len(marks))
