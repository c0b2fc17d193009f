"""PDF files: drawn as pictures, painted, and a new PDF made of the pictures alone; and a search for words to box.

No text layer, form, attachment, earlier revision, layer or word about the file survives: the new file is written here
from numbers, object by object.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from counterfoil.engines.errors import Refusal
from counterfoil.engines.redaction.plan import Rect, rects_at

DOTS = 150  # an inch
MOST_PAGES = 600
MOST_PIXELS = 30_000_000
Picture = NDArray[np.uint8]


class UnfitPages(Refusal):
    """This PDF cannot be redacted as it is; the sentence says what to do."""


def _open(path: Path) -> Any:
    try:
        document = pdfium.PdfDocument(str(path))
    except pdfium.PdfiumError as e:
        raise UnfitPages("This PDF cannot be opened. It may be damaged or locked with a password.") from e
    if len(document) > MOST_PAGES:
        raise UnfitPages(f"This PDF has {len(document)} pages. Split it: {MOST_PAGES} at most at a time.")
    document.init_forms()
    return document


def _scale(page: Any) -> float:
    wide, high = page.get_size()
    return float(min(DOTS / 72, (MOST_PIXELS / max(1.0, wide * high)) ** 0.5))


def pictures(path: Path) -> Iterator[tuple[Picture, tuple[float, float]]]:
    """Yield each page as (picture, its size in points): what a reader sees, with forms and notes drawn in."""
    document = _open(path)
    try:
        for number in range(len(document)):
            page = document[number]
            scale = _scale(page)
            bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
            seen = np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
            # A hair less than whole pixels, so that drawn again at this scale it has as many of them.
            yield seen, (int(seen.shape[1] / scale * 100) / 100, int(seen.shape[0] / scale * 100) / 100)
            bitmap.close()
            page.close()
    finally:
        document.close()


def search(path: Path, words: Sequence[str]) -> tuple[list[dict[str, Any]], list[int]]:
    """Return boxes around every place the words are found, and the pages (from 0) that have no text to search.

    Boxes are {page, x, y, w, h, word} in the pixels of `pictures`, two pixels wider than the letters. A page without
    text (a scan) must be looked at by eye.
    """
    document = _open(path)
    found: list[dict[str, Any]] = []
    silent: list[int] = []
    try:
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            if not text.count_chars():
                silent.append(number)
            scale, high = _scale(page), page.get_size()[1]
            for word in words:
                searcher = text.search(word, match_case=False, match_whole_word=False)
                while (hit := searcher.get_next()) is not None:
                    start, count = hit
                    for i in range(text.count_rects(start, count)):
                        left, bottom, right, top = text.get_rect(i)
                        x, y = int(left * scale) - 2, int((high - top) * scale) - 2
                        w, h = int((right - left) * scale) + 5, int((top - bottom) * scale) + 5
                        found.append({"page": number, "x": x, "y": y, "w": w, "h": h, "word": word})
            text.close()
            page.close()
    finally:
        document.close()
    return found, silent


def blacken(picture: Picture, rects: Sequence[Rect]) -> None:
    """Make every pixel of the boxes black."""
    for left, top, right, bottom in rects:
        picture[top:bottom, left:right] = 0


def render(path: Path, out: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Write a new PDF of painted pictures to `out`; return {frames}. Refuses another number of pages."""
    objects: list[bytes] = []
    pages: list[int] = []
    for number, (picture, points) in enumerate(pictures(path)):
        high, wide = picture.shape[:2]
        blacken(picture, rects_at(plan, number, wide, high))
        grey = bool((picture == picture[:, :, :1]).all())
        data = zlib.compress((picture[:, :, :1] if grey else picture).tobytes(), 6)
        base = 3 + 3 * number
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents %d 0 R "
            b"/Resources << /XObject << /P %d 0 R >> >> >>" % (*points, base + 1, base + 2),
            _stream(b"", b"q %.2f 0 0 %.2f 0 0 cm /P Do Q" % points),
            _stream(
                b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /%s "
                b"/Filter /FlateDecode " % (wide, high, b"DeviceGray" if grey else b"DeviceRGB"),
                data,
            ),
        ]
        pages.append(base)
    if len(pages) != plan["frames"]:
        raise UnfitPages(f"The PDF has {len(pages)} pages, but {plan['frames']} were reviewed.")
    kids = b" ".join(b"%d 0 R" % p for p in pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids),
        *objects,
    ]
    out.write_bytes(_pdf(objects))
    return {"frames": len(pages)}


def _stream(head: bytes, data: bytes) -> bytes:
    return b"<< %s/Length %d >>\nstream\n%s\nendstream" % (head, len(data), data)


def _pdf(objects: Sequence[bytes]) -> bytes:
    """Return a PDF 1.4 file of these objects, numbered from 1, the first of them its catalogue."""
    written, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % p for p in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(written)
