"""Drawings: the same words for the same chart, silent to screen readers, safe to stand side by side."""

import re
from pathlib import Path
from typing import Any

from counterfoil.engines.measure.draw import svg

SPEC: dict[str, Any] = {
    "data": {"values": [{"n": 3, "k": "a"}, {"n": 5, "k": "b"}]},
    "mark": {"type": "bar", "clip": True},
    "encoding": {"x": {"field": "n", "type": "quantitative"}, "y": {"field": "k", "type": "nominal"}},
}


def test_one_specification_is_drawn_once_and_kept_by_its_digest(tmp_path: Path) -> None:
    first = svg(SPEC, folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    assert kept.read_text() == first == svg(SPEC)


def test_marks_have_no_roles_and_the_whole_is_hidden_from_screen_readers() -> None:
    text = svg(SPEC)
    assert text.startswith('<svg aria-hidden="true" focusable="false" ')
    assert not re.search(r'\brole=|aria-(?!hidden="true" focusable)', text)
    assert "style=" not in text
    assert "<script" not in text


def test_two_drawings_share_no_identifier() -> None:
    other = {**SPEC, "data": {"values": [{"n": 4, "k": "a"}]}}
    ids = [set(re.findall(r'id="([^"]+)"', svg(s))) for s in (SPEC, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r"url\(#([^)]+)\)", svg(SPEC))) <= ids[0]
