"""What a task answers: the file it made, how, and with which versions."""

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

TOOL = "counterfoil.engines.media"
# Raised whenever the same settings would give other bytes: a recipe names the number it was made with.
REVISION = 1


@cache
def versions() -> dict[str, str]:
    """Return what decides a task's bytes: this engine's revision and the libraries that decode and encode."""
    import importlib.metadata

    import av

    found = {name: importlib.metadata.version(name) for name in ("av", "pillow", "pypdfium2")}
    ffmpeg = {name: ".".join(map(str, v)) for name, v in sorted(av.library_versions.items())}
    wanted = ("libavcodec", "libavformat", "libavutil", "libswscale", "libswresample")
    return {"engine": str(REVISION), **found, **{k: v for k, v in ffmpeg.items() if k in wanted}}


def made(
    file: str,
    media_type: str,
    extension: str,
    *,
    mode: str = "",
    streams: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the answer of a task that wrote one file into its folder.

    `mode` says in a word how: remux, rewrap, transcode, lossless, exact, picture. `streams` are the hashes that let
    somebody else compare; `facts` whatever a reader should know.
    """
    return {
        "file": file,
        "media_type": media_type,
        "extension": extension,
        "mode": mode,
        "streams": dict(streams or {}),
        "facts": dict(facts or {}),
        "tool": TOOL,
        "version": versions(),
    }


def say(done: float, of: str) -> None:
    """Tell whoever waits how far this is, from 0 to 1. Outside the sandbox's child nobody listens."""
    child = sys.modules.get("counterfoil.engines.sandbox.child")
    if child is not None and sys.flags.isolated:
        child.progress({"done": round(max(0.0, min(1.0, done)), 3), "of": of})
