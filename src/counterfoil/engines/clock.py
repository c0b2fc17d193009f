"""Count the time that promises are made in: London time, working days of England and Wales, ladders.

>>> bailed = datetime(2026, 12, 24, 17, 0, tzinfo=London)       # Christmas Eve, a Thursday
>>> say_by(due(bailed, "1wd"), now=bailed, lang="en")
'by 5pm on Tuesday 29 December'
>>> say_by(due(bailed, "24h"), now=bailed, lang="cy")
'erbyn 5pm ddydd Gwener 25 Rhagfyr'
>>> ladder = Ladder([("0m", "sergeant"), ("4h", "inspector")])
>>> rung(ladder, due(bailed, "24h"), now=bailed + timedelta(hours=25))
1

Rules: `30m` and `24h` are time that passes; `28d` is that many calendar days later at the same London clock
time; `5wd` is the end of the fifth working day after the day of the event. A working day is Monday to Friday
without the bank holidays of England and Wales (Victims' Code 2021, whose limits run from the event, not from
when somebody typed it in). The Code does not say at what hour a working day ends: `END_OF_WORKING_DAY` is our
configuration [uncertain], and a rule may name its own, as in `5wd@23:59`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from counterfoil.engines.errors import BadInput

London = ZoneInfo("Europe/London")

END_OF_WORKING_DAY = time(17, 0)
"""The hour of the last working day at which a limit falls due, London time [uncertain: the Code names none]."""

LAST_YEAR = 2100
"""The last year whose bank holidays the `holidays` library knows; later dates are refused, not guessed."""

_RULE = re.compile(r"(0|[1-9][0-9]{0,5})(m|h|d|wd)(?:@([01][0-9]|2[0-3]):([0-5][0-9]))?", re.ASCII)


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    """Return the bank holidays of England and Wales in a year (the two have the same)."""
    if not 1872 <= year <= LAST_YEAR:
        raise BadInput("when", f"The bank holidays of {year} are not known.")
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_working_day(day: date) -> bool:
    """Say whether a day is Monday to Friday and no bank holiday of England and Wales."""
    if isinstance(day, datetime):
        day = _london(day).date()
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def _london(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadInput("when", "A time must say which time zone it is in.")
    return at.astimezone(London)


def _on_day(day: date, hour: time) -> datetime:
    """Return a London clock time as UTC; a time that the clocks skip becomes the one an hour later."""
    return datetime.combine(day, hour, tzinfo=London).astimezone(UTC)


def _working_day_after(day: date, count: int) -> date:
    while count or not is_working_day(day):
        day += timedelta(days=1)
        if count and is_working_day(day):
            count -= 1
    return day


def add_working_days(start: datetime, n: int, *, ends: time = END_OF_WORKING_DAY) -> datetime:
    """Return the end of the n-th working day after the London day of `start`, in UTC.

    n = 0 gives the end of that day itself, or of the next working day if it is none; never earlier than
    `start`.
    """
    if n < 0:
        raise BadInput("rule", "A number of working days cannot be negative.")
    first = _london(start).date()
    return max(_on_day(_working_day_after(first, n), ends), start.astimezone(UTC))


def due(start: datetime, rule: str) -> datetime:
    """Return when what began at `start` is due by a rule such as `30m`, `24h`, `28d` or `5wd`, in UTC.

    BadInput for a rule that is none, or a time without a time zone.
    """
    found = _RULE.fullmatch(rule)
    if found is None or (found[3] and found[2] != "wd"):
        raise BadInput("rule", f"The time limit {rule!a} is not written like 30m, 24h, 28d or 5wd.")
    local, count = _london(start), int(found[1])
    try:
        match found[2]:
            case "m":
                return start.astimezone(UTC) + timedelta(minutes=count)
            case "h":
                return start.astimezone(UTC) + timedelta(hours=count)
            case "d":
                return (local + timedelta(days=count)).astimezone(UTC)
            case _:
                ends = time(int(found[3]), int(found[4])) if found[3] else END_OF_WORKING_DAY
                return add_working_days(start, count, ends=ends)
    except OverflowError:
        raise BadInput("rule", f"The time limit {rule} ends further away than can be counted.") from None


def overdue(due_at: datetime, now: datetime) -> bool:
    """Say whether the time has passed; at the very moment it is still in time."""
    return now > due_at


@dataclass(frozen=True)
class Ladder:
    """Who hears of a missed duty, and how long after it was due: pairs of (rule, who)."""

    rungs: Sequence[tuple[str, str]]

    def __post_init__(self) -> None:
        for after, _ in self.rungs:
            due(datetime(2026, 1, 1, tzinfo=UTC), after)
        object.__setattr__(self, "rungs", tuple((after, to) for after, to in self.rungs))

    def who(self, number: int) -> str:
        """Return who stands on rung 1, 2, …; BadInput if there is no such rung."""
        if not 1 <= number <= len(self.rungs):
            raise BadInput("rung", f"This ladder has no rung {number}.")
        return self.rungs[number - 1][1]

    def due_on(self, number: int, due_at: datetime) -> datetime:
        """Return when a duty due at `due_at` climbs to this rung; never before the rung below."""
        return max(due(due_at, after) for after, _ in self.rungs[:number])


def rung(ladder: Ladder, due_at: datetime, now: datetime) -> int:
    """Return how far up its ladder a duty stands: 0 until the first rung is reached, then 1, 2, …; none skipped."""
    reached = 0
    while reached < len(ladder.rungs) and overdue(ladder.due_on(reached + 1, due_at), now):
        reached += 1
    return reached


# in words

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "cy": ("Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul"),
}
_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "cy": (
        *("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin"),
        *("Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"),
    ),
}


def _language(lang: str) -> str:
    return "cy" if lang.lower().startswith("cy") else "en"


def _hour(at: datetime, lang: str) -> str:
    if (at.hour, at.minute) == (12, 0):
        return "hanner dydd" if lang == "cy" else "midday"
    minutes = f":{at.minute:02d}" if at.minute else ""
    return f"{at.hour % 12 or 12}{minutes}{'am' if at.hour < 12 else 'pm'}"


def _day(at: date, lang: str, *, year: bool) -> str:
    name = f"{_DAYS[lang][at.weekday()]} {at.day} {_MONTHS[lang][at.month - 1]}"
    return f"{name} {at.year}" if year else name


def say_by(due_at: datetime, now: datetime, lang: str = "en") -> str:
    """Say until when in words, London time: "by 4pm on Tuesday 24 November"; the year only if not this one.

    Seconds are cut off and midnight becomes 11:59pm of the day before, so what is said is never later than
    what is due. Welsh for `cy` (draft, not reviewed), English for everything else.
    """
    lang, at = _language(lang), _london(due_at)
    if (at.hour, at.minute) == (0, 0):
        at = _london(at.astimezone(UTC) - timedelta(minutes=1))
    day = _day(at, lang, year=at.year != _london(now).year)
    return f"erbyn {_hour(at, lang)} ddydd {day}" if lang == "cy" else f"by {_hour(at, lang)} on {day}"


def say_when(at: datetime, lang: str = "en") -> str:
    """Say when something was in words, London time: "4:05pm on Tuesday 24 November 2026"."""
    lang, at = _language(lang), _london(at)
    day = _day(at, lang, year=True)
    return f"{_hour(at, lang)} ddydd {day}" if lang == "cy" else f"{_hour(at, lang)} on {day}"


def say_month(month: str, lang: str = "en") -> str:
    """Say a month in words.

    >>> say_month("2021-03")
    'March 2021'
    """
    return f"{_MONTHS[_language(lang)][int(month[5:7]) - 1]} {month[:4]}"


def say_date(day: date, lang: str = "en") -> str:
    """Say a day in words: "Tuesday 24 November 2026", in Welsh "dydd Mawrth 24 Tachwedd 2026"."""
    lang = _language(lang)
    if isinstance(day, datetime):
        day = _london(day).date()
    return ("dydd " if lang == "cy" else "") + _day(day, lang, year=True)
