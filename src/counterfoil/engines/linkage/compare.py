"""How two records are compared, role by role: every comparison turns a pair into a small whole number, its level.

Level 0 always means "one side is blank". Three kinds serve every role. *Words* (names, places, occupations, addresses)
share so many bits of information and leave so many words unmatched on both sides; spellings one slip apart and other
names learnt from the data itself count in part. *Dates* are compared digit by digit, with days swapped for months.
*Codes* (postcodes, telephones, identifiers, e-mail) agree wholly, but for a slip, in their first part, or not.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
EDGES = (0.01, 4.5, 7.5, 10.5, 14.0, 19.0)
"""Where the bins of shared bits begin: bin 0 is nothing shared."""
TITLES = frozenset(
    [
        "of",
        "the",
        "de",
        "du",
        "la",
        "le",
        "von",
        "van",
        "der",
        "and",
        "sir",
        "lord",
        "lady",
        "dame",
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "rev",
        "st",
        "jr",
        "sr",
        "esq",
        "baron",
        "baronet",
        "bt",
        "earl",
        "duke",
        "viscount",
        "count",
        "countess",
        "baroness",
        "marquess",
        "marquis",
        "viscountess",
        "duchess",
        "1st",
        "2nd",
        "3rd",
        "4th",
        "5th",
        "6th",
        "7th",
        "8th",
        "9th",
        "10th",
        "11th",
        "12th",
        "13th",
        "14th",
    ]
)
CHUNK = 400_000
CROWD = 400
"""A slip of the pen that more words than this share ties none of them together."""


def exact(bits: Any) -> Any:
    """Return bits in steps of 1/1024: sums of such are exact, so neither order nor engine changes an answer.

    >>> float(exact(np.array([0.1]))[0]) == 102 / 1024
    True
    """
    return np.rint(np.asarray(bits, dtype=np.float64) * 1024) / 1024


def plain(text: str) -> str:
    """Return text in lower case without accents, signs turned to spaces.

    >>> plain("O'Brién-Smith")
    'o brien smith'
    """
    text = unicodedata.normalize("NFKD", text.lower())
    text = "".join(c for c in text if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", text).strip()


def sound(word: str) -> str:
    """Return roughly how a word sounds: its first letter by sound and the consonants after it.

    >>> sound("hayes") == sound("heyes") == sound("hays"), sound("barclay") == sound("berkeley")
    (True, True)
    """
    w = word
    for a, b in (
        ("mac", "mc"), ("wr", "r"), ("kn", "n"), ("gn", "n"), ("ph", "f"), ("gh", "h"), ("ck", "k"), ("sch", "s"),
        ("sh", "s"), ("th", "t"), ("ce", "se"), ("ci", "si"), ("cy", "sy"), ("c", "k"), ("q", "k"), ("z", "s"),
        ("x", "ks"), ("v", "f"), ("dg", "j"), ("mn", "m"),
    ):  # fmt: skip
        w = w.replace(a, b)
    first, rest = w[:1], re.sub(r"[aeiouyhw]", "", w[1:])
    if first in "aeiouy":
        first = "a"
    return first + re.sub(r"(.)\1+", r"\1", rest)


def slips(words: Sequence[str], crowded: set[str], known: bool = False) -> Iterable[tuple[int, int]]:
    """Yield the pairs of words that are one letter added, lost, changed or two swapped apart (or sound alike).

    What more than CROWD words share is put into `crowded` and ties none; when that is `known` already, it is only read.
    """
    by: dict[str, list[int]] = defaultdict(list)
    for i, w in enumerate(words):
        if len(w) < 3:
            continue
        by["=" + w].append(i)
        if len(w) >= 4:
            for k in range(len(w)):
                by["=" + w[:k] + w[k + 1 :]].append(i)
            if len(w) >= 5 and not w.isdigit():
                by["~" + sound(w)].append(i)
    seen: set[tuple[int, int]] = set()
    for key, group in by.items():
        if len(group) < 2 or key in crowded:
            continue
        if len(group) > CROWD and not known:
            crowded.add(key)
            continue
        for n, i in enumerate(group):
            for j in group[n + 1 :]:
                pair = (i, j) if i < j else (j, i)
                if i == j or pair in seen:
                    continue
                if key[0] == "~" or abs(len(words[i]) - len(words[j])) <= 1:
                    seen.add(pair)
                    yield pair


@dataclass
class Words:
    """Sets of words, compared by the bits of information they share."""

    role: str
    x: Any = None
    words: list[str] = field(default_factory=list)
    bits: Floats = field(default_factory=lambda: np.zeros(0))
    s: Any = None
    filled: Any = None
    aliases: dict[tuple[str, str], float] = field(default_factory=dict)
    crowded: set[str] = field(default_factory=set)
    levels: int = 1 + len(EDGES) * 3 + 3

    def fit(self, values: Sequence[Sequence[str]], known: Mapping[str, Any] | None = None) -> None:
        """Learn words and how common each is from the records' lists of words, or from what is `known` already."""
        index: dict[str, int] = {}
        rows, cols = [], []
        for r, ws in enumerate(values):
            for w in set(ws):
                rows.append(r)
                cols.append(index.setdefault(w, len(index)))
        self.words = list(index)
        n = len(values)
        self.x = sparse.csr_matrix(
            (np.ones(len(rows), np.float32), (rows, cols)), shape=(n, max(1, len(index)))
        )
        df = np.asarray(self.x.sum(axis=0)).ravel()
        self.filled = np.asarray(self.x.sum(axis=1)).ravel() > 0
        self.total = int(self.filled.sum())
        if known:
            self.total, counts = max(self.total, int(known["total"])), known["counts"]
            df = np.maximum(df, [counts.get(w, 0) for w in self.words] or [0])
            self.aliases = {(a, b): float(v) for a, b, v in known.get("aliases", ())}
            self.crowded = set(known.get("crowded", ()))
        self.df = df
        self.bits = exact(np.log2(max(1, self.total) / np.maximum(df, 1)).clip(0.3))
        self.near = list(slips(self.words, self.crowded, known=known is not None))
        self.weave()

    def known(self) -> dict[str, Any]:
        """Return what was learnt, so that later records are weighed alike; words met once are left out."""
        return {
            "total": self.total,
            "counts": {w: int(c) for w, c in zip(self.words, self.df, strict=False) if c > 1},
            "aliases": [(a, b, v) for (a, b), v in sorted(self.aliases.items())],
            "crowded": sorted(self.crowded),
        }

    def weave(self) -> None:
        """Build the table of which word stands for which, and for how many bits."""
        n = max(1, len(self.words))
        a, b, w = [np.arange(len(self.words))], [np.arange(len(self.words))], [self.bits]
        if self.near:
            p = np.array(self.near)
            weight = 0.7 * np.minimum(self.bits[p[:, 0]], self.bits[p[:, 1]])
            a += [p[:, 0], p[:, 1]]
            b += [p[:, 1], p[:, 0]]
            w += [weight, weight]
        if self.role == "name":
            starts: dict[str, list[int]] = defaultdict(list)
            for i, word in enumerate(self.words):
                if len(word) > 1 and word not in TITLES:
                    starts[word[0]].append(i)
            for i, word in enumerate(self.words):
                if len(word) == 1 and starts[word]:
                    js = np.array(starts[word])
                    a += [np.full(len(js), i), js]
                    b += [js, np.full(len(js), i)]
                    w += [np.minimum(2.5, 0.7 * self.bits[js])] * 2
        index = {word: i for i, word in enumerate(self.words)}
        for (one, other), strength in self.aliases.items():
            if one in index and other in index:
                i, j = index[one], index[other]
                weight = min(strength, 0.9 * float(min(self.bits[i], self.bits[j])))
                a += [np.array([i, j])]
                b += [np.array([j, i])]
                w += [np.array([weight, weight])]
        ai, bi, wi = np.concatenate(a), np.concatenate(b), exact(np.concatenate(w))
        order = np.lexsort((-wi, bi, ai))
        ai, bi, wi = ai[order], bi[order], wi[order]
        first = np.ones(len(ai), bool)
        first[1:] = (ai[1:] != ai[:-1]) | (bi[1:] != bi[:-1])
        self.s = sparse.csr_matrix((wi[first].astype(np.float32), (ai[first], bi[first])), shape=(n, n))
        self.y = (self.x @ self.s).tocsr()
        count = np.array(
            [0.0 if w in TITLES or (w.isdigit() and len(w) < 2) else 1.0 for w in self.words] or [0.0]
        )
        self.counted = self.x.multiply(count.astype(np.float32)[None, :]).tocsr()
        self.n = np.asarray(self.counted.sum(axis=1)).ravel()
        self.hit = self.y.copy()
        self.hit.data = (self.hit.data > 0).astype(np.float32)

    def shared(self, left: Ints, right: Ints) -> tuple[Floats, Ints]:
        """Return the bits each pair shares and how many words are unmatched on both sides."""
        bits, clash = np.zeros(len(left)), np.zeros(len(left), np.int64)
        for k in range(0, len(left), CHUNK):
            one, two = left[k : k + CHUNK], right[k : k + CHUNK]
            bits[k : k + CHUNK] = np.asarray(self.y[one].multiply(self.x[two]).sum(axis=1)).ravel()
            lone_l = self.n[one] - np.asarray(self.counted[one].multiply(self.hit[two]).sum(axis=1)).ravel()
            lone_r = self.n[two] - np.asarray(self.counted[two].multiply(self.hit[one]).sum(axis=1)).ravel()
            clash[k : k + CHUNK] = np.minimum(lone_l, lone_r).clip(0, 2)
        return bits, clash

    def level(self, left: Ints, right: Ints) -> NDArray[np.int8]:
        """Return each pair's level."""
        bits, clash = self.shared(left, right)
        out = 1 + 3 * np.searchsorted(EDGES, bits, side="right") + clash
        out[~(self.filled[left] & self.filled[right])] = 0
        return np.asarray(out, dtype=np.int8)

    def tell(self, level: int) -> str:
        """Return in words what a level of this comparison means."""
        if not level:
            return "blank on one side"
        bin_, clash = divmod(level - 1, 3)
        low = ("nothing shared", "a little shared", "something common shared", "something shared", "much shared",
               "something rare shared", "something very rare shared")[bin_]  # fmt: skip
        return (
            low + ("", ", one word on each side unmatched", ", several words on each side unmatched")[clash]
        )


def ordinal(day: str) -> int:
    """Return a number for a day of eight digits, such that numbers differ by about the days between.

    >>> ordinal("20220329") - ordinal("20220328"), ordinal("20220301") - ordinal("20220201")
    (1, 31)
    """
    return int(day[:4]) * 372 + int(day[4:6]) * 31 + int(day[6:]) if len(day) == 8 else 0


@dataclass
class Dates:
    """Dates as eight digits, year first. Dates of birth are compared by digit, dates of events by the days between."""

    role: str
    levels: int = 1 + 4 * 6

    def fit(self, values: Sequence[str], known: Mapping[str, Any] | None = None) -> None:
        """Take the digits; eight of them or the date is blank."""
        n = len(values)
        self.d = np.zeros((n, 8), np.uint8)
        self.filled = np.zeros(n, bool)
        for i, v in enumerate(values):
            if len(v) == 8:
                self.d[i] = np.frombuffer(v.encode(), np.uint8)
                self.filled[i] = True
        md = self.d[:, 4:].astype(np.int64) @ np.array([1000, 100, 10, 1])
        days, counts = np.unique(md[self.filled], return_counts=True)
        usual = known["usual"] if known else days[counts > max(20, 0.03 * self.filled.sum())]
        self.usual_days = [int(u) for u in usual]
        self.usual = np.isin(md, usual) & self.filled
        self.day = np.array([ordinal(v) for v in values], np.int64)
        self.year = (self.d[:, :4].astype(np.int64) - 48) @ np.array([1000, 100, 10, 1])

    def known(self) -> dict[str, Any]:
        """Return which days of the year are put in where the day is not known."""
        return {"usual": self.usual_days}

    def level(self, left: Ints, right: Ints) -> NDArray[np.int8]:
        """Return each pair's level: the year (same, a digit, near, other) by the day (usual, same, swapped …)."""
        a, b = self.d[left], self.d[right]
        if self.role == "date":
            out = 1 + np.searchsorted((0, 1, 3, 7, 14, 31), np.abs(self.day[left] - self.day[right]))
            out[~(self.filled[left] & self.filled[right])] = 0
            return np.asarray(out, dtype=np.int8)
        off = a != b
        oy, om = off[:, :4].sum(axis=1), off[:, 4:].sum(axis=1)
        gap = np.abs(self.year[left] - self.year[right])
        y = np.select(
            [
                oy == 0,
                oy == 1,
                (gap <= 2) | (np.sort(a[:, :4], axis=1) == np.sort(b[:, :4], axis=1)).all(axis=1),
            ],
            [0, 1, 2],
            3,
        )
        swapped = (a[:, 4:6] == b[:, 6:8]).all(axis=1) & (a[:, 6:8] == b[:, 4:6]).all(axis=1)
        both = self.usual[left] & self.usual[right]
        one = self.usual[left] | self.usual[right]
        md = np.select([(om == 0) & both, om == 0, swapped, (om == 1), one & ~both], [0, 1, 2, 3, 4], 5)
        out = 1 + y * 6 + md
        out[~(self.filled[left] & self.filled[right])] = 0
        return np.asarray(out, dtype=np.int8)

    def tell(self, level: int) -> str:
        """Return in words what a level of this comparison means."""
        if not level:
            return "blank on one side"
        if self.role == "date":
            return ("same day", "a day apart", "within 3 days", "within a week", "within two weeks", "within a month",
                    "further apart")[level - 1]  # fmt: skip
        y, md = divmod(level - 1, 6)
        year = ("same year", "year off by one digit", "year near", "other year")[y]
        day = ("same day, one that is put in where it is not known", "same day", "day and month swapped",
               "day or month off by one digit", "one day not known", "other day")[md]  # fmt: skip
        return f"{year}, {day}"


@dataclass
class Codes:
    """Short codes compared whole, but for a slip, or by their first part."""

    role: str
    levels: int = 8

    def fit(self, values: Sequence[str], known: Mapping[str, Any] | None = None) -> None:
        """Number the codes and their first parts."""
        uk = self.role == "postcode"
        self.values = list(values)
        full: dict[str, int] = {"": 0}
        self.full = np.array([full.setdefault(v, len(full)) for v in values], np.int64)
        names = list(full)
        width = max([len(v) for v in names] + [1])
        width = min(width, 40)
        self.text = np.zeros((len(names), width), np.uint8)
        heads, areas = {"": 0}, {"": 0}
        self.head_of, self.area_of = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
        for i, v in enumerate(names):
            e = v.encode()[:width]
            self.text[i, : len(e)] = np.frombuffer(e, np.uint8)
            head, area = first_parts(v) if uk else (v[: max(3, len(v) // 2)], v[:2])
            self.head_of[i] = heads.setdefault(head, len(heads))
            self.area_of[i] = areas.setdefault(area, len(areas))
        self.filled = self.full > 0
        counts = np.bincount(self.full, minlength=len(names))
        self.common = counts > max(10.0, 0.002 * max(1, self.filled.sum()))
        if known:
            usual = set(known["common"])
            self.common = np.array([v in usual for v in names])
        self.usual = [v for v, often in zip(names, self.common.tolist(), strict=True) if often and v]

    def known(self) -> dict[str, Any]:
        """Return the codes that many records share."""
        return {"common": self.usual}

    def level(self, left: Ints, right: Ints) -> NDArray[np.int8]:
        """Return each pair's level."""
        a, b = self.full[left], self.full[right]
        out = np.zeros(len(left), np.int64)
        for k in range(0, len(left), CHUNK):
            c, d = a[k : k + CHUNK], b[k : k + CHUNK]
            ta, tb = self.text[c], self.text[d]
            off = ta != tb
            n = off.sum(axis=1)
            swap = (n == 2) & (np.sort(ta, axis=1) == np.sort(tb, axis=1)).all(axis=1)
            head, area = self.head_of[c] == self.head_of[d], self.area_of[c] == self.area_of[d]
            out[k : k + CHUNK] = np.select(
                [(c == d) & ~self.common[c], c == d, head & ((n == 1) | swap), (n == 1) | swap, head, area],
                [1, 2, 3, 4, 5, 6],
                7,
            )
        out[~(self.filled[left] & self.filled[right])] = 0
        return np.asarray(out, dtype=np.int8)


def told(level: int, kind: type) -> str:
    """Return in words what a level of codes or numbers means."""
    if not level:
        return "blank on one side"
    if kind is Codes:
        return ("same, and few have it", "same, but many have it", "one slip, same first part", "one slip",
                "same first part", "same beginning", "different")[level - 1]  # fmt: skip
    return ("equal", "within 1 %", "within 5 %", "within 20 %", "different")[level - 1]


def first_parts(code: str) -> tuple[str, str]:
    """Return a postcode's outward part and its area.

    >>> first_parts("st72sp"), first_parts("2119")
    (('st7', 'st'), ('211', '21'))
    """
    if re.fullmatch(r"[a-z]{1,2}[0-9a-z]{1,3}[0-9a-z]{3}", code) and len(code) >= 5 and code[0].isalpha():
        area = re.match(r"[a-z]+", code[:2])
        return code[:-3], area.group() if area else code[:1]
    return code[:3], code[:2]


@dataclass
class Numbers:
    """Amounts, compared by how far apart they are in proportion."""

    role: str
    levels: int = 6

    def fit(self, values: Sequence[str], known: Mapping[str, Any] | None = None) -> None:
        """Read the numbers; what is none is blank."""
        self.v = np.full(len(values), np.nan)
        for i, v in enumerate(values):
            if v:
                try:
                    self.v[i] = float(v)
                except ValueError:
                    continue
        self.filled = ~np.isnan(self.v)

    def known(self) -> dict[str, Any]:
        """Return nothing: numbers learn nothing."""
        return {}

    def level(self, left: Ints, right: Ints) -> NDArray[np.int8]:
        """Return each pair's level: equal, within 1 %, 5 %, 20 %, further."""
        a, b = self.v[left], self.v[right]
        with np.errstate(invalid="ignore", divide="ignore"):
            far = np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-9)
        out = np.select([far < 1e-9, far <= 0.01, far <= 0.05, far <= 0.2], [1, 2, 3, 4], 5)
        out[~(self.filled[left] & self.filled[right])] = 0
        return np.asarray(out, dtype=np.int8)


Comparison = Words | Dates | Codes | Numbers
