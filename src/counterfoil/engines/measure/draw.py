"""Draw a Vega-Lite chart as SVG on this machine: no browser, no script, no outside font.

>>> svg({"data": {"values": [{"n": 1}]}, "mark": "bar", "encoding": {"x": {"field": "n", "type": "quantitative"}}})[:4]
'<svg'
"""

import hashlib
import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import vl_convert

_ROLES = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_IDS = re.compile(r'(id="|url\(#)([a-z]+[0-9_]+)')
_CLASSES = re.compile(r' class="[^"]*"| pointer-events="none"')
_NOTHING = re.compile(
    r'<path d="M0,0h0v0h0Z"/>|<tspan x="0" dy="\d+"/>|<path d="M0,0h[\d.]+v[\d.]+h-[\d.]+Z"/>'
)
_LONG = re.compile(r"(?<![#\w])-?\d+\.\d{3,}(?![\w])")
_FONTS = re.compile(r'font-family="[^"]*"')
DRAWING = 2


def svg(spec: dict[str, Any], *, folder: Path | None = None) -> str:
    """Return the SVG text of a Vega-Lite specification.

    The same specification gives the same text, drawn once: it is remembered in this process and, with `folder`, in
    a file named by its digest. Every mark is silent to screen readers: the page gives the words and the table.
    """
    return _drawn(json.dumps(spec, sort_keys=True), str(folder) if folder else "")


@lru_cache(maxsize=256)
def _drawn(spec: str, folder: str) -> str:
    digest = hashlib.sha256(f"{DRAWING}\n{spec}".encode()).hexdigest()
    path = Path(folder) / f"{digest}.svg" if folder else None
    if path is not None and path.exists():
        return path.read_text(encoding="utf-8")
    text = _plain(vl_convert.vegalite_to_svg(json.loads(spec)), digest[:8])
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    return text


def _plain(text: str, name: str) -> str:
    """Make the drawing fit to stand in a page: no roles, and identifiers that no other drawing has.

    The renderer numbers its identifiers on from drawing to drawing; ours are numbered by first appearance.
    """
    text = text[text.index("<svg") :]
    text = _ROLES.sub("", text)
    numbers: dict[str, int] = {}
    text = _IDS.sub(lambda m: f"{m[1]}d{name}-{numbers.setdefault(m[2], len(numbers))}", text)
    return _slim(text).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _slim(text: str) -> str:
    """Leave out what no reader sees: names of classes, full opacity, empty backgrounds, a thousandth of a pixel.

    A font that every text names is named once, at the root. A page with six drawings halves by it.
    """
    text = _CLASSES.sub("", text).replace(' opacity="1"', "")
    text = _NOTHING.sub("", text)
    text = _LONG.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), text)
    fonts = set(_FONTS.findall(text))
    if len(fonts) == 1:
        (font,) = fonts
        text = text.replace(f" {font}", "").replace("<svg ", f"<svg {font} ", 1)
    return text
