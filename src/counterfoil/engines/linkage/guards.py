"""Pairs that must never be joined, whatever else agrees: two parts in one incident, twins, a household's members.

A guard looks at the facts of two records only; it never says that two are the same. The pairs it finds keep whole groups
apart, so no third record can chain them together.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from counterfoil.engines.linkage.compare import TITLES
from counterfoil.engines.linkage.maps import Map

Row = Mapping[str, Any]
LARGEST = 400
"""A group larger than this (a street, a bank holiday) is no household; its pairs are compared as any others."""
# Short forms of English names, each line one name; the data teach others.
NICKNAMES = """
alexander alex al sandy alec|alfred alf fred|andrew andy drew|anthony tony|arthur art|benjamin ben benny|catherine kate katie
kathy cathy katherine kathryn kitty|charles charlie chas chuck|christopher chris kit|christine chris tina chrissie|daniel dan
danny|david dave davey|deborah debbie deb|dorothy dot dolly|edward ed eddie ted ned teddy|eleanor ellie nell nora|elizabeth
liz beth betty lizzie eliza elsie bess bessie betsy libby|emily em emmy|florence flo florrie|francis frank|frances fanny fran|
frederick fred freddie|george georgie|gerald gerry|gregory greg|harold harry|helen nell nellie|henry harry hal|isabella bella
isabel|jacqueline jackie|james jim jimmy jamie|janet jan|jennifer jen jenny|jessica jess jessie|john jack johnny jon|jonathan
jon|joseph joe joey|joshua josh|judith judy|kenneth ken kenny|kimberley kim|lawrence larry laurie|leonard len lenny|lewis lew
louis|margaret maggie meg peggy madge|martha mattie|martin marty|mary molly polly|matthew matt|matilda tilly|michael mike mick
mickey|mohammed mohammad muhammad mohamed mo|nathaniel nat|nicholas nick nicky|nicola nicky|oliver ollie|pamela pam|patricia
pat trish patsy|patrick pat paddy|peter pete|philip phil|rebecca becky becca|richard dick rick ricky rich|robert bob bobby rob
robbie bert|ronald ron ronnie|rosemary rose|samuel sam sammy|samantha sam|sarah sally sadie|simon si|stephen steve stevie steven|
susan sue susie|terence terry|theodore ted theo|theresa tess terry|thomas tom tommy|timothy tim|victoria vicky|vincent vince|
walter walt wally|william will bill billy willie liam|yusuf joseph yousef|zachary zach
"""
SAME: dict[str, set[int]] = defaultdict(set)
for _number, _line in enumerate(" ".join(NICKNAMES.split()).split("|")):
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
    return [w for w in row.get("given", ()) if w not in TITLES]


def other_first(a: Row, b: Row, common: Callable[[str], bool]) -> bool:
    """Return whether both records have a first name and the first of each cannot be the other's."""
    x, y = firsts(a), firsts(b)
    if not x or not y:
        return False
    return not any(may_be_one_name(v, w, common) for v in x for w in y)


def _lists(row: Row, role: str) -> tuple[str, ...]:
    v = row.get(role, ())
    return (v,) if isinstance(v, str) and v else tuple(v)


def apart(rows: Sequence[Row], m: Map) -> Iterable[tuple[int, int, str]]:
    """Yield pairs of rows (smaller number first) that a guard keeps apart, and the guard."""
    seen: set[tuple[int, int]] = set()
    if "parts" in m.guards:
        for i, j in _together(rows, lambda r: [r["incident"]] if r.get("incident") else []):
            one, other = rows[i].get("part", ""), rows[j].get("part", "")
            if one and other and one != other and (i, j) not in seen:
                seen.add((i, j))
                yield i, j, "parts"
    if not m.guards & {"household", "generations"}:
        return
    used: dict[str, int] = defaultdict(int)
    for row in rows:
        for w in set(firsts(row)):
            used[w] += 1
    often = max(3, round(0.0002 * len(rows)))

    def common(word: str) -> bool:
        return word in SAME or used[word] >= often

    def homes(row: Row) -> list[str]:
        family = "".join(_lists(row, "family"))
        born, post, phone = row.get("born", ""), row.get("postcode", ""), row.get("phone", "")
        address = " ".join(_lists(row, "address"))
        keys = [f"{kind}{v}" for kind, v in (("a", address), ("p", post), ("t", phone)) if v]
        if family and born:
            keys.append(f"b{family}{born}")
        return keys

    for i, j in _together(rows, homes):
        if (i, j) in seen:
            continue
        a, b = rows[i], rows[j]
        if "household" in m.guards and other_first(a, b, common):
            seen.add((i, j))
            yield i, j, "household"
        elif "generations" in m.guards and a.get("born") and b.get("born"):
            gap = abs(int(a["born"][:4]) - int(b["born"][:4]))
            if gap >= 15 and a["born"][2:] != b["born"][2:] and not one_slip(a["born"], b["born"]):
                seen.add((i, j))
                yield i, j, "generations"


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
