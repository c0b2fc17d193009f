"""Pairs that must never be joined, whatever else agrees: two parts in one incident, twins, a household's members.

A guard looks at the facts of two records only; it never says that two are the same. The pairs it finds keep whole
groups apart, so no third record can chain them together.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from itertools import chain
from typing import Any

from counterfoil.engines.linkage.compare import sound
from counterfoil.engines.linkage.maps import Map

Row = Mapping[str, Any]
LARGEST = 400
HONORIFICS = frozenset(("mr", "mrs", "ms", "miss", "dr", "rev", "sir", "mx"))
"""A group larger than this (a street, a bank holiday) is no household; its pairs are compared as any others."""
# Short forms of English names, each line of the file one name; the data teach others.
SAME: dict[str, set[int]] = defaultdict(set)
for _number, _line in enumerate(
    resources.files("counterfoil.engines.linkage").joinpath("nicknames.txt").read_text("utf-8").splitlines()
):
    for _word in _line.split():
        SAME[_word].add(_number)


def one_slip(a: str, b: str) -> bool:
    """Return whether two words are one letter added, lost, changed or two swapped apart."""
    if a == b:
        return True
    if abs(len(a) - len(b)) > 1:
        return False
    k = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return (
        a[k + 1 :] == b[k + 1 :]
        or a[k + 1 :] == b[k:]
        or a[k:] == b[k + 1 :]
        or (a[k : k + 2] == b[k : k + 2][::-1] and a[k + 2 :] == b[k + 2 :])
    )


def may_be_one_name(a: str, b: str, common: Callable[[str], bool]) -> bool:
    """Return whether two first names may be one person's: the same, an initial, a short form, a slip of the pen.

    Two names that are both in common use are two names, though a letter apart: Amy and Amie, Carl and Earl.
    """
    if a == b:
        return True
    if len(a) == 1 or len(b) == 1:
        return a[0] == b[0]
    if SAME.get(a, set()) & SAME.get(b, set()):
        return True
    return one_slip(a, b) and not (common(a) and common(b))


def firsts(row: Row) -> list[str]:
    """Return a record's first names."""
    return [w for w in row.get("given", ()) if w not in HONORIFICS]


def other_first(a: Row, b: Row, common: Callable[[str], bool]) -> bool:
    """Return whether both records have a first name and none of the one's can be one of the other's."""
    x, y = firsts(a), firsts(b)
    if not x or not y:
        return False
    return not any(may_be_one_name(v, w, common) for v in x for w in y)


def one_home(a: Row, b: Row) -> bool:
    """Return whether two records share a family name (as it sounds), an address, a postcode or a telephone."""
    if any(a.get(role) and a.get(role) == b.get(role) for role in ("address", "postcode", "phone")):
        return True
    x, y = a.get("family", ()), b.get("family", ())
    return any(v == w or sound(v) == sound(w) or (len(v) > 4 and one_slip(v, w)) for v in x for w in y)


def forbids(a: Row, b: Row, m: Map, common: Callable[[str], bool]) -> str:
    """Return the guard that keeps two records apart, or nothing."""
    if "parts" in m.guards and a.get("incident") and a.get("incident") == b.get("incident"):
        one, other = a.get("part", ""), b.get("part", "")
        if one and other and one != other:
            return "parts"
    if "household" in m.guards and other_first(a, b, common) and one_home(a, b):
        return "household"
    if "generations" in m.guards and a.get("born") and b.get("born"):
        x, y = a["born"], b["born"]
        if abs(int(x[:4]) - int(y[:4])) >= 10 and x[2:] != y[2:] and not one_slip(x, y) and one_home(a, b):
            return "generations"
    return ""


def commons(rows: Sequence[Row]) -> Callable[[str], bool]:
    """Return what tells whether a first name is in common use, by the names known and by how often rows have it."""
    used: dict[str, int] = defaultdict(int)
    for row in rows:
        for w in set(firsts(row)):
            used[w] += 1
    often = max(4, round(0.0005 * len(rows)))
    return lambda word: word in SAME or used[word] >= often


def apart(
    rows: Sequence[Row], m: Map, pairs: Iterable[tuple[int, int]] = ()
) -> Iterable[tuple[int, int, str]]:
    """Yield pairs of rows (smaller number first) that a guard keeps apart, and the guard.

    Looked at are the `pairs` given, everybody in one incident, and all who share an address, telephone or birthday.
    """
    if not m.guards:
        return
    common = commons(rows)
    seen: set[tuple[int, int]] = set()

    def traits(row: Row) -> list[str]:
        found = [
            f"{role[0]}{row[role]}" for role in ("incident", "address", "postcode", "phone") if row.get(role)
        ]
        if row.get("born") and row.get("family"):
            found.append(f"b{row['born']}{row['family']}")
        return found

    for i, j in chain(pairs, _together(rows, traits)):
        if (i, j) in seen:
            continue
        guard = forbids(rows[i], rows[j], m, common)
        if guard:
            seen.add((i, j))
            yield i, j, guard


def _together(rows: Sequence[Row], keys: Callable[[Row], Sequence[str]]) -> Iterable[tuple[int, int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        for key in keys(row):
            groups[key].append(i)
    for group in groups.values():
        if 1 < len(group) <= LARGEST:
            for k, i in enumerate(group):
                for j in group[k + 1 :]:
                    yield i, j
