"""Carry out recipes again and compare: for one exhibit with its copies, or for the papers of a bundle."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from counterfoil.engines.errors import BadInput, Corrupt, Refusal
from counterfoil.evidence import recipes
from counterfoil.evidence.models import Copy, Exhibit
from counterfoil.evidence.recipes import Comparison


@dataclass(frozen=True)
class Again:
    """What came of one recipe: what it makes, and how the result compares, or why it could not be carried out."""

    what: str
    comparison: Comparison | None
    refused: str = ""

    @property
    def agrees(self) -> bool:
        """Say whether the recipe was carried out and gave what is recorded."""
        return self.comparison is not None and self.comparison.agrees

    def sentence(self) -> str:
        """Return the line that a person reads."""
        said = self.comparison.sentence() if self.comparison else self.refused
        return f"{self.what}: {said}"


def find(name: str) -> UUID:
    """Return the exhibit of an id, or of a label like AB/4 where only one case has it; BadInput otherwise."""
    try:
        found = list(Exhibit.objects.filter(pk=UUID(name)))
    except ValueError:
        initials, _, number = name.partition("/")
        found = (
            list(Exhibit.objects.filter(initials=initials, number=int(number))) if number.isdigit() else []
        )
    if len(found) != 1:
        why = (
            "Several cases have it: give its id."
            if found
            else "Give an exhibit's label or id, or a recipe file."
        )
        raise BadInput("exhibit", f"There is not one exhibit {name}. {why}")
    return found[0].pk


def rederive(exhibit_id: UUID, sources: Mapping[str, Path] | None = None) -> Iterator[Again]:
    """Yield one result for the exhibit itself when it is derived, and one for each of its working copies."""
    exhibit = Exhibit.objects.select_related("parent").get(pk=exhibit_id)
    if exhibit.recipe is not None and exhibit.parent is not None:
        recipe = {**exhibit.recipe, "output_sha256": exhibit.sha256}
        yield _again(exhibit.label, recipe, exhibit.parent.sha256, sources)
    for copy in Copy.objects.filter(exhibit=exhibit, state="made").order_by("kind", "number"):
        recipe = {**(copy.recipe or {}), "output_sha256": copy.sha256}
        yield _again(
            f"{exhibit.label}, {copy.kind} {copy.number or ''}".rstrip(), recipe, exhibit.sha256, None
        )


def _again(what: str, recipe: Mapping[str, Any], master: str, sources: Mapping[str, Path] | None) -> Again:
    try:
        with recipes.master(master) as path:
            return Again(what, recipes.compare(recipe, path, sources))
    except Refusal as refusal:
        return Again(what, None, str(refusal))


def rederive_paper(paper: Path, master: Path, sources: Mapping[str, Path] | None = None) -> Iterator[Again]:
    """Yield one result for each recipe in a bundle's derivation.json, or for one recipe alone, on a master's file.

    Needs no database: anybody with the bundle and this program can do it.
    """
    try:
        told = json.loads(paper.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise Corrupt(f"{paper.name} is no recipe that can be read.") from e
    found = [("recipe", told)] if "task" in told else []
    if told.get("recipe"):
        found.append(
            (str(told.get("label", "exhibit")), {**told["recipe"], "output_sha256": told.get("sha256")})
        )
    found += [
        (f"{told.get('label', '')} {w.get('path')}", w.get("recipe") or {}) for w in told.get("working", [])
    ]
    digest = recipes.hashed(master)
    mine = [(what, recipe) for what, recipe in found if recipe.get("input_sha256") == digest]
    if not mine:
        raise Corrupt("None of these recipes was carried out on this file.")
    for what, recipe in mine:
        try:
            yield Again(what, recipes.compare(recipe, master, sources))
        except Refusal as refusal:
            yield Again(what, None, str(refusal))
