"""Draw a recipient's name and the time into every picture of a viewing copy: one that gets about tells whose it was.

Runs in the sandbox. What comes out is made anew from points and sound: no metadata, script or link of the original
survives. The mark is drawn as a pale text across the whole picture, in rows, light with a dark edge, so that it can be
read on any ground and cropped out of none.
"""

from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media import pages, pictures
from counterfoil.engines.media.answer import made, say

TOOL = "counterfoil.engines.watermark"
WIDE = 1240
MOST_PAGES = 200


def mark(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write the marked copy of a picture, PDF or recording; `options` has name, time and media_type."""
    words = f"{options['name']}  {options['time']}"
    kind = str(options.get("media_type", ""))
    if kind.startswith("image/"):
        answer = _picture(inputs["file"], out, words)
    elif kind == "application/pdf":
        answer = _document(inputs["file"], out, words)
    elif kind.startswith("video/"):
        answer = _recording(inputs["file"], out, words)
    else:
        raise BadInput("file", "Only pictures, recordings with a picture and PDFs can be marked.")
    return {**answer, "tool": TOOL}


def veil(size: tuple[int, int], words: str) -> Image.Image:
    """Return a transparent picture of this size with the words across it in rows."""
    width, height = size
    letters = max(14, min(width, height) // 22)
    font = ImageFont.load_default(letters)
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    step_x = int(pen.textlength(words, font=font)) + 3 * letters
    for row, y in enumerate(range(letters // 2, height, letters * 4)):
        for x in range(-(row * step_x // 3) % step_x - step_x, width, step_x):
            pen.text(
                (x, y),
                words,
                font=font,
                fill=(255, 255, 255, 120),
                stroke_width=max(1, letters // 14),
                stroke_fill=(0, 0, 0, 110),
            )
    return layer


def _veiled(picture: Image.Image, words: str) -> Image.Image:
    whole = picture.convert("RGBA")
    return Image.alpha_composite(whole, veil(whole.size, words)).convert("RGB")


def _picture(path: Path, out: Path, words: str) -> dict[str, Any]:
    picture = pictures.opened(path)
    picture.thumbnail((2560, 2560), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    ground.alpha_composite(picture.convert("RGBA"))
    _veiled(ground, words).save(out / "marked.jpg", "JPEG", quality=90)
    return made("marked.jpg", "image/jpeg", "jpg", mode="marked", facts={"size": list(picture.size)})


def _document(path: Path, out: Path, words: str) -> dict[str, Any]:
    count = pages.page_count(path)
    if count > MOST_PAGES:
        raise BadInput("file", f"This document has {count} pages; up to {MOST_PAGES} can be shared.")
    sheets = []
    for number in range(count):
        sheets.append(_veiled(pages.page_picture(path, number, WIDE), words))
        say(number / count, "pages")
    sheets[0].save(out / "marked.pdf", "PDF", save_all=True, append_images=sheets[1:], resolution=150)
    return made("marked.pdf", "application/pdf", "pdf", mode="marked", facts={"pages": count})


def _recording(path: Path, out: Path, words: str) -> dict[str, Any]:
    from counterfoil.engines.media import proxy
    from counterfoil.engines.media.recording import Recording, stream_hashes

    class Marked(proxy.Pictures):
        """The proxy's own encoder, with the veil laid over each frame."""

        layer: Image.Image | None = None

        def take(self, frame: Any) -> None:
            import av

            turned = proxy.upright(frame)
            picture = turned.reformat(*proxy.fitted(turned.width, turned.height)).to_image()
            if self.layer is None or self.layer.size != picture.size:
                self.layer = veil(picture.size, words)
            new: Any = av.VideoFrame.from_image(  # type: ignore[no-untyped-call]
                Image.alpha_composite(picture.convert("RGBA"), self.layer).convert("RGB")
            )
            new.pts, new.time_base = frame.pts, frame.time_base
            super().take(new)

    target = out / "marked.mp4"
    with Recording(path) as r:
        if r.video is None:
            raise BadInput("file", "There is no picture in this recording that could be marked.")
        times = r.timeline()
        facts = proxy.encode(r, target, times, proxy.VIDEO, None, None, encoder=Marked)
    return made(
        "marked.mp4", "video/mp4", "mp4", mode="marked", streams={"copy": stream_hashes(target)}, facts=facts
    )
