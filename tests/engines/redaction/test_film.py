"""Films: inside a box nothing of the input is left, outside every pixel is kept, and bytes come out the same again."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import films

from counterfoil.engines.redaction import film, plan

Render = Callable[..., tuple[Path, dict[str, Any]]]


def a_plan(frames: int, **more: Any) -> dict[str, Any]:
    return {"kind": "film", "frames": frames, "width": films.WIDE, "height": films.HIGH, **more}


BOX = {"id": "b1", "why": "face", "keys": [[2, 31, 41, 91, 103], [9, 61, 51, 91, 103]]}


def test_every_pixel_of_a_box_is_black_on_its_every_frame_and_every_other_pixel_is_as_it_was(
    tmp_path: Path, render: Render
) -> None:
    source = films.moving_face(tmp_path / "in.mkv", 12)
    wanted = plan.clean(a_plan(12, boxes=[BOX]))
    made, _ = render(source, wanted)
    before, after = list(film.shots(source)), list(film.shots(made))
    assert len(after) == 12
    for old, new in zip(before, after, strict=True):
        covered = np.zeros((films.HIGH, films.WIDE), bool)
        for left, top, right, bottom in film.outward(plan.rects_at(wanted, old.index), old.look):
            covered[top:bottom, left:right] = True
        assert (new.planes[0][covered] == 16).all()
        assert (new.planes[1][covered[::2, ::2]] == 128).all()
        assert (new.planes[0][~covered] == old.planes[0][~covered]).all()
        assert (new.planes[2][~covered[::2, ::2]] == old.planes[2][~covered[::2, ::2]]).all()
        assert covered.any() == (2 <= old.index <= 9)
        assert new.at == old.at


def test_the_same_input_and_plan_give_the_same_bytes(tmp_path: Path, render: Render) -> None:
    source = films.moving_face(tmp_path / "in.mkv", 12)
    wanted = a_plan(12, boxes=[BOX], mute=[[300, 600]])
    first, _ = render(source, wanted)
    second, _ = render(source, wanted)
    assert first.read_bytes() == second.read_bytes()


def noise_in(frames: list[films.Picture], wanted: dict[str, Any], seed: int = 3) -> list[films.Picture]:
    """Return frames with noise inside every box, whole colour samples of it."""
    chance = np.random.default_rng(seed)
    changed = []
    for number, picture in enumerate(frames):
        new = picture.copy()
        for left, top, right, bottom in plan.rects_at(wanted, number):
            left, top, right, bottom = left // 2 * 2, top // 2 * 2, -(-right // 2) * 2, -(-bottom // 2) * 2
            new[top:bottom, left:right] = chance.integers(0, 256, new[top:bottom, left:right].shape)
        changed.append(new)
    return changed


@pytest.mark.parametrize("pix", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "bgr0", "yuv411p"])
def test_what_stood_in_a_box_changes_no_byte_of_what_leaves(tmp_path: Path, render: Render, pix: str) -> None:
    frames = [films.scene(n) for n in range(12)]
    wanted = plan.clean(a_plan(12, boxes=[BOX]))
    made = []
    for name, pictures in (("person", frames), ("noise", noise_in(frames, wanted))):
        source = films.write(tmp_path / f"{name}.mkv", pictures, pix=pix)
        made.append(render(source, wanted)[0])
    assert hashlib.sha256(made[0].read_bytes()).digest() == hashlib.sha256(made[1].read_bytes()).digest()
    # The inputs really differ, and only there.
    other = [p.copy() for p in frames]
    other[5][0, 0] ^= 255
    third, _ = render(films.write(tmp_path / "other.mkv", other, pix=pix), wanted)
    assert third.read_bytes() != made[0].read_bytes()


def test_even_a_lossy_and_differently_packed_input_leaves_the_box_constant(
    tmp_path: Path, render: Render
) -> None:
    frames = [films.scene(n) for n in range(12)]
    wanted = plan.clean(a_plan(12, boxes=[BOX]))
    inside = []
    for name, pictures in (("person.mp4", frames), ("noise.avi", noise_in(frames, wanted))):
        made, _ = render(films.write(tmp_path / name, pictures, codec="mpeg4"), wanted)
        seen = films.decoded(made)
        inside.append(
            [seen[n][t:b, x:r].tobytes() for n in range(12) for x, t, r, b in plan.rects_at(wanted, n)]
        )
    assert inside[0] == inside[1]
    assert set(b"".join(inside[0])) == {seen[5][60, 60]} == {0}


def test_a_muted_span_is_silent_to_its_edges_and_nothing_else_is(tmp_path: Path, render: Render) -> None:
    source = films.moving_face(tmp_path / "in.mkv", 20)
    made, _ = render(source, a_plan(20, mute=[[500, 900], [1500, 1600]]))
    before = np.concatenate([b for _, b in film.samples(source)])
    after = np.concatenate([b for _, b in film.samples(made)])
    assert before.shape == after.shape == (96_000, 2)
    quiet = np.zeros(len(after), bool)
    for start, end in ((450, 950), (1450, 1650)):
        quiet[start * 48 : end * 48] = True
    assert not after[quiet].any()
    assert (after[~quiet] == before[~quiet]).all()
    assert before[quiet].any()


def test_what_was_said_in_a_muted_span_changes_no_byte(tmp_path: Path, render: Render) -> None:
    made = []
    for seed in (1, 2):
        sound = films.tone(2)
        sound[24_000:43_200] = np.random.default_rng(seed).integers(-20_000, 20_000, (19_200, 2))
        source = films.write(tmp_path / f"{seed}.mkv", [films.scene(n) for n in range(20)], sound=sound)
        made.append(render(source, a_plan(20, mute=[[500, 900]]))[0].read_bytes())
    assert made[0] == made[1]


def test_irregular_times_are_kept_and_sound_stays_with_the_picture(tmp_path: Path, render: Render) -> None:
    times = [0, 40, 200, 240, 1000, 1040, 1100, 1500]
    pictures = [films.scene(n) for n in range(8)]
    source = films.write(tmp_path / "in.mkv", pictures, times=times, sound=films.tone(1.6))
    made, _ = render(source, a_plan(8, blank=[[3, 4]]))
    assert [s.at * 1000 // film.TICKS for s in film.shots(made)] == times
    assert [bool((s.planes[0] == 16).all()) for s in film.shots(made)] == [n in (3, 4) for n in range(8)]


def test_a_film_with_another_number_of_frames_than_was_reviewed_is_refused(
    tmp_path: Path, render: Render
) -> None:
    source = films.moving_face(tmp_path / "in.mkv", 12)
    with pytest.raises(film.Unfit, match="12 frames, but 13 were reviewed"):
        render(source, a_plan(13, boxes=[BOX]))


def test_sound_alone_can_be_muted(tmp_path: Path, render: Render) -> None:
    import av

    path = tmp_path / "in.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        sound = films.tone(1)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound).reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate = 48_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    made, answer = render(path, {"kind": "sound", "mute": [[200, 300]]})
    assert answer["extension"] == "flac"
    after = np.concatenate([b for _, b in film.samples(made)])
    assert not after[150 * 48 : 350 * 48].any()
    assert (after[: 150 * 48] == sound[: 150 * 48]).all()
    assert (after[350 * 48 :] == sound[350 * 48 :]).all()
