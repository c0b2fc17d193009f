"""The two public clips of overhead cameras: a person replaced by noise changes nothing of what leaves."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import films

from counterfoil.engines.redaction import film, plan

DATA = Path(os.environ.get("COUNTERFOIL_DATA", Path(__file__).parents[4] / "shared" / "data")) / "cctv"
FULL = os.environ.get("COUNTERFOIL_DEPTH") == "full"
Render = Callable[..., tuple[Path, dict[str, Any]]]
# Where somebody walks or drives through the picture, on which frames of the clip.
CLIPS = {
    "one-by-one-person-detection.mp4": [[70, 331, 91, 191, 241], [110, 301, 71, 211, 261]],
    "car-detection.mp4": [[20, 201, 101, 233, 145], [60, 351, 201, 233, 145]],
}


def clip(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the public clip {name} is not here: set COUNTERFOIL_DATA")
    return path


def part(source: Path, begin: int, count: int, to: Path, wanted: dict[str, Any] | None) -> Path:
    """Write some frames of a clip without loss, with noise in the plan's boxes when one is given."""
    import av

    chance = np.random.default_rng(11)
    with av.open(str(to), "w") as out:
        stream: Any = None
        for shot in film.shots(source):
            if shot.index < begin:
                continue
            number = shot.index - begin
            if number >= count:
                break
            if stream is None:
                stream = out.add_stream("ffv1", rate=25)
                stream.width, stream.height, stream.pix_fmt = (
                    shot.look.width,
                    shot.look.height,
                    shot.look.format,
                )
                stream.time_base = stream.codec_context.time_base = film.Fraction(1, 1000)
            if wanted:
                for left, top, right, bottom in film.outward(plan.rects_at(wanted, number), shot.look):
                    for plane, half in zip(shot.planes, (1, 2, 2), strict=True):
                        area = plane[top // half : bottom // half, left // half : right // half]
                        area[:] = chance.integers(0, 256, area.shape)
            frame = film.frame_of(shot)
            frame.pts, frame.time_base = shot.at * 1000 // film.TICKS, film.Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return to


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_a_person_replaced_by_noise_changes_no_pixel_and_no_byte(
    tmp_path: Path, render: Render, name: str
) -> None:
    source = clip(name)
    begin, frames = (0, sum(1 for _ in film.shots(source))) if FULL else (CLIPS[name][0][0] - 2, 24)
    keys = [[k[0] - begin, *k[1:]] for k in CLIPS[name]]
    if not FULL:
        keys[1][0] = 20
    wanted = plan.clean(
        {
            "kind": "film",
            "frames": frames,
            "width": 768,
            "height": 432,
            "boxes": [{"id": "b", "why": "person", "keys": keys}],
        }
    )
    person = part(source, begin, frames, tmp_path / "person.mkv", None)
    noise = part(source, begin, frames, tmp_path / "noise.mkv", wanted)
    assert films.decoded(person)[keys[0][0]].tobytes() != films.decoded(noise)[keys[0][0]].tobytes()
    made = [render(one, wanted)[0] for one in (person, noise)]
    inside = []
    for one in made:
        seen = films.decoded(one)
        assert len(seen) == frames
        inside.append([seen[n][t:b, x:r] for n in range(frames) for x, t, r, b in plan.rects_at(wanted, n)])
    assert all((a == b).all() for a, b in zip(*inside, strict=True))
    assert made[0].read_bytes() == made[1].read_bytes()


@pytest.mark.skipif(not FULL, reason="a whole clip is redacted with COUNTERFOIL_DEPTH=full")
@pytest.mark.parametrize("name", sorted(CLIPS))
def test_a_whole_clip_keeps_its_frames_times_and_every_pixel_outside_the_box(
    render: Render, name: str
) -> None:
    source = clip(name)
    count = sum(1 for _ in film.shots(source))
    wanted = plan.clean(
        {
            "kind": "film",
            "frames": count,
            "width": 768,
            "height": 432,
            "boxes": [{"id": "b", "why": "p", "keys": CLIPS[name]}],
        }
    )
    made, answer = render(source, wanted)
    assert answer["facts"]["frames"] == count
    again, _ = render(source, wanted)
    assert made.read_bytes() == again.read_bytes()
    for old, new in zip(film.shots(source), film.shots(made), strict=True):
        film.paint(old, plan.rects_at(wanted, old.index))
        assert (old.at, [p.tobytes() for p in old.planes]) == (new.at, [p.tobytes() for p in new.planes])
