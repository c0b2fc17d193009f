"""What the tests of redaction share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterfoil.engines.redaction import faces, tasks


@pytest.fixture
def detector() -> None:
    """Skip, and say so, where the detector's weights were not fetched."""
    if not faces.MODEL.is_file():
        pytest.skip("the face detector's weights are not here: run tools/models.py")


@pytest.fixture
def render(tmp_path: Path) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """Make a redaction from a file and a plan, and return the new file and what the task says."""
    made = 0

    def act(path: Path, plan: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
        nonlocal made
        made += 1
        out = tmp_path / f"made{made}"
        out.mkdir()
        answer = tasks.render({"file": path}, out, plan)
        return out / answer["file"], answer

    return act


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Look at a file and return what was found."""

    def act(path: Path, kind: str, *, look: bool = True) -> dict[str, Any]:
        out = tmp_path / "prepared"
        out.mkdir(exist_ok=True)
        tasks.prepare({"file": path}, out, {"kind": kind, "faces": look})
        found: dict[str, Any] = json.loads((out / "review.json").read_text())
        return found

    return act
