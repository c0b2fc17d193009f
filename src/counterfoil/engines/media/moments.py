"""How people name a moment of a recording: a frame's number, or a time after the first frame.

>>> clock(Fraction(3725) + Fraction(2, 25))
'1:02:05.080000'
>>> seconds_of("1:02:05.08") == Fraction(372508, 100)
True
>>> seconds_of("nine") is None
True
"""

import re
from fractions import Fraction

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media.recording import Timeline

_FRAME = re.compile(r"\s*(?:frame\s+|#)?(\d{1,9})\s*", re.ASCII | re.IGNORECASE)
_TIME = re.compile(
    r"\s*(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)\s*|\s*(\d{1,9}(?:\.\d{1,9})?)\s*s\s*", re.ASCII
)


def clock(seconds: Fraction) -> str:
    """Return a time as hours, minutes and seconds to the microsecond, rounded down."""
    sign, whole = ("-", -seconds) if seconds < 0 else ("", seconds)
    micro = int(whole * 1_000_000)
    rest, micro = divmod(micro, 1_000_000)
    minutes, s = divmod(rest, 60)
    hours, m = divmod(minutes, 60)
    return f"{sign}{hours}:{m:02}:{s:02}.{micro:06}"


def seconds_of(text: str) -> Fraction | None:
    """Return a time like 1:02:05.08, 2:05 or 125.08s in seconds, exactly; None when it is not one."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    if found[4]:
        return Fraction(found[4])
    return int(found[1] or 0) * 3600 + int(found[2]) * 60 + Fraction(found[3])


def understood(field: str, text: str, frames: int | None) -> int | Fraction:
    """Return the number of a frame or the seconds that a person named; refuse what is neither, or beyond `frames`."""
    if number := _FRAME.fullmatch(text):
        if frames is not None and int(number[1]) >= frames:
            raise BadInput(field, f"There is no frame {int(number[1])}: the last one is frame {frames - 1}.")
        return int(number[1])
    seconds = seconds_of(text)
    if seconds is None:
        raise BadInput(field, "Give a frame number like 120, or a time like 0:01:02.5.")
    return seconds


def moment(field: str, text: str, times: Timeline) -> int:
    """Return the number of the frame that a person named, or refuse with how many there are."""
    seconds = understood(field, text, len(times))
    if isinstance(seconds, int):
        return seconds
    whole = times.seconds(times.pts[-1] - times.pts[0])
    longest = max(times.steps, default=Fraction(1))
    if seconds > whole + longest:
        raise BadInput(field, f"The recording ends at {clock(whole)}.")
    return times.at(seconds)
