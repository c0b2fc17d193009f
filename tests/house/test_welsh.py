"""Every sentence that the public can read is there in Welsh, marked as a draft or as reviewed."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "counterfoil"
CATALOGUE = PACKAGE / "faces" / "kit" / "locale" / "cy" / "LC_MESSAGES" / "messages.po"
BILINGUAL = ("kit", "portal", "bench", "board")  # the desk is in English
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def sentences() -> dict[str, str]:
    """Return every string marked for translation in the bilingual faces, with where it stands."""
    found: dict[str, str] = {}
    for face in BILINGUAL:
        folder = PACKAGE / "faces" / face
        if not folder.is_dir():
            continue
        for file, line, message, *_ in extract_from_dir(
            folder,
            method_map=[("**.py", "python"), ("**.html", "jinja2.ext.babel_extract")],
            options_map={"**.html": {"trimmed": "true", "extensions": "jinja2.ext.do"}},
            keywords={"gettext": None, "_": None, "ngettext": (1, 2)},
        ):
            text = message if isinstance(message, str) else message[0]
            found.setdefault(text, f"{face}/{file}:{line}")
    return found


def texts(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every table of reference data that holds text in English."""
    if isinstance(value, dict):
        if isinstance(value.get("en"), str):
            yield where, value
        for key, inner in value.items():
            yield from texts(inner, f"{where}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from texts(inner, f"{where}[{number}]")


def test_every_sentence_of_the_pages_is_in_the_catalogue() -> None:
    found = sentences()
    assert len(found) > 50
    with CATALOGUE.open("rb") as file:
        welsh = {m.id if isinstance(m.id, str) else m.id[0]: m for m in read_po(file, locale="cy") if m.id}
    assert {text: where for text, where in found.items() if text not in welsh} == {}
    for text in found:
        message = welsh[text]
        forms = [message.string] if isinstance(message.string, str) else list(message.string)
        assert all(forms), f"no Welsh for {text!r}"
        assert {"draft", "reviewed"} & set(message.flags), f"{text!r} is neither draft nor reviewed"
        english = message.id if isinstance(message.id, str) else message.id[-1]
        assert set(PLACEHOLDER.findall(forms[-1])) == set(PLACEHOLDER.findall(english)), text


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "reference").rglob("*.toml")), ids=lambda p: p.relative_to(PACKAGE).as_posix()
)
def test_every_text_of_the_reference_data_is_in_both_languages(path: Path) -> None:
    with path.open("rb") as file:
        data = tomllib.load(file)
    for where, text in texts(data, path.name):
        assert str(text.get("cy", "")).strip(), f"no Welsh at {where}: {text['en']!r}"
        assert set(PLACEHOLDER.findall(text["cy"])) == set(PLACEHOLDER.findall(text["en"])), where
