"""Faces in one picture, by CenterFace (MIT) through OpenCV. A proposal for a person to judge, never a decision."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from counterfoil.engines.errors import Refusal

MODEL = Path(__file__).parent / "models" / "centerface.onnx"
LONGEST = 1280
STRIDE = 4
Face = tuple[float, float, float, float, float]
Picture = NDArray[np.uint8]


class NoModel(Refusal):
    """The detector's weights are not on this machine."""


@lru_cache(1)
def _network() -> Any:
    if not MODEL.is_file():
        raise NoModel(
            "Faces cannot be looked for here: the detector was not installed. Draw the boxes by hand."
        )
    return cv2.dnn.readNetFromONNX(str(MODEL))


def _look(rgb: Picture, scale: float, least: float) -> list[Face]:
    """Return faces at one scale, in the picture's own pixels.

    The network gives, for each cell of 4 pixels, how sure it is that a face has its centre there, the logarithm of
    the face's height and width in cells, and where in the cell the centre is (Xu et al., CenterFace, 2019).
    """
    high, wide = rgb.shape[:2]
    small = (max(1, round(wide * scale)), max(1, round(high * scale)))
    seen = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    framed = np.zeros((-(-small[1] // 32) * 32, -(-small[0] // 32) * 32, 3), np.uint8)
    framed[: small[1], : small[0]] = seen
    net = _network()
    net.setInput(cv2.dnn.blobFromImage(framed))
    heat, size, shift, _ = net.forward(("537", "538", "539", "540"))
    rows, columns = np.nonzero(heat[0, 0] > least)
    score = heat[0, 0, rows, columns]
    tall = np.exp(size[0, 0, rows, columns]) * STRIDE
    broad = np.exp(size[0, 1, rows, columns]) * STRIDE
    middle_y = (rows + shift[0, 0, rows, columns] + 0.5) * STRIDE
    middle_x = (columns + shift[0, 1, rows, columns] + 0.5) * STRIDE
    return [
        (float(x - w / 2) / scale, float(y - h / 2) / scale, float(w) / scale, float(h) / scale, float(s))
        for x, y, w, h, s in zip(middle_x, middle_y, broad, tall, score, strict=True)
    ]


def overlap(a: Face | tuple[float, ...], b: Face | tuple[float, ...]) -> float:
    """Return intersection over union of two boxes (x, y, w, h)."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def find(rgb: Picture, least: float = 0.2) -> list[Face]:
    """Return faces as (x, y, w, h, score), surest first; looks at the whole size (at most 1280) and at half of it.

    The second look is for faces that fill the picture, which the network does not know at full size.
    """
    full = min(1.0, LONGEST / max(rgb.shape[:2]))
    looks = [full] if max(rgb.shape[:2]) * full < 200 else [full, full / 2]
    found = sorted((f for s in looks for f in _look(rgb, s, least)), key=lambda f: -f[4])
    kept: list[Face] = []
    for face in found:
        if all(overlap(face, k) < 0.3 for k in kept):
            kept.append(face)
    return kept
