"""Sharing: one named person, a marked copy, a code by another way, an end, and a list of who opened it."""

import io
import itertools
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import av
import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageChops
from tests import scenes
from tests.cast import LENA, Cast
from tests.desk.signing import signed_in

from counterfoil.accounts.models import Pass
from counterfoil.accounts.passes import Issued
from counterfoil.engines import watermark
from counterfoil.engines.errors import BadInput, NotAllowed
from counterfoil.evidence import custody, restricting, sharing
from counterfoil.evidence.models import Share
from counterfoil.ledger.models import Entry
from counterfoil.plugs.stores import vault

pytestmark = pytest.mark.django_db
PURPOSE = "To recognise the man at the gate"


def picture(shade: int = 90) -> bytes:
    """Return a real, plain picture."""
    held = io.BytesIO()
    Image.new("RGB", (640, 360), (shade, shade, shade)).save(held, "PNG")
    return held.getvalue()


def scene_with(cast: Cast, data: bytes, name: str = "gate.png") -> scenes.Scene:
    return scenes.exhibited(cast, files=((name, data),))


def shared(scene: scenes.Scene, make: bool = True) -> tuple[Issued, Share]:
    assert scene.exhibit
    issued = sharing.share(scene.case, scene.exhibit, LENA.name, "Marsh and Hythe", PURPOSE, by=scene.by)
    row = Share.objects.get(access_id=issued.id)
    if make:
        sharing.make_copy(row.pk)
        row.refresh_from_db()
        assert row.state == "ready", row.said
    return issued, row


def visitor(issued: Issued) -> Client:
    browser = Client()
    answer = browser.post(f"/bench/open/{issued.link}", {"code": issued.code})
    assert answer.status_code == 303, answer.content.decode()
    return browser


def acts(scene: scenes.Scene) -> list[str]:
    found = Entry.objects.filter(subject_kind="exhibit", subject_id=str(scene.exhibit)).order_by("at")
    return list(found.values_list("act", flat=True))


def test_a_picture_is_marked_in_every_part_and_the_original_is_not_given(cast: Cast) -> None:
    scene = scene_with(cast, picture())
    issued, _ = shared(scene)
    browser = visitor(issued)
    page = browser.get("/bench/opened").content.decode()
    for seen in (LENA.name, PURPOSE, "What you may do", "Alice Bevan", "Do not pass it on"):
        assert seen in page, seen
    answer = browser.get("/bench/opened/file")
    data = answer.getvalue()
    assert answer["Content-Disposition"].startswith("attachment;")
    with Image.open(io.BytesIO(data)) as marked:
        assert marked.format == "JPEG"
        plain = Image.new("RGB", marked.size, (90, 90, 90))
        difference = (
            ImageChops.difference(marked.convert("RGB"), plain).convert("L").point(lambda v: 255 * (v > 40))
        )
    for corner in ((0, 0, 320, 180), (320, 0, 640, 180), (0, 180, 320, 360), (320, 180, 640, 360)):
        assert difference.crop(corner).getbbox() is not None, corner
    assert data != picture()
    assert acts(scene)[-4:] == ["exhibit.shared", "exhibit.prepared", "exhibit.opened", "exhibit.viewed"]
    assert Entry.objects.filter(act="exhibit.viewed").get().by == "recipient"
    assert LENA.name.split()[0] not in str(list(Entry.objects.values_list("body", flat=True)))
    (card,) = sharing.shares_of(scene.by, scene.exhibit)  # type: ignore[arg-type]
    assert card.used_at is not None


def test_a_pdf_becomes_pictures_of_its_pages_with_the_mark(cast: Cast) -> None:
    held = io.BytesIO()
    Image.new("RGB", (620, 877), (255, 255, 255)).save(
        held, "PDF", save_all=True, append_images=[Image.new("RGB", (620, 877), (255, 255, 255))]
    )
    scene = scene_with(cast, held.getvalue(), "letter.pdf")
    _, row = shared(scene)
    assert (row.media_type, row.recipe["facts"]) == ("application/pdf", {"pages": 2})  # type: ignore[index]


def sound(seconds: float, layout: str = "stereo") -> bytes:
    """Return a recording of a voice-like hum without pictures."""
    held, rate = io.BytesIO(), 16000
    with av.open(held, "w", format="wav") as sink:
        stream = sink.add_stream("pcm_s16le", rate=rate, layout=layout)
        for place in range(0, int(rate * seconds), 1600):
            at = np.arange(place, place + 1600) / rate
            hum = (np.sin(2 * np.pi * 180 * at) * np.sin(2 * np.pi * 3 * at) * 5000).astype(np.int16)
            both = np.repeat(hum, 2 if layout == "stereo" else 1).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(both, format="s16", layout=layout)
            frame.rate, frame.pts = rate, place
            for packet in stream.encode(frame):
                sink.mux(packet)
    return held.getvalue()


def heard(data: bytes) -> list[str]:
    """Return every code that somebody with an ear for Morse hears in a marked sound."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=watermark.RATE)
    with av.open(io.BytesIO(data)) as source:
        assert not source.streams.video
        assert {k.lower() for k in source.metadata} <= {
            "major_brand",
            "minor_version",
            "compatible_brands",
            "encoder",
        }
        parts = [p.to_ndarray().reshape(-1) for f in source.decode(audio=0) for p in resampler.resample(f)]
    samples = np.concatenate(parts).astype(np.float32) / 32768
    step = int(watermark.RATE * watermark.DOT / 5)
    whole = len(samples) // step * step
    wave = np.exp(-2j * np.pi * watermark.PITCH * np.arange(step) / watermark.RATE)
    loud = np.abs(samples[:whole].reshape(-1, step) @ wave) / step > float(watermark.QUIET) / 4
    runs = [(on, len(list(group)) / 5) for on, group in itertools.groupby(loud)]
    words, sign, code = [], "", ""
    back = {v: k for k, v in watermark.MORSE.items()}
    for on, dots in runs:
        if on:
            sign += "-" if dots > 2 else "."
            continue
        if dots > 2 and sign:
            code, sign = code + back.get(sign, "?"), ""
        if dots > 8 and code:
            words, code = [*words, code], ""
    return [*words, code + (back.get(sign, "?") if sign else "")] if code or sign else words


@pytest.mark.parametrize(("seconds", "layout", "times"), [(0.4, "mono", 1), (70, "stereo", 3)])
def test_a_sound_carries_a_code_that_is_heard_and_stands_beside_the_name(
    cast: Cast, seconds: float, layout: str, times: int
) -> None:
    scene = scene_with(cast, sound(seconds, layout), "call.wav")
    issued, row = shared(scene)
    card = sharing.shares_of(scene.by, scene.exhibit)[0]  # type: ignore[arg-type]
    assert (row.media_type, row.extension) == ("audio/mp4", "m4a")
    data = visitor(issued).get("/bench/opened/file").getvalue()
    assert heard(data) == [card.mark] * times
    assert len(card.mark) == 6
    other, another = shared(scene)
    assert other != issued
    mark = another.recipe["facts"]["mark"]  # type: ignore[index]
    moved = sharing.shares_of(scene.by, scene.exhibit)[0]  # type: ignore[arg-type]
    assert (moved.mark, moved.recipient) == (mark, LENA.name)


def test_a_text_is_refused_with_what_to_do_instead_and_the_page_says_so_before(cast: Cast) -> None:
    scene = scene_with(cast, b"She came home at nine and the gate was open.\n", "note.txt")
    assert scene.exhibit
    with pytest.raises(NotAllowed, match="take a copy out with a reason instead"):
        sharing.share(scene.case, scene.exhibit, LENA.name, "", PURPOSE, by=scene.by)
    page = signed_in(cast, "alice").get(f"/desk/cases/{scene.case}/exhibits/{scene.exhibit}/shares")
    assert "take a copy out with a reason instead" in page.content.decode()


def test_a_recording_is_marked_frame_for_frame(cast: Cast) -> None:
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as sink:
        stream = sink.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(8):
            for packet in stream.encode(av.VideoFrame.from_image(Image.new("RGB", (320, 240), (60, 60, 60)))):
                sink.mux(packet)
        for packet in stream.encode():
            sink.mux(packet)
    scene = scene_with(cast, held.getvalue(), "gate.mp4")
    _, row = shared(scene)
    assert row.media_type == "video/mp4"
    with vault().open(row.sha256) as file, av.open(file) as container:
        frames = [f.to_image().convert("L") for f in container.decode(video=0)]
    assert len(frames) == 8
    assert all(f.getextrema()[1] - f.getextrema()[0] > 40 for f in frames), "the mark is in every frame"


def test_an_unknown_link_a_share_and_an_ended_one_look_alike_and_five_wrong_codes_end_it(cast: Cast) -> None:
    issued, _ = shared(scene_with(cast, picture()), make=False)
    stranger = Client()

    def bare(path: str, **data: str) -> tuple[int, bytes]:
        answer = stranger.post(path, data) if data else stranger.get(path)
        return answer.status_code, re.sub(
            rb'value="[A-Za-z0-9]{64}"', b"", answer.content.replace(path.encode(), b"")
        )

    real, unknown = f"/bench/open/{issued.link}", "/bench/open/" + "x" * 32
    assert bare(real) == bare(unknown)
    for _ in range(5):
        assert bare(real, code="00000-00000-00000-00000-0") == bare(unknown, code="00000-00000-00000-00000-0")
    assert bare(real, code=issued.code)[0] == 400
    assert stranger.get("/bench/opened").status_code == 404


def test_whoever_shared_it_ends_it_and_what_was_open_closes(cast: Cast) -> None:
    scene = scene_with(cast, picture())
    issued, row = shared(scene)
    browser = visitor(issued)
    with pytest.raises(NotAllowed):
        sharing.end_share(scene.case, row.pk, by=cast.charlie)
    sharing.end_share(scene.case, row.pk, by=scene.by)
    for path in ("/bench/opened", "/bench/opened/file"):
        assert browser.get(path).status_code == 404
    with pytest.raises(NotAllowed):
        sharing.end_share(scene.case, row.pk, by=scene.by)
    assert acts(scene)[-1] == "share.ended"


def test_it_closes_when_its_time_is_over(cast: Cast) -> None:
    issued, _ = shared(scene_with(cast, picture()))
    browser = visitor(issued)
    Pass.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert browser.get("/bench/opened").status_code == 404
    assert Client().post(f"/bench/open/{issued.link}", {"code": issued.code}).status_code == 400


def test_before_the_copy_is_ready_the_page_says_so_and_gives_nothing(cast: Cast) -> None:
    issued, _ = shared(scene_with(cast, picture()), make=False)
    browser = visitor(issued)
    assert "is being made" in browser.get("/bench/opened").content.decode()
    assert browser.get("/bench/opened/file").status_code == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"recipient": "X"}, "recipient"),
        ({"organisation": "x" * 121}, "organisation"),
        ({"purpose": ""}, "purpose"),
    ],
)
def test_it_refuses_a_share_that_is_not_whole(cast: Cast, said: dict[str, str], field: str) -> None:
    scene = scene_with(cast, picture())
    whole = {"recipient": LENA.name, "organisation": "", "purpose": PURPOSE, **said}
    with pytest.raises(BadInput) as refused:
        sharing.share(scene.case, scene.exhibit, **whole, by=scene.by)  # type: ignore[arg-type]
    assert refused.value.field == field


@pytest.mark.parametrize("who", ["bruno", "dilys", "charlie", "petra", "ada", "sam", "ines"])
def test_only_an_officer_on_the_case_shares(cast: Cast, who: str) -> None:
    scene = scene_with(cast, picture())
    with pytest.raises(NotAllowed):
        sharing.share(scene.case, scene.exhibit, LENA.name, "", PURPOSE, by=cast.viewer(who))  # type: ignore[arg-type]


def test_nothing_restricted_returned_destroyed_or_unmarkable_is_shared(cast: Cast) -> None:
    scene = scene_with(cast, picture())
    issued, _ = shared(scene)
    browser = visitor(issued)
    exhibit = scene.exhibit
    assert isinstance(exhibit, UUID)
    restricting.restrict(scene.case, exhibit, "It may show a child.", by=scene.by)
    assert browser.get("/bench/opened").status_code == 404
    assert browser.get("/bench/opened/file").status_code == 404

    def again() -> Any:
        return sharing.share(scene.case, exhibit, LENA.name, "", PURPOSE, by=scene.by)

    with pytest.raises(NotAllowed, match="restricted"):
        again()
    other = scenes.exhibited(cast, session="2", files=(("gate.png", picture(120)),))
    assert other.exhibit
    custody.give_back(
        other.case, other.exhibit, "Rhys Tannerwood", "Rhys Tannerwood", scenes.REASON, by=other.by
    )
    with pytest.raises(NotAllowed, match="while it is returned"):
        sharing.share(other.case, other.exhibit, LENA.name, "", PURPOSE, by=other.by)
    text = scenes.exhibited(cast, session="3", files=(("note.txt", b"A note that somebody wrote about it."),))
    with pytest.raises(NotAllowed, match="can be marked"):
        sharing.share(text.case, text.exhibit, LENA.name, "", PURPOSE, by=text.by)  # type: ignore[arg-type]
