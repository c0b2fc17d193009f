"""Copies show the very frames of the master at their very times; FFmpeg's own command is the judge where it is here."""

import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin
from tests import reels

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media import recording
from counterfoil.engines.media.clip import clip
from counterfoil.engines.media.moments import clock, moment, seconds_of
from counterfoil.engines.media.pages import page
from counterfoil.engines.media.pictures import poster, safe, still, thumbs
from counterfoil.engines.media.probe import probe
from counterfoil.engines.media.proxy import proxy
from counterfoil.engines.media.recording import Recording, Unplayable, frame_hashes, stream_hashes
from counterfoil.engines.media.sound import waveform

# The longer clip's slow parts run with COUNTERFOIL_DEPTH=full, and for the record once by hand.
FULL = os.environ.get("COUNTERFOIL_DEPTH", "suite") == "full"
CLIPS = ("cctv/car-detection.mp4", "cctv/one-by-one-person-detection.mp4")


def ffmpeg(*arguments: str) -> str:
    """Return what FFmpeg's own command says, or skip loudly where it is not installed."""
    found = shutil.which("ffmpeg")
    if found is None:
        pytest.skip("FFMPEG COMMAND MISSING: the independent judge of stream hashes did not run")
    done = subprocess.run(
        [found, "-v", "error", "-nostdin", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def judged_streams(path: Path) -> list[str]:
    """Return the SHA-256 of each stream's packets as FFmpeg's command computes it."""
    told = ffmpeg("-i", str(path), "-map", "0", "-c", "copy", "-f", "streamhash", "-hash", "sha256", "-")
    return [line.partition("=")[2].lower() for line in told.split()]


def judged_frames(path: Path) -> list[tuple[Fraction, str]]:
    """Return time and hash of each decoded frame as FFmpeg's command computes them."""
    told = ffmpeg("-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "-1",
                  "-f", "framehash", "-hash", "sha256", "-")  # fmt: skip
    base = Fraction(re.search(r"#tb 0: (\S+)", told)[1])  # type: ignore[index]
    rows = [line.split(",") for line in told.splitlines() if not line.startswith("#")]
    return [(int(r[2]) * base, r[5].strip()) for r in rows]


def times(path: Path) -> list[Fraction]:
    with Recording(path) as r:
        t = r.timeline()
        return [t.seconds(p - t.pts[0]) for p in t.pts]


def out(tmp_path: Path, name: str = "out") -> Path:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    return folder


def shown(path: Path) -> Image.Image:
    """Return a picture file's points."""
    with Image.open(path) as found:
        found.load()
        return found.copy()


@pytest.mark.parametrize("name", CLIPS)
def test_a_remux_of_real_cctv_has_the_masters_streams_and_frames_by_ffmpegs_own_word(
    tmp_path: Path, name: str
) -> None:
    master = reels.real(name)
    answer = proxy({"file": master}, out(tmp_path), {})
    copy = tmp_path / "out" / answer["file"]
    assert answer["mode"] == "remux"
    assert judged_streams(master) == judged_streams(copy) == list(stream_hashes(copy).values())
    assert list(answer["streams"]["master"].values()) == judged_streams(master)
    if FULL or name == CLIPS[0]:
        assert frame_hashes(master) == frame_hashes(copy)
    with Recording(copy) as r:
        assert dict(r.container.metadata).keys() <= {
            "major_brand",
            "minor_version",
            "compatible_brands",
            "encoder",
        }


@pytest.mark.parametrize("name", CLIPS if FULL else CLIPS[:1])
def test_a_transcode_of_real_cctv_has_as_many_frames_at_the_same_times(tmp_path: Path, name: str) -> None:
    master = reels.real(name)
    answer = proxy({"file": master}, out(tmp_path), {"transcode": "yes"})
    copy = tmp_path / "out" / answer["file"]
    assert answer["mode"] == "transcode"
    assert times(copy) == times(master)
    judged = [t for t, _ in judged_frames(copy)]
    assert judged == times(master)
    assert answer["streams"]["frames"] == {"master": len(judged), "copy": len(judged)}
    assert answer["facts"]["same_times"] is True


def test_our_frame_hashes_are_ffmpegs(tmp_path: Path) -> None:
    film = reels.reel(tmp_path / "a.mp4", 12)
    assert [h for _, h in frame_hashes(film)] == [h for _, h in judged_frames(film)]


SHAPES: dict[str, dict[str, Any]] = {
    "even": {"sound": True},
    "b-frames": {"codec": "libx264", "bframes": 3},
    "matroska": {"form": "matroska", "sound": True},
    "avi": {"form": "avi", "codec": "mpeg4"},
    "motion-jpeg": {"form": "avi", "codec": "mjpeg"},
    "transport-stream": {"form": "mpegts", "codec": "libx264", "bframes": 2},
    "small-odd-rate": {"rate": 30, "time_base": Fraction(1001, 30000)},
}


def film_of(shape: str, tmp_path: Path, frames: int = 40) -> Path:
    path = tmp_path / f"{shape}.bin"
    if shape == "dav":
        return reels.dav(path, frames)
    if shape == "variable":
        steps = random.Random(4)
        pts = [0]
        while len(pts) < frames:
            pts.append(pts[-1] + steps.choice([900, 3000, 3003, 9000, 45000]))
        return reels.reel(path, frames, pts=pts, time_base=Fraction(1, 90000))
    return reels.reel(path, frames, **SHAPES[shape])


@pytest.mark.parametrize("shape", [*SHAPES, "variable", "dav"])
def test_every_shape_of_recording_keeps_its_frames_and_times_in_both_kinds_of_copy(
    tmp_path: Path, shape: str
) -> None:
    master = film_of(shape, tmp_path)
    record = probe({"file": master}, out(tmp_path), {"media_type": "video/x"})
    assert (record["frames"], record["variable_rate"]) == (40, shape == "variable")
    for n, options in enumerate(({}, {"transcode": "yes"})):
        answer = proxy({"file": master}, out(tmp_path, str(n)), options)
        copy = tmp_path / str(n) / answer["file"]
        assert times(copy) == times(master)
        pictures = {"file": copy}
        made = still(pictures, out(tmp_path, f"s{n}"), {"at": "33"})
        assert reels.read_number(shown(tmp_path / f"s{n}" / made["file"])) == 33
        if answer["mode"] != "transcode":
            assert [h for _, h in frame_hashes(copy)] == [h for _, h in frame_hashes(master)]


@pytest.mark.parametrize("shape", ["even", "b-frames", "variable", "transport-stream", "dav"])
def test_a_still_is_the_frame_that_was_asked_for_by_number_and_by_time(tmp_path: Path, shape: str) -> None:
    master = film_of(shape, tmp_path)
    when = times(master)
    for number in (0, 1, 11, 12, 13, 27, 39):
        for n, at in enumerate(
            (str(number), f"frame {number}", clock(when[number] + Fraction(1, 1_000_000)))
        ):
            answer = still({"file": master}, out(tmp_path, f"{number}-{n}"), {"at": at})
            picture = shown(tmp_path / f"{number}-{n}" / answer["file"])
            assert (reels.read_number(picture), answer["facts"]["frame"]) == (number, number)
    with pytest.raises(BadInput, match="the last one is frame 39"):
        still({"file": master}, out(tmp_path), {"at": "40"})
    with pytest.raises(BadInput, match="Give a frame number"):
        still({"file": master}, out(tmp_path), {"at": "soon"})


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_recording_is_shown_upright_as_ffmpeg_turns_it(tmp_path: Path, turn: int) -> None:
    master = reels.reel(tmp_path / "turned.mp4", 12, rotation=turn)
    answer = still({"file": master}, out(tmp_path), {"at": "5"})
    ours = shown(tmp_path / "out" / answer["file"]).convert("RGB")
    ffmpeg("-i", str(master), "-vf", "select=eq(n\\,5)", "-frames:v", "1", str(tmp_path / "theirs.png"))
    theirs = shown(tmp_path / "theirs.png").convert("RGB")
    assert ours.size == theirs.size
    far = max(
        abs(a - b)
        for a, b in zip(ours.resize((16, 16)).tobytes(), theirs.resize((16, 16)).tobytes(), strict=True)
    )
    assert far < 24, "turned another way than FFmpeg turns it"
    copy = proxy({"file": master}, out(tmp_path, "t"), {"transcode": "yes"})
    assert copy["facts"]["size"] == list(ours.size)


def test_a_lossless_clip_holds_the_very_packets_and_states_its_handles(tmp_path: Path) -> None:
    master = reels.reel(tmp_path / "a.mp4", 60, codec="libx264", bframes=2, gop=12, sound=True)
    answer = clip({"file": master}, out(tmp_path), {"from": "30", "to": "40"})
    copy = tmp_path / "out" / answer["file"]
    facts = answer["facts"]
    assert answer["mode"] == "lossless"
    assert facts["begins_at_frame"] == 24
    assert facts["handle_before_frames"] == 6
    assert facts["ends_at_frame"] >= 40
    whole = [h for _, h in frame_hashes(master)]
    cut = [h for _, h in frame_hashes(copy)]
    assert cut == whole[24 : facts["ends_at_frame"] + 1]
    assert list(answer["streams"]["copy"].values()) == judged_streams(copy)


def test_an_exact_clip_holds_exactly_the_frames_asked_for_at_their_times(tmp_path: Path) -> None:
    master = film_of("variable", tmp_path)
    answer = clip({"file": master}, out(tmp_path), {"from": "13", "to": "21", "how": "exact"})
    copy = tmp_path / "out" / answer["file"]
    whole = times(master)
    assert times(copy) == [t - whole[13] for t in whole[13:22]]
    for n in (0, 8):
        made = still({"file": copy}, out(tmp_path, str(n)), {"at": str(n)})
        assert reels.read_number(shown(tmp_path / str(n) / made["file"])) == 13 + n
    with pytest.raises(BadInput, match="ends before it begins"):
        clip({"file": master}, out(tmp_path), {"from": "9", "to": "3"})


def test_the_same_recipe_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    master = film_of("b-frames", tmp_path)
    tasks: list[tuple[str, dict[str, Any]]] = [
        ("proxy:proxy", {}), ("proxy:proxy", {"transcode": "yes"}), ("pictures:poster", {}), ("pictures:thumbs", {}),
        ("pictures:still", {"at": "17"}), ("clip:clip", {"from": "5", "to": "20"}),
        ("clip:clip", {"from": "5", "to": "20", "how": "exact"}),
    ]  # fmt: skip
    script = (
        "import sys, json, importlib, hashlib, pathlib\n"
        "master, out = map(pathlib.Path, sys.argv[1:3])\n"
        "for n, (task, options) in enumerate(json.loads(sys.argv[3])):\n"
        "    module, name = task.split(':'); folder = out / str(n); folder.mkdir(parents=True)\n"
        "    made = getattr(importlib.import_module('counterfoil.engines.media.' + module), name)"
        "({'file': master}, folder, options)\n"
        "    print(hashlib.sha256((folder / made['file']).read_bytes()).hexdigest())\n"
    )
    import json

    def run(name: str) -> list[str]:
        source = str(Path(recording.__file__).parents[3])
        done = subprocess.run(
            [sys.executable, "-c", script, str(master), str(tmp_path / name), json.dumps(tasks)],
            capture_output=True, text=True, check=True, env={"PYTHONPATH": source, "PYTHONHASHSEED": name[-1]},
        )  # fmt: skip
        return done.stdout.split()

    first, second = run("run1"), run("run2")
    assert first == second
    assert len(set(first)) == len(tasks)


def test_a_recording_whose_end_is_missing_is_read_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    whole = reels.reel(tmp_path / "a.mkv", 60, form="matroska", sound=True).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) // 2])
    record = probe({"file": cut}, out(tmp_path), {"media_type": "video/x-matroska"})
    assert 10 < record["frames"] < 60
    assert record["damage"]
    answer = proxy({"file": cut}, out(tmp_path), {})
    assert times(tmp_path / "out" / answer["file"]) == times(cut)


def test_what_nobody_can_play_is_refused_with_what_to_ask_the_owner_for(tmp_path: Path) -> None:
    whole = reels.reel(tmp_path / "a.mp4", 20).read_bytes()
    for name, data in {
        "cut.mp4": whole[: len(whole) // 2],
        "own.264x": b"PROPRIETARY" + bytes(range(256)) * 40,
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(Unplayable) as refused:
            probe({"file": path}, out(tmp_path), {"media_type": "application/octet-stream"})
        for wanted in ("native format", "player", "AVI or MP4"):
            assert wanted in str(refused.value)


def test_eight_hours_at_one_frame_in_eight_seconds_are_read_and_cut_without_waiting(tmp_path: Path) -> None:
    every = range(0, 28_800_000, 8000)
    master = reels.reel(
        tmp_path / "long.mp4", 3600, pts=every, time_base=Fraction(1, 1000), gop=250, wide=320, high=96
    )
    record = probe({"file": master}, out(tmp_path), {"media_type": "video/mp4"})
    assert (record["frames"], record["duration"]) == (3600, "8:00:00.000000")
    answer = still({"file": master}, out(tmp_path), {"at": "7:59:30"})
    assert reels.read_number(shown(tmp_path / "out" / answer["file"])) == (8 * 3600 - 30) // 8
    copy = proxy({"file": master}, out(tmp_path, "p"), {})
    assert (copy["mode"], copy["streams"]["frames"]) == ("remux", {"master": 3600, "copy": 3600})


def test_a_recorder_that_writes_its_own_clock_into_the_frames_is_believed_about_nothing_else(
    tmp_path: Path,
) -> None:
    master = reels.dav(tmp_path / "yard.dav")
    record = probe({"file": master}, out(tmp_path), {"media_type": "video/x-dhav"})
    assert (record["container"], record["device_clock"]) == ("dhav", "2026-11-20T21:10:00")
    answer = proxy({"file": master}, out(tmp_path), {})
    assert (answer["mode"], answer["facts"]["starts_at"]) == ("rewrap", "0")


def test_a_playlist_is_not_followed_whatever_it_is_called(tmp_path: Path) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY")
    for name, text in {
        "list.mp4": f"#EXTM3U\n#EXTINF:1,\nfile://{canary}\n#EXT-X-ENDLIST\n",
        "list.avi": f"ffconcat version 1.0\nfile {canary}\n",
    }.items():
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(Unplayable):
            proxy({"file": path}, out(tmp_path), {})


def test_sound_alone_gets_a_waveform_and_a_copy_that_plays(tmp_path: Path) -> None:
    master = reels.real("speech/jfk.flac")
    answer = proxy({"file": master}, out(tmp_path), {})
    assert (answer["mode"], answer["media_type"]) == ("remux", "audio/mp4")
    assert judged_streams(master) == judged_streams(tmp_path / "out" / answer["file"])
    drawn = waveform({"file": master}, out(tmp_path), {})
    assert drawn["facts"]["silent"] is False
    assert shown(tmp_path / "out" / drawn["file"]).size == (1200, 96)


def test_without_sound_there_is_no_waveform_and_nothing_else_is_missed(tmp_path: Path) -> None:
    master = reels.reel(tmp_path / "a.mp4", 20)
    with pytest.raises(Unplayable, match="no sound"):
        waveform({"file": master}, out(tmp_path), {})
    sheet = thumbs({"file": master}, out(tmp_path), {})
    assert len(sheet["facts"]["tiles"]) == 20
    assert sheet["facts"]["tiles"][-1]["time"] == "0:00:01.900000"
    assert poster({"file": master}, out(tmp_path), {})["facts"]["frame"] == 2


def photo(path: Path) -> Path:
    """Write a photo with a position, a camera's name and a comment."""
    picture = Image.new("RGB", (120, 80), (90, 140, 60))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Examplecam", 6
    ratio = TiffImagePlugin.IFDRational
    exif[0x8825] = {1: "N", 2: (ratio(54), ratio(46), ratio(30)), 3: "W", 4: (ratio(1), ratio(34), ratio(48))}
    picture.save(path, "JPEG", exif=exif, comment=b"canary comment")
    return path


def test_a_photos_claims_are_shown_as_data_and_are_not_in_the_copy(tmp_path: Path) -> None:
    master = photo(tmp_path / "a.jpg")
    record = probe({"file": master}, out(tmp_path), {"media_type": "image/jpeg"})
    assert record["exif"]["Make"] == "Examplecam"
    assert (record["gps"]["latitude"], record["gps"]["longitude"]) == ("54.775000", "-1.580000")
    assert record["c2pa"] == {"outcome": "no manifest"}
    answer = safe({"file": master}, out(tmp_path), {})
    copy = tmp_path / "out" / answer["file"]
    assert answer["facts"]["size"] == [80, 120], "shown upright"
    assert b"Examplecam" not in copy.read_bytes()
    assert b"canary" not in copy.read_bytes()
    assert not shown(copy).getexif()


def test_a_damaged_picture_is_refused_with_a_sentence_and_does_not_crash_its_reader(tmp_path: Path) -> None:
    from counterfoil.engines.redaction import pictures as redacted

    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(b"\xff\xd8\xff\xe0" + bytes((7 + i * 31) % 256 for i in range(900)))
    with pytest.raises(BadInput):
        safe({"file": damaged}, tmp_path, {})
    with pytest.raises(redacted.UnfitPicture, match="may be damaged"):
        redacted.read(damaged)


def test_a_picture_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    import zlib

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    path = tmp_path / "flood.png"

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))))
    with pytest.raises(BadInput, match=r"more points|cannot be read"):
        safe({"file": path}, out(tmp_path), {})


def test_a_documents_pages_become_pictures(tmp_path: Path) -> None:
    import pypdfium2 as pdfium

    document = pdfium.PdfDocument.new()
    for _ in range(3):
        document.new_page(300, 400)
    document.save(tmp_path / "a.pdf")
    record = probe({"file": tmp_path / "a.pdf"}, out(tmp_path), {"media_type": "application/pdf"})
    assert (record["is"], record["pages"]) == ("document", 3)
    answer = page({"file": tmp_path / "a.pdf"}, out(tmp_path), {"page": 3})
    assert shown(tmp_path / "out" / answer["file"]).width in (1240, 1241)
    with pytest.raises(BadInput, match="has 3 pages"):
        page({"file": tmp_path / "a.pdf"}, out(tmp_path), {"page": 4})
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7 broken")
    with pytest.raises(BadInput, match="cannot be opened"):
        page({"file": tmp_path / "b.pdf"}, out(tmp_path), {})


def test_moments_are_typed_the_way_people_say_them(tmp_path: Path) -> None:
    assert seconds_of("1:02:05.5") == Fraction(7451, 2) - 0
    assert seconds_of("2:05") == 125
    assert seconds_of("90s") == 90
    with Recording(reels.reel(tmp_path / "a.mp4", 20)) as r:
        line = r.timeline()
    assert [moment("at", t, line) for t in ("7", "#7", "0:00.75", "0.75s")] == [7, 7, 7, 7]
    with pytest.raises(BadInput, match="The recording ends at"):
        moment("at", "0:09", line)


def test_two_equal_lists_of_times_have_one_digest_and_two_unequal_ones_two(tmp_path: Path) -> None:
    film = reels.reel(tmp_path / "a.mp4", 20)
    with Recording(film) as r:
        line = r.timeline()
    fewer = recording.Timeline(line.time_base, line.pts[:-1], line.keys)
    assert line.digest() == recording.Timeline(line.time_base, line.pts, frozenset()).digest()
    assert line.digest() != fewer.digest()
    assert hashlib.sha256(b"").hexdigest() != line.digest()


def test_no_gpl_encoder_is_named_in_the_product() -> None:
    source = Path(recording.__file__).parents[2]
    named = [
        p.name for p in source.rglob("*.py") if re.search(r"libx26[45]|libxvid|\bx26[45]\b", p.read_text())
    ]
    assert named == [], "PyAV's wheel carries GPL encoders; docs/adr/0017 says why none may be asked for"
