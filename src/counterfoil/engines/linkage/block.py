"""Which pairs are worth comparing: records that share rare keys, the rarest first, so many for each record."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from counterfoil.engines.linkage.compare import TITLES, first_parts, ordinal, sound

Ints = NDArray[np.int64]
LARGEST = 300
"""A key that more records share than this says too little to bring any two of them together."""
EACH = 80
MANY, EACH_OF_MANY = 200_000, 25


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
    places = list(row.get("place", ()))
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
    amount = row.get("amount", "")
    if amount:
        yield "m" + amount
        yield from _sums(amount, ordinal(row.get("date", "")), words)


def _sums(amount: str, day: int, words: Sequence[str]) -> Iterable[str]:
    """Yield keys of a sum of money: about so much about then, and about so much with a word."""
    try:
        value = float(amount)
    except ValueError:
        return
    if not math.isfinite(value):
        return
    size = math.log(abs(value) + 1) / 0.12
    for week in sorted({day // 7, (day + 3) // 7}) if day else ():
        for bucket in sorted({int(size), int(size + 0.5)}):
            yield f"ad{bucket}|{week}"
            for w in words:
                yield f"adw{bucket}|{week}|{w}"
    for w in words:
        yield f"tm{w}{round(value)}"
        yield f"tm{w}{round(value) + 1}"


def keyed(rows: Sequence[dict[str, Any]], start: int = 0) -> tuple[Ints, Any]:
    """Return which row (numbered from `start`) has which key, a key being the low half of its MD5 as DuckDB has it."""
    con = duckdb.connect()
    spots, hashes = [], []
    for begin in range(0, len(rows), 50_000):
        who, key = [], []
        for i, row in enumerate(rows[begin : begin + 50_000], start + begin):
            mine = list(dict.fromkeys(keys(row)))
            key += mine
            who += [i] * len(mine)
        con.register("t", pa.table({"key": pa.array(key, pa.string())}))
        hashes.append(con.sql("SELECT md5_number_lower(key) AS key FROM t").fetchnumpy()["key"])
        spots.append(np.array(who, np.int64))
    if not spots:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    return np.concatenate(spots), np.concatenate(hashes)


def each(n: int) -> int:
    """Return how many rivals each record of a table of `n` brings: fewer where there are very many."""
    return EACH if n <= MANY else EACH_OF_MANY


def table(who: Ints, key: Any, n: int, largest: int = LARGEST) -> Any:
    """Return the sparse table of records by keys, weighted so that products of rows add up bits."""
    order = np.lexsort((who, key))
    who, key = who[order], key[order]
    new = np.ones(len(key), bool)
    new[1:] = key[1:] != key[:-1]
    begins = np.nonzero(new)[0]
    df = np.diff(np.append(begins, len(key)))
    wanted = (df > 1) & (df <= largest)
    keep = np.repeat(wanted, df)
    column = np.repeat(np.cumsum(wanted) - 1, df)[keep]
    weight = np.repeat(np.sqrt(np.log2(n / df).clip(0.1)), df)[keep].astype(np.float32)
    return sparse.csr_matrix((weight, (who[keep], column)), shape=(n, max(1, int(wanted.sum()))))


def distinct(values: Ints) -> Ints:
    """Return the values in order, each once (by sorting: NumPy's own hashes, and is slow on many)."""
    values = np.sort(values)
    first = np.ones(len(values), bool)
    first[1:] = values[1:] != values[:-1]
    return values[first]


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
    both = distinct(np.concatenate(found))
    return both // n, both % n
