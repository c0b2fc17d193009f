"""Plain text: letters cut out and a fixed mark put in, so that not even their number is left; and a word search."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from counterfoil.engines.errors import Refusal

MARK = "[removed]"
MOST_BYTES = 5_000_000


class UnfitText(Refusal):
    """This text cannot be redacted as it is; the sentence says what to do."""


def read(path: Path) -> str:
    """Return a file's text with plain line ends: UTF-8, UTF-16 with its mark, else Latin-1 as Windows has it."""
    if path.stat().st_size > MOST_BYTES:
        raise UnfitText("This text is longer than five million bytes. Split it.")
    data = path.read_bytes()
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def search(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the words stand, whatever their case; any run of spaces and line ends counts as one space."""
    found = []
    for word in words:
        pattern = r"\s+".join(re.escape(part) for part in word.split())
        if pattern:
            found += [m.span() for m in re.finditer(pattern, text, re.IGNORECASE)]
    return sorted(found)


def cut(text: str, spans: Sequence[Sequence[int]]) -> str:
    """Return the text with each span (sorted, apart) replaced by one fixed mark."""
    kept, place = [], 0
    for start, end in spans:
        if end > len(text):
            raise UnfitText("The text is not the one that was reviewed: it is shorter.")
        kept += [text[place:start], MARK]
        place = end
    return "".join([*kept, text[place:]])


def render(path: Path, out: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Write the text without what was cut to `out` as UTF-8; return {letters, cuts}."""
    text = read(path)
    left = cut(text, plan["cuts"])
    out.write_text(left, encoding="utf-8", newline="\n")
    return {"letters": len(left), "cuts": len(plan["cuts"])}
