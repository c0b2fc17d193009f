"""Which pairs are worth comparing: records that share rare keys, the rarest first, so many for each record."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from counterfoil.engines.linkage.compare import TITLES, first_parts, sound

Ints = NDArray[np.int64]
LARGEST = 300
"""A key that more records share than this says too little to bring any two of them together."""
EACH = 70


def keys(row: dict[str, Any]) -> Iterable[str]:
    """Yield what a record can be found by: single traits, and two or three traits together."""
    names = [w for w in row.get("name", ()) if w not in TITLES]
    sounds = sorted({sound(w) for w in names if len(w) > 1})
    initials = sorted({w[0] for w in names})
    for i, s in enumerate(sounds):
        yield "n" + s
        for t in sounds[i + 1 :]:
            yield f"nn{s}|{t}"
    heads = sorted({w[:4] for w in names if len(w) > 4} | {w[-4:] for w in names if len(w) > 5})
    places = [p for p in row.get("place", ())]
    post = row.get("postcode", "")
    out, area = first_parts(post) if post else ("", "")
    work = list(row.get("occupation", ()))
    days: list[str] = []
    for role in ("born", "date"):
        d = row.get(role, "")
        if len(d) != 8:
            continue
        days.append(d)
        yield f"{role}{d}"
        for k in range(2, 8):
            slip = d[:k] + "?" + d[k + 1 :]
            for s in initials:
                yield f"dw{slip}{s}"
            if out:
                yield f"dp{slip}{area}"
            for s in places:
                yield f"dl{slip}{s}"
        if d[4:6] != d[6:8]:
            swapped = d[:4] + "".join(sorted((d[4:6], d[6:8])))
            yield f"ds{swapped}"
        for s in sounds:
            yield f"ny{s}{d[:4]}"
            yield f"nm{s}{d[2:]}"
            if d[4:] != "0101":
                yield f"nd{s}{d[4:]}"
        for p in places:
            yield f"ly{p}{d[:4]}"
        for p in work:
            yield f"wy{p}{d[:4]}"
    if post:
        yield "p" + post
        for k in range(len(post)):
            slip = post[:k] + "?" + post[k + 1 :]
            for s in initials:
                yield f"ps{slip}{s}"
        for s in sounds:
            yield f"no{s}{out}"
            yield f"na{s}{area}"
        for h in heads:
            yield f"ho{h}{area}"
        for d in days:
            yield f"oy{out}{d[:4]}"
        for p in places:
            yield f"pl{out}{p}"
        for p in work:
            yield f"pw{out}{p}"
    for p in places:
        for s in sounds:
            yield f"nl{s}{p}"
        for h in heads:
            yield f"hl{h}{p}"
        for w in work:
            yield f"lw{p}{w}"
            for s in initials:
                yield f"lwi{p}{w}{s}"
    for w in work:
        for s in sounds:
            yield f"nw{s}{w}"
    for h in heads:
        yield "h" + h
        for d in days:
            yield f"hy{h}{d[:4]}"
    for role in ("identifier", "email", "phone", "vehicle", "handle"):
        v = row.get(role, "")
        if v:
            yield role[0] + v
            yield role[0] + ">" + v[:-1]
            yield role[0] + "<" + v[1:]
            if role == "email" and "@" in v:
                yield "e@" + v.split("@")[0]
    address = list(row.get("address", ()))
    for i, w in enumerate(address):
        yield "a" + w
        for v in address[i + 1 : i + 4]:
            yield f"aa{w}|{v}"
        for s in sounds:
            yield f"na{s}{w}"
    words = list(row.get("text", ()))
    for i, w in enumerate(words):
        yield "t" + w
        for v in words[i + 1 :]:
            yield f"tt{w}|{v}"
    for role in ("amount", "number"):
        a = row.get(role, "")
        if a:
            yield "m" + a
            try:
                about = round(float(a))
            except ValueError:
                continue
            for w in words:
                yield f"tm{w}{about}"
                yield f"tm{w}{about + 1}"


def table(rows: Sequence[dict[str, Any]], largest: int = LARGEST) -> Any:
    """Return the sparse table of records by keys, weighted so that products of rows add up bits."""
    index: dict[str, int] = {}
    r, c = [], []
    for i, row in enumerate(rows):
        for key in dict.fromkeys(keys(row)):
            r.append(i)
            c.append(index.setdefault(key, len(index)))
    rr, cc = np.array(r, np.int32), np.array(c, np.int32)
    df = np.bincount(cc, minlength=len(index))
    keep = (df[cc] > 1) & (df[cc] <= largest)
    rr, cc = rr[keep], cc[keep]
    weight = np.sqrt(np.log2(len(rows) / df[cc]).clip(0.1)).astype(np.float32)
    return sparse.csr_matrix((weight, (rr, cc)), shape=(len(rows), max(1, len(index))))


def pairs(k: Any, each: int = EACH, step: int = 2000) -> tuple[Ints, Ints]:
    """Return the pairs (left < right) in which one is among the other's `each` best."""
    n = k.shape[0]
    kt = k.T.tocsr()
    found = []
    for start in range(0, n, step):
        p = (k[start : start + step] @ kt).tocsr()
        m = p.shape[0]
        who = np.repeat(np.arange(m), np.diff(p.indptr)) + start
        other, w = p.indices.astype(np.int64), p.data
        ok = who != other
        who, other, w = who[ok], other[ok], w[ok]
        order = np.lexsort((-w, who))
        who, other = who[order], other[order]
        begins = np.searchsorted(who, np.arange(start, start + m))
        rank = np.arange(len(who)) - begins[who - start]
        top = rank < each
        who, other = who[top], other[top]
        found.append(np.minimum(who, other) * n + np.maximum(who, other))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    both = np.unique(np.concatenate(found))
    return both // n, both % n
