"""Carry out a recipe on a sealed master in the sandbox, keep the result, and say exactly how it was made."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from counterfoil.engines.errors import Corrupt, Refusal
from counterfoil.engines.sandbox import Limits, Unreadable, run
from counterfoil.engines.sniff import sniff
from counterfoil.engines.tlog import jcs
from counterfoil.engines.vault import Stored
from counterfoil.plugs.stores import vault

MIB = 1 << 20
HOUR = 3600
Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Result:
    """What a recipe gave: the stored bytes, what they are by their content, and the recipe with everything in it."""

    stored: Stored
    media_type: str
    extension: str
    recipe: dict[str, Any]


def digest(recipe: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a recipe as canonical JSON."""
    return hashlib.sha256(jcs(dict(recipe))).hexdigest()


def limits_for(size: int) -> Limits:
    """Return what opening a file of so many bytes may use: time and room grow with it, memory does not."""
    seconds = min(6 * HOUR, 300 + size // (256 << 10))
    return Limits(
        memory=1536 * MIB,
        cpu_s=seconds,
        wall_s=2 * seconds,
        file_bytes=max(2048 * MIB, 2 * size),
        processes=16,
    )


@contextmanager
def workshop() -> Iterator[Path]:
    """Give an empty folder on the vault's own disk, removed afterwards."""
    home = Path(settings.COUNTERFOIL_HOME) / "making"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        yield Path(folder)


@contextmanager
def master(sha256: str) -> Iterator[Path]:
    """Give a path to a sealed object, hashed again first; from a store that is not on this machine, a copy of it."""
    with vault().open(sha256) as stream:
        name = getattr(stream, "name", None)
        if isinstance(name, str) and Path(name).is_file():
            yield Path(name)
            return
        with workshop() as folder:
            path = folder / sha256
            with path.open("xb") as file:
                shutil.copyfileobj(stream, file, MIB)
            yield path


def look(path: Path, task: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Run a task that only answers and makes nothing."""
    with workshop() as out:
        return run(task, {"file": path}, out, dict(options), limits=limits_for(path.stat().st_size))


def carry_out(
    path: Path,
    sha256: str,
    task: str,
    options: Mapping[str, Any],
    *,
    sources: Mapping[str, Path] | None = None,
    on_progress: Progress | None = None,
) -> Result:
    """Run a task on a master's path and keep what it made in the vault; Unreadable when it made nothing good.

    `sources` are further input files that the task reads (weights of a detector); their digests go into the recipe.
    """
    more = dict(sources or {})
    with workshop() as out:
        limits = limits_for(path.stat().st_size)
        answer = run(task, {"file": path, **more}, out, dict(options), limits=limits, on_progress=on_progress)
        made = out / str(answer.get("file", ""))
        media_type, extension = _checked(made, out, answer)
        with made.open("rb") as stream:
            stored = vault().add(stream)
        recipe = {
            "tool": str(answer.get("tool", "")),
            "version": answer.get("version", {}),
            "task": task,
            "settings": dict(options),
            "input_sha256": sha256,
            "sources": {name: hashed(p) for name, p in sorted(more.items())},
            "mode": str(answer.get("mode", "")),
            "streams": answer.get("streams", {}),
            "facts": answer.get("facts", {}),
            "media_type": media_type,
            "output_sha256": stored.sha256,
            "output_size": stored.size,
        }
        digest(recipe)  # refuses now what cannot be put into a bundle later
        return Result(stored, media_type, extension, recipe)


def hashed(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(made: Path, out: Path, answer: Mapping[str, Any]) -> tuple[str, str]:
    """Return media type and extension when the file is there, has bytes, and is by its content what the task says."""
    media_type, extension = str(answer.get("media_type", "")), str(answer.get("extension", ""))
    if made.parent != out or not made.is_file() or not made.stat().st_size:
        raise Unreadable("Nothing was made of this file. The original is kept as it came.", "answer")
    with made.open("rb") as file:
        head = file.read(4096)
    found = sniff(head)
    same = found.media_type.partition("/")[2] == media_type.partition("/")[2]
    text = (
        media_type == "text/plain" and b"\x00" not in head and found.media_type.partition("/")[0] != "image"
    )
    if not (same or text):
        raise Unreadable(
            "What was made of this file is not what it says it is, so it was not kept.", "answer"
        )
    return media_type, extension


@dataclass(frozen=True)
class Comparison:
    """A recipe carried out again: whether its bytes, and whether its streams, are those that are recorded."""

    same_bytes: bool
    same_streams: bool
    same_versions: bool
    recorded_sha256: str
    found_sha256: str
    differing: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """With the same versions only the same bytes will do; with others, the same streams."""
        return self.same_bytes or (not self.same_versions and self.same_streams)

    def sentence(self) -> str:
        """Return the verdict in words."""
        if self.same_bytes:
            return f"The recipe gives the very same bytes again: {self.found_sha256}."
        versions = "the same versions" if self.same_versions else "other versions of the tools"
        if self.same_streams:
            if self.same_versions:
                return (
                    f"The recipe gives other bytes with {versions}: {self.found_sha256} is not {self.recorded_sha256}. "
                    "This is not the file that the recipe makes."
                )
            return f"The recipe gives other bytes with {versions}, and every stream in them is the same."
        what = ", ".join(self.differing) or "the bytes"
        return f"The recipe gives something else with {versions}; what differs: {what}."


def compare(recipe: Mapping[str, Any], path: Path, sources: Mapping[str, Path] | None = None) -> Comparison:
    """Carry out a recipe again on its master and compare; nothing is kept.

    Corrupt when the master, or a source, is not the one that the recipe names.
    """
    if hashed(path) != recipe.get("input_sha256"):
        raise Corrupt("This is not the file that the recipe was carried out on.")
    more = dict(sources or {})
    if {name: hashed(p) for name, p in more.items()} != dict(recipe.get("sources") or {}):
        raise Corrupt("The recipe was carried out with other files beside the master. Give those.")
    task = str(recipe.get("task", ""))
    if not task.startswith("counterfoil.engines."):
        raise Corrupt("The recipe names a task that is none of ours.")
    with workshop() as out:
        limits = limits_for(path.stat().st_size)
        answer = run(task, {"file": path, **more}, out, dict(recipe.get("settings") or {}), limits=limits)
        found = hashed(out / str(answer.get("file", "")))
    recorded = str(recipe.get("output_sha256", ""))
    differing = tuple(name for name in ("mode", "streams", "facts") if answer.get(name) != recipe.get(name))
    return Comparison(
        same_bytes=found == recorded,
        same_streams=bool(recipe.get("streams")) and answer.get("streams") == recipe.get("streams"),
        same_versions=answer.get("version") == recipe.get("version"),
        recorded_sha256=recorded,
        found_sha256=found,
        differing=differing,
    )


def refusal_sentence(error: Refusal) -> str:
    """Return a refusal's sentence, short enough to keep."""
    return str(error)[:500]
