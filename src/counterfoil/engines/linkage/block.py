"""Which pairs are worth comparing: records that share rare keys, the rarest first, so many for each record."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from counterfoil.engines.linkage.compare import TITLES, first_parts, ordinal, sound
from counterfoil.engines.rows import database

Ints = NDArray[np.int64]
Keyed = tuple[NDArray[np.int32], NDArray[np.int64]]
"""Which record has which key, in the order of keys."""
LARGEST = 300
"""A key that more records share than this says too little to bring any two of them together."""
EACH = 80
MANY, EACH_OF_MANY, LARGEST_OF_MANY = 200_000, 25, 100
STEPS, MOST = 64, 2**18 - 1
"""Bits are added up in steps of 1/64, and no two records share 4,095 of them."""


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


def keyed(rows: Sequence[dict[str, Any]], start: int = 0) -> Keyed:
    """Return which row (numbered from `start`) has which key, in the order of keys.

    A key is the low half of its MD5 as DuckDB has it, taken for a signed number.
    """
    con = database()
    spots, hashes = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    for begin in range(0, len(rows), 50_000):
        many: list[int] = []
        key: list[str] = []
        for row in rows[begin : begin + 50_000]:
            mine = dict.fromkeys(keys(row))
            key += mine
            many.append(len(mine))
        con.register("t", pa.table({"key": pa.array(key, pa.string())}))
        hashes.append(
            con.sql("SELECT md5_number_lower(key) AS key FROM t").fetchnumpy()["key"].view(np.int64)
        )
        spots.append(np.repeat(np.arange(start + begin, start + begin + len(many), dtype=np.int32), many))
    room = sum(map(len, hashes))
    who, hashed, at = np.empty(room, np.int32), np.empty(room, np.int64), 0
    # A sixteenth at a time, so that sorting takes little more room than the answer.
    for top in range(-8, 8):
        here = [h >> 60 == top for h in hashes]
        part = np.concatenate([h[m] for h, m in zip(hashes, here, strict=True)])
        order = np.argsort(part, kind="stable")
        end = at + len(order)
        hashed[at:end] = part[order]
        who[at:end] = np.concatenate([s[m] for s, m in zip(spots, here, strict=True)])[order]
        at = end
    return who, hashed


def each(n: int) -> int:
    """Return how many rivals each record of a table of `n` brings: fewer where there are very many."""
    return EACH if n <= MANY else EACH_OF_MANY


def largest(n: int) -> int:
    """Return how many records of `n` may share a key that is of use: fewer where there are very many."""
    return LARGEST if n <= MANY else LARGEST_OF_MANY


def table(k: Keyed, n: int) -> tuple[Any, Any]:
    """Return the sparse table of records by keys, holding bits, and its transpose, holding ones.

    Their product adds up the bits that two records share: sums of small whole numbers, so exact.
    """
    who, key = k
    new = np.ones(len(key), bool)
    new[1:] = key[1:] != key[:-1]
    begins = np.nonzero(new)[0]
    df = np.diff(np.append(begins, len(key)))
    wanted = (df > 1) & (df <= largest(n))
    keep = np.repeat(wanted, df)
    bits = np.rint(np.log2(n / df[wanted]).clip(0.1) * STEPS).astype(np.float32)
    who, df = who[keep], df[wanted]
    many = int(wanted.sum())
    ends = np.concatenate([[0], np.cumsum(df)]).astype(np.int64)
    ones = sparse.csr_matrix((np.ones(len(who), np.float32), who, ends), shape=(many, n))
    weighed = sparse.csr_matrix((np.repeat(bits, df), who, ends), shape=(many, n)).T.tocsr()
    return weighed, ones


def distinct(values: Ints) -> Ints:
    """Return the values in order, each once (by sorting: NumPy's own hashes, and is slow on many)."""
    values = np.sort(values)
    first = np.ones(len(values), bool)
    first[1:] = values[1:] != values[:-1]
    return values[first]


def pairs(k: Keyed, n: int, step: int = 1000) -> tuple[Ints, Ints]:
    """Return the pairs (left < right, in order) in which one is among the other's `each` best.

    Of rivals that share equally many bits the first comes first.
    """
    weighed, ones = table(k, n)
    found = []
    for start in range(0, n, step):
        p = weighed[start : start + step] @ ones
        m = p.shape[0]
        who = np.repeat(np.arange(m), np.diff(p.indptr))
        # One number holds who, the bits (more first) and the rival, so that sorting it ranks rivals.
        code = (who << 48) | ((MOST - p.data.astype(np.int64)) << 30) | p.indices
        code = code[p.indices != who + start]
        code.sort()
        who = code >> 48
        rank = np.arange(len(code)) - np.searchsorted(who, np.arange(m))[who]
        code = code[rank < each(n)]
        who, other = (code >> 48) + start, code & (2**30 - 1)
        found.append(np.minimum(who, other) * n + np.maximum(who, other))
    both = distinct(np.concatenate(found)) if found else np.zeros(0, np.int64)
    return both // n, both % n


def rivals(keys: str, fresh: str, n: int) -> str:
    """Return SQL that gives the pairs (a < b) in which one is of `fresh` and the other among its `each` best.

    `keys` and `fresh` are tables of key and spot; `n` is the number of records. It ranks exactly as `pairs` does, and
    is the same text for DuckDB and for Spark.
    """
    only = f" WHERE key IN (SELECT key FROM {fresh})" if fresh != keys else ""  # noqa: S608
    return f"""
WITH mine AS (SELECT key, spot FROM {keys}{only}),
often AS (SELECT key, count(*) AS df FROM mine GROUP BY key HAVING count(*) BETWEEN 2 AND {largest(n)}),
bits AS (
  SELECT key, CAST(round(greatest(log2({n} / CAST(df AS DOUBLE)), 0.1) * {STEPS}) AS BIGINT) AS w FROM often
),
sums AS (
  SELECT f.spot AS me, o.spot AS other, sum(b.w) AS w
  FROM {fresh} f JOIN bits b ON b.key = f.key JOIN mine o ON o.key = f.key
  WHERE f.spot <> o.spot GROUP BY f.spot, o.spot
),
ranked AS (SELECT me, other, row_number() OVER (PARTITION BY me ORDER BY w DESC, other) AS place FROM sums)
SELECT DISTINCT least(me, other) AS a, greatest(me, other) AS b FROM ranked WHERE place <= {each(n)}
"""  # noqa: S608
