"""The pages of a PDF as pictures: nothing in them can be clicked, run or sent anywhere."""

from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from PIL import Image

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media.answer import made

WIDE = 1240


def page(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write `page.png`: the page that `options["page"]` names, counted from 1, 1240 points wide."""
    number = int(options.get("page") or 1)
    document = _opened(inputs["file"])
    try:
        count = len(document)
        if not 1 <= number <= count:
            raise BadInput("page", f"This document has {count} pages.")
        _page(document, number - 1, WIDE).save(out / "page.png", "PNG", compress_level=6)
    finally:
        document.close()
    return made("page.png", "image/png", "png", mode="picture", facts={"page": number, "pages": count})


def page_picture(path: Path, number: int, wide: int) -> Image.Image:
    """Return one page as a picture so many points wide."""
    document = _opened(path)
    try:
        return _page(document, number, wide)
    finally:
        document.close()


def page_count(path: Path) -> int:
    """Return how many pages a document has."""
    document = _opened(path)
    try:
        return len(document)
    finally:
        document.close()


def _opened(path: Path) -> Any:
    try:
        document = pdfium.PdfDocument(str(path))
    except pdfium.PdfiumError as e:
        raise BadInput("file", "This document cannot be opened: it is damaged or has a password.") from e
    if not len(document):
        raise BadInput("file", "This document has no pages.")
    return document


def _page(document: Any, number: int, wide: int) -> Image.Image:
    try:
        page = document[number]
        width, height = page.get_size()
        scale = min(wide / max(width, 1), 4 * wide / max(height, 1))
        picture: Image.Image = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
    except pdfium.PdfiumError as e:
        raise BadInput("file", f"Page {number + 1} of this document cannot be drawn.") from e
    return picture
