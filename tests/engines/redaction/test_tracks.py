"""A face that was found is covered on every frame it is there, however often the detector misses it."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import films

from counterfoil.engines.redaction import faces, plan, tracks

Box = tuple[float, float, float, float, float]


def walk(count: int, *, speed: float = 4.0, sure: float = 0.8) -> list[Box]:
    """Return where a face of 40 by 50 pixels is on each frame of a walk to the right, with a little sway."""
    return [(20 + speed * n, 60 + 6 * np.sin(n / 5), 40.0, 50.0, sure) for n in range(count)]


def bare(truth: list[Box | None], found: list[dict[str, Any]]) -> list[int]:
    """Return the frames on which any part of a face that is there is not covered by one box."""
    left = []
    for number, face in enumerate(truth):
        if face is None:
            continue
        x, y, w, h, _ = face
        places = [p for t in found if (p := plan.place_at(t["keys"], number)) is not None]
        if not any(p[0] <= x and p[1] <= y and p[2] >= x + w and p[3] >= y + h for p in places):
            left.append(number)
    return left


@settings(max_examples=60, deadline=None)
@given(
    missed=st.sets(st.integers(0, 59), max_size=40),
    speed=st.floats(-5, 5),
    weak=st.sets(st.integers(0, 59), max_size=30),
)
def test_dropped_detections_leave_no_bare_frame(missed: set[int], speed: float, weak: set[int]) -> None:
    # Runs of misses are at most as long as a gap that is bridged (1.5 s at 25 frames a second).
    truth = [(320 + speed * n, 60 + 6 * np.sin(n / 5), 40.0, 50.0, 0.8) for n in range(60)]
    kept = sorted(set(range(60)) - missed)
    if len(kept) < 2 or min(kept) > 10 or max(kept) < 49 or not set(kept) - weak:
        return
    if any(b - a > 25 for a, b in itertools.pairwise(kept)):
        return
    seen = [[] if n in missed else [(*b[:4], 0.25 if n in weak else 0.8)] for n, b in enumerate(truth)]
    found = tracks.follow(seen, rate=25, width=640, height=360)
    assert bare(list(truth), found) == []


def test_one_face_is_one_track_and_its_box_is_led_in_and_out() -> None:
    truth: list[Box | None] = [None] * 30 + list(walk(40)) + [None] * 30
    seen = [[] if t is None else [t] for t in truth]
    (track,) = tracks.follow(seen, rate=25, width=640, height=360)
    assert (track["first"], track["last"], track["seen"]) == (30, 69, 40)
    assert track["keys"][0][0] == 18
    assert track["keys"][-1][0] == 81
    assert bare(truth, [track]) == []


def test_a_face_that_was_there_before_the_detector_saw_it_is_covered_on_its_way_in() -> None:
    whole = walk(40)
    seen = [[] if n < 10 or n > 31 else [b] for n, b in enumerate(whole)]
    found = tracks.follow(seen, rate=25, width=640, height=360)
    assert bare(list(whole), found) == []


def test_weak_detections_continue_a_track_in_both_directions_but_begin_none() -> None:
    whole = walk(40)
    seen = [[(*b[:4], 0.9 if n == 20 else 0.22)] for n, b in enumerate(whole)]
    (track,) = tracks.follow(seen, rate=25)
    assert (track["first"], track["last"]) == (0, 39)
    assert tracks.follow([[(*b[:4], 0.22)] for b in whole], rate=25) == []


def test_two_faces_that_pass_each_other_are_both_covered() -> None:
    one = walk(60)
    two = [(300 - 4.0 * n, 70.0, 40.0, 50.0, 0.8) for n in range(60)]
    chance = random.Random(7)
    seen = [chance.sample(both, len(both)) for both in zip(one, two, strict=True)]
    found = tracks.follow([list(s) for s in seen], rate=25, width=640, height=360)
    assert bare(list(one), found) == []
    assert bare(list(two), found) == []


def test_a_real_face_is_found_at_sizes_from_24_to_240_pixels(detector: None) -> None:
    found = {}
    for size in (24, 32, 48, 76, 120, 180, 240):
        ground = np.full((480, 640, 3), 120, np.uint8)
        face = np.asarray(films.portrait().resize((size, round(size * 1.32))))
        ground[60 : 60 + face.shape[0], 200 : 200 + size] = face
        found[size] = max((f[4] for f in faces.find(ground)), default=0.0)
    assert all(score >= tracks.SURE for score in found.values()), found


def test_the_detector_puts_the_box_where_the_face_is_and_sees_none_in_a_street(detector: None) -> None:
    (face,) = [f for f in faces.find(films.scene(5)) if f[4] >= tracks.SURE]
    left, top = films.place_of(5)
    assert left < face[0] + face[2] / 2 < left + 76
    assert top < face[1] + face[3] / 2 < top + 100
    assert all(f[4] < tracks.SURE for f in faces.find(films.scene(5, face=False)))


def test_a_film_of_a_real_face_has_one_track_that_covers_it_on_every_frame(
    tmp_path: Path, prepare: Callable[..., dict[str, Any]], detector: None
) -> None:
    found = prepare(films.moving_face(tmp_path / "in.mkv", 20), "film")
    (track,) = found["tracks"]
    assert (track["keys"][0][0], track["keys"][-1][0]) == (0, 19)
    for number in range(20):
        left, top = films.place_of(number)
        place = plan.place_at(track["keys"], number)
        assert place is not None
        # From the brow to the chin and from cheek to cheek (the picture of the face has margins of its own).
        assert place[0] <= left + 20 <= left + 56 <= place[2]
        assert place[1] <= top + 22 <= top + 74 <= place[3]


def test_without_the_detector_the_review_says_so_and_goes_on(
    tmp_path: Path, prepare: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "MODEL", tmp_path / "absent.onnx")
    faces._network.cache_clear()
    found = prepare(films.moving_face(tmp_path / "in.mkv", 4), "film")
    faces._network.cache_clear()
    assert "Draw the boxes by hand" in found["detector"]
    assert (found["frames"], found["tracks"]) == (4, [])


def test_every_frame_is_there_to_be_reviewed_with_its_time_and_its_loudness(
    tmp_path: Path, prepare: Callable[..., dict[str, Any]]
) -> None:
    found = prepare(films.moving_face(tmp_path / "in.mkv", 12), "film", look=False)
    pack = (tmp_path / "prepared" / "frames.pack").read_bytes()
    assert len(found["places"]) == found["frames"] == 12
    assert found["times"] == [n * 100 for n in range(12)]
    assert (found["length_ms"], max(found["bars"])) == (1200, 36)
    for place, size in found["places"]:
        assert pack[place : place + 2] == b"\xff\xd8"
        assert pack[place + size - 2 : place + size] == b"\xff\xd9"
