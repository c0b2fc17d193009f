"""Read the periods that published tables are about, in the many ways they are written, as first and last month.

>>> read_period("year ending March 2025")
('2024-04', '2025-03')
>>> read_period("Apr '18 to Jun '18")
('2018-04', '2018-06')
>>> read_period("31-03-2003", months=12)
('2002-04', '2003-03')
"""

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_YEAR = r"[ '\u2019\-]*((?:19|20)\d\d|\d\d)"
_RANGE = re.compile(_NAME + r"(?:" + _YEAR + r")?\s*(?:to|-|\u2013)\s*" + _NAME + _YEAR)
_ENDING = re.compile(r"(?:year|years|12 months|ye)\s*(?:ending|ended|to)?\s*(?:\d{1,2}\s+)?" + _NAME + _YEAR)
_QUARTER = re.compile(r"(?:((?:19|20)\d\d)\s*[ \-]?\s*q([1-4])|q([1-4])\s*[ \-/]?\s*((?:19|20)\d\d))")
_FINANCIAL = re.compile(r"((?:19|20)\d\d)\s*[/\u2013\-]\s*((?:19|20)?\d\d)")
_ISO = re.compile(r"((?:19|20)\d\d)-(\d\d)(?:-\d\d)?(?:[t ].*)?")
_DAY = re.compile(r"\d{1,2}[/\-](\d{1,2})[/\-]((?:19|20)\d\d)")
_MONTH = re.compile(_NAME + _YEAR)
_YYYYMM = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])")


def back(last: str, months: int) -> str:
    """Return the first month of a period of so many months that ends with `last`."""
    at = int(last[:4]) * 12 + int(last[5:]) - months
    return f"{at // 12:04d}-{at % 12 + 1:02d}"


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _month(name: str, year: int) -> str:
    return f"{year:04d}-{MONTHS.index(name[:3]) + 1:02d}"


def quarter(year: str, number: str) -> tuple[str, str] | None:
    """Read a year and a quarter in columns of their own: in "2023/24" they count from April, in "2023" from January."""
    n = re.search(r"[1-4]", number)
    span = read_period(year)
    if n is None or span is None:
        return None
    last = back(span[1], 1 + 3 * (4 - int(n[0])))
    return back(last, 3), last


def read_period(text: str, months: int = 1) -> tuple[str, str] | None:
    """Return the first and last month that a text names, or None when it names none.

    `months` is how long a period is when the text gives its last day or month only.
    """
    plain = " ".join(text.casefold().replace("\u2019", "'").split())
    if found := _ENDING.search(plain):
        last = _month(found[1], _year(found[2]))
        return back(last, 12), last
    if found := _RANGE.search(plain):
        to = _year(found[4])
        return _month(found[1], _year(found[2]) if found[2] else to), _month(found[3], to)
    if found := _QUARTER.fullmatch(plain):
        year, n = int(found[1] or found[4]), int(found[2] or found[3])
        return f"{year:04d}-{3 * n - 2:02d}", f"{year:04d}-{3 * n:02d}"
    if found := _ISO.fullmatch(plain):
        if not 1 <= int(found[2]) <= 12:
            return _financial(plain)
        return back(f"{found[1]}-{found[2]}", months), f"{found[1]}-{found[2]}"
    if found := _DAY.fullmatch(plain):
        if not 1 <= int(found[1]) <= 12:
            return None
        last = f"{found[2]}-{int(found[1]):02d}"
        return back(last, months), last
    if financial := _financial(plain):
        return financial
    if found := _YYYYMM.fullmatch(plain):
        return back(f"{found[1]}-{found[2]}", months), f"{found[1]}-{found[2]}"
    if re.fullmatch(r"(?:19|20)\d\d", plain):
        return f"{plain}-01", f"{plain}-12"
    if found := _MONTH.search(plain):
        last = _month(found[1], _year(found[2]))
        return back(last, months), last
    return None


def _financial(plain: str) -> tuple[str, str] | None:
    found = _FINANCIAL.fullmatch(plain)
    if found is None:
        return None
    year = int(found[1])
    after = int(found[2]) % 100
    return (f"{year:04d}-04", f"{year + 1:04d}-03") if after == (year + 1) % 100 else None
