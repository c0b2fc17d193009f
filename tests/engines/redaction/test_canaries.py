"""Nothing that was removed survives anywhere: canaries are planted in every hiding place and looked for."""

import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageDraw, PngImagePlugin
from tests import films

from counterfoil.engines.redaction import film, pages, pictures, texts

Render = Callable[..., tuple[Path, dict[str, Any]]]
FULL = os.environ.get("COUNTERFOIL_DEPTH") == "full"
MANY = 1000 if FULL else 60


def canary(number: int, where: str = "") -> str:
    """Return a word that stands nowhere else."""
    return f"CANARY{where}{zlib.crc32(f'{where}{number}'.encode()):08X}"


def forms_of(word: str) -> list[bytes]:
    """Return the ways in which bytes may hold a word."""
    plain = word.encode()
    return [
        plain,
        word.encode("utf-16-le"),
        word.encode("utf-16-be"),
        plain.hex().encode(),
        plain.hex().upper().encode(),
    ]


def unpacked(data: bytes) -> Iterator[bytes]:
    """Yield a file's bytes, and everything in it that can be inflated."""
    yield data
    for found in re.finditer(rb"x[\x01\x5e\x9c\xda]", data):
        try:
            yield zlib.decompressobj().decompress(data[found.start() :])
        except zlib.error:
            continue


def surviving(data: bytes, words: list[str]) -> list[str]:
    """Return the canaries that stand in a file's bytes or in what can be inflated from them."""
    held = list(unpacked(data))
    return [w for w in words if any(form in part for part in held for form in forms_of(w))]


# Films: every place beside the picture and the sound.


def nested_film(folder: Path) -> tuple[Path, list[str]]:
    """Write a film with canaries in tags, chapter, subtitle, attachment, a second sound and behind its end."""
    words = [canary(n, "FILM") for n in range(8)]
    path = folder / "in.mkv"
    frames = [films.scene(n) for n in range(10)]
    out = av.open(str(path), "w")
    out.metadata.update({"title": words[0], "comment": words[1], "location": words[7]})
    video = out.add_stream("ffv1", rate=10)
    video.width, video.height, video.pix_fmt = films.WIDE, films.HIGH, "yuv420p"
    video.metadata["title"] = words[2]
    sound = out.add_stream("flac", rate=48_000)
    second = out.add_stream("flac", rate=48_000)
    for stream in (sound, second):
        stream.codec_context.layout, stream.codec_context.format = "stereo", "s16"
    second.metadata["title"] = words[3]
    out.add_attachment("secret.txt", "text/plain", words[4].encode())
    out.set_chapters(
        [{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": words[5]}}]
    )
    for number, picture in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 10)
        out.mux(video.encode(frame))
    out.mux(video.encode(None))
    for stream, pitch in ((sound, 440.0), (second, 1234.0)):
        for start in range(0, 48_000, 4096):
            block = np.ascontiguousarray(films.tone(1, pitch=pitch)[start : start + 4096])
            heard = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="stereo")
            heard.sample_rate, heard.pts, heard.time_base = 48_000, start, Fraction(1, 48_000)
            out.mux(stream.encode(heard))
        out.mux(stream.encode(None))
    out.close()
    if shutil.which("ffmpeg"):
        lines = folder / "lines.srt"
        lines.write_text(f"1\n00:00:00,100 --> 00:00:00,900\n{words[6]}\n")
        joined = folder / "joined.mkv"
        command = ["ffmpeg", "-v", "error", "-i", path, "-i", lines, "-map", "0", "-map", "1", "-c", "copy"]
        subprocess.run([*command, "-c:s", "srt", "-y", joined], check=True)
        path = joined
    with path.open("ab") as f:
        f.write(words[6].encode())
    return path, words


def test_nothing_beside_picture_and_sound_leaves_with_a_film(tmp_path: Path, render: Render) -> None:
    source, words = nested_film(tmp_path)
    assert surviving(source.read_bytes(), words) == words, "the canaries were not planted"
    plan = {"kind": "film", "frames": 10, "width": films.WIDE, "height": films.HIGH, "blank": [[0, 2]]}
    made, answer = render(source, plan)
    assert surviving(made.read_bytes(), words) == []
    assert any("audio" in said for said in answer["facts"]["left_out"])
    with av.open(str(made)) as found:
        assert [s.type for s in found.streams] == ["video", "audio"]
        assert not found.chapters()
        assert set(found.metadata) <= {"major_brand", "minor_version", "compatible_brands"}


def atoms(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[str, int]]:
    """Yield (name, size) of every box of an MP4, those inside others too."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, name = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8].decode("latin-1")
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        assert size >= head, "a box without an end"
        yield name, size
        if name in ("moov", "trak", "mdia", "minf", "stbl", "dinf", "edts", "udta"):
            yield from atoms(data, start + head, start + size)
        start += size


def test_an_mp4_with_free_atoms_user_data_and_a_tail_leaves_none_of_them(
    tmp_path: Path, render: Render
) -> None:
    words = [canary(n, "ATOM") for n in range(4)]
    source = films.write(
        tmp_path / "in.mp4",
        [films.scene(n) for n in range(10)],
        codec="mpeg4",
        metadata={"comment": words[0]},
    )
    data = source.read_bytes()
    for name, word in (("free", words[1]), ("uuid", words[2]), ("skip", words[3])):
        body = name.encode() + word.encode() * 3
        data += (len(body) + 4).to_bytes(4) + body
    source.write_bytes(data + words[3].encode())
    assert surviving(source.read_bytes(), words) == words
    made, _ = render(
        source, {"kind": "film", "frames": 10, "width": films.WIDE, "height": films.HIGH, "blank": [[0, 2]]}
    )
    assert surviving(made.read_bytes(), words) == []
    found = list(atoms(made.read_bytes()))
    assert {n for n, _ in found} <= {
        "ftyp", "free", "mdat", "moov", "mvhd", "trak", "tkhd", "edts", "elst", "mdia", "mdhd", "hdlr", "minf", "vmhd",
        "smhd", "dinf", "dref", "stbl", "stsd", "stts", "stss", "stsc", "stsz", "stco", "co64", "ctts", "udta", "meta",
    }, found  # fmt: skip
    assert all(size == 8 for name, size in found if name == "free"), "a free box holds something"
    assert b"ilst" not in made.read_bytes() or b"\x00\x00\x00\x08ilst" in made.read_bytes(), "a tag is said"
    assert sum(
        size for name, size in atoms(made.read_bytes()) if name in ("ftyp", "free", "mdat", "moov")
    ) == (made.stat().st_size), "something lies behind the last box"


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe, the judge, is not on this machine")
def test_a_foreign_program_finds_two_bare_streams_and_nothing_else(tmp_path: Path, render: Render) -> None:
    source, words = nested_film(tmp_path)
    made, _ = render(
        source,
        {"kind": "film", "frames": 10, "width": films.WIDE, "height": films.HIGH, "mute": [[100, 500]]},
    )
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-show_programs"]
    said = subprocess.run([*command, made], capture_output=True, text=True, check=True).stdout
    assert said.count("[STREAM]") == 2
    assert "[CHAPTER]" not in said
    assert not [w for w in words if w in said]
    tags = set(re.findall(r"^TAG:(\w+)", said, re.MULTILINE))
    assert tags <= {
        "language",
        "handler_name",
        "vendor_id",
        "major_brand",
        "minor_version",
        "compatible_brands",
    }
    decode = ["ffmpeg", "-v", "error", "-i", made, "-map", "0:a", "-f", "s16le", "-"]
    heard = np.frombuffer(subprocess.run(decode, capture_output=True, check=True).stdout, np.int16).reshape(
        -1, 2
    )
    assert not heard[100 * 48 : 500 * 48].any()
    assert heard[: 40 * 48].any()


# PDFs: words under boxes, in forms, notes, layers, metadata, attachments and earlier revisions.


def pdf_of(words: list[str], hidden: list[str]) -> bytes:
    """Return a PDF with one word a line to be boxed, and canaries wherever a PDF can hold words unseen."""
    lines = b"".join(
        b"BT /F 12 Tf 1 0 0 1 60 %d Tm (%s) Tj ET\n" % (780 - 24 * n, w.encode()) for n, w in enumerate(words)
    )
    under = b"BT 3 Tr /F 12 Tf 60 30 Td (%s) Tj ET\n" % hidden[0].encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a.txt) 7 0 R] >> >> /Metadata 9 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [6 0 R] %s >>"
        % b"/Resources << /Font << /F 5 0 R >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(lines + under), lines + under),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Annot /Subtype /Text /Rect [0 0 1 1] /F 2 /Contents (%s) >>" % hidden[1].encode(),
        b"<< /Type /Filespec /F (a.txt) /EF << /F 8 0 R >> >>",
        b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream" % (len(hidden[2]), hidden[2].encode()),
        b"<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream"
        % (len(hidden[3]), hidden[3].encode()),
        b"<< /Title (%s) /Author (%s) >>" % (hidden[4].encode(), hidden[5].encode()),
    ]
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % p for p in places
    )
    body += b"trailer\n<< /Size %d /Root 1 0 R /Info 10 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    # An earlier revision that nobody sees any more, and a tail.
    return bytes(body) + b"% " + hidden[6].encode() + b"\n"


def the_picture(document: Any) -> films.Picture:
    """Return the one picture that a page of a redacted PDF is, as it lies in the file."""
    (image,) = document[0].get_objects()
    seen: films.Picture = image.get_bitmap().to_numpy()
    return seen.reshape(*seen.shape[:2], -1)


def test_canaries_under_boxes_and_everywhere_else_in_pdfs_are_gone(tmp_path: Path, render: Render) -> None:
    lost = 0
    for start in range(0, MANY, 30):
        words = [canary(n, "PDF") for n in range(start, min(MANY, start + 30))]
        hidden = [canary(start * 10 + n, "HIDE") for n in range(7)]
        source = tmp_path / f"{start}.pdf"
        source.write_bytes(pdf_of(words, hidden))
        assert surviving(source.read_bytes(), [*words, *hidden]) == [*words, *hidden]
        hits, silent = pages.search(source, words)
        assert silent == []
        assert {h["word"] for h in hits} == set(words)
        boxes = [
            {"id": f"b{n}", "why": "words", "keys": [[h["page"], h["x"], h["y"], h["w"], h["h"]]]}
            for n, h in enumerate(hits)
        ]
        made, _ = render(source, {"kind": "pages", "frames": 1, "boxes": boxes})
        lost += len(surviving(made.read_bytes(), [*words, *hidden]))
        document = pdfium.PdfDocument(str(made))
        assert document[0].get_textpage().count_chars() == 0
        assert not document.get_metadata_dict(skip_empty=True)
        assert document.count_attachments() == 0
        # No letter is left to read: where the words stood, the page is black and white paper.
        column = the_picture(document)[:, 123:320, 0]
        assert set(np.unique(column)) <= {0, 255}
        assert not (column[5:-5] == 0).all()
        document.close()
        if shutil.which("pdftotext"):
            said = subprocess.run(["pdftotext", made, "-"], capture_output=True, check=True).stdout
            assert said.strip() == b""
    assert lost == 0


def test_what_stood_under_a_box_changes_no_byte_of_a_pdf(tmp_path: Path, render: Render) -> None:
    made = []
    for word in ("WITNESSAAAA", "WITNESSBBBB"):
        source = tmp_path / f"{word}.pdf"
        source.write_bytes(pdf_of(["Statement of", word], [canary(n, word) for n in range(7)]))
        boxes = [{"id": "b", "why": "words", "keys": [[0, 100, 150, 400, 60]]}]
        made.append(render(source, {"kind": "pages", "frames": 1, "boxes": boxes})[0].read_bytes())
    assert made[0] == made[1]


def test_the_page_is_otherwise_as_it_was(tmp_path: Path, render: Render) -> None:
    source = tmp_path / "in.pdf"
    source.write_bytes(pdf_of(["Statement of", "Somebody"], [canary(n) for n in range(7)]))
    ((before, points),) = list(pages.pictures(source))
    box = [100, 100, 300, 60]
    made, _ = render(
        source, {"kind": "pages", "frames": 1, "boxes": [{"id": "b", "why": "words", "keys": [[0, *box]]}]}
    )
    document = pdfium.PdfDocument(str(made))
    after = the_picture(document)
    document.close()
    assert [round(p) for p in points] == [595, 842]
    outside = np.ones(before.shape[:2], bool)
    outside[100:160, 100:400] = False
    assert before.shape[:2] == after.shape[:2]
    assert (after[~outside] == 0).all()
    assert (after[outside] == before[outside]).all()


def test_a_scanned_page_says_that_it_has_no_words_to_search(tmp_path: Path) -> None:
    Image.fromarray(films.scene(0)).save(tmp_path / "scan.pdf", "PDF")
    assert pages.search(tmp_path / "scan.pdf", ["anything"]) == ([], [0])


# Text and pictures.


def test_canaries_cut_from_texts_are_gone_and_their_length_too(tmp_path: Path, render: Render) -> None:
    words = [canary(n, "TEXT") + "X" * (n % 23) for n in range(MANY)]
    text = "".join(f"On the {n}th day {w} walked by.\r\n" for n, w in enumerate(words))
    source = tmp_path / "in.txt"
    source.write_bytes(text.encode("utf-16"))
    read = texts.read(source)
    cuts = [list(s) for s in texts.search(read, words)]
    made, _ = render(source, {"kind": "text", "cuts": cuts})
    left = made.read_text()
    assert surviving(made.read_bytes(), words) == []
    assert left == "".join(f"On the {n}th day [removed] walked by.\n" for n in range(MANY))


def test_a_phrase_is_found_over_line_ends_and_in_any_case() -> None:
    assert texts.search("He said: john\n SMITH did it", ["John Smith"]) == [(9, 20)]


def test_canaries_in_pictures_are_gone(tmp_path: Path, render: Render) -> None:
    for number in range(0, MANY, 6):
        words = [canary(number + n, "PIC") for n in range(4)]
        source = tmp_path / "in.png"
        picture = Image.fromarray(films.scene(number % 20)).convert("RGBA")
        ImageDraw.Draw(picture).text((12, 12), words[0])
        picture.putpixel((300, 200), (1, 2, 3, 0))
        about = PngImagePlugin.PngInfo()
        about.add_text("Comment", words[1])
        about.add_itxt("XML:com.adobe.xmp", words[2])
        exif = Image.Exif()
        exif[0x010E] = words[3]
        picture.save(source, pnginfo=about, exif=exif)
        source.write_bytes(source.read_bytes() + words[1].encode())
        box = [{"id": "b", "why": "words", "keys": [[0, 8, 8, 150, 20]]}]
        made, _ = render(
            source, {"kind": "picture", "frames": 1, "width": films.WIDE, "height": films.HIGH, "boxes": box}
        )
        assert surviving(made.read_bytes(), words) == []
        with Image.open(made) as again:
            assert (again.mode, again.info) == ("RGB", {})
            seen = np.array(again)
        assert not seen[8:28, 8:158].any()
        assert (seen[200, 300] == 255).all(), "what was clear is white, not what lay under it"
        kept = pictures.read(source)
        assert (seen[30:] == kept[30:]).all()


def test_a_turned_photo_is_redacted_as_people_see_it(tmp_path: Path, render: Render) -> None:
    source = tmp_path / "in.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    thumb = canary(1, "THUMB")
    Image.fromarray(films.scene(3)).save(source, exif=exif, comment=thumb, quality=95)
    box = [{"id": "b", "why": "face", "keys": [[0, 0, 0, 50, 20]]}]
    made, _ = render(
        source, {"kind": "picture", "frames": 1, "width": films.HIGH, "height": films.WIDE, "boxes": box}
    )
    with Image.open(made) as again:
        assert again.size == (films.HIGH, films.WIDE)
        assert not np.array(again)[:20, :50].any()
    assert surviving(made.read_bytes(), [thumb]) == []


def test_a_turned_film_is_redacted_as_people_see_it(tmp_path: Path, render: Render) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg, which turns the film for this test, is not on this machine")
    plain = films.write(tmp_path / "plain.mp4", [films.scene(n) for n in range(4)], codec="mpeg4")
    turned = tmp_path / "turned.mp4"
    command = ["ffmpeg", "-v", "error", "-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=270", turned]
    subprocess.run(command, check=True)
    first = next(film.shots(turned))
    assert (first.look.width, first.look.height) == (films.HIGH, films.WIDE)
    # A foreign player, which turns films by itself, shows the very same picture.
    show = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        turned,
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-",
    ]
    seen = subprocess.run(show, capture_output=True, check=True).stdout
    assert seen == b"".join(p.tobytes() for p in first.planes)
    assert first.planes[0].tobytes() != next(film.shots(plain)).planes[0].tobytes()
    plan = {"kind": "film", "frames": 4, "width": films.HIGH, "height": films.WIDE, "blank": [[0, 0]]}
    made, _ = render(turned, plan)
    with av.open(str(made)) as again:
        frames = list(again.decode(video=0))
    assert {(f.width, f.height, round(f.rotation)) for f in frames} == {(films.HIGH, films.WIDE, 0)}
