"""Single pictures: made upright and flat, painted, and written anew as PNG without a word about themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from counterfoil.engines.errors import Refusal
from counterfoil.engines.redaction.pages import blacken
from counterfoil.engines.redaction.plan import rects_at

MOST_PIXELS = 120_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")


class UnfitPicture(Refusal):
    """This picture cannot be redacted as it is; the sentence says what to do."""


def read(path: Path) -> NDArray[np.uint8]:
    """Return a picture's pixels as eyes see them: turned as it says, on white where clear, the first of several."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with Image.open(path, formats=FORMATS) as found:
            turned = ImageOps.exif_transpose(found)
            if turned.mode in ("RGBA", "LA", "PA", "P", "La", "RGBa"):
                whole = turned.convert("RGBA")
                flat = Image.new("RGBA", whole.size, (255, 255, 255, 255))
                flat.alpha_composite(whole)
                turned = flat
            elif turned.mode.startswith("I") or turned.mode == "F":
                raise UnfitPicture("This picture has more than 8 bits a colour. Save it with 8 bits first.")
            return np.array(turned.convert("RGB"))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, ValueError, SyntaxError) as e:
        raise UnfitPicture(
            "This picture cannot be read. It may be damaged, too large, or of another kind."
        ) from e


def render(path: Path, out: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Write the painted picture to `out` as PNG; return {frames, width, height}."""
    pixels = read(path)
    high, wide = pixels.shape[:2]
    if (wide, high) != (plan["width"], plan["height"]):
        raise UnfitPicture("The picture is not the one that was reviewed: it has another size.")
    blacken(pixels, rects_at(plan, 0))
    Image.fromarray(pixels).save(out, "PNG", compress_level=6)
    with Image.open(out) as again:
        if again.info or not np.array_equal(np.array(again), pixels):
            raise UnfitPicture("The new picture does not read back as it was painted. Tell support.")
    return {"frames": 1, "width": wide, "height": high}
