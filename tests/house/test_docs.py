"""The documents keep up with the code: what exists is described, what is described exists, links lead on."""

import argparse
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import CheckConstraint
from django.utils.module_loading import import_string

from counterfoil.cli import parser

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "counterfoil"
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "adopt" / "settings.md").read_text(encoding="utf-8")
STATES = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")


def our_models() -> list[type]:
    """Return every model of ours."""
    return [m for m in apps.get_models() if m.__module__.startswith("counterfoil.")]


def spaced(name: str) -> str:
    """Return a class name as words: `SameAs` is 'same as'."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower().replace("sign in", "sign-in")


@pytest.mark.parametrize("model", our_models(), ids=lambda m: m.__name__)
def test_every_noun_is_in_the_glossary(model: type) -> None:
    words = spaced(model.__name__)
    assert re.search(rf"\*\*{words}\*\*", GLOSSARY, re.IGNORECASE), f"docs/glossary.md lacks {words!r}"


def test_the_nouns_of_the_architecture_are_in_the_glossary() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## The nouns")[1].split("##")[0]
    nouns = [
        n.strip() for row in re.findall(r"^\| ([A-Z][^|]+) \|", table, re.MULTILINE) for n in row.split(",")
    ]
    assert len(nouns) > 12
    assert [noun for noun in nouns if f"**{noun}**" not in GLOSSARY] == []


def test_every_state_that_the_database_allows_is_described() -> None:
    found = set()
    for model in our_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, CheckConstraint):
                for key, value in re.findall(r"\('(state)__in', \[([^\]]*)\]\)", str(constraint.condition)):
                    found |= {(model.__name__, key, state) for state in re.findall(r"'([a-z_]+)'", value)}
    assert found
    assert [f for f in sorted(found) if not re.search(rf"\b{f[2]}\b", STATES)] == []


def test_every_environment_variable_is_described_and_every_description_is_true() -> None:
    sought = re.compile(r"\bCOUNTERFOIL_[A-Z][A-Z_]+\b")
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert set(sought.findall(text)) == set(sought.findall(SETTINGS))


def test_every_socket_is_described_and_has_two_adapters() -> None:
    described = re.findall(r"^\| ([a-z]+)(?: \(several\))? \|", SETTINGS.split("## Sockets")[1], re.MULTILINE)
    assert set(settings.PLUGS) == {name for name in described if name != "socket"}
    for socket, chosen in settings.PLUGS.items():
        assert (PACKAGE / "plugs" / f"{socket}.py").is_file()
        assert len(list((PACKAGE / "adapters").glob(f"{socket}_*.py"))) >= 2
        for one in [chosen] if "BACKEND" in chosen else chosen.values():  # some sockets take several, by name
            assert import_string(str(one["BACKEND"]))


def documents() -> list[Path]:
    """Return every Markdown file of ours."""
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("page", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_files_that_the_guides_name_exist() -> None:
    sought = re.compile(r"`((?:src|tests|tools|docs)/[\w./-]+)`")
    missing = [
        f"{page.name}: {name}"
        for page in (ROOT / "docs" / "how-to").glob("*.md")
        for name in sought.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert missing == []


def test_the_first_screen_of_the_readme_says_what_it_is_not() -> None:
    first = " ".join((ROOT / "README.md").read_text(encoding="utf-8")[:1600].split()).replace("> ", "")
    for words in (
        "call 999",
        "not approved",
        "prosecutor",
        "not forensically validated",
        "models, not official",
    ):
        assert words in first.replace("**", "")
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("make demo") >= 1


def test_every_command_and_option_is_described_and_every_description_is_true() -> None:
    commands = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    text = (ROOT / "docs" / "adopt" / "commands.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `counterfoil (\w+)` \|(.*)$", text, re.MULTILINE))
    assert set(rows) == set(commands)
    for name, command in commands.items():
        options = {o for a in command._actions for o in a.option_strings if o.startswith("--")} - {"--help"}
        assert set(re.findall(r"--[a-z-]+", rows[name])) == options, name
