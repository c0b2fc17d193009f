"""Makes a short clip and a photo for the demonstration, so that no real footage is needed."""

from fractions import Fraction
from pathlib import Path

import av
from PIL import Image, ImageDraw

WIDTH, HEIGHT, RATE, SECONDS = 640, 360, 25, 6


def _scene(second: float) -> Image.Image:
    """Draw a side gate at night with a figure walking through it: plainly a drawing, nobody's likeness."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (20, 26, 38))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 250, WIDTH, HEIGHT), fill=(44, 50, 58))
    draw.rectangle((380, 90, 560, 250), fill=(70, 60, 52))
    draw.rectangle((430, 130, 500, 250), fill=(30, 28, 26))
    x = int(40 + second / SECONDS * 420)
    draw.ellipse((x, 150, x + 26, 178), fill=(150, 150, 150))
    draw.rectangle((x + 2, 178, x + 24, 240), fill=(110, 110, 116))
    draw.rectangle((0, 0, WIDTH, 26), fill=(0, 0, 0))
    draw.text((8, 7), f"DEMONSTRATION CAMERA 2   20-11-2026 22:14:{int(second):02d}", fill=(230, 230, 230))
    return image


def make_clip(path: Path) -> Path:
    """Write a six-second MPEG-4 clip and return its path."""
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for n in range(RATE * SECONDS):
            frame = av.VideoFrame.from_image(_scene(n / RATE))  # type: ignore[no-untyped-call]
            frame.pts = n
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def make_photo(path: Path) -> Path:
    """Write a photo-like picture of a forced window and return its path."""
    image = Image.new("RGB", (1200, 900), (186, 178, 160))
    draw = ImageDraw.Draw(image)
    draw.rectangle((300, 180, 900, 720), fill=(120, 150, 170), outline=(240, 240, 235), width=24)
    draw.line((600, 180, 600, 720), fill=(240, 240, 235), width=18)
    for x, y in ((340, 420), (430, 360), (520, 470), (470, 590)):
        draw.line((450, 450, x, y), fill=(230, 240, 245), width=4)
    draw.polygon([(300, 690), (330, 720), (290, 760)], fill=(70, 52, 40))
    draw.text((20, 870), "DEMONSTRATION PICTURE: an invented window", fill=(40, 40, 40))
    image.save(path, "JPEG", quality=85)
    return path
