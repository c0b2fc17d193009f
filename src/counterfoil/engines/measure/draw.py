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
DRAWING = 1


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
    return text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
