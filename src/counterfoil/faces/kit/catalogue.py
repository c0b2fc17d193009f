"""Bring the Welsh catalogue up to date with the pages: `python -m counterfoil.faces.kit.catalogue`.

New strings come in empty and flagged `draft`; strings no longer used are dropped. `reviewed` is set by hand, by the
translator who read the string, and is taken away again when the English changes (it is then another string).
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

FACES = Path(__file__).resolve().parent.parent
FILE = Path(__file__).parent / "locale" / "cy" / "LC_MESSAGES" / "messages.po"
OPTIONS = {
    "extensions": "jinja2.ext.i18n,jinja2.ext.do",
    "trimmed": "true",
    "silent": "false",
    "newstyle_gettext": "true",
}
# A face in English only is not asked for Welsh.
ENGLISH_ONLY = {"desk", "scene"}
Found = tuple[str | tuple[str, ...], str, int]


def strings() -> Iterator[Found]:
    """Yield every string of the bilingual faces with the file and line where it stands."""
    for path in sorted(FACES.rglob("*")):
        inside = path.relative_to(FACES)
        if inside.parts[0] in ENGLISH_ONLY or "static" in inside.parts:
            continue
        method = {".html": "jinja2.ext:babel_extract", ".py": "python"}.get(path.suffix)
        if method is None:
            continue
        source = io.BytesIO(path.read_bytes())
        options = OPTIONS if path.suffix == ".html" else {}
        keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
        for line, message, _comments, _context in extract(method, source, keywords=keywords, options=options):
            texts = message if isinstance(message, tuple) else (message,)
            if all(texts):
                yield (message if isinstance(message, tuple) else str(message)), str(inside), line


def updated(old: Catalog) -> Catalog:
    """Return the catalogue for the pages as they are now, keeping what `old` translates."""
    new = Catalog(locale="cy", project="Counterfoil", fuzzy=False, charset="utf-8")
    new.header_comment = (
        "# Welsh strings of Counterfoil. Each is flagged draft until a qualified translator has read it,"
        " then reviewed.\n"
        "# Forms by number, in this order: any other, 1, 2, 3, 6 (as Plural-Forms says)."
    )
    for text, file, line in strings():
        key = text if isinstance(text, str) else text[0]
        before = old.get(key)
        string = before.string if before else ""
        flags = {f for f in before.flags if f in ("draft", "reviewed")} if before else set()
        plain = re.search(r"%\(\w+\)s", key) is not None
        message = new.add(text, string, locations=[(file, line)], flags=flags or {"draft"})
        if not plain:
            message.flags.discard("python-format")
    return new


def main() -> None:
    """Rewrite the file and say how many strings have no Welsh yet."""
    old = Catalog(locale="cy")
    if FILE.exists():
        with FILE.open("rb") as file:
            old = read_po(file, locale="cy")
    new = updated(old)
    out = io.BytesIO()
    write_po(out, new, width=110, omit_header=False, sort_by_file=True, include_lineno=False)
    text = re.sub(
        r'"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By):[^\n]*\n',
        "",
        out.getvalue().decode(),
    )
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text, encoding="utf-8")
    empty = [
        m for m in new if m.id and not all([m.string] if isinstance(m.string, str) else m.string or [""])
    ]
    print(f"{len(new)} strings, {len(empty)} without Welsh.")


if __name__ == "__main__":
    main()
