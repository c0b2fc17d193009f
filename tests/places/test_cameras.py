"""What a registered camera could have seen, and when its recording is lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cast import AWAY, HOME, Cast

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.ledger.models import Entry
from counterfoil.places import actions, queries, rules
from counterfoil.places.models import Camera

NIGHT = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
SAID = {
    "owner": "Corner Shop", "where": "1 Sample Street, over the door", "force": HOME, "position": "54.574200,-1.234900",
    "direction": "90", "reach": "60", "keeps": "31", "clock": "fast", "clock_by_how_much": "200",
    "clock_who": "the manager", "contact_email": "shop@example.com",
}  # fmt: skip
coordinates = st.tuples(st.floats(50, 58), st.floats(-5, 1.5))


def test_a_camera_sees_what_is_near_and_before_it_and_nothing_behind_it() -> None:
    east = rules.View(54.5742, -1.2349, direction=90, all_round=False, reach_m=60)
    assert rules.sight(east, 54.5742, -1.2343) == rules.Sight("yes", 39, 90)
    assert rules.sight(east, 54.5742, -1.2355).seen == "no"
    assert rules.sight(east, 54.5742, -1.2330).seen == "no", "123 m away, and it reaches 60"
    assert rules.sight(rules.View(54.5742, -1.2349, None, False, 60), 54.5742, -1.2343).seen == "perhaps"
    assert rules.sight(rules.View(54.5742, -1.2349, None, True, 60), 54.5742, -1.2355).seen == "yes"


@given(coordinates, st.floats(0, 359.9), st.floats(6, 300))
def test_distance_and_bearing_lead_back_to_where_they_came_from(
    where: tuple[float, float], bearing: float, metres: float
) -> None:
    """The other way round, on a sphere: go so far in that direction and ask how far and which way it was."""
    from math import asin, atan2, cos, degrees, radians, sin

    lat, lon, turn, far = radians(where[0]), radians(where[1]), radians(bearing), metres / rules.EARTH_M
    to_lat = asin(sin(lat) * cos(far) + cos(lat) * sin(far) * cos(turn))
    to_lon = lon + atan2(sin(turn) * sin(far) * cos(lat), cos(far) - sin(lat) * sin(to_lat))
    seen = rules.sight(rules.View(*where, None, True, 500), degrees(to_lat), degrees(to_lon))
    assert abs(seen.metres - metres) <= 0.6
    assert abs((seen.bearing - bearing + 180) % 360 - 180) <= 1


def test_a_recording_is_fetched_a_day_before_it_goes_or_in_half_of_what_is_left() -> None:
    gone = rules.overwritten_from(NIGHT, 31)
    assert gone == NIGHT + timedelta(days=31)
    assert rules.get_by(gone, NIGHT) == gone - timedelta(days=1)
    assert rules.get_by(gone, gone - timedelta(hours=4)) == gone - timedelta(hours=2)


@pytest.mark.django_db
def test_the_register_lists_what_could_have_seen_it_soonest_lost_first(cast: Cast) -> None:
    cast.staff_the_desk()
    assert cast.charlie.signed_in  # opens the other force
    actions.register_camera({**SAID, "owner": "Slow", "keeps": "31"}, key="a")
    actions.register_camera({**SAID, "owner": "Quick", "keeps": "3", "direction": "270"}, key="b")
    actions.register_camera({**SAID, "owner": "Lost", "keeps": "1"}, key="c")
    actions.register_camera({**SAID, "owner": "Elsewhere", "position": "54.590000,-1.234900"}, key="d")
    nowhere = {k: v for k, v in SAID.items() if k != "position"}
    actions.register_camera({**nowhere, "owner": "Nowhere", "keeps": "14"}, key="e")
    actions.register_camera({**SAID, "owner": "Other force", "force": AWAY}, key="f")
    found = queries.cameras_near(cast.alice, HOME, 54.5742, -1.2343, NIGHT, NIGHT + timedelta(days=2))
    assert [(c.camera.owner, c.sight.seen if c.sight else None, c.lost) for c in found] == [
        ("Quick", "no", False), ("Nowhere", None, False), ("Slow", "yes", False), ("Lost", "yes", True),
    ]  # fmt: skip
    assert queries.cameras_near(Viewer.public(), HOME, 54.5742, -1.2343, NIGHT, NIGHT) == []


@pytest.mark.django_db
def test_a_camera_keeps_its_clock_as_measured_and_by_whom(cast: Cast) -> None:
    cast.staff_the_desk()
    actions.register_camera(SAID, key="a")
    camera = Camera.objects.get()
    assert (camera.clock_offset, camera.clock_by) == (200, "the manager")
    assert Entry.objects.filter(act="camera.registered", subject_id=str(camera.pk)).count() == 1
    assert "shop@example.com" not in str(Entry.objects.get(act="camera.registered").body)


@pytest.mark.django_db
def test_sending_it_twice_makes_one_camera_and_the_code_takes_it_off_for_good(cast: Cast) -> None:
    cast.staff_the_desk()
    code = actions.register_camera(SAID, key="a")
    assert actions.register_camera(SAID, key="a") == code
    assert Camera.objects.count() == 1
    found = queries.camera_by_code(code.lower().replace("-", " "))
    assert found
    assert found.owner == "Corner Shop"
    actions.withdraw_camera(found.id)
    assert queries.camera_by_code(code) is None
    assert Camera.objects.get().contact == {}
    with pytest.raises(NotAllowed, match="no longer on the register"):
        actions.withdraw_camera(found.id)
    with pytest.raises(BadInput, match="police force"):
        actions.register_camera({**SAID, "force": "zz"}, key="z")
