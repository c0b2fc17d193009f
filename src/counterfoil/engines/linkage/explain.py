"""Why two records are together, or are not: each comparison's bits, one below the other, and what the group says."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from counterfoil.engines.linkage import engine, guards
from counterfoil.engines.linkage.compare import told
from counterfoil.engines.linkage.engine import Learnt
from counterfoil.engines.linkage.maps import Map
from counterfoil.engines.linkage.model import levels_of

Row = dict[str, Any]


def lines(
    rows: Sequence[Row],
    ids: Sequence[str],
    clusters: Sequence[str],
    one: str,
    other: str,
    m: Map,
    learnt: Learnt,
    apart: Sequence[Sequence[Sequence[Any]]],
) -> list[str]:
    """Return the lines for two of these rows (which hold both records' clusters)."""
    comparisons = engine.comparisons_for(rows, learnt)
    a, b = ids.index(one), ids.index(other)
    left, right = np.array([a]), np.array([b])
    total = learnt.model.prior
    out = [f"{one} (cluster {clusters[a]}) and {other} (cluster {clusters[b]})", ""]
    out.append(f"{total:+8.1f}  any two records drawn by chance")
    for c in comparisons:
        level = int(c.level(left, right)[0])
        bits = float(learnt.model.weights[c.role][level])
        total += bits
        means = told(level, type(c)) if not hasattr(c, "tell") else c.tell(level)
        x, y = (_shown(rows[i].get(c.role)) for i in (a, b))
        out.append(f"{bits:+8.1f}  {c.role}: {means} ({x} / {y})")
    guard = (
        guards.forbids(rows[a], rows[b], m, guards.commons(learnt.names, learnt.records)) if m.guards else ""
    )
    if guard:
        out += [f"{total:+8.1f}  in all", "", f"The guard {guard!r} keeps them apart, whatever else agrees."]
    else:
        chance = float(learnt.model.chance(np.array([total]))[0])
        out += [f"{total:+8.1f}  in all: of such pairs {chance:.1%} are the same person's", ""]
    for these, those in apart:
        sides = [set(map(str, these)), set(map(str, those))]
        if (one in sides[0] and other in sides[1]) or (one in sides[1] and other in sides[0]):
            out.append("A person decided that they are not the same.")
    mine = [i for i, c in enumerate(clusters) if c == clusters[a]]
    theirs = [i for i, c in enumerate(clusters) if c == clusters[b]]
    pairs = [(i, j) for i in mine for j in theirs if i < j or clusters[a] != clusters[b]]
    if pairs:
        both = np.array(pairs[:20_000])
        mean = float(learnt.model.score(levels_of(comparisons, both[:, 0], both[:, 1])).clip(-8, 12).mean())
        if clusters[a] == clusters[b]:
            out.append(
                f"Together: the {len(mine)} records of this cluster agree by {mean:+.1f} bits a pair on average."
            )
        else:
            out.append(
                f"Not together: pairs between the {len(mine)} and the {len(theirs)} records of the two clusters average"
                f" {mean:+.1f} bits; joining asks for more than {m.bar:+.1f}, and a pair that no key brought together"
                f" counts {engine.UNSEEN:+.0f}."
            )
    return out


def _shown(value: Any) -> str:
    return "blank" if not value else value if isinstance(value, str) else " ".join(value)
