"""Pairs that must never be joined, whatever else agrees: two parts in one incident, twins, a household's members.

A guard looks at the facts of two records only; it never says that two are the same. The pairs it finds keep whole
groups apart, so no third record can chain them together.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from counterfoil.engines.linkage.block import Ints, distinct
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


class Names:
    """The first names in common use: those that are known, and those that a table's rows often have."""

    def __init__(self, often: Iterable[str] = ()) -> None:
        self.common = {*SAME, *often}
        self._near: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.common):
            for less in shorter(name):
                self._near[less].append(name)
        self._forms: dict[str, tuple[frozenset[str], frozenset[int]]] = {}

    def __contains__(self, word: str) -> bool:
        return word in self.common

    def forms(self, word: str) -> tuple[frozenset[str], frozenset[int]]:
        """Return what a word may stand for, and the groups of short forms of that.

        A name in common use stands for itself; any other word also for the names of which it may be a slip.

        >>> sorted(Names(["svetlana"]).forms("svetalna")[0])
        ['svetalna', 'svetlana']
        """
        if word not in self._forms:
            near = () if word in self else (n for less in shorter(word) for n in self._near.get(less, ()))
            meant = frozenset((word, *(n for n in near if one_slip(word, n))))
            self._forms[word] = meant, frozenset(g for n in meant for g in SAME.get(n, ()))
        return self._forms[word]


def shorter(word: str) -> set[str]:
    """Return a word and the words with one letter left out: words one slip apart share one of these."""
    return {word, *(word[:k] + word[k + 1 :] for k in range(len(word)))}


def may_be_one_name(a: str, b: str, names: Names) -> bool:
    """Return whether two first names may be one person's: the same, an initial, a short form, slips of the pen.

    Two names that are both in common use are two names, though a letter apart: Amy and Amie, Carl and Earl.
    """
    if a == b:
        return True
    if len(a) == 1 or len(b) == 1:
        return a[0] == b[0]
    (one, groups), (other, more) = names.forms(a), names.forms(b)
    return bool(one & other or groups & more) or (one_slip(a, b) and not (a in names and b in names))


def firsts(row: Row) -> list[str]:
    """Return a record's first names."""
    return [w for w in row.get("given", ()) if w not in HONORIFICS]


def other_first(a: Row, b: Row, names: Names) -> bool:
    """Return whether both records have a first name and none of the one's can be one of the other's."""
    x, y = firsts(a), firsts(b)
    if not x or not y:
        return False
    return not any(may_be_one_name(v, w, names) for v in x for w in y)


def one_home(a: Row, b: Row) -> bool:
    """Return whether two records share a family name (as it sounds), an address, a postcode or a telephone."""
    if any(a.get(role) and a.get(role) == b.get(role) for role in ("address", "postcode", "phone")):
        return True
    x, y = a.get("family", ()), b.get("family", ())
    return any(v == w or sound(v) == sound(w) or (len(v) > 4 and one_slip(v, w)) for v in x for w in y)


def same_birth_and_town(a: Row, b: Row) -> bool:
    """Return whether two records have one birthday and a place in common: what twins share, however they are spelt."""
    return (
        bool(a.get("born"))
        and a.get("born") == b.get("born")
        and bool({*a.get("place", ())} & {*b.get("place", ())})
    )


def same_birth(a: Row, b: Row) -> bool:
    """Return whether both records tell a birthday and the two are a slip or a swap of day and month apart at most."""
    x, y = str(a.get("born", "")), str(b.get("born", ""))
    return bool(x and y) and (one_slip(x, y) or x == y[:4] + y[6:] + y[4:6])


def other_sex(a: Row, b: Row) -> bool:
    """Return whether both records tell of a sex and not the same."""
    return bool(a.get("sex") and b.get("sex")) and a["sex"] != b["sex"]


def forbids(a: Row, b: Row, m: Map, names: Names) -> str:
    """Return the guard that keeps two records apart, or nothing."""
    if "parts" in m.guards and a.get("incident") and a.get("incident") == b.get("incident"):
        one, other = a.get("part", ""), b.get("part", "")
        if one and other and one != other:
            return "parts"
    if "household" in m.guards:
        if other_first(a, b, names) and (one_home(a, b) or same_birth_and_town(a, b)):
            return "household"
        # A slip makes Carol Carl: in one home another sex is another person, unless the birthdays agree.
        if other_sex(a, b) and not same_birth(a, b) and one_home(a, b):
            return "household"
    if "generations" in m.guards and a.get("born") and b.get("born"):
        x, y = a["born"], b["born"]
        if abs(int(x[:4]) - int(y[:4])) >= 10 and x[2:] != y[2:] and not one_slip(x, y) and one_home(a, b):
            return "generations"
    return ""


def used(rows: Sequence[Row]) -> dict[str, int]:
    """Return how many rows have each first name, of those that more than one has."""
    many: dict[str, int] = defaultdict(int)
    for row in rows:
        for w in set(firsts(row)):
            many[w] += 1
    return {w: n for w, n in many.items() if n > 1}


def commons(many: Mapping[str, int], n: int) -> Names:
    """Return the first names in common use: those we know, and those that often many of `n` rows have."""
    often = max(4, round(0.0005 * n))
    return Names(word for word, rows in many.items() if rows >= often)


def apart(rows: Sequence[Row], m: Map, names: Names) -> tuple[Ints, Ints]:
    """Return the pairs of rows (smaller number first, in order) that a guard keeps apart.

    Looked at is everybody in one incident, and all who share an address, a telephone or a birthday and a name.
    """
    if not m.guards:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    left, right = together(rows)
    held = np.fromiter(
        (
            bool(forbids(rows[i], rows[j], m, names))
            for i, j in zip(left.tolist(), right.tolist(), strict=True)
        ),
        bool,
        len(left),
    )
    return left[held], right[held]


def traits(row: Row) -> Iterable[str]:
    """Yield what a record may share with those whom a guard might keep apart from it."""
    for role in ("incident", "postcode", "phone"):
        if row.get(role):
            yield role[0] + row[role]
    if row.get("address"):
        yield f"a{' '.join(row['address'])}|{row.get('postcode') or ' '.join(row.get('place', ()))}"
    if row.get("born"):
        yield f"b{row['born']}{' '.join(row.get('place') or row.get('family', ()))}"


def together(rows: Sequence[Row]) -> tuple[Ints, Ints]:
    """Return the pairs of rows that share a trait, each once; groups of more than LARGEST are passed over."""
    index: dict[str, int] = {}
    who, trait = array("l"), array("l")
    for i, row in enumerate(rows):
        for t in traits(row):
            who.append(i)
            trait.append(index.setdefault(t, len(index)))
    del index
    spot, code = np.frombuffer(who, np.int64), np.frombuffer(trait, np.int64)
    order = np.argsort(code, kind="stable")
    spot, code = spot[order], code[order]
    size = np.bincount(code) if len(code) else np.zeros(0, np.int64)
    begins = np.cumsum(size) - size
    found = [np.zeros(0, np.int64)]
    for many in range(2, min(LARGEST, int(size.max(initial=0))) + 1):
        at = begins[size == many]
        if len(at):
            a, b = np.triu_indices(many, 1)
            one, other = spot[at[:, None] + a], spot[at[:, None] + b]
            found.append((one * len(rows) + other).ravel())
    both = distinct(np.concatenate(found))
    return both // max(1, len(rows)), both % max(1, len(rows))
