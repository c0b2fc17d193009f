"""What a registered camera could have seen, by plane geometry: plain values in and out, no clock and no database.

Positions are WGS84 degrees; distances metres; bearings degrees clockwise from north. Over the few hundred metres that
matter the earth is flat enough: the error of the equirectangular distance is below one part in ten thousand.

>>> shop = View(54.574200, -1.234900, direction=90, all_round=False, reach_m=50)
>>> sight(shop, 54.574200, -1.234400)
Sight(seen='yes', metres=32, bearing=90)
>>> sight(shop, 54.574200, -1.235400).seen
'no'
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

EARTH_M = 6_371_008.8
"""Mean radius of the earth in metres (IUGG)."""
HALF_ANGLE = 60
"""Half the angle a camera is taken to see. Cameras of shops and doors see 90 to 110 degrees; the rest is allowance."""
DEFAULT_REACH_M = 50
NEAR_M = 400
"""Cameras within this distance are shown as near by even if they cannot have seen the place: people walk past them."""


@dataclass(frozen=True)
class View:
    """Where a camera stands and which way it looks; a `direction` of None with `all_round` false is not known."""

    lat: float
    lon: float
    direction: int | None
    all_round: bool
    reach_m: int


@dataclass(frozen=True)
class Sight:
    """Whether a camera could have seen a place: `yes`, `perhaps` (its direction is not known) or `no`."""

    seen: str
    metres: int
    bearing: int


def offset(lat: float, lon: float, to_lat: float, to_lon: float) -> tuple[float, float]:
    """Return how many metres east and north the second point is of the first."""
    east = math.radians(to_lon - lon) * math.cos(math.radians((lat + to_lat) / 2)) * EARTH_M
    return east, math.radians(to_lat - lat) * EARTH_M


def sight(view: View, lat: float, lon: float) -> Sight:
    """Say whether a camera could have seen a place: near enough, and in the direction it looks."""
    east, north = offset(view.lat, view.lon, lat, lon)
    metres, bearing = math.hypot(east, north), math.degrees(math.atan2(east, north)) % 360
    seen = "no"
    if metres <= view.reach_m:
        if view.all_round or metres < 5:
            seen = "yes"
        elif view.direction is None:
            seen = "perhaps"
        elif abs((bearing - view.direction + 180) % 360 - 180) <= HALF_ANGLE:
            seen = "yes"
    return Sight(seen, round(metres), round(bearing) % 360)


def overwritten_from(starts_at: datetime, keeps_days: int) -> datetime:
    """Return when a recorder that keeps so many days begins to lose what it recorded from `starts_at` on."""
    return starts_at + timedelta(days=keeps_days)


def get_by(gone_at: datetime, now: datetime) -> datetime:
    """Return by when a recording should be fetched: a day before it goes, or half of the time left if that is less."""
    return max(gone_at - timedelta(days=1), now + (gone_at - now) / 2)
