"""Identifiers that last: which group keeps which, and an event for every record whose identifier moves."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def mint(ident: Any, taken: set[str]) -> str:
    """Return a new cluster identifier, made from the first record's id, that nobody has."""
    k = 0
    while True:
        name = "c" + hashlib.sha256(f"{ident}\0{k}".encode()).hexdigest()[:12]
        if name not in taken:
            taken.add(name)
            return name
        k += 1


def rename(ids: Sequence[Any], before: Sequence[str | None], groups: Ints, taken: set[str]) -> list[str]:
    """Return an identifier for every record: each old one stays with the group that holds most of its records.

    A group that several old identifiers want keeps the one most of its records had; other groups get new ones.

    >>> rename(["a", "b", "c", "d"], ["X", "X", "Y", None], np.array([0, 0, 0, 0]), {"X", "Y"})
    ['X', 'X', 'X', 'X']
    """
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    homes: dict[str, Counter[int]] = defaultdict(Counter)
    first: dict[int, Any] = {}
    for ident, old, g in zip(ids, before, groups.tolist(), strict=True):
        first.setdefault(g, ident)
        if old is not None:
            votes[g][old] += 1
            homes[old][g] += 1
    claims: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for old, where in homes.items():
        g = min(where, key=lambda k: (-where[k], k))
        claims[g].append((-votes[g][old], old))
    name = {g: min(wanting)[1] for g, wanting in claims.items()}
    for g, ident in first.items():
        if g not in name:
            name[g] = mint(ident, taken)
    return [name[g] for g in groups.tolist()]


def numbers(clusters: Sequence[str]) -> dict[str, int]:
    """Return the numbers that rest on identifiers: how many people, how many met more than once, most records of one.

    >>> numbers(["a", "a", "b"])
    {'people': 2, 'people met more than once': 1, 'most records of one': 2}
    """
    sizes = Counter(clusters).values()
    return {
        "people": len(sizes),
        "people met more than once": sum(n > 1 for n in sizes),
        "most records of one": max(sizes, default=0),
    }


def changed(
    was: Mapping[str, int], now: Mapping[str, int], number: int, run: int, at: str, because: int
) -> list[dict[str, Any]]:
    """Return an event for every number that came out otherwise, with the event that it changed because of."""
    found = [(name, was[name], n) for name, n in now.items() if name in was and was[name] != n]
    return [
        {"n": number + k, "run": run, "at": at, "kind": "number", "name": name, "was": old, "is": new,
         "because": because}
        for k, (name, old, new) in enumerate(found)
    ]  # fmt: skip


def moves(
    names: Sequence[Any], before: Sequence[str | None], after: Sequence[str], number: int, run: int, at: str
) -> list[dict[str, Any]]:
    """Return an event for every identifier's records that moved: joined, new, merged or split."""
    still = {a for a, b in zip(after, before, strict=True) if b == a}
    moved: dict[tuple[str | None, str], list[Any]] = defaultdict(list)
    for v, b, a in zip(names, before, after, strict=True):
        if a != b:
            moved[b, a].append(v)
    settled = {b for b in before if b is not None}
    lines: list[dict[str, Any]] = []
    for (b, a), records in sorted(moved.items(), key=lambda kv: (kv[0][0] or "", kv[0][1])):
        kind = ("joined" if a in settled else "new") if b is None else "split" if b in still else "merged"
        lines.append(
            {
                "n": number + len(lines),
                "run": run,
                "at": at,
                "kind": kind,
                "from": b,
                "to": a,
                "records": records,
            }
        )
    return lines
