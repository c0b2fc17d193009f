"""Pictures out of recordings and pictures: a poster, a sheet to scrub over, one exact frame, a clean copy."""

import contextlib
import hashlib
import io
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from counterfoil.engines.errors import BadInput
from counterfoil.engines.media.answer import made, say
from counterfoil.engines.media.moments import clock, moment
from counterfoil.engines.media.proxy import upright
from counterfoil.engines.media.recording import Recording, Timeline, Unplayable, frame_bytes

MOST_PIXELS = 100_000_000
POSTER, SAFE = 640, 2560
TILE, COLUMNS, TILES = 160, 10, 60
AFFORDED = (
    3_000_000_000  # points decoded for a sheet of thumbnails: a minute of 1080p, five of a small camera
)
# A picture with several views (MPO) is opened by the JPEG reader; a name without a reader of its own is an error.
PICTURES = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")


def poster(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write `poster.jpg`: a picture small, a document's first page, or a frame a tenth of the way in."""
    path = inputs["file"]
    kind = str(options.get("of") or "recording")
    facts: dict[str, Any] = {}
    if kind == "picture":
        picture = opened(path)
    elif kind == "document":
        from counterfoil.engines.media.pages import page_picture

        picture = page_picture(path, 0, 900)
    else:
        with Recording(path) as r:
            times = r.timeline()
            found = next(iter(_few(r, times, [times.pts[len(times) // 10]])), None)
            if found is None:
                raise Unplayable("There is no frame in this recording that can be decoded.")
            frame = found[1]
            picture = upright(frame).to_image()
            facts = _facts(times, times.pts.index(frame.pts)) if frame.pts in times.pts else {}
    picture.thumbnail((POSTER, POSTER), Image.Resampling.BILINEAR)
    _jpeg(picture, out / "poster.jpg")
    facts["size"] = list(picture.size)
    return made("poster.jpg", "image/jpeg", "jpg", mode="picture", facts=facts)


def thumbs(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write `thumbs.jpg`: up to 60 small frames evenly over the recording, ten a row, each with its exact time."""
    with Recording(inputs["file"]) as r:
        times = r.timeline()
        count = min(TILES, len(times))
        wanted = [times.pts[n * (len(times) - 1) // max(1, count - 1)] for n in range(count)]
        sheet: Image.Image | None = None
        tiles: list[dict[str, Any]] = []
        high = 0
        for n, frame in _few(r, times, wanted):
            picture = upright(frame).to_image()
            if sheet is None:
                high = max(2, min(2 * TILE, round(TILE * picture.height / picture.width)))
                sheet = Image.new(
                    "RGB", (TILE * min(count, COLUMNS), high * -(-count // COLUMNS)), (24, 24, 24)
                )
            place = (TILE * (len(tiles) % COLUMNS), high * (len(tiles) // COLUMNS))
            sheet.paste(picture.resize((TILE, high), Image.Resampling.BILINEAR), place)
            at = times.seconds(frame.pts - times.pts[0])
            tiles.append({"time": clock(at), "ms": int(at * 1000)})
            say(n / count, "thumbnails")
        if sheet is None:
            raise Unplayable("There is no frame in this recording that can be decoded.")
        rows = -(-len(tiles) // COLUMNS)
        sheet = sheet.crop((0, 0, TILE * min(len(tiles), COLUMNS), high * rows))
        _jpeg(sheet, out / "thumbs.jpg")
    facts = {
        "size": list(sheet.size),
        "tile": [TILE, high],
        "columns": min(len(tiles), COLUMNS),
        "tiles": tiles,
    }
    return made("thumbs.jpg", "image/jpeg", "jpg", mode="picture", facts=facts)


def still(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write `still.png`: exactly the frame that `options["at"]` names, by number (from 0) or time after the first."""
    with Recording(inputs["file"]) as r:
        times = r.timeline()
        number = moment("at", str(options.get("at", "")), times)
        frame = exactly(r, times, number)
        samples = hashlib.sha256(frame_bytes(frame)).hexdigest()
        turned = upright(frame)
        picture = turned.to_image()
        _png(picture, out / "still.png")
        facts = {
            **_facts(times, number),
            "size": list(picture.size),
            "turned": int(frame.rotation or 0) % 360,
            "damage": r.broken,
        }
    return made("still.png", "image/png", "png", mode="still", streams={"frame_sha256": samples}, facts=facts)


def safe(inputs: dict[str, Path], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write the picture anew, upright and without metadata, at most 2560 wide: PNG for PNG and GIF, else JPEG."""
    try:
        with Image.open(inputs["file"], formats=PICTURES) as first:
            lossless = first.format in ("PNG", "GIF")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError):
        lossless = False
    picture = opened(inputs["file"])
    whole = list(picture.size)
    picture.thumbnail((SAFE, SAFE), Image.Resampling.LANCZOS)
    facts = {"whole_size": whole, "size": list(picture.size)}
    if lossless:
        _png(picture, out / "copy.png")
        return made("copy.png", "image/png", "png", mode="picture", facts=facts)
    _jpeg(picture, out / "copy.jpg", quality=92)
    return made("copy.jpg", "image/jpeg", "jpg", mode="picture", facts=facts)


def opened(path: Path) -> Image.Image:
    """Return a picture upright in plain colours, with none of its metadata; BadInput when it cannot be read."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with Image.open(path, formats=PICTURES) as found:
            if found.width * found.height > MOST_PIXELS:
                raise BadInput(
                    "file", "This picture has more points than we open. The original is kept as it came."
                )
            found.load()
            turned = ImageOps.exif_transpose(found)
            return _plain(turned)
    except BadInput:
        raise
    except (
        OSError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
        ValueError,
        SyntaxError,
        EOFError,
    ) as e:
        return _by_ffmpeg(path, e)


def _by_ffmpeg(path: Path, why: Exception) -> Image.Image:
    """Return a picture that Pillow does not know (HEIC) through the recording's decoders."""
    try:
        with Recording(path) as r:
            for frame in r.frames(r.container.streams.video[0]):
                return _plain(upright(frame).to_image())
    except (BadInput, IndexError):
        pass
    raise BadInput("file", "This picture cannot be read here. Ask for it again as JPEG or PNG.") from why


def _plain(picture: Image.Image) -> Image.Image:
    """Return new points only: nothing else of the picture comes along."""
    mode = "RGBA" if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info else "RGB"
    if picture.mode in ("I;16", "I", "F"):
        picture = picture.convert("L")
    points = picture.convert(mode)
    clean = Image.new(mode, points.size)
    clean.paste(points)
    return clean


def _few(r: Recording, times: Timeline, wanted: list[int]) -> Iterator[tuple[int, Any]]:
    """Yield (n, frame) for the times wanted, in order: exactly those when all can be decoded in reasonable time.

    From a long recording come the key frames at or before them, each once: those can be had by a jump.
    """
    context = r.video.codec_context if r.video is not None else None
    if context is not None and len(times) * context.width * context.height <= AFFORDED:
        places = {pts: n for n, pts in enumerate(wanted)}
        with r.again() as anew:
            for frame in anew.frames(anew.video):
                if frame.pts in places:
                    yield places[frame.pts], frame
                if frame.pts is not None and frame.pts > wanted[-1]:
                    return
        return
    shown: int | None = None
    for n, pts in enumerate(wanted):
        frame = next((f for f in r.frames(r.video, start=pts) if f.pts is not None), None)
        if frame is not None and frame.pts != shown:
            shown = frame.pts
            yield n, frame


def exactly(r: Recording, times: Timeline, number: int) -> Any:
    """Return the frame of this number, decoded from the key frame before it; never one beside it."""
    wanted = times.pts[number]
    for start in (max((k for k in times.keys if k <= wanted), default=None), None):
        with contextlib.closing(_anew(r, start)) as found:
            for frame in found:
                if frame.pts == wanted:
                    return frame
                if frame.pts is not None and frame.pts > wanted + 64 * max(
                    1, wanted - times.pts[max(0, number - 1)]
                ):
                    break
    raise BadInput("at", f"Frame {number} is damaged and cannot be decoded. Choose one beside it.")


def _anew(r: Recording, start: int | None) -> Generator[Any, None, None]:
    with r.again() as anew:
        yield from anew.frames(anew.video, start=start)


def _facts(times: Timeline, number: int) -> dict[str, Any]:
    pts = times.pts[number]
    return {
        "frame": number,
        "of_frames": len(times),
        "time": clock(times.seconds(pts - times.pts[0])),
        "pts": pts,
        "time_base": str(Fraction(times.time_base)),
    }


def _jpeg(picture: Image.Image, path: Path, quality: int = 80) -> None:
    flat = picture
    if picture.mode == "RGBA":
        flat = Image.new("RGB", picture.size, (255, 255, 255))
        flat.paste(picture, mask=picture.getchannel("A"))
    held = io.BytesIO()
    flat.convert("RGB").save(held, "JPEG", quality=quality, optimize=False, progressive=False)
    path.write_bytes(held.getvalue())


def _png(picture: Image.Image, path: Path) -> None:
    held = io.BytesIO()
    picture.save(held, "PNG", compress_level=6)
    path.write_bytes(held.getvalue())
